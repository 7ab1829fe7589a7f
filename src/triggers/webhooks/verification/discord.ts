// Discord: `X-Signature-Ed25519: <hex>` over timestamp and body, by the application's own key; the secret here is its public key
// (docs.discord.com, "Interactions: Security and Authorization", and "Webhook Events").
import { isJsonObject, type Json } from '../../../core/json.ts';
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { bodyDeliveryId, hashedId } from './delivery-id.ts';
import { isSignedByAny, readPublicKey } from './ed25519.ts';
import { checkTimestamp } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** The delivery's id is the interaction's; an event has none: the hash of time and body. */
export function verifyDiscord(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const timestamp = requireHeader(delivery, 'x-signature-timestamp');
  if (!timestamp.ok) return timestamp;
  const signature = requireHeader(delivery, 'x-signature-ed25519');
  if (!signature.ok) return signature;
  const stale = checkTimestamp(timestamp.value, nowMs);
  if (stale !== null) return stale;
  const keys = rule.secrets.flatMap((secret) => readPublicKey(secret) ?? []);
  if (!isSignedByAny([signature.value], keys, [timestamp.value, delivery.rawBody], 'hex'))
    return refuse('the signature does not match');
  const id =
    bodyDeliveryId(delivery.rawBody, 'id') ?? hashedId(timestamp.value, delivery.rawBody.toString('base64'));
  return { ok: true, deliveryId: id };
}

/** What Discord asks to see whether the endpoint is there: `interaction` wants `{ type: 1 }` back, `event` an empty answer. */
export function discordPing(body: Json): 'interaction' | 'event' | null {
  if (!isJsonObject(body)) return null;
  if (body.type === 0) return 'event';
  return body.type === 1 && body.event === undefined ? 'interaction' : null;
}
