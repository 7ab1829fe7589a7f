// The guess behind every hint.
import { expect, test } from 'vitest';
import { nearestName } from '../../../src/core/expression/nearest.ts';

test.each([
  ['inptu', 'input'],
  ['fetc', 'fetch'],
  ['Fetch', 'fetch'],
  ['executoin', 'execution'],
  ['exec', 'execution'],
  ['fetchUsers', 'fetch'],
  ['zzz', null],
  ['x', null],
  ['', null],
])('the name nearest to %j is %j', (name, expected) => {
  expect(nearestName(name, ['input', 'fetch', 'execution', 'a'])).toBe(expected);
});
