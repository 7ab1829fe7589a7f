// First answers to requests with an Idempotency-Key, in the transaction of what they made.
import type pg from 'pg';

export interface RequestKey {
  readonly tenantId: string;
  /** `POST /v1/schedules`. */
  readonly route: string;
  /** SHA-256. */
  readonly keyHash: Buffer;
}

export interface KeptAnswer {
  readonly requestHash: Buffer;
  readonly status: number;
  /** JSON in UTF-8, or sealed. */
  readonly answer: Buffer;
  readonly isSealed: boolean;
}

/**
 * The answer that was given to this key, or null: then the caller holds the key until its transaction ends, and others wait
 * for it here.
 */
export async function claimRequest(client: pg.ClientBase, key: RequestKey): Promise<KeptAnswer | null> {
  const lock = key.keyHash.readBigInt64BE(0).toString();
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, $2))', [
    `${key.tenantId} ${key.route}`,
    lock,
  ]);
  // A statement of its own: its snapshot must be younger than the lock.
  const { rows } = await client.query<{
    request_hash: Buffer;
    status: number;
    answer: Buffer;
    is_sealed: boolean;
  }>(
    `select request_hash, status, answer, is_sealed from dagwright.idempotent_requests
     where tenant_id = $1 and route = $2 and key_hash = $3`,
    [key.tenantId, key.route, key.keyHash],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    requestHash: row.request_hash,
    status: row.status,
    answer: row.answer,
    isSealed: row.is_sealed,
  };
}

/** Keeps the answer to a key that {@link claimRequest} has claimed. */
export async function keepAnswer(client: pg.ClientBase, key: RequestKey, kept: KeptAnswer): Promise<void> {
  await client.query(
    `insert into dagwright.idempotent_requests (tenant_id, route, key_hash, request_hash, status, answer, is_sealed)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [key.tenantId, key.route, key.keyHash, kept.requestHash, kept.status, kept.answer, kept.isSealed],
  );
}
