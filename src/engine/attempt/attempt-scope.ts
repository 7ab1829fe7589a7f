// What the expressions of one attempt see besides what all of its execution see (execution-scope.ts): its task, its input, its
// item, its instant.

import { EvaluationBudget } from '../../core/expression/evaluation-budget.ts';
import { evaluateMapping } from '../../core/expression/mapping.ts';
import { FUNCTION_CONTEXT, lazy, type Scope, STEP_BUDGET } from '../../core/expression/scope.ts';
import { uuidFrom } from '../../core/id.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { edgeOutcome } from '../../core/plan/decide.ts';
import { loadFanOutValues } from '../../db/protocol/reads.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import { loadVariables } from '../../db/resources/variables.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode } from '../memory/compiled.ts';
import { type ExecutionMemory, stateOf, type TaskResult } from '../memory/memory.ts';
import { executionScope } from './execution-scope.ts';
import { loopScopeOf } from './round.ts';
import type { Work } from './work.ts';

/** What an attempt adds to the execution's scope. */
interface AttemptParts {
  readonly taskId: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** Reads the task's input when an expression asks for it. */
  readonly input: () => Json;
  /** Milliseconds since the epoch: when the task became able to start; the same for every attempt. NaN: not recorded yet. */
  readonly nowMs: number;
  readonly item?: { readonly value: Json; readonly index: number };
  /** Of a round. */
  readonly loop?: JsonObject | undefined;
  /** Those of the tenant's variables that its expressions read, as they were when the attempt began. */
  readonly variables: JsonObject;
}

/** The scope of a claimed attempt's expressions, and the reader of its input. */
export async function loadAttemptScope(
  worker: WorkerContext,
  work: Work,
  results: ReadonlyMap<number, TaskResult>,
): Promise<{ scope: Scope; readInput: () => Json }> {
  const { memory, node, claim } = work;
  const hasItem = claim.mapIndex >= 0 && node.partNames === null && node.loop === null;
  const item = hasItem ? await itemOf(worker, work) : undefined;
  const loop = await loopScopeOf(worker, work);
  const variables = await loadVariables(worker.pool, memory.row.tenantId, node.variables);
  const readInput = once(() => inputOf(work, results, item, () => scope));
  const scope = attemptScope(memory, results, {
    taskId: claim.taskId,
    attempt: claim.attempt,
    idempotencyKey: idempotencyKey(memory, claim),
    input: readInput,
    nowMs: nowOf(memory, node, results),
    item,
    loop,
    variables,
  });
  return { scope, readInput };
}

/** The same for every attempt of a task. */
export function idempotencyKey(memory: ExecutionMemory, claim: Claim): string {
  return `${memory.row.id}:${claim.taskId}${claim.mapIndex < 0 ? '' : `:${claim.mapIndex}`}`;
}

function attemptScope(
  memory: ExecutionMemory,
  results: ReadonlyMap<number, TaskResult>,
  own: AttemptParts,
): Scope {
  const scope: Record<string, unknown> = { ...executionScope(memory, results, own.variables) };
  scope.task = lazy(() => ({
    id: own.taskId,
    attempt: own.attempt,
    idempotencyKey: own.idempotencyKey,
    input: own.input(),
  }));
  if (own.item !== undefined) {
    scope.item = own.item.value;
    scope.index = own.item.index;
  }
  if (own.loop !== undefined) scope.loop = own.loop;
  return Object.assign(scope, {
    [FUNCTION_CONTEXT]: {
      get now() {
        if (Number.isNaN(own.nowMs))
          throw new Error('the instant at which it became able to start is not recorded yet');
        return new Date(own.nowMs).toISOString();
      },
      uuid: (ordinal: number) => uuidFrom(`${own.idempotencyKey}#${ordinal}`),
    },
    [STEP_BUDGET]: new EvaluationBudget(),
  }) as Scope;
}

function inputOf(
  { memory, node, runnable }: Work,
  results: ReadonlyMap<number, TaskResult>,
  item: AttemptParts['item'],
  scope: () => Scope,
): Json {
  if (runnable.input !== null) return evaluateMapping(runnable.input, scope());
  if (item !== undefined) return item.value;
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
  const { index } = node.plan;
  const known = memory.fanOuts.at(index, claim.mapIndex);
  if (known !== undefined) return { value: known, index: claim.mapIndex };
  const values = await loadFanOutValues(worker.pool, memory.row.id, claim.taskId);
  if (values !== null) memory.fanOuts.remember(index, values);
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

function once<T>(read: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: read() };
    return value.of;
  };
}
