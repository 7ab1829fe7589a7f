import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { node, runPure } from './run-task.ts';

const choose = (config: JsonObject, input: Json, branches?: readonly string[]) =>
  runPure(node('condition', config), { scope: { input }, branches });

describe('value', () => {
  test.each<[string, Json, string]>([
    ['$.input.kind', { kind: 'deep' }, 'deep'],
    ['input.kind', { kind: 'deep' }, 'deep'],
    ['{{ input.kind }}', { kind: 'deep' }, 'deep'],
    ['level-{{ input.level }}', { level: 2 }, 'level-2'],
    ['input.count', { count: 3 }, '3'],
    ['input.count > 2', { count: 3 }, 'true'],
  ])('%s of %j takes the branch %s', (value, input, branch) => {
    expect(choose({ value }, input)).toMatchObject({ kind: 'completed', branch, output: { branch } });
  });

  test('a missing path takes the default and says so', () => {
    expect(choose({ value: '$.input.kind', default: 'other' }, {})).toEqual({
      kind: 'completed',
      branch: 'other',
      output: { branch: 'other', missing: true },
    });
  });

  test('null takes the default', () => {
    expect(choose({ value: '$.input.kind', default: 'other' }, { kind: null })).toMatchObject({
      branch: 'other',
      output: { branch: 'other', value: null },
    });
  });

  test('a text that no edge names takes the default', () => {
    const config = { value: '$.input.kind', default: 'other' };
    expect(choose(config, { kind: 'odd' }, ['deep', 'other'])).toMatchObject({
      branch: 'other',
      output: { branch: 'other', value: 'odd' },
    });
    expect(choose(config, { kind: 'deep' }, ['deep', 'other'])).toMatchObject({ branch: 'deep' });
    expect(choose(config, { kind: 'odd' }, [])).toMatchObject({ branch: 'odd' });
  });

  test('default null takes no branch and completes', () => {
    expect(choose({ value: '$.input.kind', default: null }, {})).toEqual({
      kind: 'completed',
      output: { branch: null, missing: true },
    });
  });

  test.each<[string, Json]>([
    ['missing', {}],
    ['null', { kind: null }],
    ['none of the branches deep', { kind: 'odd' }],
  ])('without a default, %s is no_branch', (why, input) => {
    expect(() => choose({ value: '$.input.kind' }, input, ['deep'])).toThrow(
      expect.objectContaining({ code: 'no_branch', message: expect.stringContaining(why) }),
    );
  });

  test.each<Json>([{}, []])('%j has no text that could be a branch', (kind) => {
    expect(() => choose({ value: '$.input.kind', default: 'x' }, { kind })).toThrow(
      expect.objectContaining({ code: 'validation' }),
    );
  });

  test('an error that is no missing path is not taken for the default', () => {
    expect(() => choose({ value: 'input.kind * 2', default: 'x' }, { kind: 'a' })).toThrow(
      expect.objectContaining({ code: 'expression' }),
    );
  });
});

describe('cases', () => {
  const cases = [
    { when: 'input.score > 8', branch: 'good' },
    { when: { path: '$.input.score', operator: 'gt', value: 5 }, branch: 'fair' },
  ];

  test.each<[number, string]>([
    [9, 'good'],
    [6, 'fair'],
  ])('the first case that holds for %d is %s', (score, branch) => {
    expect(choose({ cases }, { score })).toEqual({ kind: 'completed', branch, output: { branch } });
  });

  test('where no case holds: the default, none, or no_branch', () => {
    expect(choose({ cases, default: 'poor' }, { score: 1 })).toMatchObject({ branch: 'poor' });
    expect(choose({ cases, default: null }, { score: 1 })).toEqual({
      kind: 'completed',
      output: { branch: null },
    });
    expect(() => choose({ cases }, { score: 1 })).toThrow(
      expect.objectContaining({
        code: 'no_branch',
        message: 'Task "it": condition has no branch to take: no case holds, and there is no default',
      }),
    );
  });
});

describe('expression', () => {
  test.each<[Json, Json, string]>([
    ['input.depth > 1', { depth: 2 }, 'true'],
    ['input.depth > 1', { depth: 1 }, 'false'],
    ['input.gone', {}, 'false'],
    [{ not: { path: '$.input.depth', operator: 'exists' } }, {}, 'true'],
  ])('%j over %j takes %s', (expression, input, branch) => {
    expect(choose({ expression }, input)).toEqual({
      kind: 'completed',
      branch,
      output: { branch, value: branch === 'true' },
    });
  });

  test('a value that is no truth is an error', () => {
    expect(() => choose({ expression: 'input.depth' }, { depth: 1 })).toThrow(
      expect.objectContaining({ code: 'expression' }),
    );
  });
});
