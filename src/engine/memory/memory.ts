// What a worker remembers of the executions it works on: the row, the compiled plan, and results of ended tasks. Ended
// tasks never change, so nothing here can be stale; it is bounded, and what was dropped is read again.

import type { TaskEnd } from '../../core/attempt-end.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { TaskState } from '../../core/plan/decide.ts';
import { isTerminalTask } from '../../core/status.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { type ExecutionRow, loadResults, type TaskResultRow } from '../../db/protocol/reads.ts';
import type { CompiledPlan } from './compiled.ts';
import type { HeldResults } from './held-results.ts';

export type TaskResult = Omit<TaskResultRow, 'taskId' | 'completedSeq'>;

/** One execution in a worker's memory. */
export interface ExecutionMemory {
  readonly row: ExecutionRow;
  readonly compiled: CompiledPlan;
  /** The input with defaultParameters filled in. */
  readonly input: Json;
  readonly trigger: JsonObject | null;
  startedAtMs: number;
  /** By node index; ended tasks only. */
  readonly results: Map<number, TaskResult>;
  /** The worker's, of all its executions. */
  readonly held: HeldResults;
  /** Values of open fan-outs, by node index. */
  readonly fanOuts: Map<number, readonly Json[] | null>;
}

/** Results of one execution beyond this are dropped and read again when they are needed. */
const MAX_RESULTS = 50_000;

/** Remembers how a task ended. */
export function remember(memory: ExecutionMemory, index: number, result: TaskResult): void {
  if (memory.results.size >= MAX_RESULTS) memory.results.clear();
  memory.results.set(index, result);
  memory.held.add(result, () => void memory.results.delete(index));
}

/** Results of these nodes, from memory where they ended, else from the database: open tasks as they are now. */
export async function resultsOf(
  db: Queryable,
  memory: ExecutionMemory,
  indexes: Iterable<number>,
): Promise<Map<number, TaskResult>> {
  const known = new Map<number, TaskResult>();
  const missing: string[] = [];
  const { nodes, indexOf } = memory.compiled.plan;
  for (const index of indexes) {
    const result = memory.results.get(index);
    if (result !== undefined) known.set(index, result);
    else missing.push(nodes[index]!.taskId);
  }
  if (missing.length > 0) {
    for (const row of await loadResults(db, memory.row.id, missing)) {
      const index = indexOf.get(row.taskId)!;
      known.set(index, row);
      if (isTerminalTask(row.status)) remember(memory, index, row);
    }
  }
  return known;
}

/** What the planner needs of a result. */
export function stateOf(result: TaskResult | undefined): TaskState {
  if (result === undefined) return { status: 'pending' };
  const { status, reason, branch, error } = result;
  return { status, reason, branch, errorCode: error?.code ?? null };
}

/** What the end of a task leaves for those who read its result. */
export function resultOfEnd(end: TaskEnd, completedAtMs: number, attempt: number): TaskResult {
  const completion = end.kind === 'completed' ? end : null;
  return {
    status: end.kind,
    reason: end.kind === 'skipped' ? end.reason : null,
    branch: completion?.branch ?? null,
    winner: completion?.winner ?? null,
    output: completion?.output ?? null,
    error: end.kind === 'failed' ? end.error : null,
    partErrors: completion?.partErrors ?? null,
    costUsd: end.costUsd === undefined ? '0' : end.costUsd,
    durationMs: end.durationMs,
    attempt,
    completedAtMs,
  };
}
