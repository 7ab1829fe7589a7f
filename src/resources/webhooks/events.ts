// What webhooks received: listed, shown, and decided anew.
import type pg from 'pg';
import type { WebhookEventStatus } from '../../core/trigger/webhook.ts';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { Acting } from '../../db/connection/connection.ts';
import * as rows from '../../db/resources/webhook-events.ts';
import { findWebhook } from '../../db/resources/webhooks.ts';
import type { Starts } from '../../triggers/starts/starts.ts';
import { decideEvent } from '../../triggers/webhooks/event/decide.ts';
import { done, notFound, type Outcome, type Refused } from '../outcome.ts';
import { unknownWebhook } from './webhooks.ts';

export interface EventName {
  readonly webhookId: string;
  readonly eventId: string;
}

/** What became of an event, as its sender is told. */
export interface WebhookReceipt {
  readonly eventId: string;
  readonly status: WebhookEventStatus;
  /** That it started. */
  readonly executionId?: string;
}

/** Newest first, without what they brought; `before` is the id to go on after. */
export async function listWebhookEvents(
  client: pg.ClientBase,
  { tenantId }: Acting,
  {
    webhookId,
    ...filter
  }: {
    readonly webhookId: string;
    readonly limit: number;
    readonly before: string | null;
    readonly status?: WebhookEventStatus | undefined;
  },
): Promise<Outcome<BoundedPage<rows.EventSummary>>> {
  if ((await findWebhook(client, tenantId, webhookId)) === null) return unknownWebhook(webhookId);
  return done(await rows.findEvents(client, tenantId, webhookId, filter));
}

/** With what it brought. */
export async function showWebhookEvent(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { webhookId, eventId }: EventName,
): Promise<Outcome<rows.EventRow>> {
  const found = await rows.findEvent(client, tenantId, webhookId, eventId);
  return found === null ? unknownEvent({ webhookId, eventId }) : done(found);
}

/**
 * Decides a stored event anew, by the webhook's filters, its mapping and the workflow's revision as they are now. It may start
 * another execution; the first stays what repetitions of the delivery are told. `client` is in a transaction of the engine's role.
 */
export async function replayWebhookEvent(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { webhookId, eventId }: EventName,
  { starts }: { readonly starts: Pick<Starts, 'startWith'> },
): Promise<Outcome<WebhookReceipt>> {
  const event = await rows.lockEvent(client, tenantId, webhookId, eventId);
  const webhook = event === null ? null : await findWebhook(client, tenantId, webhookId);
  if (event === null || webhook === null) return unknownEvent({ webhookId, eventId });
  const decision = await decideEvent(client, starts, webhook, { ...event, eventId });
  await rows.settleReplay(client, tenantId, event, decision);
  const { status, executionId } = decision;
  return done({ eventId, status, ...(executionId === null ? {} : { executionId }) });
}

const unknownEvent = ({ webhookId, eventId }: EventName): Refused =>
  notFound('event', `there is no event ${eventId} of webhook ${webhookId}`);
