// Webhooks as they are stored: who may send what where, and which workflow it starts. `client` is a connection in a
// transaction of the tenant's role, but for findReceiver, which is asked before the tenant is known.

import type pg from 'pg';
import type { DefinitionStatus } from '../../core/definition/model.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type {
  Handshake,
  Respond,
  WebhookAuthType,
  WebhookMethod,
  WebhookStatus,
  WebhookVerifier,
} from '../../core/trigger/webhook.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';
import { savepoint } from '../connection/transaction.ts';
import { SECRETS, type StoredSecret, secretsJson, VERIFY_TOKEN } from './webhook-secrets.ts';

/** What its owner decides of a webhook. `path` is without the tenant's name. */
export interface WebhookSettings {
  readonly workflowId: string;
  readonly path: string;
  readonly authType: WebhookAuthType;
  readonly verifier: WebhookVerifier | null;
  readonly options: JsonObject;
  /** Null: POST alone. */
  readonly methods: readonly WebhookMethod[] | null;
  readonly handshakes: readonly Handshake[] | null;
  /** Null: the receipt, 202. */
  readonly respond: Respond | null;
  /** Null: the default mapping. */
  readonly inputMapping: Json;
  readonly filters: readonly JsonObject[];
  readonly priority: number;
  readonly status: WebhookStatus;
}

export interface WebhookRow extends WebhookSettings {
  readonly id: string;
  readonly tenantId: string;
  readonly tenantName: string;
  /** Only that of an active one starts; null: there is no such workflow. */
  readonly workflowStatus: DefinitionStatus | null;
  readonly secrets: readonly StoredSecret[];
  /** Sealed; null: it has none of its own. */
  readonly verifyToken: string | null;
  readonly fromDefinition: boolean;
  /** When it left the `triggers` of its definition; null: it is there. */
  readonly removedAt: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

// A filter's absent value (SQL null) is not the value null.
const FILTERS = `coalesce((select jsonb_agg(jsonb_build_object('fieldPath', f.field_path, 'operator', f.operator)
      || case when f.value is null then '{}' else jsonb_build_object('value', f.value) end
      || case when f.logic_group is null then '{}' else jsonb_build_object('logicGroup', f.logic_group) end order by f.position)
    from dagwright.webhook_filters f where f.tenant_id = w.tenant_id and f.webhook_id = w.id), '[]')`;
const COLUMNS = `w.id, w.tenant_id as "tenantId", t.name as "tenantName", w.workflow_id as "workflowId", w.path, w.auth_type as "authType",
  w.verifier, w.verifier_options as options, w.methods, w.handshakes, w.respond, w.input_mapping as "inputMapping", ${FILTERS} as filters, w.priority, w.status,
  ${SECRETS} as secrets, ${VERIFY_TOKEN} as "verifyToken",
  (select d.status from dagwright.workflow_definitions d where d.tenant_id = w.tenant_id and d.workflow_id = w.workflow_id) as "workflowStatus",
  w.from_definition as "fromDefinition", w.removed_at as "removedAt", w.created_by as "createdBy", w.created_at as "createdAt", w.updated_at as "updatedAt"`;
const FROM = 'dagwright.webhooks w join dagwright.tenants t on t.id = w.tenant_id';

/** Also one that was removed. */
export async function findWebhook(
  client: Queryable,
  tenantId: string,
  id: string,
): Promise<WebhookRow | null> {
  const { rows } = await client.query<WebhookRow>(
    `select ${COLUMNS} from ${FROM} where w.tenant_id = $1 and w.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** One that may be changed, locked until the transaction ends: none that was removed. */
export async function lockWebhook(
  client: Queryable,
  tenantId: string,
  id: string,
): Promise<WebhookRow | null> {
  const { rowCount } = await client.query(
    'select from dagwright.webhooks where tenant_id = $1 and id = $2 and removed_at is null for no key update',
    [tenantId, id],
  );
  return rowCount === 0 ? null : await findWebhook(client, tenantId, id);
}

/** The one at a path, without the tenant's name. */
export async function findWebhookAt(
  client: Queryable,
  tenantId: string,
  path: string,
): Promise<WebhookRow | null> {
  const { rows } = await client.query<WebhookRow>(
    `select ${COLUMNS} from ${FROM} where w.tenant_id = $1 and w.path = $2`,
    [tenantId, path],
  );
  return rows[0] ?? null;
}

/** Those that are there, newest first: at most `limit`, fewer where they are large, made before the id `before`. */
export async function findWebhooks(
  client: Queryable,
  tenantId: string,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly workflowId?: string | undefined;
  },
): Promise<BoundedPage<WebhookRow>> {
  return await findBoundedPage<WebhookRow>(
    client,
    `select ${COLUMNS} from ${FROM} where w.tenant_id = $1 and w.removed_at is null and ($3::uuid is null or w.id < $3)
       and ($4::text is null or w.workflow_id = $4) order by w.id desc limit $2`,
    {
      values: [tenantId, filter.limit + 1, filter.before, filter.workflowId ?? null],
      limit: filter.limit,
      json: ['options', 'handshakes', 'respond', '"inputMapping"', 'filters', 'secrets'],
    },
  );
}

/** Stores a new one; null where the path is another webhook's. */
export async function insertWebhook(
  client: Queryable,
  tenantId: string,
  webhook: WebhookSettings & {
    readonly id: string;
    readonly secrets: readonly StoredSecret[];
    readonly verifyToken: string | null;
    readonly fromDefinition: boolean;
    readonly createdBy: string;
  },
): Promise<WebhookRow | null> {
  const { rowCount } = await client.query(
    `insert into dagwright.webhooks (id, tenant_id, workflow_id, path, auth_type, verifier, verifier_options, input_mapping, priority, status,
       methods, handshakes, respond, secrets, from_definition, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict (tenant_id, path) do nothing`,
    [
      webhook.id,
      tenantId,
      ...settingValues(webhook),
      secretsJson(webhook),
      webhook.fromDefinition,
      webhook.createdBy,
    ],
  );
  if (rowCount === 0) return null;
  await writeFilters(client, tenantId, webhook.id, webhook.filters);
  return (await findWebhook(client, tenantId, webhook.id))!;
}

/** Replaces settings and secrets of a webhook that the caller has locked. Null where the path is another's: then nothing has changed. */
export async function updateWebhook(
  client: pg.ClientBase,
  before: WebhookRow,
  after: WebhookSettings & {
    readonly secrets: readonly StoredSecret[];
    readonly verifyToken: string | null;
    readonly hasOtherFilters: boolean;
  },
): Promise<WebhookRow | null> {
  const { tenantId, id } = before;
  try {
    await savepoint(client, () => writeSettings(client, before, after));
  } catch (error) {
    if ((error as { constraint?: unknown }).constraint === 'webhooks_path') return null;
    throw error;
  }
  if (after.hasOtherFilters) {
    await client.query('delete from dagwright.webhook_filters where tenant_id = $1 and webhook_id = $2', [
      tenantId,
      id,
    ]);
    await writeFilters(client, tenantId, id, after.filters);
  }
  return (await findWebhook(client, tenantId, id))!;
}

/** Deletes a removed one at this path, and waits for a transaction that brings it back. */
export async function deleteRemovedWebhook(client: Queryable, tenantId: string, path: string): Promise<void> {
  await client.query(
    'delete from dagwright.webhooks where tenant_id = $1 and path = $2 and removed_at is not null',
    [tenantId, path],
  );
}

/** Takes a webhook away from its definition: its URL is nobody's at once, and all that it has stays. The caller has locked it. */
export async function removeWebhook(client: Queryable, tenantId: string, id: string): Promise<void> {
  await setRemovedAt(client, tenantId, id, 'clock_timestamp()');
}

/** Brings back one that was removed and that the caller has locked, as it was. */
export async function returnWebhook(client: Queryable, tenantId: string, id: string): Promise<void> {
  await setRemovedAt(client, tenantId, id, 'null');
}

/** With its filters and events, also one that was removed; false where there is none. */
export async function deleteWebhook(client: Queryable, tenantId: string, id: string): Promise<boolean> {
  const { rowCount } = await client.query('delete from dagwright.webhooks where tenant_id = $1 and id = $2', [
    tenantId,
    id,
  ]);
  return rowCount === 1;
}

/** What a delivery at `<tenantName>/<path>` is judged by: an active webhook of an active tenant, and the database's clock. */
export async function findReceiver(
  db: Queryable,
  tenantName: string,
  path: string,
): Promise<{ readonly nowMs: number; readonly webhook: WebhookRow | null }> {
  const { rows } = await db.query<{ nowMs: number } & WebhookRow>({
    name: 'find_receiver_3',
    text: `select extract(epoch from clock_timestamp())::float8 * 1000 as "nowMs", found.* from (select) as always left join lateral (
        select ${COLUMNS} from ${FROM} where t.name = $1 and t.status = 'active' and w.path = $2 and w.status = 'active'
          and w.removed_at is null) as found on true`,
    values: [tenantName, path],
  });
  const { nowMs, ...webhook } = rows[0]!;
  return { nowMs, webhook: webhook.id === null ? null : webhook };
}

/** The tenant's name, which goes before every path. */
export async function findTenantName(client: Queryable, tenantId: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select name from dagwright.tenants where id = $1', [
    tenantId,
  ]);
  return rows[0]!.name;
}

const settingValues = (settings: WebhookSettings) => [
  settings.workflowId,
  settings.path,
  settings.authType,
  settings.verifier,
  JSON.stringify(settings.options),
  settings.inputMapping === null ? null : JSON.stringify(settings.inputMapping),
  settings.priority,
  settings.status,
  ...[settings.methods, settings.handshakes, settings.respond].map((value) =>
    value === null ? null : JSON.stringify(value),
  ),
];

async function setRemovedAt(
  client: Queryable,
  tenantId: string,
  id: string,
  moment: 'clock_timestamp()' | 'null',
): Promise<void> {
  await client.query(
    `update dagwright.webhooks set removed_at = ${moment}, updated_at = clock_timestamp() where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
}

async function writeSettings(
  client: Queryable,
  { id, tenantId }: WebhookRow,
  after: WebhookSettings & Pick<WebhookRow, 'secrets' | 'verifyToken'>,
): Promise<void> {
  await client.query(
    `update dagwright.webhooks set workflow_id = $3, path = $4, auth_type = $5, verifier = $6, verifier_options = $7, input_mapping = $8,
       priority = $9, status = $10, methods = $11, handshakes = $12, respond = $13, secrets = $14, updated_at = clock_timestamp() where tenant_id = $2 and id = $1`,
    [id, tenantId, ...settingValues(after), secretsJson(after)],
  );
}

async function writeFilters(
  client: Queryable,
  tenantId: string,
  webhookId: string,
  filters: readonly JsonObject[],
): Promise<void> {
  if (filters.length === 0) return;
  await client.query(
    `insert into dagwright.webhook_filters (tenant_id, webhook_id, position, field_path, operator, value, logic_group)
     select $1, $2, position, filter->>'fieldPath', filter->>'operator', filter->'value', filter->>'logicGroup'
     from jsonb_array_elements($3) with ordinality as f (filter, position)`,
    [tenantId, webhookId, JSON.stringify(filters)],
  );
}
