// The numbers of the recovery budget stand in core/recovery.ts. The functions repeat them as constants of the same names (a
// constant costs the hot path nothing), and compare recoveries with nothing else.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MAX_RECOVERIES, SUSPECT_RECOVERIES } from '../../src/core/recovery.ts';

const FUNCTIONS = new URL('../../src/db/functions/', import.meta.url);
const files = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.sql'))
  .map((name) => ({ name, sql: readFileSync(new URL(name, FUNCTIONS), 'utf8').replace(/--.*$/gm, '') }));

test('each function that declares a number of the budget declares that of core', () => {
  const declared = files.flatMap(({ sql }) =>
    [...sql.matchAll(/\b(max_recoveries|suspect_recoveries) constant int := (\d+);/g)].map(
      ([, name, value]) => `${name} ${value}`,
    ),
  );
  expect(declared.length).toBeGreaterThan(5);
  expect([...new Set(declared)].sort()).toEqual([
    `max_recoveries ${MAX_RECOVERIES}`,
    `suspect_recoveries ${SUSPECT_RECOVERIES}`,
  ]);
});

test('no function compares recoveries with a number of its own', () => {
  const compared = files.flatMap(({ name, sql }) =>
    [...sql.matchAll(/\brecoveries\s*(?:<=|>=|<>|<|>|=)\s*(\w+)/g)]
      .map((match) => match[1]!)
      .filter((operand) => !['max_recoveries', 'suspect_recoveries'].includes(operand) && /^\d/.test(operand))
      .map((operand) => `${name}: ${operand}`),
  );
  expect(compared).toEqual([]);
});
