// Fills the engine's tables with finished executions of ten tasks each, spread over the last 30 days, so that what is
// measured is an engine in use and not an empty one. Ids follow time, as real ones do.
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';
import { withClient } from './server.ts';

const TASKS = 10;
const WORKFLOW_ID = 'bench-finished';

// Milliseconds since the epoch, the version, and what md5 gives for chance: the same ids on every call.
const ID = `(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
  || '8' || substr(md5('x' || n), 1, 15))::uuid`;

const EXECUTIONS = `
  insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input,
    output, metadata, created_by, created_at, started_at, completed_at, duration_ms, next_seq)
  select ${ID}, $2, '${WORKFLOW_ID}', 1, $3, 'completed', 'api', jsonb_build_object('order', n, 'customer', md5(n::text)),
    jsonb_build_object('t9', jsonb_build_object('total', n % 1000)), null, 'bench', at, at + interval '5 ms', at + interval '80 ms', 75, ${TASKS + 1}
  from (select n, now() - interval '30 days' + n * interval '30 days' / $1::int as at from generate_series(1, $1::int) n) r`;

const TASK_ROWS = `
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, status, fence, attempt_number,
    worker_id, started_at, completed_at, completed_seq, input, output, duration_ms, queued_ms)
  select o.id, 't' || k, o.tenant_id, 'noop', 'completed', 1, 1, $2, o.started_at + k * interval '7 ms',
    o.started_at + (k + 1) * interval '7 ms', k + 1, o.input, jsonb_build_object('total', k, 'note', md5(o.id::text)), 7, 0
  from dagwright.workflow_executions o, generate_series(0, ${TASKS - 1}) k
  where o.workflow_id = $1 order by o.id, k`;

const TABLES = ['dagwright.workflow_executions', 'dagwright.task_executions'] as const;

/** Adds so many finished task rows (rounded up to whole executions) and brings the statistics up to date. */
export async function addFinishedRows(url: string, count: number): Promise<void> {
  const executions = Math.ceil(count / TASKS);
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ superuser: boolean }>(
      'select rolsuper as superuser from pg_roles where rolname = current_user',
    );
    // Foreign keys hold by construction; checking a million of them takes longer than writing the rows.
    if (rows[0]!.superuser) await client.query('set session_replication_role = replica');
    await client.query('set role dagwright_engine');
    await client.query(EXECUTIONS, [executions, DEFAULT_TENANT_ID, DEFAULT_TENANT_ID]);
    await client.query(TASK_ROWS, [WORKFLOW_ID, DEFAULT_TENANT_ID]);
    await client.query('set role dagwright_owner');
    // What autovacuum would have done long ago must not fall into a measurement.
    for (const table of TABLES) await client.query(`vacuum (analyze) ${table}`);
    await client.query('reset role');
    await client.query('checkpoint').catch(() => {});
  });
}
