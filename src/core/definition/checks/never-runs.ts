// Finds tasks that can never run, as far as it can be proved: they need what excludes itself, or wait for what cannot
// happen. Bounded: at most MAX_FACTS facts are kept per node, so a proof may be missed but none is wrong.
import type { Plan, PlanEdge, PlanNode } from '../../plan/plan.ts';
import { groupsOf } from './guarantees.ts';

/** How a fork must have ended: `failed`, `completed`, or `branch:<name>`. */
type Fact = string;
const MAX_FACTS = 64;

export interface NeverRuns {
  readonly index: number;
  readonly why: string;
  /** Position in `dependsOn` that shows it, or null. */
  readonly edge: number | null;
}

/** The first task of each chain that can never run; those that only depend on it are not listed. */
export function findNeverRuns(plan: Plan, neverCompletes: (node: PlanNode) => boolean): NeverRuns[] {
  const found: NeverRuns[] = [];
  const isDead = new Uint8Array(plan.nodes.length);
  const facts: ReadonlyMap<number, Fact>[] = [];
  const isFork = plan.nodes.map(
    (node) => node.failureEdges.length > 0 || node.outEdges.some((edge) => edge.branch !== null),
  );
  for (const node of plan.nodes) {
    const groups = groupsOf(node);
    const own = new Map<number, Fact>();
    let problem: Omit<NeverRuns, 'index'> | null = null;
    for (const group of groups) {
      const possible = group.filter((edge) => impossible(edge, plan, isDead, neverCompletes) === null);
      if (group.length > 0 && possible.length === 0) {
        isDead[node.index] = 1;
        const cause = impossible(group[0]!, plan, isDead, neverCompletes);
        if (cause !== null && cause !== '') problem ??= { why: cause, edge: node.inEdges.indexOf(group[0]!) };
        continue;
      }
      const clash = addFacts(own, sharedFacts(possible, plan, facts, isFork));
      if (clash === null) continue;
      isDead[node.index] = 1;
      problem ??= { why: contradiction(plan, clash), edge: null };
    }
    if (problem !== null) found.push({ index: node.index, ...problem });
    facts.push(own);
  }
  return found;
}

/** Why an edge can never succeed; empty where its parent was reported already; null where it can. */
function impossible(
  edge: PlanEdge,
  plan: Plan,
  isDead: Uint8Array,
  neverCompletes: (node: PlanNode) => boolean,
): string | null {
  if (edge.on === 'any') return null;
  const parent = plan.nodes[edge.from]!;
  if (isDead[edge.from] === 1) return '';
  if (edge.on === 'failure')
    return parent.optional
      ? `the failure of "${parent.taskId}" counts as completed, since it is optional`
      : null;
  return neverCompletes(parent) && !parent.optional
    ? `"${parent.taskId}" (${parent.definition.taskType}) never completes`
    : null;
}

/** What every edge of a group implies. */
function sharedFacts(
  group: readonly PlanEdge[],
  plan: Plan,
  facts: readonly ReadonlyMap<number, Fact>[],
  isFork: readonly boolean[],
): Map<number, Fact> {
  let shared: Map<number, Fact> | null = null;
  for (const edge of group) {
    const implied = factsOf(edge, plan, facts, isFork);
    if (shared === null) {
      shared = implied;
      continue;
    }
    for (const [fork, fact] of shared) {
      const other = implied.get(fork);
      if (other === fact) continue;
      if (other === undefined || other === 'failed' || fact === 'failed') shared.delete(fork);
      else shared.set(fork, 'completed');
    }
  }
  return shared ?? new Map();
}

function factsOf(
  edge: PlanEdge,
  plan: Plan,
  facts: readonly ReadonlyMap<number, Fact>[],
  isFork: readonly boolean[],
): Map<number, Fact> {
  if (edge.on === 'any') return new Map();
  const implied = new Map(facts[edge.from]);
  if (!isFork[edge.from]) return implied;
  if (edge.on === 'failure') implied.set(edge.from, 'failed');
  else if (edge.branch !== null) implied.set(edge.from, `branch:${edge.branch}`);
  else if (!plan.nodes[edge.from]!.optional) implied.set(edge.from, 'completed');
  return implied;
}

interface Clash {
  readonly fork: number;
  readonly a: Fact;
  readonly b: Fact;
}

/** Adds facts to `own`; the first that contradicts one of them, or null. */
function addFacts(own: Map<number, Fact>, facts: ReadonlyMap<number, Fact>): Clash | null {
  for (const [fork, b] of facts) {
    const a = own.get(fork);
    if (a !== undefined && a !== b && a !== 'completed' && b !== 'completed') return { fork, a, b };
    if ((a === 'failed' || b === 'failed') && a !== undefined && a !== b) return { fork, a, b };
    if (a === undefined || a === 'completed') {
      if (own.size < MAX_FACTS || own.has(fork)) own.set(fork, b);
    }
  }
  return null;
}

function contradiction(plan: Plan, { fork, a, b }: Clash): string {
  const words = (fact: Fact): string =>
    fact.startsWith('branch:') ? `take branch "${fact.slice(7)}"` : `have ${fact}`;
  return `"${plan.nodes[fork]!.taskId}" would have to ${words(a)} and ${words(b)} at once`;
}
