import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Aggregation, aggregate, STRATEGIES, type Strategy } from '../../src/core/aggregate.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';

const run = (strategy: Strategy, values: readonly Json[], more: Partial<Aggregation> = {}): Json =>
  aggregate({ taskId: 'total', strategy, ...more }, values).output;
const field =
  (name: string) =>
  (element: Json): Json =>
    (element as JsonObject)[name]!;
const parse = (json: string): Json => JSON.parse(json) as Json;

describe('each strategy gives its value', () => {
  test.each<[Strategy, Json[], Json]>([
    ['collect', [1, null, 'a'], [1, null, 'a']],
    ['merge', [{ a: { x: 1 }, b: 1 }, { a: { y: 2 } }], { a: { y: 2 }, b: 1 }],
    [
      'deep_merge',
      [{ a: { x: 1 }, b: [1] }, { a: { y: 2 }, b: [2] }, { a: { x: 3 } }],
      { a: { x: 3, y: 2 }, b: [2] },
    ],
    ['deep_merge', [{ a: 1 }, { a: { b: 1 } }, { a: { c: 2 } }, { a: null }], { a: null }],
    ['concat', [[1, 2], [], [[3]]], [1, 2, [3]]],
    ['concat', ['a', 'b'], 'ab'],
    ['first', [null, 2], null],
    ['sum', [0.1, 0.2], 0.3],
    ['sum', [1, 2, 3], 6],
    ['sum', [1e300, -1e300, 1], 1],
    ['average', [0.1, 0.2, 0.3], 0.2],
    ['average', [1, 2], 1.5],
    ['average', [1e-300, 2e-300], 1.5e-300],
    ['min', [3, -1, 2], -1],
    ['max', [3, -1, 2], 3],
    ['count', [null, null], 2],
    ['best', [1, 3, 2], 3],
    ['best', ['a', 'c', 'b'], 'c'],
  ])('%s of %j is %j', (strategy, values, output) => {
    expect(run(strategy, values)).toEqual(output);
  });
});

describe('nothing to combine', () => {
  test.each<[Strategy, Json]>([
    ['collect', []],
    ['merge', {}],
    ['deep_merge', {}],
    ['concat', []],
    ['sum', 0],
    ['count', 0],
  ])('%s of nothing is %j', (strategy, output) => expect(run(strategy, [])).toEqual(output));

  test.each<Strategy>(['first', 'average', 'min', 'max', 'majority_vote', 'weighted_vote', 'best'])(
    '%s of nothing is not_enough_values',
    (strategy) => {
      expect(() => run(strategy, [])).toThrow(expect.objectContaining({ code: 'not_enough_values' }));
    },
  );

  test('a quorum of nothing is not reached', () => {
    expect(() => run('quorum', [])).toThrow(expect.objectContaining({ code: 'quorum_not_reached' }));
  });

  test('fewer values than `min` is not_enough_values, for every strategy but quorum', () => {
    for (const strategy of STRATEGIES.filter((one) => one !== 'quorum'))
      expect(() => run(strategy, [1], { min: 2 }), strategy).toThrow(
        expect.objectContaining({
          code: 'not_enough_values',
          message: `Task "total": aggregation "${strategy}" needs 2 or more values, got 1`,
        }),
      );
  });
});

describe('values that do not fit', () => {
  test.each<[Strategy, Json[], string]>([
    ['sum', [1, 2, '3'], 'needs numbers, got string at [2]'],
    ['sum', [null], 'needs numbers, got null at [0]'],
    ['average', [Number.NaN], 'needs numbers, got NaN at [0]'],
    ['max', [1, Number.POSITIVE_INFINITY], 'needs numbers, got Infinity at [1]'],
    ['min', [[1]], 'needs numbers, got array at [0]'],
    ['merge', [{}, [1]], 'needs objects, got array at [1]'],
    ['deep_merge', ['x'], 'needs objects, got string at [0]'],
    ['concat', [[1], 'x'], 'needs arrays, or only texts, got string at [1]'],
    ['best', [1, 'a'], 'needs numbers to rank by, got string at [1]'],
    ['best', ['a', 1], 'needs texts like the first to rank by, got number at [1]'],
    ['best', [{}], 'needs numbers to rank by, got object at [0]'],
    ['best', [Number.NaN], 'needs numbers to rank by, got NaN at [0]'],
    ['weighted_vote', [1], 'needs "weights"'],
  ])('%s of %j: %s', (strategy, values, message) => {
    expect(() => run(strategy, values)).toThrow(
      expect.objectContaining({
        code: 'validation',
        message: `Task "total": aggregation "${strategy}" ${message}`,
      }),
    );
  });

  test.each<Json[]>([
    [Number.MAX_SAFE_INTEGER, 1],
    [Number.MAX_SAFE_INTEGER, 2],
    [1e308, 1e308],
    [1e21, 1],
    [2 ** 52, 2 ** 52],
  ])('a sum of %d and %d is an error, not rounded', (...values) => {
    expect(() => run('sum', values)).toThrow(/beyond 2\^53/);
  });

  test.each<Json>([-1, Number.NaN, '1', null])('a weight of %s is refused', (weight) => {
    expect(() => run('weighted_vote', ['a'], { weights: () => weight })).toThrow(
      /weights that are numbers of 0/,
    );
  });
});

describe('votes', () => {
  test('a majority vote names the winner and all votes, most first', () => {
    expect(run('majority_vote', ['a', 'b', 'b'])).toEqual({
      value: 'b',
      winner: 'b',
      votes: [
        { value: 'b', count: 2 },
        { value: 'a', count: 1 },
      ],
    });
  });

  test('a tie goes to the earlier value', () => {
    expect(run('majority_vote', ['b', 'a', 'a', 'b'])).toMatchObject({ winner: 'b' });
    expect(run('weighted_vote', ['b', 'a'], { weights: () => 0 })).toMatchObject({ winner: 'b' });
  });

  test('values are equal whatever the order of their keys, and only within their type', () => {
    const values = [parse('{"a":1,"b":[null]}'), parse('{"b":[null],"a":1}'), '1', 1];
    expect(run('majority_vote', values)).toMatchObject({
      votes: [{ count: 2 }, { value: '1' }, { value: 1 }],
    });
  });

  test('weights are added as decimals', () => {
    const values = [
      { answer: 'x', weight: 0.3 },
      { answer: 'y', weight: 0.1 },
      { answer: 'y', weight: 0.2 },
    ];
    expect(run('weighted_vote', values, { path: field('answer'), weights: field('weight') })).toEqual({
      value: 'x',
      winner: 'x',
      votes: [
        { value: 'x', count: 1, weight: 0.3 },
        { value: 'y', count: 2, weight: 0.3 },
      ],
    });
  });

  test.each<[Json[], number | undefined, Json]>([
    [['a', 'a', 'b'], undefined, 'a'],
    [['a', 'a', 'b', 'c'], 2, 'a'],
    [['b', 'b', 'b'], 3, 'b'],
  ])('the quorum of %j with min %s is %j', (values, min, winner) => {
    expect(run('quorum', values, { min })).toMatchObject({ value: winner, winner });
  });

  test.each<[Json[], number | undefined]>([
    [['a', 'b'], undefined],
    [['a', 'a', 'b'], 3],
    [['a'], 2],
  ])('the quorum of %j with min %s is not reached, and the error holds the votes', (values, min) => {
    expect(() => run('quorum', values, { min })).toThrow(
      expect.objectContaining({ code: 'quorum_not_reached', details: { votes: expect.any(Array) } }),
    );
  });

  test('exactly half of the weight is no quorum', () => {
    const weights = (element: Json): Json => (element === 'a' ? 0.3 : 0.1);
    expect(() => run('quorum', ['a', 'b', 'b', 'b'], { weights })).toThrow(/more than half of 0.6/);
  });
});

describe('best', () => {
  const plans = [
    { name: 'x', cost: 2, at: 'b' },
    { name: 'y', cost: 1, at: 'a' },
    { name: 'z', cost: 2, at: 'b' },
  ];
  test.each<[string, 'asc' | 'desc' | undefined, number]>([
    ['cost', undefined, 0],
    ['cost', 'desc', 0],
    ['cost', 'asc', 1],
    ['at', 'desc', 0],
    ['at', 'asc', 1],
  ])('by %s %s takes the element at %d; ties go to the earlier', (by, order, index) => {
    const best = aggregate({ taskId: 'total', strategy: 'best', by: field(by), order }, plans);
    expect(best).toEqual({ output: plans[index], winnerIndex: index });
  });

  test('with a path, gives what the path reads of the best element', () => {
    expect(run('best', plans, { by: field('cost'), order: 'asc', path: field('name') })).toBe('y');
  });
});

describe('hostile keys', () => {
  const hostile = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';

  test.each<Strategy>(['merge', 'deep_merge'])('%s copies __proto__ as a key like any other', (strategy) => {
    const merged = run(strategy, [{ a: 1 }, parse(hostile), parse(hostile)]);
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(JSON.parse(JSON.stringify(merged))).toEqual({ a: 1, ...(parse(hostile) as JsonObject) });
  });

  test('votes count __proto__ members', () => {
    expect(run('majority_vote', [{}, parse(hostile), parse(hostile)])).toMatchObject({
      votes: [{ count: 2 }, {}],
    });
  });

  test('objects nested beyond all bounds are refused', () => {
    let deep: Json = 1;
    for (let i = 0; i < 5000; i++) deep = { a: deep };
    expect(() => run('deep_merge', [deep, deep])).toThrow(/nested deeper than 256/);
    expect(() => run('majority_vote', [deep])).toThrow(/nested deeper than 256/);
  });
});

describe('properties', () => {
  const integers = fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 1 });

  test('a sum of cents does not depend on the order, and is exact', () => {
    fc.assert(
      fc.property(integers, (cents) => {
        const values = cents.map((n) => n / 100);
        expect(run('sum', values)).toBe(run('sum', values.toReversed()));
        expect(run('sum', values)).toBe(cents.reduce((a, b) => a + b, 0) / 100 + 0);
      }),
    );
  });

  test('the average lies between min and max', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        (values) => {
          const average = run('average', values) as number;
          expect(average).toBeGreaterThanOrEqual(run('min', values) as number);
          expect(average).toBeLessThanOrEqual(run('max', values) as number);
        },
      ),
    );
  });

  test('deep_merge does not change its inputs, and merging once more changes nothing', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>);
    fc.assert(
      fc.property(fc.array(object), (objects) => {
        const before = JSON.stringify(objects);
        const merged = run('deep_merge', objects);
        expect(JSON.stringify(objects)).toBe(before);
        expect(run('deep_merge', [merged, merged])).toEqual(merged);
      }),
    );
  });
});
