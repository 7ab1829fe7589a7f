// A workload as a definition that a user of this engine would write.
import { assertNever } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type Node, nodesOf, type Workload } from '../workloads.ts';

/** `stepType` is the task type of the nodes that have a body. */
export function documentOf(workload: Workload, stepType: string): JsonObject {
  return {
    workflowId: `bench-${workload.name}`,
    nodes: nodesOf(workload).map((node) => ({
      taskId: node.taskId,
      dependsOn: node.parents.map(({ taskId, kind }) =>
        kind === 'condition' ? { taskId, branch: 'true' } : taskId,
      ),
      ...taskOf(node, stepType),
    })),
  };
}

// Pure nodes evaluate what reads their parent, so that nothing about them could be known beforehand.
function taskOf({ kind, parents }: Node, stepType: string): { taskType: string; config: JsonObject } {
  const parent = parents[0]?.taskId;
  switch (kind) {
    case 'step':
      return { taskType: stepType, config: {} };
    case 'transformation':
      return { taskType: kind, config: { output: { from: `$.tasks.${parent}.output` } } };
    case 'condition':
      return { taskType: kind, config: { expression: `tasks.${parent}.status == 'completed'` } };
    case 'aggregation':
      return { taskType: kind, config: { strategy: 'count' } };
    default:
      return assertNever(kind);
  }
}
