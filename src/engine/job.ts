// What a queue job makes a worker do: open a new execution, conclude one whose tasks have ended, or work off a list of
// ready tasks. A job that comes twice, or late, finds nothing to do and ends.

import type { TaskError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { TaskRef } from '../db/transitions.ts';
import { UnknownTaskTypeError } from './compiled.ts';
import { concludeExecution } from './conclusion.ts';
import type { WorkerContext } from './context.ts';
import { runLane } from './lane.ts';
import type { ExecutionMemory } from './memory.ts';

/** Job payloads: ids only. `e`: the execution; `t`: ready tasks; without it the execution itself is looked at. */
export interface JobPayload {
  readonly e: string;
  readonly t?: readonly TaskRef[];
}

export async function runJob(worker: WorkerContext, payload: JobPayload): Promise<void> {
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
  if (payload.t !== undefined) return await runLane(worker, { memory, claim: null, list: payload.t });
  if (memory.row.status === 'pending') return await open(worker, memory);
  if (memory.row.status === 'running' && memory.row.openTasks === 0) await concludeExecution(worker, memory);
}

async function open(worker: WorkerContext, memory: ExecutionMemory): Promise<void> {
  const problems = memory.compiled.inputSchema?.validate(memory.input) ?? [];
  if (problems.length > 0) {
    const [first] = problems;
    return await end(worker, memory.row.id, {
      code: 'validation',
      message: `the input does not fit inputSchema: ${first!.pointer || '/'} ${first!.message}`,
      details: problems as unknown as Json,
    });
  }
  const { compiled, row } = memory;
  const opened = await worker.openings.call({
    executionId: row.id,
    deadlineSeconds: compiled.timeoutSeconds,
    rowsJson: compiled.rowsJson,
    rowCount: compiled.plan.nodes.length,
    hasReady: compiled.hasReadyRoots,
  });
  if (!opened) return;
  memory.startedAtMs = Date.now();
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

// A definition that this worker cannot run: unknown task types are left to workers that have them.
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
