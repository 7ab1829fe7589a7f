// Why an execution is not over: what each of its unfinished tasks waits for, from their rows.
import type { HeldBy } from '../core/errors.ts';
import type { TaskStatus } from '../core/status.ts';
import { type ShownWait, shownWait, WAITS, type WaitFacts } from '../core/wait.ts';
import type { OpenExecution, OpenTask } from '../db/executions/open-tasks.ts';

/** What a task waits for. Instants are ISO. */
export type WaitsFor =
  | {
      readonly kind: 'parents';
      readonly parents: readonly { readonly taskId: string; readonly status: TaskStatus }[];
      readonly count: number;
    }
  | (ShownWait & { readonly heldBy?: HeldBy })
  | {
      readonly kind: 'retry';
      readonly until: string;
      readonly attempt: number;
      readonly lastError: { readonly code: string; readonly message: string } | null;
    }
  | { readonly kind: 'task_type'; readonly since: string; readonly types: readonly string[] }
  | { readonly kind: 'queue'; readonly since: string; readonly maxRunningTasks: number | null }
  | {
      readonly kind: 'worker';
      readonly workerId: string;
      readonly since: string | null;
      readonly attempt: number;
    }
  | { readonly kind: 'resume'; readonly since: string | null }
  | { readonly kind: 'run_at'; readonly until: string }
  | { readonly kind: 'open'; readonly since: string; readonly maxRunningTasks: number | null }
  | { readonly kind: 'conclusion' };

export interface WhyItem {
  /** Null: the execution itself. */
  readonly taskId: string | null;
  readonly mapIndex: number | null;
  readonly status: string;
  readonly waitsFor: WaitsFor;
  readonly message: string;
}

export interface Why {
  readonly status: string;
  readonly items: readonly WhyItem[];
  /** Tasks that are not over, where there are more than items. */
  readonly isComplete: boolean;
}

/** `tasks`: up to `limit` + 1 of them. */
export function whyOpen(execution: OpenExecution, tasks: readonly OpenTask[], limit: number): Why {
  const { status } = execution;
  const items: WhyItem[] = [];
  const whole = waitOfExecution(execution, tasks.length);
  if (whole !== null)
    items.push({
      taskId: null,
      mapIndex: null,
      status,
      waitsFor: whole,
      message: sentence('the execution', whole),
    });
  for (const task of tasks.slice(0, limit)) {
    const waitsFor = waitOf(task, execution);
    const name = task.mapIndex === null ? task.taskId : `${task.taskId}[${task.mapIndex}]`;
    items.push({
      taskId: task.taskId,
      mapIndex: task.mapIndex,
      status: task.status,
      waitsFor,
      message: sentence(name, waitsFor),
    });
  }
  return { status, items, isComplete: tasks.length <= limit };
}

function waitOfExecution(
  { status, runAt, pausedAt, createdAt, maxRunningTasks }: OpenExecution,
  open: number,
): WaitsFor | null {
  if (status === 'paused') return { kind: 'resume', since: pausedAt };
  if (status === 'pending')
    return runAt === null
      ? { kind: 'open', since: createdAt, maxRunningTasks }
      : { kind: 'run_at', until: runAt };
  return status === 'running' && open === 0 ? { kind: 'conclusion' } : null;
}

function waitOf(task: OpenTask, execution: OpenExecution): WaitsFor {
  const { status, waitingOn, wakeAt, readyAt, missingTypes } = task;
  if (status === 'running')
    return { kind: 'worker', workerId: task.workerId ?? '', since: task.startedAt, attempt: task.attempt };
  if (readyAt !== null && execution.status !== 'paused' && missingTypes.length > 0)
    return { kind: 'task_type', since: readyAt, types: missingTypes };
  if (readyAt !== null)
    return execution.status === 'paused'
      ? { kind: 'resume', since: execution.pausedAt }
      : { kind: 'queue', since: readyAt, maxRunningTasks: execution.maxRunningTasks };
  if (status === 'waiting' && waitingOn !== null) {
    const { heldBy } = task;
    return {
      ...shownWait(waitingOn, factsOf(task)),
      ...(waitingOn === 'timer' && heldBy !== null && { heldBy }),
    };
  }
  // A round that has not begun waits for its time.
  if (status === 'retrying' && task.attempt === 0) return shownWait('timer', factsOf(task));
  if (status === 'retrying' && wakeAt !== null) {
    const { error } = task;
    const lastError = error === null ? null : { code: error.code, message: error.message };
    return { kind: 'retry', until: wakeAt, attempt: task.attempt, lastError };
  }
  return { kind: 'parents', parents: task.openParents, count: task.pendingEdges };
}

const NO_FACTS: WaitFacts = {
  until: null,
  total: null,
  open: null,
  completed: null,
  failed: null,
  signals: null,
  review: null,
};

function factsOf({ wakeAt, items, signals, review }: OpenTask): WaitFacts {
  if (review !== null) return { ...NO_FACTS, review: review.id, until: review.dueAt };
  if (items === null) return { ...NO_FACTS, until: wakeAt, signals };
  const { total, open, ok, failed } = items;
  return { ...NO_FACTS, until: wakeAt, total, open, completed: ok, failed };
}

const MAX_NAMES = 5;

const withinLimit = ({ maxRunningTasks }: { readonly maxRunningTasks: number | null }) =>
  maxRunningTasks === null ? '' : `; its tenant may run ${maxRunningTasks} task(s) at once`;

function typesText(types: readonly string[]): string {
  const names = types.map((type) => `"${type}"`).join(', ');
  return types.length === 1
    ? `the task type ${names}: no live worker has it; start one whose DAGWRIGHT_TASKS does`
    : `the task types ${names}: no live worker has them all; start one whose DAGWRIGHT_TASKS does`;
}

function sentence(name: string, wait: WaitsFor): string {
  switch (wait.kind) {
    case 'parents': {
      const names = wait.parents.slice(0, MAX_NAMES).map(({ taskId, status }) => `${taskId} (${status})`);
      const rest = wait.parents.length > MAX_NAMES ? ` and ${wait.parents.length - MAX_NAMES} more` : '';
      return names.length === 0
        ? `${name} waits for ${wait.count} more parent(s)`
        : `${name} waits for ${names.join(', ')}${rest}`;
    }
    case 'retry': {
      const why = wait.lastError === null ? '' : ` after ${wait.lastError.code}: ${wait.lastError.message}`;
      return `${name} is tried again at ${wait.until}, attempt ${wait.attempt} ended${why}`;
    }
    case 'task_type':
      return `${name} is ready since ${wait.since} and waits for a worker with ${typesText(wait.types)}`;
    case 'queue':
      return `${name} is ready since ${wait.since} and waits for a worker${withinLimit(wait)}`;
    case 'worker':
      return `${name} runs on worker ${wait.workerId}${wait.since === null ? '' : ` since ${wait.since}`}, attempt ${wait.attempt}`;
    case 'resume':
      return `${name} waits to be resumed${wait.since === null ? '' : `, paused since ${wait.since}`}`;
    case 'run_at':
      return `${name} begins at ${wait.until}`;
    case 'open':
      return `${name} is queued since ${wait.since} and waits for a worker${withinLimit(wait)}`;
    case 'conclusion':
      return `${name} has no open task and is being concluded`;
    default: {
      const held = wait.heldBy === undefined ? '' : `: ${HELD[wait.heldBy.by](wait.heldBy.service)}`;
      return `${name} ${WAITS[wait.kind].sentence({ ...NO_FACTS, ...wait })}${held}`;
    }
  }
}

const HELD: Readonly<Record<HeldBy['by'], (service: string) => string>> = {
  breaker: (service) => `the circuit breaker of service "${service}" is open, as it failed too often`,
  pause: (service) => `service "${service}" asked for a pause`,
  limit: (service) => `service "${service}" has as many calls as its limits allow`,
};
