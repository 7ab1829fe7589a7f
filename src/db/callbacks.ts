// Callback tokens of tasks: made before a call goes out, read when its task looks for the answer (functions/callback.sql).
import type { Json } from '../core/json.ts';
import type { Claim, Queryable } from './transitions.ts';

/** Makes a token known by its SHA-256; false when the attempt is no longer the caller's. */
export async function openCallback(
  db: Queryable,
  executionId: string,
  claim: Claim,
  callback: {
    readonly hash: Buffer;
    readonly timeoutMs: number;
    readonly heartbeatMs: number | null;
  },
): Promise<boolean> {
  const { rows } = await db.query<{ opened: boolean }>({
    name: 'open_callback_v1',
    text: 'select dagwright.open_callback_v1($1, $2, $3, $4, $5, $6, $7) as opened',
    values: [
      executionId,
      claim.taskId,
      claim.mapIndex,
      claim.fence,
      callback.hash,
      callback.timeoutMs,
      callback.heartbeatMs,
    ],
  });
  return rows[0]!.opened;
}

/** What has come for a task: its first answer, or how long the wait for its newest token still is. Null: no token. */
export async function loadCallback(
  db: Queryable,
  executionId: string,
  claim: Claim,
): Promise<{
  readonly isCompleted: boolean;
  readonly output: Json;
  readonly error: Json;
  readonly leftMs: number;
} | null> {
  const { rows } = await db.query<{ isCompleted: boolean; output: Json; error: Json; leftMs: number }>({
    name: 'load_callback',
    text: `select completed_at is not null as "isCompleted", output, error,
        (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as "leftMs"
      from dagwright.task_callbacks where workflow_execution_id = $1 and task_id = $2 and map_index = $3
      order by completed_at is null, created_at desc limit 1`,
    values: [executionId, claim.taskId, claim.mapIndex],
  });
  return rows[0] ?? null;
}
