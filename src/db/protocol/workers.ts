// The worker's row: its lease. The heartbeat itself runs in a thread of its own (engine/worker/heartbeat-thread.ts).
import type { JsonObject } from '../../core/json.ts';
import type { Queryable } from '../connection/connection.ts';

/** First key of the session advisory lock that a heartbeat connection holds; the second is the row's lock_key. */
export const WORKER_LOCK = 1147;

export interface WorkerRegistration {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  readonly leaseSeconds: number;
  /** What it can do. */
  readonly types: readonly RegisteredType[];
}

/** A task type that a worker has. */
export interface RegisteredType {
  readonly type: string;
  /** The JSON Schema of its config with a hash of that; null: it is built in. */
  readonly config: { readonly schema: JsonObject; readonly hash: string } | null;
}

/** Makes the row; returns its lock key. */
export async function registerWorker(db: Queryable, worker: WorkerRegistration): Promise<number> {
  const { rows } = await db.query<{ lockKey: number }>(
    'select dagwright.register_worker_v2($1, $2, $3, $4, $5, $6, $7) as "lockKey"',
    [
      ...[worker.id, worker.host, worker.pid, worker.concurrency, worker.leaseSeconds],
      JSON.stringify(
        Object.fromEntries(worker.types.map(({ type, config }) => [type, config?.hash ?? null])),
      ),
      JSON.stringify(
        Object.fromEntries(
          worker.types.flatMap(({ type, config }) => (config === null ? [] : [[type, config.schema]])),
        ),
      ),
    ],
  );
  return rows[0]!.lockKey;
}

/** Notes a graphile pool of this worker, so that its jobs are unlocked when the worker is dead. */
export async function addPoolId(db: Queryable, workerId: string, poolId: string): Promise<void> {
  await db.query('update dagwright.workers set pool_ids = array_append(pool_ids, $2) where id = $1', [
    workerId,
    poolId,
  ]);
}

/** Unlocks the jobs of pools that have ended. */
export async function unlockPools(db: Queryable, poolIds: readonly string[]): Promise<void> {
  await db.query('select dagwright.unlock_pools_v1($1)', [poolIds]);
}

/** Removes the row of a worker that has released everything. */
export async function removeWorker(db: Queryable, workerId: string): Promise<void> {
  await db.query('delete from dagwright.workers where id = $1', [workerId]);
}

/** One beat, by the database clock; false when the worker was declared dead. Starts anew after a gap of two beats. */
export const BEAT_SQL = `update dagwright.workers set heartbeat_at = clock_timestamp(),
  beating_since = case when heartbeat_at < clock_timestamp() - interval '7 seconds' then clock_timestamp() else beating_since end
  where id = $1 returning (select coalesce(sum(concurrency), 1)::int from dagwright.workers) as slots`;

/** Re-enqueues orphans; how many there were. */
export async function reconcile(db: Queryable, slots: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select dagwright.reconcile_v1($1) as n', [slots]);
  return rows[0]!.n;
}

/** Whether this worker may hold its other attempts back for a suspect now, for so long at most: one of all workers at a time. */
export async function takeSuspectTurn(db: Queryable, workerId: string, ms: number): Promise<boolean> {
  const { rows } = await db.query<{ taken: boolean }>(
    'select dagwright.take_suspect_turn_v1($1, $2) as taken',
    [workerId, ms],
  );
  return rows[0]!.taken;
}

/** Lets another worker have the turn. */
export async function giveSuspectTurnBack(db: Queryable, workerId: string): Promise<void> {
  await db.query('update dagwright.workers set suspects_until = null where id = $1', [workerId]);
}
