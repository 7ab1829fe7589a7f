// Executions of a tenant: what people see of them and do to them. They are begun by triggers/starts. `client` is in a
// transaction of the tenant's role.
import type pg from 'pg';
import type { Spending } from '../core/cost/breakdown.ts';
import { type ExecutionStatus, isTerminalExecution } from '../core/status.ts';
import { type BoundedPage, MAX_PAGE_BYTES } from '../db/connection/byte-bounded.ts';
import type { Acting } from '../db/connection/connection.ts';
import { findCosts } from '../db/executions/costs.ts';
import * as acts from '../db/executions/execution-acts.ts';
import {
  type ExecutionFilter,
  findExecutions,
  findTaskPage,
  type TaskPlace,
} from '../db/executions/execution-list.ts';
import {
  type ExecutionDetail,
  type ExecutionPart,
  type ExecutionView,
  findExecution,
  findExecutionDetail,
  findExecutionPart,
  findTasks,
  type RunView,
  type TaskView,
} from '../db/executions/execution-views.ts';
import { findOpenTasks } from '../db/executions/open-tasks.ts';
import { done, notFound, type Outcome, refused, refusedWhole } from './outcome.ts';
import { type Why, whyOpen } from './why.ts';

/** Characters; it becomes the message of the execution's error. */
export const MAX_CANCEL_REASON = 1_000;
/** Bytes of the largest part that is read by itself: more than any that the engine makes. */
const MAX_PART_BYTES = 32_000_000;
/** Unfinished tasks that one answer explains. */
export const MAX_WHY = 200;

/** An execution and where it stands. */
export interface ExecutionState {
  readonly id: string;
  readonly status: ExecutionStatus;
}

/** Newest first; fewer than asked for where they are large. */
export function listExecutions(
  client: pg.ClientBase,
  { tenantId }: Acting,
  filter: ExecutionFilter,
): Promise<BoundedPage<ExecutionView>> {
  return findExecutions(client, tenantId, filter);
}

/** One with what was asked for, as far as a page holds it; `leftOut` names what {@link showExecutionPart} gives. */
export async function showExecution(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<ExecutionDetail>> {
  const found = await findExecutionDetail(client, tenantId, id, MAX_PAGE_BYTES);
  return found === null ? unknownExecution(id) : done(found);
}

/** One part of it, whole, as JSON text. */
export async function showExecutionPart(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, part }: { readonly id: string; readonly part: ExecutionPart },
): Promise<Outcome<string>> {
  const found = await findExecutionPart(client, tenantId, { id, part, maxBytes: MAX_PART_BYTES });
  if (found === null) return unknownExecution(id);
  if (found.text !== null) return done(found.text);
  return refusedWhole(
    'payload_too_large',
    `the ${part} of the execution is more than ${MAX_PART_BYTES} bytes; read it from the database`,
  );
}

/** One with all of its tasks, and what each has spent. */
export async function showRun(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<{ readonly run: RunView; readonly spendings: readonly Spending[] }>> {
  const execution = await findExecution(client, tenantId, id);
  if (execution === null) return unknownExecution(id);
  const tasks = await findTasks(client, tenantId, id);
  return done({ run: { ...execution, tasks }, spendings: await findCosts(client, tenantId, id) });
}

/** In the order of the definition, items after their fan-out; fewer than asked for where they are large. */
export async function listTasks(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, ...page }: { readonly id: string; readonly limit: number; readonly after: TaskPlace | null },
): Promise<Outcome<BoundedPage<TaskView & { readonly position: number }>>> {
  const found = await findTaskPage(client, tenantId, id, page);
  // One that is not opened yet has no tasks.
  if (found.rows.length === 0 && (await findExecution(client, tenantId, id)) === null)
    return unknownExecution(id);
  return done(found);
}

/** What each of its unfinished tasks waits for; those that could go on first. */
export async function explainExecution(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<Why>> {
  const found = await findOpenTasks(client, tenantId, id, MAX_WHY + 1);
  return found === null ? unknownExecution(id) : done(whyOpen(found.execution, found.tasks, MAX_WHY));
}

/** Nothing of it starts any more. One that is cancelled already stays so. */
export async function cancelExecution(
  client: pg.ClientBase,
  _acting: Acting,
  { id, reason }: { readonly id: string; readonly reason?: string | undefined },
): Promise<Outcome<ExecutionState>> {
  return judge(id, await acts.cancelExecution(client, id, reason ?? null), ['cancelled']);
}

/** What runs may end; nothing else begins. */
export async function pauseExecution(
  client: pg.ClientBase,
  _acting: Acting,
  { id }: { readonly id: string },
): Promise<Outcome<ExecutionState>> {
  return judge(id, await acts.pauseExecution(client, id), ['paused']);
}

/** One that is not paused stays as it is. */
export async function resumeExecution(
  client: pg.ClientBase,
  _acting: Acting,
  { id }: { readonly id: string },
): Promise<Outcome<ExecutionState>> {
  return judge(id, await acts.resumeExecution(client, id), ['running', 'pending']);
}

export const unknownExecution = (id: string) => notFound('execution', `there is no execution ${id}`);

// Done where it has come to a wanted status, also if it had it before; another is that of one that had ended.
function judge(
  id: string,
  status: ExecutionStatus | null,
  wanted: readonly ExecutionStatus[],
): Outcome<ExecutionState> {
  if (status === null) return unknownExecution(id);
  if (wanted.includes(status)) return done({ id, status });
  return refused(
    'already_ended',
    {
      pointer: '/status',
      code: isTerminalExecution(status) ? status : 'already_ended',
      message: `it is ${status}`,
    },
    `the execution had already ended: ${status}`,
  );
}
