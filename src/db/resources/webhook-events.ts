// Deliveries of webhooks that were verified: one row for each, and what became of it.
//   E1  One row per (webhook, delivery id), and per (webhook, signed id): whoever inserts second waits for the first, then finds its row.
//   E2  An event and the execution that it starts are one commit.

import type { TaskError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { JsonWarning } from '../../core/long-numbers.ts';
import type { WebhookEventStatus } from '../../core/trigger/webhook.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';

export interface EventSummary {
  readonly id: string;
  readonly webhookId: string;
  /** The sender's name of the delivery; null: it gave none, and repetitions are events of their own. */
  readonly deliveryId: string | null;
  readonly status: WebhookEventStatus;
  /** The first execution that it started. */
  readonly executionId: string | null;
  /** The one of the latest replay. */
  readonly replayExecutionId: string | null;
  /** Why it failed, or could not start. */
  readonly error: TaskError | null;
  /** What was taken otherwise than it was sent. */
  readonly warnings: readonly JsonWarning[];
  readonly replays: number;
  readonly receivedAt: string;
  readonly processedAt: string | null;
}

export interface EventRow extends EventSummary {
  readonly method: string;
  readonly headers: JsonObject;
  readonly query: JsonObject;
  readonly body: Json;
}

const SUMMARY = `id, webhook_id as "webhookId", delivery_id as "deliveryId", status, workflow_execution_id as "executionId",
  replay_execution_id as "replayExecutionId", error, coalesce(warnings, '[]') as warnings, replays, received_at as "receivedAt", processed_at as "processedAt"`;
const COLUMNS = `${SUMMARY}, method, headers, query, body`;

export interface NewEvent {
  readonly id: string;
  readonly tenantId: string;
  readonly webhookId: string;
  readonly deliveryId: string | null;
  readonly signedId: string | null;
  readonly method: string;
  readonly headers: JsonObject;
  readonly query: JsonObject;
  /** Serialised. */
  readonly bodyJson: string;
  readonly warnings: readonly JsonWarning[];
}

/**
 * Stores a delivery as `received`, if its webhook is still active; when it was, as ISO text. Null: the webhook is gone, removed
 * or paused, or the delivery is there already. Waits while another transaction is storing the same delivery.
 */
export async function insertEvent(client: Queryable, event: NewEvent): Promise<string | null> {
  const { rows } = await client.query<{ receivedAt: string }>({
    name: 'insert_webhook_event_3',
    text: `with active as (select w.id from dagwright.webhooks w where w.tenant_id = $2 and w.id = $3 and w.status = 'active'
        and w.removed_at is null for key share)
      insert into dagwright.webhook_events (id, tenant_id, webhook_id, delivery_id, status, method, headers, query, body, warnings, received_at, signed_id)
      select $1, $2, active.id, $4, 'received', $5, $6, $7, $8, $9, clock_timestamp(), $10 from active
      on conflict do nothing returning received_at as "receivedAt"`,
    values: [
      event.id,
      event.tenantId,
      event.webhookId,
      event.deliveryId,
      event.method,
      JSON.stringify(event.headers),
      JSON.stringify(event.query),
      event.bodyJson,
      event.warnings.length === 0 ? null : JSON.stringify(event.warnings),
      event.signedId,
    ],
  });
  return rows[0]?.receivedAt ?? null;
}

/** The event of a delivery by either of its ids, without what it brought; the first of two. */
export async function findDelivery(
  client: Queryable,
  tenantId: string,
  webhookId: string,
  { deliveryId, signedId }: Pick<NewEvent, 'deliveryId' | 'signedId'>,
): Promise<EventSummary | null> {
  const { rows } = await client.query<EventSummary>({
    name: 'find_webhook_delivery_3',
    text: `select ${SUMMARY} from dagwright.webhook_events where tenant_id = $1 and webhook_id = $2 and (delivery_id = $3 or signed_id = $4) order by id limit 1`,
    values: [tenantId, webhookId, deliveryId, signedId],
  });
  return rows[0] ?? null;
}

/** What became of an event; of one that was replayed, what became of it now. */
export interface Decision {
  readonly status: Exclude<WebhookEventStatus, 'received'>;
  readonly executionId: string | null;
  readonly error: TaskError | null;
}

/** Records what a new event led to. */
export async function settleEvent(client: Queryable, id: string, decision: Decision): Promise<void> {
  await client.query({
    name: 'settle_webhook_event',
    text: `update dagwright.webhook_events set status = $2, workflow_execution_id = $3, error = $4, processed_at = clock_timestamp()
      where id = $1 and status = 'received'`,
    values: [id, decision.status, decision.executionId, jsonOrNull(decision.error)],
  });
}

/** An event, locked until the transaction ends. */
export async function lockEvent(
  client: Queryable,
  tenantId: string,
  webhookId: string,
  id: string,
): Promise<EventRow | null> {
  const { rows } = await client.query<EventRow>(
    `select ${COLUMNS} from dagwright.webhook_events where tenant_id = $1 and webhook_id = $2 and id = $3 for no key update`,
    [tenantId, webhookId, id],
  );
  return rows[0] ?? null;
}

/** Records a replay of an event that the caller has locked, also in the audit trail. The first execution stays its answer. */
export async function settleReplay(
  client: Queryable,
  tenantId: string,
  event: EventSummary,
  decision: Decision,
): Promise<void> {
  await client.query(
    `update dagwright.webhook_events set status = $2, workflow_execution_id = coalesce(workflow_execution_id, $3),
       replay_execution_id = coalesce($3, replay_execution_id), error = $4, replays = replays + 1, processed_at = clock_timestamp()
     where id = $1`,
    [event.id, decision.status, decision.executionId, jsonOrNull(decision.error)],
  );
  await client.query(`select dagwright.audit_v1($1, 'webhooks.replay', 'webhook-events', $2, $3, $4)`, [
    tenantId,
    event.id,
    JSON.stringify({ status: event.status, executionId: event.executionId }),
    JSON.stringify({ status: decision.status, executionId: decision.executionId }),
  ]);
}

/** Newest first: at most `limit`, fewer where they are large, made before the id `before`. */
export async function findEvents(
  client: Queryable,
  tenantId: string,
  webhookId: string,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly status?: WebhookEventStatus | undefined;
  },
): Promise<BoundedPage<EventSummary>> {
  return await findBoundedPage<EventSummary>(
    client,
    `select ${SUMMARY} from dagwright.webhook_events where tenant_id = $1 and webhook_id = $2 and ($4::uuid is null or id < $4)
       and ($5::text is null or status::text = $5) order by id desc limit $3`,
    {
      values: [tenantId, webhookId, filter.limit + 1, filter.before, filter.status ?? null],
      limit: filter.limit,
      json: ['error', 'warnings'],
    },
  );
}

export async function findEvent(
  client: Queryable,
  tenantId: string,
  webhookId: string,
  id: string,
): Promise<EventRow | null> {
  const { rows } = await client.query<EventRow>(
    `select ${COLUMNS} from dagwright.webhook_events where tenant_id = $1 and webhook_id = $2 and id = $3`,
    [tenantId, webhookId, id],
  );
  return rows[0] ?? null;
}

function jsonOrNull(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
