// Watches an execution to its end and shows what happens: a table that is repainted on a terminal, else a line for each task that ends.
import { setTimeout as delay } from 'node:timers/promises';
import { isTerminalExecution } from '../core/status.ts';
import {
  type ExecutionView,
  findExecution,
  findTasks,
  type TaskView,
} from '../db/executions/execution-views.ts';
import { cancelExecution } from '../resources/executions.ts';
import { CLI_ACTOR } from './actor.ts';
import type { Io, Output } from './io.ts';
import { taskTable } from './output/task-table.ts';
import type { createPainter } from './output/terminal.ts';
import { oneLine, ownSequence } from './safe-output.ts';
import type { System } from './system.ts';

export interface WatchOptions {
  readonly io: Io;
  readonly system: System;
  /** Repaints a table while it runs; null: a line per task that ends. */
  readonly live: Output | null;
  readonly print: (line: string) => void;
  readonly paint: ReturnType<typeof createPainter>;
  /** Looks again at once. */
  readonly sooner?: AbortSignal;
  /** Called with what each look finds while it runs; text to show beneath, or null. */
  readonly onLook?: (tasks: readonly TaskView[]) => Promise<string | null>;
  /** Between two looks; the usual where absent. */
  readonly everyMs?: number;
}

const REPAINT_MS = 150;
const POLL_MS = 500;

/** For `print`: no progress. */
export const ignore = (): void => {};

/** The execution and its tasks when it has ended. Ctrl-C cancels it; a second one leaves it for another worker. */
export async function watchToEnd(
  id: string,
  options: WatchOptions,
): Promise<{ execution: ExecutionView; tasks: TaskView[] }> {
  const { io, system, onLook } = options;
  const { database, tenantId } = system;
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) io.exit(130);
    stop.abort();
  };
  const stopListening = io.onSignal(interrupt);
  const sooner = AbortSignal.any([stop.signal, ...(options.sooner === undefined ? [] : [options.sooner])]);
  const screen = new Screen(options);
  try {
    for (let isCancelling = false; ; ) {
      const execution = await database.withTenant(tenantId, (client) => findExecution(client, tenantId, id));
      if (execution === null) throw new Error(`execution ${id} is gone`);
      const isOver = isTerminalExecution(execution.status);
      if (isOver || options.live !== null || options.print !== ignore || onLook !== undefined) {
        const tasks = await database.withTenant(tenantId, (client) => findTasks(client, tenantId, id));
        screen.show(execution, tasks, isOver);
        if (isOver) return { execution, tasks };
        const beneath = await onLook?.(tasks);
        if (beneath !== null && beneath !== undefined) screen.say(beneath);
      }
      if (stop.signal.aborted && !isCancelling) {
        isCancelling = true;
        const acting = { tenantId, ...CLI_ACTOR };
        await database.withTenant(acting, (client) =>
          cancelExecution(client, acting, { id, reason: 'interrupted' }),
        );
        continue;
      }
      const pause = options.everyMs ?? (options.live === null ? POLL_MS : REPAINT_MS);
      // Aborted, it leaves no timer behind: one would keep the process after the result.
      await delay(pause, undefined, { signal: sooner }).catch(() => {});
    }
  } finally {
    stopListening();
  }
}

class Screen {
  readonly #options: WatchOptions;
  #lines = 0;
  readonly #printed = new Set<string>();
  constructor(options: WatchOptions) {
    this.#options = options;
  }

  show(execution: ExecutionView, tasks: readonly TaskView[], isLast: boolean): void {
    const { live, paint } = this.#options;
    if (live === null) {
      this.#printChanges(tasks);
      return;
    }
    if (tasks.length === 0 && !isLast) return;
    const room = Math.max(5, (live.rows ?? 24) - 4);
    const text = taskTable(tasks, paint, isLast ? 200 : room);
    const clear = this.#lines > 0 ? `${ownSequence(this.#lines, 'A')}${ownSequence(0, 'J')}` : '';
    live.write(`${clear}${text}\n`);
    this.#lines = text.split('\n').length;
    if (isLast && execution.status !== 'completed') live.write('\n');
  }

  /** Beneath the table, which begins anew under it. */
  say(text: string): void {
    const { live, print } = this.#options;
    if (live === null) print(text);
    else live.write(`${text}\n`);
    this.#lines = 0;
  }

  #printChanges(tasks: readonly TaskView[]): void {
    for (const task of inOrderOfEnd(tasks)) {
      const key = `${task.taskId}/${task.mapIndex}/${task.status}/${task.attempt}`;
      if (task.status === 'pending' || task.status === 'running' || this.#printed.has(key)) continue;
      this.#printed.add(key);
      const index = task.mapIndex === null ? '' : `[${task.mapIndex}]`;
      const reason = task.reason === null ? '' : ` (${task.reason})`;
      const error = task.error === null ? '' : `  ${task.error.code}: ${task.error.message}`;
      this.#options.print(oneLine(`${task.status.padEnd(9)} ${task.taskId}${index}${reason}${error}`));
    }
  }
}

/** By the time they ended, open ones last; the items of a fan-out before the fan-out itself. */
export function inOrderOfEnd<T extends Pick<TaskView, 'completedAt' | 'mapIndex'>>(tasks: readonly T[]): T[] {
  const endMs = ({ completedAt }: T) =>
    completedAt === null ? Number.POSITIVE_INFINITY : Date.parse(completedAt);
  // Of two that are open the difference is NaN, which counts as none.
  return [...tasks].sort((a, b) => endMs(a) - endMs(b) || (b.mapIndex ?? -1) - (a.mapIndex ?? -1));
}
