// Starts an execution, works until it is terminal, and shows what happens: the heart of `run`. The worker is there before the start,
// so that the execution is opened in the commit of its start (engine/worker/opener.ts); where it is not, its job is taken like any
// other's.
import type { Problem } from '../core/errors.ts';
import type { TaskLog } from '../core/log-lines.ts';
import type { Opener } from '../db/executions/execution-starts.ts';
import type { ExecutionView, TaskView } from '../db/executions/execution-views.ts';
import { findStartable } from '../db/triggers/startable.ts';
import type { StartRefusal } from '../triggers/starts/start-check.ts';
import { createStarts, type StartOf } from '../triggers/starts/starts.ts';
import { Refusal } from './refusal.ts';
import { type WatchOptions, watchToEnd } from './watch-execution.ts';

export interface RunOptions extends Omit<WatchOptions, 'sooner' | 'onLook'> {
  readonly request: StartOf;
  /** Its name. */
  readonly tenant: string;
  /** What is said beside the progress. */
  readonly note: (line: string) => void;
}

export type StartOptions = Pick<RunOptions, 'system' | 'request' | 'tenant' | 'note'>;

const FIND_MS = 20_000;

/** The execution and its tasks when it has ended. Ctrl-C cancels it; a second one leaves it for another worker. */
export async function runToEnd(
  options: RunOptions,
): Promise<{ execution: ExecutionView; tasks: TaskView[] }> {
  const { system } = options;
  const { database, tenantId } = system;
  const [version = null] = await findStartable(database.engine, tenantId, [options.request], FIND_MS);
  // Of what does not exist the start is refused, before there is a worker.
  const early = version === null ? await startOnce(options) : null;
  const worker = system.createWorker(quietBeside(options));
  await Promise.all([worker.start(), version === null ? null : worker.prepare(version.id)]);
  try {
    const end = new AbortController();
    // It may end before its id is known here.
    const ended = new Set<string>();
    let id = '';
    worker.events.on('executionEnded', (one) => {
      ended.add(one);
      if (one === id) end.abort();
    });
    id = early ?? (await startOnce(options, worker.opener));
    if (ended.has(id)) end.abort();
    return await watchToEnd(id, { ...options, sooner: end.signal });
  } finally {
    await worker.stop();
  }
}

/** Starts it, opened by this process where it can; its id, or a Refusal in the words of the command line. */
export async function startOnce(options: StartOptions, opener: Opener | null = null): Promise<string> {
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
function inCommandLine(problem: Problem, { request: { workflowId }, tenant }: StartOptions): Problem {
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
