// Labels: under which ways of the open forks a node can be reached, and their algebra. Used by joins.ts only.
// A label is a shared list, newest fork first; equal labels are one object, so what is common to many nodes is stored
// and compared once. Steps are counted, since a graph can be built to make labels differ everywhere.
import type { PlanEdge } from './plan.ts';

/** A set of ways of one fork. */
export type Ways = bigint;
/** The fork itself is in a way that was not taken. */
export const UNREACHED: Ways = 1n;
/** None of the named branches; for a fork that names none: success. */
const OTHER: Ways = 2n;

export interface Fork {
  readonly wayOf: ReadonlyMap<string, Ways>;
  /** All ways after a success: `other` and the branches. */
  readonly success: Ways;
  /** The ways that out-edges are on, without `unreached`. */
  readonly all: Ways;
}

/** Null: always reached. */
export interface Label {
  readonly id: number;
  readonly fork: number;
  readonly ways: Ways;
  readonly rest: Label | null;
}

/** Counts the steps of planning. */
export interface Meter {
  steps: number;
}

/**
 * Where labels differ everywhere (thousands of forks without structure), merged ones keep only the newest forks from
 * the first number of steps on (a quarter of a second), none from the second: the strict reading, in bounded time.
 */
const KEEP_ALL_UNTIL = 5_000_000;
const KEEP_SOME_UNTIL = 20_000_000;
const SOME = 8;

const failureKey = (errors: readonly string[] | null): string =>
  errors === null || errors.includes('*') ? 'failure *' : `failure ${[...new Set(errors)].sort().join(' ')}`;
const branchKey = (branch: string): string => `branch ${branch}`;

/** Null for a node that is no fork. */
export function forkOf(outEdges: readonly PlanEdge[]): Fork | null {
  if (!outEdges.some((edge) => edge.branch !== null || edge.on === 'failure')) return null;
  const wayOf = new Map<string, Ways>();
  let [success, all, next] = [OTHER, 0n, OTHER << 1n];
  for (const edge of outEdges) {
    if (edge.on === 'any') continue;
    if (edge.branch === null && edge.on === 'success') {
      all |= OTHER;
      continue;
    }
    const key = edge.branch === null ? failureKey(edge.errors) : branchKey(edge.branch);
    if (wayOf.has(key)) continue;
    wayOf.set(key, next);
    all |= next;
    if (edge.branch !== null) success |= next;
    next <<= 1n;
  }
  return { wayOf, success, all };
}

/** The ways on which this out-edge of the fork succeeds; a plain edge succeeds after every success. */
export function waysOf(fork: Fork, edge: PlanEdge): Ways {
  if (edge.branch !== null) return fork.wayOf.get(branchKey(edge.branch))!;
  return edge.on === 'success' ? fork.success : fork.wayOf.get(failureKey(edge.errors))!;
}

/** Names of the branches in a set of ways. */
export function branchesIn(fork: Fork, ways: Ways): string[] {
  return [...fork.wayOf].flatMap(([key, way]) =>
    key.startsWith('branch ') && (way & ways) !== 0n ? [key.slice('branch '.length)] : [],
  );
}

/** A plain edge from a fork with branches: what it stands for depends on the other edges of the join. */
export function isPlainFromBranches(fork: Fork | null, edge: PlanEdge): boolean {
  return fork !== null && fork.success !== OTHER && edge.on === 'success' && edge.branch === null;
}

export function wayCount(ways: Ways): number {
  return ways.toString(2).replaceAll('0', '').length;
}

export class Labels {
  readonly #forks: readonly (Fork | null)[];
  readonly #reached: (Label | null)[] = [];
  readonly #interned = new Map<string, Label>();
  readonly #meter: Meter;

  constructor(forks: readonly (Fork | null)[], meter: Meter) {
    this.#forks = forks;
    this.#meter = meter;
  }

  /** Records the label of the next node, in index order. */
  push(label: Label | null): void {
    this.#reached.push(label);
  }

  of(index: number): Label | null {
    return this.#reached[index]!;
  }

  /** Under which the edge succeeds. */
  ofEdge(edge: PlanEdge): Label | null {
    if (edge.on === 'any') return null;
    const fork = this.#forks[edge.from]!;
    const label = this.of(edge.from);
    return fork === null ? label : this.make(edge.from, waysOf(fork, edge), label);
  }

  /** A fork all of whose ways are covered says nothing and is left out. */
  make(fork: number, ways: Ways, rest: Label | null): Label | null {
    const { all } = this.#forks[fork]!;
    if ((ways & all) === all) return rest;
    const key = `${fork} ${rest?.id ?? ''} ${ways.toString(32)}`;
    let label = this.#interned.get(key);
    if (label === undefined) {
      this.spend(20);
      label = { id: this.#interned.size, fork, ways, rest };
      this.#interned.set(key, label);
    }
    return label;
  }

  /** Reached when both are. */
  both(a: Label | null, b: Label | null): Label | null {
    return this.#merge(a, b, {
      shared: (x, y) => x & y || x,
      single: (ways) => ways,
    });
  }

  /** Reached when either is: a fork that only one side mentions restricts nothing, unless the other excludes it (J4 of joins.ts). */
  either(a: Label | null, b: Label | null): Label | null {
    return this.#merge(a, b, {
      shared: (x, y, fork) => this.#covered(fork, x, y),
      single: (ways, fork, other) => (this.areDisjoint(other, this.of(fork)) ? ways | UNREACHED : null),
    });
  }

  #merge(
    first: Label | null,
    second: Label | null,
    rule: {
      shared: (a: Ways, b: Ways, fork: number) => Ways;
      single: (ways: Ways, fork: number, other: Label | null) => Ways | null;
    },
  ): Label | null {
    let [a, b] = [first, second];
    const entries: [number, Ways][] = [];
    while (a !== b) {
      this.spend(1);
      if (a !== null && b !== null && a.fork === b.fork) {
        entries.push([a.fork, rule.shared(a.ways, b.ways, a.fork)]);
        a = a.rest;
        b = b.rest;
      } else {
        const isFirst: boolean = b === null || (a !== null && a.fork > b.fork);
        const own: Label = (isFirst ? a : b)!;
        const ways = rule.single(own.ways, own.fork, isFirst ? second : first);
        if (ways !== null) entries.push([own.fork, ways]);
        if (isFirst) a = own.rest;
        else b = own.rest;
      }
    }
    const kept = this.#forksKept();
    if (entries.length > kept) {
      entries.length = kept;
      a = null;
    }
    return entries.reduceRight<Label | null>((rest, [fork, ways]) => this.make(fork, ways, rest), a);
  }

  /** True when no run reaches both. Looks at each fork alone, so false may also mean that it cannot tell. */
  areDisjoint(first: Label | null, second: Label | null): boolean {
    let [a, b] = [first, second];
    while (a !== b && a !== null && b !== null) {
      this.spend(1);
      if (a.fork === b.fork) {
        if ((a.ways & b.ways) === 0n) return true;
        a = a.rest;
        b = b.rest;
      } else if (a.fork > b.fork) a = a.rest;
      else b = b.rest;
    }
    return false;
  }

  /** A join of all named branches covers what no edge names, too (J3 of joins.ts). */
  #covered(fork: number, x: Ways, y: Ways): Ways {
    const named = this.#forks[fork]!.success & ~OTHER;
    const isComplete = ((x | y) & named) === named && (x & named) !== named && (y & named) !== named;
    return isComplete ? x | y | OTHER : x | y;
  }

  /** True when the label says something of the fork. */
  mentions(label: Label | null, fork: number): boolean {
    let at = label;
    for (; at !== null && at.fork > fork; at = at.rest) this.spend(1);
    return at?.fork === fork;
  }

  /**
   * The same for labels that may both hold where `fork` was not reached: one case for each entry of the fork's own
   * label, the entry not holding while those further out do.
   */
  areDisjointWhereUnreached(fork: number, first: Label | null, second: Label | null): boolean {
    for (let entry = this.of(fork); entry !== null; entry = entry.rest) {
      this.spend(1);
      let left = this.#waysAt(first, entry.fork) & this.#waysAt(second, entry.fork) & ~entry.ways;
      if (entry.rest === this.of(entry.fork)) left &= ~UNREACHED;
      if (left === 0n || this.areDisjoint(first, entry.rest) || this.areDisjoint(second, entry.rest))
        continue;
      if (!this.areDisjoint(this.both(first, entry.rest), second)) return false;
    }
    return true;
  }

  #waysAt(label: Label | null, fork: number): Ways {
    let at = label;
    for (; at !== null && at.fork > fork; at = at.rest) this.spend(1);
    return at?.fork === fork ? at.ways : -1n;
  }

  #forksKept(): number {
    if (this.#meter.steps <= KEEP_ALL_UNTIL) return Number.POSITIVE_INFINITY;
    return this.#meter.steps <= KEEP_SOME_UNTIL ? SOME : 0;
  }

  spend(steps: number): void {
    this.#meter.steps += steps;
  }
}
