// Caches of what is made of texts and rows: bounded in entries and in what is kept together, and they cool.
//   K1  What nobody has asked for in KEPT_MS is let go by the next `coolCaches`, which who has a timer calls now and then: a
//       process that a flood has filled is small again soon after it. What is in use is held by who uses it.
import { LRUCache } from 'lru-cache';

/** Longer than a minute: what a schedule starts each minute stays. */
const KEPT_MS = 90_000;

// Those of workers go with them.
const caches = new Set<WeakRef<{ purgeStale(): boolean }>>();

/** A least-recently-used map that cools. */
export function createCache<Key extends {}, Value extends {}>(
  options: LRUCache.Options<Key, Value, unknown>,
): LRUCache<Key, Value> {
  const cache = new LRUCache<Key, Value>({
    ...options,
    // Looked up at each call, so that a test may set it.
    perf: { now: () => performance.now() },
    ttl: KEPT_MS,
    ttlResolution: 1_000,
    updateAgeOnGet: true,
  });
  caches.add(new WeakRef(cache));
  return cache;
}

/** Bounded by the keys. One of more than an eighth of `maxChars` is not kept: it would push everything else out. */
export function createTextCache<Value extends {}>(max: number, maxChars: number): LRUCache<string, Value> {
  return createCache({
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
  return createCache({
    max,
    maxSize: maxWeight,
    sizeCalculation: (value) => Math.max(1, Math.ceil(weightOf(value))),
  });
}

/** Lets go of what nobody has asked for in a while. */
export function coolCaches(): void {
  for (const kept of caches) {
    const cache = kept.deref();
    if (cache === undefined) caches.delete(kept);
    else cache.purgeStale();
  }
}
