// Caches by text: bounded in entries and in what is kept together.
import { LRUCache } from 'lru-cache';

/** A least-recently-used map. A key of more than an eighth of `maxChars` is not kept: it would push everything else out. */
export function createTextCache<Value extends {}>(max: number, maxChars: number): LRUCache<string, Value> {
  return new LRUCache({
    max,
    maxSize: maxChars,
    maxEntrySize: Math.floor(maxChars / 8),
    sizeCalculation: (_, key) => Math.max(1, key.length),
  });
}

/** As {@link createTextCache}, bounded by what the values weigh together. What weighs more than all may is not kept. */
export function createWeighedCache<Value extends {}>(
  max: number,
  maxWeight: number,
  weightOf: (value: Value) => number,
): LRUCache<string, Value> {
  return new LRUCache({
    max,
    maxSize: maxWeight,
    sizeCalculation: (value) => Math.max(1, Math.ceil(weightOf(value))),
  });
}
