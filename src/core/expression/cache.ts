// Caches by text: bounded in entries and in the characters of their keys together.
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
