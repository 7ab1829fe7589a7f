// Standard Webhooks 1.0 (spec/standard-webhooks.md): `v1,<base64 of HMAC-SHA256(id.timestamp.body)>`, several by spaces.
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { boundedId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

export const STANDARD_SECRET_PREFIX = 'whsec_';
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** The key of a secret: padded base64 of 24 to 64 bytes, `whsec_` before it or not; null for anything else. */
export function decodeStandardSecret(secret: string): Buffer | null {
  const text = secret.startsWith(STANDARD_SECRET_PREFIX)
    ? secret.slice(STANDARD_SECRET_PREFIX.length)
    : secret;
  const key = Buffer.from(text, 'base64');
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) return null;
  return key.toString('base64') === text ? key : null;
}

/** Signatures of other versions (`v1a`) are passed over: they are keys that this webhook does not have. */
export function verifyStandardWebhooks(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const id = requireHeader(delivery, 'webhook-id');
  if (!id.ok) return id;
  const timestamp = requireHeader(delivery, 'webhook-timestamp');
  if (!timestamp.ok) return timestamp;
  const signature = requireHeader(delivery, 'webhook-signature');
  if (!signature.ok) return signature;
  // With a "." in the id, one signature would fit several ways to cut id, timestamp and body.
  if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(id.value))
    return refuse('webhook-id is not visible ASCII characters without "."');
  const stale = checkTimestamp(timestamp.value, nowMs);
  if (stale !== null) return stale;
  const keys = rule.secrets.map(decodeStandardSecret).filter((key) => key !== null);
  if (keys.length === 0) return refuse('the webhook has no secret that can be used');
  const signatures = signature.value
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => part.slice(3));
  const content = `${id.value}.${timestamp.value}.`;
  const isSigned = matchesAny(signatures, keys, (key) =>
    hmacText('sha256', 'base64', key, content, delivery.rawBody),
  );
  return isSigned ? { ok: true, deliveryId: boundedId(id.value) } : refuse('no signature matches');
}
