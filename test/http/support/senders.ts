// Senders of webhooks: what each puts into the headers of a delivery, made with its own library where there is one.
import { createHmac } from 'node:crypto';
import { Webhooks } from '@octokit/webhooks';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

export interface SentDelivery {
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SendOptions {
  readonly secret: string;
  readonly id: string;
  /** Of the signature; now where absent. */
  readonly at?: Date;
}

const JSON_TYPE = { 'content-type': 'application/json' };

export async function fromGithub(body: string, { secret, id }: SendOptions): Promise<SentDelivery> {
  const signature = await new Webhooks({ secret }).sign(body);
  return {
    body,
    headers: {
      ...JSON_TYPE,
      'x-github-event': 'push',
      'x-github-delivery': id,
      'x-hub-signature-256': signature,
    },
  };
}

export function fromStandard(body: string, { secret, id, at = new Date() }: SendOptions): SentDelivery {
  return {
    body,
    headers: {
      ...JSON_TYPE,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    },
  };
}

/** The delivery's id is the body's `id`. */
export function fromStripe(body: string, { secret, at = new Date() }: Omit<SendOptions, 'id'>): SentDelivery {
  const timestamp = Math.floor(at.getTime() / 1000);
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return { body, headers: { ...JSON_TYPE, 'stripe-signature': signature } };
}

/** Slack has no library that signs (docs.slack.dev, verifying requests). The id is the body's `event_id`. */
export function fromSlack(
  body: string,
  {
    secret,
    at = new Date(),
    contentType = 'application/json',
  }: Omit<SendOptions, 'id'> & { contentType?: string },
): SentDelivery {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    body,
    headers: {
      'content-type': contentType,
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    },
  };
}

export function fromHmac(body: string | Buffer, { secret, id }: SendOptions): SentDelivery {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return { body, headers: { ...JSON_TYPE, 'x-signature-256': `sha256=${signature}`, 'x-delivery-id': id } };
}

/** Sends over the network; the answer's status and JSON. */
export async function send(
  url: string,
  { body, headers }: SentDelivery,
  method = 'POST',
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
): Promise<{ status: number; body: any; text: string }> {
  const response = await fetch(url, { method, headers: { ...headers }, body: body as string });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, body: isJson ? JSON.parse(text) : null, text };
}
