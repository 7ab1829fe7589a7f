// What one attempt sees: its input, its item, its instant, and the context that its task type gets.

import { TerminalError } from '../../core/errors.ts';
import { evaluateMapping } from '../../core/expression/mapping.ts';
import { type Json, MAX_VALUE_BYTES, toStorableJson } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { edgeOutcome } from '../../core/plan/decide.ts';
import { redactJson } from '../../core/redact.ts';
import { isForAnswer, isForParts } from '../../core/wait.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { loadCheckpoint, loadFanOutValues, loadParts } from '../../db/protocol/reads.ts';
import { type Claim, writeCheckpoint } from '../../db/protocol/transitions.ts';
import { loadVariables } from '../../db/resources/variables.ts';
import type { ParentResult, PartResult, TaskContext } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode, Runnable } from '../memory/compiled.ts';
import { type ExecutionMemory, stateOf, type TaskResult } from '../memory/memory.ts';
import { answerStateOf, openCallbackOf } from './answer.ts';
import { Aborted } from './held.ts';
import { attemptScope } from './scope.ts';
import type { Spent } from './spent.ts';

/** One claimed attempt and its place in the plan. */
export interface Work {
  readonly memory: ExecutionMemory;
  readonly node: CompiledNode;
  /** The node itself, or the part of its fan-out that this claim is for. */
  readonly runnable: Runnable;
  readonly claim: Claim;
}

/** The scope of a claimed attempt's expressions, and the reader of its input. */
export async function scopeOf(
  worker: WorkerContext,
  work: Work,
  results: ReadonlyMap<number, TaskResult>,
): Promise<{ scope: ReturnType<typeof attemptScope>; readInput: () => Json }> {
  const { memory, node, claim } = work;
  const item = claim.mapIndex < 0 || node.partNames !== null ? undefined : await itemOf(worker, work);
  const variables = await loadVariables(worker.pool, memory.row.tenantId, node.variables);
  const readInput = once(() => inputOf(memory, work, results, () => scope));
  const scope = attemptScope(memory, results, {
    taskId: claim.taskId,
    mapIndex: claim.mapIndex,
    attempt: claim.attempt,
    idempotencyKey: idempotencyKey(memory, claim),
    input: readInput,
    nowMs: nowOf(memory, node, results),
    item,
    variables,
  });
  return { scope, readInput };
}

// The same for every attempt of a task.
function idempotencyKey(memory: ExecutionMemory, claim: Claim): string {
  return `${memory.row.id}:${claim.taskId}${claim.mapIndex < 0 ? '' : `:${claim.mapIndex}`}`;
}

/** Direct parents (to decide, and for default inputs) and whatever the expressions read, by node index. */
export function needed(node: CompiledNode): Set<number> {
  const indexes = new Set(node.reads);
  for (const { from } of node.plan.inEdges) indexes.add(from);
  return indexes;
}

function inputOf(
  memory: ExecutionMemory,
  { node, runnable, claim }: Work,
  results: ReadonlyMap<number, TaskResult>,
  scope: () => ReturnType<typeof attemptScope>,
): Json {
  if (runnable.input !== null) return evaluateMapping(runnable.input, scope());
  if (claim.mapIndex >= 0 && node.partNames === null)
    return memory.fanOuts.get(node.plan.index)?.[claim.mapIndex] ?? null;
  if (node.plan.inEdges.length === 0) return memory.input;
  const input: Record<string, Json> = Object.create(null);
  for (const { from } of node.plan.inEdges) {
    const result = results.get(from);
    if (result?.status === 'completed') input[memory.compiled.plan.nodes[from]!.taskId] = result.output;
  }
  return input;
}

async function itemOf(
  worker: WorkerContext,
  { memory, node, claim }: Work,
): Promise<{ value: Json; index: number }> {
  let values = memory.fanOuts.get(node.plan.index);
  if (values === undefined) {
    values = await loadFanOutValues(worker.pool, memory.row.id, claim.taskId);
    memory.fanOuts.set(node.plan.index, values);
  }
  return { value: values?.[claim.mapIndex] ?? null, index: claim.mapIndex };
}

// When it became able to start: the end of its last parent, kept in the database, so every attempt sees the same instant.
function nowOf(
  memory: ExecutionMemory,
  node: CompiledNode,
  results: ReadonlyMap<number, TaskResult>,
): number {
  const { early, inEdges } = node.plan;
  let at = memory.startedAtMs;
  let first = Number.POSITIVE_INFINITY;
  for (const edge of inEdges) {
    const result = results.get(edge.from);
    const endedAt = result?.completedAtMs;
    if (endedAt === undefined || endedAt === null) continue;
    at = Math.max(at, endedAt);
    const outcome = edgeOutcome(edge, memory.compiled.plan.nodes[edge.from]!, stateOf(result));
    if ((early.onSuccess && outcome === 'success') || (early.onFailure && outcome === 'failed'))
      first = Math.min(first, endedAt);
  }
  // An early rule was met by the first match; later ends of other parents change nothing.
  return first === Number.POSITIVE_INFINITY ? at : first;
}

/** What the task type's `run` gets. */
export async function contextOf(
  worker: WorkerContext,
  { memory, node, runnable, claim }: Work,
  parts: {
    results: ReadonlyMap<number, TaskResult>;
    scope: ReturnType<typeof attemptScope>;
    readInput: () => Json;
    signal: AbortSignal;
    spent: Spent;
  },
): Promise<TaskContext> {
  const executionId = memory.row.id;
  let log: TaskLog | undefined;
  const collected = isForParts(claim.phase) ? await loadParts(worker.pool, executionId, claim.taskId) : [];
  // By fence: what was released at shutdown starts again under the same attempt number.
  const mayHaveCheckpoint = claim.fence > 1 && !runnable.type.isPure;
  return {
    executionId,
    tenantId: memory.row.tenantId,
    taskId: claim.taskId,
    mapIndex: claim.mapIndex < 0 ? null : claim.mapIndex,
    attempt: claim.attempt,
    get input() {
      return parts.readInput();
    },
    signal: parts.signal,
    idempotencyKey: idempotencyKey(memory, claim),
    lastCheckpoint: mayHaveCheckpoint
      ? await loadCheckpoint(worker.pool, executionId, claim.taskId, claim.mapIndex)
      : undefined,
    async checkpoint(state) {
      parts.signal.throwIfAborted();
      const json = storable(worker, state, {
        what: 'checkpoint',
        taskId: claim.taskId,
        maxBytes: MAX_VALUE_BYTES,
      });
      const isOurs = await parts.spent.keep((sum) =>
        untilAnswered(() => writeCheckpoint(worker.pool, executionId, claim, { json, ...sum })),
      );
      if (!isOurs) throw new Aborted('lost');
    },
    outside: worker.outside,
    forbidRepeat: () => parts.spent.forbidRepeat(),
    openCallback: (limits) => openCallbackOf(worker, executionId, claim, limits),
    answerState: isForAnswer(claim.phase)
      ? await answerStateOf(worker, executionId, claim, claim.phase)
      : null,
    addCost: (usd, usage) => parts.spent.add(usd, usage),
    get log() {
      log ??= worker.executionLog.forAttempt({
        executionId,
        tenantId: memory.row.tenantId,
        taskId: claim.taskId,
        mapIndex: claim.mapIndex < 0 ? null : claim.mapIndex,
        attempt: claim.attempt,
      });
      return log;
    },
    scope: parts.scope,
    get parents() {
      return parentsOf(memory, node, parts.results);
    },
    branches: node.branches,
    phase: claim.phase,
    parts: collected.map((part): PartResult => ({ ...part, completedSeq: part.completedSeq ?? 0 })),
    get now() {
      return new Date(worker.nowMs()).toISOString();
    },
  };
}

function parentsOf(
  memory: ExecutionMemory,
  node: CompiledNode,
  results: ReadonlyMap<number, TaskResult>,
): ParentResult[] {
  return node.plan.inEdges.flatMap(({ from }) => {
    const result = results.get(from);
    const { taskId, definition } = memory.compiled.plan.nodes[from]!;
    return result === undefined
      ? []
      : [{ taskId, taskType: definition.taskType, status: result.status, output: result.output }];
  });
}

/** The value as JSON without secrets, or the error that it cannot be stored. */
export function storable(
  { outside: { redact } }: WorkerContext,
  value: unknown,
  { what, taskId, maxBytes }: { readonly what: string; readonly taskId: string; readonly maxBytes: number },
): string {
  const result = toStorableJson(value, maxBytes);
  if (!result.ok) throw new TerminalError(result.code, `Task "${taskId}": its ${what} ${result.message}`);
  const { json } = result;
  return redact(json) === json ? json : JSON.stringify(redactJson(JSON.parse(json) as Json, redact));
}

function once<T>(read: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: read() };
    return value.of;
  };
}
