import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { TaskContext } from '../../../src/tasks/task-type.ts';
import { node, outputOf, parent, runPure } from './run-task.ts';

const run = (config: JsonObject, more: Partial<TaskContext> = {}): unknown =>
  outputOf(runPure(node('aggregation', config), more));
const plans: Json = [
  { name: 'x', score: 1, sure: 0.2 },
  { name: 'y', score: 3, sure: 0.9 },
  { name: 'x', score: 2, sure: 0.1 },
];

describe('where values come from', () => {
  test('by default: the outputs of completed parents in dependsOn order', () => {
    const parents = [
      parent('b', 2),
      parent('gone', null, { status: 'skipped' }),
      parent('broken', null, { status: 'failed' }),
      parent('a', [1]),
    ];
    expect(run({ strategy: 'collect' }, { parents })).toEqual([2, [1]]);
  });

  test('of one parallel parent: its items without nulls', () => {
    const parents = [parent('fan', [1, null, 3], { taskType: 'parallel' })];
    expect(run({ strategy: 'collect' }, { parents })).toEqual([1, 3]);
    const named = [parent('fan', { a: 1, b: null, c: 3 }, { taskType: 'parallel' })];
    expect(run({ strategy: 'collect' }, { parents: named })).toEqual([1, 3]);
  });

  test('a parallel beside other parents gives one value', () => {
    const parents = [parent('fan', [1, null], { taskType: 'parallel' }), parent('a', 2)];
    expect(run({ strategy: 'collect' }, { parents })).toEqual([[1, null], 2]);
  });

  test('source replaces the parents, and keeps nulls', () => {
    const scope = { input: [1, null] };
    expect(run({ strategy: 'collect', source: '$.input' }, { parents: [parent('a', 9)], scope })).toEqual([
      1,
      null,
    ]);
    expect(run({ strategy: 'sum', source: { a: 1, b: 2 } })).toBe(3);
  });

  test.each<Json>([null, 'abc', 3])('a source of %j is refused', (input) => {
    expect(() => run({ strategy: 'collect', source: '{{ input }}' }, { scope: { input } })).toThrow(
      expect.objectContaining({ code: 'validation', message: expect.stringContaining('config.source') }),
    );
  });

  test('no values: an empty list, or not_enough_values', () => {
    expect(run({ strategy: 'collect' })).toEqual([]);
    expect(() => run({ strategy: 'max' })).toThrow(expect.objectContaining({ code: 'not_enough_values' }));
  });
});

describe('what is read of each element', () => {
  const scope = { input: { plans, factor: 10, weights: [5, 1, 1], missing: [{ score: 1 }, {}] } };
  const source = '$.input.plans';

  test.each<[JsonObject, Json]>([
    [{ strategy: 'sum', path: '$.score' }, 6],
    [{ strategy: 'collect', path: '$["name"]' }, ['x', 'y', 'x']],
    [{ strategy: 'count', path: '$' }, 3],
    [{ strategy: 'sum', path: 'item.score * input.factor + index' }, 63],
    [{ strategy: 'concat', path: '$..name' }, ['x', 'y', 'x']],
  ])('%j', (config, output) => {
    expect(run({ ...config, source }, { scope })).toEqual(output);
  });

  test('a path that an element lacks is missing_path, and says where', () => {
    expect(() => run({ strategy: 'sum', source: '$.input.missing', path: '$.score' }, { scope })).toThrow(
      expect.objectContaining({
        code: 'missing_path',
        message: 'Task "it": config.path of the element at [1]: $.score is missing',
      }),
    );
  });

  test('best ranks by `by`, names the winner, and gives the element', () => {
    const config = { strategy: 'best', by: '$.score', source };
    expect(runPure(node('aggregation', config), { scope })).toMatchObject({
      output: { name: 'y' },
      winner: '1',
    });
    const parents = [parent('a', { score: 1 }), parent('b', { score: 3 })];
    const cheapest = node('aggregation', { strategy: 'best', by: '$.score', order: 'asc' });
    expect(runPure(cheapest, { parents })).toMatchObject({ output: { score: 1 }, winner: 'a' });
  });

  test.each<[Json, string]>([
    ['$.sure', 'y'],
    ['item.sure * 2', 'y'],
    [[1, 1, 1], 'x'],
    ['$.input.weights', 'x'],
    ['{{ input.weights }}', 'x'],
    [{ 0: 1, 1: 5, 2: 1 }, 'y'],
  ])('weights %j make %s win', (weights, winner) => {
    const config = { strategy: 'weighted_vote', path: '$.name', weights, source };
    expect(run(config, { scope })).toMatchObject({ winner });
  });

  test('weights belong to parents by taskId and by their place in dependsOn, also when one was skipped', () => {
    const parents = [parent('a', 'yes'), parent('b', null, { status: 'skipped' }), parent('c', 'no')];
    expect(run({ strategy: 'weighted_vote', weights: { a: 1, b: 9, c: 2 } }, { parents })).toMatchObject({
      winner: 'no',
    });
    expect(run({ strategy: 'weighted_vote', weights: [1, 9, 2] }, { parents })).toMatchObject({
      winner: 'no',
    });
  });

  test.each<Json>([{ a: 1 }, [1], JSON.parse('{"__proto__": {"c": 1}, "a": 1}') as Json])(
    'weights %j without one for an element are refused',
    (weights) => {
      const parents = [parent('a', 1), parent('constructor', 2)];
      expect(() => run({ strategy: 'weighted_vote', weights }, { parents })).toThrow(
        expect.objectContaining({ code: 'validation', message: expect.stringContaining('"constructor"') }),
      );
    },
  );
});

describe('options', () => {
  test.each<JsonObject>([{ min: -1 }, { min: 1.5 }, { min: '2' }, { order: 'up' }])(
    '%j is refused',
    (config) => {
      expect(() => run({ strategy: 'best', source: [1, 2], ...config })).toThrow(
        expect.objectContaining({ code: 'validation' }),
      );
    },
  );

  test('min may be a template', () => {
    expect(() => run({ strategy: 'sum', source: [1], min: '{{ input }}' }, { scope: { input: 2 } })).toThrow(
      expect.objectContaining({ code: 'not_enough_values' }),
    );
  });

  test('errors name the task, the strategy and the place', () => {
    expect(() => run({ strategy: 'sum', source: [1, 2, '3'] })).toThrow(
      'Task "it": aggregation "sum" needs numbers, got string at [2]',
    );
  });
});
