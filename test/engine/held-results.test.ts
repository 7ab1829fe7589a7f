// What a worker remembers of results is bounded by the memory that it takes.
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import type { ExecutionRow } from '../../src/db/protocol/reads.ts';
import type { CompiledPlan } from '../../src/engine/memory/compiled.ts';
import { ExecutionCache } from '../../src/engine/memory/execution-cache.ts';
import { HeldResults, weightOf } from '../../src/engine/memory/held-results.ts';
import { remember, type TaskResult } from '../../src/engine/memory/memory.ts';

const resultOf = (output: Json): TaskResult =>
  ({ status: 'completed', output, partErrors: null }) as unknown as TaskResult;

test('the longest ago is dropped first, as soon as others need its place', () => {
  const held = new HeldResults(100_000);
  const dropped: number[] = [];
  for (let i = 0; i < 5; i++) held.add(resultOf('x'.repeat(40_000)), () => dropped.push(i));
  expect(dropped).toEqual([0, 1, 2]);
});

test('what is more than all of its place is dropped at once, and nothing else for it', () => {
  const held = new HeldResults(100_000);
  const dropped: string[] = [];
  held.add(resultOf('x'.repeat(50_000)), () => dropped.push('small'));
  held.add(resultOf('x'.repeat(200_000)), () => dropped.push('large'));
  expect(dropped).toEqual(['large']);
});

test('small results are not counted', () => {
  const held = new HeldResults(10_000);
  const dropped: number[] = [];
  for (let i = 0; i < 1_000; i++) held.add(resultOf({ id: i, name: 'x' }), () => dropped.push(i));
  expect(dropped).toEqual([]);
});

describe('an execution in the memory of a worker', () => {
  const openCache = () => {
    // Whatever is asked of the database is not there: what the cache still gives, it had kept.
    const pool = { query: async () => ({ rows: [] }) } as unknown as pg.Pool;
    return new ExecutionCache(pool, new Map());
  };
  const compiled = { plan: { definition: {} } } as unknown as CompiledPlan;
  const rowOf = (id: string, input: Json) =>
    ({ id, input, trigger: null, createdAt: '2027-01-01T00:00:00Z' }) as unknown as ExecutionRow;
  /** A megabyte of text, and some 20 of memory. */
  const heavy: Json = Array.from({ length: 300_000 }, () => ({}));

  test('is forgotten when inputs of others need its place', async () => {
    const cache = openCache();
    for (let i = 0; i < 5; i++) cache.adopt(rowOf(`x${i}`, heavy), compiled);
    for (let i = 0; i < 100; i++) cache.adopt(rowOf(`light${i}`, { i }), compiled);
    expect([await cache.get('x0'), await cache.get('x1')]).toEqual([null, null]);
    expect((await cache.get('x4'))?.input).toBe(heavy);
    expect((await cache.get('light0'))?.input).toEqual({ i: 0 });
  });

  test('leaves its place, and that of its results, when it has ended', async () => {
    const cache = openCache();
    const first = cache.adopt(rowOf('first', heavy), compiled);
    for (let i = 0; i < 5; i++) {
      const one = cache.adopt(rowOf(`x${i}`, heavy), compiled);
      remember(one, 0, resultOf(heavy));
      cache.forget(`x${i}`);
      expect(one.results.size).toBe(0);
    }
    expect(await cache.get('first')).toBe(first);
  });

  /** As many as one fan-out may have in its 16 MB; made of objects they would take half of all places. */
  const items = (n: number): Json[] => Array.from({ length: 200 }, (_, i) => [n, i, 'x'.repeat(75_000)]);

  test('keeps the items of open fan-outs as long as others do not need their place; what is used goes last', () => {
    const cache = openCache();
    const memories = Array.from({ length: 6 }, (_, i) => cache.adopt(rowOf(`x${i}`, null), compiled));
    for (const [n, memory] of memories.entries()) {
      memory.fanOuts.remember(3, items(n));
      expect(memories[0]!.fanOuts.at(3, 199)).toEqual([0, 199, 'x'.repeat(75_000)]);
    }
    expect(memories.map((memory) => memory.fanOuts.at(3, 1) !== undefined)).toEqual([
      ...[true, false, false, true, true, true],
    ]);
    expect(memories[5]!.fanOuts.at(3, 200)).toBeNull();
    expect(memories[5]!.fanOuts.at(4, 0)).toBeUndefined();
  });

  test('gives the place of its items back when they are collected, and when it is forgotten itself', () => {
    const cache = openCache();
    const first = cache.adopt(rowOf('first', null), compiled);
    first.fanOuts.remember(0, items(0));
    for (let i = 0; i < 6; i++) {
      const one = cache.adopt(rowOf(`x${i}`, null), compiled);
      one.fanOuts.remember(0, items(i));
      if (i % 2 === 0) one.fanOuts.forget(0);
      else cache.forget(`x${i}`);
      expect(one.fanOuts.size).toBe(0);
    }
    expect(first.fanOuts.at(0, 0)).toBeDefined();
  });

  test('keeps few items too, and forgets them with their fan-out', () => {
    const memory = openCache().adopt(rowOf('x', null), compiled);
    memory.fanOuts.remember(0, [1, null, 'a']);
    expect([0, 1, 2, 3].map((place) => memory.fanOuts.at(0, place))).toEqual([1, null, 'a', null]);
    memory.fanOuts.forget(0);
    expect(memory.fanOuts.at(0, 0)).toBeUndefined();
  });
});

test('empty objects weigh what they take in memory, not their two bytes of text', () => {
  const objects: Json = Array.from({ length: 100_000 }, () => ({}));
  expect(weightOf(objects)).toBeGreaterThan((50 * JSON.stringify(objects).length) / 3);
  expect(weightOf('x'.repeat(1_000))).toBeLessThan(1_100);
});
