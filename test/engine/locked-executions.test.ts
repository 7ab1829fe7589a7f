// A client's open transaction holds executions: what needs them waits for it, and nothing else does.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { casesOf } from '../support/depth.ts';
import { type Body, type Engine, failing, graph, openEngine, until, waiting } from '../support/engine.ts';

/** Fewer connections than there are locked executions. */
const LOCKED = 12;
const engine: Engine = await openEngine({ concurrency: 8, faults: false });
const OTHER_TENANT = randomUUID();
await engine.query(`insert into dagwright.tenants (id, name, status) values ($1, 'other', 'active')`, [
  OTHER_TENANT,
]);
beforeEach(() => {
  for (const name of Object.keys(engine.bodies)) delete engine.bodies[name];
  engine.entered.length = 0;
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

type How = 'pause' | 'cancel' | 'for update';

/** Holds executions in an open transaction until `end` is called. */
async function hold(
  ids: readonly string[],
  how: How,
): Promise<{ end(how: 'commit' | 'rollback'): Promise<void> }> {
  const client: pg.PoolClient = await engine.database.engine.connect();
  await client.query('begin; set local idle_in_transaction_session_timeout = 0');
  await client.query(`select set_config('app.current_tenant_id', $1, true)`, [DEFAULT_TENANT_ID]);
  for (const id of ids)
    await client.query(
      how === 'for update'
        ? 'select from dagwright.workflow_executions where id = $1 for update'
        : `select dagwright.${how}_execution($1)`,
      [id],
    );
  return {
    async end(word) {
      await client.query(word);
      client.release();
    },
  };
}

/** Executions whose task `a` stands in its body until `open` is called; then they end one after the other, each in a batch of its own. */
async function standing(
  text: string,
  count: number,
  { writes = async () => {}, ...options }: Parameters<typeof graph>[1] & { writes?: Body } = {},
): Promise<{ readonly ids: string[]; open(): Promise<void> }> {
  const definition = graph(text, options);
  const held: (() => void)[] = [];
  engine.bodies.a = async (context) => {
    await new Promise<void>((resolve) => void held.push(resolve));
    await writes(context);
    return context.taskId;
  };
  await engine.apply(definition);
  const ids = await Promise.all(Array.from({ length: count }, () => engine.start(definition.workflowId)));
  await until(async () => held.length === count);
  return {
    ids,
    async open() {
      for (const end of held) {
        end();
        await delay(20);
      }
    },
  };
}

/** Runs of this tenant and of another, each with all that a worker does: open, claim, settle, skip, fail, wait, finish. */
async function others(count: number): Promise<void> {
  const chain = graph('x -> y -> z; x -> f -> z; x -> w', {
    failurePolicy: 'continue',
    tasks: { f: failing(), w: waiting(0.05) },
  });
  await engine.apply(chain);
  await applyDefinition(engine.database, OTHER_TENANT, chain, 'test');
  for (const tenantId of [DEFAULT_TENANT_ID, OTHER_TENANT]) {
    const started = await startExecutions(
      engine.database.engine,
      tenantId,
      Array.from({ length: count }, () => ({ workflowId: chain.workflowId, triggerType: 'manual' as const })),
    );
    const ids = started.map((one) => (one.ok ? one.id : ''));
    await until(
      async () =>
        (
          await engine.query(
            `select from dagwright.workflow_executions where id = any($1) and status not in ('completed', 'failed')`,
            [ids],
          )
        ).length === 0,
    );
  }
}

const failures = () =>
  engine.query(
    `select o.id, t.task_id, t.error from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
     where t.task_id = 'a' and t.status = 'failed'`,
  );
const resume = (ids: readonly string[]) =>
  engine.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
    for (const id of ids) await client.query('select dagwright.resume_execution($1)', [id]);
  });

describe.each(
  casesOf<[How, 'commit' | 'rollback']>([
    ['pause', 'commit'],
    ['pause', 'rollback'],
    ['cancel', 'rollback'],
    ['for update', 'commit'],
  ]),
)('a client holds executions by %s, and ends with %s', (how, end) => {
  test.each([
    ['one whose step is settled', 'a -> b'],
    ['one whose end determines others', 'a -> b; a -> c -> d'],
    ['one that ends with it', 'a'],
  ])('%s: others go on meanwhile, and afterwards it ends right', async (_, text) => {
    const tasks: NonNullable<Parameters<typeof graph>[1]>['tasks'] = text.includes('d')
      ? { c: { conditionExpression: false } }
      : {};
    const { ids, open } = await standing(text, 4, { tasks });
    const held = await hold(ids, how);
    await open();
    await others(4);
    const open_ = await engine.query(
      `select from dagwright.task_executions where workflow_execution_id = any($1) and task_id = 'a' and status = 'running'`,
      [ids],
    );
    expect(open_).toHaveLength(4);
    await held.end(end);
    if (how === 'pause' && end === 'commit') {
      await until(
        async () =>
          (
            await engine.query(
              `select from dagwright.task_executions where workflow_execution_id = any($1) and task_id = 'a' and status = 'completed'`,
              [ids],
            )
          ).length === ids.length,
      );
      await resume(ids);
    }
    for (const id of ids) expect((await engine.ended(id)).execution.status).toBe('completed');
    expect(engine.entered.filter((key) => key === 'a')).toHaveLength(4);
    expect(await failures()).toEqual([]);
  });
});

test('what a body writes under the lock waits without a slot, and the body goes on when it is written', async () => {
  const writes: Body = (context) => context.checkpoint({ is: 'kept' });
  const { ids, open } = await standing('a -> b', 8, { writes });
  const held = await hold(ids, 'pause');
  await open();
  await others(2);
  await held.end('rollback');
  for (const id of ids) expect((await engine.ended(id)).states).toBe('a completed, b completed');
});

test('a cancel that is committed after the task had succeeded cancels it', async () => {
  const { ids, open } = await standing('a -> b', 2);
  const held = await hold(ids, 'cancel');
  await open();
  await others(2);
  await held.end('commit');
  for (const id of ids) expect((await engine.ended(id)).states).toBe('a cancelled, b cancelled');
});

test('more held executions than the worker has slots and connections leave both to others', async () => {
  const definition = graph('e -> b; c -> d', { tasks: { d: failing() }, failurePolicy: 'continue' });
  await engine.apply(definition);
  const { ids, open } = await standing('a -> b; a -> c', 8, { tasks: { c: { conditionExpression: false } } });
  const pending = await Promise.all(
    Array.from({ length: LOCKED }, () => engine.start(definition.workflowId)),
  );
  const held = await hold([...ids, ...pending], 'for update');
  await open();
  await others(4);
  const [waits] = await engine.query<{ n: number }>(
    `select count(distinct l.pid)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where a.datname = current_database() and not l.granted`,
  );
  expect(waits!.n).toBeLessThanOrEqual(2);
  expect(await engine.query('select * from dagwright.v_orphans')).toEqual([]);
  await held.end('commit');
  for (const id of ids)
    expect((await engine.ended(id)).states).toBe('a completed, b completed, c skipped condition_false');
  for (const id of pending)
    expect((await engine.ended(id)).states).toBe('e completed, b completed, c completed, d failed');
});

test('a claim that is given back waits beside the timer loop, not in it', async () => {
  const { ids, open } = await standing('a; w', 1, { tasks: { w: waiting(3_600) } });
  const [id] = ids as [string];
  const row = `dagwright.task_executions where workflow_execution_id = $1 and task_id = 'w'`;
  await until(async () => (await engine.query(`select from ${row} and status = 'waiting'`, [id])).length > 0);
  // A claim of this worker that no lane holds.
  await engine.query(
    `update ${row.replace('where', `set status = 'running', fence = fence + 1, wake_at = null, worker_id = $2 where`)}`,
    [id, engine.worker.id],
  );
  const [execution] = await engine.query<{ version: string }>(
    'select version_id as version from dagwright.workflow_executions where id = $1',
    [id],
  );
  const held = await hold([id], 'for update');
  engine.worker.opener.offer(execution!.version, 10)!.lose(id);
  await until(async () => engine.logged.some((line) => line.startsWith('gives back a task whose claim')));
  const run = await engine.run(graph('t', { tasks: { t: waiting(0.05) } }));
  expect(run.execution.status).toBe('completed');
  await held.end('rollback');
  await open();
  expect((await engine.ended(id)).states).toBe('a completed, w completed');
});
