// Starting and cancelling from SQL: another service, in its own transaction, with a login of its own.
// It has the role for callers; dagwright_tenant, which such logins were given before, starts as well.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { BEGIN } from '../support/begin.ts';
import { definition, type Engine, graph, openEngine } from '../support/engine.ts';

let engine: Engine;
let client: pg.Client;
beforeAll(async () => {
  engine = await openEngine();
  await engine.apply(
    graph('a', {
      more: {
        workflowId: 'from-sql',
        inputSchema: { type: 'object', properties: { q: { type: 'number' } }, required: ['q'] },
      },
    }),
  );
});
beforeEach(async () => {
  client = new pg.Client({ connectionString: engine.database.url });
  await client.connect();
  await client.query('set role dagwright_caller');
  await client.query(`select set_config('app.current_tenant_id', $1, false)`, [DEFAULT_TENANT_ID]);
});
afterEach(async () => {
  await client.end();
  await engine.expectSound();
});
afterAll(() => engine.close());

const one = async (text: string, values: unknown[] = []) => (await client.query(text, values)).rows[0];
const count = async () =>
  (await engine.query<{ n: number }>('select count(*)::int as n from dagwright.workflow_executions'))[0]!.n;

test('starts an execution that a worker runs, with input, priority and trigger type sql', async () => {
  const { id } = await one(
    `select dagwright.start_workflow('from-sql', '{"q": 1}'::jsonb, priority => 7) as id`,
  );
  const run = await engine.ended(id);
  expect(run.execution).toMatchObject({ status: 'completed', triggerType: 'sql' });
  expect(
    await engine.query('select priority, input from dagwright.workflow_executions where id = $1', [id]),
  ).toEqual([{ priority: 7, input: { q: 1 } }]);
});

test('commits and rolls back with the caller', async () => {
  const before = await count();
  await client.query(BEGIN);
  const { id } = await one(`select dagwright.start_workflow('from-sql', '{"q": 1}') as id`);
  expect(await count()).toBe(before);
  await client.query('rollback');
  await engine.run(graph('later'));
  expect(await engine.query('select from dagwright.workflow_executions where id = $1', [id])).toEqual([]);
  expect(await engine.query('select from dagwright.jobs_v1() where execution_id = $1', [id])).toEqual([]);

  await client.query(BEGIN);
  const kept = await one(`select dagwright.start_workflow('from-sql', '{"q": 1}') as id`);
  await client.query('commit');
  expect((await engine.ended(kept.id)).execution.status).toBe('completed');
});

test('start_workflow_v2 opens it when its time has come, under the revision that it names', async () => {
  const revisions = graph('early', { more: { workflowId: 'of-sql-revisions' } });
  await engine.apply(revisions);
  await engine.apply(graph('late', { more: { workflowId: 'of-sql-revisions' } }));
  const start = `select dagwright.start_workflow_v2('of-sql-revisions', run_at => now() + $1::interval, revision => $2) as id`;
  const [later, past, latest] = [
    await one(start, ['1 hour', 1]),
    await one(start, ['-1 hour', 1]),
    await one(start, [null, null]),
  ];
  const tasksOf = async ({ id }: { id: string }) =>
    (await engine.ended(id)).execution.status === 'completed' &&
    (await engine.query(
      'select task_id as task from dagwright.task_executions where workflow_execution_id = $1',
      [id],
    ));
  expect(await tasksOf(past)).toEqual([{ task: 'early' }]);
  expect(await tasksOf(latest)).toEqual([{ task: 'late' }]);
  const [row] = await engine.query(
    `select status, revision, run_at > clock_timestamp() + interval '50 minutes' as "isLater" from dagwright.workflow_executions where id = $1`,
    [later.id],
  );
  expect(row).toEqual({ status: 'pending', revision: 1, isLater: true });
  await one('select dagwright.cancel_execution($1)', [later.id]);
});

test('leaves the tenant of the caller as it was', async () => {
  await client.query(BEGIN);
  await one(`select dagwright.start_workflow('from-sql', '{"q": 1}') as id`);
  expect(await one(`select current_setting('app.current_tenant_id') as tenant`)).toEqual({
    tenant: DEFAULT_TENANT_ID,
  });
  await client.query('rollback');
});

test('the same idempotency_key gives the first execution, unless it was rolled back', async () => {
  const start = `select dagwright.start_workflow('from-sql', '{"q": 2}', idempotency_key => 'order-17') as id`;
  await client.query(BEGIN);
  const lost = await one(start);
  await client.query('rollback');
  const first = await one(start);
  const second = await one(start);
  expect(second).toEqual(first);
  expect(first).not.toEqual(lost);
  await engine.ended(first.id);
});

test('an idempotency_key of one workflow says nothing of another', async () => {
  await engine.apply({ ...graph('other'), workflowId: 'from-sql-too' });
  const first = await one(
    `select dagwright.start_workflow('from-sql', '{"q": 3}', idempotency_key => 'order-18') as id`,
  );
  const other = await one(
    `select dagwright.start_workflow('from-sql-too', idempotency_key => 'order-18') as id`,
  );
  expect(other).not.toEqual(first);
  for (const { id } of [first, other]) expect((await engine.ended(id)).execution.status).toBe('completed');
});

test('an input that does not fit ends the execution as failed with validation when a worker opens it', async () => {
  const { id } = await one(`select dagwright.start_workflow('from-sql', '{"q": "text"}') as id`);
  const run = await engine.ended(id);
  expect(run.execution).toMatchObject({ status: 'failed', error: { code: 'validation' } });
  expect(run.execution.error!.message).toMatch(/\/q/);
});

test('without a tenant it is an error that shows what to type', async () => {
  await client.query('reset app.current_tenant_id');
  await expect(client.query(`select dagwright.start_workflow('from-sql')`)).rejects.toMatchObject({
    message: 'no tenant is set',
    hint: expect.stringContaining(`set_config('app.current_tenant_id', '${DEFAULT_TENANT_ID}'`),
  });
  await client.query(`select set_config('app.current_tenant_id', '', false)`);
  await expect(client.query(`select dagwright.cancel_execution(gen_random_uuid())`)).rejects.toThrow(
    'no tenant is set',
  );
});

test.for([
  [`select dagwright.start_workflow('nobody')`, 'workflow "nobody" does not exist in this tenant'],
  [`select dagwright.start_workflow('from-sql', priority => 11)`, 'priority must be 1 to 10, got 11'],
  [`select dagwright.start_workflow('from-sql', priority => null)`, 'priority must be 1 to 10, got null'],
  [`select dagwright.start_workflow(null)`, /does not exist/],
  [`select dagwright.start_workflow_v2('from-sql', revision => 99)`, 'workflow "from-sql" with revision 99'],
  [`select dagwright.start_workflow_v2('from-sql', revision => 0)`, 'revision must be 1 or more, got 0'],
  [
    `select dagwright.start_workflow_v2('from-sql', run_at => 'infinity')`,
    'run_at must be a time, got infinity',
  ],
])('%s is refused: %s', async ([text, message]) => {
  const before = await count();
  await expect(client.query(text as string)).rejects.toThrow(message as string | RegExp);
  expect(await count()).toBe(before);
});

test('a workflow that is not active is refused', async () => {
  await engine.apply(
    definition([{ taskId: 'a', taskType: 'probe', dependsOn: [], config: {} }], { workflowId: 'draft' }),
  );
  await engine.query(
    `update dagwright.workflow_definitions set status = 'archived' where workflow_id = 'draft'`,
  );
  await expect(client.query(`select dagwright.start_workflow('draft')`)).rejects.toThrow('is not active');
});

test('cancel_execution cancels in the caller’s transaction', async () => {
  await engine.apply(
    graph('w', {
      tasks: { w: { taskType: 'wait', config: { seconds: 3000 } } },
      more: { workflowId: 'waits' },
    }),
  );
  const { id } = await one(`select dagwright.start_workflow('waits') as id`);
  await client.query(BEGIN);
  expect(await one('select dagwright.cancel_execution($1, $2) as status', [id, 'not wanted'])).toEqual({
    status: 'cancelled',
  });
  await client.query('rollback');
  expect(
    await engine.query(`select status from dagwright.workflow_executions where id = $1`, [id]),
  ).not.toEqual([{ status: 'cancelled' }]);
  await one('select dagwright.cancel_execution($1, $2)', [id, 'not wanted']);
  expect((await engine.ended(id)).execution).toMatchObject({
    status: 'cancelled',
    error: { code: 'cancelled', message: 'not wanted' },
  });
});

test('a login that has dagwright_tenant starts as before', async () => {
  await client.query('set role dagwright_tenant');
  const { id } = await one(`select dagwright.start_workflow('from-sql', '{"q": 4}') as id`);
  expect((await engine.ended(id)).execution.status).toBe('completed');
});

test('of another tenant it starts nothing that is not there, and cancels nothing', async () => {
  const { id } = await one(`select dagwright.start_workflow('from-sql', '{"q": 5}') as id`);
  await engine.ended(id);
  await client.query(`select set_config('app.current_tenant_id', gen_random_uuid()::text, false)`);
  await expect(client.query(`select dagwright.start_workflow('from-sql')`)).rejects.toThrow(/does not exist/);
  expect(await one('select dagwright.cancel_execution($1) as status', [id])).toEqual({ status: null });
});

test('the role for callers has no table, and may call nothing else', async () => {
  for (const text of [
    `insert into dagwright.api_keys (id, tenant_id, name, secret_hash, created_by) values (gen_random_uuid(), '${DEFAULT_TENANT_ID}', 'k', '', 'x')`,
    'select secrets from dagwright.webhooks',
    'select secret_hash from dagwright.api_keys',
    'update dagwright.workflow_definitions set latest_revision = 1',
    'select from dagwright.workflow_executions',
    'select from dagwright.v_executions',
    `select dagwright.miss_ticks_v1(gen_random_uuid(), '{}', 'x', true)`,
    `select dagwright.run_schedule_v1(gen_random_uuid(), gen_random_uuid(), 1)`,
    `select dagwright.backfill_schedule_v1(gen_random_uuid(), 1, '[]')`,
    `select dagwright.end_execution_v1(gen_random_uuid(), 'failed', null, null, null, now())`,
  ])
    await expect(client.query(text), text).rejects.toThrow(/permission denied/);
});

test.for(['dagwright_tenant', 'dagwright_caller'])(
  '%s can neither write rows of executions nor call the engine’s functions',
  async (role) => {
    await client.query(`set role ${role}`);
    for (const text of [
      `update dagwright.workflow_versions set definition = '{}'`,
      `update dagwright.api_keys set roles = '{admin}'`,
      `update dagwright.workflow_executions set status = 'completed'`,
      `delete from dagwright.task_executions`,
      `insert into dagwright.idempotency_keys select * from dagwright.idempotency_keys`,
      `select * from dagwright.start_executions_v1('${DEFAULT_TENANT_ID}', '[]')`,
      `select dagwright.add_jobs_v1(array['{}'::json], 5)`,
      `select * from dagwright.jobs_v1()`,
      `select * from dagwright.workers`,
      `select * from graphile_worker._private_jobs`,
    ])
      await expect(client.query(text), text).rejects.toThrow(/permission denied/);
  },
);
