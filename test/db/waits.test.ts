// The kinds of wait in the database: its type and its functions are those of core/wait.ts, and a database of the release
// before, with tasks that wait, gets them.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { WAIT_KINDS, WAITS } from '../../src/core/wait.ts';
import { isConnectionLoss } from '../../src/db/connection/connection.ts';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { createDatabase } from '../support/database.ts';
import { createDatabaseAt } from '../support/former-database.ts';

async function connect(url: string, name = 'test'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: name });
  client.on('error', () => {});
  await client.connect();
  return client;
}

test('the database decides for each kind as core/wait.ts does', async () => {
  const database = await createDatabase();
  const client = await connect(database.url);
  try {
    const { rows } = await client.query(
      `select kind::text, dagwright.wait_ends_by_v1(kind) as "endsBy", dagwright.wait_in_pause_v1(kind) as pause
       from unnest(enum_range(null::dagwright.wait_kind)) kind`,
    );
    const coded = WAIT_KINDS.map((kind) => {
      const { endsBy, pause } = WAITS[kind];
      return { kind, endsBy, pause };
    });
    expect(rows).toEqual(coded);
  } finally {
    await client.end();
    await database.drop();
  }
});

/** A database as the release before the kinds of wait left it. */
const createFormerDatabase = () => createDatabaseAt('0011_callers');

const EXECUTIONS = `
  insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at, started_at, open_tasks)
  select ('00000000-0000-7000-8000-00000000000' || n)::uuid, (select id from dagwright.tenants), 'w', 1, gen_random_uuid(),
    (array['running', 'paused', 'completed'])[n]::dagwright.execution_status, 'manual', '{}', now(), now(), 4
  from generate_series(1, 3) n`;
const TASKS = `
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, status, waiting_on, wake_at, items_total, items_open)
  select o.id, t.name, o.tenant_id, 'wait', case when o.status = 'completed' then 'completed' else t.status end::dagwright.task_status,
    case when o.status <> 'completed' then t.kind end,
    case when t.status = 'waiting' and t.kind <> 'items' and o.status <> 'completed' then now() + interval '1 day' end,
    case t.kind when 'items' then 2 end, case t.kind when 'items' then 2 end
  from dagwright.workflow_executions o, (values ('a', 'waiting', 'timer'), ('b', 'waiting', 'callback'), ('c', 'waiting', 'items'),
    ('d', 'completed', null)) t(name, status, kind)`;
const CALLBACK = `
  insert into dagwright.task_callbacks (token_hash, tenant_id, workflow_execution_id, task_id, map_index, created_at, times_out_at, expires_at)
  select sha256('token'), tenant_id, workflow_execution_id, task_id, map_index, now(), now() + interval '1 day', now() + interval '1 day'
  from dagwright.task_executions where task_id = 'b' limit 1`;
const WAITING = `select workflow_execution_id as e, task_id, status, waiting_on::text, wake_at, items_open
  from dagwright.task_executions order by 1, 2`;

test('a database with tasks that wait is migrated, and keeps what each of them waits for', async () => {
  const database = await createFormerDatabase();
  const client = await connect(database.url);
  try {
    for (const text of [EXECUTIONS, TASKS, CALLBACK]) await client.query(text);
    const { rows: before } = await client.query(WAITING);
    expect(before.map(({ waiting_on }) => waiting_on).slice(0, 4)).toEqual([
      'timer',
      'callback',
      'items',
      null,
    ]);
    await migrateDatabase(database.url);
    expect((await client.query(WAITING)).rows).toEqual(before);
    const { rows } = await client.query(
      `select attname as name, atttypid = 'dagwright.wait_kind'::regtype as typed from pg_attribute where attrelid = 'dagwright.task_executions'::regclass and attname like 'waiting%' and not attisdropped`,
    );
    expect(rows).toEqual([{ name: 'waiting_on', typed: true }]);
    expect((await client.query('select waiting_on from dagwright.task_callbacks')).rows).toEqual([
      { waiting_on: 'callback' },
    ]);
    // What reads the column is there again, for whom it was there.
    await client.query('set role dagwright_engine');
    expect((await client.query('select * from dagwright.v_orphans')).rows).toEqual([]);
  } finally {
    await client.end();
    await database.drop();
  }
});

test("a worker's connection that has prepared a statement for the former column meets the migration as an outage", async () => {
  const database = await createFormerDatabase();
  const [worker, service] = await Promise.all([
    connect(database.url, 'dagwright'),
    connect(database.url, 'dagwright api'),
  ]);
  try {
    const states = { name: 'load_states', text: 'select waiting_on from dagwright.task_executions' };
    await worker.query(states);
    await migrateDatabase(database.url);
    expect(isConnectionLoss(await worker.query(states).catch((error: unknown) => error))).toBe(true);
    await service.query(states);
  } finally {
    await Promise.all([worker.end().catch(() => {}), service.end()]);
    await database.drop();
  }
});

test('a call that began with the functions of the release before writes the kind as text', async () => {
  const database = await createFormerDatabase();
  const client = await connect(database.url);
  try {
    for (const text of [EXECUTIONS, TASKS]) await client.query(text);
    await migrateDatabase(database.url);
    const { rowCount } = await client.query(
      `do $$ declare kind text := 'timer'; begin
         update dagwright.task_executions set waiting_on = kind where waiting_on = 'timer';
         if not found then raise exception 'no task waits'; end if;
       end $$`,
    );
    expect(rowCount).toBeNull();
  } finally {
    await client.end();
    await database.drop();
  }
});

test('while workers of another login are connected nothing is migrated', async () => {
  const database = await createFormerDatabase();
  const admin = await connect(database.url);
  const name = `worker_${randomBytes(6).toString('hex')}`;
  await admin.query(`create role ${name} login password 'secret'`);
  const url = new URL(database.url);
  url.username = name;
  url.password = 'secret';
  const worker = await connect(url.href, 'dagwright');
  try {
    await expect(migrateDatabase(database.url)).rejects.toThrow(`connected as ${name}; stop them`);
    await worker.query('select');
    await worker.end();
    await migrateDatabase(database.url);
  } finally {
    await worker.end().catch(() => {});
    await admin.query(`drop role ${name}`);
    await admin.end();
    await database.drop();
  }
});
