// Amazon SNS: messages that are signed by a certificate which they name.
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  optionConflicts,
  readVerificationOptions,
} from '../../../src/resources/webhooks/verification-options.ts';
import { SenderCertificates } from '../../../src/triggers/webhooks/certificates.ts';
import { certificateUrl } from '../../../src/triggers/webhooks/verification/sns.ts';
import { verifyDelivery } from '../../../src/triggers/webhooks/verification/verify.ts';
import { TEST_CERTIFICATE } from '../../tasks/outbound/support/test-certificate.ts';
import { delivery, NOW_MS, rule } from './signing.ts';
import { TOPIC_CERTIFICATE } from './topic-certificate.ts';
import { CERTIFICATE_URL, TOPIC_ARN, type TopicMessage, topicMessage } from './topics.ts';

const certificate = new X509Certificate(TOPIC_CERTIFICATE);
const options = { topicArn: TOPIC_ARN };
const asked = rule({ verifier: 'sns', secrets: [], options, certificate });
const sent = (message: object) =>
  delivery({ 'content-type': 'text/plain; charset=UTF-8' }, JSON.stringify(message));
const verify = (message: object, by = asked, nowMs = NOW_MS) => verifyDelivery(sent(message), by, nowMs);

describe.each(['1', '2'])('a message of SignatureVersion %s', (version) => {
  const NAMED = { ok: true, deliveryId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324' };

  it.each([
    ['Notification', {}],
    ['Notification', { Subject: 'with a subject' }],
    ['SubscriptionConfirmation', {}],
    ['UnsubscribeConfirmation', {}],
  ])('a %s counts, and is known again by its own id: %j', (type, changed) =>
    expect(verify(topicMessage(type, changed as TopicMessage, version))).toEqual(NAMED),
  );

  it('is refused with any signed field changed, taken away, added or no text', () => {
    for (const type of ['Notification', 'SubscriptionConfirmation']) {
      const message = topicMessage(type, type === 'Notification' ? { Subject: 's' } : {}, version);
      for (const field of Object.keys(message)) {
        if (['UnsubscribeURL', 'SigningCertURL'].includes(field)) continue;
        const { [field]: value, ...without } = message;
        for (const other of [without, { ...message, [field]: `${value} ` }, { ...message, [field]: 7 }])
          expect(verify(other).ok, `${type} ${field}`).toBe(false);
      }
    }
    const bare = topicMessage('Notification', {}, version);
    expect(verify({ ...bare, Subject: 'not signed' }).ok).toBe(false);
    expect(verify({ ...bare, Type: 'SubscriptionConfirmation', SubscribeURL: 'x', Token: 't' }).ok).toBe(
      false,
    );
    expect(verify({ ...bare, SignatureVersion: version === '1' ? '2' : '1' }).ok).toBe(false);
  });
});

describe('what is no proof', () => {
  const message = topicMessage('Notification');
  const reasonOf = (by: Partial<typeof asked>, given: object = message, nowMs = NOW_MS) => {
    const verified = verify(given, { ...asked, ...by }, nowMs);
    return verified.ok ? 'accepted' : verified.reason;
  };

  it('is a message of another topic, though Amazon signed it, or of any while none is named', () => {
    expect(reasonOf({}, topicMessage('Notification', { TopicArn: `${TOPIC_ARN}2` }))).toMatch(/topic/);
    expect(reasonOf({ options: {} })).toMatch(/topic/);
  });

  it('is one without its certificate, with one of another key, or with one that is not valid yet or any more', () => {
    expect(reasonOf({ certificate: null })).toMatch(/cannot be had/);
    expect(reasonOf({ certificate: new X509Certificate(TEST_CERTIFICATE) })).toMatch(/no RSA key|not valid/);
    expect(reasonOf({}, message, Date.parse('2019-12-31T00:00:00Z'))).toMatch(/not valid now/);
    expect(reasonOf({}, message, Date.parse('2120-01-02T00:00:00Z'))).toMatch(/not valid now/);
  });

  it('is a body that is no such message', () => {
    for (const body of [
      '',
      'the bare message of a raw delivery',
      '[]',
      '{"Type":',
      `${JSON.stringify(message)}x`,
    ])
      expect(verifyDelivery(delivery({}, body), asked, NOW_MS).ok, body).toBe(false);
  });
});

describe('the address of a certificate', () => {
  const at = (SigningCertURL: unknown, more: object = {}) =>
    certificateUrl(sent({ ...topicMessage('Notification'), SigningCertURL, ...more }), options)?.href ?? null;

  it('is one of Amazon SNS, in any region', () => {
    for (const host of [
      'sns.eu-central-1.amazonaws.com',
      'sns.us-gov-west-1.amazonaws.com',
      'sns.cn-north-1.amazonaws.com.cn',
    ])
      expect(at(CERTIFICATE_URL.replace('sns.eu-central-1.amazonaws.com', host))).toContain(host);
  });

  it.each([
    CERTIFICATE_URL.replace('https:', 'http:'),
    CERTIFICATE_URL.replace('.com/', '.com.evil.example/'),
    CERTIFICATE_URL.replace('.com/', '.com:8443/'),
    CERTIFICATE_URL.replace('https://', 'https://user@'),
    // A bucket of somebody who took the name "sns".
    CERTIFICATE_URL.replace('eu-central-1', 's3-us-west-2'),
    CERTIFICATE_URL.replace('eu-central-1', 'x'),
    // What other acts of this host give back is of the caller's making.
    'https://sns.eu-central-1.amazonaws.com/?Action=GetThing&x=.pem',
    `${CERTIFICATE_URL}?x=.pem`,
    `${CERTIFICATE_URL}#x`,
    CERTIFICATE_URL.replace('.pem', '.txt'),
    CERTIFICATE_URL.replace('Simple', 'a/../b/Simple'),
    'not a URL',
    7,
    undefined,
  ])('%s is none', (url) => expect(at(url)).toBe(null));

  it("is nobody's business where the message is of another topic", () =>
    expect(at(CERTIFICATE_URL, { TopicArn: 'arn:aws:sns:eu-central-1:000000000000:mine' })).toBe(null));
});

describe('certificates', () => {
  const url = new URL(CERTIFICATE_URL);
  const other = (n: number) => new URL(CERTIFICATE_URL.replace('9c64', `${1000 + n}`));
  const open = (answer: () => Promise<{ status: number; body: Buffer }>) => {
    const asked: string[] = [];
    const warned: string[] = [];
    const none = () => {};
    const log = { debug: none, info: none, warn: (line: string) => void warned.push(line), error: none };
    const certificates = new SenderCertificates(async ({ href }) => {
      asked.push(href);
      return await answer();
    }, log);
    return { certificates, asked, warned };
  };
  const good = async () => ({ status: 200, body: Buffer.from(TOPIC_CERTIFICATE) });

  it('are fetched once, also where several deliveries ask at the same moment', async () => {
    const { certificates, asked } = open(good);
    const [a, b] = await Promise.all([certificates.read(url), certificates.read(url)]);
    expect([a!.raw.equals(certificate.raw), b === a, (await certificates.read(url)) === a]).toEqual([
      true,
      true,
      true,
    ]);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, () => Promise<{ status: number; body: Buffer }>]>([
    ['is not there', async () => ({ status: 404, body: Buffer.from(TOPIC_CERTIFICATE) })],
    ['leads elsewhere', async () => ({ status: 302, body: Buffer.alloc(0) })],
    ['is no certificate', async () => ({ status: 200, body: Buffer.from('<xml>') })],
    ['cannot be reached', () => Promise.reject(new Error('blocked'))],
  ])('one that %s is told once, and left alone for a while', async (_, answer) => {
    const { certificates, asked, warned } = open(answer);
    expect([await certificates.read(url), await certificates.read(url)]).toEqual([null, null]);
    expect([asked.length, warned.length]).toEqual([1, 1]);
  });

  it('many at a time are not fetched, and known ones go on meanwhile', async () => {
    let isOpen = true;
    const { certificates, asked } = open(async () => (isOpen ? await good() : await new Promise(() => {})));
    await certificates.read(url);
    isOpen = false;
    for (let n = 0; n < 4; n++) void certificates.read(other(n));
    expect(await certificates.read(other(5))).toBe(null);
    expect(await certificates.read(url)).not.toBe(null);
    expect(asked).toHaveLength(5);
  });
});

it('sns needs the topic, which is an option of nothing else', () => {
  const conflicts = (verifier: 'sns' | 'github', given: Record<string, string>) => {
    const read = readVerificationOptions(given);
    return read.ok ? optionConflicts(verifier, read.value).map(({ pointer }) => pointer) : 'refused';
  };
  expect(conflicts('sns', options)).toEqual([]);
  expect(conflicts('sns', {})).toEqual(['/options/topicArn']);
  expect(conflicts('github', options)).toEqual(['/options/topicArn']);
  expect(conflicts('sns', { topicArn: 'orders' })).toBe('refused');
});
