// The row of a scheduler process: whether schedules and events have someone who looks after them.
import type { Queryable } from '../connection/connection.ts';

/** Rows of processes that have been silent for this long say nothing any more. */
const FORGET = '1 hour';

/** One beat, by the database's clock; makes the row where there is none. Always 0: nothing is left to do. */
export async function beatScheduler(
  db: Queryable,
  scheduler: { readonly id: string; readonly host: string; readonly pid: number; readonly fired: number },
): Promise<0> {
  await db.query({
    name: 'beat_scheduler',
    text: `with gone as (delete from dagwright.schedulers where id in (select id from dagwright.schedulers
             where heartbeat_at < now() - interval '${FORGET}' and id <> $1 for update skip locked))
           insert into dagwright.schedulers (id, host, pid, started_at, heartbeat_at, fired)
           values ($1, $2, $3, clock_timestamp(), clock_timestamp(), $4)
           on conflict (id) do update set heartbeat_at = clock_timestamp(), fired = excluded.fired`,
    values: [scheduler.id, scheduler.host, scheduler.pid, scheduler.fired],
  });
  return 0;
}

/** Takes the row away: the process has ended in good order. */
export async function removeScheduler(db: Queryable, id: string): Promise<void> {
  await db.query('delete from dagwright.schedulers where id = $1', [id]);
}
