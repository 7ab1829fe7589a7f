// A page ends where what it holds is large enough: a prefix, never empty, in one statement that looks no further.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boundedPage, withinBytes } from '../../src/db/connection/byte-bounded.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { depth } from '../support/depth.ts';

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

// As text, a JSON string of n letters has n + 2 bytes.
const SIZED = `select n::int as n, to_jsonb(repeat('x', size - 2)) as output
  from unnest($1::int[]) with ordinality s(size, n) order by n`;

test('a page holds the first rows that fit, at least one, and knows whether there are more', async () => {
  const sizes = fc.array(fc.integer({ min: 2, max: 12 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 8 }), async (given, limit) => {
      let total = 0;
      const fitting = given.slice(0, limit).filter((size, i) => {
        total += size;
        return i === 0 || total <= 20;
      });
      const text = withinBytes(`${SIZED} limit ${limit + 1}`, { limit, maxBytes: 20, json: ['output'] });
      const page = boundedPage<{ n: number }>((await database.engine.query(text, [given])).rows);
      expect(page.rows.map(({ n }) => n)).toEqual(fitting.map((_, i) => i + 1));
      expect(page.hasMore).toBe(given.length > fitting.length);
    }),
    { numRuns: depth(100) },
  );
});

test('sizes are looked at no further than the first row that does not fit', async () => {
  const text = withinBytes(SIZED, { limit: 200, maxBytes: 1_000, json: ['output'] });
  const sizes = Array.from({ length: 200 }, () => 100);
  const { rows } = await database.engine.query(`explain (analyze, verbose, format json) ${text}`, [sizes]);
  interface Node {
    readonly Output?: readonly string[];
    readonly 'Node Type': string;
    readonly 'Actual Rows': number;
    readonly Plans?: readonly Node[];
  }
  const nodes = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
  const sums = nodes(rows[0]['QUERY PLAN'][0].Plan).filter(
    (node) => node['Node Type'] === 'WindowAgg' && node.Output?.some((one) => one.startsWith('sum(')),
  );
  expect(sums.map((node) => node['Actual Rows'])).toEqual([11]);
});
