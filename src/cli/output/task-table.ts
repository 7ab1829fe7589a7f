// The table of an execution's tasks: status, attempt, duration and cost; items of a fan-out are summed up in its line.
import { isTerminalExecution, type TaskStatus } from '../../core/status.ts';
import type { ExecutionView, TaskView } from '../../db/executions/execution-views.ts';
import { indented } from '../safe-output.ts';
import { type Colour, type createPainter, formatDuration, formatUsd, shorten, table } from './terminal.ts';

const COLOURS: Record<TaskStatus, Colour> = {
  pending: 'gray',
  running: 'cyan',
  waiting: 'yellow',
  retrying: 'yellow',
  completed: 'green',
  failed: 'red',
  skipped: 'gray',
  cancelled: 'yellow',
};
const MARKS: Record<TaskStatus, string> = {
  pending: '·',
  running: '▶',
  waiting: '…',
  retrying: '↻',
  completed: '✔',
  failed: '✘',
  skipped: '–',
  cancelled: '■',
};

type Paint = ReturnType<typeof createPainter>;

/** One line per task; `limit` keeps the table on a screen. */
export function taskTable(tasks: readonly TaskView[], paint: Paint, limit = 60): string {
  const own = tasks.filter(({ mapIndex }) => mapIndex === null);
  const rows = own.slice(0, limit).map((task) => {
    const items = tasks.filter((other) => other.taskId === task.taskId && other.mapIndex !== null);
    return [
      `${paint(COLOURS[task.status], MARKS[task.status])} ${shorten(task.taskId, 32)}`,
      task.taskType,
      paint(COLOURS[task.status], task.status) +
        (task.reason === null ? '' : paint('gray', ` (${task.reason})`)),
      task.attempt > 1 ? `attempt ${task.attempt}` : '',
      formatDuration(task.durationMs),
      costOf(task, items),
      noteOf(task, items),
    ];
  });
  const header = ['  task', 'type', 'status', 'attempt', 'duration', 'cost', ''].map((cell) =>
    paint('bold', cell),
  );
  const more = own.length > limit ? `\n  … and ${own.length - limit} more` : '';
  return table([header, ...rows]) + more;
}

function costOf(task: TaskView, items: readonly TaskView[]): string {
  const all = [task, ...items];
  if (all.some(({ costUsd }) => costUsd === null)) return '$?';
  const spent = all.filter(({ costUsd }) => Number(costUsd) !== 0);
  if (spent.length === 0) return '';
  return spent.length === 1
    ? formatUsd(spent[0]!.costUsd)
    : `${spent.length} × ${formatUsd(spent[0]!.costUsd)}`;
}

function noteOf(task: TaskView, items: readonly TaskView[]): string {
  if (task.error !== null) return shorten(`${task.error.code}: ${task.error.message}`, 70);
  if (items.length === 0) return '';
  const ended = items.filter(({ status }) => status === 'completed').length;
  const retried = items.filter(({ attempt }) => attempt > 1).length;
  return `${ended} of ${items.length} items${retried > 0 ? `, ${retried} retried` : ''}`;
}

/** What it has cost; of one that goes on, until now. */
export function spentOf({ status, costUsd }: Pick<ExecutionView, 'status' | 'costUsd'>): string {
  return isTerminalExecution(status) ? formatUsd(costUsd) : `${formatUsd(costUsd)} so far`;
}

// Of one that goes on, since when it runs; by the clock of this machine.
function timeOf({ status, durationMs, startedAt, createdAt }: ExecutionView): string {
  if (isTerminalExecution(status)) return durationMs === null ? '' : ` in ${formatDuration(durationMs)}`;
  const sinceMs = Math.max(0, Date.now() - Date.parse(startedAt ?? createdAt));
  return ` for ${formatDuration(sinceMs)}${startedAt === null ? ', not begun' : ''}`;
}

/** The last lines: status, duration, cost, output or error. */
export function executionSummary(execution: ExecutionView, paint: Paint): string {
  const { status, error } = execution;
  const colour: Colour = status === 'completed' ? 'green' : status === 'failed' ? 'red' : 'yellow';
  const lines = [
    `${paint(colour, status)}${execution.completedWithErrors ? paint('yellow', ' with errors') : ''}` +
      `${timeOf(execution)}, cost ${spentOf(execution)}` +
      paint('gray', `   ${execution.workflowId} revision ${execution.revision}, execution ${execution.id}`),
  ];
  if (error !== null) {
    const where = error.taskId === undefined ? '' : ` in task "${error.taskId}"`;
    lines.push(indented(`${paint('red', error.code)}${where}: ${error.message}`));
  }
  if (execution.output !== null) lines.push(shorten(JSON.stringify(execution.output, null, 2), 4000));
  return lines.join('\n');
}
