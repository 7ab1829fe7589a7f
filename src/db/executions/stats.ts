// What a tenant's executions do and cost, for an overview. Every part is read by an index and looks at a bounded number of
// rows: where there are more, the answer says that it is of the newest.

import type { ExecutionStatus } from '../../core/status.ts';
import type { Acting, Database } from '../connection/connection.ts';

export interface WorkflowStats {
  readonly workflowId: string;
  readonly executions: number;
  readonly failed: number;
  readonly costUsd: string;
  /** Median and 95th percentile of those that ended, in milliseconds; null: none has. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface Stats {
  /** Executions created in the last 24 hours, by their status now. */
  readonly last24h: Readonly<Partial<Record<ExecutionStatus, number>>>;
  /** Executions that have not ended, whenever they were created. */
  readonly open: { readonly pending: number; readonly running: number; readonly paused: number };
  /** Tasks ready for a worker, and for how long the first has been, in milliseconds. */
  readonly queue: { readonly tasks: number; readonly oldestMs: number | null };
  /** What executions created today and this month (UTC) have cost so far; unknown prices are left out. */
  readonly costUsd: { readonly today: string; readonly month: string };
  /** The busiest workflows of the last 24 hours. */
  readonly workflows: readonly WorkflowStats[];
  /** False: there were more executions than one answer looks at; the newest were counted. */
  readonly isComplete: boolean;
}

/** Rows that one part looks at. */
const MAX_ROWS = 200_000;
const TOP_WORKFLOWS = 20;

/** One scan of the month's executions, newest first, and two small ones of what is open. */
export async function findStats(database: Database, acting: Acting): Promise<Stats> {
  return await database.withTenant(acting, async (client) => {
    const { rows } = await client.query<{ stats: Omit<Stats, 'open' | 'queue' | 'isComplete'>; n: number }>(
      `with clock as (
         select now() - interval '24 hours' as day_ago, date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' as today,
           date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' as month),
       newest as materialized (
         select o.workflow_id, o.status, o.created_at, o.actual_cost_usd as cost, o.duration_ms from dagwright.workflow_executions o
         where o.tenant_id = $1
           and o.id >= (select dagwright.first_id_v1(least(day_ago, month) - interval '1 hour') from clock)
         order by o.id desc limit $2),
       day as materialized (select * from newest where created_at >= (select day_ago from clock))
       select (select count(*)::int from newest) as n, json_build_object(
         'last24h', coalesce((select json_object_agg(status, k) from (select status, count(*) as k from day group by status) s), '{}'),
         'costUsd', (select json_build_object('today', trim_scale(coalesce(sum(cost) filter (where created_at >= (select today from clock)), 0))::text,
           'month', trim_scale(coalesce(sum(cost) filter (where created_at >= (select month from clock)), 0))::text) from newest),
         'workflows', coalesce((select json_agg(w) from (
           select workflow_id as "workflowId", count(*)::int as executions, count(*) filter (where status = 'failed')::int as failed,
             trim_scale(coalesce(sum(cost), 0))::text as "costUsd",
             percentile_disc(0.5) within group (order by duration_ms) as "p50Ms",
             percentile_disc(0.95) within group (order by duration_ms) as "p95Ms"
           from day group by workflow_id order by count(*) desc, workflow_id limit $3) w), '[]')) as stats`,
      [acting.tenantId, MAX_ROWS, TOP_WORKFLOWS],
    );
    const { rows: open } = await client.query<Stats['open'] & { n: number }>(
      `select count(*)::int as n, count(*) filter (where status = 'pending')::int as pending,
         count(*) filter (where status = 'running')::int as running, count(*) filter (where status = 'paused')::int as paused
       from (select status from dagwright.workflow_executions
             where tenant_id = $1 and status in ('pending', 'running', 'paused') limit $2) o`,
      [acting.tenantId, MAX_ROWS],
    );
    const { rows: queue } = await client.query<Stats['queue'] & { n: number }>(
      `select count(*)::int as n, count(*)::int as tasks,
         (extract(epoch from clock_timestamp() - min(ready_at)) * 1000)::bigint as "oldestMs"
       from (select ready_at from dagwright.task_executions
             where tenant_id = $1 and ready_at is not null order by ready_at limit $2) t`,
      [acting.tenantId, MAX_ROWS],
    );
    const { n, stats } = rows[0]!;
    const { n: nOpen, ...counts } = open[0]!;
    const { n: nReady, ...depth } = queue[0]!;
    return { ...stats, open: counts, queue: depth, isComplete: Math.max(n, nOpen, nReady) < MAX_ROWS };
  });
}
