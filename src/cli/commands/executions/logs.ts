// dagwright executions logs: what an execution's tasks logged and what the engine noted, in the order of time.

import { LOG_LINE_LEVELS, type LogLineLevel } from '../../../core/log-lines.ts';
import type { BoundedPage } from '../../../db/connection/byte-bounded.ts';
import type { LogLineView } from '../../../db/executions/execution-logs.ts';
import { listLogLines, showLogged } from '../../../resources/execution-log.ts';
import { action } from '../../action.ts';
import { CLI_ACTOR } from '../../actor.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { wholeNumber } from '../../input/arguments.ts';
import { printedPage } from '../../input/lists.ts';
import { abortOnSignal } from '../../io.ts';
import { followLogs } from '../../output/follow-logs.ts';
import type { Colour } from '../../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../../refusal.ts';
import { oneLine } from '../../safe-output.ts';
import { requireId } from './execution-id.ts';

export function addLogsCommand(executions: Command): void {
  command(executions, 'logs', 'what its tasks logged, in the order of time')
    .argument('<id>')
    .option('--follow', 'go on until it has ended; with --json one object a line')
    .option('--task <taskId>')
    .option('--level <level>', 'this level and above: debug, info, warn, error')
    .option('--limit <n>', 'without --follow, at most 10000', wholeNumber(1, 10_000), 1_000)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(showLogs));
}

interface LogsOptions {
  readonly follow?: boolean;
  readonly task?: string;
  readonly level?: LogLineLevel;
  readonly limit: number;
  readonly cursor?: string;
}

/** One page, `{ items, nextCursor }` with --json; with --follow all lines until the execution has ended, one object a line. */
async function showLogs(context: CommandContext, options: LogsOptions, id: string): Promise<number> {
  requireId(id);
  const { task, level, cursor } = options;
  if (level !== undefined && !LOG_LINE_LEVELS.includes(level))
    throw refuse('usage', `--level must be one of ${LOG_LINE_LEVELS.join(', ')}`);
  if (cursor !== undefined) requireId(cursor);
  return await context.withSystem(async ({ database, tenantId }) => {
    const acting = { tenantId, ...CLI_ACTOR };
    // Each page in a transaction of its own: it may be followed for hours.
    const read = (after: string | undefined, limit: number) =>
      database.withTenant(acting, (client) =>
        listLogLines(client, acting, { id, after, limit, taskId: task, level }),
      );
    const execution = () =>
      database.withTenant(acting, (client) => showLogged(client, acting, { id, taskId: task }));
    const { hasTask, status } = outcomeToRefusal(await execution());
    if (!hasTask && status !== 'pending')
      throw refuse(
        'not_found',
        `execution ${id} has no task "${task}"`,
        `dagwright executions show ${id}`,
        '--task',
      );
    const print = (line: LogLineView) => {
      context.printJson(line);
      context.say(textOf(line, context.paint));
    };
    if (options.follow === true) {
      const { signal: stop, done } = whenUnwanted(context);
      await followLogs({
        read: async (after, limit) => (await read(after, limit)).rows,
        execution: async () => {
          const found = await execution();
          return found.ok ? found.value : null;
        },
        ...{ print, stop, after: cursor },
      }).finally(done);
    } else showPage(context, await read(cursor, options.limit));
    return 0;
  });
}

function showPage(context: CommandContext, found: BoundedPage<LogLineView>): void {
  const page = printedPage(found, ({ id }) => id);
  const { items, nextCursor } = page;
  context.printJson(page);
  context.say(
    items.length === 0 ? 'no log lines' : items.map((line) => textOf(line, context.paint)).join('\n'),
  );
  if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
}

const COLOURS: { readonly [level in LogLineLevel]: Colour | null } = {
  debug: 'gray',
  info: null,
  warn: 'yellow',
  error: 'red',
};

// What tasks log comes from anywhere: nothing of it may act upon the terminal.
function textOf(line: LogLineView, paint: CommandContext['paint']): string {
  const { at, level, taskId, mapIndex, attempt, message, fields } = line;
  const colour = COLOURS[level];
  const name = colour === null ? level.padEnd(5) : paint(colour, level.padEnd(5));
  const index = mapIndex === null ? '' : `[${mapIndex}]`;
  const again = attempt === null || attempt === 1 ? '' : ` #${attempt}`;
  const task = taskId === null ? '' : ` ${paint('cyan', `${taskId}${index}${again}`)}`;
  const rest = fields === null ? '' : ` ${paint('gray', JSON.stringify(fields))}`;
  return oneLine(`${paint('gray', at)} ${name}${task} ${message}${rest}`);
}

// Ctrl-C, or nobody reads any more (`| head`): the command ends in order.
function whenUnwanted({ io }: CommandContext) {
  const { stop, done } = abortOnSignal(io);
  io.onReaderGone(() => stop.abort());
  return { signal: stop.signal, done };
}
