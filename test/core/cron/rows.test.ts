// The next-time rows of Cronos that five fields can say, with what two JavaScript libraries answered.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCron, nextTime } from '../../../src/core/cron/next.ts';
import { at } from './make-cron.ts';

const FILE = new URL('../../../../shared/data/cron/next.json', import.meta.url);
const hasRows = existsSync(FILE);

interface Row {
  readonly id: string;
  readonly expression5?: string;
  readonly tz: string;
  readonly from: string;
  readonly inclusive: boolean;
  readonly expected: string;
  readonly tier: string;
}
/** Where the contract says otherwise: what it says instead, or null for a refusal. */
const DIFFERENT: Record<string, { readonly next: string | null; readonly because: string }> = {
  'cronos-1174': {
    next: '2016-03-13T04:00:00-04:00',
    because:
      '`*/30 */2` is a wildcard, so it runs in real time: the skipped hour 2 has no ticks, and 3 is not named',
  },
  'cronos-1409': {
    next: '2016-11-07T01:00:00-05:00',
    because: '`0-30 1` has no wildcard, so its times are fixed: the second pass of hour 1 has none',
  },
  'cronos-2308': { next: null, because: '? as day-of-week is refused' },
  'cronos-2311': { next: null, because: '? as day-of-month is refused' },
  'cronos-2330': { next: null, because: '@hourly is refused' },
  'cronos-2333': { next: null, because: '@monthly is refused' },
  'cronos-2341': { next: null, because: '@HOURLY is refused' },
  'cronos-2344': { next: null, because: '@MONTHLY is refused' },
};

describe(`the rows of Cronos${hasRows ? '' : ' (skipped: ../shared/data/cron/next.json is absent)'}`, () => {
  test.skipIf(!hasRows)('agree but for eight, which the contract decides otherwise', () => {
    const { rows } = JSON.parse(readFileSync(FILE, 'utf8')) as { rows: Row[] };
    const counts: Record<string, number> = {};
    const seen = new Set<string>();
    for (const row of rows) {
      if (row.expression5 === undefined) continue;
      const made = createCron(row.expression5, row.tz);
      const different = DIFFERENT[row.id];
      const expected = different === undefined ? row.expected : different.next;
      const got = made.ok ? nextTime(made.value, at(row.from) - (row.inclusive ? 1 : 0)) : null;
      expect(got, `${row.id}: ${row.expression5}`).toBe(expected === null ? null : at(expected));
      expect(made.ok, row.id).toBe(expected !== null);
      if (different !== undefined) expect(at(row.expected), `${row.id}: ${different.because}`).not.toBe(got);
      const outcome = `${row.tier}: ${different === undefined ? 'agrees' : 'differs'}`;
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      seen.add(row.id);
    }
    console.log(`Cronos rows: ${JSON.stringify(counts)}`);
    expect(seen.size).toBeGreaterThan(100);
    expect(Object.keys(DIFFERENT).filter((id) => !seen.has(id))).toEqual([]);
  });
});
