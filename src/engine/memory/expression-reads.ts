// What the expressions of a node, or the output of a definition, read of other tasks and of the tenant's variables.
import type { Mapping } from '../../core/expression/mapping.ts';
import type { Plan, PlanNode } from '../../core/plan/plan.ts';

/** Indexes of the tasks that the expressions read; all ancestors (or all tasks) where `tasks` is read as a whole. */
export function readsOf(
  mappings: readonly Mapping[],
  plan: Plan,
  reader: PlanNode | null,
): readonly number[] {
  const reads = new Set<number>();
  for (const { references } of mappings) {
    for (const { root, path } of references) {
      if (root !== 'tasks' && root !== '$') continue;
      const named = root === 'tasks' && typeof path[0] === 'string' ? plan.indexOf.get(path[0]) : undefined;
      if (named !== undefined) reads.add(named);
      else if (path.length === 0 || root === '$')
        for (const index of ancestorsOf(plan, reader)) reads.add(index);
    }
  }
  return [...reads];
}

/** Names of the variables that they read: validation lets them be read by name only. */
export function variablesOf(mappings: readonly Mapping[]): readonly string[] {
  const names = mappings.flatMap(({ references }) =>
    references.flatMap(({ root, path }) => (root === 'variables' ? String(path[0]) : [])),
  );
  return [...new Set(names)];
}

function ancestorsOf(plan: Plan, reader: PlanNode | null): Iterable<number> {
  if (reader === null) return plan.nodes.keys();
  const seen = new Set<number>();
  const open = [reader.index];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const { from } of plan.nodes[at]!.inEdges) {
      if (seen.has(from)) continue;
      seen.add(from);
      open.push(from);
    }
  }
  return seen;
}
