// Numbers of the whole installation, for metrics: what is open now, and what became of the last hour's executions. Each part
// reads by an index and looks at a bounded number of rows, however much there is.

import type pg from 'pg';
import { inTransaction } from '../connection/transaction.ts';

export interface EngineNumbers {
  /** Open executions by status. */
  readonly executions: Readonly<Record<string, number>>;
  /** Executions made within the last hour, by status: the newest ones. */
  readonly lastHour: Readonly<Record<string, number>>;
  /** Open tasks by status. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Waiting tasks by what they wait for. */
  readonly waits: Readonly<Record<string, number>>;
  /** Jobs that are due and not taken, and the age of the oldest in seconds. */
  readonly queue: {
    readonly waiting: number;
    readonly oldestSeconds: number;
    /** Tenants of which jobs wait, and jobs that wait for a permit of their tenant. */
    readonly tenants: number;
    readonly held: number;
  };
  /** Reviews that people have not decided, and those of them that are due. */
  readonly reviews: { readonly open: number; readonly due: number };
  /** Workers and schedulers that have beaten within 10 s. */
  readonly workers: number;
  readonly schedulers: number;
  /** How often the reconciler had to re-enqueue something, ever. */
  readonly repairs: number;
}

/** Rejects where the database does not answer. */
export async function askDatabase(pool: pg.Pool): Promise<void> {
  await pool.query('select');
}

/** Rows that one part looks at; numbers stop there. */
export const MAX_COUNTED = 50_000;

export async function readEngineNumbers(pool: pg.Pool): Promise<EngineNumbers> {
  return await inTransaction(pool, async (client) => {
    await client.query('set transaction read only; set local statement_timeout = 4000');
    const { rows } = await client.query<EngineNumbers>(
      `with open as materialized (
         select id, status from dagwright.workflow_executions where status in ('pending', 'running', 'paused') limit $1::int),
       looked_at as materialized (
         select t.status, t.waiting_on from open o join lateral (
             select status, waiting_on from dagwright.task_executions t where t.workflow_execution_id = o.id) t on true
         where o.status <> 'pending' limit $1::int),
       made as (
         select status from dagwright.workflow_executions where id > dagwright.first_id_v1(clock_timestamp() - interval '1 hour')
         order by id desc limit $1::int)
       select coalesce((select json_object_agg(status, n) from (select status, count(*) as n from made group by 1) s), '{}') as "lastHour",
         coalesce((select json_object_agg(status, n) from (select status, count(*) as n from open group by 1) s), '{}') as executions,
         coalesce((select json_object_agg(status, n) from (select status, count(*) as n from looked_at
           where status in ('pending', 'running', 'waiting', 'retrying') group by 1) s), '{}') as tasks,
         coalesce((select json_object_agg(waiting_on, n) from (select waiting_on, count(*) as n from looked_at
           where status = 'waiting' and waiting_on is not null group by 1) s), '{}') as waits,
         (select json_build_object('waiting', waiting, 'oldestSeconds', oldest_seconds, 'tenants', tenants, 'held', held)
           from dagwright.queue_state_v1($1::int), dagwright.queue_tenants_v1($1::int)) as queue,
         (select json_build_object('open', count(*), 'due', count(*) filter (where due_at <= clock_timestamp()))
           from (select due_at from dagwright.human_tasks where status = 'open' limit $1::int) h) as reviews,
         (select count(*)::int from dagwright.workers where heartbeat_at > clock_timestamp() - interval '10 s') as workers,
         (select count(*)::int from dagwright.schedulers where heartbeat_at > clock_timestamp() - interval '10 s') as schedulers,
         coalesce((select value from dagwright.engine_counters where name = 'reconciler_repairs'), 0)::float8 as repairs`,
      [MAX_COUNTED],
    );
    return rows[0]!;
  });
}
