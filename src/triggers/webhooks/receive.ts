// Receives deliveries: from the bytes that came in to an answer that can be relied on.
//   R1  Bytes are verified before anything is parsed. An unknown path, a paused or removed webhook, a suspended tenant and a bad
//       signature give the same answer after about the same work: each is judged, if by a secret that nobody has.
//   R2  The event, its decision and the execution are one commit, and the answer comes after it. A crash before leaves
//       nothing; after, the sender's repetition gets the answer.
//   R3  A delivery id is one event: a simultaneous repetition waits on the unique key and gets the first's answer.
//       Without an id every delivery is an event of its own. Where the id is not signed and the time is, so is what was signed.
//   R4  What is refused leaves no trace in the database. So does what the operator's limits of the tenant refuse to start: the sender
//       is told to come again, and may then be the first.
//   R5  A repetition is told the first execution, whatever was replayed since.
//   R6  What is verified waits for a turn of the event loop behind deliveries to the same webhook alone. Only webhooks that exist have a
//       line, and all of a tenant take turns for one of the tenant's, so that neither made-up paths nor many webhooks get more turns than
//       others. Nobody waits there for the tenant's own work, nor does that for strangers. That a delivery to a webhook does not wait
//       behind those to unknown paths tells, while there are many of these, that there is one: paths are no secret, proofs are.

import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '../../core/errors.ts';
import { newId } from '../../core/id.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { JsonWarning } from '../../core/long-numbers.ts';
import { isWebhookPath, type Respond, type WebhookEventStatus } from '../../core/trigger/webhook.ts';
import { isRetryable } from '../../db/connection/connection.ts';
import {
  type EventSummary,
  findDelivery,
  insertEvent,
  settleEvent,
} from '../../db/resources/webhook-events.ts';
import { findReceiver, type WebhookRow } from '../../db/resources/webhooks.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { isAtLimit, type TenantLimit } from '../starts/start-check.ts';
import type { Starts } from '../starts/starts.ts';
import { readBody } from './body/body.ts';
import { extraDigits } from './body/printed-size.ts';
import { type RuleContext, ruleFor } from './delivery-rule.ts';
import { decideEvent } from './event/decide.ts';
import type { WebhookEvent } from './event/event-scope.ts';
import {
  answerAfter,
  answerBefore,
  type HandshakeAnswer,
  type HandshakeContext,
  isRawMessage,
  isTopicMessage,
} from './handshake.ts';
import { currentSecrets } from './stored-secrets.ts';
import type { Delivery } from './verification/delivery.ts';
import { senderHeaders, senderQuery } from './verification/sender-headers.ts';
import { slackChallenge } from './verification/slack.ts';
import { verifyDelivery } from './verification/verify.ts';

export interface Receiver extends HandshakeContext, RuleContext {
  readonly starts: Pick<Starts, 'startWith'>;
}

/** What the sender is told of an event. */
export interface EventAnswer {
  readonly eventId: string;
  readonly status: WebhookEventStatus;
  readonly executionId: string | null;
}

export type Receipt =
  | { readonly kind: 'unauthorized'; readonly isUnknownPath?: true }
  /** A secret that it may be signed with cannot be opened or read: the operator's fault, and the delivery is to come again. */
  | { readonly kind: 'unavailable' }
  /** Verified, but no event: not what its content type says (`isMalformed`), or beyond what can be kept. */
  | {
      readonly kind: 'unacceptable';
      readonly isMalformed: boolean;
      readonly problems: readonly Problem[];
    }
  /** Verified, but the tenant starts nothing more for the moment: the delivery is to come again. */
  | { readonly kind: 'limited'; readonly code: TenantLimit; readonly message: string }
  /** Slack asks whether the address is right; nothing is stored. */
  | { readonly kind: 'challenge'; readonly challenge: string }
  | HandshakeAnswer
  | ({ readonly kind: 'stored'; readonly asked?: AskedAnswer } & EventAnswer);

/** What the webhook's owner wants the sender of this event to be answered. */
export interface AskedAnswer {
  readonly respond: Respond;
  readonly tenantId: string;
  readonly webhookId: string;
  readonly event: WebhookEvent;
}

const MAX_TRIES = 4;
const MAX_EXTRA_DIGITS = 1_000_000;
const LONG_NUMBERS: readonly Problem[] = [
  { pointer: '', code: 'too_long', message: 'the numbers of the body have too many digits when written out' },
];
/** Receives one delivery at `<tenant name>/<path>`. Throws only where the database does not answer. */
export async function receiveDelivery(
  receiver: Receiver,
  fullPath: string,
  delivery: Delivery,
): Promise<Receipt> {
  const { database } = receiver;
  // Whose it is is not known yet: strangers' deliveries share a part of the connections.
  const { nowMs, webhook } = await database.inShare('hooks', () =>
    findReceiver(database.engine, ...splitPath(fullPath)),
  );
  const rule = await ruleFor(receiver, webhook, delivery, nowMs);
  const [key, part] = webhook === null ? ['strangers'] : [`hooks of ${webhook.tenantId}`, webhook.id];
  const verified = await eventLoop.run(key, () => verifyDelivery(delivery, rule, nowMs), part);
  if (webhook === null) return { kind: 'unauthorized', isUnknownPath: true };
  const handshake = await answerBefore(receiver, webhook, delivery, rule.secrets);
  if (handshake !== null) return handshake;
  if (!(webhook.methods ?? ['POST']).some((method) => method === delivery.method))
    return { kind: 'unauthorized' };
  if (delivery.method === 'HEAD') return { kind: 'answered', status: 200, headers: {}, body: null };
  if (!verified.ok) {
    if (rule.secrets.length < currentSecrets(webhook.secrets, nowMs).length || rule.certificate === null)
      return { kind: 'unavailable' };
    receiver.log.info('a webhook delivery was refused', { webhookId: webhook.id, reason: verified.reason });
    return { kind: 'unauthorized' };
  }
  const read = await eventLoop.run(webhook.tenantId, () => readDelivery(delivery, webhook));
  if (read.kind !== 'readable') return read;
  const question = await answerAfter(receiver, webhook, read.body, { delivery, rule, nowMs });
  if (question !== null) return question;
  return await storeUntilDecided(receiver, webhook, {
    ...read,
    deliveryId: verified.deliveryId,
    signedId: verified.signedId ?? null,
  });
}

/** Undoes an event whose start the tenant's limits refuse. */
class TenantAtLimit extends Error {
  readonly code: TenantLimit;
  constructor(code: TenantLimit, message: string) {
    super(message);
    this.code = code;
  }
}

/** What of a delivery is kept. */
interface DeliveryContent {
  readonly deliveryId: string | null;
  readonly signedId: string | null;
  readonly method: string;
  readonly headers: JsonObject;
  readonly query: JsonObject;
  readonly body: Json;
  readonly warnings: readonly JsonWarning[];
}

function readDelivery(
  delivery: Delivery,
  webhook: WebhookRow,
): Receipt | ({ readonly kind: 'readable' } & Omit<DeliveryContent, 'deliveryId' | 'signedId'>) {
  const read = readBody(delivery.rawBody, bodyTypeOf(delivery, webhook));
  const query = senderQuery(delivery.query);
  if (!read.ok) {
    const isMalformed = read.problems.some(({ code }) => code === 'syntax' || code === 'encoding');
    return { kind: 'unacceptable', isMalformed, problems: read.problems };
  }
  if (!query.ok) return { kind: 'unacceptable', isMalformed: false, problems: query.problems };
  const { warnings, body } = read.value;
  if (extraDigits(body) > MAX_EXTRA_DIGITS)
    return { kind: 'unacceptable', isMalformed: false, problems: LONG_NUMBERS };
  const challenge = webhook.verifier === 'slack' ? slackChallenge(body) : null;
  if (challenge !== null) return { kind: 'challenge', challenge };
  const headers = senderHeaders(delivery.headers, webhook.options);
  return { kind: 'readable', method: delivery.method, headers, query: query.value, body, warnings };
}

/** What its body is read as; null: what it looks like. */
function bodyTypeOf(delivery: Delivery, webhook: WebhookRow): string | null {
  // SNS says text of its JSON, and of messages that it hands on raw, which may be anything.
  if (isTopicMessage(webhook, delivery)) return isRawMessage(delivery) ? null : 'application/json';
  const contentType = delivery.headers['content-type'];
  return typeof contentType === 'string' ? contentType : (contentType?.[0] ?? null);
}

// A conflict with another transaction did nothing; a lost connection is the caller's to tell, and the sender's to repeat.
async function storeUntilDecided(
  receiver: Receiver,
  webhook: WebhookRow,
  content: DeliveryContent,
): Promise<Receipt> {
  for (let tries = 1; ; tries++) {
    try {
      return await storeAndDecide(receiver, webhook, content);
    } catch (error) {
      if (error instanceof TenantAtLimit)
        return { kind: 'limited', code: error.code, message: error.message };
      if (!isRetryable(error) || tries === MAX_TRIES) throw error;
      await delay(20 * 2 ** tries * (0.5 + Math.random()));
    }
  }
}

async function storeAndDecide(
  receiver: Receiver,
  webhook: WebhookRow,
  content: DeliveryContent,
): Promise<Receipt> {
  const { tenantId } = webhook;
  return await receiver.database.asEngine({ tenantId, actor: `webhook:${webhook.id}` }, async (client) => {
    const id = newId();
    const receivedAt = await insertEvent(client, {
      ...content,
      ...{ id, tenantId, webhookId: webhook.id, bodyJson: JSON.stringify(content.body) },
    });
    if (receivedAt === null) {
      const first =
        content.deliveryId === null && content.signedId === null
          ? null
          : await findDelivery(client, tenantId, webhook.id, content);
      // Paused, removed or deleted since it was looked up.
      if (first === null) return { kind: 'unauthorized' };
      const { id: eventId, receivedAt: firstAt } = first;
      return {
        kind: 'stored',
        ...answerOf(first),
        ...asked(webhook, { ...content, eventId, receivedAt: firstAt }),
      };
    }
    const decision = await decideEvent(client, receiver.starts, webhook, {
      ...content,
      eventId: id,
      receivedAt,
    });
    const { error } = decision;
    if (error !== null && isAtLimit(error.code)) throw new TenantAtLimit(error.code, error.message);
    await settleEvent(client, id, decision);
    const { status, executionId } = decision;
    const event = { ...content, eventId: id, receivedAt };
    return { kind: 'stored', eventId: id, status, executionId, ...asked(webhook, event) };
  });
}

function asked(
  { respond, tenantId, id: webhookId }: WebhookRow,
  event: WebhookEvent,
): { readonly asked?: AskedAnswer } {
  return respond === null ? {} : { asked: { respond, tenantId, webhookId, event } };
}

/** What a delivery's repetition is told. */
function answerOf({ id, status, executionId }: EventSummary): EventAnswer {
  return { eventId: id, status: executionId === null ? status : 'processed', executionId };
}

// What is no path of a webhook is looked up all the same, as one that nobody has.
function splitPath(fullPath: string): [tenantName: string, path: string] {
  const cut = fullPath.indexOf('/');
  const path = fullPath.slice(cut + 1);
  return cut > 0 && isWebhookPath(path) && /^[\x21-\x7e]+$/.test(fullPath)
    ? [fullPath.slice(0, cut), path]
    : ['', ''];
}
