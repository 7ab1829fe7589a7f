// Outputs that are kept for tasks with a `cache`. The tenant is part of every key: what one has asked, no other finds.
import type { Json } from '../../core/json.ts';
import type { Queryable } from '../connection/connection.ts';

export interface CacheKey {
  readonly tenantId: string;
  /** SHA-256. */
  readonly hash: Buffer;
}

export interface KeptOutput {
  readonly output: Json;
  /** What it cost when it was made; null: unknown. */
  readonly costUsd: string | null;
  readonly executionId: string;
  readonly taskId: string;
  /** ISO 8601. */
  readonly keptAt: string;
}

/** The output that was kept under this key not longer than `ttlSeconds` ago, or null. */
export async function loadKeptOutput(
  db: Queryable,
  { tenantId, hash }: CacheKey,
  ttlSeconds: number,
): Promise<KeptOutput | null> {
  const { rows } = await db.query<KeptOutput>({
    name: 'load_kept_output',
    text: `select output, cost_usd as "costUsd", workflow_execution_id as "executionId", task_id as "taskId",
        to_char(kept_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "keptAt"
      from dagwright.task_cache where tenant_id = $1 and key_hash = $2
        and least(expires_at, kept_at + $3 * interval '1 second') > clock_timestamp()`,
    values: [tenantId, hash, ttlSeconds],
  });
  return rows[0] ?? null;
}

/** Keeps an output; the newest of a key stays. `outputJson`: storable and without secrets. */
export async function keepOutput(
  db: Queryable,
  { tenantId, hash }: CacheKey,
  kept: {
    readonly outputJson: string;
    readonly costUsd: string | null;
    readonly executionId: string;
    readonly taskId: string;
    readonly ttlSeconds: number;
  },
): Promise<void> {
  await db.query({
    name: 'keep_output',
    text: `insert into dagwright.task_cache (tenant_id, key_hash, output, cost_usd, workflow_execution_id, task_id, kept_at, expires_at)
      values ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp() + $7 * interval '1 second')
      on conflict (tenant_id, key_hash) do update set output = excluded.output, cost_usd = excluded.cost_usd,
        workflow_execution_id = excluded.workflow_execution_id, task_id = excluded.task_id, kept_at = excluded.kept_at,
        expires_at = excluded.expires_at`,
    values: [tenantId, hash, kept.outputJson, kept.costUsd, kept.executionId, kept.taskId, kept.ttlSeconds],
  });
}
