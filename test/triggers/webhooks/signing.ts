// Deliveries as their senders would make them, for the tests of verification.
import { createHmac } from 'node:crypto';
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
};

export function rule(
  change: Partial<VerificationRule> & { verifier: WebhookVerifier | null },
): VerificationRule {
  const secrets = change.verifier === null ? [] : [SECRETS[change.verifier]];
  return { authType: 'none', secrets, options: {}, ...change };
}

export function delivery(headers: Delivery['headers'], body: string | Buffer = ''): Delivery {
  const rawBody = typeof body === 'string' ? Buffer.from(body) : body;
  return { method: 'POST', headers, query: {}, rawBody };
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
  }
}

export function withHeader(from: Delivery, name: string, value: string | string[] | undefined): Delivery {
  return { ...from, headers: { ...from.headers, [name]: value } };
}
