// What the preload does inside a worker process, told by CHAOS_FAULTS; and the points at which it can end the process.

/** Around one task, in order. `checkpoint-*` concern types that keep checkpoints. */
export const CRASH_POINTS = [
  'claim-unsent',
  'claim-committed',
  'body-entered',
  'body-done',
  'settle-unsent',
  'settle-committed',
  'next-entered',
] as const;
export const CHECKPOINT_POINTS = ['checkpoint-unsent', 'checkpoint-committed'] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number] | (typeof CHECKPOINT_POINTS)[number];

export interface ProcessFaults {
  readonly seed: number;
  /** Faults happen while this file exists; each is a line of `<switchFile>.log`. */
  readonly switchFile: string;
  /** Share of commits and of calls outside transactions that are done, and whose answer and connection are lost. */
  readonly lostAnswers?: number;
  /** Share of calls before which the connection is lost. */
  readonly lostCalls?: number;
  /** Share of the engine's calls that fail with 40001 or 40P01, truly: the transaction is aborted. */
  readonly conflicts?: number;
  /** Connections of the pool for the engine's work. */
  readonly poolMax?: number;
  /**
   * Ends the process at the points that task ids name, once each: `before_<point>_<type>`, `target_…`, `after_…`. A file
   * `<folder>/<point>_<type>` says that it has happened.
   */
  readonly crashFolder?: string;
}

/** `-` in points would not be read back from a task id that has them too. */
export const taskIdOf = (place: 'before' | 'target' | 'after', point: CrashPoint, type: string) =>
  `${place}__${point}__${type}`;
