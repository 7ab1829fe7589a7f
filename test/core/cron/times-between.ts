// Many ticks in a row, as the tests compare them.
import { type Cron, nextTime } from '../../../src/core/cron/next.ts';

/** The ticks from `fromMs` (inclusive) to `toMs` (exclusive), ascending; the first `limit` of them. */
export function timesBetween(cron: Cron, fromMs: number, toMs: number, limit: number): number[] {
  const times: number[] = [];
  // The last whole millisecond before fromMs, so that a tick at fromMs itself is found.
  let last = Math.ceil(fromMs) - 1;
  while (times.length < limit) {
    const next = nextTime(cron, last);
    if (next === null || next >= toMs) break;
    times.push(next);
    last = next;
  }
  return times;
}
