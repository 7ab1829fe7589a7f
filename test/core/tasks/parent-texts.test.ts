// The default prompt of a model task: what its parents that are models said, not their whole records.
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { infer } from '../../support/model.ts';

const record = (text: string, more: JsonObject = {}): JsonObject => ({
  ...{ text, finishReason: 'stop', model: 'simulated/fast', toolCalls: [] },
  messages: [{ role: 'user', content: 'all that came before' }],
  usage: { inputTokens: 1 },
  ...more,
});

test.each<[string, string[], Json, string]>([
  ['one parent: its text', ['a'], { a: record('Hello') }, 'Hello'],
  ['with a schema: its object', ['a'], { a: record('{"x":1}', { object: { x: 1 } }) }, '{"x":1}'],
  [
    'several parents: their texts by name',
    ['a', 'b'],
    { a: record('Hi'), b: record('Ho') },
    '{"a":"Hi","b":"Ho"}',
  ],
  [
    'a parent that is no model stays as it is',
    ['a', 'b'],
    { a: record('Hi'), b: { n: 1 } },
    '{"a":"Hi","b":{"n":1}}',
  ],
  ['one parent that is no model', ['a'], { a: 'x' }, '{"a":"x"}'],
  ['a parallel of models: a list of texts', ['p'], { p: [record('1'), record('2')] }, '{"p":["1","2"]}'],
  ['a parallel of branches: a map of texts', ['p'], { p: { x: record('1'), y: 2 } }, '{"p":{"x":"1","y":2}}'],
  ['a root: the input of the execution', [], { a: 1 }, '{"a":1}'],
  ['what only looks alike', ['a'], { a: { text: 'Hi', model: 'x' } }, '{"a":{"text":"Hi","model":"x"}}'],
])('%s', async (_what, dependsOn, input, prompt) => {
  const { output } = await infer(
    {},
    { node: { dependsOn: dependsOn.map((taskId) => ({ taskId })) }, context: { input } },
  );
  expect(output.messages).toMatchObject([{ role: 'user', content: prompt }, { role: 'assistant' }]);
  expect(JSON.stringify(output.messages)).not.toContain('all that came before');
});

test('an inputMapping is taken as it is', async () => {
  const { output } = await infer(
    {},
    { node: { inputMapping: '$.x' }, context: { input: { a: record('Hi') } } },
  );
  expect(JSON.stringify(output.messages)).toContain('all that came before');
});
