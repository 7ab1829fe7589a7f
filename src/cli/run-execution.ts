// Starts an execution, works until it is terminal, and shows what happens: the heart of `run` and `demo`.
import { setTimeout as delay } from 'node:timers/promises';
import { isTerminalExecution } from '../core/status.ts';
import {
  cancelExecution,
  type ExecutionView,
  findExecution,
  findTasks,
  type TaskView,
} from '../db/executions.ts';
import type { TaskLog } from '../tasks/task-type.ts';
import { createStarts, type StartOf } from '../triggers/starts.ts';
import { Refusal } from './refusal.ts';
import type { System } from './system.ts';
import { taskTable } from './task-table.ts';
import type { createPainter } from './terminal.ts';

export interface RunOptions {
  readonly system: System;
  readonly request: StartOf;
  /** Repaints a table while it runs; null: a line per task that ends. */
  readonly live: NodeJS.WriteStream | null;
  readonly print: (line: string) => void;
  readonly paint: ReturnType<typeof createPainter>;
}

const REPAINT_MS = 150;
const POLL_MS = 500;

/** The execution and its tasks when it has ended. Ctrl-C cancels it; a second one leaves it for another worker. */
export async function runToEnd(
  options: RunOptions,
): Promise<{ execution: ExecutionView; tasks: TaskView[] }> {
  const { system } = options;
  const id = await start(options);
  const worker = system.createWorker(quietBeside(options));
  await worker.start();
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const wake = Promise.withResolvers<void>();
    worker.events.on('executionEnded', (ended) => ended === id && wake.resolve());
    const screen = new Screen(options);
    for (let isCancelling = false; ; ) {
      const execution = await findExecution(system.database, system.tenantId, id);
      if (execution === null) throw new Error(`execution ${id} is gone`);
      const isOver = isTerminalExecution(execution.status);
      if (isOver || options.live !== null || options.print !== ignore) {
        const tasks = await findTasks(system.database, system.tenantId, id);
        screen.show(execution, tasks, isOver);
        if (isOver) return { execution, tasks };
      }
      if (stop.signal.aborted && !isCancelling) {
        isCancelling = true;
        await cancelExecution(system.database, system.tenantId, id, 'interrupted');
        continue;
      }
      const pause = options.live === null ? POLL_MS : REPAINT_MS;
      await Promise.race([wake.promise, delay(pause, undefined, { signal: stop.signal }).catch(() => {})]);
    }
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await worker.stop();
  }
}

// What is wrong with the input is said of the argument that it came by.
async function start({ system, request }: RunOptions): Promise<string> {
  const { database, log, tenantId } = system;
  const started = await createStarts({ database, log }).start({ tenantId, actor: 'cli' }, request);
  if (started.ok) return started.id;
  throw new Refusal(
    started.problems.map((problem) => ({
      ...problem,
      pointer: problem.pointer.replace(/^\/input/, '--input'),
    })),
  );
}

// Who watches the progress on a terminal sees there what fails and is tried again; lines about it would tear the table.
function quietBeside({ system, live }: RunOptions): TaskLog {
  const isWatched = live !== null || process.stderr.isTTY === true;
  if (!isWatched || system.config.logLevel === 'debug') return system.log;
  return { ...system.log, debug: () => {}, info: () => {} };
}

/** For `print`: no progress. */
export const ignore = (): void => {};

class Screen {
  readonly #options: RunOptions;
  #lines = 0;
  readonly #printed = new Set<string>();
  constructor(options: RunOptions) {
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
    const clear = this.#lines > 0 ? `\u001b[${this.#lines}A\u001b[0J` : '';
    live.write(`${clear}${text}\n`);
    this.#lines = text.split('\n').length;
    if (isLast && execution.status !== 'completed') live.write('\n');
  }

  #printChanges(tasks: readonly TaskView[]): void {
    // By the time they ended; the items of a fan-out before the fan-out itself.
    const inOrder = [...tasks].sort(
      (a, b) =>
        (a.completedAt ?? '~').localeCompare(b.completedAt ?? '~') || (b.mapIndex ?? -1) - (a.mapIndex ?? -1),
    );
    for (const task of inOrder) {
      const key = `${task.taskId}/${task.mapIndex}/${task.status}/${task.attempt}`;
      if (task.status === 'pending' || task.status === 'running' || this.#printed.has(key)) continue;
      this.#printed.add(key);
      const index = task.mapIndex === null ? '' : `[${task.mapIndex}]`;
      const reason = task.reason === null ? '' : ` (${task.reason})`;
      const error = task.error === null ? '' : `  ${task.error.code}: ${task.error.message}`;
      this.#options.print(`${task.status.padEnd(9)} ${task.taskId}${index}${reason}${error}`);
    }
  }
}
