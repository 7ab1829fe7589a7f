import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { coolCaches, createCache, createTextCache, createWeighedCache } from '../../src/core/cache.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  // The library takes a time of 0 for none.
  vi.advanceTimersByTime(1_000);
});
afterEach(() => void vi.useRealTimers());

test.each([
  ['of texts', () => createTextCache<object>(10, 1_000)],
  ['of what weighs', () => createWeighedCache<object>(10, 1_000, () => 1)],
  ['of its own', () => createCache<string, object>({ max: 10 })],
])('a cache %s lets go of what nobody asks for, and keeps what is in use', (_, make) => {
  const cache = make();
  cache.set('used', {}).set('unused', {});
  for (let i = 0; i < 4; i++) {
    vi.advanceTimersByTime(60_000);
    expect(cache.get('used')).toBeDefined();
    coolCaches();
  }
  expect([...cache.keys()]).toEqual(['used']);
  vi.advanceTimersByTime(100_000);
  expect(cache.size).toBe(1);
  coolCaches();
  expect(cache.size).toBe(0);
});

test('what is let go is told to who holds more of it', () => {
  const gone = vi.fn();
  const cache = createCache<string, object>({ max: 10, disposeAfter: gone });
  cache.set('a', {});
  vi.advanceTimersByTime(100_000);
  coolCaches();
  expect(gone).toHaveBeenCalledOnce();
});
