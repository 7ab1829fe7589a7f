// Starts an execution, works until it is terminal, and shows what happens: the heart of `run` and `demo`. The worker is there before
// the start, so that the execution is opened in the commit of its start (engine/worker/opener.ts); where it is not, its job is taken
// like any other's.

import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '../core/errors.ts';
import type { TaskLog } from '../core/log-lines.ts';
import { isTerminalExecution } from '../core/status.ts';
import type { Opener } from '../db/executions/execution-starts.ts';
import {
  type ExecutionView,
  findExecution,
  findTasks,
  type TaskView,
} from '../db/executions/execution-views.ts';
import { findStartable } from '../db/triggers/startable.ts';
import { cancelExecution } from '../resources/executions.ts';
import type { StartRefusal } from '../triggers/starts/start-check.ts';
import { createStarts, type StartOf } from '../triggers/starts/starts.ts';
import { CLI_ACTOR } from './actor.ts';
import type { Io, Output } from './io.ts';
import { taskTable } from './output/task-table.ts';
import type { createPainter } from './output/terminal.ts';
import { Refusal } from './refusal.ts';
import { oneLine, ownSequence } from './safe-output.ts';
import type { System } from './system.ts';

export interface RunOptions {
  readonly io: Io;
  readonly system: System;
  readonly request: StartOf;
  /** Its name. */
  readonly tenant: string;
  /** Repaints a table while it runs; null: a line per task that ends. */
  readonly live: Output | null;
  readonly print: (line: string) => void;
  /** What is said beside the progress. */
  readonly note: (line: string) => void;
  readonly paint: ReturnType<typeof createPainter>;
}

const REPAINT_MS = 150;
const POLL_MS = 500;
const FIND_MS = 20_000;

/** The execution and its tasks when it has ended. Ctrl-C cancels it; a second one leaves it for another worker. */
export async function runToEnd(
  options: RunOptions,
): Promise<{ execution: ExecutionView; tasks: TaskView[] }> {
  const { io, system } = options;
  const { database, tenantId } = system;
  const [version = null] = await findStartable(database.engine, tenantId, [options.request], FIND_MS);
  // Of what does not exist the start is refused, before there is a worker.
  const early = version === null ? await start(options, null) : null;
  const worker = system.createWorker(quietBeside(options));
  await Promise.all([worker.start(), version === null ? null : worker.prepare(version.id)]);
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) io.exit(130);
    stop.abort();
  };
  const stopListening = io.onSignal(interrupt);
  try {
    const end = new AbortController();
    // It may end before its id is known here.
    const ended = new Set<string>();
    let id = '';
    worker.events.on('executionEnded', (one) => {
      ended.add(one);
      if (one === id) end.abort();
    });
    id = early ?? (await start(options, worker.opener));
    if (ended.has(id)) end.abort();
    const sooner = AbortSignal.any([end.signal, stop.signal]);
    const screen = new Screen(options);
    for (let isCancelling = false; ; ) {
      const execution = await database.withTenant(tenantId, (client) => findExecution(client, tenantId, id));
      if (execution === null) throw new Error(`execution ${id} is gone`);
      const isOver = isTerminalExecution(execution.status);
      if (isOver || options.live !== null || options.print !== ignore) {
        const tasks = await database.withTenant(tenantId, (client) => findTasks(client, tenantId, id));
        screen.show(execution, tasks, isOver);
        if (isOver) return { execution, tasks };
      }
      if (stop.signal.aborted && !isCancelling) {
        isCancelling = true;
        const acting = { tenantId, ...CLI_ACTOR };
        await database.withTenant(acting, (client) =>
          cancelExecution(client, acting, { id, reason: 'interrupted' }),
        );
        continue;
      }
      const pause = options.live === null ? POLL_MS : REPAINT_MS;
      // Aborted, it leaves no timer behind: one would keep the process after the result.
      await delay(pause, undefined, { signal: sooner }).catch(() => {});
    }
  } finally {
    stopListening();
    await worker.stop();
  }
}

async function start(options: RunOptions, opener: Opener | null): Promise<string> {
  const { system, request, note } = options;
  const { database, log, tenantId } = system;
  const starts = createStarts({ database, log, opener: () => opener });
  const started = await starts.start({ tenantId, actor: 'cli' }, request);
  if (!started.ok) throw new Refusal(started.problems.map((problem) => inCommandLine(problem, options)));
  if (started.existing)
    note(`execution ${started.id}, which an earlier start with this idempotency key began, is shown`);
  return started.id;
}

// What is wrong is said of the argument that it came by, and what to do about it as a command.
function inCommandLine(problem: Problem, { request: { workflowId }, tenant }: RunOptions): Problem {
  switch (problem.code as StartRefusal) {
    case 'key_reused':
      return { ...problem, pointer: '--idempotency-key' };
    case 'not_active':
      return { ...problem, hint: `dagwright workflows activate ${workflowId}` };
    case 'too_many_starts':
    case 'too_many_waiting':
      return { ...problem, hint: `dagwright tenants show ${tenant}` };
    case 'tenant_suspended':
      return { ...problem, hint: `dagwright tenants update ${tenant} --status active` };
    default:
      return { ...problem, pointer: problem.pointer.replace(/^\/input/, '--input') };
  }
}

// Who watches the progress on a terminal sees there what fails and is tried again; lines about it would tear the table.
function quietBeside({ io, system, live }: RunOptions): TaskLog {
  const isWatched = live !== null || io.stderr.isTTY === true;
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
    const clear = this.#lines > 0 ? `${ownSequence(this.#lines, 'A')}${ownSequence(0, 'J')}` : '';
    live.write(`${clear}${text}\n`);
    this.#lines = text.split('\n').length;
    if (isLast && execution.status !== 'completed') live.write('\n');
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
