import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCron, nextTime, previousTime } from '../../../src/core/cron/next.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { depth } from '../../support/depth.ts';
import { patience } from '../../support/patience.ts';
import { at, cron, iso } from './make-cron.ts';
import { timesBetween } from './times-between.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const between = (expression: string, timezone: string, from: string, to: string) =>
  timesBetween(cron(expression, timezone), at(from), at(to), 100).map(iso);

describe('a schedule', () => {
  test('tells the problems of expression and zone at once', () => {
    const made = createCron('* * *', 'local');
    expect(made.ok ? [] : made.problems.map(({ code }) => code)).toEqual(['cron', 'timezone']);
  });

  test.each([
    ['0 0 13 * 5', ['06', '13', '13', '20', '27']],
    ['0 0 13 * *', ['13']],
    ['0 0 * * 5', ['06', '13', '20', '27']],
    ['0 0 13-14 * 5/7', ['06', '13', '14', '20', '27']],
  ])('fires on days of either field where both are given: %s in February 2026', (expression, days) => {
    const got = between(expression, 'UTC', '2026-02-01T00:00Z', '2026-03-01T00:00Z');
    expect(got).toEqual([...new Set(days)].map((day) => `2026-02-${day}T00:00Z`));
  });

  test('takes `*/2` as given, so that its days are joined with the weekdays', () => {
    const got = between('0 0 */2 * 2', 'UTC', '2026-02-01T00:00Z', '2026-02-06T00:00Z');
    expect(got.map((tick) => tick!.slice(8, 10))).toEqual(['01', '03', '05']);
    expect(between('0 0 */2 * 1', 'UTC', '2026-02-01T00:00Z', '2026-02-04T00:00Z')).toHaveLength(3);
  });

  test('runs a fixed time in a gap once, at the first instant after it', () => {
    expect(between('30 2 * * *', 'America/New_York', '2025-03-09T00:00Z', '2025-03-10T00:00Z')).toEqual([
      '2025-03-09T07:00Z',
    ]);
    expect(between('15 2 * * *', 'Australia/Lord_Howe', '2025-10-04T12:00Z', '2025-10-05T12:00Z')).toEqual([
      '2025-10-04T15:30Z',
    ]);
  });

  test('has one tick for several fixed times in a gap, also with one at its end', () => {
    expect(between('0,30 2,3 * * *', 'America/New_York', '2025-03-09T00:00Z', '2025-03-10T00:00Z')).toEqual([
      '2025-03-09T07:00Z',
      '2025-03-09T07:30Z',
    ]);
  });

  test('runs a fixed time of a day that was left out at the first instant of the next', () => {
    // Samoa had no 30 December 2011.
    expect(between('0 12 30 * *', 'Pacific/Apia', '2011-12-25T00:00Z', '2012-01-05T00:00Z')).toEqual([
      '2011-12-30T10:00Z',
    ]);
    expect(between('0 */6 30 * *', 'Pacific/Apia', '2011-12-25T00:00Z', '2012-01-05T00:00Z')).toEqual([]);
  });

  test('runs a fixed time in an overlap once, the first time', () => {
    expect(between('30 1 * * *', 'America/New_York', '2025-11-02T00:00Z', '2025-11-03T00:00Z')).toEqual([
      '2025-11-02T05:30Z',
    ]);
    expect(nextTime(cron('30 1 * * *', 'America/New_York'), at('2025-11-02T06:15Z'))).toBe(
      at('2025-11-03T06:30Z'),
    );
  });

  test('runs wildcards in real time: both passes of an hour, none of a skipped one', () => {
    expect(between('*/30 1 * * *', 'America/New_York', '2025-11-02T00:00Z', '2025-11-03T00:00Z')).toEqual([
      '2025-11-02T05:00Z',
      '2025-11-02T05:30Z',
      '2025-11-02T06:00Z',
      '2025-11-02T06:30Z',
    ]);
    expect(between('*/30 2 * * *', 'America/New_York', '2025-03-09T00:00Z', '2025-03-10T00:00Z')).toEqual([]);
    expect(between('45 * * * *', 'Australia/Lord_Howe', '2025-04-05T14:00Z', '2025-04-05T16:30Z')).toEqual([
      '2025-04-05T14:45Z',
      '2025-04-05T15:15Z',
      '2025-04-05T16:15Z',
    ]);
  });

  test('waits eight years for a 29 February around 2100', () => {
    const leap = cron('0 0 29 2 *');
    expect(iso(nextTime(leap, at('2096-03-01T00:00Z')))).toBe('2104-02-29T00:00Z');
    expect(iso(previousTime(leap, at('2104-02-29T00:00Z')))).toBe('2096-02-29T00:00Z');
  });

  test('takes the start of a stretch and leaves out its end', () => {
    const hourly = cron('0 * * * *');
    const from = at('2026-01-01T00:00Z');
    expect(timesBetween(hourly, from, from + 2 * 60 * MINUTE, 10)).toEqual([from, from + 60 * MINUTE]);
    expect(timesBetween(hourly, from + 0.5, from + 60 * MINUTE, 10)).toEqual([]);
    expect(timesBetween(hourly, from, Number.POSITIVE_INFINITY, 3)).toHaveLength(3);
    expect(timesBetween(hourly, from, from, 10)).toEqual([]);
    expect(timesBetween(hourly, from, from + DAY, 0)).toEqual([]);
  });

  test('has no ticks before 1970 or after 9999', () => {
    const minutely = cron('* * * * *', 'Asia/Tokyo');
    expect(nextTime(minutely, Number.NEGATIVE_INFINITY)).toBe(0);
    expect(nextTime(minutely, at('9999-12-31T23:58:30Z'))).toBe(at('9999-12-31T23:59Z'));
    expect(nextTime(minutely, at('9999-12-31T23:59Z'))).toBeNull();
    expect(previousTime(minutely, Number.POSITIVE_INFINITY)).toBe(at('9999-12-31T23:59Z'));
    expect(previousTime(minutely, 1)).toBe(0);
    expect(previousTime(minutely, 0)).toBeNull();
    expect(previousTime(cron('0 0 1 1 *', 'America/New_York'), at('1970-01-01T01:00Z'))).toBeNull();
    for (const odd of [Number.NaN, 8.64e15, Number.POSITIVE_INFINITY])
      expect(nextTime(minutely, odd)).toBeNull();
    expect(previousTime(minutely, Number.NaN)).toBeNull();
  });

  test('finds the last tick of a long outage without walking the others', () => {
    const minutely = cron('* * * * *', 'Europe/Berlin');
    const end = at('2026-01-01T00:00:30Z');
    const took = cpuMs(() => {
      for (let k = 0; k < 1000; k++)
        expect(previousTime(minutely, end + k * MINUTE)).toBe(at('2026-01-01T00:00Z') + k * MINUTE);
    });
    // Walking half a million ticks of a year a thousand times would take minutes.
    expect(took).toBeLessThan(patience(4000));
  });
});

describe('whatever the schedule and the moment', () => {
  const field = (min: number, max: number) => {
    const value = fc.integer({ min, max });
    const step = fc.integer({ min: 1, max: Math.min(max, 20) });
    const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    const part = fc.oneof(
      fc.constant('*'),
      step.map((n) => `*/${n}`),
      value.map(String),
      range,
      fc.tuple(range, step).map(([text, n]) => `${text}/${n}`),
    );
    return fc.oneof(
      { weight: 3, arbitrary: fc.constant('*') },
      {
        weight: 4,
        arbitrary: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(',')),
      },
    );
  };
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/Havana',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Pacific/Apia',
  ];
  const schedules = fc
    .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7), fc.constantFrom(...zones))
    .map(([minute, hour, date, month, weekday, zone]) =>
      createCron(`${minute} ${hour} ${date} ${month} ${weekday}`, zone),
    )
    .filter((made) => made.ok)
    .map((made) => (made.ok ? made.value : cron('* * * * *')));
  const moments = fc.integer({ min: at('1995-01-01T00:00Z'), max: at('2060-01-01T00:00Z') });

  test('the next tick is later, and the one before it is the same or earlier', () => {
    fc.assert(
      fc.property(schedules, moments, (schedule, moment) => {
        const next = nextTime(schedule, moment)!;
        expect(next).toBeGreaterThan(moment);
        expect(next % 1000).toBe(0);
        expect(nextTime(schedule, next - 1)).toBe(next);
        expect(nextTime(schedule, next)).toBeGreaterThan(next);
        const previous = previousTime(schedule, next)!;
        expect(previous).toBeLessThanOrEqual(moment);
        expect(nextTime(schedule, previous)).toBe(next);
        expect(previousTime(schedule, next + 1)).toBe(next);
      }),
      { numRuns: depth(500) },
    );
  });

  test('the ticks of a stretch are those that one finds one by one, in both directions', () => {
    fc.assert(
      fc.property(schedules, moments, fc.integer({ min: 0, max: 20 * DAY }), (schedule, from, length) => {
        const to = from + length;
        const times = timesBetween(schedule, from, to, 200);
        const stepped: number[] = [];
        for (
          let n = nextTime(schedule, from - 1)!;
          n < to && stepped.length < 200;
          n = nextTime(schedule, n)!
        )
          stepped.push(n);
        expect(times).toEqual(stepped);
        const back: number[] = [];
        for (let p = (times.at(-1) ?? from) + 1, n = 0; n < times.length; n++) {
          p = previousTime(schedule, p)!;
          back.unshift(p);
        }
        expect(back).toEqual(times);
      }),
      { numRuns: depth(200) },
    );
  });
});
