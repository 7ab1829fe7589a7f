// dagwright executions: list, show, why, logs, signal, cancel, pause, resume.
import type pg from 'pg';
import { isUuid } from '../../../core/id.ts';
import { EXECUTION_STATUSES, type ExecutionStatus } from '../../../core/status.ts';
import type { Acting } from '../../../db/connection/connection.ts';
import {
  cancelExecution,
  type ExecutionState,
  explainExecution,
  listExecutions,
  MAX_CANCEL_REASON,
  MAX_WHY,
  pauseExecution,
  resumeExecution,
  showRun,
} from '../../../resources/executions.ts';
import type { Outcome } from '../../../resources/outcome.ts';
import { action } from '../../action.ts';
import { at } from '../../at.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { choice, paged, textWithin } from '../../input/arguments.ts';
import { printedPage } from '../../input/lists.ts';
import { costSummary } from '../../output/cost-summary.ts';
import { executionSummary, spentOf, taskTable } from '../../output/task-table.ts';
import { formatDuration, table } from '../../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../../refusal.ts';
import { oneLine } from '../../safe-output.ts';
import { requireId } from './execution-id.ts';
import { addLogsCommand } from './logs.ts';
import { addSignalCommand } from './signal.ts';

export function defineCommand(executions: Command): void {
  paged(
    command(executions, 'list', 'newest first')
      .addOption(choice('--status <status>', 'only these', EXECUTION_STATUSES))
      .option('--workflow <workflowId>'),
  ).action(action(listAll));
  command(executions, 'show', 'one execution with its tasks').argument('<id>').action(action(showOne));
  command(executions, 'why', 'what each of its unfinished tasks waits for')
    .argument('<id>')
    .action(action(whyOne));
  addLogsCommand(executions);
  addSignalCommand(executions);
  command(executions, 'cancel', 'end an execution; nothing of it starts again')
    .argument('<id>')
    .option('--reason <text>', '', textWithin({ minLength: 0, maxLength: MAX_CANCEL_REASON }))
    .action(action(cancelOne));
  command(executions, 'pause', 'what runs may end, nothing else begins; timers and the deadline stand still')
    .argument('<id>')
    .action(action(pauseOne));
  command(executions, 'resume', 'let a paused execution go on').argument('<id>').action(action(resumeOne));
}

interface ListOptions {
  readonly status?: ExecutionStatus;
  readonly workflow?: string;
  readonly limit: number;
  readonly cursor?: string;
}

async function listAll(context: CommandContext, options: ListOptions): Promise<number> {
  const { status, workflow: workflowId, limit, cursor: before } = options;
  if (before !== undefined && !isUuid(before)) throw refuse('usage', '--cursor is not one that a list gave');
  return await context.withTenant(async (client, acting) => {
    const found = await at(listExecutions)(client, acting, { limit, status, workflowId, before });
    const page = printedPage(found, ({ id }) => id);
    const { items, nextCursor } = page;
    context.printJson(page);
    const rows = items.map((item) => [
      item.id,
      item.workflowId,
      item.status,
      item.triggerType,
      item.createdAt,
      formatDuration(item.durationMs),
      spentOf(item),
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

async function showOne(context: CommandContext, _options: object, id: string): Promise<number> {
  requireId(id);
  return await context.withTenant(async (client, acting) => {
    const { run, spendings } = outcomeToRefusal(await at(showRun)(client, acting, id));
    context.printJson(run);
    const costs = costSummary(run, { spendings, tasks: run.tasks }, context.paint);
    context.say(
      [taskTable(run.tasks, context.paint, 200), costs, executionSummary(run, context.paint)]
        .filter((part) => part !== '')
        .join('\n\n'),
    );
    return 0;
  });
}

async function whyOne(context: CommandContext, _options: object, id: string): Promise<number> {
  requireId(id);
  return await context.withTenant(async (client, acting) => {
    const why = outcomeToRefusal(await at(explainExecution)(client, acting, id));
    context.printJson(why);
    const lines = why.items.map(({ message }) => oneLine(message));
    if (!why.isComplete) lines.push(`… and more than ${MAX_WHY} tasks`);
    context.say(lines.length === 0 ? `${id} is ${why.status}` : lines.join('\n'));
    return 0;
  });
}

async function cancelOne(
  context: CommandContext,
  { reason }: { readonly reason?: string },
  id: string,
): Promise<number> {
  return await act(context, id, (client, acting) => at(cancelExecution)(client, acting, { id, reason }));
}

async function pauseOne(context: CommandContext, _options: unknown, id: string): Promise<number> {
  return await act(context, id, (client, acting) => at(pauseExecution)(client, acting, { id }));
}

async function resumeOne(context: CommandContext, _options: unknown, id: string): Promise<number> {
  return await act(context, id, (client, acting) => at(resumeExecution)(client, acting, { id }));
}

async function act(
  context: CommandContext,
  id: string,
  change: (client: pg.ClientBase, acting: Acting) => Promise<Outcome<ExecutionState>>,
): Promise<number> {
  requireId(id);
  return await context.withTenant(async (client, acting) => {
    const outcome = await change(client, acting);
    if (!outcome.ok && outcome.code === 'already_ended')
      throw refuse(outcome.code, outcome.message, `dagwright executions show ${id}`);
    const { status } = outcomeToRefusal(outcome);
    context.printJson({ id, status });
    context.say(`${id} is ${status}`);
    return 0;
  });
}
