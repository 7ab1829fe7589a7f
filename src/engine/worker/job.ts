// What a queue job makes a worker do: open a new execution, conclude one whose tasks have ended, or work off a list of
// ready tasks. A job that comes twice, or late, finds nothing to do and ends. Where this process started an execution, it may
// have been opened in the same commit, without a job.
import type { TaskError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { boundProblems, STORED } from '../../core/problem-report.ts';
import { isTerminalExecution } from '../../core/status.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { offerAgain, putOffJob, requeue, type TaskRef } from '../../db/protocol/transitions.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import type { WorkerContext } from '../context.ts';
import type { ExecutionMemory } from '../memory/memory.ts';
import { concludeExecution } from '../settle/conclusion.ts';
import { runLane } from './lane.ts';

/**
 * Job payloads: ids only. `e`: the execution; `t`: ready tasks; without it the execution itself is looked at. `o`: its tenant,
 * for its turns in the queue; `v`: of a new execution, the version of its workflow. Both are absent in jobs of an earlier release.
 */
export interface JobPayload {
  readonly e: string;
  readonly o?: string;
  readonly v?: string;
  readonly t?: readonly TaskRef[];
}

export async function runJob(worker: WorkerContext, payload: JobPayload): Promise<void> {
  if (payload.t === undefined && (await openUnread(worker, payload))) return;
  let memory: ExecutionMemory | null;
  try {
    memory =
      payload.t === undefined
        ? await worker.executions.load(payload.e)
        : await worker.executions.get(payload.e);
  } catch (error) {
    return await failUnopened(worker, payload.e, error);
  }
  if (memory === null) return;
  if (payload.t !== undefined)
    return await runLane(worker, { memory, claim: null, list: await ownOf(worker, memory, payload.t) });
  if (memory.row.status === 'pending') await open(worker, memory);
  else await concludeIfDrained(worker, memory);
}

/** Concludes an execution whose tasks have all ended, and tells of one that has ended. */
export async function concludeIfDrained(worker: WorkerContext, memory: ExecutionMemory): Promise<void> {
  const { id, status, openTasks } = memory.row;
  if (status === 'running' && openTasks === 0) await concludeExecution(worker, memory);
  // Its end may have committed although the answer was lost.
  if (isTerminalExecution(status)) worker.events.executionEnded(id);
}

async function open(worker: WorkerContext, memory: ExecutionMemory): Promise<void> {
  const { inputSchema } = memory.compiled;
  const problems =
    inputSchema === null
      ? []
      : await eventLoop.run(memory.row.tenantId, () => inputSchema.validate(memory.input));
  if (problems.length > 0) {
    const [first] = problems;
    return await end(worker, memory.row.id, {
      code: 'validation',
      message: `the input does not fit inputSchema: ${first!.pointer || '/'} ${first!.message}`,
      details: boundProblems(problems, STORED) as unknown as Json,
    });
  }
  const { compiled, row } = memory;
  const opened = await worker.openings.call({
    executionId: row.id,
    plan: compiled.opening,
    isUnread: false,
  });
  if (opened !== null) await runRoots(worker, memory, opened.atMs);
}

// Opened before it is read: where this worker has the plan, and no schema is to judge the input first. False: it was not pending any
// more, and is looked at.
async function openUnread(worker: WorkerContext, { e, v }: JobPayload): Promise<boolean> {
  const compiled = v === undefined ? null : worker.executions.compiled(v);
  if (compiled === null || compiled.inputSchema !== null) return false;
  const opened = await worker.openings.call({ executionId: e, plan: compiled.opening, isUnread: true });
  if (opened === null) return false;
  await runRoots(worker, worker.executions.adopt(opened.row!, compiled), opened.atMs);
  return true;
}

/** Runs an execution that was opened for this worker at this moment of the database's clock. */
export async function runRoots(
  worker: WorkerContext,
  memory: ExecutionMemory,
  startedAtMs: number,
): Promise<void> {
  const { compiled, row } = memory;
  memory.startedAtMs = startedAtMs;
  const claims = compiled.claimedRoots.map((index) => ({
    taskId: compiled.plan.nodes[index]!.taskId,
    mapIndex: -1,
    fence: 1,
    attempt: 1,
    recoveries: 0,
    phase: null,
  }));
  const [first, ...others] = claims;
  for (const claim of others) worker.spawn({ executionId: row.id, claim });
  // All that it begins with may be other workers'.
  if (first !== undefined) await runLane(worker, { memory, claim: first, list: [] });
}

/** Gives a job back to the queue as it came: this worker has no slot for it. */
export async function giveBack(worker: WorkerContext, { e, t }: JobPayload): Promise<void> {
  await untilAnswered(() =>
    t === undefined
      ? offerAgain(worker.pool, e)
      : requeue(worker.pool, worker.slots, [{ executionId: e, list: t }]),
  );
}

/** So long at least a job waits whose execution somebody has locked. */
const PUT_OFF_MS = 5_000;

/** Leaves a job in the queue for later: its execution is locked by somebody. It names what is ready, whatever becomes of this worker. */
export async function putOff(worker: WorkerContext, payload: JobPayload): Promise<void> {
  const ms = PUT_OFF_MS * (1 + Math.random());
  await untilAnswered(() => putOffJob(worker.pool, payload, ms));
}

// What of a list this worker can run. The rest is put off: the queue brings it to whoever has its type, or brings it here again later,
// where that is not known.
async function ownOf(
  worker: WorkerContext,
  memory: ExecutionMemory,
  list: readonly TaskRef[],
): Promise<readonly TaskRef[]> {
  const { nodes, plan } = memory.compiled;
  const missingOf = ([taskId]: TaskRef) => nodes[plan.indexOf.get(taskId)!]!.missing;
  const others = list.filter((ref) => missingOf(ref) !== null);
  if (others.length === 0) return list;
  const { message } = missingOf(others[0]!)!;
  worker.log.warn('leaves tasks to other workers', { executionId: memory.row.id, error: message });
  await putOff(worker, { e: memory.row.id, o: memory.row.tenantId, t: others });
  return list.filter((ref) => missingOf(ref) === null);
}

// A definition that cannot be compiled fails clearly.
async function failUnopened(worker: WorkerContext, executionId: string, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  worker.log.error('cannot run an execution', { executionId, error: message });
  await end(worker, executionId, { code: 'handler_error', message });
}

async function end(worker: WorkerContext, executionId: string, error: TaskError): Promise<void> {
  const ended = await worker.finishes.call({
    executionId,
    from: 'pending',
    status: 'failed',
    outputJson: 'null',
    errorJson: JSON.stringify(error),
    completedWithErrors: false,
  });
  if (ended) worker.events.executionEnded(executionId);
}
