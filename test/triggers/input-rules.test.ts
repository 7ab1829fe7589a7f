// Inputs under the schema of their revision: one that takes long to validate lets others have their turn.
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { InputRules } from '../../src/triggers/starts/input-rules.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const schema: Json = { properties: { list: { uniqueItems: true } } };
const listOf = (length: number) => Array.from({ length }, (_, n) => ({ n, text: 'x'.repeat(50) }));

test('validations that take long have a turn of the event loop each; short ones go on at once', async () => {
  const rules = new InputRules(log);
  const db = { query: async () => ({ rows: [{ schema, has: true, defaults: null }] }) };
  let turns = 0;
  const problemsOf = async (list: Json) => {
    const problems = await rules.problemsOf(
      db as never,
      { tenantId: 't1', versionId: 'version' },
      { list },
      1_000,
    );
    return { problems: problems!.map(({ code }) => code), turns };
  };
  await problemsOf([]);
  await new Promise(setImmediate);
  const count = () => {
    turns++;
    if (turns < 100) setImmediate(count);
  };
  setImmediate(count);
  const all = await Promise.all([[], ...Array.from({ length: 20 }, () => listOf(10_000))].map(problemsOf));
  expect(all[0]).toEqual({ problems: [], turns: 0 });
  const seen = new Set(all.map((one) => one.turns));
  expect(seen.size).toBeGreaterThan(3);
});
