// Concludes an execution whose tasks are all terminal (CONTRACT 2.1): failed, or completed with or without errors.
import { matchingFailureEdges, type TaskState } from './decide.ts';
import type { Plan } from './plan.ts';

export interface Conclusion {
  readonly status: 'completed' | 'failed';
  /** Index of the first task, in plan order, whose failure was neither caught nor optional. Its error is the execution's. */
  readonly failedTask: number | null;
  /** Completed although something failed: it was caught or optional. */
  readonly completedWithErrors: boolean;
}

/** `states` by node index, all terminal. */
export function conclude(plan: Plan, states: readonly TaskState[]): Conclusion {
  let forgiven = false;
  for (const node of plan.nodes) {
    const state = states[node.index]!;
    if (state.status !== 'failed') continue;
    const caught = matchingFailureEdges(node, state.errorCode).some(
      (edge) => states[edge.to]!.status === 'completed',
    );
    if (!caught && !node.optional) {
      return { status: 'failed', failedTask: node.index, completedWithErrors: false };
    }
    forgiven = true;
  }
  return { status: 'completed', failedTask: null, completedWithErrors: forgiven };
}
