// What waits for a signal costs nothing until it comes: neither the size of the tables nor that of one execution is read.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addWaiting, pagesOf, sequentialReads } from '../../bench/waiting-signals.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { isFullDepth } from '../support/depth.ts';

const WAITING = isFullDepth ? 100_000 : 2_000;

let own: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  own = await createDatabase();
  admin = new pg.Client({ connectionString: own.url });
  await admin.connect();
  await addWaiting(own.url, admin, 1);
});
afterAll(async () => {
  await admin.end();
  await own.drop();
});

const oneWaiting = async () => {
  const { rows } = await admin.query<{ id: string }>(
    `select id from dagwright.workflow_executions where status = 'running' order by id desc limit 1`,
  );
  return rows[0]!.id;
};

const STATEMENTS: Record<string, (id: string) => [string, ...unknown[]]> = {
  'a pass of timers': () => ['select dagwright.wake_due_v1(4, 256)'],
  'a pass over what nobody judges': () => ['select dagwright.rejudge_signals_v1(now())'],
  'a signal that ends a wait': (id) => [`select dagwright.signal_execution($1, 'go')`, id],
  'a signal that nothing waits for': (id) => [`select dagwright.signal_execution($1, 'other')`, id],
  'a look for what is stored': (id) => [
    `select * from dagwright.stored_signals_v1($1, 'w', -1, 0, true, 100)`,
    id,
  ],
  'a look for who waits': (id) => [
    `select * from dagwright.open_waits_v1($1, 'go', '-infinity', '', -1, 500)`,
    id,
  ],
  'a look for what is not judged': (id) => [`select dagwright.has_unjudged_v1($1, 'w', -1)`, id],
};

test(`with ${WAITING} waiting tasks each statement reads the pages that it reads with one, and scans no table`, async () => {
  await admin.query(`select set_config('app.current_tenant_id', $1, false)`, [DEFAULT_TENANT_ID]);
  const measure = async (id: string) => {
    const pages: Record<string, number> = {};
    for (const [name, statement] of Object.entries(STATEMENTS)) {
      const [text, ...values] = statement(id);
      // The first call of a session reads the catalogue.
      await pagesOf(admin, text, values);
      pages[name] = await pagesOf(admin, text, values);
    }
    return pages;
  };
  const few = await measure(await oneWaiting());
  await addWaiting(own.url, admin, WAITING);
  const [count] = (await admin.query('select count(*)::int as n from dagwright.signal_waits')).rows;
  expect(count).toEqual({ n: 2 * (WAITING + 1) });
  const id = await oneWaiting();
  const before = await sequentialReads(admin);
  const many = await measure(id);
  const after = await sequentialReads(admin);
  // An index has more levels, and a few pages are visited twice.
  for (const [name, pages] of Object.entries(many))
    expect(pages, `${name}: ${pages} pages, with one waiting ${few[name]}`).toBeLessThan(2 * few[name]! + 40);
  const read = [...after].map(([name, rows]) => [name, rows - before.get(name)!]);
  expect(read.filter(([, rows]) => (rows as number) > 0)).toEqual([]);
});
