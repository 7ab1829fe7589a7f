// Compiles once what is stored and asked for again and again: a webhook's filters for each delivery, a trigger's mapping for each event.

import { createTextCache } from '../cache.ts';
import type { Result } from '../errors.ts';
import { BuildBudget, withBuildBudget } from './build-budget.ts';
import { CACHE_ENTRIES } from './limits.ts';

/** Characters of what one of these remembers: an eighth of it is the longest. A compiled text takes about 100 times as many bytes. */
const MAX_CHARS = 100_000;

/**
 * The same as `compile`, for a source that is JSON: what it makes of the same text is made once, as long as it is remembered, and within
 * the budget of a delivery. What cannot be compiled is not remembered, nor what is too long: that costs its budget each time.
 */
export function compileOnce<Source, Value extends {}>(
  compile: (source: Source) => Result<Value>,
): (source: Source) => Result<Value> {
  const known = createTextCache<Value>(CACHE_ENTRIES, MAX_CHARS);
  return (source) => {
    const text = JSON.stringify(source) ?? '';
    const value = known.get(text);
    if (value !== undefined) return { ok: true, value };
    const compiled = withBuildBudget(BuildBudget.ofDelivery(), () => compile(source));
    if (compiled.ok) known.set(text, compiled.value);
    return compiled;
  };
}
