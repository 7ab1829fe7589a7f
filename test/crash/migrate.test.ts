// `dagwright migrate`, killed with -9 in its middle, at random moments: nothing half done stays, and the next one brings the database to
// what a fresh one is.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { pendingMigrations } from '../../src/db/operations/migrate.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { until } from './support/supervisor.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const ROUNDS = 5;
/** In one database, before it may come to its end. */
const KILLS = 2;

const home = mkdtempSync(join(tmpdir(), 'dagwright-migrate-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

function migrate(url: string): ChildProcess {
  const child = spawn(process.execPath, ['--no-warnings', MAIN, 'migrate'], {
    env: { PATH: process.env.PATH, HOME: home, DATABASE_URL: url, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const OURS = `('dagwright', 'graphile_worker', 'drizzle')`;
/** All that migrations make: a line for each thing. Of rows, those that a fresh database has. */
const SCHEMA = `
  with n as (select oid, nspname from pg_namespace where nspname in ${OURS})
  select line from (
    select concat_ws(' ', 'schema', nspname, nspacl) from pg_namespace where nspname in ${OURS}
    union all select concat_ws(' ', 'relation', c.oid::regclass, c.relkind, c.relowner::regrole, c.relacl, c.relrowsecurity,
      c.relforcerowsecurity, c.reloptions) from pg_class c join n on n.oid = c.relnamespace
    union all select concat_ws(' ', 'column', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attacl) from pg_attribute a join pg_class c on c.oid = a.attrelid
      join n on n.oid = c.relnamespace left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
      where a.attnum > 0 and not a.attisdropped
    union all select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid join n on n.oid = c.relnamespace
    union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(x.oid)) from pg_constraint x
      join n on n.oid = x.connamespace where conrelid <> 0
    union all select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid join n on n.oid = c.relnamespace
      where not t.tgisinternal
    union all select concat_ws(' ', 'function', p.oid::regprocedure, p.proowner::regrole, p.proacl, md5(pg_get_functiondef(p.oid)))
      from pg_proc p join n on n.oid = p.pronamespace where p.prokind in ('f', 'p')
    union all select concat_ws(' ', 'view', c.oid::regclass, md5(pg_get_viewdef(c.oid))) from pg_class c
      join n on n.oid = c.relnamespace where c.relkind = 'v'
    union all select concat_ws(' ', 'policy', p.tablename, p.policyname, p.roles, p.qual, p.with_check) from pg_policies p
      where schemaname in ${OURS}
    union all select concat_ws(' ', 'enum', t.oid::regtype, string_agg(e.enumlabel, ',' order by e.enumsortorder)) from pg_type t
      join pg_enum e on e.enumtypid = t.oid join n on n.oid = t.typnamespace group by t.oid
    union all select concat_ws(' ', 'default', d.defaclnamespace::regnamespace, d.defaclrole::regrole, d.defaclobjtype, d.defaclacl)
      from pg_default_acl d
    union all select concat_ws(' ', 'migration', hash, created_at) from drizzle.__drizzle_migrations
    union all select concat_ws(' ', 'of the queue', id) from graphile_worker.migrations
    union all select concat_ws(' ', 'tenant', name) from dagwright.tenants
    union all select concat_ws(' ', 'price', md5((to_jsonb(p) - 'updated_at')::text)) from dagwright.ai_model_pricing p
  ) lines(line) order by line collate "C"`;
const schemaOf = (url: string) =>
  withClient(url, async (client) => (await client.query(SCHEMA)).rows.map(({ line }) => line as string));

/** Whether somebody migrates this database now, and for how long until it has ended. */
const isMigrating = (client: pg.Client) =>
  client
    .query(
      `select from pg_locks where locktype = 'advisory' and granted
         and database = (select oid from pg_database where datname = current_database())`,
    )
    .then(({ rowCount }) => rowCount! > 0);

test('killed at random moments, and run again: the database is what a fresh one is', {
  timeout: 600_000,
}, async () => {
  const fresh = await createDatabase();
  const expected = await schemaOf(fresh.url);
  await fresh.drop();
  expect(expected.length).toBeGreaterThan(500);
  // How long one takes on this machine, from its lock on.
  const measured = await createEmptyDatabase();
  const wholeMs = await withClient(measured.url, async (client) => {
    const child = migrate(measured.url);
    const exit = once(child, 'exit');
    await until('it migrates', () => isMigrating(client));
    const startedAt = performance.now();
    expect((await exit)[0]).toBe(0);
    return performance.now() - startedAt;
  });
  expect(await schemaOf(measured.url)).toEqual(expected);
  await measured.drop();

  let inTheMiddle = 0;
  const leftOver: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const database = await createEmptyDatabase();
    await withClient(database.url, async (client) => {
      for (let kill = 0; kill < KILLS; kill++) {
        const child = migrate(database.url);
        const exit = once(child, 'exit');
        await until(
          'it migrates, or has ended',
          async () => child.exitCode !== null || (await isMigrating(client)),
        );
        await Promise.race([delay(Math.random() * wholeMs), exit]);
        if (child.exitCode === null) inTheMiddle++;
        child.kill('SIGKILL');
        await exit;
        // Its connections go when the server notices.
        await until('nobody migrates', async () => !(await isMigrating(client)));
        leftOver.push(await pendingMigrations(database.url));
      }
      const last = migrate(database.url);
      let said = '';
      last.stderr!.on('data', (text) => {
        said += text;
      });
      const [code] = await once(last, 'exit');
      expect([code, said]).toEqual([0, expect.any(String)]);
    });
    expect(await schemaOf(database.url)).toEqual(expected);
    await database.drop();
  }
  expect(inTheMiddle).toBeGreaterThan(0);
  // All of ours are one transaction: after a kill there are none, or all.
  const all = Math.max(...leftOver);
  expect(leftOver.filter((left) => left !== 0 && left !== all)).toEqual([]);
});
