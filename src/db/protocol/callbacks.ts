// Callback tokens of tasks: made before a call goes out, read when its task looks for the answer (functions/protocol/callback.sql).

import type { Json } from '../../core/json.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Claim } from './transitions.ts';

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

export interface StoredCallback {
  readonly hash: Buffer;
  readonly isCompleted: boolean;
  readonly output: Json;
  readonly error: Json;
  readonly leftMs: number;
}

/** What has come for a task: its first answer, or how long the wait for its newest token still is. Null: no token. */
export async function loadCallback(
  db: Queryable,
  executionId: string,
  claim: Claim,
): Promise<StoredCallback | null> {
  const { rows } = await db.query<StoredCallback>({
    name: 'load_callback',
    text: `select token_hash as hash, completed_at is not null as "isCompleted", output, error,
        (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as "leftMs"
      from dagwright.task_callbacks where workflow_execution_id = $1 and task_id = $2 and map_index = $3
      order by completed_at is null, created_at desc limit 1`,
    values: [executionId, claim.taskId, claim.mapIndex],
  });
  return rows[0] ?? null;
}

/** Puts a redacted answer in place of what was sent, which nobody had looked at before. */
export async function redactCallback(
  db: Queryable,
  { hash, output, error }: Pick<StoredCallback, 'hash' | 'output' | 'error'>,
): Promise<void> {
  await db.query({
    text: 'update dagwright.task_callbacks set output = $2, error = $3 where token_hash = $1',
    values: [hash, ...[output, error].map((value) => (value === null ? null : JSON.stringify(value)))],
  });
}

/**
 * Gives an answer, as JSON, to the callback with this token's SHA-256; null: there is none. The first answer counts.
 * Runs for whoever holds the token, whatever the tenant.
 */
export async function answerCallback(
  db: Queryable,
  hash: Buffer,
  kind: 'output' | 'error' | 'heartbeat',
  valueJson: string,
): Promise<'accepted' | 'already_completed' | 'expired' | null> {
  const { rows } = await db.query<{ status: 'accepted' | 'already_completed' | 'expired' | null }>({
    text: 'select dagwright.answer_callback_v1($1, $2, $3) as status',
    values: [hash, kind, valueJson],
  });
  return rows[0]!.status;
}
