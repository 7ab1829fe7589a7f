// Digests and their comparison: the parts that all signature schemes share.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { refuse } from './delivery.ts';

/** How far a sender's clock, or a delivery's way, may be off in either direction. */
export const TOLERANCE_MS = 300_000;

/** The HMAC of the parts one after the other, as text. Hex is lower-case, base64 padded. */
export function hmacText(
  algorithm: string,
  encoding: 'hex' | 'base64',
  key: string | Buffer,
  ...parts: readonly (string | Buffer)[]
): string {
  const hmac = createHmac(algorithm, key);
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
}

/**
 * Whether two digests are the same text, in constant time. Comparing text and not what it decodes to leaves each digest
 * one spelling: decoders take stray characters, unused bits and both cases.
 */
export function isSameDigest(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether two secrets are the same, in constant time, whatever their lengths. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Unix seconds as text, strictly digits and near `nowMs`: null, or why it is refused. */
export function checkTimestamp(
  timestamp: string,
  nowMs: number,
): null | { readonly ok: false; readonly reason: string } {
  if (!/^\d{1,12}$/.test(timestamp)) return refuse('the timestamp is not in unix seconds');
  const ageMs = nowMs - Number(timestamp) * 1000;
  if (Math.abs(ageMs) <= TOLERANCE_MS) return null;
  const seconds = Math.abs(Math.round(ageMs / 1000));
  return refuse(`the timestamp is ${seconds} s ${ageMs > 0 ? 'old' : 'in the future'}`);
}

/** Whether one of the signatures is that of one of the keys. Empty keys sign nothing: Node would take them. */
export function matchesAny<Key extends string | Buffer>(
  signatures: readonly string[],
  keys: readonly Key[],
  sign: (key: Key) => string,
): boolean {
  let isMatch = false;
  for (const key of keys) {
    if (key.length === 0) continue;
    const expected = sign(key);
    for (const signature of signatures) if (isSameDigest(signature, expected)) isMatch = true;
  }
  return isMatch;
}
