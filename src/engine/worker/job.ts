// What a queue job makes a worker do: open a new execution, conclude one whose tasks have ended, or work off a list of
// ready tasks. A job that comes twice, or late, finds nothing to do and ends. Where this process started an execution, it may
// have been opened in the same commit, without a job.
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { boundProblems, STORED } from '../../core/problem-report.ts';
import { isTerminalExecution } from '../../core/status.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { offerAgain, putOffJob, requeue, type TaskRef } from '../../db/protocol/transitions.ts';
import type { WorkerContext } from '../context.ts';
import { UnknownTaskTypeError } from '../memory/compiled.ts';
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
    if (payload.t !== undefined && error instanceof UnknownTaskTypeError)
      return await leaveToOthers(worker, payload.e, payload.t, error);
    return await failUnopened(worker, payload.e, error);
  }
  if (memory === null) return;
  if (payload.t !== undefined) return await runLane(worker, { memory, claim: null, list: payload.t });
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
  const problems = memory.compiled.inputSchema?.validate(memory.input) ?? [];
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
  for (const claim of claims.slice(1)) worker.spawn({ executionId: row.id, claim });
  await runLane(worker, { memory, claim: claims[0]!, list: [] });
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

/** A worker that cannot run a task waits so long before it offers it again. */
const OFFER_AGAIN_MS = 1_000;

// Another worker has opened the execution, so it has the task types that are missing here.
async function leaveToOthers(
  worker: WorkerContext,
  executionId: string,
  list: readonly TaskRef[],
  error: UnknownTaskTypeError,
): Promise<void> {
  worker.log.warn('leaves tasks to other workers', { executionId, error: error.message });
  await delay(OFFER_AGAIN_MS);
  await untilAnswered(() => requeue(worker.pool, worker.slots, [{ executionId, list }]));
}

// A definition that cannot be run here fails clearly: a task type that is not installed is an operator's mistake.
async function failUnopened(worker: WorkerContext, executionId: string, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  worker.log.error('cannot run an execution', { executionId, error: message });
  const code = error instanceof UnknownTaskTypeError ? 'validation' : 'handler_error';
  await end(worker, executionId, { code, message });
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
