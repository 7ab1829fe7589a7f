// map() and filter(): what they read, what they say of an element that does not fit, and what cannot be written.
import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../src/core/expression/mapping.ts';
import { reads, warningsOf, workflow } from '../definition/documents.ts';
import { condition, fault, must, problems, value } from './evaluate.ts';

const referencesOf = (expression: string) =>
  must(compileExpression(expression, '')).references.map(({ root, path, guarded }) => [root, path, guarded]);

describe('what they read', () => {
  test('the element is no read of the scope', () => {
    expect(referencesOf('map(input.list, item.a + index)')).toEqual([['input', ['list'], true]]);
    expect(referencesOf('map(item, item.a)')).toEqual([['item', [], true]]);
    expect(referencesOf('filter(input.list, item.id in tasks.a.output.ids)')).toEqual([
      ['input', ['list'], true],
      ['tasks', ['a', 'output', 'ids'], true],
    ]);
  });

  test('what map() makes of an element may not be missing', () => {
    expect(referencesOf('map([1], tasks.a.output)')).toEqual([['tasks', ['a', 'output'], false]]);
  });

  test('they may stand where there is no item, and in texts that see no task', () => {
    expect(warningsOf(workflow([reads('a', '{{ map([1], item) }}')]))).toEqual([]);
    const compiled = compileExpression('map(body.list, item.id)', '', { roots: ['body'] });
    expect(problems(compiled)).toEqual([]);
    expect(
      problems(compileExpression('[map(body.list, item.id), item]', '', { roots: ['body'] })),
    ).toHaveLength(1);
  });

  test('each element has its own uuid(), the same each time', () => {
    const ids = value('map([[1, 2], [3, 4]], map(item, uuid()))') as string[][];
    expect(new Set(ids.flat()).size).toBe(4);
    expect(value('map([[1, 2], [3, 4]], map(item, uuid()))')).toEqual(ids);
  });
});

describe('what they say', () => {
  test.each([
    ['map(input.name, item)', /map\(\): argument 1 must be an array, got string/],
    ['map(input.nope, item)', /map\(\): argument 1 must be an array, got null; use \?\?/],
    ['map([{a: 1}, {}], item.a)', /missing_path: item.a is missing in element 1/],
    ['filter([1], item)', /"filter\(\)" needs true, false or null, got number/],
    ['map([1])', /problem: .*map\(\) got 1 argument/],
    ['map([1], itm)', /problem: .*unknown name "itm" \(did you mean item\?\)/],
    ['filter(input.items, item.id == input.items[?@.id == $.item.id][0])', /problem: .*is not the element/],
    ["lookup('text', 'a')", /lookup\(\): argument 1 must be an object or an array, got string/],
    ["lookup([1], 'a')", /lookup\(\): argument 2 must be a number/],
    ['lookup({a: 1}, 1)', /lookup\(\): argument 2 must be a string/],
  ])('%s', (expression, message) => {
    expect(fault(expression)).toMatch(message);
  });

  test('a condition may be made of them', () => {
    expect(condition('count(filter(input.items, item.price > 10)) == 2')).toBe(true);
  });
});

test('nested to the limit they compile at once', () => {
  const depth = 60;
  const text = `${'map([1], '.repeat(depth)}item${')'.repeat(depth)}`;
  expect(problems(compileExpression(text, ''))).toEqual([]);
});
