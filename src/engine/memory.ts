// What a worker remembers of the executions it works on: the row, the compiled plan, and results of ended tasks. Ended
// tasks never change, so nothing here can be stale; it is bounded, and what was dropped is read again.

import type { TaskState } from '../core/decide.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { isTerminalTask } from '../core/status.ts';
import { type ExecutionRow, loadResults, type TaskResultRow } from '../db/reads.ts';
import type { Queryable } from '../db/transitions.ts';
import type { CompiledPlan } from './compiled.ts';

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
  /** Values of open fan-outs, by node index. */
  readonly fanOuts: Map<number, readonly Json[] | null>;
}

/** A map of bounded weight that forgets what was used longest ago. */
export class RecentlyUsed<K, V> {
  readonly #entries = new Map<K, { readonly value: V; readonly weight: number }>();
  readonly #limit: number;
  #weight = 0;
  constructor(limit: number) {
    this.#limit = limit;
  }
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }
  /** The newest entry stays, whatever its weight. */
  set(key: K, value: V, weight = 1): void {
    this.delete(key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#limit || oldest === key) return;
      this.delete(oldest);
    }
  }
  delete(key: K): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }
}

/** Results of one execution beyond this are dropped and read again when they are needed. */
const MAX_RESULTS = 50_000;

/** Remembers how a task ended. */
export function remember(memory: ExecutionMemory, index: number, result: TaskResult): void {
  if (memory.results.size >= MAX_RESULTS) memory.results.clear();
  memory.results.set(index, result);
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
