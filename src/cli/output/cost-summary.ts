// What an execution has cost, by model and by task, for people. The lines of each part add up to the execution's cost.
import { type CostLine, costsByModel, costsByTask, type Spending } from '../../core/cost/breakdown.ts';
import { isJsonObject } from '../../core/json.ts';
import { sumUsd } from '../../core/money.ts';
import type { ExecutionView, TaskView } from '../../db/executions/execution-views.ts';
import { oneLine } from '../safe-output.ts';
import { type createPainter, shorten, table } from './terminal.ts';

const MAX_LINES = 10;

/** Empty where nothing was spent. */
export function costSummary(
  execution: ExecutionView,
  spent: { readonly spendings: readonly Spending[]; readonly tasks: readonly CostedTask[] },
  paint: ReturnType<typeof createPainter>,
): string {
  const { spendings, tasks } = spent;
  if (spendings.length === 0) return '';
  const header = (what: string) =>
    [what, 'calls', 'tokens in', 'out', 'cost', ''].map((cell) => paint('bold', cell));
  const lines = table([
    [`${paint('bold', 'cost')} of ${execution.workflowId}`, '', '', '', totalOf(spendings), ''],
    header('  by model'),
    ...linesOf(costsByModel(spendings), 'no model'),
    header('  by task'),
    ...linesOf(costsByTask(spendings), 'no task'),
  ]);
  return [lines, ...unknownCosts(tasks)].join('\n');
}

/** What of a task tells why its cost is unknown. */
export type CostedTask = Pick<TaskView, 'taskId' | 'mapIndex' | 'costUsd' | 'resourceUsage'>;

/** A line for each task whose cost is unknown, with the reason. */
function unknownCosts(tasks: readonly CostedTask[]): string[] {
  const unknown = tasks.filter(({ costUsd }) => costUsd === null);
  const lines = unknown.slice(0, MAX_LINES).map(({ taskId, mapIndex, resourceUsage }) => {
    const because = isJsonObject(resourceUsage) ? resourceUsage.costUnknownBecause : undefined;
    const reason =
      typeof because === 'string' ? because : 'an attempt of it reported a cost that it does not know';
    return `  $? of ${taskId}${mapIndex === null ? '' : `[${mapIndex}]`}: ${oneLine(reason)}`;
  });
  return unknown.length > MAX_LINES ? [...lines, `  … and ${unknown.length - MAX_LINES} more`] : lines;
}

function linesOf(lines: readonly CostLine[], noName: string): string[][] {
  const shown = lines
    .slice(0, MAX_LINES)
    .map((line) => [
      `  ${shorten(line.name ?? noName, 48)}${line.isSimulated ? ' (simulated)' : ''}`,
      line.calls === 0 ? '' : String(line.calls),
      line.calls === 0 ? '' : String(line.inputTokens),
      line.calls === 0 ? '' : String(line.outputTokens),
      costText(line.costUsd, line.isUnknown),
      line.failedCostUsd === '0' ? '' : `$${line.failedCostUsd} in failed attempts`,
    ]);
  const rest = lines.slice(MAX_LINES);
  if (rest.length === 0) return shown;
  return [...shown, [`  … and ${rest.length} more`, '', '', '', totalOf(rest), '']];
}

function totalOf(amounts: readonly { readonly costUsd: string; readonly isUnknown: boolean }[]): string {
  return costText(
    sumUsd(amounts.map(({ costUsd }) => costUsd)),
    amounts.some(({ isUnknown }) => isUnknown),
  );
}

/** What is unknown comes on top. */
function costText(usd: string, isUnknown: boolean): string {
  if (!isUnknown) return `$${usd}`;
  return usd === '0' ? '$?' : `$${usd} + $?`;
}
