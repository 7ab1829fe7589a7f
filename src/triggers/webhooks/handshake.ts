// Questions of senders whether an address is right, which come before their deliveries or beside them. Nothing of them is stored, but
// for the secret that Asana brings.
//   N1  Before anything is verified: what the sender is told by its owner (a verify token), or what shows nothing but that there is an
//       address (a validation token).
//   N2  A secret that comes from outside is taken once: only where the webhook has none, by one statement. Whoever wants another
//       makes the webhook anew.
//   N3  A confirmation is fetched from Amazon's own hosts, or the one that the owner names, through the guard, and only for a
//       delivery that was verified.
import { isJsonObject, type Json } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Handshake, HandshakeType } from '../../core/trigger/webhook.ts';
import type { Database } from '../../db/connection/connection.ts';
import { giveFirstSecret } from '../../db/resources/first-secret.ts';
import type { WebhookRow } from '../../db/resources/webhooks.ts';
import { SecretBoxError } from '../secrets/secret-box.ts';
import { logUnset, openVerifyToken, resolveSecret, type SecretSource, sealSecret } from './stored-secrets.ts';
import { type Delivery, readHeader, type SentValues } from './verification/delivery.ts';
import { discordPing } from './verification/discord.ts';
import { isSameSecret } from './verification/signature.ts';
import { isTopicHost } from './verification/sns.ts';
import type { VerificationOptions, VerificationRule } from './verification/verification-rule.ts';
import { zoomChallenge } from './verification/zoom.ts';

/** An answer that is no receipt of an event. */
export interface HandshakeAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A text goes as it is, an object as JSON; null: nothing. */
  readonly body: string | object | null;
}

export interface HandshakeContext extends SecretSource {
  readonly database: Database;
  readonly log: TaskLog;
  /** GET through the guard; its status. Absent: nothing is fetched from here. */
  readonly fetchStatus?: ((url: URL) => Promise<number>) | undefined;
}

const MAX_TOKEN_CHARS = 2_000;
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/** N1, N2. Null: it is no such question, or one that nobody may ask here. */
export async function answerBefore(
  context: HandshakeContext,
  webhook: WebhookRow,
  delivery: Delivery,
  secrets: readonly string[],
): Promise<HandshakeAnswer | null> {
  const { method, query } = delivery;
  const hub = handshakeOf(webhook, 'hub_challenge');
  if (hub !== null && method === 'GET') {
    const challenge = textOf(query, 'hub.challenge');
    const shown = textOf(query, 'hub.verify_token');
    const wanted = await wantedToken(context, webhook, hub);
    const isRight = shown !== null && wanted !== null && wanted !== '' && isSameSecret(shown, wanted);
    if (isRight && challenge !== null && textOf(query, 'hub.mode') === 'subscribe') return say(challenge);
  }
  const token = textOf(query, 'validationToken');
  if (
    token !== null &&
    handshakeOf(webhook, 'validation_token') !== null &&
    (method === 'POST' || method === 'GET')
  )
    return say(token);
  return await takeSecret(context, webhook, delivery, secrets);
}

/** Of a delivery that was verified: what its sender wants to see, or null. */
export async function answerAfter(
  context: HandshakeContext,
  webhook: WebhookRow,
  body: Json,
  proof: { readonly delivery: Delivery; readonly rule: VerificationRule; readonly nowMs: number },
): Promise<HandshakeAnswer | { readonly kind: 'unavailable' } | null> {
  switch (webhook.verifier) {
    case 'zoom': {
      const answer = zoomChallenge(body, proof);
      return answer === null ? null : { kind: 'answered', status: 200, headers: {}, body: answer };
    }
    case 'discord': {
      const ping = discordPing(body);
      if (ping === null) return null;
      return ping === 'event'
        ? { kind: 'answered', status: 204, headers: {}, body: null }
        : { kind: 'answered', status: 200, headers: {}, body: { type: 1 } };
    }
    default:
      return await confirmTopic(context, webhook, body);
  }
}

/** SNS sends JSON as text. */
export function isTopicMessage(webhook: WebhookRow, delivery: Delivery): boolean {
  if (webhook.verifier === 'sns') return true;
  return topicOf(webhook) !== null && readHeader(delivery, 'x-amz-sns-message-type').kind === 'value';
}

/** How subscriptions are confirmed; the verifier does it also without the handshake, and of its topic alone. */
function topicOf(webhook: WebhookRow): Handshake | null {
  const given = handshakeOf(webhook, 'sns');
  if (webhook.verifier !== 'sns') return given;
  const { topicArn = '' } = webhook.options as VerificationOptions;
  return { ...given, type: 'sns', topicArn };
}

/** With raw delivery SNS sends the message alone, as it was published. */
export function isRawMessage(delivery: Delivery): boolean {
  const header = readHeader(delivery, 'x-amz-sns-rawdelivery');
  return header.kind === 'value' && header.value === 'true';
}

function handshakeOf({ handshakes }: WebhookRow, type: HandshakeType): Handshake | null {
  return handshakes?.find((one) => one.type === type) ?? null;
}

/** Null: the webhook has none that can be read. */
async function wantedToken(
  context: HandshakeContext,
  webhook: WebhookRow,
  { verifyToken }: Handshake,
): Promise<string | null> {
  if (verifyToken !== undefined) {
    const token = await resolveSecret(verifyToken, webhook.tenantName, context);
    if (token === null) logUnset(context.log, verifyToken, webhook);
    return token;
  }
  if (webhook.verifyToken === null) return null;
  try {
    return openVerifyToken(webhook.verifyToken, webhook, context);
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    context.log.error('the verify token of a webhook cannot be opened', {
      webhookId: webhook.id,
      reason: error.message,
    });
    return null;
  }
}

// N2.
async function takeSecret(
  context: HandshakeContext,
  webhook: WebhookRow,
  delivery: Delivery,
  secrets: readonly string[],
): Promise<HandshakeAnswer | null> {
  if (handshakeOf(webhook, 'asana') === null || delivery.method !== 'POST') return null;
  const header = readHeader(delivery, 'x-hook-secret');
  if (header.kind !== 'value' || !/^[\x21-\x7e]{16,200}$/.test(header.value)) return null;
  const answer = {
    kind: 'answered',
    status: 200,
    headers: { 'x-hook-secret': header.value },
    body: null,
  } as const;
  if (webhook.secrets.length > 0)
    return secrets.some((secret) => isSameSecret(secret, header.value)) ? answer : null;
  const { id, tenantId } = webhook;
  const sealed = sealSecret(header.value, webhook, context, Date.now());
  const isTaken = await context.database.asEngine({ tenantId, actor: `webhook:${id}` }, (client) =>
    giveFirstSecret(client, webhook, sealed),
  );
  if (isTaken) context.log.info('a webhook was given its secret by its sender', { webhookId: id });
  return isTaken ? answer : null;
}

// N3.
async function confirmTopic(
  { fetchStatus, log }: HandshakeContext,
  webhook: WebhookRow,
  body: Json,
): Promise<HandshakeAnswer | { readonly kind: 'unavailable' } | null> {
  const sns = topicOf(webhook);
  if (sns === null || !isJsonObject(body)) return null;
  if (body.Type === 'UnsubscribeConfirmation') {
    log.warn('a subscription of a webhook has ended', { webhookId: webhook.id });
    return { kind: 'answered', status: 200, headers: {}, body: { status: 'noted' } };
  }
  if (body.Type !== 'SubscriptionConfirmation') return null;
  const refuse = (reason: string) => {
    log.warn('a subscription was not confirmed', { webhookId: webhook.id, reason });
    return { kind: 'answered', status: 403, headers: {}, body: { status: 'not_confirmed' } } as const;
  };
  if (sns.topicArn !== undefined && body.TopicArn !== sns.topicArn) return refuse('it is of another topic');
  const url = typeof body.SubscribeURL === 'string' ? URL.parse(body.SubscribeURL) : null;
  if (url === null) return refuse('it has no SubscribeURL');
  const isKnown =
    sns.host === undefined ? url.protocol === 'https:' && isTopicHost(url.host) : url.host === sns.host;
  if (!isKnown) return refuse('its SubscribeURL leads to another host');
  if (fetchStatus === undefined) return { kind: 'unavailable' };
  try {
    const status = await fetchStatus(url);
    if (status >= 200 && status < 300)
      return { kind: 'answered', status: 200, headers: {}, body: { status: 'confirmed' } };
    log.warn('a subscription was not confirmed', { webhookId: webhook.id, status });
  } catch (error) {
    log.warn('a subscription was not confirmed', {
      webhookId: webhook.id,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
  return { kind: 'unavailable' };
}

function say(text: string): HandshakeAnswer {
  return { kind: 'answered', status: 200, headers: TEXT, body: text };
}

/** A parameter that is there once, of printable characters. */
function textOf(query: SentValues, name: string): string | null {
  const value = Object.hasOwn(query, name) ? query[name] : undefined;
  return typeof value === 'string' && value.length <= MAX_TOKEN_CHARS && /^[^\p{Cc}\p{Cs}]+$/u.test(value)
    ? value
    : null;
}
