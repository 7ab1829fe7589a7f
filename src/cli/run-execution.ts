// Starts an execution, works until it is terminal, and shows what happens: the heart of `run`.
import type { Problem } from '../core/errors.ts';
import type { TaskLog } from '../core/log-lines.ts';
import type { ExecutionView, TaskView } from '../db/executions/execution-views.ts';
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

/** The execution and its tasks when it has ended. Ctrl-C cancels it; a second one leaves it for another worker. */
export async function runToEnd(
  options: RunOptions,
): Promise<{ execution: ExecutionView; tasks: TaskView[] }> {
  const { system } = options;
  const id = await startOnce(options);
  const worker = system.createWorker(quietBeside(options));
  await worker.start();
  try {
    const end = new AbortController();
    worker.events.on('executionEnded', (ended) => ended === id && end.abort());
    return await watchToEnd(id, { ...options, sooner: end.signal });
  } finally {
    await worker.stop();
  }
}

/** Starts it; its id, or a Refusal in the words of the command line. */
export async function startOnce(options: StartOptions): Promise<string> {
  const { system, request, note } = options;
  const { database, log, tenantId } = system;
  const started = await createStarts({ database, log }).start({ tenantId, actor: 'cli' }, request);
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
