// What `dev` shows of all tenants' executions: which are open, and how those ended that no longer are.
import type { ExecutionStatus } from '../../core/status.ts';
import type { Queryable } from '../connection/connection.ts';

/** Ids of executions that are not over, the newest first, at most `most`. */
export async function readOpenIds(db: Queryable, most: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from dagwright.workflow_executions where status in ('pending', 'running', 'paused') order by id desc limit $1`,
    [most],
  );
  return rows.map(({ id }) => id);
}

export interface EndedExecution {
  readonly id: string;
  readonly tenant: string;
  readonly workflowId: string;
  readonly status: ExecutionStatus;
  readonly durationMs: number | null;
  /** Exact US dollars; null: not known. */
  readonly costUsd: string | null;
  readonly errorCode: string | null;
}

/** Those of these executions that are over, in the order of their ends. */
export async function readEnds(db: Queryable, ids: readonly string[]): Promise<readonly EndedExecution[]> {
  const { rows } = await db.query<EndedExecution>(
    `select o.id, t.name as tenant, o.workflow_id as "workflowId", o.status, o.duration_ms::float8 as "durationMs",
       case when not o.cost_unknown then trim_scale(o.actual_cost_usd)::text end as "costUsd", o.error->>'code' as "errorCode"
     from dagwright.workflow_executions o join dagwright.tenants t on t.id = o.tenant_id
     where o.id = any($1) and o.status in ('completed', 'failed', 'cancelled') order by o.completed_at, o.id`,
    [ids],
  );
  return rows;
}
