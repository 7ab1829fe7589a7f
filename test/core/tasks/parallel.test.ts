import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { partsOf } from '../../../src/tasks/parallel.ts';
import type { PartResult, TaskOutcome } from '../../../src/tasks/task-type.ts';
import { node, part, runPure } from './run-task.ts';

const task = { taskType: 'transformation', config: { output: '{{ item }}' } };
const items = (config: JsonObject = {}) => node('parallel', { items: '$.input', task, ...config });
const branches = (config: JsonObject = {}) =>
  node('parallel', { branches: { left: task, right: task, centre: task }, ...config });
const list = (length: number): Json => Array.from({ length }, (_, index) => index);

const open = (config: JsonObject, input: Json): TaskOutcome => runPure(items(config), { scope: { input } });
const collect = (
  definition: ReturnType<typeof node>,
  parts: readonly PartResult[],
  length = 3,
): TaskOutcome => runPure(definition, { phase: 'items', parts, scope: { input: list(length) } });

describe('opening', () => {
  test('items open a fan-out with the values', () => {
    expect(open({}, ['a', 'b'])).toEqual({
      kind: 'fanOut',
      values: ['a', 'b'],
      total: 2,
      maxConcurrency: 10,
      toleratedFailures: 0,
      neededSuccesses: 2,
    });
  });

  test('named branches open a fan-out without values', () => {
    expect(runPure(branches({ maxConcurrency: 2 }))).toMatchObject({
      values: null,
      total: 3,
      maxConcurrency: 2,
    });
  });

  test('no items complete at once', () => {
    expect(open({}, [])).toEqual({ kind: 'completed', output: [] });
    expect(runPure(node('parallel', { branches: {} }))).toEqual({ kind: 'completed', output: {} });
  });

  test.each<[JsonObject, number, number]>([
    [{ toleratedFailureCount: 2 }, 10, 2],
    [{ toleratedFailurePercentage: 25 }, 10, 2],
    [{ toleratedFailurePercentage: 25, toleratedFailureCount: 5 }, 10, 5],
    [{ toleratedFailurePercentage: 100 }, 3, 3],
    [{ toleratedFailureCount: 50 }, 3, 3],
    [{ minSuccesses: 1 }, 3, 2],
    [{ minSuccesses: 1, toleratedFailureCount: 0 }, 3, 0],
  ])('%j of %d items tolerates %d failures', (config, length, toleratedFailures) => {
    expect(open(config, list(length))).toMatchObject({ toleratedFailures });
  });

  test('limits may be templates', () => {
    const definition = items({ maxConcurrency: '{{ input[0] }}' });
    expect(runPure(definition, { scope: { input: [4] } })).toMatchObject({ maxConcurrency: 4 });
  });

  test.each<Json>([null, 'abc', {}, 3])('items that are %j are refused', (input) => {
    expect(() => open({}, input)).toThrow(
      expect.objectContaining({ code: 'validation', message: expect.stringContaining('config.items') }),
    );
  });

  test('100,000 items are taken, one more is refused', () => {
    expect(open({}, list(100_000))).toMatchObject({ total: 100_000 });
    expect(() => open({}, list(100_001))).toThrow(
      expect.objectContaining({
        code: 'validation',
        message: 'Task "it": parallel takes 100000 items at most, got 100001',
      }),
    );
  });

  test.each<JsonObject>([
    { maxConcurrency: 0 },
    { maxConcurrency: 1.5 },
    { maxConcurrency: '4' },
    { toleratedFailureCount: -1 },
    { toleratedFailurePercentage: 101 },
    { toleratedFailurePercentage: Number.NaN },
    { minSuccesses: 0 },
  ])('%j is refused', (config) => {
    expect(() => open(config, [1])).toThrow(expect.objectContaining({ code: 'validation' }));
  });

  test('more successes than there are items cannot be reached', () => {
    expect(() => open({ minSuccesses: 3 }, [1, 2])).toThrow(
      expect.objectContaining({ code: 'not_enough_values' }),
    );
  });
});

describe('collecting', () => {
  test('outputs stand in item order, whatever completed first', () => {
    const parts = [part(2, 'c', { completedSeq: 1 }), part(0, 'a', { completedSeq: 9 }), part(1, 'b')];
    expect(collect(items(), parts)).toEqual({
      kind: 'completed',
      output: ['a', 'b', 'c'],
      errors: [],
      winner: '1',
    });
  });

  test('branches give an object by name', () => {
    const outcome = collect(branches(), [part(0, 1), part(1, 2), part(2, 3)]);
    expect(outcome).toMatchObject({ output: { left: 1, right: 2, centre: 3 }, winner: 'left' });
    expect(outcome).not.toHaveProperty('branch');
  });

  test('within tolerance a failed item is null, and its error stands beside', () => {
    const parts = [part(0, 'a'), part(1, null, { code: 'http_500' }), part(2, 'c')];
    expect(collect(items({ toleratedFailureCount: 1 }), parts)).toEqual({
      kind: 'completed',
      output: ['a', null, 'c'],
      errors: [{ index: 1, code: 'http_500', message: 'part 1 failed', attempts: 1 }],
      winner: '0',
    });
  });

  test('beyond tolerance it fails with the error of the lowest index', () => {
    const error = { code: 'mine', message: 'no luck', details: { why: 1 } };
    const parts = [part(2, null, { code: 'late' }), part(1, null, { status: 'failed', error }), part(0, 'a')];
    expect(() => collect(items({ toleratedFailureCount: 1 }), parts)).toThrow(
      expect.objectContaining({ ...error, message: 'item 1, after 1 attempt: no luck' }),
    );
  });

  test('the failed item or branch is named, with its attempts and the status of an answer', () => {
    const error = { code: 'http_503', message: 'GET https://x answered 503', status: 503, attempts: 4 };
    expect(() => collect(items(), [part(0, null, { status: 'failed', error })])).toThrow(
      expect.objectContaining({
        ...{ code: 'http_503', status: 503 },
        message: 'item 0, after 4 attempts: GET https://x answered 503',
      }),
    );
    expect(() => collect(branches(), [part(1, null, { status: 'failed', error })])).toThrow(
      expect.objectContaining({ message: 'branch "right", after 4 attempts: GET https://x answered 503' }),
    );
  });

  test('items that were skipped, cancelled or never issued are null and no failures', () => {
    const parts = [
      part(0, 'a'),
      part(1, null, { status: 'skipped' }),
      part(2, null, { status: 'cancelled' }),
    ];
    expect(collect(items(), parts, 4)).toMatchObject({ output: ['a', null, null, null], errors: [] });
  });

  test('the failure of an optional part counts as none', () => {
    const definition = items({ task: { ...task, optional: true } });
    expect(collect(definition, [part(0, 'a'), part(1, null, { code: 'x' })], 2)).toMatchObject({
      output: ['a', null],
    });
  });

  test('with minSuccesses 1 the first branch to complete is winner and branch', () => {
    const parts = [
      part(0, null, { code: 'x' }),
      part(1, 'r', { completedSeq: 7 }),
      part(2, 'c', { completedSeq: 5 }),
    ];
    expect(collect(branches({ minSuccesses: 1 }), parts)).toMatchObject({
      output: { left: null, right: 'r', centre: 'c' },
      winner: 'centre',
      branch: 'centre',
      errors: [{ index: 0, branch: 'left', code: 'x' }],
    });
  });

  test('fewer successes than minSuccesses fail like the first item', () => {
    const parts = [part(0, 'a'), part(1, null, { code: 'x' }), part(2, null, { code: 'y' })];
    expect(() => collect(items({ minSuccesses: 2 }), parts)).toThrow(expect.objectContaining({ code: 'x' }));
    expect(() => collect(items({ minSuccesses: 2 }), [part(0, 'a')])).toThrow(
      expect.objectContaining({ code: 'not_enough_values' }),
    );
  });
});

describe('with a batchSize', () => {
  test.each<[Json, Json[], Json[][]]>([
    [2, [1, 2, 3], [[1, 2], [3]]],
    [{ count: 9 }, [1, 2], [[1, 2]]],
    [{ bytes: 5 }, [1, 2, 3, 45], [[1, 2], [3], [45]]],
    [{ bytes: 6 }, ['a', 'é', 'too long alone', 'b'], [['a'], ['é'], ['too long alone'], ['b']]],
    [{ count: 2, bytes: 7 }, [1, 2, 3, 444, 5], [[1, 2], [3, 444], [5]]],
    [3, [], []],
  ])('%j makes parts of several items: %j', (batchSize, input, values) => {
    const outcome = open({ batchSize }, input);
    if (values.length === 0) expect(outcome).toEqual({ kind: 'completed', output: [] });
    else expect(outcome).toMatchObject({ values, total: values.length, neededSuccesses: values.length });
    for (const { batch, bytes } of values.map((batch) => ({ batch, bytes: JSON.stringify(batch).length })))
      if (
        typeof batchSize === 'object' &&
        batch.length > 1 &&
        batch.every((item) => typeof item === 'number')
      )
        expect(bytes).toBeLessThanOrEqual(Number((batchSize as JsonObject | null)?.bytes ?? bytes));
  });

  test.each<Json>([0, 1.5, '2', {}, { count: 0 }, { bytes: '9' }, [], true])('%j is refused', (batchSize) => {
    expect(() => open({ batchSize }, [1])).toThrow(
      expect.objectContaining({ code: 'validation', message: expect.stringContaining('config.batchSize') }),
    );
  });

  test('100,000 batches are taken, one more is refused', () => {
    expect(open({ batchSize: 2 }, list(200_000))).toMatchObject({ total: 100_000 });
    expect(() => open({ batchSize: 2 }, list(200_001))).toThrow(/takes 100000 batches at most, got 100001/);
  });

  test('the output has an entry for each batch, and a failure names its items', () => {
    const definition = items({ batchSize: 2, toleratedFailureCount: 1 });
    const parts = [part(0, 'a'), part(1, null, { code: 'x' }), part(2, 'c')];
    expect(collect(definition, parts, 5)).toMatchObject({
      output: ['a', null, 'c'],
      errors: [{ index: 1, items: { from: 2, to: 3 }, code: 'x' }],
    });
    const failed = (index: number) => () =>
      collect(items({ batchSize: 2 }), [part(index, null, { code: 'x' })], 5);
    expect(failed(1)).toThrow(/^batch 1 \(items 2 to 3\), after 1 attempt: /);
    expect(failed(2)).toThrow(/^batch 2 \(item 4\), after 1 attempt: /);
  });
});

describe('partsOf', () => {
  test('parts are nodes under the taskId of the parallel, without edges', () => {
    const inner = { taskType: 'wait', retry: { maxAttempts: 1 }, optional: true };
    expect(partsOf(node('parallel', { items: [1], task: inner }))).toEqual({
      kind: 'items',
      task: { ...inner, taskId: 'it', dependsOn: [], config: {} },
    });
    expect(partsOf(branches())).toMatchObject({ kind: 'branches', names: ['left', 'right', 'centre'] });
  });

  test('a branch called __proto__ is a branch like any other', () => {
    const hostile = JSON.parse('{"__proto__":{"taskType":"wait"}}') as JsonObject;
    const definition = node('parallel', { branches: hostile });
    expect(partsOf(definition)).toMatchObject({ names: ['__proto__'] });
    const output = runPure(definition, { phase: 'items', parts: [part(0, 'x')] });
    expect(JSON.stringify(output)).toContain('{"__proto__":"x"}');
  });
});
