// What a worker remembers of results is bounded by the memory that it takes.
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { HeldResults, weightOf } from '../../src/engine/memory/held-results.ts';
import type { TaskResult } from '../../src/engine/memory/memory.ts';

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

test('empty objects weigh what they take in memory, not their two bytes of text', () => {
  const objects: Json = Array.from({ length: 100_000 }, () => ({}));
  expect(weightOf(objects)).toBeGreaterThan((50 * JSON.stringify(objects).length) / 3);
  expect(weightOf('x'.repeat(1_000))).toBeLessThan(1_100);
});
