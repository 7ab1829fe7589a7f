// Rows of tenants, under the engine's role, which sees them all.

import type pg from 'pg';
import type { TenantStatus } from '../../core/caller/tenant.ts';
import { newId } from '../../core/id.ts';
import type { JsonObject } from '../../core/json.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';
import { DEFAULT_TENANT_ID } from './default-tenant.ts';

/** What the operator allows a tenant at most; null: as much as it likes. */
export interface TenantLimits {
  /** Tasks that run at once, on all workers. */
  readonly maxRunningTasks: number | null;
  /** Executions that start within any minute. */
  readonly maxStartsPerMinute: number | null;
  /** Executions that are recorded and not opened. */
  readonly maxWaitingExecutions: number | null;
}

/** Instants are ISO 8601. */
export interface TenantView {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  /** Definitions with a higher `minTier` do not start for it. */
  readonly tier: number;
  readonly status: TenantStatus;
  /** Its turns in the queue for one of a tenant of weight 1. */
  readonly weight: number;
  readonly limits: TenantLimits;
  readonly settings: JsonObject;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface NewTenant {
  readonly name: string;
  readonly displayName: string | null;
  readonly tier: number;
  readonly settings: JsonObject;
}

/** What is absent stays as it is. */
export interface TenantChange {
  readonly displayName?: string | null | undefined;
  readonly tier?: number | undefined;
  readonly status?: TenantStatus | undefined;
  readonly weight?: number | undefined;
  /** Null lifts a limit. */
  readonly limits?: { readonly [Limit in keyof TenantLimits]?: number | null | undefined } | undefined;
  readonly settings?: JsonObject | undefined;
}

const COLUMNS = `id, name, display_name as "displayName", tier, status, weight,
  json_build_object('maxRunningTasks', max_running_tasks, 'maxStartsPerMinute', max_starts_per_minute,
    'maxWaitingExecutions', max_waiting_executions) as limits, settings, created_at as "createdAt",
  updated_at as "updatedAt"`;

/** Makes a tenant; null where its name is taken. */
export async function insertTenant(client: pg.ClientBase, wanted: NewTenant): Promise<TenantView | null> {
  const { rows } = await client.query<TenantView>(
    `insert into dagwright.tenants (id, name, display_name, tier, settings) values ($1, $2, $3, $4, $5)
     on conflict (name) do nothing returning ${COLUMNS}`,
    [newId(), wanted.name, wanted.displayName, wanted.tier, JSON.stringify(wanted.settings)],
  );
  return rows[0] ?? null;
}

/** Newest first, fewer where they are large; `before` is the id to go on after. */
export async function findTenants(
  db: Queryable | pg.ClientBase,
  page: { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<TenantView>> {
  return await findBoundedPage<TenantView>(
    db,
    `select ${COLUMNS} from dagwright.tenants where $1::uuid is null or id < $1 order by id desc limit $2`,
    { values: [page.before, page.limit + 1], limit: page.limit, json: ['settings'] },
  );
}

/** A tenant by its id or its name; null where there is none. */
export async function findTenantView(
  db: Queryable | pg.ClientBase,
  by: { readonly id: string } | { readonly name: string },
): Promise<TenantView | null> {
  const { rows } = await db.query<TenantView>(
    `select ${COLUMNS} from dagwright.tenants where ${'id' in by ? 'id' : 'name'} = $1`,
    ['id' in by ? by.id : by.name],
  );
  return rows[0] ?? null;
}

/** Changes what is given; the tenant afterwards, or null where there is none. */
export async function updateTenant(
  client: pg.ClientBase,
  by: { readonly id: string } | { readonly name: string },
  change: TenantChange,
): Promise<TenantView | null> {
  const { rows } = await client.query<TenantView>(
    `update dagwright.tenants set display_name = case when $2 then $3 else display_name end, tier = coalesce($4, tier),
       status = coalesce($5, status), settings = coalesce($6, settings), weight = coalesce($7, weight),
       max_running_tasks = case when $8::jsonb ? 'maxRunningTasks' then ($8::jsonb->>'maxRunningTasks')::int else max_running_tasks end,
       max_starts_per_minute = case when $8::jsonb ? 'maxStartsPerMinute' then ($8::jsonb->>'maxStartsPerMinute')::int
         else max_starts_per_minute end,
       max_waiting_executions = case when $8::jsonb ? 'maxWaitingExecutions' then ($8::jsonb->>'maxWaitingExecutions')::int
         else max_waiting_executions end, updated_at = clock_timestamp()
     where ${'id' in by ? 'id' : 'name'} = $1 returning ${COLUMNS}`,
    [
      'id' in by ? by.id : by.name,
      change.displayName !== undefined,
      change.displayName ?? null,
      change.tier ?? null,
      change.status ?? null,
      change.settings === undefined ? null : JSON.stringify(change.settings),
      change.weight ?? null,
      JSON.stringify(change.limits ?? {}),
    ],
  );
  return rows[0] ?? null;
}

/** The id of a tenant by its name, or null. */
export async function findTenantId(db: Queryable, name: string): Promise<string | null> {
  if (name === 'default') return DEFAULT_TENANT_ID;
  const { rows } = await db.query<{ id: string }>('select id from dagwright.tenants where name = $1', [name]);
  return rows[0]?.id ?? null;
}

/** Those of these ids that are tenants'. */
export async function findTenantIds(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>('select id from dagwright.tenants where id = any($1)', [
    ids,
  ]);
  return rows.map(({ id }) => id);
}
