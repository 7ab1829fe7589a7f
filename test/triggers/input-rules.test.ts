// Inputs under the schema of their revision: one that takes long to validate lets others have their turn.
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { InputRules } from '../../src/triggers/starts/input-rules.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const schema: Json = { properties: { text: { pattern: '(?:a|b|ab){1,300}c$' } } };

test('after a validation that took long the event loop has a turn, and after a short one it goes on at once', async () => {
  const rules = new InputRules(log);
  const db = { query: async () => ({ rows: [{ schema, has: true, defaults: null }] }) };
  const problemsOf = async (text: string) => {
    let turns = 0;
    setImmediate(() => turns++);
    const problems = await rules.problemsOf(db as never, 'version', { text }, 1_000);
    return { problems: problems!.map(({ code }) => code), turns };
  };
  expect(await problemsOf('abc')).toEqual({ problems: [], turns: 0 });
  expect(await problemsOf('ab'.repeat(1_000))).toEqual({ problems: ['pattern'], turns: 1 });
});
