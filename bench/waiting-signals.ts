// Many tasks that wait for a signal, as they stand in the tables after their executions have begun: copies of one that really does.
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { WorkflowDefinition } from '../src/core/definition/model.ts';
import { type Database, openDatabase } from '../src/db/connection/connection.ts';
import { startExecutions } from '../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../src/db/resources/definitions.ts';
import { Worker } from '../src/engine/worker/worker.ts';
import { createRegistry } from '../src/tasks/registry.ts';

export const SIGNAL = 'go';

/** One task waits, another follows it. */
const WAITING: WorkflowDefinition = {
  workflowId: 'bench-waiting',
  nodes: [
    { taskId: 'w', taskType: 'wait', dependsOn: [], config: { signal: [SIGNAL, 'stop'] } },
    { taskId: 'after', taskType: 'transformation', dependsOn: [{ taskId: 'w' }], config: { output: 1 } },
  ],
};

const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };

export async function startWorker(database: Database, concurrency = 16): Promise<Worker> {
  const worker = new Worker({ database, types: createRegistry(), log, concurrency });
  await worker.start();
  return worker;
}

/** Starts one, and copies it until so many wait. `admin` is a superuser's client; no worker runs meanwhile. */
export async function addWaiting(url: string, admin: pg.ClientBase, count: number): Promise<void> {
  const id = await startOne(url);
  // Foreign keys and policies hold by construction.
  await admin.query('set session_replication_role = replica');
  await admin.query(
    'create temp table copies as select gen_random_uuid() as id from generate_series(1, $1)',
    [count - 1],
  );
  const copy = async (table: string, values: Readonly<Record<string, string>>) => {
    const { rows } = await admin.query<{ name: string }>(
      `select quote_ident(attname) as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
      [`dagwright.${table}`],
    );
    const names = rows.map(({ name }) => name);
    const [key] = Object.keys(values);
    await admin.query(
      `insert into dagwright.${table} (${names}) select ${names.map((name) => values[name] ?? `t.${name}`)}
       from copies c, dagwright.${table} t where t.${key} = $1`,
      [id],
    );
  };
  const hash = 'sha256(c.id::text::bytea)';
  await copy('workflow_executions', { id: 'c.id' });
  await copy('task_executions', { workflow_execution_id: 'c.id' });
  await copy('task_callbacks', { workflow_execution_id: 'c.id', token_hash: hash });
  await copy('signal_waits', { workflow_execution_id: 'c.id', answer_key: hash });
  await admin.query('drop table copies');
  await admin.query('set session_replication_role = origin');
  for (const table of ['workflow_executions', 'task_executions', 'task_callbacks', 'signal_waits'])
    await admin.query(`vacuum analyze dagwright.${table}`);
}

async function startOne(url: string): Promise<string> {
  const database = openDatabase(url, { max: 4, name: 'dagwright bench' });
  try {
    await applyDefinition(database, DEFAULT_TENANT_ID, WAITING, 'bench');
    const worker = await startWorker(database);
    const [started] = await startExecutions(database.engine, DEFAULT_TENANT_ID, [
      { workflowId: WAITING.workflowId, triggerType: 'manual' },
    ]);
    if (!started!.ok) throw new Error(started!.problem);
    const { id } = started!;
    while (!(await isWaiting(database.engine, id))) await delay(20);
    await worker.stop();
    return id;
  } finally {
    await database.close();
  }
}

async function isWaiting(pool: pg.Pool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from dagwright.task_executions where workflow_execution_id = $1 and status = 'waiting'`,
    [id],
  );
  return rowCount === 1;
}

/** Rows that were read by sequential scans so far, by table, of those that grow with what waits. */
export async function sequentialReads(admin: pg.ClientBase): Promise<ReadonlyMap<string, number>> {
  await admin.query('select pg_stat_force_next_flush()');
  const { rows } = await admin.query<{ name: string; rows: number }>(
    `select relname as name, seq_tup_read::float8 as rows from pg_stat_user_tables where schemaname = 'dagwright'
       and relname in ('workflow_executions', 'task_executions', 'task_callbacks', 'signal_waits', 'execution_signals')`,
  );
  return new Map(rows.map((row) => [row.name, row.rows]));
}

/** Pages that a statement touches, a server's cache included. It is rolled back. */
export async function pagesOf(
  admin: pg.ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<number> {
  await admin.query('begin');
  try {
    const { rows } = await admin.query(`explain (analyze, buffers, format json) ${text}`, [...values]);
    const plan = rows[0]['QUERY PLAN'][0].Plan;
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  } finally {
    await admin.query('rollback');
  }
}
