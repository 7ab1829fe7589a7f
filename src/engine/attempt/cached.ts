// The `cache` of a task: an output that was kept is taken in place of the body, and the output of a body is kept.
//   C1  A key is made of the tenant and of all that the task is asked, or of the task and of the `key` that its author wrote.
//   C2  Secrets are no part of a key: their names stand for them.
//   C3  What is kept is what the body gave: its outputMapping is evaluated anew each time.
//   C4  In doubt there is no key, and the body runs: a wrong hit is worse than none. Keeping never fails a task.
import { createHash } from 'node:crypto';
import { canonicalKey } from '../../core/definition/schema/canonical-key.ts';
import { ExpressionError } from '../../core/expression/errors.ts';
import { EvaluationBudget } from '../../core/expression/evaluation-budget.ts';
import { evaluateMapping, type Mapping } from '../../core/expression/mapping.ts';
import { type Scope, STEP_BUDGET } from '../../core/expression/scope.ts';
import { type Json, MAX_VALUE_BYTES } from '../../core/json.ts';
import { type CacheKey, keepOutput, loadKeptOutput } from '../../db/protocol/task-cache.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import type { TaskContext, TaskOutcome } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import type { TaskCache } from '../memory/task-cache.ts';
import type { OwnAttempt } from './own-attempt.ts';
import { storable } from './storable.ts';

export interface Recall {
  /** Null: there is none, and nothing is kept. */
  readonly key: CacheKey | null;
  /** What was kept under it; null: the body has to run. */
  readonly outcome: TaskOutcome | null;
}

/** Looks before the body of a task with a cache. A hit costs nothing, and its row says what it saved. */
export async function recall(
  worker: WorkerContext,
  attempt: OwnAttempt,
  context: TaskContext,
  cache: TaskCache,
): Promise<Recall> {
  const { runnable, memory } = attempt.work;
  const { tenantId } = memory.row;
  const hash = await eventLoop.run(tenantId, () => keyOf(cache, runnable.prepared.mappings, context));
  if (hash === null) return { key: null, outcome: null };
  const key = { tenantId, hash };
  // What waits for its answer has been asked already.
  const kept = context.phase === null ? await loadKeptOutput(worker.pool, key, cache.ttlSeconds) : null;
  if (kept === null) return { key, outcome: null };
  const { output, costUsd: savedUsd, executionId, taskId, keptAt } = kept;
  attempt.spending.add('0', { cache: { hit: true, savedUsd, executionId, taskId, keptAt } });
  return { key, outcome: { kind: 'completed', output } };
}

/** Keeps what the body gave. */
export async function keep(
  worker: WorkerContext,
  attempt: OwnAttempt,
  key: CacheKey,
  { output, ttlSeconds }: { readonly output: unknown; readonly ttlSeconds: number },
): Promise<void> {
  const { executionId, claim, spending } = attempt;
  try {
    const outputJson = storable(worker, output, {
      what: 'output',
      taskId: claim.taskId,
      maxBytes: MAX_VALUE_BYTES,
    });
    const { taskId } = claim;
    await keepOutput(worker.pool, key, {
      ...{ outputJson, executionId, taskId, ttlSeconds },
      costUsd: spending.spentUsd,
    });
  } catch {
    // It is asked again next time.
  }
}

function keyOf(cache: TaskCache, mappings: readonly Mapping[], context: TaskContext): Buffer | null {
  const scope = scopeFor(mappings, context.scope);
  if (cache.key !== null) return hashOf([cache.source, evaluateMapping(cache.key, scope)]);
  try {
    return hashOf([
      cache.source,
      mappings.map((mapping) => (mapping.isConstant ? null : evaluateMapping(mapping, scope))),
      context.input,
    ]);
  } catch (error) {
    // The body says what is wrong, if anything is.
    if (error instanceof ExpressionError) return null;
    throw error;
  }
}

/** With steps of its own, so that the body has all of its. */
function scopeFor(mappings: readonly Mapping[], scope: Scope): Scope {
  const names = mappings.flatMap(({ references }) =>
    references.flatMap(({ root, path }) => (root === 'secrets' ? [String(path[0])] : [])),
  );
  const secrets = Object.fromEntries(names.map((name) => [name, `secret ${name}`]));
  return Object.assign(Object.create(null), scope, {
    secrets,
    [STEP_BUDGET]: new EvaluationBudget(),
  }) as Scope;
}

function hashOf(parts: Json): Buffer {
  return createHash('sha256').update(canonicalKey(parts)).digest();
}
