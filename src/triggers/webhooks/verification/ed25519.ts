// Ed25519: senders sign with a key of their own, and the secret here is the public half, which proves and makes nothing.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** DER before the 32 bytes of a public key (RFC 8410). */
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Each is tried upon the whole body: a header of hundreds would cost seconds. */
const MAX_SIGNATURES = 4;

/** Of 32 bytes in hex or base64; null for anything else. */
export function readPublicKey(text: string, encoding: 'hex' | 'base64' = 'hex'): KeyObject | null {
  const bytes = Buffer.from(text, encoding);
  if (bytes.length !== KEY_BYTES || bytes.toString(encoding).toLowerCase() !== text.toLowerCase())
    return null;
  try {
    return createPublicKey({ key: Buffer.concat([PREFIX, bytes]), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

/** Whether one of the signatures is that of one of the keys. */
export function isSignedByAny(
  signatures: readonly string[],
  keys: readonly KeyObject[],
  content: readonly (string | Buffer)[],
  encoding: 'hex' | 'base64',
): boolean {
  if (signatures.length > MAX_SIGNATURES) return false;
  const message = Buffer.concat(content.map((part) => Buffer.from(part as string)));
  let isMatch = false;
  for (const key of keys)
    for (const text of signatures) {
      const signature = Buffer.from(text, encoding);
      // One spelling each: decoders pass over what they do not know.
      const isWhole = signature.length === SIGNATURE_BYTES && signature.toString(encoding) === text;
      if (isWhole && verify(null, message, key, signature)) isMatch = true;
    }
  return isMatch;
}
