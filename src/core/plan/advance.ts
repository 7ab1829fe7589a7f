// The closure of all ends that are determined when some tasks end: skips that follow, an uncaught failure, and what
// the failure policy then ends (CONTRACT 2.1). Pure: takes states, returns ends. It starts nothing: a task that may run
// is woken by the engine's edge counters, and its claim asks `decide`.
//   A1  An end is in the closure once, and only if the state that was read is not terminal.
//   A2  What follows from ends follows before the policy acts, so a descendant of the failure whose parents are all
//       terminal is `upstream_failed`, not `execution_failed`.
//   A3  The policy acts once in the life of an execution: in the closure that brings the first uncaught failure.
//   A4  The answer is the same whether all states are loaded from the start or only those asked for by `need`.
// Cost: each edge of a node that ends is looked at a bounded number of times; only A3 looks at every node.

import { assertNever } from '../errors.ts';
import { isTerminalTask, type SkipReason } from '../status.ts';
import { failureActionOf } from '../wait.ts';
import { decide, edgeOutcome, matchingFailureEdges, type TaskState } from './decide.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';

/** A task that has just become terminal. */
export interface Ended {
  readonly index: number;
  readonly state: TaskState;
}

/** An end that follows; to be written in the same transaction. */
export interface DeterminedEnd {
  readonly index: number;
  readonly status: 'skipped' | 'failed' | 'cancelled';
  readonly reason: SkipReason | null;
}

export interface AdvanceInput {
  readonly plan: Plan;
  /** States as they were before `ended`; undefined: not loaded. */
  readonly read: (index: number) => TaskState | undefined;
  readonly ended: readonly Ended[];
  /** An uncaught failure came before: the policy has acted. */
  readonly alreadyFailing: boolean;
  /**
   * In-edges of a task whose parents were not terminal before `ended`, where the caller counts them. With it a join
   * of thousands is not looked into before its last parent ended.
   */
  readonly openEdges?: (index: number) => number | undefined;
}

export type Advance =
  /** Call again with at least these loaded. */
  | { readonly kind: 'need'; readonly indexes: readonly number[] }
  | {
      readonly kind: 'done';
      /** Causes before consequences. A `failed` one was retrying and keeps its last error. */
      readonly ends: readonly DeterminedEnd[];
      /** There is an uncaught failure, old or new; under `continue` too. */
      readonly failing: boolean;
      /** Waiting tasks whose wait now winds down: what they wait for ends under the same policy. They are not in `ends`. */
      readonly windDown: readonly number[];
    };

/** See the header. `ended` holds each index once. */
export function advance(input: AdvanceInput): Advance {
  return new Closure(input).run();
}

class Closure {
  readonly #plan: Plan;
  readonly #input: AdvanceInput;
  readonly #terminal = new Map<number, TaskState>();
  readonly #queue: number[] = [];
  readonly #ends: DeterminedEnd[] = [];
  readonly #windDown: number[] = [];
  readonly #needed = new Set<number>();
  /** In-edges of a child that were seen to end in this closure. */
  readonly #endedEdges = new Map<number, number>();
  /** Position of the first in-edge (of a child) or matching failure edge (of a failed task) that is still open. */
  readonly #openParent = new Map<number, number>();
  readonly #openTarget = new Map<number, number>();
  readonly #matching = new Map<number, readonly PlanEdge[]>();
  #at = 0;
  #failing: boolean;

  constructor(input: AdvanceInput) {
    this.#plan = input.plan;
    this.#input = input;
    this.#failing = input.alreadyFailing;
    for (const { index, state } of input.ended) this.#enqueue(index, state);
  }

  run(): Advance {
    this.#propagate();
    if (this.#failing && !this.#input.alreadyFailing && this.#plan.failurePolicy !== 'continue') {
      for (const { index } of this.#plan.nodes) this.#state(index);
      if (this.#needed.size === 0) {
        for (const node of this.#plan.nodes) this.#applyPolicy(node);
        this.#propagate();
      }
    }
    if (this.#needed.size > 0) return { kind: 'need', indexes: [...this.#needed].sort((a, b) => a - b) };
    return { kind: 'done', ends: this.#ends, failing: this.#failing, windDown: this.#windDown };
  }

  /** The state as of this moment of the closure; asks for it where it is not loaded. */
  #state(index: number): TaskState | undefined {
    const state = this.#terminal.get(index) ?? this.#input.read(index);
    if (state === undefined) this.#needed.add(index);
    return state;
  }

  #enqueue(index: number, state: TaskState): void {
    this.#terminal.set(index, state);
    this.#queue.push(index);
  }

  #end(index: number, state: TaskState & { readonly status: DeterminedEnd['status'] }): void {
    this.#ends.push({ index, status: state.status, reason: state.reason ?? null });
    this.#enqueue(index, state);
  }

  #propagate(): void {
    for (; this.#at < this.#queue.length; this.#at++) {
      const node = this.#plan.nodes[this.#queue[this.#at]!]!;
      if (!this.#failing) this.#judgeFailures(node);
      for (const edge of node.outEdges) this.#judgeChild(edge);
    }
  }

  /** Ends the child if all its parents have ended and it may not run. */
  #judgeChild({ to }: PlanEdge): void {
    const open = this.#input.openEdges?.(to);
    if (open !== undefined) {
      const endedEdges = (this.#endedEdges.get(to) ?? 0) + 1;
      this.#endedEdges.set(to, endedEdges);
      if (endedEdges < open) return;
    }
    const child = this.#plan.nodes[to]!;
    const state = this.#state(to);
    if (state !== undefined && state.status !== 'pending') return;
    if (!this.#haveAllParentsEnded(child) || state === undefined) return;
    const parents = child.inEdges.map((edge) => this.#state(edge.from)!);
    const outcomes = child.inEdges.map((edge, at) =>
      edgeOutcome(edge, this.#plan.nodes[edge.from]!, parents[at]!),
    );
    const decision = decide(child, outcomes, parents);
    switch (decision.kind) {
      case 'run':
        return;
      case 'skip':
        this.#end(to, { status: 'skipped', reason: decision.reason });
        return;
      case 'wait':
        throw new Error(`task "${child.taskId}" waits although all its parents ended`);
      default:
        assertNever(decision);
    }
  }

  /** False too while a state is missing; missing ones are asked for only if no known parent is still open. */
  #haveAllParentsEnded(child: PlanNode): boolean {
    const missing: number[] = [];
    let at = this.#openParent.get(child.index) ?? 0;
    for (let settled = true; at < child.inEdges.length; at++) {
      const { from } = child.inEdges[at]!;
      const state = this.#terminal.get(from) ?? this.#input.read(from);
      if (state === undefined) missing.push(from);
      else if (!isTerminalTask(state.status)) return false;
      settled &&= state !== undefined;
      if (settled) this.#openParent.set(child.index, at + 1);
    }
    for (const from of missing) this.#needed.add(from);
    return missing.length === 0;
  }

  /** Uncaught now: the failure of the node that ended, or one that the node was the last to have a chance to catch. */
  #judgeFailures(node: PlanNode): void {
    const state = this.#terminal.get(node.index)!;
    if (state.status === 'failed') this.#judgeFailure(node, state);
    if (state.status === 'completed') return;
    for (const edge of node.inEdges) {
      if (edge.on !== 'failure') continue;
      const parent = this.#state(edge.from);
      if (parent?.status === 'failed') this.#judgeFailure(this.#plan.nodes[edge.from]!, parent);
    }
  }

  /** Sets failing if no target of a matching edge has completed or still can. */
  #judgeFailure(node: PlanNode, { errorCode }: TaskState): void {
    if (node.optional) return;
    const edges = this.#matching.get(node.index) ?? matchingFailureEdges(node, errorCode);
    this.#matching.set(node.index, edges);
    let at = this.#openTarget.get(node.index) ?? 0;
    for (; at < edges.length; at++) {
      const target = this.#state(edges[at]!.to);
      if (target === undefined || target.status === 'completed' || !isTerminalTask(target.status)) break;
    }
    this.#openTarget.set(node.index, at);
    if (at === edges.length) this.#failing = true;
  }

  /** The columns finish_running and fail_fast of the failure policy table. */
  #applyPolicy(node: PlanNode): void {
    const state = this.#state(node.index)!;
    const isFast = this.#plan.failurePolicy === 'fail_fast';
    switch (state.status) {
      case 'pending':
        if (!node.staysAfterFailure) this.#end(node.index, { status: 'skipped', reason: 'execution_failed' });
        return;
      case 'retrying':
        this.#end(node.index, { status: 'failed', errorCode: state.errorCode });
        return;
      case 'waiting':
        this.#applyToWait(node, state);
        return;
      case 'running':
        if (isFast) this.#end(node.index, { status: 'cancelled' });
        return;
      case 'completed':
      case 'failed':
      case 'skipped':
      case 'cancelled':
        return;
      default:
        assertNever(state.status);
    }
  }

  #applyToWait(node: PlanNode, { waitingOn }: TaskState): void {
    const action = failureActionOf(waitingOn, this.#plan.failurePolicy);
    switch (action) {
      case 'cancel':
        this.#end(node.index, { status: 'cancelled' });
        return;
      case 'wind_down':
        this.#windDown.push(node.index);
        return;
      case 'stay':
        return;
      default:
        assertNever(action);
    }
  }
}
