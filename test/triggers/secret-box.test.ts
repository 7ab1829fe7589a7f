// Secrets at rest: what is sealed opens only under its keys and in its place.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readEncryptionKeys } from '../../src/triggers/secrets/encryption-key.ts';
import { createSecretBox, SecretBoxError } from '../../src/triggers/secrets/secret-box.ts';

const key = randomBytes(32);
const box = createSecretBox(key);
const PLACE = ['webhook', 'tenant-1', 'webhook-1'];

describe('a sealed secret', () => {
  it.each(['', 'a', 'pässwörd 🔑', 'x'.repeat(10_000), 'plain:text', 'v1.a.b'])(
    'opens to what it was: %.20s',
    (text) => {
      const sealed = box.seal(text, PLACE);
      expect(sealed).toMatch(/^v1\.[0-9a-f]{12}\.[\w-]+$/);
      expect(box.open(sealed, PLACE)).toBe(text);
    },
  );

  it('is another text each time: no nonce comes twice', () => {
    const nonces = Array.from({ length: 20_000 }, () => box.seal('s', PLACE).split('.')[2]!.slice(0, 16));
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  it.each([
    [['webhook', 'tenant-2', 'webhook-1']],
    [['webhook', 'tenant-1', 'webhook-2']],
    [['webhook', 'tenant-1']],
    [['webhook', 'tenant-1webhook-1']],
    [['webhook', 'tenant-1', 'webhook-1', '']],
  ])('does not open for the place %j', (place) => {
    expect(() => box.open(box.seal('secret', PLACE), place)).toThrow(SecretBoxError);
  });

  it('does not open with any bit changed, or any end cut off', () => {
    const [version, id, text] = box.seal('secret', PLACE).split('.') as [string, string, string];
    const bytes = Buffer.from(text, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => box.open(`${version}.${id}.${changed.toString('base64url')}`, PLACE)).toThrow(
        SecretBoxError,
      );
    }
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length).toString('base64url');
      expect(() => box.open(`${version}.${id}.${cut}`, PLACE)).toThrow(SecretBoxError);
    }
  });

  it.each(['', 'v2.x.y', 'v1', 'v1.x', 'v1.a.b.c', 'sealed'])('of the form %j is refused by name', (text) => {
    expect(() => box.open(text, PLACE)).toThrow(SecretBoxError);
  });
});

describe('keys', () => {
  it('the first of several seals, all open; one that is missing is named by its id', () => {
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const before = createSecretBox(older).seal('secret', PLACE);
    const both = createSecretBox([newer, older]);
    expect(both.open(before, PLACE)).toBe('secret');
    const after = both.seal('secret', PLACE);
    expect(createSecretBox(newer).open(after, PLACE)).toBe('secret');
    expect(() => createSecretBox(newer).open(before, PLACE)).toThrow(before.split('.')[1]);
  });

  it('none: stored as it is, marked, and readable once there is a key', () => {
    const none = createSecretBox(null);
    expect([none.keyIds.length, box.keyIds.length]).toEqual([0, 1]);
    const stored = none.seal('secret', PLACE);
    expect(stored).toBe('plain:secret');
    expect(none.open(stored, PLACE)).toBe('secret');
    expect(box.open(stored, PLACE)).toBe('secret');
    expect(() => none.open(box.seal('secret', PLACE), PLACE)).toThrow(SecretBoxError);
  });
});

describe('DAGWRIGHT_ENCRYPTION_KEY', () => {
  const read = (text: string) => readEncryptionKeys(text, 'DAGWRIGHT_ENCRYPTION_KEY');

  it('is 32 bytes as base64, base64url or hex; several with commas', () => {
    for (const text of [
      key.toString('base64'),
      key.toString('base64url'),
      key.toString('hex'),
      ` ${key.toString('hex')} `,
    ])
      expect(read(text)).toEqual({ ok: true, value: [key] });
    const other = randomBytes(32);
    expect(read(`${key.toString('hex')},${other.toString('base64')}`)).toEqual({
      ok: true,
      value: [key, other],
    });
  });

  it.each([
    ['nothing', ' , '],
    ['too short', randomBytes(16).toString('hex')],
    ['too long', randomBytes(33).toString('base64')],
    ['a passphrase', 'correct horse battery staple'],
    ['zeros', '0'.repeat(64)],
    ['counting bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')],
    ['a pattern', '0123456789abcdef'.repeat(4)],
    ['text in base64', Buffer.from('this is my very secret key 12345').toString('base64')],
  ])('is refused with how to make one, and without its text: %s', (_what, text) => {
    const answer = read(text);
    expect(answer.ok).toBe(false);
    if (answer.ok) return;
    expect(answer.problems[0]!.hint).toBe('make one: openssl rand -base64 32');
    if (text.trim() !== ',') expect(JSON.stringify(answer.problems)).not.toContain(text);
  });
});
