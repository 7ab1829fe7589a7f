// The work pool through a real pgbouncer in transaction mode; the queue, LISTEN, locks and heartbeats go past it. Skips
// where pgbouncer is not installed (Debian: apt-get install pgbouncer).
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { inTransaction } from '../../src/db/connection/transaction.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { findTenantId } from '../../src/db/resources/tenants.ts';
import { type Engine, failing, graph, openEngine, until, waiting } from '../support/engine.ts';
import { cancelExecution, findExecution, listExecutions } from '../support/executions.ts';
import { type Pgbouncer, pgbouncerVersion, startPgbouncer } from '../support/pgbouncer.ts';

const version = pgbouncerVersion();
/** Fewer than either worker's own connections, so that sessions change hands all the time. */
const SERVER_CONNECTIONS = 3;

describe.skipIf(version === null)(`through ${version ?? 'pgbouncer (not installed: skipped)'}`, () => {
  let pooler: Pgbouncer;
  let engine: Engine;
  beforeAll(async () => {
    pooler = await startPgbouncer(inject('adminUrl'), SERVER_CONNECTIONS);
    engine = await openEngine({
      reach: (url) => openDatabase(pooler.urlOf(url), { directUrl: url, name: 'pooled' }),
      faults: false,
      concurrency: 16,
    });
    await engine.addWorker();
  });
  afterAll(async () => {
    await engine?.close();
    await pooler?.stop();
  });

  test('a connection that would need a session is refused: this is no direct one', async () => {
    const direct = openDatabase(pooler.urlOf(engine.database.url));
    await expect(direct.engine.query('select 1')).rejects.toThrow('unsupported startup parameter: options');
    await direct.close();
  });

  test('each statement runs under the role and the settings of the engine, and leaves none behind', async () => {
    const { engine: pool } = engine.workersDatabase;
    const read = `select current_user as role, current_setting('TimeZone') as zone, current_setting('statement_timeout') as limit`;
    const expected = [{ role: 'dagwright_engine', zone: 'UTC', limit: '20s' }];
    expect((await pool.query({ name: 'twice', text: read })).rows).toEqual(expected);
    expect((await pool.query({ name: 'twice', text: read })).rows).toEqual(expected);
    await inTransaction(pool, async (client) => {
      expect((await client.query(read)).rows).toEqual(expected);
    });
    await engine.workersDatabase.withTenant(DEFAULT_TENANT_ID, async (client) => {
      expect((await client.query('select current_user as role')).rows).toEqual([
        { role: 'dagwright_tenant' },
      ]);
    });
    const backends = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid,
      ),
    );
    expect(new Set(backends).size).toBeLessThanOrEqual(SERVER_CONNECTIONS);
  });

  test('a statement that fails is told as it is, changes nothing, and harms none that follow', async () => {
    const { engine: pool } = engine.workersDatabase;
    await expect(pool.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await expect(pool.query({ text: 'select $1::int', values: ['x'] })).rejects.toMatchObject({
      code: '22P02',
    });
    const failingLate = inTransaction(pool, async (client) => {
      await client.query('update dagwright.workers set pid = -1');
      throw new Error('not this');
    });
    await expect(failingLate).rejects.toThrow('not this');
    expect((await pool.query('select 1 from dagwright.workers where pid = -1')).rows).toEqual([]);
  });

  test('a mixed load ends as it does directly', async () => {
    const { workersDatabase: database } = engine;
    const items = { items: [1, 2, 3, 4, 5], task: { taskType: 'probe', config: {} } };
    const kinds = [
      { made: graph('a -> b -> c -> d'), states: 'a completed, b completed, c completed, d completed' },
      {
        made: graph('p -> z', { tasks: { p: { taskType: 'parallel', config: items } } }),
        states: 'p completed, z completed',
      },
      {
        made: graph('f -> x -> y; s -> t', { tasks: { f: failing() }, failurePolicy: 'continue' }),
        states: 'f failed, x skipped upstream_failed, y skipped upstream_failed, s completed, t completed',
      },
      {
        made: graph('a -> w -> b', { tasks: { w: waiting(3600) } }),
        states: 'a completed, w cancelled, b cancelled',
        isCancelled: true,
      },
    ];
    for (const { made } of kinds) await engine.apply(made);
    const started = await startExecutions(
      database.engine,
      (await findTenantId(database.engine, 'default'))!,
      Array.from({ length: 120 }, (_, i) => ({
        workflowId: kinds[i % 4]!.made.workflowId,
        triggerType: 'manual',
      })),
    );
    const ids = started.map((one) => (one.ok ? one.id : ''));
    for (const [i, id] of ids.entries()) {
      if (!kinds[i % 4]!.isCancelled) continue;
      const waits = `select 1 from dagwright.task_executions where workflow_execution_id = $1 and status = 'waiting'`;
      await until(async () => (await engine.query(waits, [id])).length);
      expect(await cancelExecution(database, DEFAULT_TENANT_ID, id)).toBe('cancelled');
    }
    for (const [i, id] of ids.entries()) expect((await engine.ended(id)).states).toBe(kinds[i % 4]!.states);
    expect((await listExecutions(database, DEFAULT_TENANT_ID, { limit: 200 })).rows).toHaveLength(120);
    expect(await findExecution(database, DEFAULT_TENANT_ID, ids[0]!)).toMatchObject({ status: 'completed' });
    await engine.expectSound();
  });

  test('server connections that end in the middle cost nothing but a repetition', async () => {
    const chain = graph('a -> b -> c -> d -> e -> f');
    await engine.apply(chain);
    engine.entered.length = 0;
    const ids = await Promise.all(Array.from({ length: 100 }, () => engine.start(chain.workflowId)));
    const admin = new pg.Client({ connectionString: engine.database.url });
    await admin.connect();
    let ended = 0;
    // Each is made again by the next call through the pooler, at the latest by the timer loop of the worker.
    while (ended < 6) {
      const { rowCount } = await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'pooled' order by random() limit 1`,
      );
      ended += rowCount ?? 0;
      await pause(25);
    }
    await admin.end();
    for (const id of ids) expect((await engine.ended(id)).execution.status).toBe('completed');
    expect(engine.entered).toHaveLength(ids.length * 6);
    await engine.expectSound();
  });
});
