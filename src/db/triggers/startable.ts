// What a start has to know beforehand: the revision it takes, what that revision asks of its input, and what an
// idempotency key has started already.

import type { Json, JsonObject } from '../../core/json.ts';
import { within } from '../connection/bounded-client.ts';
import type { Queryable } from '../connection/connection.ts';

/** The revision that a start would take now. */
export interface StartableVersion {
  readonly id: string;
  readonly revision: number;
}

/** For each workflow the revision given, or the one that starts take; null where there is none. */
export async function findStartable(
  db: Queryable,
  tenantId: string,
  wanted: readonly { readonly workflowId: string; readonly revision?: number | undefined }[],
  limitMs: number,
): Promise<(StartableVersion | null)[]> {
  const { rows } = await db.query<StartableVersion & { i: number }>({
    ...within(limitMs),
    name: 'find_startable',
    text: `select w.i::int - 1 as i, v.id, v.revision
      from unnest($2::text[], $3::int[]) with ordinality as w(workflow_id, revision, i)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d
        join dagwright.workflow_versions v on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id
          and v.revision = coalesce(w.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = $1 and d.workflow_id = w.workflow_id offset 0) v`,
    values: [
      tenantId,
      wanted.map(({ workflowId }) => workflowId),
      wanted.map(({ revision }) => revision ?? null),
    ],
  });
  const found = new Array<StartableVersion | null>(wanted.length).fill(null);
  for (const { i, ...version } of rows) found[i] = version;
  return found;
}

/** What a revision asks of its input. */
export interface InputRule {
  readonly inputSchema: Json | undefined;
  readonly defaultParameters: JsonObject | undefined;
}

/** What a revision asks of its input; null where there is no such revision. */
export async function findInputRule(
  db: Queryable,
  versionId: string,
  limitMs: number,
): Promise<InputRule | null> {
  const { rows } = await db.query<{ schema: Json; defaults: JsonObject | null; has: boolean }>({
    ...within(limitMs),
    name: 'find_input_rule',
    text: `select definition->'inputSchema' as schema, definition->'inputSchema' is not null as has,
        definition->'defaultParameters' as defaults
      from dagwright.workflow_versions where id = $1`,
    values: [versionId],
  });
  const row = rows[0];
  if (row === undefined) return null;
  return { inputSchema: row.has ? row.schema : undefined, defaultParameters: row.defaults ?? undefined };
}

/** The execution that an idempotency key has started, and whether it was for the same request; null: none. */
export async function findKeyedStart(
  db: Queryable,
  tenantId: string,
  key: { readonly scope: string; readonly key: string; readonly requestHash?: string | undefined },
  limitMs: number,
): Promise<{ readonly id: string; readonly isSame: boolean } | null> {
  const { rows } = await db.query<{ id: string; isSame: boolean }>({
    ...within(limitMs),
    name: 'find_keyed_start',
    text: `select workflow_execution_id as id, (request_hash <> decode($4, 'hex')) is not true as "isSame"
      from dagwright.idempotency_keys where tenant_id = $1 and scope = $2 and key = $3`,
    values: [tenantId, key.scope, key.key, key.requestHash ?? null],
  });
  return rows[0] ?? null;
}
