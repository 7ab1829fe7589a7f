// The edges out of a task that has ended.
import { edgeOutcome, type TaskState } from '../../core/plan/decide.ts';
import type { ChildEdge } from '../../db/protocol/settlement.ts';
import type { CompiledNode, CompiledPlan } from '../memory/compiled.ts';

/** What becomes of them, and whether nothing but its children can follow from them (T1 of settling.ts). */
export function edgesOutOf(
  { nodes }: CompiledPlan,
  { plan }: CompiledNode,
  state: TaskState,
): { readonly edges: readonly ChildEdge[]; readonly areLocal: boolean } {
  let areLocal = state.status === 'completed' || (state.status === 'failed' && plan.optional);
  const edges = plan.outEdges.map((edge): ChildEdge => {
    const outcome = edgeOutcome(edge, plan, state);
    if (outcome !== 'success') areLocal = false;
    const child = nodes[edge.to]!;
    return {
      taskId: child.plan.taskId,
      outcome: outcome === 'pending' ? 'skipped' : outcome,
      isPure: child.type.isPure,
      isOnly: child.plan.inEdges.length === 1,
    };
  });
  return { edges, areLocal };
}
