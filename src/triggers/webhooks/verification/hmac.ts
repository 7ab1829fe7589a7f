// A plain HMAC in a header, as most senders without a scheme of their own do it: `x-signature-256: sha256=<hex>`.
import { HMAC_ALGORITHMS, HMAC_ENCODINGS } from '../../../core/trigger/webhook.ts';
import { type Delivery, readHeader, refuse, requireHeader, type Verified } from './delivery.ts';
import { hashedId, usualDeliveryId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** Where the signature usually is. All are checked alike, so that the choice opens nothing; the first that is there counts. */
export const SIGNATURE_HEADERS: readonly string[] = [
  'x-signature-256',
  'x-signature',
  'x-webhook-signature',
  'x-hub-signature-256',
  'x-hub-signature',
];

/**
 * The header may hold several signatures with commas between them. A signed time makes the delivery's name where the sender gives none:
 * what is sent again within the minutes that it is fresh is a repetition. Without one, equal bodies are different events.
 */
export function verifyHmac(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const { algorithm = 'sha256', encoding = 'hex', timestampHeader, deliveryIdHeader } = rule.options;
  if (!HMAC_ALGORITHMS.includes(algorithm) || !HMAC_ENCODINGS.includes(encoding))
    return refuse('the webhook has an unknown algorithm or encoding');
  const header = requireHeader(delivery, signatureHeader(delivery, rule));
  if (!header.ok) return header;
  let content = '';
  if (timestampHeader !== undefined) {
    const timestamp = requireHeader(delivery, timestampHeader.toLowerCase());
    if (!timestamp.ok) return timestamp;
    const stale = checkTimestamp(timestamp.value, nowMs);
    if (stale !== null) return stale;
    content = `${timestamp.value}.`;
  }
  const prefix = rule.options.prefix ?? `${algorithm}=`;
  const isPrefixOptional = rule.options.prefix === undefined;
  const digests = header.value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => isPrefixOptional || part.startsWith(prefix))
    .map((part) => (part.startsWith(prefix) ? part.slice(prefix.length) : part))
    .map((digest) => (encoding === 'hex' ? oneCase(digest) : digest));
  const isSigned = matchesAny(digests, rule.secrets, (secret) =>
    hmacText(algorithm, encoding, secret, content, delivery.rawBody),
  );
  if (!isSigned) return refuse('no signature matches');
  const named = usualDeliveryId(delivery, deliveryIdHeader);
  if (!named.ok || named.deliveryId !== null || content === '') return named;
  return { ok: true, deliveryId: hashedId(content, delivery.rawBody.toString('base64')) };
}

function signatureHeader(delivery: Delivery, rule: VerificationRule): string {
  const { signatureHeader: configured } = rule.options;
  if (configured !== undefined) return configured.toLowerCase();
  const found = SIGNATURE_HEADERS.find((name) => readHeader(delivery, name).kind !== 'missing');
  return found ?? SIGNATURE_HEADERS[0]!;
}

/** Some senders write upper-case digits throughout; mixed ones are nobody's. */
function oneCase(hex: string): string {
  return /^[0-9A-F]+$/.test(hex) ? hex.toLowerCase() : hex;
}
