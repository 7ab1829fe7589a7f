// Schedules that leave their definition and come back to it. `client` and locks as in schedules.ts.
import type pg from 'pg';
import { timingOf } from '../../core/schedule/settings.ts';
import { findSchedule, lockSchedule, missOverdue, NEVER, nextOf, nowMs } from './schedules.ts';

/**
 * Takes a schedule away from its definition: nothing fires, and all that it has stays, its status too. What was due is told as
 * missed, what was buffered given up.
 */
export async function removeSchedule(client: pg.ClientBase, tenantId: string, id: string): Promise<void> {
  const before = await lockSchedule(client, tenantId, id);
  if (before === null) return;
  await missOverdue(client, before, {
    now: await nowMs(client),
    reason: 'the schedule was removed from its definition',
    givesUp: true,
  });
  await client.query(
    `update dagwright.schedules set removed_at = clock_timestamp(), next_run_at = null, due_at = null, fence = fence + 1,
       updated_at = clock_timestamp() where id = $1 and tenant_id = $2`,
    [id, tenantId],
  );
}

/** Brings back one that was removed and that the caller has locked; if active, it goes on with the first nominal time from now on. */
export async function returnSchedule(client: pg.ClientBase, tenantId: string, id: string): Promise<void> {
  const before = (await findSchedule(client, tenantId, id))!;
  const { nextRunAt, dueAt } =
    before.status === 'active' ? nextOf(timingOf(id, before), await nowMs(client)) : NEVER;
  await client.query(
    `update dagwright.schedules set removed_at = null, next_run_at = $3, due_at = $4, fence = fence + 1, updated_at = clock_timestamp()
     where id = $1 and tenant_id = $2 and removed_at is not null`,
    [id, tenantId, nextRunAt, dueAt],
  );
}
