// What `doctor` and `health` ask about the engine's state: workers, queue, orphans, and what keeps the tables from
// staying small. See doctor.ts for how a question is asked.
import type pg from 'pg';
import { ROLES } from '../connection/roles.ts';
import { hasOlderPrices } from '../resources/pricing.ts';
import { inspect } from './doctor.ts';

export interface WorkerState {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  readonly leaseSeconds: number;
  /** Since its last beat, by the database's clock. */
  readonly silentMs: number;
  /** Its heartbeat connection is open: the process lives, whether or not it beats. */
  readonly holdsLock: boolean;
}

/** All registered workers, or those of one host; the longest silent first. */
export async function readWorkers(client: pg.Client, host: string | null = null): Promise<WorkerState[]> {
  return await inspect(client, ROLES.engine, async () => {
    const { rows } = await client.query<WorkerState>(
      `select id, host, pid, concurrency, lease_seconds as "leaseSeconds",
         (extract(epoch from clock_timestamp() - heartbeat_at) * 1000)::float8 as "silentMs",
         exists (select from pg_locks k where k.locktype = 'advisory' and k.classid = 1147 and k.objid = w.lock_key::oid and k.granted
           and k.database = (select oid from pg_database where datname = current_database())) as "holdsLock"
       from dagwright.workers w where $1::text is null or host = $1 order by heartbeat_at`,
      [host],
    );
    return rows;
  });
}

export interface TaskTypeState {
  /** Types that no live worker has, and how many ready tasks and active workflows need them. */
  readonly missing: readonly {
    readonly type: string;
    readonly jobs: number;
    readonly workflows: readonly string[];
  }[];
  /** Types of which live workers have different config schemas. */
  readonly differing: readonly string[];
  /** Beside the built-in ones, of live workers. */
  readonly live: readonly string[];
  /** Live workers of the release before, which say nothing of their types. */
  readonly silent: number;
}

/** What of the task types that are needed no live worker has. */
export async function readTaskTypes(client: pg.Client): Promise<TaskTypeState> {
  const jobs = await inspect(client, ROLES.owner, async () => {
    const { rows } = await client.query<{ type: string; n: number }>(
      `select substr(k.identifier, 11) as type, count(*)::int as n from graphile_worker._private_jobs j
         join graphile_worker._private_tasks k on k.id = j.task_id
       where k.identifier like 'dagwright:%' and k.identifier <> 'dagwright:open' group by 1`,
    );
    return new Map(rows.map(({ type, n }) => [type, n]));
  });
  return await inspect(client, ROLES.engine, async () => {
    const { rows: types } = await client.query<{ type: string | null; schemas: number; isCustom: boolean }>(
      `select t.key as type, count(distinct t.value)::int as schemas, bool_or(t.value <> 'null') as "isCustom"
       from dagwright.workers w left join lateral jsonb_each(w.types) t on true
       where w.heartbeat_at > clock_timestamp() - w.lease_seconds * interval '1 second' and (w.types is null or t.key is not null) group by 1`,
    );
    const { rows: needed } = await client.query<{ type: string; workflows: string[] }>(
      `select t.type, (array_agg(distinct d.workflow_id))[1:3] as workflows from dagwright.workflow_definitions d
         join dagwright.workflow_versions v on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id
           and v.revision = coalesce(d.pinned_revision, d.latest_revision)
         cross join lateral (select distinct jsonb_path_query(v.needs, '$.** ? (@.type() == "string")') #>> '{}' as type) t
       where d.status = 'active' and v.needs is not null group by 1 order by 1`,
    );
    const workflows = new Map(needed.map((one) => [one.type, one.workflows]));
    const live = new Set(types.map(({ type }) => type));
    const missing = [...new Set([...jobs.keys(), ...workflows.keys()])]
      .filter((type) => !live.has(type))
      .sort();
    return {
      missing: missing.map((type) => ({
        type,
        jobs: jobs.get(type) ?? 0,
        workflows: workflows.get(type) ?? [],
      })),
      differing: types.flatMap(({ type, schemas }) => (type !== null && schemas > 1 ? type : [])),
      live: types.flatMap(({ type, isCustom }) => (type !== null && isCustom ? type : [])),
      silent: types.filter(({ type }) => type === null).length,
    };
  });
}

export interface QueueState {
  /** Jobs that a worker could take now. */
  readonly waiting: number;
  readonly oldestSeconds: number | null;
  readonly locked: number;
  /** Locked by a queue pool that no registered worker has. */
  readonly lockedByNobody: number;
  readonly givenUp: number;
}

export async function readQueue(client: pg.Client): Promise<QueueState> {
  return await inspect(client, ROLES.owner, async () => {
    const { rows } = await client.query<QueueState>(
      `select count(*) filter (where can_run)::int as waiting,
         (extract(epoch from clock_timestamp() - min(created_at) filter (where can_run)))::float8 as "oldestSeconds",
         count(*) filter (where locked_by is not null)::int as locked,
         count(*) filter (where locked_by is not null and locked_by not in (select unnest(pool_ids) from dagwright.workers))::int as "lockedByNobody",
         count(*) filter (where attempts >= max_attempts)::int as "givenUp"
       from (select *, locked_by is null and run_at <= now() and attempts < max_attempts as can_run from graphile_worker._private_jobs) j`,
    );
    return rows[0]!;
  });
}

/** How many orphans there are, and the first few as `execution task: problem`. */
export async function readOrphans(client: pg.Client): Promise<{ count: number; examples: string[] }> {
  return await inspect(client, ROLES.engine, async () => {
    const { rows } = await client.query<{ count: number; example: string }>(
      `select count(*) over ()::int as count, concat_ws(' ', execution_id, task_id || coalesce('[' || nullif(map_index, -1) || ']', '')) || ': ' || problem as example
       from dagwright.v_orphans limit 3`,
    );
    return { count: rows[0]?.count ?? 0, examples: rows.map(({ example }) => example) };
  });
}

/** How often the reconciler had to re-enqueue something, ever. */
export async function readRepairs(client: pg.Client): Promise<number> {
  return await inspect(client, ROLES.engine, async () => {
    const { rows } = await client.query<{ value: string }>(
      `select value from dagwright.engine_counters where name = 'reconciler_repairs'`,
    );
    return Number(rows[0]?.value ?? 0);
  });
}

export interface ScheduleState {
  readonly active: number;
  /** Due for longer than any scheduler needs. */
  readonly overdue: number;
  readonly oldestSeconds: number | null;
  readonly schedulersAlive: number;
}

/** Active schedules, and whether somebody looks after them. */
export async function readScheduleState(client: pg.Client): Promise<ScheduleState> {
  return await inspect(client, ROLES.engine, async () => {
    const { rows } = await client.query<ScheduleState>(
      `select count(*)::int as active, count(*) filter (where due_at < now() - interval '30 seconds')::int as overdue,
         (extract(epoch from now() - min(due_at)))::float8 as "oldestSeconds",
         (select count(*)::int from dagwright.schedulers where heartbeat_at > now() - interval '10 seconds') as "schedulersAlive"
       from dagwright.schedules where status = 'active' and removed_at is null`,
    );
    return rows[0]!;
  });
}

export interface HorizonHolder {
  readonly what: string;
  readonly seconds: number | null;
}

/** What keeps vacuum from removing dead rows, the oldest first; `hidden` sessions may not be looked at by this login. */
export async function readHorizon(client: pg.Client): Promise<{ holders: HorizonHolder[]; hidden: number }> {
  return await inspect(client, null, async () => {
    const { rows } = await client.query<HorizonHolder>(
      `select what, seconds from (
         select format('session %s (%s, %s)', pid, coalesce(nullif(application_name, ''), 'no name'), state) as what,
             extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
           from pg_stat_activity where xact_start is not null and pid <> pg_backend_pid() and datname = current_database()
             and backend_type in ('client backend', 'walsender')
         union all
         select format('prepared transaction %s', gid), extract(epoch from clock_timestamp() - prepared)::float8
           from pg_prepared_xacts where database = current_database()
         union all
         select format('replication slot %s, which nobody uses', slot_name), null
           from pg_replication_slots where not active) h
       order by seconds desc nulls first limit 3`,
    );
    const hidden = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and backend_type is null`,
    );
    return { holders: rows, hidden: hidden.rows[0]!.n };
  });
}

export interface TableState {
  readonly name: string;
  readonly live: number;
  readonly dead: number;
}

/** Live and dead rows of the tables that change most, by the statistics. */
export async function readHotTables(client: pg.Client): Promise<TableState[]> {
  return await inspect(client, null, async () => {
    const { rows } = await client.query<TableState>(
      `select relname as name, n_live_tup::float8 as live, n_dead_tup::float8 as dead from pg_stat_all_tables
       where (schemaname = 'dagwright' and relname in ('workflow_executions', 'task_executions', 'workers'))
          or (schemaname = 'graphile_worker' and relname = '_private_jobs') order by n_dead_tup desc`,
    );
    return rows;
  });
}

export interface PriceState {
  readonly library: number;
  readonly operator: number;
  /** The price library of this installation is newer than the prices in the database. */
  readonly isOutdated: boolean;
}

export async function readPrices(client: pg.Client): Promise<PriceState> {
  return await inspect(client, ROLES.engine, async () => {
    const { rows } = await client.query<Omit<PriceState, 'isOutdated'>>(
      `select count(*) filter (where source = 'library')::int as library, count(*) filter (where source = 'operator')::int as operator
       from dagwright.ai_model_pricing`,
    );
    return { ...rows[0]!, isOutdated: await hasOlderPrices(client) };
  });
}
