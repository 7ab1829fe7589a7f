// Standard Webhooks 1.0 (spec/standard-webhooks.md): `v1,<base64 of HMAC-SHA256(id.timestamp.body)>`, several by spaces;
// the headers are webhook-id, -timestamp and -signature, or the same of svix.
import { type Delivery, readHeader, refuse, requireHeader, type Verified } from './delivery.ts';
import { boundedId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

export const STANDARD_SECRET_PREFIX = 'whsec_';
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** The key of a secret: base64 of 24 to 64 bytes, padded or not, `whsec_` before it or not; null for anything else. */
export function decodeStandardSecret(secret: string): Buffer | null {
  const text = secret.startsWith(STANDARD_SECRET_PREFIX)
    ? secret.slice(STANDARD_SECRET_PREFIX.length)
    : secret;
  const key = Buffer.from(text, 'base64');
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) return null;
  const padded = key.toString('base64');
  return text === padded || text === padded.replace(/=+$/, '') ? key : null;
}

/** Signatures of other versions (`v1a`) are passed over: they are keys that this webhook does not have. */
export function verifyStandardWebhooks(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const family = familyOf(delivery);
  const id = requireHeader(delivery, `${family}-id`);
  if (!id.ok) return id;
  const timestamp = requireHeader(delivery, `${family}-timestamp`);
  if (!timestamp.ok) return timestamp;
  const signature = requireHeader(delivery, `${family}-signature`);
  if (!signature.ok) return signature;
  // With a "." in the id, one signature would fit several ways to cut id, timestamp and body.
  if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(id.value))
    return refuse(`${family}-id is not visible ASCII characters without "."`);
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

/** Svix, from which the standard comes, has headers of its own name; all three are of one family. */
function familyOf(delivery: Delivery): 'webhook' | 'svix' {
  const isSvix =
    readHeader(delivery, 'webhook-signature').kind === 'missing' &&
    readHeader(delivery, 'svix-signature').kind !== 'missing';
  return isSvix ? 'svix' : 'webhook';
}
