// Digests and their comparison: the parts that all signature schemes share.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { TIMESTAMP_FORMATS } from '../../../core/trigger/webhook.ts';
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

const TIMESTAMPS: Readonly<
  Record<
    (typeof TIMESTAMP_FORMATS)[number],
    { readonly form: RegExp; readonly name: string; readonly ms: (text: string) => number }
  >
> = {
  unix: { form: /^\d{1,12}$/, name: 'in unix seconds', ms: (text) => Number(text) * 1000 },
  unix_ms: { form: /^\d{1,15}$/, name: 'in unix milliseconds', ms: Number },
  iso: {
    form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
    name: 'ISO 8601 with its offset',
    ms: Date.parse,
  },
};

/** A time as text, strictly of its format and near `nowMs`: null, or why it is refused. */
export function checkTimestamp(
  timestamp: string,
  nowMs: number,
  format: (typeof TIMESTAMP_FORMATS)[number] = 'unix',
): null | { readonly ok: false; readonly reason: string } {
  const { form, name, ms } = TIMESTAMPS[format];
  if (!form.test(timestamp)) return refuse(`the timestamp is not ${name}`);
  const ageMs = nowMs - ms(timestamp);
  if (Number.isNaN(ageMs)) return refuse(`the timestamp is not ${name}`);
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
