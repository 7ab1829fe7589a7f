// Judges whether a claimed task runs: by its parents' ends, then by its condition. Reads, and writes nothing.
import { evaluateCondition } from '../../core/expression/mapping.ts';
import type { Scope } from '../../core/expression/scope.ts';
import type { Json } from '../../core/json.ts';
import { decide, edgeOutcome } from '../../core/plan/decide.ts';
import type { SkipReason } from '../../core/status.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode } from '../memory/compiled.ts';
import { resultsOf, stateOf, type TaskResult } from '../memory/memory.ts';
import { loadAttemptScope } from './attempt-scope.ts';
import type { Work } from './work.ts';

/** What a body is performed with. */
export interface Ground {
  readonly results: ReadonlyMap<number, TaskResult>;
  readonly scope: Scope;
  readonly readInput: () => Json;
}

const NOTHING_AHEAD: ReadonlyMap<number, TaskResult> = new Map();

export type Verdict =
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'run'; readonly ground: Ground };

/** `ahead`: by node index, ends that are not recorded yet. */
export async function judge(
  worker: WorkerContext,
  work: Work,
  ahead: ReadonlyMap<number, TaskResult> = NOTHING_AHEAD,
): Promise<Verdict> {
  const { memory, node, runnable, claim } = work;
  const needed = neededResults(node);
  for (const index of ahead.keys()) needed.delete(index);
  const { statesOnly } = node;
  const results = await resultsOf(worker.pool, memory, needed, {
    name: `Task "${claim.taskId}"`,
    statesOnly,
  });
  for (const [index, result] of ahead) results.set(index, result);
  // What was woken has been judged before; the edges of a part are those of its fan-out.
  const isNew = claim.phase === null;
  const reason = isNew && claim.mapIndex < 0 ? whySkipped(work, results) : null;
  if (reason !== null) return { kind: 'skip', reason };
  const { scope, readInput } = await loadAttemptScope(worker, work, results);
  const { condition } = runnable;
  if (isNew && condition !== null) {
    const holds = await eventLoop.run(memory.row.tenantId, () => evaluateCondition(condition, scope));
    if (!holds) return { kind: 'skip', reason: 'condition_false' };
  }
  return { kind: 'run', ground: { results, scope, readInput } };
}

/** Direct parents (to decide, and for default inputs) and whatever the expressions read, by node index. */
export function neededResults(node: CompiledNode): Set<number> {
  const indexes = new Set(node.reads);
  for (const { from } of node.plan.inEdges) indexes.add(from);
  return indexes;
}

function whySkipped({ memory, node }: Work, results: ReadonlyMap<number, TaskResult>): SkipReason | null {
  const parents = node.plan.inEdges.map((edge) => stateOf(results.get(edge.from)));
  const outcomes = node.plan.inEdges.map((edge, i) =>
    edgeOutcome(edge, memory.compiled.plan.nodes[edge.from]!, parents[i]!),
  );
  const decision = decide(node.plan, outcomes, parents);
  if (decision.kind === 'run') return null;
  // `wait` cannot be: it was woken because its edges allow it.
  return decision.kind === 'skip' ? decision.reason : 'upstream_skipped';
}
