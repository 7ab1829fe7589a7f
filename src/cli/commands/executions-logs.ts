// dagwright executions logs: what an execution's tasks logged and what the engine noted, in the order of time.

import { LOG_LINE_LEVELS, type LogLineLevel } from '../../core/log-lines.ts';
import { findLoggedExecution, findLogLines, type LogLineView } from '../../db/executions/execution-logs.ts';
import type { CommandContext } from '../context.ts';
import { abortOnSignal } from '../io.ts';
import { followLogs } from '../output/follow-logs.ts';
import { harmlessText } from '../output/log.ts';
import type { Colour } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import { requireId } from './executions.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly task?: string;
  readonly level?: LogLineLevel;
  readonly limit: number;
  readonly cursor?: string;
}

/** One page, `{ items, nextCursor }` with --json; with --follow all lines until the execution has ended, one object a line. */
export async function showLogs(context: CommandContext, options: LogsOptions, id: string): Promise<number> {
  requireId(id);
  const { task, level, cursor } = options;
  if (level !== undefined && !LOG_LINE_LEVELS.includes(level))
    throw refuse('usage', `--level must be one of ${LOG_LINE_LEVELS.join(', ')}`);
  if (cursor !== undefined) requireId(cursor);
  return await context.withSystem(async ({ database, tenantId }) => {
    const read = (after: string | undefined, limit: number) =>
      findLogLines(database, tenantId, id, { after, limit, taskId: task, level });
    const execution = () => findLoggedExecution(database, tenantId, id, task);
    const found = await execution();
    if (found === null) throw refuse('not_found', `there is no execution ${id}`);
    if (!found.hasTask && found.status !== 'pending')
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
    if (options.follow === true)
      await followLogs({ read, execution, print, stop: whenUnwanted(context), after: cursor });
    else showPage(context, await read(cursor, options.limit + 1), options.limit);
    return 0;
  });
}

function showPage(context: CommandContext, found: readonly LogLineView[], limit: number): void {
  const items = found.slice(0, limit);
  const nextCursor = found.length > limit ? items.at(-1)!.id : null;
  context.printJson({ items, nextCursor });
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
  const rest = fields === null ? '' : ` ${paint('gray', harmlessText(JSON.stringify(fields)))}`;
  return `${paint('gray', at)} ${name}${task} ${harmlessText(message)}${rest}`;
}

// Ctrl-C, or nobody reads any more (`| head`): the command ends in order.
function whenUnwanted({ io }: CommandContext): AbortSignal {
  const { stop } = abortOnSignal(io);
  io.onReaderGone(() => stop.abort());
  return stop.signal;
}
