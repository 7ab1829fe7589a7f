// Decides a stored event anew, by the webhook's filters, its mapping and the workflow's revision as they are now. It
// starts another execution; the first stays what repetitions of the delivery are told.

import type { Queryable } from '../../db/connection/connection.ts';
import { lockEvent, settleReplay } from '../../db/resources/webhook-events.ts';
import { findWebhook } from '../../db/resources/webhooks.ts';
import type { Starts } from '../starts/starts.ts';
import { decideEvent } from './decide.ts';
import type { EventAnswer } from './receive.ts';

/** In the caller's transaction, which is of the engine's role. Null: there is no such event. */
export async function replayEvent(
  client: Queryable,
  starts: Pick<Starts, 'startWith'>,
  tenantId: string,
  named: { readonly webhookId: string; readonly eventId: string },
): Promise<EventAnswer | null> {
  const event = await lockEvent(client, tenantId, named.webhookId, named.eventId);
  const webhook = event === null ? null : await findWebhook(client, tenantId, named.webhookId);
  if (event === null || webhook === null) return null;
  const decision = await decideEvent(client, starts, webhook, { ...event, eventId: event.id });
  await settleReplay(client, tenantId, event, decision);
  return { eventId: event.id, status: decision.status, executionId: decision.executionId };
}
