// The next nominal times of a schedule as people read them: in its own zone, with the offset from UTC.
import { zoneClock } from '../cron/zone-clock.ts';
import { dueTime, nextNominal, type Timing } from './timing.ts';

export interface PreviewedTick {
  /** The nominal time, UTC. */
  readonly scheduledAt: string;
  /** The same in the schedule's zone, with its offset: `2027-03-28T09:00:00+02:00`. */
  readonly localTime: string;
  /** With jitter, UTC. */
  readonly dueAt: string;
}

/** The first `count` nominal times after `afterMs`; fewer where the schedule ends. */
export function previewTicks(timing: Timing, afterMs: number, count: number): PreviewedTick[] {
  const ticks: PreviewedTick[] = [];
  let next = nextNominal(timing, afterMs);
  while (next !== null && ticks.length < count) {
    ticks.push({
      scheduledAt: new Date(next).toISOString(),
      localTime: localTime(timing.cron.timezone, next),
      dueAt: new Date(dueTime(timing, next)).toISOString(),
    });
    next = nextNominal(timing, next);
  }
  return ticks;
}

/** ISO 8601 in this zone, to the second. */
export function localTime(timezone: string, ms: number): string {
  const { offset } = zoneClock(timezone).spanAt(ms);
  const minutes = Math.abs(Math.trunc(offset / 60_000));
  const two = (n: number) => String(n).padStart(2, '0');
  const sign = offset < 0 ? '-' : '+';
  return `${new Date(ms + offset).toISOString().slice(0, 19)}${sign}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}
