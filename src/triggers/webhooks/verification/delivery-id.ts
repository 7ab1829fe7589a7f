// The name that a sender gives one delivery, and repeats when it sends it again.
import { createHash } from 'node:crypto';
import { isStorableText } from '../../../core/json.ts';
import { type Delivery, readHeader, refuse, type Verified } from './delivery.ts';

export const MAX_DELIVERY_ID_CHARS = 200;

/**
 * Where a delivery's id usually is, best first. Only headers that name one delivery: those that some senders give to a
 * webhook (x-webhook-id) or to a chain of events (x-gitlab-event-uuid) would make different events one.
 */
export const DELIVERY_ID_HEADERS: readonly string[] = [
  'webhook-id',
  'svix-id',
  'x-github-delivery',
  'x-gitea-delivery',
  'x-gogs-delivery',
  'x-shopify-webhook-id',
  'x-zendesk-webhook-invocation-id',
  'i-twilio-idempotency-token',
  'idempotency-key',
  'x-idempotency-key',
  'x-delivery-id',
  'x-webhook-delivery-id',
  'x-event-id',
  'x-request-uuid',
  'x-amz-sns-message-id',
];

/** An id that can be stored and indexed: a long or unstorable one is replaced by its hash. */
export function boundedId(id: string): string {
  return id.length <= MAX_DELIVERY_ID_CHARS && isStorableText(id) ? id : hashedId(id);
}

/** For deliveries without a name of their own: the same parts give the same id. */
export function hashedId(...parts: readonly string[]): string {
  return `sha256:${createHash('sha256').update(parts.join('\n')).digest('hex')}`;
}

/**
 * For senders whose id is not signed, and who say the same of one thing only once: a delivery that somebody sends again under an id of
 * his own making is still the same. A header that the owner names is trusted.
 */
export function signedDeliveryId(
  delivery: Delivery,
  configured: string | undefined,
  signed: readonly string[],
): Verified {
  if (configured === undefined) return { ok: true, deliveryId: hashedId(...signed) };
  return headerDeliveryId(delivery, configured.toLowerCase());
}

/** The id in a header; null where it is not there; refused where it is given twice, as it is unclear which is meant. */
export function headerDeliveryId(delivery: Delivery, name: string): Verified {
  const header = readHeader(delivery, name);
  switch (header.kind) {
    case 'value':
      return { ok: true, deliveryId: boundedId(header.value) };
    case 'missing':
      return { ok: true, deliveryId: null };
    case 'doubled':
      return refuse(`the header ${name} is given more than once`);
  }
}

/** The id in the configured header, or in the first of the usual ones that is there. */
export function usualDeliveryId(delivery: Delivery, configured: string | undefined): Verified {
  if (configured !== undefined) return headerDeliveryId(delivery, configured.toLowerCase());
  for (const name of DELIVERY_ID_HEADERS) {
    const found = headerDeliveryId(delivery, name);
    if (!found.ok || found.deliveryId !== null) return found;
  }
  return { ok: true, deliveryId: null };
}

/** A member of a body that is JSON, as an id; null where the body is something else. Never throws. */
export function bodyDeliveryId(rawBody: Buffer, member: string): string | null {
  let body: unknown;
  try {
    body = JSON.parse(rawBody.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, member)) return null;
  const id = (body as Record<string, unknown>)[member];
  return typeof id === 'string' && id !== '' ? boundedId(id) : null;
}
