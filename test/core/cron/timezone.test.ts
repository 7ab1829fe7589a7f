import { describe, expect, test } from 'vitest';
import { parseTimezone } from '../../../src/core/cron/timezone.ts';

describe('a time zone', () => {
  test('is any name that the runtime lists', () => {
    for (const name of Intl.supportedValuesOf('timeZone'))
      expect(parseTimezone(name)).toEqual({ ok: true, value: name });
  });

  test.each([
    ['UTC', 'UTC'],
    ['utc', 'UTC'],
    ['europe/berlin', 'Europe/Berlin'],
    ['US/Pacific', 'US/Pacific'],
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['Etc/GMT+5', 'Etc/GMT+5'],
    ['EST5EDT', 'EST5EDT'],
    ['GMT+0', 'GMT+0'],
  ])('keeps its spelling, in the case of the database: %s', (given, kept) => {
    expect(parseTimezone(given)).toEqual({ ok: true, value: kept });
  });

  test.each([
    ['local', /depends on the machine/],
    ['Local', /depends on the machine/],
    ['+02:00', /is an offset/],
    ['-0500', /is an offset/],
    ['UTC+2', /is an offset/],
    ['IST', /abbreviation/],
    ['PST', /abbreviation/],
    ['SystemV/PST8', /abbreviation/],
    ['', /unknown time zone ""/],
    [' UTC', /unknown time zone " UTC"/],
    ['Mars/Olympus', /unknown time zone/],
    ['Europe/Berlin\u0000', /unknown time zone "Europe\/Berlin\\u0000"/],
    ['x'.repeat(65), /has 65 characters/],
  ])('refuses %j', (name, text) => {
    const read = parseTimezone(name);
    expect(read).toMatchObject({ ok: false, problems: [{ code: 'timezone', pointer: '' }] });
    expect(read.ok ? '' : read.problems[0]!.message).toMatch(text);
    expect(read.ok ? '' : read.problems[0]!.message).toMatch(/expected a name of the IANA database/);
  });

  test.each([
    ['Europe/Berln', 'Europe/Berlin'],
    ['Berlin', 'Europe/Berlin'],
    ['New York', 'America/New_York'],
  ])('hints at the name that was meant by %s', (name, meant) => {
    const read = parseTimezone(name);
    expect(read.ok ? '' : read.problems[0]!.hint).toBe(`did you mean "${meant}"?`);
  });
});
