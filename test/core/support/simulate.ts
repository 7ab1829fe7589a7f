// Runs a plan in memory with the pure functions of the planner alone: what the engine does with rows and locks, in a
// loop. Tasks end in a random order; each passes through other statuses on its way if the test says so.
import { type Advance, type AdvanceInput, advance } from '../../../src/core/plan/advance.ts';
import { type Conclusion, conclude } from '../../../src/core/plan/conclude.ts';
import { decide, edgeOutcome, type TaskState } from '../../../src/core/plan/decide.ts';
import type { Plan, PlanNode } from '../../../src/core/plan/plan.ts';
import { isTerminalTask } from '../../../src/core/status.ts';
import { below, type Random } from './random.ts';

/** What a task ends as when its body runs; `via`: statuses that it passes through first. */
export interface Script {
  readonly end: TaskState;
  readonly via?: readonly TaskState[];
}

export interface Simulation {
  readonly plan: Plan;
  readonly scriptOf: (node: PlanNode) => Script;
  readonly random: Random;
  /** Also computes each closure from states loaded only as asked for, with edge counters, and compares. */
  readonly lazily?: boolean;
}

export interface Simulated {
  readonly states: readonly TaskState[];
  /** By node: its body was entered. */
  readonly ran: readonly boolean[];
  readonly conclusion: Conclusion | null;
  /** Tasks that nothing will ever wake: must be empty. */
  readonly stuck: readonly string[];
}

const PENDING: TaskState = { status: 'pending' };
const RUNNING: TaskState = { status: 'running' };

export function simulate({ plan, scriptOf, random, lazily = false }: Simulation): Simulated {
  const states: TaskState[] = plan.nodes.map(() => PENDING);
  const ran = plan.nodes.map(() => false);
  const steps = plan.nodes.map(() => 0);
  const awake = new Set(plan.roots);
  let failing = false;

  const settle = (index: number, state: TaskState): void => {
    const input = {
      plan,
      read: (i: number) => states[i],
      ended: [{ index, state }],
      alreadyFailing: failing,
    };
    const result = advance(input);
    if (lazily) expectSame(result, advanceLazily(input));
    if (result.kind !== 'done') throw new Error('asked for states that were there');
    failing = result.failing;
    const changed = [index];
    states[index] = state;
    for (const end of result.ends) {
      if (isTerminalTask(states[end.index]!.status)) throw new Error(`ended twice: ${end.index}`);
      states[end.index] = { ...states[end.index], status: end.status, reason: end.reason };
      changed.push(end.index);
    }
    for (const ended of changed) awake.delete(ended);
    for (const ended of changed) {
      for (const { to } of plan.nodes[ended]!.outEdges) if (mayRun(plan, to, states)) awake.add(to);
    }
  };

  let list = [...awake];
  for (; list.length > 0; list = [...awake]) {
    const index = list[below(random, list.length)]!;
    const script = scriptOf(plan.nodes[index]!);
    if (states[index]!.status === 'pending') {
      ran[index] = true;
      states[index] = RUNNING;
      continue;
    }
    const via = script.via?.[steps[index]!++];
    if (via !== undefined) states[index] = via;
    else settle(index, script.end);
  }
  const stuck = plan.nodes.filter((node) => !isTerminalTask(states[node.index]!.status));
  return {
    states,
    ran,
    conclusion: stuck.length === 0 ? conclude(plan, states) : null,
    stuck: stuck.map((node) => node.taskId),
  };
}

function expectSame(eager: Advance, lazy: Advance): void {
  const [one, other] = [eager, lazy].map((result) =>
    result.kind === 'done'
      ? JSON.stringify({ ...result, ends: result.ends.toSorted((a, b) => a.index - b.index) })
      : 'need',
  );
  if (one !== other) throw new Error(`loaded at once ${one}, loaded as asked ${other}`);
}

function mayRun(plan: Plan, index: number, states: readonly TaskState[]): boolean {
  if (states[index]!.status !== 'pending') return false;
  const node = plan.nodes[index]!;
  const parents = node.inEdges.map((edge) => states[edge.from]!);
  const outcomes = node.inEdges.map((edge, at) => edgeOutcome(edge, plan.nodes[edge.from]!, parents[at]!));
  return decide(node, outcomes, parents).kind === 'run';
}

/** As an engine would that loads only what it is asked for. Throws where `need` asks again for what it has. */
export function advanceLazily(input: AdvanceInput): Advance {
  const loaded = new Set<number>();
  const openEdges = (index: number): number =>
    input.plan.nodes[index]!.inEdges.filter((edge) => !isTerminalTask(input.read(edge.from)!.status)).length;
  for (;;) {
    const result = advance({
      ...input,
      openEdges,
      read: (index) => (loaded.has(index) ? input.read(index) : undefined),
    });
    if (result.kind === 'done') return result;
    for (const index of result.indexes) {
      if (loaded.has(index)) throw new Error(`asked twice for ${index}`);
      loaded.add(index);
    }
  }
}
