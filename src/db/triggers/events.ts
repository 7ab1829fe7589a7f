// Events: what `emit_event` and POST /v1/events brought, and what became of it.

import type pg from 'pg';
import type { Json } from '../../core/json.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';

/** A trigger that could not start its workflow. */
export interface EventError {
  readonly workflowId: string;
  /** Of the trigger. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

export interface EventView {
  readonly id: string;
  readonly type: string;
  readonly payload: Json;
  readonly createdBy: string;
  readonly createdAt: string;
  /** Null: its triggers have not been looked at yet. */
  readonly processedAt: string | null;
  readonly executionsStarted: number | null;
  readonly errors: readonly EventError[];
}

/** An event whose triggers have not been looked at. */
export interface OpenEvent {
  readonly id: string;
  readonly tenantId: string;
  readonly type: string;
  readonly payload: Json;
  readonly createdBy: string;
  readonly createdAt: string;
}

const PROGRAM_LIMIT_EXCEEDED = '54000';
const COLUMNS = `id, type, payload, created_by as "createdBy", created_at as "createdAt", processed_at as "processedAt",
  executions_started as "executionsStarted", coalesce(errors, '[]') as errors`;

/**
 * Records an event in the tenant's transaction; its id. Null where its payload is too large for the database: then the transaction is
 * to be rolled back.
 */
export async function recordEvent(
  client: pg.ClientBase,
  { type, payload }: { readonly type: string; readonly payload: Json },
): Promise<string | null> {
  try {
    const { rows } = await client.query<{ id: string }>('select dagwright.emit_event($1, $2) as id', [
      type,
      JSON.stringify(payload),
    ]);
    return rows[0]!.id;
  } catch (error) {
    if ((error as { code?: unknown }).code === PROGRAM_LIMIT_EXCEEDED) return null;
    throw error;
  }
}

export async function findEvent(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<EventView | null> {
  const { rows } = await client.query<EventView>(
    `select ${COLUMNS} from dagwright.events where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** Newest first, fewer where they are large; `before` is the id to go on after. */
export async function findEvents(
  client: pg.ClientBase,
  tenantId: string,
  filter: { readonly limit: number; readonly before: string | null; readonly type?: string | undefined },
): Promise<BoundedPage<EventView>> {
  return await findBoundedPage<EventView>(
    client,
    `select ${COLUMNS} from dagwright.events where tenant_id = $1 and ($3::uuid is null or id < $3)
       and ($4::text is null or type = $4) order by id desc limit $2`,
    {
      values: [tenantId, filter.limit + 1, filter.before, filter.type ?? null],
      limit: filter.limit,
      json: ['payload', 'errors'],
    },
  );
}

/** The id to begin with: every tenant's comes after it. */
export const FIRST_TENANT = '00000000-0000-0000-0000-000000000000';

/**
 * Locks open events for this transaction, at most `limit`; those that another pass has are left to it. Tenants take turns:
 * at most `limit` of them after the id `after` share it evenly, each with its oldest. `next`: where the next call goes on.
 */
export async function takeOpenEvents(
  db: Queryable,
  limit: number,
  after: string = FIRST_TENANT,
): Promise<{ readonly events: readonly OpenEvent[]; readonly next: string }> {
  const { rows } = await db.query<OpenEvent & { id: string | null }>({
    name: 'take_open_events',
    text: `with recursive turn as (
        (select tenant_id from dagwright.events where processed_at is null and tenant_id > $2 order by tenant_id limit 1)
        union all
        select (select e.tenant_id from dagwright.events e where e.processed_at is null and e.tenant_id > turn.tenant_id
          order by e.tenant_id limit 1) from turn where turn.tenant_id is not null),
      turns as materialized (select tenant_id from turn where tenant_id is not null limit $1)
      select turns.tenant_id as "tenantId", e.* from turns left join lateral (
        select id, type, payload, created_by as "createdBy", created_at as "createdAt" from dagwright.events
        where tenant_id = turns.tenant_id and processed_at is null order by id
        limit (select ceil($1::float8 / count(*))::int from turns) for update skip locked) e on true
      order by 1, 2`,
    values: [limit, after],
  });
  const tenants = [...new Set(rows.map(({ tenantId }) => tenantId))];
  const events = rows.filter(({ id }) => id !== null);
  return { events, next: tenants.length < limit ? FIRST_TENANT : tenants.at(-1)! };
}

/** Marks an event that this transaction has taken. */
export async function markProcessed(
  db: Queryable,
  id: string,
  result: { readonly started: number; readonly errors: readonly EventError[] },
): Promise<void> {
  await db.query({
    name: 'mark_event',
    text: `update dagwright.events set processed_at = clock_timestamp(), executions_started = $2, errors = $3 where id = $1`,
    values: [id, result.started, result.errors.length === 0 ? null : JSON.stringify(result.errors)],
  });
}
