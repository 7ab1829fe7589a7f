// Every form in which a secret may come back is hidden; texts without it stay as they are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { createRedact, REDACTED, redactJson, redactNothing } from '../../src/core/redact.ts';

const SECRET = 'sk-"q\\u0/+é =&%7f\n{canary}';
const redact = createRedact([SECRET]);

const FORMS: readonly (readonly [string, (text: string) => string])[] = [
  ['plain', (text) => text],
  ['JSON-escaped', (text) => JSON.stringify(text)],
  ['JSON within JSON', (text) => JSON.stringify(JSON.stringify({ text }))],
  ['URL-encoded', encodeURIComponent],
  [
    'URL-encoded in lower case',
    (text) => encodeURIComponent(text).replaceAll(/%../g, (e) => e.toLowerCase()),
  ],
  ['form-encoded', (text) => new URLSearchParams({ text }).toString()],
  ['base64', (text) => Buffer.from(text).toString('base64')],
  ['base64 after one byte', (text) => Buffer.from(`a${text}z`).toString('base64')],
  ['base64 of Basic credentials', (text) => Buffer.from(`me:${text}!`).toString('base64')],
  ['base64url', (text) => Buffer.from(text).toString('base64url')],
  ['hex', (text) => Buffer.from(text).toString('hex')],
];

describe('redact', () => {
  it.each(FORMS)('hides a secret that is %s', (_, encode) => {
    const text = `before ${encode(SECRET)} after`;
    const clean = redact(text);
    expect(clean).toContain(REDACTED);
    expect(clean).toContain('before ');
    expect(clean).toContain(' after');
    // At most the few characters of base64 that neighbours share with it are left.
    expect(clean.length - REDACTED.length - 'before  after'.length).toBeLessThan(24);
  });

  it('hides any secret in any base64 surroundings', () => {
    const ascii = fc.string({ minLength: 12, maxLength: 40, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(ascii, fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (secret, a, b) => {
        const text = Buffer.concat([a, Buffer.from(secret), b]).toString('base64');
        expect(createRedact([secret])(text)).toContain(REDACTED);
      }),
    );
  });

  it('leaves texts without the secret alone, and knows no secrets shorter than 8 characters', () => {
    expect(redact('nothing of it here')).toBe('nothing of it here');
    expect(createRedact(['short', ''])).toBe(redactNothing);
  });

  it('keeps JSON well-formed, also where the secret looks like a number', () => {
    const digits = createRedact(['1234567890']);
    expect(redactJson({ a: [12345678901, 'x1234567890y', 7], '1234567890': null }, digits)).toEqual({
      a: [`${REDACTED}1`, `x${REDACTED}y`, 7],
      [REDACTED]: null,
    });
  });

  it('copies nothing of a value in which nothing was hidden, and of another what stands above the secret', () => {
    const value = { a: [1, { b: 'x' }], c: { d: null, '1': true }, e: 'y' };
    expect(redactJson(value, redact)).toBe(value);
    const found = { ...value, e: [SECRET, 'z'], f: 2 };
    const clean = redactJson(found, redact) as typeof found;
    expect(clean).toEqual({ ...value, e: [REDACTED, 'z'], f: 2 });
    expect([clean.a === value.a, clean.c === value.c]).toEqual([true, true]);
    expect(Object.keys(clean)).toEqual(Object.keys(found));
  });

  it('hides in members in front of which nothing was hidden, also in one named __proto__', () => {
    const value = JSON.parse(`{"a":1,"__proto__":${JSON.stringify([SECRET])}}`) as Json;
    expect(JSON.stringify(redactJson(value, redact))).toBe(`{"a":1,"__proto__":["${REDACTED}"]}`);
  });
});
