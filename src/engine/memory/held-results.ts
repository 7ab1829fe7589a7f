// Bounds what a worker remembers of results, inputs and items of fan-outs by the memory that they take: an execution of a thousand tasks may have a
// gigabyte of outputs, a hundred that wait have inputs of 20 MB each, and all of it is in the database.
import { LRUCache } from 'lru-cache';
import type { Json } from '../../core/json.ts';

/** Bytes of memory, about. */
const MAX_WEIGHT = 64_000_000;
/** What weighs less is bounded by its number. */
const LEAST_WEIGHT = 2_000;

/** What may be large of a result. */
export type Weighed = { readonly output: Json; readonly partErrors: Json };

/** An execution, with what it remembers. */
export interface Holder {
  readonly input: Json;
  readonly results: ReadonlyMap<unknown, Weighed>;
  readonly fanOuts: { owners(): readonly object[] };
}

export class HeldResults {
  /** By the result, by the execution whose input it is, or by the items. */
  readonly #drops: LRUCache<object, () => void>;
  readonly #weights = new WeakMap<Weighed, number>();

  constructor(maxWeight = MAX_WEIGHT) {
    this.#drops = new LRUCache({ maxSize: maxWeight, disposeAfter: (drop) => drop() });
  }

  /** `drop` is called when others need its place; at once where it is more than there is. */
  add(result: Weighed, drop: () => void): void {
    const weight = weightOf(result.output) + weightOf(result.partErrors);
    if (weight >= LEAST_WEIGHT) this.#weights.set(result, weight);
    this.#hold(result, weight, drop);
  }

  /** The same for the input of an execution. */
  addInput(execution: Holder, drop: () => void): void {
    this.#hold(execution, weightOf(execution.input), drop);
  }

  /** The same for the items of a fan-out. */
  addItems(items: readonly string[], drop: () => void): void {
    this.#hold(items, weightOf(items), drop);
  }

  /** It was used just now: what was not goes first. */
  noteUse(owner: object): void {
    this.#drops.get(owner);
  }

  /** It is needed no more. */
  giveBack(owner: object): void {
    this.#drops.delete(owner);
  }

  /** What the execution holds is needed no more: its place is free at once. */
  release(execution: Holder): void {
    this.#drops.delete(execution);
    for (const owner of [...execution.results.values(), ...execution.fanOuts.owners()])
      this.#drops.delete(owner);
  }

  #hold(owner: object, weight: number, drop: () => void): void {
    if (weight < LEAST_WEIGHT) return;
    if (weight > this.#drops.maxSize) drop();
    else this.#drops.set(owner, drop, { size: weight });
  }

  /** What a result that was added weighs, at most. */
  weigh(result: Weighed): number {
    return this.#weights.get(result) ?? LEAST_WEIGHT;
  }
}

/** Bytes that the value takes in memory, about: a text its characters, anything else what its object takes. */
export function weightOf(value: Json): number {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 16;
  let weight = 56;
  if (Array.isArray(value)) for (const item of value as readonly Json[]) weight += weightOf(item);
  else for (const member of Object.values(value) as readonly Json[]) weight += 16 + weightOf(member);
  return weight;
}

/** The values in it, and the names of its members: what JsonShape counts in its text. */
export function countValues(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value) as readonly Json[];
  let count = members.length * (Array.isArray(value) ? 1 : 2);
  for (const member of members) count += countValues(member);
  return count;
}
