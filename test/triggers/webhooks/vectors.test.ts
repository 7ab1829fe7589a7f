// The published signature vectors, and the bodies of real events signed by the senders' own libraries.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Webhooks } from '@octokit/webhooks';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import { readBody } from '../../../src/triggers/webhooks/body/body.ts';
import type { Delivery } from '../../../src/triggers/webhooks/verification/delivery.ts';
import type { VerificationRule } from '../../../src/triggers/webhooks/verification/verification-rule.ts';
import { verifyDelivery } from '../../../src/triggers/webhooks/verification/verify.ts';
import { delivery, NOW_MS, rule, SECONDS, SECRETS, STANDARD_SECRET, signed } from './signing.ts';

const SHARED = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const VECTORS = `${SHARED}signatures/vectors.json`;
const hasVectors = existsSync(VECTORS);

interface Vector {
  readonly scheme: string;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly secret: string;
  readonly body: string;
  readonly signature: string;
  readonly valid: boolean;
  readonly source: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function caseOf(vector: Vector): { delivery: Delivery; rule: VerificationRule; nowMs: number } {
  const { body, signature, headers = {} } = vector;
  const secrets = [vector.secret];
  const sentAt = headers['webhook-timestamp'] ?? headers['x-slack-request-timestamp'] ?? SECONDS;
  const nowMs = Number(sentAt) * 1000;
  switch (vector.scheme) {
    case 'github':
      return {
        delivery: delivery({ 'x-hub-signature-256': signature }, body),
        rule: rule({ verifier: 'github', secrets }),
        nowMs,
      };
    case 'standard-webhooks':
      return {
        delivery: delivery({ ...headers, 'webhook-signature': signature }, body),
        rule: rule({ verifier: 'standard_webhooks', secrets }),
        nowMs,
      };
    case 'slack':
      return {
        delivery: delivery({ ...headers, 'x-slack-signature': signature }, body),
        rule: rule({ verifier: 'slack', secrets }),
        nowMs,
      };
    case 'raw-hmac':
    case 'adnanh':
      return {
        delivery: delivery({ 'x-signature': signature }, body),
        rule: rule({ verifier: 'hmac', secrets, options: { algorithm: vector.algorithm } }),
        nowMs,
      };
    default:
      throw new Error(`unknown scheme ${vector.scheme}`);
  }
}

describe.skipIf(!hasVectors)('published vectors (skipped where ../shared/data/signatures is absent)', () => {
  const vectors = hasVectors ? (JSON.parse(readFileSync(VECTORS, 'utf8')) as Vector[]) : [];
  it.each(vectors.map((vector, i) => [i, vector.source, vector.valid, vector] as const))(
    'row %i of %s is valid: %s',
    (_i, _source, valid, vector) => {
      const { delivery: sent, rule: asked, nowMs } = caseOf(vector);
      expect(verifyDelivery(sent, asked, nowMs).ok).toBe(valid);
    },
  );
  it('has all rows', () => expect(vectors.length).toBeGreaterThanOrEqual(22));
});

const bodiesOf = (folder: string): readonly (readonly [string, string])[] => {
  const path = `${SHARED}webhooks/${folder}/`;
  if (!existsSync(path)) return [];
  return readdirSync(path).map((file) => [file, readFileSync(path + file, 'utf8')] as const);
};
const GITHUB = bodiesOf('github');
const SLACK = bodiesOf('slack');
const FORGES = bodiesOf('other-forges');
const STRIPE = bodiesOf('stripe').flatMap(([, text]) =>
  Object.entries((JSON.parse(text) as { resources: Record<string, Json> }).resources).map(
    ([name, object]) =>
      [
        name,
        JSON.stringify(
          { id: `evt_${name}`, object: 'event', type: `${name}.updated`, data: { object } },
          null,
          2,
        ),
      ] as const,
  ),
);

/** Accepts as it is, and not once a byte of it is another. */
function expectGenuine(sent: Delivery, asked: VerificationRule, deliveryId: string): void {
  expect(verifyDelivery(sent, asked, NOW_MS)).toEqual({ ok: true, deliveryId });
  const changed = Buffer.from(sent.rawBody);
  changed[changed.length >> 1]! ^= 1;
  expect(verifyDelivery({ ...sent, rawBody: changed }, asked, NOW_MS).ok).toBe(false);
  const body = readBody(sent.rawBody, 'application/json');
  expect(body).toEqual({ ok: true, value: { warnings: [], body: JSON.parse(sent.rawBody.toString()) } });
}

describe.skipIf(GITHUB.length === 0)(
  "real bodies, signed by the senders' libraries (skipped where ../shared/data/webhooks is absent)",
  () => {
    it.each([...GITHUB, ...FORGES])('GitHub: @octokit/webhooks signs %s', async (_file, body) => {
      const signature = await new Webhooks({ secret: SECRETS.github }).sign(body);
      const id = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
      const sent = delivery({ 'x-hub-signature-256': signature, 'x-github-delivery': id }, body);
      expectGenuine(sent, rule({ verifier: 'github' }), id);
    });

    it.each([...GITHUB, ...FORGES])('Standard Webhooks: standardwebhooks signs %s', (_file, body) => {
      const sender = new Webhook(STANDARD_SECRET);
      const signature = sender.sign('msg_2', new Date(NOW_MS), body);
      const headers = { 'webhook-id': 'msg_2', 'webhook-timestamp': SECONDS, 'webhook-signature': signature };
      expectGenuine(delivery(headers, body), rule({ verifier: 'standard_webhooks' }), 'msg_2');
    });

    it.each(STRIPE)('Stripe: stripe signs an event with a %s', (name, body) => {
      const header = new Stripe('sk_test_none').webhooks.generateTestHeaderString({
        payload: body,
        secret: SECRETS.stripe,
        timestamp: Number(SECONDS),
      });
      expectGenuine(
        delivery({ 'stripe-signature': header }, body),
        rule({ verifier: 'stripe' }),
        `evt_${name}`,
      );
    });

    it.each(SLACK)("Slack: %s, by Slack's formula", (_file, body) => {
      const { event_id: eventId } = JSON.parse(body) as { event_id?: string };
      const id = eventId === undefined || eventId === '' ? expect.stringMatching(/^sha256:/) : eventId;
      expectGenuine(signed('slack', body), rule({ verifier: 'slack' }), id as string);
    });
  },
);
