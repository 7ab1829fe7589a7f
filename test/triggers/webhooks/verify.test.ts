// Verification: each byte counts, everything unclear is refused, nothing throws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import {
  WEBHOOK_AUTH_TYPES,
  WEBHOOK_VERIFIERS,
  type WebhookVerifier,
} from '../../../src/core/trigger/webhook.ts';
import { readVerificationOptions } from '../../../src/resources/webhooks/verification-options.ts';
import type { Delivery } from '../../../src/triggers/webhooks/verification/delivery.ts';
import { DELIVERY_ID_HEADERS } from '../../../src/triggers/webhooks/verification/delivery-id.ts';
import { SIGNATURE_HEADERS } from '../../../src/triggers/webhooks/verification/hmac.ts';
import { slackChallenge } from '../../../src/triggers/webhooks/verification/slack.ts';
import { verifyDelivery } from '../../../src/triggers/webhooks/verification/verify.ts';
import { depth } from '../../support/depth.ts';
import { delivery, NOW_MS, rule, SECONDS, SECRETS, STANDARD_SECRET, signed, withHeader } from './signing.ts';

const BODY = '{ "id": "evt_1", "event_id": "Ev1", "text": "caf\\u00e9 ♥" }';
const TIMED = ['standard_webhooks', 'stripe', 'slack'] as const;
const SIGNATURE: Readonly<Record<WebhookVerifier, string>> = {
  standard_webhooks: 'webhook-signature',
  github: 'x-hub-signature-256',
  stripe: 'stripe-signature',
  slack: 'x-slack-signature',
  hmac: 'x-signature-256',
  shopify: 'x-shopify-hmac-sha256',
  zoom: 'x-zm-signature',
  zendesk: 'x-zendesk-webhook-signature',
  twilio: 'x-twilio-signature',
  discord: 'x-signature-ed25519',
  meta: 'x-hub-signature-256',
  sns: 'none: it is in the body',
};
/** Discord and SNS have no secret that both sides know (presets.test.ts, sns.test.ts). */
const KEYED = WEBHOOK_VERIFIERS.filter((verifier) => verifier !== 'discord' && verifier !== 'sns');
/** Headers that no signature covers. */
const UNSIGNED =
  /x-(github-delivery|delivery-id|shopify-webhook-id|zendesk-webhook-invocation-id)|content-type/;
/** GitHub and Meta sign alike, and a plain HMAC is looked for where they have theirs. */
const ALIKE: readonly string[] = ['github', 'meta', 'hmac'];
const accepts = (sent: Delivery, asked = rule({ verifier: 'hmac' }), nowMs = NOW_MS) =>
  verifyDelivery(sent, asked, nowMs).ok;
const textOf = (sent: Delivery, name: string) => sent.headers[name] as string;

describe.each(KEYED)('%s', (verifier) => {
  const asked = rule({ verifier });
  const sent = signed(verifier, BODY);
  const signatureName = SIGNATURE[verifier];
  const signature = textOf(sent, signatureName);

  it('accepts what its sender signed', () => expect(verifyDelivery(sent, asked, NOW_MS).ok).toBe(true));
  it('accepts an empty body and bytes that are no text', () => {
    expect(accepts(signed(verifier, ''), asked)).toBe(true);
    expect(accepts(signed(verifier, Buffer.from([0, 255, 254, 128])), asked)).toBe(true);
  });

  it('refuses a body with any one bit changed', () => {
    for (let at = 0; at < sent.rawBody.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const rawBody = Buffer.from(sent.rawBody);
        rawBody[at]! ^= 1 << bit;
        expect(accepts({ ...sent, rawBody }, asked), `byte ${at} bit ${bit}`).toBe(false);
      }
  });

  it('refuses a body with a byte more or less, and the same JSON written anew', () => {
    for (const body of [
      ` ${BODY}`,
      `${BODY}\n`,
      BODY.slice(1),
      BODY.slice(0, -1),
      JSON.stringify(JSON.parse(BODY)),
    ])
      expect(accepts({ ...sent, rawBody: Buffer.from(body) }, asked)).toBe(false);
  });

  it('refuses a signed header with any one bit changed', () => {
    const names = Object.keys(sent.headers).filter((name) => !UNSIGNED.test(name));
    for (const name of names) {
      const value = Buffer.from(textOf(sent, name));
      for (let at = 0; at < value.length; at++)
        for (let bit = 0; bit < 8; bit++) {
          const changed = Buffer.from(value);
          changed[at]! ^= 1 << bit;
          const text = changed.toString('latin1');
          expect(accepts(withHeader(sent, name, text), asked), `${name}: ${text}`).toBe(false);
        }
    }
  });

  it('refuses each signed header when it is missing, empty, doubled or cut', () => {
    const names = Object.keys(sent.headers).filter((name) => !UNSIGNED.test(name));
    for (const name of names) {
      const value = textOf(sent, name);
      for (const other of [undefined, '', [], [''], [value, value], value.slice(1), value.slice(0, -1)])
        expect(accepts(withHeader(sent, name, other as string), asked), `${name}: ${other}`).toBe(false);
    }
  });

  it('takes a header as text or as a list of one', () =>
    expect(accepts(withHeader(sent, signatureName, [signature]), asked)).toBe(true));

  it.each([
    ['no secret', []],
    ['an empty secret', ['']],
    ['several empty secrets', ['', '', '']],
    ['another secret', [verifier === 'standard_webhooks' ? `whsec_${'B'.repeat(43)}=` : 'another secret']],
  ])('refuses with %s', (_what, secrets) => {
    expect(accepts(sent, rule({ verifier, secrets }))).toBe(false);
    // Node takes an empty key: what is signed with it is signed by anybody.
    const byAnybody = signed(verifier, BODY, { secret: verifier === 'standard_webhooks' ? 'whsec_' : '' });
    expect(accepts(byAnybody, rule({ verifier, secrets }))).toBe(false);
  });

  it('accepts either secret during a rotation, and neither afterwards', () => {
    const next =
      verifier === 'standard_webhooks' ? `whsec_${Buffer.alloc(24, 9).toString('base64')}` : 'the next one';
    const secrets = ['', next, SECRETS[verifier]];
    expect(accepts(sent, rule({ verifier, secrets }))).toBe(true);
    expect(accepts(signed(verifier, BODY, { secret: next }), rule({ verifier, secrets }))).toBe(true);
    expect(accepts(sent, rule({ verifier, secrets: [next] }))).toBe(false);
  });

  it('does not take the signature of another scheme', () => {
    for (const other of WEBHOOK_VERIFIERS.filter((name) => name !== verifier)) {
      const foreign = signed(other, BODY, { secret: SECRETS[verifier] });
      if (ALIKE.includes(verifier) && ALIKE.includes(other) && other !== 'hmac') continue;
      expect(accepts(foreign, asked), other).toBe(false);
    }
  });

  it('asks for its signature and for the shared secret where both are set', () => {
    const both = rule({ verifier, authType: 'bearer' });
    expect(accepts(sent, both)).toBe(false);
    expect(accepts(withHeader(sent, 'authorization', `Bearer ${SECRETS[verifier]}`), both)).toBe(
      !SECRETS[verifier].includes(' '),
    );
    expect(accepts(delivery({ authorization: `Bearer ${SECRETS[verifier]}` }, BODY), both)).toBe(false);
  });

  it('says why, without the secret and without a signature', () => {
    const wrong = signed(verifier, BODY, {
      secret: verifier === 'standard_webhooks' ? `whsec_${'B'.repeat(43)}=` : 'x',
    });
    const verified = verifyDelivery(wrong, asked, NOW_MS);
    const reason = verified.ok ? '' : verified.reason;
    expect(reason).toMatch(/match/);
    expect(reason).not.toContain(SECRETS[verifier]);
    expect(reason).not.toContain(signature.slice(-20));
  });
});

describe('time', () => {
  it.each(TIMED)('%s: five minutes in either direction, and no second more', (verifier) => {
    const sent = signed(verifier, BODY);
    const asked = rule({ verifier });
    for (const offMs of [-300_000, -1, 0, 1, 300_000])
      expect(accepts(sent, asked, NOW_MS + offMs)).toBe(true);
    for (const offMs of [-1e12, -301_000, -300_001, 300_001, 301_000, 1e12])
      expect(accepts(sent, asked, NOW_MS + offMs), String(offMs)).toBe(false);
  });

  it.each(TIMED)('%s: signed times that are not plain unix seconds are refused', (verifier) => {
    const asked = rule({ verifier });
    for (const seconds of [
      `${SECONDS}abc`,
      ` ${SECONDS}`,
      `${SECONDS} `,
      `+${SECONDS}`,
      `${SECONDS}.0`,
      `-${SECONDS}`,
      `${SECONDS}e0`,
      `0x${Number(SECONDS).toString(16)}`,
      `${SECONDS}000`,
      '',
      'NaN',
      'Infinity',
      '٣',
      '9'.repeat(400),
    ])
      expect(accepts(signed(verifier, BODY, { seconds }), asked), seconds).toBe(false);
  });

  it('hmac: a timestamp header, once it is asked for, is required, signed and judged', () => {
    const asked = rule({ verifier: 'hmac', options: { timestampHeader: 'x-timestamp' } });
    const at = (body: string, seconds?: string) => {
      const { headers } = signed('hmac', `${seconds ?? SECONDS}.${body}`);
      return delivery({ ...headers, 'x-delivery-id': undefined, 'x-timestamp': seconds ?? SECONDS }, body);
    };
    expect(accepts(at(BODY), asked)).toBe(true);
    expect(accepts(withHeader(at(BODY), 'x-timestamp', String(Number(SECONDS) + 1)), asked)).toBe(false);
    expect(accepts(withHeader(at(BODY), 'x-timestamp', undefined), asked)).toBe(false);
    expect(accepts(at(BODY, String(Number(SECONDS) - 301)), asked)).toBe(false);
    expect(accepts(signed('hmac', BODY), asked)).toBe(false);
    // Sent again within its minutes it is the same delivery; a later one is another. An id of the sender's goes before.
    const idOf = (sent: Delivery) => {
      const verified = verifyDelivery(sent, asked, NOW_MS);
      return verified.ok ? verified.deliveryId : 'refused';
    };
    expect(idOf(at(BODY))).toMatch(/^sha256:/);
    expect(idOf(at(BODY))).toBe(idOf(at(BODY)));
    expect(idOf(at(BODY, String(Number(SECONDS) + 1)))).not.toBe(idOf(at(BODY)));
    expect(idOf(withHeader(at(BODY), 'x-delivery-id', 'd1'))).toBe('d1');
  });
});

describe('several signatures in one header', () => {
  const other = 'A'.repeat(43);
  it('standard_webhooks: any may match; other versions and malformed ones are passed over', () => {
    const asked = rule({ verifier: 'standard_webhooks' });
    const sent = signed('standard_webhooks', BODY);
    const own = textOf(sent, 'webhook-signature');
    const with_ = (value: string) => accepts(withHeader(sent, 'webhook-signature', value), asked);
    for (const value of [
      `v1,${other}= ${own}`,
      `${own} v1,${other}=`,
      `v1a,${other} ${own}`,
      `v2,x  ${own} y`,
    ])
      expect(with_(value), value).toBe(true);
    const digest = own.slice(3);
    for (const value of [
      `v1a,${digest}`,
      `v2,${digest}`,
      `V1,${digest}`,
      digest,
      `v1,v1,${digest}`,
      `v1, ${digest}`,
    ])
      expect(with_(value), value).toBe(false);
    expect(with_(own.replace(/=$/, ''))).toBe(false);
    expect(with_(`v1,${Buffer.from(digest, 'base64').toString('hex')}`)).toBe(false);
  });

  it('stripe: any v1 may match; v0 counts nothing, and there is one time', () => {
    const asked = rule({ verifier: 'stripe' });
    const sent = signed('stripe', BODY);
    const [time, own] = textOf(sent, 'stripe-signature').split(',') as [string, string];
    const with_ = (value: string) => accepts(withHeader(sent, 'stripe-signature', value), asked);
    expect(with_(`${time},v1=${'0'.repeat(64)},${own},v0=abc`)).toBe(true);
    expect(with_(`${own},${time}`)).toBe(true);
    for (const value of [
      own,
      time,
      `${time},${own.replace('v1', 'v0')}`,
      `${time},t=${Number(SECONDS) + 1},${own}`,
      `t=${Number(SECONDS) + 1},${time},${own}`,
      `${time},v1=${own.slice(3).toUpperCase()}`,
      `${time};${own}`,
    ])
      expect(with_(value), value).toBe(false);
  });

  it('github and slack: one signature, in lower case', () => {
    for (const verifier of ['github', 'slack'] as const) {
      const sent = signed(verifier, BODY);
      const own = textOf(sent, SIGNATURE[verifier]);
      for (const value of [
        own.toUpperCase(),
        own.replace(/=.*/, (hex) => hex.toUpperCase()),
        `${own},${own}`,
        `${own} `,
      ])
        expect(accepts(withHeader(sent, SIGNATURE[verifier], value), rule({ verifier })), value).toBe(false);
    }
  });

  it('github: the older SHA-1 header is not asked', () => {
    const sent = signed('github', BODY);
    const old = delivery({ 'x-hub-signature': textOf(sent, 'x-hub-signature-256') }, BODY);
    expect(accepts(old, rule({ verifier: 'github' }))).toBe(false);
  });
});

describe('standard_webhooks', () => {
  it('refuses ids with which a signature could be cut in another way', () => {
    const asked = rule({ verifier: 'standard_webhooks' });
    const honest = signed('standard_webhooks', `${SECONDS}.{}`, { id: 'a' });
    expect(accepts(honest, asked)).toBe(true);
    const recut = withHeader({ ...honest, rawBody: Buffer.from('{}') }, 'webhook-id', `a.${SECONDS}`);
    expect(accepts(recut, asked)).toBe(false);
    for (const id of ['a b', 'a\tb', 'é', 'a\u0000'])
      expect(accepts(signed('standard_webhooks', BODY, { id }), asked)).toBe(false);
  });

  it('takes secrets of 24 to 64 bytes in base64, padded or not, with or without whsec_', () => {
    for (const bytes of [23, 24, 32, 64, 65]) {
      const secret = `whsec_${Buffer.alloc(bytes, 3).toString('base64')}`;
      const sent = signed('standard_webhooks', BODY, { secret });
      const isSound = bytes >= 24 && bytes <= 64;
      expect(accepts(sent, rule({ verifier: 'standard_webhooks', secrets: [secret] })), `${bytes}`).toBe(
        isSound,
      );
      expect(accepts(sent, rule({ verifier: 'standard_webhooks', secrets: [secret.slice(6)] }))).toBe(
        isSound,
      );
    }
    const sent = signed('standard_webhooks', BODY);
    const unpadded = STANDARD_SECRET.replace(/=$/, '');
    expect(unpadded).not.toBe(STANDARD_SECRET);
    expect(accepts(sent, rule({ verifier: 'standard_webhooks', secrets: [unpadded] }))).toBe(true);
    for (const secret of [`${STANDARD_SECRET} `, ` ${STANDARD_SECRET}`, `whsk_${STANDARD_SECRET.slice(6)}`])
      expect(accepts(sent, rule({ verifier: 'standard_webhooks', secrets: [secret] })), secret).toBe(false);
  });
});

describe('hmac', () => {
  const own = textOf(signed('hmac', BODY), 'x-signature-256').slice('sha256='.length);
  const base64 = Buffer.from(own, 'hex').toString('base64');

  it.each(SIGNATURE_HEADERS)('finds the signature in %s', (name) =>
    expect(accepts(delivery({ [name]: own }, BODY))).toBe(true),
  );
  it('looks nowhere else once a header is configured', () => {
    const asked = rule({ verifier: 'hmac', options: { signatureHeader: 'x-mine' } });
    expect(accepts(delivery({ 'x-mine': own }, BODY), asked)).toBe(true);
    expect(accepts(delivery({ 'x-signature-256': own }, BODY), asked)).toBe(false);
  });
  it('takes the first of the usual headers, also when a later one is right', () =>
    expect(accepts(delivery({ 'x-signature-256': 'no', 'x-signature': own }, BODY))).toBe(false));
  it('reads hex in one case, or base64 where that is asked for', () => {
    const asked = rule({ verifier: 'hmac', options: { encoding: 'base64' } });
    expect(accepts(delivery({ 'x-signature': own.toUpperCase() }, BODY))).toBe(true);
    expect(accepts(delivery({ 'x-signature': own.replace(/[a-f]/, (c) => c.toUpperCase()) }, BODY))).toBe(
      false,
    );
    expect(accepts(delivery({ 'x-signature': base64 }, BODY), asked)).toBe(true);
    expect(accepts(delivery({ 'x-signature': base64 }, BODY))).toBe(false);
    expect(accepts(delivery({ 'x-signature': own }, BODY), asked)).toBe(false);
    expect(accepts(delivery({ 'x-signature': base64.replace(/=$/, '') }, BODY), asked)).toBe(false);
  });
  it('requires a prefix that is configured, and takes its own or none otherwise', () => {
    const asked = rule({ verifier: 'hmac', options: { prefix: 'v9=' } });
    expect(accepts(delivery({ 'x-signature': `v9=${own}` }, BODY), asked)).toBe(true);
    expect(accepts(delivery({ 'x-signature': own }, BODY), asked)).toBe(false);
    expect(accepts(delivery({ 'x-signature': `sha256=${own}` }, BODY), asked)).toBe(false);
    expect(accepts(delivery({ 'x-signature': `sha1=${own}` }, BODY))).toBe(false);
  });
  it('refuses an algorithm or encoding that it does not know', () => {
    for (const options of [{ algorithm: 'md5' }, { algorithm: 'none' }, { encoding: 'latin1' }])
      expect(accepts(signed('hmac', BODY), rule({ verifier: 'hmac', options: options as never }))).toBe(
        false,
      );
  });
});

describe('shared secrets', () => {
  const secrets = ['old secret', 's3cret-Token', 'user:pass:word'];
  const ask = (authType: 'secret' | 'basic' | 'bearer', headers: Delivery['headers'], given = secrets) =>
    accepts(delivery(headers, BODY), rule({ verifier: null, authType, secrets: given }));
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it('secret: in X-Webhook-Secret or the configured header', () => {
    expect(ask('secret', { 'x-webhook-secret': 's3cret-Token' })).toBe(true);
    const asked = rule({
      verifier: null,
      authType: 'secret',
      secrets,
      options: { secretHeader: 'x-gitlab-token' },
    });
    expect(accepts(delivery({ 'x-gitlab-token': 's3cret-Token' }), asked)).toBe(true);
    expect(accepts(delivery({ 'x-webhook-secret': 's3cret-Token' }), asked)).toBe(false);
  });
  it('bearer and basic: in Authorization, the scheme in any case', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(ask('bearer', { authorization: `${scheme} s3cret-Token` })).toBe(true);
    expect(ask('basic', { authorization: basic('user:pass:word') })).toBe(true);
    expect(ask('basic', { authorization: basic('user:pass:word').toLowerCase() })).toBe(false);
  });
  it('refuses everything else', () => {
    for (const value of [
      '',
      's3cret-Toke',
      's3cret-Token ',
      's3cret-Tokens',
      'S3CRET-TOKEN',
      ['s3cret-Token', 's3cret-Token'],
    ])
      expect(ask('secret', { 'x-webhook-secret': value }), String(value)).toBe(false);
    for (const value of [
      's3cret-Token',
      'Bearer',
      'Bearer ',
      'Bearer s3cret-Token x',
      'Basic s3cret-Token',
      'Bearers3cret-Token',
    ])
      expect(ask('bearer', { authorization: value }), value).toBe(false);
    for (const value of [
      basic('user'),
      basic('user:'),
      basic(':'),
      basic('user:pass:wor'),
      basic('user:pass:word').replace('Basic', 'Bearer'),
      `${basic('user:pass:word')}=`,
    ])
      expect(ask('basic', { authorization: value }), value).toBe(false);
  });
  it.each(WEBHOOK_AUTH_TYPES.filter((type) => type !== 'none'))(
    '%s: fails closed without a usable secret',
    (authType) => {
      const empty = { 'x-webhook-secret': '', authorization: authType === 'basic' ? basic('') : 'Bearer ' };
      for (const given of [[], [''], ['', '']]) expect(ask(authType, empty, given)).toBe(false);
      expect(ask('basic', { authorization: basic('user:') }, ['user:'])).toBe(false);
      expect(ask('basic', { authorization: basic('user') }, ['user'])).toBe(false);
    },
  );
  it('refuses an authType or verifier that it does not know', () => {
    expect(accepts(delivery({}), rule({ verifier: null, authType: 'oauth' as never }))).toBe(false);
    for (const verifier of ['svix', 'toString', '__proto__', ''])
      expect(
        accepts(delivery({}), rule({ verifier: verifier as never, secrets: ['a secret'] })),
        verifier,
      ).toBe(false);
  });
});

describe("the delivery's id", () => {
  const idOf = (sent: Delivery, asked: Parameters<typeof verifyDelivery>[1]) => {
    const verified = verifyDelivery(sent, asked, NOW_MS);
    return verified.ok ? verified.deliveryId : 'refused';
  };
  const idFor = (verifier: WebhookVerifier, body: string, id = 'msg_1') =>
    idOf(signed(verifier, body, { id }), rule({ verifier }));

  it('is where each sender has it', () => {
    const ids = WEBHOOK_VERIFIERS.filter((verifier) => verifier !== 'sns').map((verifier) => [
      verifier,
      idFor(verifier, BODY),
    ]);
    expect(Object.fromEntries(ids)).toEqual({
      ...{ standard_webhooks: 'msg_1', github: 'msg_1', stripe: 'evt_1', slack: 'Ev1', hmac: 'msg_1' },
      ...{ zendesk: 'msg_1', discord: 'evt_1', shopify: expect.stringMatching(/^sha256:/) },
      // They have none, or none that is signed: it is of the body.
      ...{ zoom: expect.stringMatching(/^sha256:/), twilio: expect.stringMatching(/^sha256:/) },
      meta: expect.stringMatching(/^sha256:/),
    });
  });
  it('is of what is signed for Shopify and Twilio: another header does not make it another delivery', () => {
    for (const [verifier, name] of [
      ['shopify', 'x-shopify-webhook-id'],
      ['twilio', 'i-twilio-idempotency-token'],
    ] as const) {
      const sent = signed(verifier, BODY);
      const idOfTwo = (id: string, options = {}) =>
        idOf(withHeader(sent, name, id), rule({ verifier, options }));
      expect(idOfTwo('one')).toMatch(/^sha256:/);
      expect(idOfTwo('two'), verifier).toBe(idOfTwo('one'));
      expect(idFor(verifier, `${BODY} `)).not.toBe(idOfTwo('one'));
      // Where its owner says so the header counts.
      expect(idOfTwo('two', { deliveryIdHeader: name })).toBe('two');
    }
  });
  it('has the topic of Shopify, as one order comes under several', () => {
    const sent = signed('shopify', BODY);
    const of = (topic: string | string[]) =>
      idOf(withHeader(sent, 'x-shopify-topic', topic), rule({ verifier: 'shopify' }));
    expect(of('orders/create')).not.toBe(of('orders/paid'));
    expect(of(['orders/create', 'orders/paid'])).toBe('refused');
  });
  it('is not the only one where the time is signed, and it is not: what was signed is another', () => {
    const hmac = rule({ verifier: 'hmac', options: { timestampHeader: 'x-time' } });
    const byHmac = withHeader(signed('hmac', `${SECONDS}.${BODY}`), 'x-time', SECONDS);
    for (const [sent, asked, name] of [
      [signed('zendesk', BODY), rule({ verifier: 'zendesk' }), 'x-zendesk-webhook-invocation-id'],
      [{ ...byHmac, rawBody: Buffer.from(BODY) }, hmac, 'x-delivery-id'],
    ] as const) {
      const of = (id: string | undefined) => verifyDelivery(withHeader(sent, name, id), asked, NOW_MS);
      const signedId = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
      expect(of('one')).toEqual({ ok: true, deliveryId: 'one', signedId });
      expect(of('two')).toEqual({ ...of('one'), deliveryId: 'two' });
      expect(of(undefined)).toEqual({ ...of('one'), deliveryId: signedId });
    }
    // What a signature says of the id is enough.
    for (const verifier of ['standard_webhooks', 'stripe', 'github'] as const)
      expect(verifyDelivery(signed(verifier, BODY), rule({ verifier }), NOW_MS)).not.toHaveProperty(
        'signedId',
      );
  });
  it('is of time and body for Stripe and Slack bodies without one: the same for a replay, another for another delivery', () => {
    for (const verifier of ['stripe', 'slack'] as const)
      for (const body of [
        '',
        'a=b',
        '[]',
        '{}',
        '{"id":7,"event_id":7}',
        '{"id":"","event_id":""}',
        'null',
      ]) {
        const id = idFor(verifier, body);
        expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
        expect(idFor(verifier, body)).toBe(id);
        expect(idFor(verifier, `${body} `)).not.toBe(id);
        const later = signed(verifier, body, { seconds: String(Number(SECONDS) + 1) });
        expect(idOf(later, rule({ verifier }))).not.toBe(id);
      }
  });
  it('stays the same when a Stripe replay leaves out one of several signatures', () => {
    const sent = signed('stripe', 'no id');
    const longer = withHeader(
      sent,
      'stripe-signature',
      `${textOf(sent, 'stripe-signature')},v1=${'0'.repeat(64)}`,
    );
    expect(idOf(longer, rule({ verifier: 'stripe' }))).toBe(idOf(sent, rule({ verifier: 'stripe' })));
  });
  it('is in the first of the usual headers where there is no scheme for it', () => {
    for (const name of DELIVERY_ID_HEADERS)
      expect(idOf(delivery({ [name]: 'd1' }), rule({ verifier: null }))).toBe('d1');
    expect(
      idOf(
        delivery({ 'x-mine': 'd2', 'webhook-id': 'd1' }),
        rule({ verifier: null, options: { deliveryIdHeader: 'x-mine' } }),
      ),
    ).toBe('d2');
  });
  it('is null where there is none, and never that of the webhook or of a chain of events', () => {
    const none = delivery({
      'x-webhook-id': 'w',
      'x-github-hook-id': 'w',
      'x-gitlab-event-uuid': 'w',
      'x-hook-uuid': 'w',
    });
    expect(idOf(none, rule({ verifier: null }))).toBe(null);
    expect(
      idOf(withHeader(signed('github', BODY), 'x-github-delivery', undefined), rule({ verifier: 'github' })),
    ).toBe(null);
    expect(
      idOf(
        delivery({ 'webhook-id': 'd1' }),
        rule({ verifier: null, options: { deliveryIdHeader: 'x-mine' } }),
      ),
    ).toBe(null);
  });
  it('is refused where it is given twice', () => {
    expect(
      idOf(withHeader(signed('github', BODY), 'x-github-delivery', ['a', 'b']), rule({ verifier: 'github' })),
    ).toBe('refused');
    expect(idOf(delivery({ 'webhook-id': ['a', 'b'] }), rule({ verifier: null }))).toBe('refused');
  });
  it('can always be stored and indexed', () => {
    const long = 'i'.repeat(201);
    expect(idFor('github', BODY, 'i'.repeat(200))).toBe('i'.repeat(200));
    for (const id of [long, 'a\u0000b', '\ud800']) expect(idFor('github', BODY, id)).toMatch(/^sha256:/);
    expect(idFor('standard_webhooks', BODY, long)).toMatch(/^sha256:/);
    expect(idFor('stripe', JSON.stringify({ id: 'evt\u0000' }))).toMatch(/^sha256:/);
    expect(idFor('slack', JSON.stringify({ event_id: long }))).toMatch(/^sha256:/);
  });
});

it("Slack's handshake is known by its type", () => {
  expect(slackChallenge({ type: 'url_verification', challenge: 'c', token: 't' })).toBe('c');
  for (const body of [
    null,
    'x',
    [],
    {},
    { challenge: 'c' },
    { type: 'url_verification' },
    { type: 'url_verification', challenge: 1 },
  ])
    expect(slackChallenge(body as Json)).toBe(null);
});

describe('options', () => {
  it('are read with all problems at once, and names of headers in lower case', () => {
    const given = {
      signatureHeader: 'X-Mine',
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'v1=',
      deliveryIdHeader: 'X-Id',
    };
    expect(readVerificationOptions(given)).toEqual({
      ok: true,
      value: { ...given, signatureHeader: 'x-mine', deliveryIdHeader: 'x-id' },
    });
    expect(readVerificationOptions(undefined)).toEqual({ ok: true, value: {} });
    const read = readVerificationOptions({
      algorithm: 'md5',
      encoding: 1,
      signatureHeader: 'a b',
      prefix: 'a,b',
      tolerance: '9',
      '__proto__/x': '',
    });
    expect(read.ok ? [] : read.problems.map(({ pointer }) => pointer)).toEqual([
      '/options/algorithm',
      '/options/encoding',
      '/options/signatureHeader',
      '/options/prefix',
      '/options/tolerance',
      '/options/__proto__~1x',
    ]);
    for (const wrong of [[], 'x', 1, true]) expect(readVerificationOptions(wrong).ok).toBe(false);
  });
});

describe('whatever is sent', () => {
  const NAMES = [
    ...Object.values(SIGNATURE),
    ...SIGNATURE_HEADERS,
    ...DELIVERY_ID_HEADERS,
    'webhook-timestamp',
    'x-slack-request-timestamp',
    'authorization',
    'x-webhook-secret',
    '__proto__',
    'constructor',
  ];
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'v1,',
      'sha256=',
      `t=${SECONDS},v1=`,
      SECONDS,
      'v0=',
      'Basic ',
      'Basic Og==',
      'Bearer x',
      '=',
    ),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  const headers = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), value), { selector: ([name]) => name })
    .map((pairs) => Object.fromEntries(pairs));

  it('nothing throws, and nothing unsigned is accepted', () => {
    const proofs = fc.record({
      authType: fc.constantFrom(...WEBHOOK_AUTH_TYPES),
      verifier: fc.constantFrom(null, ...WEBHOOK_VERIFIERS),
      secrets: fc.array(fc.oneof(fc.constantFrom('', STANDARD_SECRET), fc.string({ minLength: 8 }))),
      options: fc.record(
        {
          signatureHeader: fc.constantFrom(...NAMES),
          timestampHeader: fc.constantFrom(...NAMES),
          prefix: fc.string(),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(proofs, headers, fc.uint8Array({ maxLength: 40 }), (asked, sent, body) => {
        const verified = verifyDelivery(delivery(sent, Buffer.from(body)), asked, NOW_MS);
        const isOpen = asked.authType === 'none' && asked.verifier === null;
        if (isOpen) return verified.ok || /more than once/.test(verified.reason);
        return !verified.ok && verified.reason.length < 200;
      }),
      { numRuns: depth(3000) },
    );
  });

  it('each scheme accepts any body that was signed, and no other body', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WEBHOOK_VERIFIERS.filter((verifier) => verifier !== 'sns')),
        fc.uint8Array(),
        fc.uint8Array(),
        (verifier, one, other) => {
          const sent = signed(verifier, Buffer.from(one));
          const asked = rule({ verifier });
          const isSame = Buffer.from(one).equals(Buffer.from(other));
          return accepts(sent, asked) && accepts({ ...sent, rawBody: Buffer.from(other) }, asked) === isSame;
        },
      ),
    );
  });
});
