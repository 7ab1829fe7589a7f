// How an attempt ends, and what each end becomes: what its row is settled as, and what metrics count. An end is made once
// (engine/attempt), read where it is judged (engine/settle), and written as it is (db/protocol): nobody gives it another shape.
import { assertNever, type TaskError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import type { TaskState } from './plan/decide.ts';
import type { SkipReason, TerminalTaskStatus } from './status.ts';
import type { WaitEndedBy, WaitKind } from './wait.ts';

/** Where a task's own code threw, for the logs alone; it is stored nowhere else. Texts are storable and without secrets. */
export interface ThrownAt {
  /** The first place in code that is neither this package's nor Node's: `tasks/price.ts:12:7`. */
  readonly thrownAt?: string;
  readonly stack: readonly string[];
  /** What the error was caused by: of "fetch failed" the part that says something. */
  readonly cause?: string;
}

/** What an attempt leaves behind, however it ended. Texts named `…Json` are serialised, storable and without secrets. */
export interface AttemptTotals {
  readonly durationMs: number;
  readonly inputJson?: string;
  /** Exact decimal of US dollars; undefined: nothing spent; null: unknown. */
  readonly costUsd?: string | null;
  readonly usage?: JsonObject;
}

/** The fan-out that a `parallel` opens. */
export interface FanOut {
  readonly kind: 'fanOut';
  /** Values by index; null for named branches. */
  readonly values: readonly Json[] | null;
  readonly total: number;
  readonly maxConcurrency: number;
  readonly toleratedFailures: number;
  /** Completes at so many successes; total where all are wanted. */
  readonly neededSuccesses: number;
  /** Its parts are the rounds of a loop: those that were never begun leave no rows. */
  readonly isLoop?: true;
}

/** What the end of a round means for its loop. */
export type RoundEnd =
  | { readonly isLast: true }
  | { readonly isLast: false /** How long the next round waits. */; readonly nextInMs: number };

export type AttemptEnd = AttemptTotals &
  (
    | {
        readonly kind: 'completed';
        readonly outputJson: string;
        readonly output: Json;
        readonly branch?: string;
        readonly winner?: string;
        /** Errors of parts that failed within the tolerance. */
        readonly partErrors?: readonly Json[];
        /** Of a round of a loop. */
        readonly round?: RoundEnd;
      }
    | { readonly kind: 'skipped'; readonly reason: SkipReason }
    /** It would have begun to wait in an execution that is failing. */
    | { readonly kind: 'cancelled' }
    | {
        readonly kind: 'failed';
        readonly error: TaskError;
        /** No attempt was made: nothing to keep of it. */
        readonly isUntried?: boolean;
        readonly place?: ThrownAt | null;
      }
    | {
        readonly kind: 'retrying';
        readonly error: TaskError;
        readonly retryInMs: number;
        readonly place?: ThrownAt | null;
      }
    | {
        readonly kind: 'waiting';
        readonly on: Exclude<WaitKind, WaitEndedBy<'parts' | 'decision'>>;
        readonly delayMs: number;
        /** It cannot run yet: what holds it, as its row shows it meanwhile. */
        readonly because?: TaskError;
      }
    /** Waits for people. What wakes it is made of the review's row: its due time, or a decision. */
    | {
        readonly kind: 'inReview';
        /** The review that is opened with this wait; null: the one that is open already. */
        readonly reviewJson: string | null;
      }
    | { readonly kind: 'fanOut'; readonly fanOut: FanOut; readonly valuesJson: string }
    /** The task completes, and the execution ends with it. */
    | {
        readonly kind: 'terminated';
        readonly status: 'completed' | 'failed' | 'cancelled';
        readonly outputJson: string;
        readonly error: TaskError | null;
      }
    /** Given back: no attempt was spent. */
    | { readonly kind: 'released' }
  );

interface Consequence {
  /** What the settle makes of the row: a status, or `released`: pending, or waiting as before. */
  readonly settlesAs: TerminalTaskStatus | 'waiting' | 'retrying' | 'released';
  /** The task has ended, and the edges out of it are judged by its state. */
  readonly endsTask: boolean;
  /** A row of task_attempts keeps the attempt; the last one of a task that ended otherwise is the task's own row. */
  readonly keepsAttempt: boolean;
  /** The status under which metrics count the attempt; null: it goes on, or was none. */
  readonly countsAs: TerminalTaskStatus | 'retrying' | null;
}

/** What each end becomes. */
export const ATTEMPT_ENDS = {
  completed: { settlesAs: 'completed', endsTask: true, keepsAttempt: false, countsAs: 'completed' },
  skipped: { settlesAs: 'skipped', endsTask: true, keepsAttempt: false, countsAs: 'skipped' },
  cancelled: { settlesAs: 'cancelled', endsTask: true, keepsAttempt: false, countsAs: 'cancelled' },
  failed: { settlesAs: 'failed', endsTask: true, keepsAttempt: true, countsAs: 'failed' },
  retrying: { settlesAs: 'retrying', endsTask: false, keepsAttempt: true, countsAs: 'retrying' },
  waiting: { settlesAs: 'waiting', endsTask: false, keepsAttempt: false, countsAs: null },
  inReview: { settlesAs: 'waiting', endsTask: false, keepsAttempt: false, countsAs: null },
  fanOut: { settlesAs: 'waiting', endsTask: false, keepsAttempt: false, countsAs: null },
  // No edge is judged: the execution ends.
  terminated: { settlesAs: 'completed', endsTask: false, keepsAttempt: false, countsAs: 'completed' },
  released: { settlesAs: 'released', endsTask: false, keepsAttempt: false, countsAs: null },
} as const satisfies Record<AttemptEnd['kind'], Consequence>;

type EndTable = typeof ATTEMPT_ENDS;
type TaskEndKind = {
  [K in keyof EndTable]: EndTable[K]['endsTask'] extends true ? K : never;
}[keyof EndTable];

/** The end of an attempt that is the end of its task. */
export type TaskEnd = Extract<AttemptEnd, { readonly kind: TaskEndKind }>;

/** The end of an attempt that gave an output. */
export type Completion = Extract<AttemptEnd, { readonly kind: 'completed' }>;

/** The statuses under which metrics count attempts. */
export type CountedStatus = NonNullable<EndTable[keyof EndTable]['countsAs']>;

export function isTaskEnd(end: AttemptEnd): end is TaskEnd {
  return ATTEMPT_ENDS[end.kind].endsTask;
}

/** The state by which the edges out of the task are judged. */
export function taskStateOf(end: TaskEnd): TaskState {
  switch (end.kind) {
    case 'completed':
      return { status: 'completed', branch: end.branch ?? null };
    case 'skipped':
      return { status: 'skipped', reason: end.reason };
    case 'cancelled':
      return { status: 'cancelled' };
    case 'failed':
      return { status: 'failed', errorCode: end.error.code };
    default:
      return assertNever(end);
  }
}

/** Bytes that the end sends to the database, about: what dominates them. */
export function bytesOfEnd(end: AttemptEnd): number {
  return (end.inputJson?.length ?? 0) + bytesOfResult(end);
}

function bytesOfResult(end: AttemptEnd): number {
  switch (end.kind) {
    case 'completed':
    case 'terminated':
      return end.outputJson.length;
    case 'failed':
    case 'retrying':
      return JSON.stringify(end.error).length;
    case 'fanOut':
      return end.valuesJson.length;
    case 'inReview':
      return end.reviewJson?.length ?? 0;
    case 'skipped':
    case 'cancelled':
    case 'waiting':
    case 'released':
      return 0;
    default:
      return assertNever(end);
  }
}
