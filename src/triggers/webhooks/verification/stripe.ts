// Stripe: `Stripe-Signature: t=<unix s>,v1=<hex of HMAC-SHA256(t.body)>`, v1 several times during a rotation. The secret is
// the whole text, `whsec_` included. Its library checks the time only if told to; here it always is.
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { bodyDeliveryId, hashedId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** The delivery's id is that of the event, which Stripe repeats with each retry; without one, the signature's hash. */
export function verifyStripe(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const header = requireHeader(delivery, 'stripe-signature');
  if (!header.ok) return header;
  const parts = header.value.split(',');
  const valuesOf = (name: string): string[] =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const [timestamp, ...others] = valuesOf('t');
  if (timestamp === undefined || others.length > 0) return refuse('stripe-signature must have one t=');
  const stale = checkTimestamp(timestamp, nowMs);
  if (stale !== null) return stale;
  const isSigned = matchesAny(valuesOf('v1'), rule.secrets, (secret) =>
    hmacText('sha256', 'hex', secret, `${timestamp}.`, delivery.rawBody),
  );
  if (!isSigned) return refuse('no signature matches');
  const id = bodyDeliveryId(delivery.rawBody, 'id') ?? replayId(timestamp, delivery.rawBody);
  return { ok: true, deliveryId: id };
}

// Not of the signature itself: of several, a repetition could leave some out.
function replayId(timestamp: string, rawBody: Buffer): string {
  return hashedId(timestamp, rawBody.toString('base64'));
}
