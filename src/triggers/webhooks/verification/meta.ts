// Meta (Facebook, Instagram, WhatsApp): `X-Hub-Signature-256: sha256=<hex of HMAC-SHA256(body)>` by the app secret, as GitHub's, but
// without a name for the delivery (developers.facebook.com, "Webhooks: Getting Started").
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { hashedId } from './delivery-id.ts';
import { hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** The delivery's id is the hash of its body, which has the ids and times of its changes: a repetition is the same. */
export function verifyMeta(delivery: Delivery, rule: VerificationRule): Verified {
  const signature = requireHeader(delivery, 'x-hub-signature-256');
  if (!signature.ok) return signature;
  const isSigned = matchesAny(
    [signature.value],
    rule.secrets,
    (secret) => `sha256=${hmacText('sha256', 'hex', secret, delivery.rawBody)}`,
  );
  if (!isSigned) return refuse('the signature does not match');
  return { ok: true, deliveryId: hashedId(delivery.rawBody.toString('base64')) };
}
