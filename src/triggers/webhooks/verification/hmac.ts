// A signature in a header, as most senders without a scheme of their own do it: `x-signature-256: sha256=<hex>`. What is signed,
// with which key and which algorithm are options.
import { HMAC_ALGORITHMS, HMAC_ENCODINGS } from '../../../core/trigger/webhook.ts';
import { type Delivery, readHeader, refuse, requireHeader, type Verified } from './delivery.ts';
import { hashedId, usualDeliveryId } from './delivery-id.ts';
import { isSignedByAny, readPublicKey } from './ed25519.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import { fillTemplate, partsOf, readTemplate } from './signed-content.ts';
import type { VerificationOptions, VerificationRule } from './verification-rule.ts';

/** Where the signature usually is. All are checked alike, so that the choice opens nothing; the first that is there counts. */
export const SIGNATURE_HEADERS: readonly string[] = [
  'x-signature-256',
  'x-signature',
  'x-webhook-signature',
  'x-hub-signature-256',
  'x-hub-signature',
];

/**
 * The header may hold several signatures with commas between them. With a signed time, what was signed is an id of the delivery besides
 * one that is not signed, or that the sender does not give: what is sent again within the minutes that it is fresh is a repetition.
 * Without a time, equal bodies are different events.
 */
export function verifyHmac(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const { algorithm = 'sha256', encoding = 'hex', timestampHeader, deliveryIdHeader } = rule.options;
  if (!HMAC_ALGORITHMS.includes(algorithm) || !HMAC_ENCODINGS.includes(encoding))
    return refuse('the webhook has an unknown algorithm or encoding');
  const header = requireHeader(delivery, signatureHeader(delivery, rule));
  if (!header.ok) return header;
  const time = readTime(delivery, rule, nowMs);
  if (!time.ok) return time;
  const content = readContent(delivery, rule, time.value);
  if (!content.ok) return content;
  const digests = digestsIn(header.value, rule);
  if (!isSigned(digests, rule, content.parts)) return refuse('no signature matches');
  const named = usualDeliveryId(delivery, deliveryIdHeader);
  if (!named.ok || timestampHeader === undefined || content.isIdSigned) return named;
  const signedId = hashedId(`${time.value}.`, delivery.rawBody.toString('base64'));
  return { ok: true, deliveryId: named.deliveryId ?? signedId, signedId };
}

function readTime(delivery: Delivery, { options }: VerificationRule, nowMs: number) {
  const { timestampHeader, timestampFormat } = options;
  if (timestampHeader === undefined) return { ok: true, value: '' } as const;
  const timestamp = requireHeader(delivery, timestampHeader.toLowerCase());
  if (!timestamp.ok) return timestamp;
  return checkTimestamp(timestamp.value, nowMs, timestampFormat) ?? timestamp;
}

function readContent(
  delivery: Delivery,
  { options, url }: VerificationRule,
  timestamp: string,
):
  | {
      readonly ok: true;
      readonly parts: readonly (string | Buffer)[];
      readonly isIdSigned: boolean;
    }
  | { readonly ok: false; readonly reason: string } {
  const template = readTemplate(options.template ?? defaultTemplate(options));
  if (template === null) return refuse('the webhook has a template that cannot be read');
  let id = '';
  const isIdSigned = partsOf(template).has('id');
  if (isIdSigned) {
    const header = requireHeader(delivery, options.deliveryIdHeader?.toLowerCase() ?? '');
    if (!header.ok) return header;
    id = header.value;
  }
  const { method, rawBody } = delivery;
  return {
    ok: true,
    isIdSigned,
    parts: fillTemplate(template, { id, timestamp, body: rawBody, url: url ?? '', method }),
  };
}

export function defaultTemplate({ timestampHeader }: VerificationOptions): string {
  return timestampHeader === undefined ? '{body}' : '{timestamp}.{body}';
}

function digestsIn(header: string, { options }: VerificationRule): string[] {
  const { algorithm = 'sha256', encoding = 'hex' } = options;
  const prefix = options.prefix ?? `${algorithm}=`;
  const isPrefixOptional = options.prefix === undefined;
  return header
    .split(',')
    .map((part) => part.trim())
    .filter((part) => isPrefixOptional || part.startsWith(prefix))
    .map((part) => (part.startsWith(prefix) ? part.slice(prefix.length) : part))
    .map((digest) => (encoding === 'hex' ? oneCase(digest) : digest));
}

function isSigned(
  digests: readonly string[],
  { options, secrets }: VerificationRule,
  content: readonly (string | Buffer)[],
): boolean {
  const { algorithm = 'sha256', encoding = 'hex', keyEncoding } = options;
  if (algorithm === 'ed25519') {
    const keys = secrets.flatMap(
      (secret) => readPublicKey(secret, keyEncoding === 'base64' ? 'base64' : 'hex') ?? [],
    );
    return isSignedByAny(digests, keys, content, encoding);
  }
  const keys = secrets.flatMap((secret) => decodeKey(secret, keyEncoding) ?? []);
  return matchesAny(digests, keys, (key) => hmacText(algorithm, encoding, key, ...content));
}

/** The key that a secret stands for; null where it is not what its encoding says. */
export function decodeKey(
  secret: string,
  encoding: VerificationOptions['keyEncoding'] = 'text',
): Buffer | null {
  if (encoding === 'text') return Buffer.from(secret);
  const key = Buffer.from(secret, encoding);
  const text = key.toString(encoding);
  const isWhole =
    encoding === 'hex'
      ? text === secret.toLowerCase()
      : text.replace(/=+$/, '') === secret.replace(/=+$/, '');
  return key.length > 0 && isWhole ? key : null;
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
