// A cell of the fault matrix (FAULTS.md section 3): what is done, what is measured, and the bar it must pass.
import type { Arena } from './arena.ts';

/** A figure against its bar. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  /** At most this much; quick runs allow three times a duration, never more of what must not happen at all. */
  readonly atMost: number;
  /** Milliseconds, or a count. */
  readonly unit: 'ms' | 'count';
}

export interface Outcome {
  /** What was measured, ready to be read. */
  readonly figures: Readonly<Record<string, string>>;
  readonly bars: readonly Bar[];
}

export interface Cell {
  /** Of the matrix: M1 to M17, M25, M26, M30, M31, M33; and API, LOCKS, IDLE, FLOOD, DISK. */
  readonly id: string;
  readonly title: string;
  /** Seconds of faults in a quick run; 10 where absent. */
  readonly quickSeconds?: number;
  /** Has a PostgreSQL server of its own, which it hurts. */
  readonly hasOwnServer?: boolean;
  /** Whose data and log are on small disks, which it fills. */
  readonly hasSmallDisks?: boolean;
  /** Why it cannot be run on this machine; null: it can. */
  skipped?(): string | null;
  /** Does the faults, under load, and ends them. The run judges the invariants afterwards, then calls what this returns. */
  run(arena: Arena): Promise<() => Outcome | Promise<Outcome>>;
}

export const ms = (name: string, value: number, atMost: number): Bar => ({ name, value, atMost, unit: 'ms' });
export const count = (name: string, value: number, atMost = 0): Bar => ({
  name,
  value,
  atMost,
  unit: 'count',
});

const QUICK_PATIENCE = 3;

/** NaN (nothing was measured) passes no bar. */
export function passes(bar: Bar, isQuick: boolean): boolean {
  return bar.value <= bar.atMost * (isQuick && bar.unit === 'ms' ? QUICK_PATIENCE : 1);
}
