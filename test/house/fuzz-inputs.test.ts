// The fuzz names what went wrong by a seed and a number (test/fuzz): both together must always give the same input.
import { expect, test } from 'vitest';
import { answerOf } from '../fuzz/inputs/answers.ts';
import { KINDS } from '../fuzz/inputs/input.ts';
import { inputOf } from '../fuzz/inputs/plan.ts';

const SURROUNDINGS = {
  operations: [
    {
      method: 'POST',
      path: '/v1/things/{id}',
      pathNames: ['id'],
      query: [{ name: 'q', schema: {} }],
      body: {},
    },
  ],
  ids: ['a', 'b'],
  hooks: ['h'],
};
const numbers = Array.from({ length: 18 }, (_, n) => n);

test('an input of the fuzz is the same whenever it is made, and another with another seed', () => {
  const inputs = (seed: number) => numbers.map((n) => JSON.stringify(inputOf(seed, n, SURROUNDINGS)));
  expect(inputs(5)).toEqual(inputs(5));
  expect(inputs(6)).not.toEqual(inputs(5));
});

test('all kinds take turns', () => {
  expect(new Set(numbers.map((n) => inputOf(5, n, SURROUNDINGS).kind))).toEqual(new Set(KINDS));
});

test('so is a hostile answer', () => {
  for (const isModel of [false, true]) expect(answerOf(3, isModel)).toEqual(answerOf(3, isModel));
});
