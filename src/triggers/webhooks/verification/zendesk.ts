// Zendesk: `X-Zendesk-Webhook-Signature: <base64 of HMAC-SHA256(timestamp + body)>`, the timestamp in ISO 8601 in a header of its own
// (developer.zendesk.com, "Verifying webhook authenticity").
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { hashedId, headerDeliveryId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/**
 * The delivery's id is that of the invocation, which is the same when it is tried again, and not signed: so the hash of time and body
 * is one as well.
 */
export function verifyZendesk(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const timestamp = requireHeader(delivery, 'x-zendesk-webhook-signature-timestamp');
  if (!timestamp.ok) return timestamp;
  const signature = requireHeader(delivery, 'x-zendesk-webhook-signature');
  if (!signature.ok) return signature;
  const stale = checkTimestamp(timestamp.value, nowMs, 'iso');
  if (stale !== null) return stale;
  const isSigned = matchesAny([signature.value], rule.secrets, (secret) =>
    hmacText('sha256', 'base64', secret, timestamp.value, delivery.rawBody),
  );
  if (!isSigned) return refuse('the signature does not match');
  const named = headerDeliveryId(delivery, 'x-zendesk-webhook-invocation-id');
  if (!named.ok) return named;
  const signedId = hashedId(timestamp.value, delivery.rawBody.toString('base64'));
  return { ok: true, deliveryId: named.deliveryId ?? signedId, signedId };
}
