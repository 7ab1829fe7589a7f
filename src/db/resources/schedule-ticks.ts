// The ticks of a schedule as its owner sees them, and what starts executions of it by hand: backfill, run now. `client` is in a
// transaction of the tenant's role.
import type pg from 'pg';
import { newId } from '../../core/id.ts';
import type { TickStatus } from '../../core/schedule/words.ts';
import { type BoundedPage, pageOfRows } from '../connection/byte-bounded.ts';

export interface TickView {
  readonly scheduledAt: string;
  readonly status: TickStatus;
  readonly executionId: string | null;
  readonly decidedAt: string;
  readonly reason: string | null;
}

/** Newest nominal time first; `before` (ISO) is the one to go on after; `from` inclusive, `to` exclusive. */
export async function findTicks(
  client: pg.ClientBase,
  tenantId: string,
  scheduleId: string,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly status?: TickStatus | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
  },
): Promise<BoundedPage<TickView>> {
  const { rows } = await client.query<TickView>(
    `select scheduled_at as "scheduledAt", status, workflow_execution_id as "executionId", decided_at as "decidedAt", reason
     from dagwright.schedule_ticks where tenant_id = $1 and schedule_id = $2 and ($4::timestamptz is null or scheduled_at < $4)
       and ($5::dagwright.tick_status is null or status = $5) and ($6::timestamptz is null or scheduled_at >= $6)
       and ($7::timestamptz is null or scheduled_at < $7) order by scheduled_at desc limit $3`,
    [
      tenantId,
      scheduleId,
      filter.limit + 1,
      filter.before,
      filter.status ?? null,
      filter.from ?? null,
      filter.to ?? null,
    ],
  );
  return pageOfRows(rows, filter.limit);
}

export interface BackfilledTick {
  readonly scheduledAt: string;
  /** Null: it could not start, for this reason. */
  readonly executionId: string | null;
  readonly reason: string | null;
}

/** Starts those of these nominal times that have no execution. `revision` is the one that the input was checked against. */
export async function startTicks(
  client: pg.ClientBase,
  id: string,
  { revision, times }: { readonly revision: number | null; readonly times: readonly number[] },
): Promise<BackfilledTick[]> {
  const items = times.map((ms) => ({ at: new Date(ms).toISOString(), execution: newId() }));
  const { rows } = await client.query<BackfilledTick>(
    `select scheduled_at as "scheduledAt", execution_id as "executionId", reason from dagwright.backfill_schedule_v1($1, $2, $3)`,
    [id, revision, JSON.stringify(items)],
  );
  return rows;
}

/** Starts one execution now, which is no tick. Null where there is no such schedule. */
export async function startNow(
  client: pg.ClientBase,
  id: string,
  revision: number | null,
): Promise<{ readonly id: string; readonly problem: string | null } | null> {
  const { rows } = await client.query<{ id: string; problem: string | null }>(
    `select execution_id as id, problem from dagwright.run_schedule_v1($1, $2, $3)`,
    [id, newId(), revision],
  );
  return rows[0] ?? null;
}
