// Deliveries as real senders make them: their own libraries, real bodies, a real port.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, makeWebhook, ORDERS, traces } from './support/hooks.ts';
import { fromGithub, fromHmac, fromSlack, fromStandard, fromStripe, send } from './support/senders.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/data/webhooks/', import.meta.url));
const filesOf = (sender: string): string[] =>
  existsSync(FOLDER + sender) ? readdirSync(FOLDER + sender).filter((file) => file.endsWith('.json')) : [];
const bodyOf = (sender: string, file: string) => readFileSync(`${FOLDER}${sender}/${file}`, 'utf8');

let service: TestService;
beforeAll(async () => {
  service = await openService({ listen: true });
  await applyTo(service, [ORDERS]);
});
afterAll(() => service.close());

async function stored(eventId: string) {
  const [row] = await service.query<{ body: unknown; headers: Record<string, string>; deliveryId: string }>(
    'select body, headers, delivery_id as "deliveryId" from dagwright.webhook_events where id = $1',
    [eventId],
  );
  return row!;
}

async function inputOf(executionId: string) {
  const [row] = await service.query<{ input: unknown; triggerType: string; trigger: object }>(
    'select input, trigger_type as "triggerType", trigger from dagwright.workflow_executions where id = $1',
    [executionId],
  );
  return row!;
}

describe.skipIf(!existsSync(FOLDER))('real bodies (skipped where ../shared/data/webhooks is absent)', () => {
  it.each(filesOf('github'))('%s of GitHub, signed by @octokit/webhooks, starts one run', async (file) => {
    const hook = await makeWebhook(service, { verifier: 'github' });
    const body = bodyOf('github', file);
    const delivery = await fromGithub(body, {
      secret: hook.secret,
      id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    });
    const answer = await send(hook.url, delivery);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      eventId: expect.any(String),
      status: 'processed',
      executionId: expect.any(String),
    });
    const event = await stored(answer.body.eventId);
    expect(event.deliveryId).toBe('72d3162e-cc78-11e3-81ab-4c9367dc0958');
    expect(event.body).toEqual(JSON.parse(body));
    expect(event.headers).not.toHaveProperty('x-hub-signature-256');
    const run = await inputOf(answer.body.executionId);
    expect(run.triggerType).toBe('webhook');
    expect(run.input).toEqual(JSON.parse(body));
  });

  it('every Stripe event, signed by its library, starts one run under the id of the event', async () => {
    const hook = await makeWebhook(service, { verifier: 'stripe', secret: 'whsec_test_secret_of_stripe' });
    const resources = Object.values(JSON.parse(bodyOf('stripe', 'fixtures3.json')).resources ?? {}).slice(
      0,
      25,
    );
    expect(resources.length).toBeGreaterThan(10);
    for (const [i, object] of resources.entries()) {
      const body = JSON.stringify({ id: `evt_${i}`, object: 'event', type: 'test', data: { object } });
      const answer = await send(hook.url, fromStripe(body, { secret: hook.secret }));
      expect(answer.status, answer.text).toBe(202);
      expect((await stored(answer.body.eventId)).deliveryId).toBe(`evt_${i}`);
    }
    expect(await traces(service, hook.id)).toEqual({
      events: resources.length,
      executions: resources.length,
    });
  });

  it.each(filesOf('slack'))('%s of Slack starts one run', async (file) => {
    const hook = await makeWebhook(service, { verifier: 'slack' });
    const answer = await send(hook.url, fromSlack(bodyOf('slack', file), { secret: hook.secret }));
    expect(answer.status, answer.text).toBe(202);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it.each(filesOf('other-forges'))(
    '%s, signed by standardwebhooks and by a plain HMAC, starts a run each',
    async (file) => {
      const body = bodyOf('other-forges', file);
      const standard = await makeWebhook(service, { verifier: 'standard_webhooks' });
      expect(
        (await send(standard.url, fromStandard(body, { secret: standard.secret, id: 'msg_1' }))).status,
      ).toBe(202);
      const plain = await makeWebhook(service, { verifier: 'hmac' });
      expect((await send(plain.url, fromHmac(body, { secret: plain.secret, id: '1' }))).status).toBe(202);
      expect(await traces(service, standard.id)).toEqual({ events: 1, executions: 1 });
      expect(await traces(service, plain.id)).toEqual({ events: 1, executions: 1 });
    },
  );
});

describe('what a run sees of its delivery', () => {
  it('is the body, the query, the method and the headers without credentials', async () => {
    const hook = await makeWebhook(service, {
      authType: 'bearer',
      secret: 'a-bearer-secret-1234',
      inputMapping: { what: '{{ body.kind }}', from: '$.headers["x-source"]', page: '{{ query.page }}' },
    });
    const answer = await send(`${hook.url}?page=2&page=3&x=%C3%A9`, {
      body: JSON.stringify({ kind: 'order' }),
      headers: {
        'content-type': 'application/json',
        'x-source': 'shop',
        authorization: 'Bearer a-bearer-secret-1234',
        cookie: 'session=1',
      },
    });
    expect(answer.status, answer.text).toBe(202);
    const run = await inputOf(answer.body.executionId);
    expect(run.input).toEqual({ what: 'order', from: 'shop', page: ['2', '3'] });
    expect(run.trigger).toMatchObject({
      webhookId: hook.id,
      eventId: answer.body.eventId,
      method: 'POST',
      query: { page: ['2', '3'], x: 'é' },
      body: { kind: 'order' },
      headers: { 'x-source': 'shop' },
    });
    expect(JSON.stringify(run.trigger)).not.toMatch(/a-bearer-secret-1234|session=1/);
  });

  it('is a form as its fields, and a body without a content type by what it looks like', async () => {
    const hook = await makeWebhook(service, { authType: 'secret' });
    const headers = { 'x-webhook-secret': hook.secret };
    const form = await send(hook.url, {
      body: 'a=1&b=2&b=3',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect((await stored(form.body.eventId)).body).toEqual({ a: '1', b: ['2', '3'] });
    const json = await send(hook.url, { body: Buffer.from('{"a":1}'), headers });
    expect((await stored(json.body.eventId)).body).toEqual({ a: 1 });
    const empty = await send(hook.url, { body: '', headers });
    expect((await stored(empty.body.eventId)).body).toBeNull();
  });
});

describe("Slack's question whether the address is right", () => {
  it('is answered after its signature was verified, and stores nothing', async () => {
    const hook = await makeWebhook(service, { verifier: 'slack' });
    const body = JSON.stringify({ type: 'url_verification', token: 'x', challenge: 'abc123' });
    const answer = await send(hook.url, fromSlack(body, { secret: hook.secret }));
    expect([answer.status, answer.body]).toEqual([200, { challenge: 'abc123' }]);
    expect((await send(hook.url, fromSlack(body, { secret: 'wrong-secret' }))).status).toBe(401);
    expect(await traces(service, hook.id)).toEqual({ events: 0, executions: 0 });
  });
});
