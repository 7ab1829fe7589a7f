// Constants in expressions: what cannot be right whatever the data is, is found when a definition is validated, and only then.
import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { BuildBudget, withBuildBudget } from '../../../src/core/expression/build-budget.ts';
import { compileMapping } from '../../../src/core/expression/mapping.ts';
import { reads, workflow } from '../definition/documents.ts';

function messagesOf(expression: string): string[] {
  const result = validateDefinition(workflow([reads('a', `{{ ${expression} }}`)]));
  return result.ok ? [] : result.problems.map(({ pointer, message }) => `${pointer} ${message}`);
}

describe('a call that can never succeed', () => {
  test.each<[expression: string, blamed: RegExp]>([
    ["formatDate(input.at, 'yyyy-qq')", /formatDate\(\): argument 2 has "qq"/],
    ["formatDate(input.at, 'yyyy', 'Europe/Pariss')", /argument 3 must be an IANA time zone/],
    ["formatDate('yesterday', 'yyyy')", /argument 1 must be an ISO 8601 date/],
    ["formatDate('2027-02-30', input.format)", /argument 1 is not a real date/],
    ["addSeconds(input.at, '60')", /argument 2 must be a number, got string/],
    ["number('abc')", /a string that is not a number/],
    ["parseJson('{')", /a string that is not JSON/],
    ['round(input.x, 99)', /argument 2 must be a whole number from -15 to 15/],
    ['chunk(input.list, 0)', /argument 2 must be a whole number from 1/],
    ["slice(input.list, '1')", /argument 2 must be a number/],
    ['range(0, input.n, 0)', /argument 3 must not be 0/],
    ['range(1000000000)', /the limit is/],
    ["replace(input.text, '', 'x')", /argument 2 must not be empty/],
    ['split(input.text, 1)', /argument 2 must be a string/],
    ['join(input.list, 1)', /argument 2 must be a string/],
    ['startsWith(input.text, 3)', /argument 2 must be a string/],
    ['endsWith(input.text, 3)', /argument 2 must be a string/],
    ['upper(3)', /argument 1 must be a string/],
    ["keys('text')", /argument 1 must be an object/],
    ["sum(input.x, 'a')", /argument 2 must be a number/],
    ["max('a', input.x)", /argument 1 must be a number/],
    ["merge(input.x, 'a')", /argument 2 must be an object/],
    ["sort([1, 'a'])", /only numbers or only strings/],
    ["concat(['a'], 3)", /argument 2 must be an array/],
    ['first(3)', /argument 1 must be an array/],
    ['input.x > 1 ? upper(input.t) : [round(input.x, 99)]', /round\(\): argument 2/],
  ])('%s is a problem', (expression, blamed) => {
    expect(messagesOf(expression)).toEqual([expect.stringMatching(blamed)]);
  });

  test.each([
    "formatDate(input.at, 'yyyy-MM-dd', 'Europe/Paris')",
    "formatDate(input.at, input.format, 'Europe/Paris')",
    "formatDate('2027-03-05', input.format)",
    'addSeconds(input.at, -60)',
    "addSeconds('2027-03-05', input.seconds)",
    'number(input.x)',
    "contains('abc', input.x)",
    'contains([1, 2], input.x)',
    'contains(input.x, 3)',
    'contains(input.x, null)',
    "startsWith(input.x, 'a')",
    "match(input.x, '^a.*')",
    'slice(input.list, -3)',
    "slice('abc', input.from)",
    "split('a,b', input.separator)",
    "replace('abc', input.find, '')",
    'join(input.list)',
    "join(['a', 'b'], input.separator)",
    "sort(input.list, 'price')",
    'sort([3, 1, 2])',
    'chunk([1, 2, 3], input.size)',
    'range(input.from, 10, 2)',
    'range(0, 10, -1)',
    'round(input.x, -2)',
    'sum([1, 2])',
    'sum(1, input.x)',
    'merge({ a: 1 }, input.more)',
    "concat('a', input.more)",
    'concat([1], input.more)',
    'min(1, input.x)',
    'uuid()',
    'now()',
    'exists(input.x)',
    "sha256('abc')",
    'json([1, input.x])',
    'count(null)',
    'length(3)',
  ])('%s is none', (expression) => {
    expect(messagesOf(expression)).toEqual([]);
  });

  test('is found in conditions, outputs and triggers as well', () => {
    const bad = "formatDate(input.at, 'q')";
    const nodes = [{ ...reads('a', 1), conditionExpression: `${bad} == 'x'` }];
    const triggers = [{ type: 'event', event: 'x.y', when: bad.replace('input.at', 'event.at') }];
    const result = validateDefinition(workflow(nodes, { output: `{{ ${bad} }}`, triggers }));
    expect(result.ok ? [] : result.problems.map(({ pointer }) => pointer).sort()).toEqual([
      '/nodes/0/conditionExpression',
      '/output',
      '/triggers/0/when',
    ]);
  });

  test('does not keep what was stored with it from being compiled', () => {
    const bad = "{{ formatDate(input.at, 'q') }}";
    const compile = () => compileMapping(bad, '').ok;
    expect(withBuildBudget(new BuildBudget(), compile)).toBe(false);
    expect(withBuildBudget(BuildBudget.ofStored(1), compile)).toBe(true);
    expect(compile()).toBe(true);
  });

  test('is looked for in so many calls only', () => {
    const budget = new BuildBudget();
    const calls = Array.from({ length: 1_000 }, (_, i) => `{{ round(input.x, ${100 + i}) }}`);
    const result = withBuildBudget(budget, () => compileMapping(calls, ''));
    expect(result.ok ? 0 : result.problems.length).toBe(500);
  });
});
