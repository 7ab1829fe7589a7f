// Conditions: expressions, booleans and the structured form.
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/core/expression/mapping.ts';
import type { Json } from '../../../src/core/json.ts';
import { condition, errorOf, must, problems } from './evaluate.ts';

const leaf = (path: string, operator: string, value?: Json): Json =>
  value === undefined ? { path, operator } : { path, operator, value };

describe('conditions', () => {
  test.each<[Json, boolean]>([
    [true, true],
    [false, false],
    ['$.input.age > 1', true],
    ['{{ input.yes }}', true],
    ['null', false],
    ['$.input.none', false],
    ['$.input.nope', false],
    ['input.nope == null && exists(input.none)', true],
    [{ all: ['input.yes', { not: 'input.nope' }, true] }, true],
    [{ any: ['input.nope', { all: [] }] }, true],
    [{ any: [] }, false],
    [{ not: { any: [false, true] } }, false],
  ])('%j is %s', (given, expected) => {
    expect(condition(given)).toBe(expected);
  });

  test.each<[Json, boolean]>([
    [leaf('$.input.age', 'equals', 42), true],
    [leaf('$.input.age', 'equals', '42'), false],
    [leaf('$.input.age', 'equals', '{{ 40 + 2 }}'), true],
    [leaf('$.input.nope', 'equals', null), true],
    [leaf('$.input.age', 'not_equals', 41), true],
    [leaf('$.input.tags', 'contains', 'red'), true],
    [leaf('$.input.name', 'contains', 'nn'), true],
    [leaf('$.input.age', 'contains', 4), false],
    [leaf('$.input.nope', 'not_contains', 4), true],
    [leaf('$.input.name', 'regex', '^A.n$'), true],
    [leaf('$.input.age', 'regex', '4'), false],
    [leaf('$.input.age', 'gt', 41), true],
    [leaf('$.input.age', 'gte', 42), true],
    [leaf('$.input.age', 'lt', 42), false],
    [leaf('$.input.age', 'lte', 42), true],
    [leaf('$.input.age', 'gt', '1'), false],
    [leaf('$.input.nope', 'gte', null), false],
    [leaf('$.input.name', 'in', ['Bob', 'Ann']), true],
    [leaf('$.input.name', 'not_in', ['Bob', 'Ann']), false],
    [leaf('$.input.name', 'in', '{{ ["Ann"] }}'), true],
    [leaf('$.input.none', 'exists'), true],
    [leaf('$.input.nope', 'exists'), false],
    [leaf('$.input.nope', 'not_exists'), true],
    [leaf('input.items[0].id', 'equals', 1), true],
  ])('%j is %s', (given, expected) => {
    expect(condition(given)).toBe(expected);
  });

  test('anything but true, false and null is an error', () => {
    expect(errorOf(() => condition('input.age'))).toBe(
      'expression: a condition must yield true or false, got number',
    );
    expect(errorOf(() => condition({ any: ['input.name'] }))).toContain('got string');
    expect(problems(compileCondition("'yes'", ''))[0]?.message).toBe('a condition must yield true or false');
  });

  test.each<[Json, string, string]>([
    [5, '', 'a condition must be'],
    [{ path: '$.input.a', operator: 'equal', value: 1 }, '/operator', 'operator must be one of'],
    [{ path: '$.input.a', operator: 'equals' }, '', '"equals" needs a value'],
    [{ path: '$.input.a', operator: 'exists', value: 1 }, '/value', 'takes no value'],
    [{ path: '$.inptu.a', operator: 'exists' }, '/path', 'unknown name "inptu"'],
    [{ path: 5, operator: 'exists' }, '/path', 'path must be a path'],
    [{ path: '$.input.a', operator: 'regex', value: '(' }, '/value', 'RE2'],
    [{ path: '$.input.a', operator: 'in', value: 'abc' }, '/value', 'needs an array'],
    [{ all: 'x' }, '/all', 'must be an array'],
    [{ all: [{ any: [{ not: 'x y' }] }] }, '/all/0/any/0/not', 'unknown name "x"'],
    [{ all: [], any: [] }, '/any', '"any" does not go with "all"'],
    [{ al: [] }, '', 'expected one of'],
  ])('%j is refused at %s: %s', (given, pointer, message) => {
    const [problem] = problems(compileCondition(given, ''));
    expect(problem?.pointer).toBe(pointer);
    expect(problem?.message).toContain(message);
  });

  test('a typo in an operator gets the nearest name', () => {
    expect(problems(compileCondition(leaf('input', 'equls', 1), ''))[0]?.hint).toBe('equals');
    expect(problems(compileCondition({ nto: true }, ''))[0]?.hint).toBe('not');
  });

  test('what a condition reads may be missing', () => {
    const { references } = must(compileCondition({ all: ['input.a', leaf('input.b', 'equals', 1)] }, ''));
    expect(references.map(({ path, guarded }) => [path, guarded])).toEqual([
      [['a'], true],
      [['b'], true],
    ]);
  });
});
