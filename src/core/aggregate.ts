// Combines the results of several tasks into one value (CONTRACT 3, `aggregation`). Pure: paths, weights and ranks come in
// as functions of an element, compiled by the task type.
//   A1  Numbers are added as decimals: 0.1 + 0.2 is 0.3, and a sum that a double cannot hold exactly is an error.
//   A2  Ties go to the earlier element.
//   A3  Keys of user data are copied as own properties only: `__proto__` is a key like any other.
import Big from 'big.js';
import { assertNever, TerminalError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject, MAX_DEPTH } from './json.ts';

export const STRATEGIES = [
  'collect',
  'merge',
  'deep_merge',
  'concat',
  'first',
  'sum',
  'average',
  'min',
  'max',
  'count',
  'majority_vote',
  'weighted_vote',
  'best',
  'quorum',
] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Reads something from the element at `index`. */
export type Selector = (element: Json, index: number) => Json;

export interface Aggregation {
  /** For messages. */
  readonly taskId: string;
  readonly strategy: Strategy;
  /** The value of an element; by default the element. */
  readonly path?: Selector;
  /** The weight of an element's vote: a number of 0 or more. For `weighted_vote` and `quorum`. */
  readonly weights?: Selector;
  /** What `best` ranks by: numbers or texts; by default the value. */
  readonly by?: Selector;
  /** Of `best`: `desc` (default), the greatest is best; `asc`, the least. */
  readonly order?: 'asc' | 'desc';
  /** The least number of values; for `quorum` the votes that one value needs (default: more than half). */
  readonly min?: number;
}

export interface Aggregated {
  /** Votes and quorum: `{ value, winner, votes: [{ value, count, weight? }] }`, most votes first, winner = value. */
  readonly output: Json;
  /** Which element `first` and `best` took. */
  readonly winnerIndex: number | null;
}

/** Strategies that have no value without an element. */
const NEEDS_ONE: ReadonlySet<Strategy> = new Set<Strategy>([
  'first',
  'average',
  'min',
  'max',
  'majority_vote',
  'weighted_vote',
  'best',
]);

/** Throws TerminalError: `validation` (unfit values), `not_enough_values`, `quorum_not_reached`; and what selectors throw. */
export function aggregate(aggregation: Aggregation, elements: readonly Json[]): Aggregated {
  const { strategy, path, min } = aggregation;
  const least = strategy === 'quorum' ? 0 : (min ?? (NEEDS_ONE.has(strategy) ? 1 : 0));
  if (elements.length < least)
    fail(aggregation, `needs ${least} or more values, got ${elements.length}`, 'not_enough_values');
  const values = path === undefined ? elements : elements.map(path);
  switch (strategy) {
    case 'collect':
      return plain(values);
    case 'count':
      return plain(values.length);
    case 'first':
      return { output: values[0] ?? null, winnerIndex: values.length === 0 ? null : 0 };
    case 'merge':
      return plain(
        Object.fromEntries(objects(aggregation, values).flatMap((object) => Object.entries(object))),
      );
    case 'deep_merge':
      return plain(deepMerge(aggregation, objects(aggregation, values)));
    case 'concat':
      return plain(concat(aggregation, values));
    case 'sum':
      return plain(toNumber(aggregation, total(numbers(aggregation, values))));
    case 'average':
      return plain(
        values.length === 0
          ? null
          : Number(total(numbers(aggregation, values)).div(values.length).toString()),
      );
    case 'min':
      return plain(
        numbers(aggregation, values).reduce<number | null>((a, b) => (a === null || b < a ? b : a), null),
      );
    case 'max':
      return plain(
        numbers(aggregation, values).reduce<number | null>((a, b) => (a === null || b > a ? b : a), null),
      );
    case 'majority_vote':
    case 'weighted_vote':
    case 'quorum':
      return plain(vote(aggregation, elements, values));
    case 'best':
      return best(aggregation, elements, values);
    default:
      return assertNever(strategy);
  }
}

// Enough decimals for the quotient of any two doubles; the default of 20 would make 1e-300 / 3 zero.
const Exact = Big();
Exact.DP = 400;

function plain(output: Json): Aggregated {
  return { output, winnerIndex: null };
}

function total(values: readonly number[]): Big {
  const fast = values.reduce((sum, value) => sum + value, 0);
  const magnitude = values.reduce((sum, value) => sum + Math.abs(value), 0);
  // Whole numbers whose magnitudes stay below 2^53 add exactly as doubles.
  if (magnitude <= Number.MAX_SAFE_INTEGER && values.every(Number.isInteger)) return new Exact(fast);
  return values.reduce((sum, value) => sum.plus(value), new Exact(0));
}

function toNumber(aggregation: Aggregation, exact: Big): number {
  const value = Number(exact.toString());
  const isLarge = Math.abs(value) > Number.MAX_SAFE_INTEGER;
  // Up to 1e21 JSON writes such a number as an integer, which storage refuses (core/json.ts).
  if (isLarge && (!Number.isFinite(value) || Math.abs(value) < 1e21 || !new Exact(value).eq(exact)))
    fail(aggregation, `gives a number beyond 2^53 that would be rounded`);
  return value === 0 ? 0 : value;
}

function deepMerge(aggregation: Aggregation, sources: readonly JsonObject[]): JsonObject {
  type Tree = Map<string, Tree | Json>;
  const toTree = (object: JsonObject): Tree => new Map(Object.entries(object));
  const addTo = (tree: Tree, object: JsonObject, depth: number): void => {
    if (depth > MAX_DEPTH) fail(aggregation, `got objects nested deeper than ${MAX_DEPTH} levels`);
    for (const [key, value] of Object.entries(object)) {
      let present = tree.get(key);
      if (
        !isJsonObject(value) ||
        present === undefined ||
        !(present instanceof Map || isJsonObject(present))
      ) {
        tree.set(key, value);
        continue;
      }
      if (!(present instanceof Map)) {
        present = toTree(present);
        tree.set(key, present);
      }
      addTo(present, value, depth + 1);
    }
  };
  const toJson = (tree: Tree): JsonObject =>
    Object.fromEntries([...tree].map(([key, value]) => [key, value instanceof Map ? toJson(value) : value]));
  const merged: Tree = new Map();
  for (const source of sources) addTo(merged, source, 1);
  return toJson(merged);
}

function concat(aggregation: Aggregation, values: readonly Json[]): Json {
  if (values.length > 0 && values.every((value) => typeof value === 'string')) return values.join('');
  return values.flatMap((value, index) =>
    Array.isArray(value)
      ? (value as readonly Json[])
      : mismatch(aggregation, 'arrays, or only texts', value, index),
  );
}

interface Vote {
  readonly value: Json;
  count: number;
  weight: Big;
}

function vote(aggregation: Aggregation, elements: readonly Json[], values: readonly Json[]): Json {
  const { strategy, min, taskId } = aggregation;
  const weigh = strategy === 'majority_vote' ? undefined : aggregation.weights;
  if (strategy === 'weighted_vote' && weigh === undefined) fail(aggregation, 'needs "weights"');
  const byValue = new Map<string, Vote>();
  let cast = new Exact(0);
  values.forEach((value, index) => {
    const weight = weigh === undefined ? 1 : weigh(elements[index]!, index);
    if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0)
      mismatch(aggregation, 'weights that are numbers of 0 or more', weight, index);
    const key = canonicalText(aggregation, value, 0);
    const entry = byValue.get(key) ?? { value, count: 0, weight: new Exact(0) };
    byValue.set(key, entry);
    entry.count++;
    entry.weight = entry.weight.plus(weight);
    cast = cast.plus(weight);
  });
  const ranked = [...byValue.values()].sort((a, b) => b.weight.cmp(a.weight));
  const votes = ranked.map(
    ({ value, count, weight }): JsonObject =>
      weigh === undefined ? { value, count } : { value, count, weight: toNumber(aggregation, weight) },
  );
  const winner = ranked[0];
  if (strategy === 'quorum' && (winner === undefined || !hasQuorum(winner.weight, cast, min))) {
    const most = winner === undefined ? '0' : winner.weight.toString();
    throw new TerminalError(
      'quorum_not_reached',
      `Task "${taskId}": a quorum needs ${min ?? `more than half of ${cast.toString()}`} votes for one value, the most were ${most}`,
      { details: { votes } },
    );
  }
  if (winner === undefined) return { value: null, winner: null, votes };
  return { value: winner.value, winner: winner.value, votes };
}

function hasQuorum(weight: Big, cast: Big, min: number | undefined): boolean {
  return min === undefined ? weight.times(2).gt(cast) : weight.gte(min);
}

function best(aggregation: Aggregation, elements: readonly Json[], values: readonly Json[]): Aggregated {
  const { by, order } = aggregation;
  const ranks = by === undefined ? values : elements.map(by);
  const kind = typeof ranks[0] === 'string' ? 'string' : 'number';
  let winner: number | null = null;
  ranks.forEach((rank, index) => {
    if (typeof rank !== kind || Number.isNaN(rank))
      mismatch(
        aggregation,
        kind === 'string' ? 'texts like the first to rank by' : 'numbers to rank by',
        rank,
        index,
      );
    // Both are of one kind here, numbers or texts.
    const champion = winner === null ? null : (ranks[winner] as number);
    const candidate = rank as number;
    if (champion === null || (order === 'asc' ? candidate < champion : candidate > champion)) winner = index;
  });
  return { output: winner === null ? null : values[winner]!, winnerIndex: winner };
}

/** The same text for equal values, whatever the order of their keys. */
function canonicalText(aggregation: Aggregation, value: Json, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth >= MAX_DEPTH) fail(aggregation, `got a value nested deeper than ${MAX_DEPTH} levels`);
  if (!isJsonObject(value))
    return `[${value.map((item) => canonicalText(aggregation, item, depth + 1)).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(aggregation, value[key]!, depth + 1)}`);
  return `{${members.join(',')}}`;
}

function numbers(aggregation: Aggregation, values: readonly Json[]): readonly number[] {
  return values.map((value, index) =>
    typeof value === 'number' && Number.isFinite(value)
      ? value
      : mismatch(aggregation, 'numbers', value, index),
  );
}

function objects(aggregation: Aggregation, values: readonly Json[]): readonly JsonObject[] {
  return values.map((value, index) =>
    isJsonObject(value) ? value : mismatch(aggregation, 'objects', value, index),
  );
}

function mismatch(aggregation: Aggregation, wanted: string, value: Json, index: number): never {
  return fail(aggregation, `needs ${wanted}, got ${kindOf(value)} at [${index}]`);
}

function fail(aggregation: Aggregation, what: string, code = 'validation'): never {
  throw new TerminalError(
    code,
    `Task "${aggregation.taskId}": aggregation "${aggregation.strategy}" ${what}`,
  );
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : typeof value;
}
