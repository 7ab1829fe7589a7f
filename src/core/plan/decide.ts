// Decides one node from what became of its parents, and an edge from what became of its parent: the tables of
// CONTRACT 2.1. Looks at nothing but the node's own edges, so a whole run costs O(nodes + edges).
//   D1  A node without an early rule is decided only when all its parents are terminal, so the decision does not
//       depend on the order in which they ended.
//   D2  An early rule only brings `run` forward: it never says something else than it would say at the end.
//   D3  With all parents terminal the answer is never `wait`: nothing can be left pending.
import type { TriggerRule } from '../definition/model.ts';
import { assertNever, matchesAnyErrorCode } from '../errors.ts';
import { isTerminalTask, type SkipReason, type TaskStatus } from '../status.ts';
import type { WaitKind } from '../wait.ts';
import type { PlanEdge, PlanNode } from './plan.ts';

/** What the planner needs to know of a task. */
export interface TaskState {
  readonly status: TaskStatus;
  /** Of a skipped task. */
  readonly reason?: SkipReason | null;
  /** The way that a completed fork chose; null or absent: none. */
  readonly branch?: string | null;
  /** Of a failed task, and of a retrying one its last. */
  readonly errorCode?: string | null;
  /** Of a waiting task. */
  readonly waitingOn?: WaitKind | null;
}

export type EdgeOutcome = 'success' | 'failed' | 'skipped' | 'pending';

export type Decision =
  | { readonly kind: 'wait' }
  | { readonly kind: 'run' }
  | { readonly kind: 'skip'; readonly reason: SkipReason };

const WAIT: Decision = { kind: 'wait' };
const RUN: Decision = { kind: 'run' };
const skip = (reason: SkipReason): Decision => ({ kind: 'skip', reason });

function matches(edge: PlanEdge, errorCode: string | null | undefined): boolean {
  return edge.errors === null || matchesAnyErrorCode(edge.errors, errorCode ?? '');
}

/** The `on: failure` edges that match. None for an optional task: its failure counts as completed. */
export function matchingFailureEdges(node: PlanNode, errorCode: string | null | undefined): PlanEdge[] {
  return node.optional ? [] : node.failureEdges.filter((edge) => matches(edge, errorCode));
}

/** The table of edge outcomes in CONTRACT 2.1. `parent` is the node at `edge.from`, `state` its state. */
export function edgeOutcome(edge: PlanEdge, parent: PlanNode, state: TaskState): EdgeOutcome {
  if (!isTerminalTask(state.status)) return 'pending';
  if (edge.on === 'any') return 'success';
  if (state.status === 'completed' || (state.status === 'failed' && parent.optional)) {
    if (edge.on === 'failure') return 'skipped';
    if (edge.branch === null) return 'success';
    return state.status === 'completed' && state.branch === edge.branch ? 'success' : 'skipped';
  }
  if (state.status === 'failed') {
    if (edge.on === 'failure') return matches(edge, state.errorCode) ? 'success' : 'skipped';
    return parent.failureEdges.some((other) => matches(other, state.errorCode)) ? 'skipped' : 'failed';
  }
  const failedAbove = state.status === 'skipped' && state.reason === 'upstream_failed';
  return failedAbove && edge.on === 'success' ? 'failed' : 'skipped';
}

/**
 * Whether a pending node runs now. `outcomes` and `parents` (the states they were made from) stand in the order of
 * `node.inEdges`. A root runs.
 */
export function decide(
  node: PlanNode,
  outcomes: readonly EdgeOutcome[],
  parents: readonly TaskState[],
): Decision {
  const count = { success: 0, failed: 0, skipped: 0, pending: 0 };
  for (const outcome of outcomes) count[outcome]++;
  if (node.early.onSuccess && count.success > 0) return RUN;
  if (node.early.onFailure && count.failed > 0) return RUN;
  if (count.pending > 0) return WAIT;
  if (outcomes.length === 0) return RUN;
  if (node.triggerRule !== null) return byTriggerRule(node.triggerRule, count);
  if (count.failed > 0) return skip('upstream_failed');
  const unmet = node.groups.find((group) => !group.some((at) => meets(node, at, outcomes, parents)));
  return unmet === undefined ? RUN : skip(whyUnmet(unmet, outcomes, parents));
}

/** A success meets its group, unless it is a plain edge from a fork whose chosen way is drawn by another edge. */
function meets(
  node: PlanNode,
  at: number,
  outcomes: readonly EdgeOutcome[],
  parents: readonly TaskState[],
): boolean {
  if (outcomes[at] !== 'success') return false;
  const drawn = node.drawn.get(at);
  const branch = parents[at]!.branch;
  return drawn === undefined || branch == null || !drawn.includes(branch);
}

/** A parent that ran itself and yet does not lead here went another way; one that never ran was skipped. */
function whyUnmet(
  group: readonly number[],
  outcomes: readonly EdgeOutcome[],
  parents: readonly TaskState[],
): SkipReason {
  const wentElsewhere = group.some((at) => {
    const { status } = parents[at]!;
    return outcomes[at] === 'skipped' && (status === 'completed' || status === 'failed');
  });
  return wentElsewhere ? 'branch_not_taken' : 'upstream_skipped';
}

/**
 * Airflow's rules over the outcomes of ended parents (airflow/ti_deps/deps/trigger_rule_dep.py); `failed` includes
 * upstream_failed. Where Airflow would mark the task UPSTREAM_FAILED the reason is `upstream_failed`.
 */
function byTriggerRule(
  rule: TriggerRule,
  count: { readonly success: number; readonly failed: number; readonly skipped: number },
): Decision {
  const { success, failed, skipped } = count;
  switch (rule) {
    case 'all_success':
      if (failed > 0) return skip('upstream_failed');
      return skipped > 0 ? skip('upstream_skipped') : RUN;
    case 'all_done':
      return RUN;
    case 'all_failed':
      return success + skipped > 0 ? skip('upstream_skipped') : RUN;
    case 'none_failed':
      return failed > 0 ? skip('upstream_failed') : RUN;
    case 'none_failed_min_one_success':
      if (failed > 0) return skip('upstream_failed');
      return success === 0 ? skip('upstream_skipped') : RUN;
    case 'none_skipped':
      return skipped > 0 ? skip('upstream_skipped') : RUN;
    case 'one_success':
      if (success > 0) return RUN;
      return skip(failed > 0 ? 'upstream_failed' : 'upstream_skipped');
    case 'one_failed':
      return failed > 0 ? RUN : skip('upstream_skipped');
    case 'one_done':
      return success + failed > 0 ? RUN : skip('upstream_skipped');
    default:
      return assertNever(rule);
  }
}
