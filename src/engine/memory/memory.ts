// What a worker remembers of the executions it works on: the row, the compiled plan, and results of ended tasks. Ended
// tasks never change, so nothing here can be stale; it is bounded, and what was dropped is read again.

import type { TaskEnd } from '../../core/attempt-end.ts';
import { TerminalError } from '../../core/errors.ts';
import {
  type Json,
  type JsonObject,
  MAX_ASSEMBLED_BYTES,
  MAX_VALUE_BYTES,
  MAX_VALUES,
} from '../../core/json.ts';
import type { TaskState } from '../../core/plan/decide.ts';
import { isTerminalTask } from '../../core/status.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { loadResultsWithin } from '../../db/protocol/bounded-results.ts';
import { type ExecutionRow, loadResults, type TaskResultRow } from '../../db/protocol/reads.ts';
import type { CompiledPlan } from './compiled.ts';
import type { FanOutItems } from './fan-out-items.ts';
import { countValues, type HeldResults } from './held-results.ts';

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
  /** Items of open fan-outs. */
  readonly fanOuts: FanOutItems;
}

/** Who reads results. */
export interface Reader {
  /** For errors: `Task "a"`, `output`. */
  readonly name: string;
  /** Of these nodes it needs no output, only how they ended. */
  readonly statesOnly?: ReadonlySet<number>;
}

/** No more values than one may have fit into so few bytes: outputs that come to no more need not be measured. */
const SAFE_BYTES = 2 * MAX_VALUES;
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
  reader: Reader,
): Promise<Map<number, TaskResult>> {
  const known = new Map<number, TaskResult>();
  const missing: string[] = [];
  const withOutput: string[] = [];
  let mostBytes = 0;
  const { nodes, indexOf } = memory.compiled.plan;
  for (const index of indexes) {
    const result = memory.results.get(index);
    const { taskId } = nodes[index]!;
    if (result !== undefined) known.set(index, result);
    else missing.push(taskId);
    if (reader.statesOnly?.has(index)) continue;
    withOutput.push(taskId);
    mostBytes += result === undefined ? mostBytesOf(memory, index) : memory.held.weigh(result);
  }
  const maySurpass = withOutput.length > 1 && mostBytes > SAFE_BYTES;
  if (missing.length === 0 && !maySurpass) return known;
  const rows = maySurpass
    ? await loadResultsWithin(db, memory.row.id, {
        taskIds: missing,
        measured: withOutput,
        known: [...known].flatMap(([index, { output }]) =>
          reader.statesOnly?.has(index) ? [] : countValues(output),
        ),
      })
    : await loadResults(db, memory.row.id, missing);
  if (rows === null) throw tooMuch(reader, withOutput.length);
  for (const row of rows) {
    const index = indexOf.get(row.taskId)!;
    known.set(index, row);
    const isWhole = !maySurpass || !reader.statesOnly?.has(index);
    if (isTerminalTask(row.status) && isWhole) remember(memory, index, row);
  }
  return known;
}

function mostBytesOf({ compiled }: ExecutionMemory, index: number): number {
  // Also of one whose parts this worker cannot run.
  const { taskType, repeat } = compiled.nodes[index]!.definition;
  return taskType === 'parallel' || repeat !== undefined ? MAX_ASSEMBLED_BYTES : MAX_VALUE_BYTES;
}

function tooMuch({ name }: Reader, tasks: number): TerminalError {
  return new TerminalError(
    'payload_too_large',
    `${name}: the outputs of the ${tasks} tasks that it reads are more than ${MAX_ASSEMBLED_BYTES} bytes or ${MAX_VALUES} values together, beside the largest; give those tasks an outputMapping that keeps what is needed, or read fewer`,
  );
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
