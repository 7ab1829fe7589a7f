// When a schedule is due: its cron expression within startAt and endAt, and the jitter of each nominal time.
//   J1  The jitter of a nominal time is the same wherever and whenever it is computed.
//   J2  A tick is due before the next nominal time, so ticks are due in the order of their nominal times.
import { createHash } from 'node:crypto';
import { type Cron, nextTime, previousTime } from '../cron/next.ts';

/** Milliseconds and milliseconds since the epoch. */
export interface Timing {
  readonly scheduleId: string;
  readonly cron: Cron;
  readonly jitterMs: number;
  /** No tick before. */
  readonly startAtMs: number | null;
  /** No tick from then on. */
  readonly endAtMs: number | null;
}

/** The first nominal time after `afterMs`; null: none comes. */
export function nextNominal(timing: Timing, afterMs: number): number | null {
  const { cron, startAtMs, endAtMs } = timing;
  const next = nextTime(cron, startAtMs === null ? afterMs : Math.max(afterMs, startAtMs - 1));
  return next === null || (endAtMs !== null && next >= endAtMs) ? null : next;
}

/** When a nominal time is due. */
export function dueTime({ scheduleId, cron, jitterMs }: Timing, nominalMs: number): number {
  if (jitterMs === 0) return nominalMs;
  const next = nextTime(cron, nominalMs) ?? Number.POSITIVE_INFINITY;
  // J2. Scaled, not cut off: a jitter longer than the interval still spreads evenly.
  const span = Math.min(jitterMs, next - nominalMs - 1);
  return nominalMs + Math.floor(fractionOf(`${scheduleId} ${nominalMs}`) * (span + 1));
}

/** The latest nominal time that is due at `nowMs`; null: none yet. */
export function latestDue(timing: Timing, nowMs: number): number | null {
  const { cron, startAtMs, endAtMs } = timing;
  let latest = previousTime(cron, Math.min(nowMs + 1, endAtMs ?? Number.POSITIVE_INFINITY));
  // By J2 the one before it is due.
  if (latest !== null && dueTime(timing, latest) > nowMs) latest = previousTime(cron, latest);
  return latest === null || (startAtMs !== null && latest < startAtMs) ? null : latest;
}

/** 0 (inclusive) to 1 (exclusive). */
function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
