// Executions with a runAt, whose tenant is suspended when it comes: they wait until it is active again, at no cost.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { graph } from '../support/engine.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../support/executions.ts';

const OTHER = newId();
const WORKFLOW = graph('a');
let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url, { max: 1 });
  await query(`insert into dagwright.tenants (id, name) values ($1, 'other')`, [OTHER]);
  for (const tenant of [DEFAULT_TENANT_ID, OTHER]) await applyDefinition(database, tenant, WORKFLOW, 'test');
});
afterEach(async () => {
  await setStatus('active');
  await query('delete from dagwright.workflow_executions');
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const query = async <T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await database.engine.query(text, values)).rows;
const setStatus = (status: 'active' | 'suspended') =>
  query('update dagwright.tenants set status = $2 where id = $1', [OTHER, status]);
const pass = async (most = 256) =>
  (await query<{ n: number }>('select dagwright.start_due_v1($1) as n', [most]))[0]!.n;
const opened = async () =>
  new Set(
    (await query<{ id: string }>('select execution_id as id from dagwright.jobs_v1()')).map(({ id }) => id),
  );

/** Executions whose runAt was some seconds ago: started in time, and since then nobody has looked. */
async function due(tenantId: string, count: number, secondsAgo: number): Promise<string[]> {
  const items = Array.from({ length: count }, (_, i) => ({
    ...{ i, id: newId(), workflowId: WORKFLOW.workflowId, triggerType: 'api' },
    runAt: new Date(Date.now() + 3_600_000).toISOString(),
  }));
  await query('select from dagwright.start_executions_v1($1, $2)', [tenantId, JSON.stringify(items)]);
  const ids = items.map(({ id }) => id);
  await query(
    `update dagwright.workflow_executions set run_at = clock_timestamp() - $2 * interval '1 second' where id = any($1)`,
    [ids, secondsAgo],
  );
  return ids;
}

const rowsRead = async (work: () => Promise<unknown>) => {
  const counted = async () => {
    await query('select pg_stat_force_next_flush()');
    const [row] = await query<{ n: number }>(
      `select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_user_tables
       where schemaname = 'dagwright' and relname = 'workflow_executions'`,
    );
    return row!.n;
  };
  const before = await counted();
  await work();
  return (await counted()) - before;
};

test('they are not opened while it is suspended, and are once it is active again', async () => {
  const held = await due(OTHER, 3, 60);
  await setStatus('suspended');
  expect([await pass(), await pass()]).toEqual([0, 0]);
  const rows = await query('select status, run_at is null as is_open from dagwright.workflow_executions');
  expect(rows).toEqual(Array(3).fill({ status: 'pending', is_open: false }));
  expect(await query('select * from dagwright.v_orphans')).toEqual([]);
  await setStatus('active');
  expect([await pass(), await pass()]).toEqual([3, 0]);
  expect(await opened()).toEqual(new Set(held));
});

test('many that wait hold up nobody, and are not read again by any pass', async () => {
  await due(OTHER, 600, 60);
  const free = await due(DEFAULT_TENANT_ID, 2, 30);
  await setStatus('suspended');
  expect(await pass(100)).toBe(2);
  const open = await opened();
  expect(free.filter((id) => !open.has(id))).toEqual([]);
  await pass(100);
  expect(await rowsRead(() => pass(100))).toBeLessThan(20);
  await setStatus('active');
  let started = 0;
  for (let n = 0; n < 6; n++) started += await pass(100);
  expect(started).toBe(600);
});

test('one that waits can be cancelled, or paused and resumed, meanwhile', async () => {
  const [cancelled, resumed, paused] = (await due(OTHER, 3, 60)) as [string, string, string];
  await setStatus('suspended');
  await pass();
  expect(await cancelExecution(database, OTHER, cancelled)).toBe('cancelled');
  for (const id of [resumed, paused]) expect(await pauseExecution(database, OTHER, id)).toBe('paused');
  expect(await resumeExecution(database, OTHER, resumed)).toBe('pending');
  expect(await query('select * from dagwright.v_orphans')).toEqual([]);
  expect(await pass()).toBe(0);
  await setStatus('active');
  expect(await pass()).toBe(1);
  expect(await opened()).toContain(resumed);
  await resumeExecution(database, OTHER, paused);
  expect(await pass()).toBe(1);
});

test('two passes at once start each once', async () => {
  const second = openDatabase(own.url, { max: 1 });
  try {
    await due(OTHER, 50, 60);
    await setStatus('suspended');
    await pass();
    await setStatus('active');
    await query('select 1');
    const [a, b] = await Promise.all([
      pass(),
      second.engine.query('select dagwright.start_due_v1(256) as n').then(({ rows }) => rows[0].n as number),
    ]);
    expect(a + b + (await pass())).toBe(50);
  } finally {
    await second.close();
  }
});
