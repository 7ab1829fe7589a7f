// The presets of senders, and signatures by template: by vectors of the senders' own libraries and documents where there are some.
import { createHmac, generateKeyPairSync, sign, sign as signWith } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import {
  optionConflicts,
  readVerificationOptions,
} from '../../../src/resources/webhooks/verification-options.ts';
import { discordPing } from '../../../src/triggers/webhooks/verification/discord.ts';
import { isSignedByAny } from '../../../src/triggers/webhooks/verification/ed25519.ts';
import { decodeStandardSecret } from '../../../src/triggers/webhooks/verification/standard-webhooks.ts';
import type { VerificationOptions } from '../../../src/triggers/webhooks/verification/verification-rule.ts';
import { verifyDelivery } from '../../../src/triggers/webhooks/verification/verify.ts';
import { zoomChallenge } from '../../../src/triggers/webhooks/verification/zoom.ts';
import { delivery, NOW_MS, rule, SECONDS, SECRETS, signed, withHeader } from './signing.ts';

const ok = (
  sent: Parameters<typeof verifyDelivery>[0],
  asked: Parameters<typeof verifyDelivery>[1],
  nowMs = NOW_MS,
) => verifyDelivery(sent, asked, nowMs);

describe('twilio, by the vectors of twilio-node', () => {
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
  const asked = { ...rule({ verifier: 'twilio', secrets: ['12345'] }), url };
  const form =
    'CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212';
  const sent = delivery(
    {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    },
    form,
  );

  it('a form, its fields in whatever order, with the default port or without it', () => {
    expect(ok(sent, asked).ok).toBe(true);
    expect(ok({ ...sent, rawBody: Buffer.from(form.split('&').reverse().join('&')) }, asked).ok).toBe(true);
    expect(ok(sent, { ...asked, url: url.replace('.com', '.com:443') }).ok).toBe(true);
    expect(ok(sent, { ...asked, url: url.replace('.com', '.org') }).ok).toBe(false);
    expect(ok(sent, { ...asked, url: `${url}&baz=3` }).ok).toBe(false);
    expect(ok({ ...sent, rawBody: Buffer.from(`${form}&More=1`) }, asked).ok).toBe(false);
  });

  it('a body whose hash is in the address', () => {
    const hash = '0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620';
    const json = {
      ...delivery(
        { 'content-type': 'application/json', 'x-twilio-signature': 'a9nBmqA0ju/hNViExpshrM61xv4=' },
        '{"property": "value", "boolean": true}',
      ),
      query: { foo: '1', bar: '2', bodySHA256: hash },
    };
    const at = { ...asked, url: `${url}&bodySHA256=${hash}` };
    expect(ok(json, at).ok).toBe(true);
    expect(ok({ ...json, rawBody: Buffer.from('{}') }, at).ok).toBe(false);
    // Without the hash nothing of this body is signed.
    expect(ok({ ...json, query: {} }, asked).ok).toBe(false);
  });

  it('is known again by what was signed; its idempotency token counts where the owner names it', () => {
    const again = withHeader(sent, 'i-twilio-idempotency-token', 'token-1');
    expect(ok(sent, asked)).toEqual({ ok: true, deliveryId: expect.stringMatching(/^sha256:/) });
    expect(ok(again, asked)).toEqual(ok(sent, asked));
    const trusting = { ...asked, options: { deliveryIdHeader: 'I-Twilio-Idempotency-Token' } };
    expect(ok(again, trusting)).toEqual({ ok: true, deliveryId: 'token-1' });
  });
});

describe('discord', () => {
  const asked = rule({ verifier: 'discord' });
  const body = '{"type":2,"id":"1088199327155605594"}';
  const sent = signed('discord', body);

  it('takes what the application has signed, and names it by the interaction', () => {
    expect(ok(sent, asked)).toEqual({ ok: true, deliveryId: '1088199327155605594' });
    expect(ok(sent, rule({ verifier: 'discord', secrets: [SECRETS.discord.toUpperCase()] })).ok).toBe(true);
  });

  it('refuses another body, time or key, a signature in another spelling, and a time that is not near', () => {
    const signature = sent.headers['x-signature-ed25519'] as string;
    const { publicKey } = generateKeyPairSync('ed25519');
    const other = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
    for (const [changed, by] of [
      [{ ...sent, rawBody: Buffer.from(`${body} `) }, asked],
      [withHeader(sent, 'x-signature-timestamp', String(Number(SECONDS) + 1)), asked],
      [withHeader(sent, 'x-signature-ed25519', signature.toUpperCase()), asked],
      [withHeader(sent, 'x-signature-ed25519', `${signature}00`), asked],
      [withHeader(sent, 'x-signature-ed25519', signature.slice(2)), asked],
      [sent, rule({ verifier: 'discord', secrets: [other] })],
      [sent, rule({ verifier: 'discord', secrets: ['', 'zz', 'ab'] })],
    ] as const)
      expect(ok(changed, by).ok).toBe(false);
    expect(ok(sent, asked, NOW_MS + 301_000).ok).toBe(false);
  });

  it('tries no more signatures than a sender has keys: each costs a look at the whole body', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const signature = sign(null, Buffer.from('x'), privateKey).toString('hex');
    const by = (count: number) =>
      isSignedByAny(Array<string>(count).fill(signature), [publicKey], ['x'], 'hex');
    expect([by(1), by(4), by(5), by(180)]).toEqual([true, true, false, false]);
  });

  it('tells its two pings from events', () => {
    expect(discordPing({ type: 1, id: '1', token: 't' })).toBe('interaction');
    expect(discordPing({ version: 1, type: 0 })).toBe('event');
    expect(discordPing({ version: 1, type: 1, event: { type: 'ENTITLEMENT_CREATE' } })).toBe(null);
    expect(discordPing({ type: 2 })).toBe(null);
  });
});

describe.each(['zoom', 'zendesk'] as const)('%s', (verifier) => {
  it('signs its time, which may be five minutes off', () => {
    const asked = rule({ verifier });
    const sent = signed(verifier, '{}');
    expect([0, 299_000, -299_000].map((off) => ok(sent, asked, NOW_MS + off).ok)).toEqual([true, true, true]);
    expect([301_000, -301_000].map((off) => ok(sent, asked, NOW_MS + off).ok)).toEqual([false, false]);
  });
});

it('zoom is shown that the endpoint knows the token, by the example of its documents', () => {
  const plainToken = 'qgg8vlvZRS6UYooatFL8Aw';
  const body = { event: 'endpoint.url_validation', payload: { plainToken } };
  const by = rule({ verifier: 'zoom', secrets: ['the next one', 'a secret'] });
  const asked = (given: Json, secret: string) =>
    zoomChallenge(given, {
      delivery: signed('zoom', JSON.stringify(given), { secret }),
      rule: by,
      nowMs: NOW_MS,
    });
  // During a rotation by the token that Zoom has.
  for (const secret of by.secrets) {
    const encryptedToken = createHmac('sha256', secret).update(plainToken).digest('hex');
    expect(asked(body, secret)).toEqual({ plainToken, encryptedToken });
  }
  expect(asked(body, 'nobody has it')).toBe(null);
  expect(asked({ event: 'meeting.started', payload: { plainToken: 'x' } }, 'a secret')).toBe(null);
});

describe('standard webhooks', () => {
  const KEY = Buffer.alloc(32, 7);
  const padded = `whsec_${KEY.toString('base64')}`;
  const bare = padded.replace(/=+$/, '');

  it('takes the headers of svix, all three of one family', () => {
    const asked = rule({ verifier: 'standard_webhooks', secrets: [padded] });
    const signature = new Webhook(padded).sign('msg_1', new Date(NOW_MS), '{}');
    const svix = { 'svix-id': 'msg_1', 'svix-timestamp': SECONDS, 'svix-signature': signature };
    expect(ok(delivery(svix, '{}'), asked)).toEqual({ ok: true, deliveryId: 'msg_1' });
    expect(ok(delivery({ ...svix, 'svix-id': 'msg_2' }, '{}'), asked).ok).toBe(false);
    // A half of each is nobody's.
    expect(ok(delivery({ ...svix, 'webhook-signature': signature }, '{}'), asked).ok).toBe(false);
    const { 'svix-id': _, ...without } = svix;
    expect(ok(delivery({ ...without, 'webhook-id': 'msg_1' }, '{}'), asked).ok).toBe(false);
  });

  it('takes a secret without its padding', () => {
    expect(bare).not.toBe(padded);
    expect(decodeStandardSecret(bare)).toEqual(KEY);
    expect(decodeStandardSecret(`${bare}==`)).toBe(null);
    const sent = signed('standard_webhooks', '{}', { secret: padded });
    expect(ok(sent, rule({ verifier: 'standard_webhooks', secrets: [bare] })).ok).toBe(true);
  });
});

describe('hmac by a template', () => {
  const by = (options: VerificationOptions, secret = 'a plain secret') =>
    rule({ verifier: 'hmac', options, secrets: [secret] });
  const BODY = '{"a":1}';
  const iso = new Date(NOW_MS).toISOString();

  it.each<[string, VerificationOptions, Record<string, string>, string]>([
    [
      'as Standard Webhooks',
      {
        template: '{id}.{timestamp}.{body}',
        timestampHeader: 'x-time',
        deliveryIdHeader: 'x-id',
        signatureHeader: 'x-sig',
      },
      { 'x-time': SECONDS, 'x-id': 'd-1' },
      `d-1.${SECONDS}.${BODY}`,
    ],
    [
      'as Slack',
      {
        template: 'v0:{timestamp}:{body}',
        timestampHeader: 'x-time',
        prefix: 'v0=',
        signatureHeader: 'x-sig',
      },
      { 'x-time': SECONDS },
      `v0:${SECONDS}:${BODY}`,
    ],
    [
      'with a time in milliseconds',
      {
        template: '{timestamp}{body}',
        timestampHeader: 'x-time',
        timestampFormat: 'unix_ms',
        signatureHeader: 'x-sig',
      },
      { 'x-time': String(NOW_MS) },
      `${NOW_MS}${BODY}`,
    ],
    [
      'with a time in ISO 8601',
      {
        template: '{timestamp}.{body}',
        timestampHeader: 'x-time',
        timestampFormat: 'iso',
        signatureHeader: 'x-sig',
      },
      { 'x-time': iso },
      `${iso}.${BODY}`,
    ],
    [
      'with method and address',
      { template: '{method}\n{url}\n{body}', signatureHeader: 'x-sig' },
      {},
      `POST\nhttps://me.example/hooks/default/calls?a=1\n${BODY}`,
    ],
  ])('%s', (_what, options, headers, content) => {
    const signature =
      (options.prefix ?? '') + createHmac('sha256', 'a plain secret').update(content).digest('hex');
    const sent = delivery({ ...headers, 'x-sig': signature }, BODY);
    expect(ok(sent, by(options)).ok).toBe(true);
    expect(ok({ ...sent, rawBody: Buffer.from('{"a":2}') }, by(options)).ok).toBe(false);
    for (const name of Object.keys(headers)) {
      expect(ok(withHeader(sent, name, undefined), by(options)).ok, name).toBe(false);
      expect(ok(withHeader(sent, name, `${headers[name]}0`), by(options)).ok, name).toBe(false);
    }
    if (options.timestampHeader !== undefined) expect(ok(sent, by(options), NOW_MS + 301_000).ok).toBe(false);
  });

  it('a key in base64 or hex is what it decodes to', () => {
    const key = Buffer.from([0, 1, 2, 250, 251, 252, 253, 254, 255, 9]);
    const signature = createHmac('sha256', key).update(BODY).digest('hex');
    const sent = delivery({ 'x-signature': signature }, BODY);
    expect(ok(sent, by({ keyEncoding: 'base64' }, key.toString('base64'))).ok).toBe(true);
    expect(ok(sent, by({ keyEncoding: 'hex' }, key.toString('hex').toUpperCase())).ok).toBe(true);
    expect(ok(sent, by({ keyEncoding: 'text' }, key.toString('base64'))).ok).toBe(false);
    expect(ok(sent, by({ keyEncoding: 'base64' }, 'no base64!')).ok).toBe(false);
  });

  it('ed25519 is signed by the sender alone', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = signWith(null, Buffer.from(`${SECONDS}.${BODY}`), privateKey).toString('base64');
    const sent = delivery({ 'x-signature': signature, 'x-time': SECONDS }, BODY);
    const options = { algorithm: 'ed25519', encoding: 'base64', timestampHeader: 'x-time' } as const;
    expect(ok(sent, by(options, raw.toString('hex'))).ok).toBe(true);
    expect(ok(sent, by({ ...options, keyEncoding: 'base64' }, raw.toString('base64'))).ok).toBe(true);
    expect(ok({ ...sent, rawBody: Buffer.from('{}') }, by(options, raw.toString('hex'))).ok).toBe(false);
    expect(ok(sent, by(options, Buffer.alloc(32, 1).toString('hex'))).ok).toBe(false);
  });

  it.each<[VerificationOptions, string]>([
    [{ template: '{id}' }, '/options/template'],
    [{ template: '{timestamp}.{body}' }, '/options/template'],
    [{ template: '{id}.{body}' }, '/options/template'],
    [{ template: '{body}', timestampHeader: 'x-time' }, '/options/template'],
    [{ timestampFormat: 'iso' }, '/options/timestampFormat'],
    [{ algorithm: 'ed25519', keyEncoding: 'text' }, '/options/keyEncoding'],
  ])('%j do not go together', (options, pointer) => {
    expect(optionConflicts('hmac', options).map((problem) => problem.pointer)).toContain(pointer);
  });

  it('options that cannot be read are refused with their place, and those of hmac with another verifier', () => {
    for (const [name, value] of [
      ['template', '{nothing}'],
      ['template', '{body'],
      ['template', `{body}${'x'.repeat(200)}`],
      ['timestampFormat', 'epoch'],
      ['keyEncoding', 'base32'],
      ['url', 'ftp://x'],
      ['url', 'https://x/?a=1'],
    ])
      expect(readVerificationOptions({ [name!]: value! })).toMatchObject({
        ok: false,
        problems: [{ pointer: `/options/${name}` }],
      });
    expect(optionConflicts('github', { template: '{body}' })).toMatchObject([
      { pointer: '/options/template', code: 'conflict' },
    ]);
    expect(optionConflicts('hmac', { template: 'v0:{timestamp}:{body}', timestampHeader: 'x' })).toEqual([]);
  });
});
