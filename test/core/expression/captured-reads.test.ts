// What is taken out of a scope for an expression gives the same value as the scope itself, and is no more than it reads.
import { describe, expect, test } from 'vitest';
import { captureReads } from '../../../src/core/expression/captured-reads.ts';
import { compileCondition, compileExpression } from '../../../src/core/expression/mapping.ts';
import { FUNCTION_CONTEXT, lazy, type Scope } from '../../../src/core/expression/scope.ts';
import { must, SCOPE, value } from './evaluate.ts';

const LAZY: Scope = {
  ...SCOPE,
  tasks: lazy(() => ({
    fetch: lazy(() => ({ status: 'completed', output: lazy(() => ({ id: 7, list: [{ n: 1 }, { n: 2 }] })) })),
    other: lazy(() => ({ status: 'failed', output: null })),
  })),
};
const copyOf = (text: string, scope: Scope = LAZY) =>
  captureReads(must(compileExpression(text, '')).references, scope, []);

test.each([
  'input.name',
  "input.nested['a-b'] + input.nested.list[1]",
  'parameters.age >= 42 && input.none == null',
  'input.items[1].price',
  '$.input.items[?@.price > 10].id',
  'length(input.items) + length(input.tags)',
  'tasks.fetch.output.id == item ?? index',
  "tasks['fetch'].output.list[-1].n",
  'tasks.fetch',
  'keys(tasks)',
  'input.missing ?? input.nested.gone.deeper ?? input.name',
  'exists(input.missing) || exists(input.none)',
  'input.items[index].id',
  '$..id',
  'input.nested.list[2].c.d ?? input.nested',
  'now()',
])('%s', (text) => {
  const copy = JSON.parse(JSON.stringify(copyOf(text)));
  const context = SCOPE[FUNCTION_CONTEXT];
  expect(value(text, { ...copy, [FUNCTION_CONTEXT]: context })).toEqual(value(text, LAZY));
});

describe('nothing else is taken', () => {
  test.each<[string, unknown]>([
    ['input.name == item', { input: { name: 'Ann' }, item: 'it' }],
    ['input.nested.list[0] + input.nested.list[1]', { input: { nested: { list: [1, 2, { c: 'x' }] } } }],
    ['tasks.fetch.output.id', { tasks: { fetch: { output: { id: 7 } } } }],
    ['input.missing.deep ?? 1', { input: {} }],
    [
      'input.tags == input.nested',
      { input: { tags: ['red', 'blue'], nested: (SCOPE.input as Record<string, unknown>).nested } },
    ],
    ['1 + 1', {}],
  ])('%s', (text, copy) => expect(copyOf(text)).toEqual(copy));

  test('of a scope that is shared with others nothing is changed', () => {
    const before = JSON.stringify(SCOPE);
    const { references } = must(
      compileCondition('input.nested.list == $..list && input == input.nested', ''),
    );
    captureReads(references, SCOPE, []);
    expect(JSON.stringify(SCOPE)).toBe(before);
  });

  test('of what comes later, though the scope has its name', () => {
    const { references } = must(
      compileCondition('payload.a == input.age', '', { roots: ['payload', 'input'] }),
    );
    expect(captureReads(references, { ...SCOPE, payload: 1 }, ['payload'])).toEqual({ input: { age: 42 } });
  });
});
