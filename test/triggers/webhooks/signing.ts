// Deliveries as their senders would make them, for the tests of verification.
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { WebhookVerifier } from '../../../src/core/trigger/webhook.ts';
import type { Delivery } from '../../../src/triggers/webhooks/verification/delivery.ts';
import type { VerificationRule } from '../../../src/triggers/webhooks/verification/verification-rule.ts';

export const NOW_MS = 1_763_650_000_000;
export const SECONDS = String(NOW_MS / 1000);
export const STANDARD_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const SECRETS: Readonly<Record<WebhookVerifier, string>> = {
  standard_webhooks: STANDARD_SECRET,
  github: "It's a Secret to Everybody",
  stripe: 'whsec_test_secret',
  slack: '8f742231b10e8888abcd99yyyzzz85a5',
  hmac: 'a plain secret',
  shopify: 'hush-of-shopify',
  zoom: 'zoom-secret-token',
  zendesk: 'dGhpc19zZWNyZXQ=',
  twilio: '12345-auth-token',
  discord: publicHex(),
  meta: 'app-secret-of-meta',
  // It has none (sns.test.ts).
  sns: '',
};
/** Where Twilio believes to send to. */
export const ADDRESS = 'https://me.example/hooks/default/calls?a=1';

function discordKey() {
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 5)]);
  return createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
}
function publicHex(): string {
  const der = createPublicKey(discordKey()).export({ format: 'der', type: 'spki' });
  return der.subarray(-32).toString('hex');
}

export function rule(
  change: Partial<VerificationRule> & { verifier: WebhookVerifier | null },
): VerificationRule {
  const secrets = change.verifier === null ? [] : [SECRETS[change.verifier]];
  return { authType: 'none', secrets, options: {}, url: ADDRESS, ...change };
}

export function delivery(headers: Delivery['headers'], body: string | Buffer = ''): Delivery {
  const rawBody = typeof body === 'string' ? Buffer.from(body) : body;
  return { method: 'POST', headers, query: {}, rawBody, target: '/hooks/default/x' };
}

/** What a sender of the scheme would send; `seconds` is its clock. */
export function signed(
  verifier: WebhookVerifier,
  body: string | Buffer,
  { secret = SECRETS[verifier], seconds = SECONDS, id = 'msg_1' } = {},
): Delivery {
  const raw = typeof body === 'string' ? Buffer.from(body) : body;
  const hmac = (key: string | Buffer, before: string, encoding: 'hex' | 'base64' = 'hex') =>
    createHmac('sha256', key).update(before).update(raw).digest(encoding);
  switch (verifier) {
    case 'standard_webhooks': {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      const signature = `v1,${hmac(key, `${id}.${seconds}.`, 'base64')}`;
      return delivery(
        { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signature },
        raw,
      );
    }
    case 'github':
      return delivery({ 'x-hub-signature-256': `sha256=${hmac(secret, '')}`, 'x-github-delivery': id }, raw);
    case 'stripe':
      return delivery({ 'stripe-signature': `t=${seconds},v1=${hmac(secret, `${seconds}.`)}` }, raw);
    case 'slack':
      return delivery(
        {
          'x-slack-request-timestamp': seconds,
          'x-slack-signature': `v0=${hmac(secret, `v0:${seconds}:`)}`,
        },
        raw,
      );
    case 'hmac':
      return delivery({ 'x-signature-256': `sha256=${hmac(secret, '')}`, 'x-delivery-id': id }, raw);
    case 'shopify':
      return delivery(
        { 'x-shopify-hmac-sha256': hmac(secret, '', 'base64'), 'x-shopify-webhook-id': id },
        raw,
      );
    case 'meta':
      return delivery({ 'x-hub-signature-256': `sha256=${hmac(secret, '')}` }, raw);
    case 'zoom':
      return delivery(
        { 'x-zm-request-timestamp': seconds, 'x-zm-signature': `v0=${hmac(secret, `v0:${seconds}:`)}` },
        raw,
      );
    case 'zendesk': {
      const at = new Date(Number(seconds) * 1000).toISOString();
      return delivery(
        {
          'x-zendesk-webhook-signature-timestamp': at,
          'x-zendesk-webhook-signature': hmac(secret, at, 'base64'),
          'x-zendesk-webhook-invocation-id': id,
        },
        raw,
      );
    }
    case 'twilio': {
      const form = new URLSearchParams(raw.toString());
      const fields = [...form.keys()].sort().map((name) => name + form.get(name));
      const signature = createHmac('sha1', secret)
        .update(ADDRESS + fields.join(''))
        .digest('base64');
      return delivery(
        { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
        raw,
      );
    }
    case 'sns':
      return delivery({ 'x-amz-sns-message-type': 'Notification' }, raw);
    case 'discord': {
      const signature = sign(null, Buffer.concat([Buffer.from(seconds), raw]), discordKey()).toString('hex');
      return delivery({ 'x-signature-timestamp': seconds, 'x-signature-ed25519': signature }, raw);
    }
  }
}

export function withHeader(from: Delivery, name: string, value: string | string[] | undefined): Delivery {
  return { ...from, headers: { ...from.headers, [name]: value } };
}
