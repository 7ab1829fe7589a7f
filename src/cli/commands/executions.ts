// dagwright executions: list, show, why, cancel, pause, resume.
import type { ExecutionStatus } from '../../core/status.ts';
import { findCosts } from '../../db/executions/costs.ts';
import { listExecutions } from '../../db/executions/execution-list.ts';
import {
  cancelExecution,
  findExecution,
  findTasks,
  pauseExecution,
  type RunView,
  resumeExecution,
} from '../../db/executions/executions.ts';
import { findOpenTasks } from '../../db/executions/open-tasks.ts';
import { whyOpen } from '../../resources/why.ts';
import type { CommandContext } from '../context.ts';
import { costSummary } from '../output/cost-summary.ts';
import { executionSummary, taskTable } from '../output/task-table.ts';
import { formatDuration, formatUsd, table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import type { System } from '../system.ts';

const MAX_WHY = 200;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface ListOptions {
  readonly status?: ExecutionStatus;
  readonly workflow?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export async function listAll(context: CommandContext, options: ListOptions): Promise<number> {
  if (options.cursor !== undefined && !UUID.test(options.cursor))
    throw refuse('usage', '--cursor is not one that a list gave');
  return await context.withSystem(async ({ database, tenantId }) => {
    const { rows: items, hasMore } = await listExecutions(database, tenantId, {
      limit: options.limit,
      status: options.status,
      workflowId: options.workflow,
      before: options.cursor,
    });
    const nextCursor = hasMore ? items.at(-1)!.id : null;
    context.printJson({ items, nextCursor });
    const rows = items.map((item) => [
      item.id,
      item.workflowId,
      item.status,
      item.triggerType,
      item.createdAt,
      formatDuration(item.durationMs),
      formatUsd(item.costUsd),
      item.error?.code ?? '',
    ]);
    const header = ['id', 'workflow', 'status', 'started by', 'created', 'duration', 'cost', 'error'].map(
      (cell) => context.paint('bold', cell),
    );
    context.say(items.length === 0 ? 'no executions' : table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

export async function showOne(context: CommandContext, _options: object, id: string): Promise<number> {
  requireId(id);
  return await context.withSystem(async ({ database, tenantId }) => {
    const execution = await findExecution(database, tenantId, id);
    if (execution === null) throw refuse('not_found', `there is no execution ${id}`);
    const tasks = await findTasks(database, tenantId, id);
    context.printJson({ ...execution, tasks } satisfies RunView);
    const costs = costSummary(execution, await findCosts(database, tenantId, id), context.paint);
    context.say(
      [taskTable(tasks, context.paint, 200), costs, executionSummary(execution, context.paint)]
        .filter((part) => part !== '')
        .join('\n\n'),
    );
    return 0;
  });
}

export async function whyOne(context: CommandContext, _options: object, id: string): Promise<number> {
  requireId(id);
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await findOpenTasks(database, { tenantId, actor: 'cli' }, id.toLowerCase(), MAX_WHY + 1);
    if (found === null) throw refuse('not_found', `there is no execution ${id}`);
    const why = whyOpen(found.execution, found.tasks, MAX_WHY);
    context.printJson(why);
    const lines = why.items.map(({ message }) => message);
    if (!why.isComplete) lines.push(`… and more than ${MAX_WHY} tasks`);
    context.say(lines.length === 0 ? `${id} is ${why.status}` : lines.join('\n'));
    return 0;
  });
}

export async function cancelOne(
  context: CommandContext,
  options: { readonly reason?: string },
  id: string,
): Promise<number> {
  return await act(context, id, ['cancelled'], ({ database, tenantId }) =>
    cancelExecution(database, { tenantId, actor: 'cli' }, id, options.reason),
  );
}

export async function pauseOne(context: CommandContext, _options: unknown, id: string): Promise<number> {
  return await act(context, id, ['paused'], ({ database, tenantId }) =>
    pauseExecution(database, { tenantId, actor: 'cli' }, id),
  );
}

export async function resumeOne(context: CommandContext, _options: unknown, id: string): Promise<number> {
  return await act(context, id, ['running', 'pending'], ({ database, tenantId }) =>
    resumeExecution(database, { tenantId, actor: 'cli' }, id),
  );
}

// Done where the execution has come to a wanted status, also if it had it before; one that had ended is refused.
async function act(
  context: CommandContext,
  id: string,
  wanted: readonly ExecutionStatus[],
  change: (system: System) => Promise<ExecutionStatus | null>,
): Promise<number> {
  requireId(id);
  return await context.withSystem(async (system) => {
    const status = await change(system);
    if (status === null) throw refuse('not_found', `there is no execution ${id}`);
    if (!wanted.includes(status))
      throw refuse(
        'already_ended',
        `execution ${id} had already ended: ${status}`,
        `dagwright executions show ${id}`,
      );
    context.printJson({ id, status });
    context.say(`${id} is ${status}`);
    return 0;
  });
}

/** Refuses what cannot be an id. */
export function requireId(id: string): void {
  if (!UUID.test(id)) throw refuse('usage', `"${id}" is not an execution id`, 'dagwright executions list');
}
