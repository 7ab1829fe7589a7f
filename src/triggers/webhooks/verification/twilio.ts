// Twilio: `X-Twilio-Signature: <base64 of HMAC-SHA1>` by the auth token, over the address that was called, followed by each field of a
// form, name and value, in the order of the names. Of any other body the address has the SHA-256, as `bodySHA256`
// (twilio.com/docs/usage/webhooks/webhooks-security).
import { createHash } from 'node:crypto';
import { type Delivery, readHeader, refuse, requireHeader, type Verified } from './delivery.ts';
import { signedDeliveryId } from './delivery-id.ts';
import { hmacText, isSameDigest, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** The delivery's id is the hash of what was signed, which has the id of the message or call; its idempotency token is not signed. */
export function verifyTwilio(delivery: Delivery, rule: VerificationRule): Verified {
  const signature = requireHeader(delivery, 'x-twilio-signature');
  if (!signature.ok) return signature;
  const { url = '' } = rule;
  const fields = signedFields(delivery);
  if (fields === null) return refuse('the body is not the one whose hash was signed');
  // Twilio writes a default port, or does not.
  const isSigned = [url, withOtherPort(url)].some((address) =>
    matchesAny([signature.value], rule.secrets, (secret) =>
      hmacText('sha1', 'base64', secret, address, fields),
    ),
  );
  if (!isSigned) return refuse('the signature does not match');
  return signedDeliveryId(delivery, rule.options.deliveryIdHeader, [url, fields]);
}

/** What of the body is signed; null: another one. */
function signedFields(delivery: Delivery): string | null {
  const { rawBody, query } = delivery;
  const hash = query.bodySHA256;
  if (hash !== undefined) {
    const given = typeof hash === 'string' ? hash : '';
    return isSameDigest(given, createHash('sha256').update(rawBody).digest('hex')) ? '' : null;
  }
  if (rawBody.length === 0) return '';
  const type = readHeader(delivery, 'content-type');
  if (type.kind !== 'value' || !/^application\/x-www-form-urlencoded\b/i.test(type.value)) return null;
  const form = new URLSearchParams(rawBody.toString());
  return [...new Set(form.keys())]
    .sort()
    .map((name) =>
      [...new Set(form.getAll(name))]
        .sort()
        .map((value) => name + value)
        .join(''),
    )
    .join('');
}

function withOtherPort(text: string): string {
  const url = URL.parse(text);
  if (url === null) return text;
  const { protocol, hostname } = url;
  const port = protocol === 'https:' ? '443' : '80';
  const begin = `${protocol}//${url.host}`;
  if (!text.startsWith(begin))
    return text.replace(`${protocol}//${hostname}:${port}`, `${protocol}//${hostname}`);
  if (url.port !== '') return `${protocol}//${hostname}${text.slice(begin.length)}`;
  const rest = text.slice(begin.length);
  return rest.startsWith(`:${port}`) ? begin + rest.slice(port.length + 1) : `${begin}:${port}${rest}`;
}
