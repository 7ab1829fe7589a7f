// The keys of the JSON that goes to the functions which open and settle stand in one place (src/db/protocol/settle-keys.ts):
// what a function reads is declared there, and what is declared is read.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as keys from '../../src/db/protocol/settle-keys.ts';

const FUNCTIONS = new URL('../../src/db/functions/', import.meta.url);
const FILES = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' });
const fileOf = (name: string) => FILES.find((file) => file.endsWith(`/${name}.sql`))!;

const sqlOf = (...names: string[]) =>
  names
    .map((name) => readFileSync(new URL(fileOf(name), FUNCTIONS), 'utf8'))
    .join('\n')
    .replace(/--.*$/gm, '');

/** The columns of each `jsonb_to_recordset(…) as alias(…)`. */
const columnLists = (sql: string): string[][] =>
  [...sql.matchAll(/jsonb_to_recordset\([^)]*\)\s+as\s+\w+\s*\(([^)]*)\)/g)].map(([, columns]) =>
    columns!.split(',').map((column) => column.trim().split(/\s+/)[0]!.replaceAll('"', '')),
  );

/** Every key that the text reads: the columns, `->'key'` and `->>'key'`. */
function keysRead(sql: string): string[] {
  const named = [...sql.matchAll(/->>?\s*'(\w+)'/g)].map((match) => match[1]!);
  return [...new Set([...columnLists(sql).flat(), ...named])].sort();
}

const declared = (...tables: Readonly<Record<string, string>>[]) =>
  [...new Set(tables.flatMap((table) => Object.keys(table)))].sort();

test.each([
  [
    'settle_v2',
    sqlOf('settle', 'settle-children', 'settle-closure', 'settle-fan-out'),
    [
      keys.BATCH_KEYS,
      keys.EXECUTION_KEYS,
      keys.SETTLE_KEYS,
      keys.EDGE_KEYS,
      keys.FURTHER_END_KEYS,
      keys.FAN_OUT_KEYS,
      keys.FINISH_KEYS,
      keys.TERMINATE_KEYS,
    ],
  ],
  [
    'settle_completed_v2',
    sqlOf('settle-completed'),
    [keys.COMPLETED_KEYS, keys.COMPLETED_EDGE_KEYS, keys.FINISH_KEYS],
  ],
  ['settle_one_v1', sqlOf('settle-one'), [keys.FINISH_KEYS]],
  ['open_v3', sqlOf('open'), [keys.OPENING_KEYS, keys.OPENING_PLAN_KEYS, keys.ROW_KEYS]],
])('%s reads the keys that are declared, and no others', (_, sql, tables) => {
  expect(keysRead(sql)).toEqual(declared(...tables));
});

test('each list of columns names keys of one table', () => {
  const tables = Object.values(keys).map((table) => new Set(Object.keys(table)));
  const lists = columnLists(sqlOf('settle', 'settle-children', 'settle-completed', 'open'));
  expect(lists.length).toBeGreaterThan(8);
  expect(lists.filter((list) => !tables.some((table) => list.every((key) => table.has(key))))).toEqual([]);
});
