// What the library shows: the same members as `dagwright executions show --json` prints.
import type { TaskError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { ExecutionStatus, SkipReason, TaskStatus } from '../core/status.ts';

/** Instants are ISO 8601; money is a decimal string in US dollars, null: unknown. */
export interface Execution {
  readonly id: string;
  readonly workflowId: string;
  readonly revision: number;
  readonly status: ExecutionStatus;
  readonly output: Json;
  readonly error: TaskError | null;
  /** It completed though tasks failed. */
  readonly completedWithErrors: boolean;
  readonly costUsd: string | null;
  readonly durationMs: number | null;
  readonly triggerType: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
}

export interface ExecutionTask {
  readonly taskId: string;
  /** Of an item of a fan-out; null: the task itself. */
  readonly mapIndex: number | null;
  readonly taskType: string;
  readonly status: TaskStatus;
  /** Why it was skipped. */
  readonly reason: SkipReason | null;
  readonly attempt: number;
  readonly output: Json;
  readonly error: TaskError | null;
  readonly costUsd: string | null;
  readonly durationMs: number | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly resourceUsage: Json;
}

export interface ExecutionWithTasks extends Execution {
  readonly tasks: readonly ExecutionTask[];
}

/**
 * What one sees of an execution that goes on: each task that ended, once, in the order of the commits; its status whenever that is
 * seen to have changed; and `end`, after which nothing comes. `seq` rises, with gaps: go on after it by `after`.
 */
export type ExecutionEvent =
  | { readonly type: 'task'; readonly seq: number; readonly task: ExecutionTask }
  | { readonly type: 'status'; readonly status: ExecutionStatus }
  | { readonly type: 'end'; readonly status: ExecutionStatus };

export interface AppliedWorkflow {
  readonly workflowId: string;
  readonly revision: number;
  /** Only active ones start. */
  readonly status: 'draft' | 'active' | 'archived';
  readonly outcome: 'created' | 'changed' | 'unchanged';
  /** Made for its triggers; a secret that was made up is shown only now. */
  readonly webhooks: readonly { readonly url: string; readonly secret?: string }[];
  readonly schedules: readonly { readonly name: string; readonly nextRunAt: string | null }[];
}
