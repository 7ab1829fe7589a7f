// Statuses and their legal moves. ARCHITECTURE.md draws the same tables in Mermaid; a test compares the two, and the
// enum types of the database are made from these lists.

export const EXECUTION_STATUSES = [
  'pending',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

export const TASK_STATUSES = [
  'pending',
  'running',
  'waiting',
  'retrying',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const SKIP_REASONS = [
  'condition_false',
  'branch_not_taken',
  'upstream_skipped',
  'upstream_failed',
  'execution_failed',
  'terminated',
  'skipped_by_operator',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** Legal moves of an execution. */
export const EXECUTION_MOVES = {
  pending: ['running', 'paused', 'failed', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled'],
  paused: ['pending', 'running', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<ExecutionStatus, readonly ExecutionStatus[]>;

/**
 * Legal moves of a task. `running -> pending` is a release at shutdown or a take-over from a dead worker;
 * `waiting -> running` wakes a timer or collects a fan-out.
 */
export const TASK_MOVES = {
  pending: ['running', 'skipped', 'cancelled'],
  running: ['pending', 'waiting', 'retrying', 'completed', 'failed', 'skipped', 'cancelled'],
  waiting: ['running', 'completed', 'failed', 'cancelled'],
  retrying: ['running', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  skipped: [],
  cancelled: [],
} as const satisfies Record<TaskStatus, readonly TaskStatus[]>;

export type TerminalTaskStatus = 'completed' | 'failed' | 'skipped' | 'cancelled';

/** True for statuses that never change again. */
export function isTerminalTask(status: TaskStatus): status is TerminalTaskStatus {
  return TASK_MOVES[status].length === 0;
}

export type TerminalExecutionStatus = 'completed' | 'failed' | 'cancelled';

/** True for statuses that never change again. */
export function isTerminalExecution(status: ExecutionStatus): status is TerminalExecutionStatus {
  return EXECUTION_MOVES[status].length === 0;
}
