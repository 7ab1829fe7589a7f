// Makes the plan of a valid definition. Near-linear in nodes + edges; see joins.ts for what open forks cost.
import type { TriggerRule, WorkflowDefinition } from '../definition/model.ts';
import { topologicalOrder } from './graph.ts';
import { findJoins } from './joins.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';

/** Rules that can be met by a failure, or by nothing having run at all: such a task is wanted after a failure too. */
const ASKS_FOR_FAILURES: ReadonlySet<TriggerRule> = new Set([
  'all_done',
  'all_failed',
  'one_failed',
  'one_done',
  'none_skipped',
]);

/** Throws on a duplicate or unknown taskId and on a cycle: validation has refused such definitions before. */
export function buildPlan(definition: WorkflowDefinition): Plan {
  const sorted = topologicalOrder(definition.nodes);
  if (!sorted.ok) throw new Error(`cannot plan a cycle: ${sorted.cycle.join(' -> ')}`);
  const ordered = sorted.order.map((position) => definition.nodes[position]!);
  const indexOf = new Map(ordered.map((node, index) => [node.taskId, index]));
  if (indexOf.size !== ordered.length) throw new Error('cannot plan a definition that repeats a taskId');

  const outEdges: PlanEdge[][] = ordered.map(() => []);
  const inEdges: PlanEdge[][] = ordered.map((node, to) =>
    node.dependsOn.map((dependency) => {
      const from = indexOf.get(dependency.taskId);
      if (from === undefined) {
        throw new Error(`task "${node.taskId}" depends on "${dependency.taskId}", which does not exist`);
      }
      const edge: PlanEdge = {
        from,
        to,
        on: dependency.on ?? 'success',
        branch: dependency.branch ?? null,
        errors: dependency.errors ?? null,
      };
      outEdges[from]!.push(edge);
      return edge;
    }),
  );
  const joins = findJoins(
    ordered.map((node, index) => ({
      triggerRule: node.triggerRule ?? null,
      inEdges: inEdges[index]!,
      outEdges: outEdges[index]!,
    })),
  );

  const nodes: PlanNode[] = [];
  ordered.forEach((node, index) => {
    const rule = node.triggerRule ?? null;
    const asksForFailures =
      inEdges[index]!.some((edge) => edge.on !== 'success') || (rule !== null && ASKS_FOR_FAILURES.has(rule));
    nodes.push({
      index,
      taskId: node.taskId,
      definition: node,
      optional: node.optional ?? false,
      triggerRule: rule,
      inEdges: inEdges[index]!,
      outEdges: outEdges[index]!,
      failureEdges: outEdges[index]!.filter((edge) => edge.on === 'failure'),
      ...joins[index]!,
      early: {
        onSuccess: rule === 'one_success' || rule === 'one_done',
        onFailure: rule === 'one_failed' || rule === 'one_done',
      },
      staysAfterFailure:
        asksForFailures || inEdges[index]!.some((edge) => nodes[edge.from]!.staysAfterFailure),
    });
  });
  return {
    definition,
    nodes,
    indexOf,
    failurePolicy: definition.failurePolicy ?? 'finish_running',
    roots: nodes.filter((node) => node.inEdges.length === 0).map((node) => node.index),
    leaves: nodes.filter((node) => node.outEdges.length === 0).map((node) => node.index),
  };
}
