// What a task type is to the engine: prepared once per plan node, run once per attempt. Types know nothing of the database.

import type { FanOut } from '../core/attempt-end.ts';
import type { NodeDefinition, Retry } from '../core/definition/model.ts';
import type { TaskTypeRule } from '../core/definition/task-type.ts';
import type { TaskError } from '../core/errors.ts';
import type { Mapping } from '../core/expression/mapping.ts';
import type { Scope } from '../core/expression/scope.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { TaskLog } from '../core/log-lines.ts';
import type { JsonWarning } from '../core/long-numbers.ts';
import type { ReviewRequest, ReviewState } from '../core/review.ts';
import type { TaskStatus } from '../core/status.ts';
import type { WaitEndedBy, WaitKind } from '../core/wait.ts';
import type { Outside } from './outside.ts';

/** A direct parent as aggregation sees it, in dependsOn order. */
export interface ParentResult {
  readonly taskId: string;
  readonly taskType: string;
  readonly status: TaskStatus;
  readonly output: Json;
}

/** One item or named branch of a fan-out that has ended. */
export interface PartResult {
  readonly index: number;
  readonly status: TaskStatus;
  readonly output: Json;
  readonly error: TaskError | null;
  /** Order of completion within the execution. */
  readonly completedSeq: number;
}

/** What `run` gets. */
export interface TaskContext {
  readonly executionId: string;
  readonly tenantId: string;
  readonly taskId: string;
  /** Index within a fan-out, or null. */
  readonly mapIndex: number | null;
  /** Counts from 1. */
  readonly attempt: number;
  /** The task's input: its inputMapping, or the default of CONTRACT 2. */
  readonly input: Json;
  /** Aborted at the timeout, cancel, a lost lease and shutdown. */
  readonly signal: AbortSignal;
  /** The same for every attempt of this task. */
  readonly idempotencyKey: string;
  readonly lastCheckpoint: Json | undefined;
  /** Keeps progress that a later attempt finds as `lastCheckpoint`; committed when it resolves. */
  checkpoint(state: Json): Promise<void>;
  /** The way to outside services, and the secrets for them. */
  readonly outside: Outside;
  /** From here on a timeout ends the task by default: what was sent may have been done, and must not be done twice. */
  forbidRepeat(): void;
  /** Makes a one-time token for an answer that comes later; it is valid as soon as this resolves, and its time runs. */
  openCallback(limits: CallbackLimits): Promise<Callback>;
  /** Opens its wait for signals, and says whether one has come before it. Its time runs. */
  openSignalWait(wait: SignalWait): Promise<AnswerState>;
  /** Where its phase is a wait for an answer: what has come so far. */
  readonly answerState: AnswerState | null;
  /** Of a task that waits for people: does what is due of its review, and tells what has become of it. */
  readReview(): Promise<ReviewState | null>;
  /** Who may not decide a review of this execution unless it says so, as assignees are written. */
  readStarters(): Promise<readonly string[]>;
  /** Notes that people were told of it, or what went wrong. */
  noteNotice(review: ReviewState, failures: readonly string[] | null): Promise<void>;
  /** A link by which a person without a key decides it; it is valid as soon as this resolves. */
  openReviewLink(review: ReviewState, person: string | null): Promise<string>;
  /** Adds to this attempt's cost; null: unknown price. Amounts in US dollars, exact decimals. */
  addCost(usd: string | number | null, usage?: JsonObject): void;
  readonly log: TaskLog;
  /** For expressions of built-in types. */
  readonly scope: Scope;
  readonly parents: readonly ParentResult[];
  /** The branches that edges from this task name; empty or absent: none, so that a condition may choose any text. */
  readonly branches?: readonly string[];
  /** Why a waiting task was woken: its timer fired, the parts of its fan-out ended, or it looks for its callback. */
  readonly phase: WaitKind | null;
  /** With phase `items`: all parts that were issued, by index. */
  readonly parts: readonly PartResult[];
  /** Database time of this claim, ISO 8601. */
  readonly now: string;
}

export interface CallbackLimits {
  /** The wait fails with `timeout` after so long. */
  readonly timeoutMs: number;
  /** Or when nothing has come for so long: a heartbeat counts; null: none is expected. */
  readonly heartbeatMs: number | null;
}

export interface Callback {
  /** 256 random bits, URL-safe; stored only as a hash. */
  readonly token: string;
  readonly url: string;
}

/** What a task takes for the signal it waits for; the output of its answer is `{ signal, payload }`. */
export interface SignalWait {
  readonly names: readonly string[];
  /** What its condition reads of the scope as it is now; null: it has none. */
  readonly conditionReads: JsonObject | null;
  readonly timeoutMs: number;
}

/** What was sent to a task that waits for an answer. */
export interface AnswerState {
  readonly status: 'open' | 'completed' | 'failed';
  readonly output: Json;
  /** With `failed`: what the caller sent, made storable. */
  readonly error: TaskError | null;
  /** Until the wait times out; 0 or less: it has. */
  readonly leftMs: number;
  /** What was taken otherwise than it was sent, where nobody has said so yet. */
  readonly warning?: JsonWarning | null;
}

export type TaskOutcome =
  | {
      readonly kind: 'completed';
      readonly output: unknown;
      readonly branch?: string;
      readonly winner?: string;
      /** Of parts that did not succeed; `tasks.<id>.errors`. */
      readonly errors?: readonly JsonObject[];
    }
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** Waits until its answer comes (of a callback: a token of `openCallback` is used), or its time is over. */
  | { readonly kind: 'waitForAnswer'; readonly on: WaitEndedBy<'answer'> }
  /** Waits for people: for a review that is opened, or (null) for the one that is open. */
  | { readonly kind: 'waitForReview'; readonly opens: ReviewRequest | null }
  | {
      readonly kind: 'terminate';
      readonly status: 'completed' | 'failed' | 'cancelled';
      readonly output: Json;
      readonly error: TaskError | null;
    }
  | FanOut;

/** A node's type with its config compiled. Failures are thrown: TerminalError, RetryableError, ExpressionError, or any error. */
export interface PreparedTask {
  /** All compiled expressions, so that the engine knows which tasks' outputs to load. */
  readonly mappings: readonly Mapping[];
  run(context: TaskContext): TaskOutcome | Promise<TaskOutcome>;
}

export interface TaskType {
  readonly type: string;
  /** What validation knows of it, where it is not built in. */
  readonly rule?: TaskTypeRule;
  /** Quick and without side effects: evaluated where it became ready, without a job. */
  readonly isPure: boolean;
  /** Pure, and each run gives an output or fails: none waits, opens parts, or ends the execution. */
  readonly completesAtOnce?: boolean;
  /** Whether `run` reads `context.parents`. */
  readonly readsParents?: boolean;
  /** What nodes of the type have where neither they nor the definition's `defaults` say it. */
  readonly defaults?: { readonly timeoutSeconds?: number; readonly retry?: Retry };
  /** Compiles the node's config. Called with valid definitions only. `types` are all of this worker's, for tasks within tasks. */
  prepare(node: NodeDefinition, types: ReadonlyMap<string, TaskType>): PreparedTask;
}

/** Names and part definitions of a parallel node: one task for all items, or one per named branch. */
export type ParallelParts =
  | { readonly kind: 'items'; readonly task: NodeDefinition }
  | {
      readonly kind: 'branches';
      readonly names: readonly string[];
      readonly tasks: readonly NodeDefinition[];
    };

/** Thrown where a definition uses a task type that this worker does not have: its task is another worker's. */
export class MissingTypeError extends Error {
  constructor(taskId: string, taskType: string, place = '') {
    super(`Task "${taskId}": ${place}this worker has no task type "${taskType}"`);
    this.name = 'MissingTypeError';
  }
}
