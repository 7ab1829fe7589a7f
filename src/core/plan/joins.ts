// Finds the join groups of every node, once, at plan time. CONTRACT 2.1: "A task runs when no edge is failed and every
// parent succeeded; parents that are alternatives of one fork count together as one."
//
// How it is done. Each node has a *label*: the ways of the forks still open under which it can be reached. A join
// takes the labels of its in-edges apart from the innermost fork outwards: edges on disjoint ways of the fork are
// alternatives and share groups, edges on the same way are all needed; the fork is then done with, and what it made
// goes on as one term to the forks further out. So `if (c) { a and b } else { d }` joined makes {a,d} {b,d}.
//
// Readings chosen where the contract's words leave a choice (each is what makes structured programs exact):
//   J1  A way is a branch that some edge names, `other` (plain edges of the fork; success, where no branch is named),
//       or one set of `errors`. `on: failure` edges of one task with different `errors` are alternatives, so they
//       count as one ("catch A … catch B …", rejoined); with the same `errors` they run together and are both needed.
//   J2  A plain edge from a fork beside drawn ways stands for the other ways only, at run time too (`PlanNode.drawn`):
//       else a gate rejected inside `if` would be passed by on the edge that means "not taken".
//   J3  A fork is dropped from a label when all ways that any of its edges are on are covered; a join that brings all
//       named branches together covers `other`, too. So a further edge on the fork after its join is just redundant.
//   J4  A fork inside a way that was not taken is *unreached*, which is one more of its ways: this joins early exits.
//   J5  Edges that are alternatives on more than one fork stand in a group for each. Where groups of a graph that is
//       no structured program cannot be exact, the stricter reading is taken: nothing runs past a rejected gate.
//   J6  `on: any` and rules that a failure or a skip may meet lift every restriction; all_success keeps all.
// Graphs without open forks are linear. Very large ones whose forks have no structure at all get the strict reading, too:
// labels forget outer forks once the work passes a limit (ways.ts), so alternatives on them are all needed.
// Longer than most files, since it is one algorithm and the readings that it stands for.
import type { TriggerRule } from '../definition/model.ts';
import type { PlanEdge } from './plan.ts';
import {
  branchesIn,
  type Fork,
  forkOf,
  isPlainFromBranches,
  type Label,
  Labels,
  type Meter,
  UNREACHED,
  type Ways,
  wayCount,
} from './ways.ts';

/** A node as far as joins need it. */
export interface JoinNode {
  readonly triggerRule: TriggerRule | null;
  readonly inEdges: readonly PlanEdge[];
  readonly outEdges: readonly PlanEdge[];
}

/** See PlanNode. */
export interface Join {
  readonly groups: readonly (readonly number[])[];
  readonly drawn: ReadonlyMap<number, readonly string[]>;
}

/** Positions, nested as they were put together: copying them at each fork would be quadratic in nested forks. */
type Group = number | readonly Group[];

/** In-edges that are needed together: one success in each of `groups`. */
interface Term {
  readonly groups: readonly Group[];
  /** Under which the term succeeds: what the node's own label is made of. */
  readonly full: Label | null;
  /** Only adds groups; it stands in others already. */
  readonly weak: boolean;
}

/** A term that is an alternative, or not, on the fork at hand; `rest`: what it says of forks further out. */
interface Candidate {
  ways: Ways;
  readonly rest: Label | null;
  readonly term: Term;
  /** Position of a plain edge from the fork itself. */
  readonly plainAt?: number;
}

const NOTHING_DRAWN: ReadonlyMap<number, readonly string[]> = new Map();

/** Joins by node index. `nodes` stand in topological order. */
export function findJoins(nodes: readonly JoinNode[], meter: Meter = { steps: 0 }): Join[] {
  const finder = new JoinFinder(nodes, meter);
  return nodes.map((node) => finder.join(node));
}

class JoinFinder {
  readonly #forks: readonly (Fork | null)[];
  readonly #labels: Labels;

  constructor(nodes: readonly JoinNode[], meter: Meter) {
    this.#forks = nodes.map((node) => forkOf(node.outEdges));
    this.#labels = new Labels(this.#forks, meter);
  }

  /** To be called in index order: a node's label is made from those of its parents. */
  join({ inEdges, triggerRule }: JoinNode): Join {
    this.#labels.spend(inEdges.length);
    if (triggerRule !== null) {
      this.#labels.push(this.#labelByRule(triggerRule, inEdges));
      return { groups: [], drawn: NOTHING_DRAWN };
    }
    const labels = inEdges.map((edge) => this.#labels.ofEdge(edge));
    const first = labels[0] ?? null;
    const isPlain = inEdges.map((edge) => isPlainFromBranches(this.#forks[edge.from]!, edge));
    if (inEdges.length > 1 && (isPlain.includes(true) || labels.some((label) => label !== first))) {
      return this.#takeApart(inEdges, labels, isPlain);
    }
    this.#labels.push(first);
    return { groups: inEdges.map((_, at) => [at]), drawn: NOTHING_DRAWN };
  }

  #takeApart(
    inEdges: readonly PlanEdge[],
    labels: readonly (Label | null)[],
    isPlain: readonly boolean[],
  ): Join {
    const drawn = new Map<number, readonly string[]>();
    const done: Term[] = [];
    const open = new OpenForks();
    const place = (label: Label | null, term: Term): void => {
      if (label === null) done.push(term);
      else open.add(label.fork, { ways: label.ways, rest: label.rest, term });
    };
    inEdges.forEach((edge, at) => {
      const term: Term = { groups: [at], full: labels[at]!, weak: false };
      const { success } = this.#forks[edge.from] ?? { success: 0n };
      if (!isPlain[at]) place(labels[at]!, term);
      else open.add(edge.from, { ways: success, rest: this.#labels.of(edge.from), term, plainAt: at });
    });
    for (let next = open.takeInnermost(); next !== null; next = open.takeInnermost()) {
      const { fork, candidates } = next;
      this.#labels.spend(candidates.length);
      this.#settlePlainEdges(fork, candidates, drawn);
      const [{ ways, rest }] = candidates as [Candidate];
      if (open.isEmpty && candidates.every((other) => other.ways === ways && other.rest === rest)) {
        // The same on all that is further out: nothing is left to tell apart.
        for (const { term } of candidates) done.push(term);
        break;
      }
      for (const packing of this.#pack(fork, candidates)) this.#combine(packing, place);
    }
    const needed = done.filter((term) => !term.weak);
    let label = needed[0]?.full ?? null;
    for (const term of needed) label = this.#labels.both(label, term.full);
    this.#labels.push(label);
    const groups = needed.flatMap((term) => term.groups.map((group) => this.#positionsIn(group)));
    return { groups: groups.sort(compareGroups), drawn };
  }

  #positionsIn(group: Group): number[] {
    const positions = new Set<number>();
    const rest: Group[] = [group];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      this.#labels.spend(1);
      if (typeof next === 'number') positions.add(next);
      else for (const part of next) rest.push(part);
    }
    return [...positions].sort((a, b) => a - b);
  }

  /** J2: a plain edge from the fork keeps the ways that no other edge is on. */
  #settlePlainEdges(index: number, candidates: Candidate[], drawn: Map<number, readonly string[]>): void {
    if (candidates.every((candidate) => candidate.plainAt === undefined)) return;
    const fork = this.#forks[index]!;
    let taken = 0n;
    for (const { ways, plainAt } of candidates) if (plainAt === undefined) taken |= ways;
    // Beside a join of all ways a plain edge is redundant: it stands for the fork as a whole.
    const left = fork.success & ~taken;
    const ways = left === 0n ? fork.success : left;
    const branches = left === 0n ? [] : branchesIn(fork, taken);
    candidates.forEach((candidate, i) => {
      if (candidate.plainAt === undefined) return;
      if (branches.length > 0) drawn.set(candidate.plainAt, branches);
      const full = this.#labels.make(index, ways, candidate.rest);
      candidates[i] = { ...candidate, ways, term: { ...candidate.term, full } };
    });
  }

  /**
   * Sorts the candidates by their ways, and packs classes of disjoint ways together, each class into at least one
   * packing, until no further class fits. Usually all ways are disjoint and there is one packing.
   */
  #pack(fork: number, candidates: readonly Candidate[]): Candidate[][][] {
    const classes = new Map<string, Candidate[]>();
    for (const candidate of candidates) {
      const key = candidate.ways.toString(32);
      const same = classes.get(key);
      if (same === undefined) classes.set(key, [candidate]);
      else same.push(candidate);
    }
    const all = [...classes.values()];
    if (all.length === 1) return [all];
    let seen = 0n;
    const disjoint = all.every(([first]) => {
      const isNew = (seen & first!.ways) === 0n;
      seen |= first!.ways;
      return isNew;
    });
    const isWeak = (members: readonly Candidate[]): boolean => members.every(({ term }) => term.weak);
    if (disjoint && !all.some(isWeak)) return [all];

    const size = new Map(all.map((members) => [members, wayCount(members[0]!.ways)]));
    const strong = all.filter((members) => !isWeak(members));
    const largestFirst = [
      ...strong.sort((a, b) => size.get(b)! - size.get(a)!),
      ...all.filter((members) => isWeak(members)),
    ];
    const packed = new Set<Candidate[]>();
    const packings: Candidate[][][] = [];
    for (const start of largestFirst) {
      if (packed.has(start)) continue;
      const packing = [start];
      let covered = start[0]!.ways;
      const add = (members: Candidate[]): void => {
        const shared = members[0]!.ways & covered;
        if (
          shared !== 0n &&
          !(shared === UNREACHED && packing.every((other) => this.#areApart(fork, other, members)))
        )
          return;
        if (isWeak(start) && isWeak(members)) return;
        packing.push(members);
        covered |= members[0]!.ways;
      };
      this.#labels.spend(2 * largestFirst.length);
      for (const members of largestFirst) if (!packed.has(members)) add(members);
      for (const members of largestFirst) if (packed.has(members)) add(members);
      for (const members of packing) packed.add(members);
      packings.push(packing);
    }
    return packings;
  }

  /** Alternatives although both hold where the fork is unreached: there, forks further out tell them apart. */
  #areApart(fork: number, some: readonly Candidate[], others: readonly Candidate[]): boolean {
    return some.every((a) =>
      others.every(
        (b) => (a.ways & b.ways) === 0n || this.#labels.areDisjointWhereUnreached(fork, a.rest, b.rest),
      ),
    );
  }

  /** Makes one term of a packing. A class without alternatives passes on to the forks further out as it is. */
  #combine(packing: readonly Candidate[][], place: (label: Label | null, term: Term) => void): void {
    const only = packing[0]!;
    if (packing.length === 1) {
      for (const { rest, term } of only) place(rest, term);
      return;
    }
    const sides = packing.map((members) => {
      let { rest, term } = members[0]!;
      let full = term.full;
      for (const member of members) {
        rest = this.#labels.both(rest, member.rest);
        full = this.#labels.both(full, member.term.full);
      }
      return { rest, full, groups: members.flatMap((member) => member.term.groups) };
    });
    let { rest, full } = sides[0]!;
    for (const side of sides) {
      rest = this.#labels.either(rest, side.rest);
      full = this.#labels.either(full, side.full);
    }
    const count = sides.reduce((most, side) => Math.max(most, side.groups.length), 0);
    const groups: Group[] = [];
    for (let i = 0; i < count; i++) {
      this.#labels.spend(sides.length);
      groups.push(sides.map((side) => side.groups[i % side.groups.length]!));
    }
    place(rest, { groups, full, weak: false });
    // J5: what a side says of outer forks and the others do not may make it an alternative of further edges.
    for (const members of packing) {
      for (const member of members) {
        const lost = this.#lostForks(member.rest, rest, sides);
        if (lost !== null) place(lost, { ...member.term, weak: true });
      }
    }
  }

  #lostForks(own: Label | null, kept: Label | null, sides: readonly { rest: Label | null }[]): Label | null {
    if (own === kept) return null;
    const lost: Label[] = [];
    for (let at = own; at !== null && at !== kept; at = at.rest) {
      this.#labels.spend(1);
      if (sides.some((side) => !this.#labels.mentions(side.rest, at!.fork))) lost.push(at);
    }
    return lost.reduceRight<Label | null>(
      (rest, { fork, ways }) => this.#labels.make(fork, ways, rest),
      null,
    );
  }

  /** J6. */
  #labelByRule(rule: TriggerRule, inEdges: readonly PlanEdge[]): Label | null {
    const needsAll = rule === 'all_success';
    if (!needsAll && rule !== 'one_success' && rule !== 'none_failed_min_one_success') return null;
    let label = inEdges.length === 0 ? null : this.#labels.ofEdge(inEdges[0]!);
    for (const edge of inEdges) {
      const other = this.#labels.ofEdge(edge);
      label = needsAll ? this.#labels.both(label, other) : this.#labels.either(label, other);
    }
    return label;
  }
}

/** Candidates by the newest fork of their label; the fork with the highest index is innermost. */
class OpenForks {
  readonly #candidates = new Map<number, Candidate[]>();
  /** Ascending. */
  readonly #order: number[] = [];

  add(fork: number, candidate: Candidate): void {
    const list = this.#candidates.get(fork);
    if (list !== undefined) {
      list.push(candidate);
      return;
    }
    this.#candidates.set(fork, [candidate]);
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order[middle]! < fork) low = middle + 1;
      else high = middle;
    }
    this.#order.splice(low, 0, fork);
  }

  get isEmpty(): boolean {
    return this.#order.length === 0;
  }

  takeInnermost(): { fork: number; candidates: Candidate[] } | null {
    const fork = this.#order.pop();
    if (fork === undefined) return null;
    const candidates = this.#candidates.get(fork)!;
    this.#candidates.delete(fork);
    return { fork, candidates };
  }
}

function compareGroups(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((position, i) => position !== b[i]);
  return at === -1 ? a.length - b.length : a[at]! - (b[at] ?? -1);
}
