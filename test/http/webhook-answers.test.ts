// What senders of webhooks are answered besides 202: questions whether the address is right, other methods, and what the owner of
// the webhook wants them to be told.
import { createHmac, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { until } from '../support/engine.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { patience } from '../support/patience.ts';
import { openService, type TestService } from '../support/service.ts';
import { TOPIC_CERTIFICATE } from '../triggers/webhooks/topic-certificate.ts';
import { CERTIFICATE_URL, SUBSCRIBE_URL, TOPIC_ARN, topicMessage } from '../triggers/webhooks/topics.ts';
import { applyTo, type MadeWebhook, makeWebhook, ORDERS, STRICT, traces } from './support/hooks.ts';
import { fromHmac, send } from './support/senders.ts';

const SUM = {
  workflowId: 'sum',
  nodes: [
    {
      taskId: 'add',
      taskType: 'transformation',
      dependsOn: [],
      config: { output: { total: '{{ input.a + input.b }}' } },
    },
  ],
  output: '{{ tasks.add.output }}',
} as unknown as WorkflowDefinition;
const FAILS = {
  workflowId: 'fails',
  nodes: [
    { taskId: 'no', taskType: 'fail', dependsOn: [], config: { code: 'sold_out', message: 'none left' } },
  ],
} as unknown as WorkflowDefinition;
const WAITS = {
  workflowId: 'waits',
  nodes: [{ taskId: 'w', taskType: 'wait', dependsOn: [], config: { seconds: 3600 } }],
} as unknown as WorkflowDefinition;

let service: TestService;
/** Addresses that were confirmed, and what each is answered. */
const confirmed: string[] = [];
let confirms = async (): Promise<number> => 200;
let certificate: X509Certificate | null = null;
beforeAll(async () => {
  service = await openService({
    listen: true,
    worker: true,
    secrets: secretsInEnvironment({ META_VERIFY: 'a-verify-token' }),
  });
  Object.assign(service.service, {
    fetchStatus: async (url: URL) => {
      confirmed.push(url.href);
      return await confirms();
    },
    certificates: { read: async (url: URL) => (url.href === CERTIFICATE_URL ? certificate : null) },
  });
  await applyTo(service, [ORDERS, STRICT, SUM, FAILS, WAITS]);
});
afterAll(() => service.close());

const get = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
};
const refused = async (given: Record<string, unknown>) =>
  await service.call('POST', '/v1/webhooks', { body: { workflowId: 'orders', path: 'refused', ...given } });

describe('a question whether the address is right', () => {
  it('hub.challenge is answered to who shows the verify token, and to nobody else; deliveries go on', async () => {
    const hook = await makeWebhook(service, {
      verifier: 'meta',
      handshakes: [{ type: 'hub_challenge', verifyToken: '{{ secrets.META_VERIFY }}' }],
    });
    const ask = (token: string, mode = 'subscribe') =>
      get(`${hook.url}?hub.mode=${mode}&hub.challenge=1158201444&hub.verify_token=${token}`);
    const right = await ask('a-verify-token');
    expect([right.status, right.text, right.headers.get('content-type')]).toEqual([
      200,
      '1158201444',
      'text/plain; charset=utf-8',
    ]);
    for (const answer of [await ask('another-token'), await ask(''), await ask('a-verify-token', 'other')])
      expect(answer.status).toBe(401);
    const body = '{"object":"page"}';
    const signature = `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`;
    const sent = { body, headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature } };
    const [first, again] = [await send(hook.url, sent), await send(hook.url, sent)];
    expect([first.status, again.body]).toEqual([202, first.body]);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it('validationToken is sent back as text, only where the webhook says so', async () => {
    const hook = await makeWebhook(service, { handshakes: [{ type: 'validation_token' }] });
    const answer = await get(`${hook.url}?validationToken=${encodeURIComponent('<b>Validation: 12 é</b>')}`, {
      method: 'POST',
    });
    expect([answer.status, answer.text]).toEqual([200, '<b>Validation: 12 é</b>']);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const other = await makeWebhook(service);
    expect((await get(`${other.url}?validationToken=x`, { method: 'POST' })).status).toBe(401);
  });

  it('zoom is shown that the endpoint knows the token, if the question is signed', async () => {
    const hook = await makeWebhook(service, { verifier: 'zoom' });
    const body = '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}';
    const at = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', hook.secret).update(`v0:${at}:${body}`).digest('hex')}`;
    const headers = {
      'content-type': 'application/json',
      'x-zm-request-timestamp': at,
      'x-zm-signature': signature,
    };
    const answer = await send(hook.url, { body, headers });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        plainToken: 'qgg8vlvZRS6UYooatFL8Aw',
        encryptedToken: createHmac('sha256', hook.secret).update('qgg8vlvZRS6UYooatFL8Aw').digest('hex'),
      },
    ]);
    // While the sender changes over, it still has the one before.
    await service.call('PATCH', `/v1/webhooks/${hook.id}`, { body: { secret: 'the-next-token-of-zoom' } });
    expect((await send(hook.url, { body, headers })).body).toEqual(answer.body);
    const forged = await send(hook.url, { body, headers: { ...headers, 'x-zm-signature': 'v0=00' } });
    expect(forged.status).toBe(401);
    expect(await traces(service, hook.id)).toEqual({ events: 0, executions: 0 });
  });

  it('asana brings the secret, once; then it signs with it', async () => {
    const made = await makeWebhook(service, {
      verifier: 'hmac',
      options: { signatureHeader: 'x-hook-signature' },
      handshakes: [{ type: 'asana' }],
    });
    expect(made.secret).toBe(undefined);
    const shake = (secret: string) => get(made.url, { method: 'POST', headers: { 'x-hook-secret': secret } });
    const secret = 'b537207f20cbfa02357cf448134da559';
    const first = await shake(secret);
    expect([first.status, first.headers.get('x-hook-secret')]).toEqual([200, secret]);
    // Again it is answered, another is not taken.
    expect([(await shake(secret)).status, (await shake(secret.replace('b', 'c'))).status]).toEqual([
      200, 401,
    ]);
    const body = '{"events":[]}';
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const sent = (value: string) => ({
      body,
      headers: { 'content-type': 'application/json', 'x-hook-signature': value },
    });
    expect((await send(made.url, sent(signature))).status).toBe(202);
    expect((await send(made.url, sent(signature.replace(/^./, 'x')))).status).toBe(401);
    expect((await service.call('GET', `/v1/webhooks/${made.id}`)).body.hasSecret).toBe(true);
  });

  it('a subscription of SNS is confirmed at Amazon only, and only for who proves itself', async () => {
    const topicArn = 'arn:aws:sns:eu-central-1:123456789012:orders';
    const hook = await makeWebhook(service, {
      authType: 'basic',
      secret: 'sns:a-long-password',
      handshakes: [{ type: 'sns', topicArn }],
    });
    const ask = (changed: object = {}, password = 'a-long-password', type = 'SubscriptionConfirmation') => {
      const url = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t';
      const body = JSON.stringify({
        Type: type,
        TopicArn: topicArn,
        SubscribeURL: url,
        Message: 'm',
        ...changed,
      });
      const authorization = `Basic ${Buffer.from(`sns:${password}`).toString('base64')}`;
      const headers = {
        'content-type': 'text/plain; charset=UTF-8',
        'x-amz-sns-message-type': type,
        authorization,
      };
      return send(hook.url, { body, headers: { ...headers, 'x-amz-sns-message-id': `m-${type}` } });
    };
    expect((await ask({}, 'wrong')).status).toBe(401);
    for (const SubscribeURL of [
      'http://sns.eu-central-1.amazonaws.com/',
      'https://sns.eu-central-1.amazonaws.com.evil.example/',
      'https://169.254.169.254/latest',
      'https://sns.eu-central-1.amazonaws.com:8443/',
      7,
    ])
      expect((await ask({ SubscribeURL })).status, String(SubscribeURL)).toBe(403);
    expect((await ask({ TopicArn: `${topicArn}2` })).status).toBe(403);
    expect(confirmed).toEqual([]);
    confirms = async () => 500;
    expect((await ask()).status).toBe(503);
    confirms = () => Promise.reject(new Error('blocked'));
    expect((await ask()).status).toBe(503);
    confirms = async () => 200;
    expect((await ask()).body).toEqual({ status: 'confirmed' });
    expect(confirmed).toHaveLength(3);
    expect(await traces(service, hook.id)).toEqual({ events: 0, executions: 0 });
    // What comes then is JSON, though SNS calls it text, and has a name.
    const [event, again] = [
      await ask({}, undefined, 'Notification'),
      await ask({}, undefined, 'Notification'),
    ];
    expect([event.body.status, again.body]).toEqual(['processed', event.body]);
    const { body } = await service.call('GET', `/v1/executions/${event.body.executionId}`);
    expect(body.input).toMatchObject({ Type: 'Notification', Message: 'm' });
    // And is read as strictly as JSON is.
    const raw = (text: string, more: Record<string, string> = {}) =>
      send(hook.url, {
        body: text,
        headers: {
          'content-type': 'text/plain; charset=UTF-8',
          'x-amz-sns-message-type': 'Notification',
          'x-amz-sns-message-id': text.slice(0, 40),
          authorization: `Basic ${Buffer.from('sns:a-long-password').toString('base64')}`,
          ...more,
        },
      });
    const long = await raw('{"Type":"Notification","id":12345678901234567890}');
    const kept = await service.call('GET', `/v1/executions/${long.body.executionId}`);
    expect(kept.body.input).toMatchObject({ id: '12345678901234567890' });
    for (const [text, status] of [
      ['{"Type":"Notification",', 400],
      ['no JSON', 400],
      ['{"a":1,"a":2}', 422],
      [`${'['.repeat(300)}${']'.repeat(300)}`, 422],
    ] as const)
      expect((await raw(text)).status, text).toBe(status);
    expect((await traces(service, hook.id)).events).toBe(2);
    // What it hands on raw may be anything.
    for (const [text, input] of [
      ['a plain message', { body: 'a plain message' }],
      ['{"order":12345678901234567890}', { order: '12345678901234567890' }],
    ] as const) {
      const handedOn = await raw(text, { 'x-amz-sns-rawdelivery': 'true' });
      expect(handedOn.body.status).toBe('processed');
      const { body: run } = await service.call('GET', `/v1/executions/${handedOn.body.executionId}`);
      expect(run.input).toEqual(input);
    }
  });

  it('a redirect of who confirms confirms nothing', async () => {
    const hook = await makeWebhook(service, {
      authType: 'basic',
      secret: 'sns:a-long-password',
      handshakes: [{ type: 'sns' }],
    });
    confirms = async () => 302;
    const answer = await send(hook.url, {
      body: JSON.stringify({
        Type: 'SubscriptionConfirmation',
        SubscribeURL: 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription',
      }),
      headers: {
        'content-type': 'text/plain; charset=UTF-8',
        'x-amz-sns-message-type': 'SubscriptionConfirmation',
        authorization: `Basic ${Buffer.from('sns:a-long-password').toString('base64')}`,
      },
    });
    expect(answer.status).toBe(503);
    confirms = async () => 200;
  });

  it("a topic's messages count by their own signature: its confirmation, and what comes then, once", async () => {
    confirmed.length = 0;
    const hook = await makeWebhook(service, { verifier: 'sns', options: { topicArn: TOPIC_ARN } });
    expect((await service.call('GET', `/v1/webhooks/${hook.id}`)).body).toMatchObject({
      hasSecret: false,
      authType: 'none',
      warnings: [],
    });
    const deliver = (message: object) =>
      send(hook.url, {
        body: JSON.stringify(message),
        headers: { 'content-type': 'text/plain; charset=UTF-8' },
      });
    const confirmation = topicMessage('SubscriptionConfirmation');
    certificate = null;
    expect((await deliver(confirmation)).status).toBe(503);
    certificate = new X509Certificate(TOPIC_CERTIFICATE);
    expect((await deliver({ ...confirmation, Token: 'another' })).status).toBe(401);
    expect(confirmed).toEqual([]);
    expect((await deliver(confirmation)).body).toEqual({ status: 'confirmed' });
    expect(confirmed).toEqual([SUBSCRIBE_URL]);
    const message = topicMessage('Notification', { Message: 'm' }, '1');
    const first = await deliver(message);
    expect([first.body.status, (await deliver(message)).body]).toEqual(['processed', first.body]);
    const { body } = await service.call('GET', `/v1/executions/${first.body.executionId}`);
    expect(body.input).toMatchObject({ Type: 'Notification', Message: 'm' });
    for (const changed of [{ Message: 'n' }, { TopicArn: `${TOPIC_ARN}2` }, { MessageId: 'another' }])
      expect((await deliver({ ...message, ...changed })).status).toBe(401);
    // Anybody has a topic, and Amazon signs for it.
    expect((await deliver(topicMessage('Notification', { TopicArn: `${TOPIC_ARN}2` }))).status).toBe(401);
    expect((await deliver(topicMessage('UnsubscribeConfirmation'))).body).toEqual({ status: 'noted' });
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it.each<[object, string]>([
    [{ verifier: 'sns' }, '/options/topicArn'],
    [{ handshakes: [{ type: 'nothing' }] }, '/handshakes/0/type'],
    [{ handshakes: [{ type: 'hub_challenge' }] }, '/handshakes/0/verifyToken'],
    [{ handshakes: [{ type: 'hub_challenge', verifyToken: 'short' }] }, '/handshakes/0/verifyToken'],
    [{ handshakes: [{ type: 'validation_token', host: 'x' }] }, '/handshakes/0/host'],
    [{ handshakes: [{ type: 'validation_token' }, { type: 'validation_token' }] }, '/handshakes/1/type'],
    [{ handshakes: [{ type: 'zoom' }] }, '/handshakes/0/type'],
    [{ handshakes: [{ type: 'asana' }] }, '/handshakes/0/type'],
    [{ verifier: 'discord' }, '/secret'],
    [{ verifier: 'discord', secret: 'no public key' }, '/secret'],
    [{ methods: ['DELETE'] }, '/methods/0'],
    [{ verifier: 'hmac', methods: ['GET', 'POST'] }, '/methods'],
    [{ verifier: 'github', methods: ['GET'] }, '/methods'],
    [{ authType: 'none', handshakes: [{ type: 'sns' }] }, '/handshakes/0'],
    [{ respond: { when: 'later' } }, '/respond/when'],
    [{ respond: { withinSeconds: 61 } }, '/respond/withinSeconds'],
    [{ respond: { when: 'received', withinSeconds: 5 } }, '/respond/withinSeconds'],
    [{ respond: { status: 99 } }, '/respond/status'],
    [{ respond: { headers: { 'set-cookie': 'a=1' } } }, '/respond/headers/set-cookie'],
    [{ respond: { body: '{{ nothing.at.all }}' } }, '/respond/body'],
  ])('%j is refused with its place', async (given, pointer) => {
    const answer = await refused(given as Record<string, unknown>);
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map((problem: { pointer: string }) => problem.pointer)).toContain(pointer);
  });
});

describe('methods', () => {
  it('GET and PUT are deliveries where the webhook says so; HEAD is answered, and nothing else', async () => {
    const hook = await makeWebhook(service, { methods: ['GET', 'PUT', 'HEAD'] });
    const headers = { 'x-webhook-secret': hook.secret };
    const byGet = await get(`${hook.url}?a=1&b=x&b=y`, { headers });
    expect(byGet.status).toBe(202);
    const { body: run } = await service.call('GET', `/v1/executions/${JSON.parse(byGet.text).executionId}`);
    expect(run.input).toEqual({ a: '1', b: ['x', 'y'] });
    const json = { ...headers, 'content-type': 'application/json' };
    const byPut = await get(hook.url, { method: 'PUT', headers: json, body: '{"a":2}' });
    expect(byPut.status).toBe(202);
    const head = await get(hook.url, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    expect((await get(hook.url, { method: 'POST', headers: json, body: '{}' })).status).toBe(401);
    expect((await get(hook.url)).status).toBe(401);
    expect(await traces(service, hook.id)).toEqual({ events: 2, executions: 2 });
  });

  it('a webhook without methods takes POST, and is not there for others', async () => {
    const hook = await makeWebhook(service);
    const headers = { 'x-webhook-secret': hook.secret };
    for (const method of ['GET', 'PUT', 'HEAD'])
      expect((await get(hook.url, { method, headers })).status, method).toBe(401);
    expect((await get(hook.url, { method: 'DELETE', headers })).status).toBe(405);
    expect((await service.call('GET', `/v1/webhooks/${hook.id}`)).body).toMatchObject({
      methods: null,
      handshakes: null,
      respond: null,
    });
  });
});

describe('respond', () => {
  let n = 0;
  const deliver = async (hook: MadeWebhook, body: object, id = `d-${++n}`) => {
    const { body: raw, headers } = fromHmac(JSON.stringify(body), { secret: hook.secret, id });
    const response = await fetch(hook.url, { method: 'POST', headers, body: raw as string });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };

  it('answers with the output when the execution has ended; a repetition gets the same', async () => {
    const hook = await makeWebhook(service, {
      workflowId: 'sum',
      verifier: 'hmac',
      respond: { when: 'completed' },
    });
    const first = await deliver(hook, { a: 1, b: 2 }, 'same');
    expect([first.status, JSON.parse(first.text)]).toEqual([200, { total: 3 }]);
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await deliver(hook, { a: 1, b: 2 }, 'same')).text).toBe(first.text);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it('answers what the owner writes: status, headers and body over the event and the execution', async () => {
    const respond = {
      status: '{{ execution.status == "completed" ? 201 : 409 }}',
      headers: { 'Content-Type': 'text/xml', 'X-Execution': '{{ execution.id }}' },
      body: '<Response><Say>{{ body.name }}: {{ execution.output.total ?? execution.error.message }}</Say></Response>',
    };
    const hook = await makeWebhook(service, { workflowId: 'sum', verifier: 'hmac', respond });
    const good = await deliver(hook, { a: 1, b: 2, name: 'Ada' });
    expect([good.status, good.text, good.headers.get('content-type')]).toEqual([
      201,
      '<Response><Say>Ada: 3</Say></Response>',
      'text/xml',
    ]);
    expect(good.headers.get('x-execution')).toMatch(/^[0-9a-f-]{36}$/);
    const failing = await makeWebhook(service, { workflowId: 'fails', verifier: 'hmac', respond });
    const bad = await deliver(failing, { name: 'Ada' });
    expect([bad.status, bad.text]).toEqual([409, '<Response><Say>Ada: none left</Say></Response>']);
  });

  it('a failed execution is 500 where nothing else is said; a delivery that starts none is 202 as ever', async () => {
    const hook = await makeWebhook(service, { workflowId: 'fails', verifier: 'hmac', respond: {} });
    const answer = await deliver(hook, {});
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      500,
      { executionId: expect.any(String), status: 'failed' },
    ]);
    const strict = await makeWebhook(service, { workflowId: 'strict', verifier: 'hmac', respond: {} });
    const unfit = await deliver(strict, {});
    expect([unfit.status, JSON.parse(unfit.text).status]).toEqual([202, 'failed']);
  });

  it('after withinSeconds, and where the answer cannot be made, it is 202 with the receipt', async () => {
    const slow = await makeWebhook(service, {
      workflowId: 'waits',
      verifier: 'hmac',
      respond: { withinSeconds: 1 },
    });
    const sinceMs = performance.now();
    const late = await deliver(slow, {});
    // Far more than the second, far less than the 25 of who says nothing.
    expect(performance.now() - sinceMs).toBeLessThan(patience(15_000));
    expect([late.status, JSON.parse(late.text)]).toEqual([
      202,
      { eventId: expect.any(String), status: 'processed', executionId: expect.any(String) },
    ]);
    const broken = await makeWebhook(service, {
      workflowId: 'sum',
      verifier: 'hmac',
      respond: { body: '{{ execution.output.none }}' },
    });
    expect((await deliver(broken, { a: 1, b: 2 })).status).toBe(202);
    expect(JSON.stringify(service.logged)).toContain('the answer to a delivery could not be made');
  });

  it('a waiting delivery counts by its size: large ones leave room for others', async () => {
    const LARGE = { a: 1, b: 2, pad: ['x'.repeat(450_000), 'x'.repeat(450_000)] };
    const waiting = await makeWebhook(service, {
      workflowId: 'waits',
      verifier: 'hmac',
      respond: { withinSeconds: 60 },
    });
    const quick = await makeWebhook(service, { workflowId: 'sum', verifier: 'hmac', respond: {} });
    const gone = new AbortController();
    // 46 places each, of the 500 that a tenant may have.
    const held = Array.from({ length: 10 }, (_, i) => {
      const { body, headers } = fromHmac(JSON.stringify(LARGE), { secret: waiting.secret, id: `large-${i}` });
      return fetch(waiting.url, { method: 'POST', headers, body: body as string, signal: gone.signal }).catch(
        (error: Error) => error.name,
      );
    });
    await until(async () => (await traces(service, waiting.id)).events === held.length);
    await until(async () => (await deliver(quick, LARGE)).status === 202);
    expect((await deliver(quick, { a: 1, b: 2 })).status).toBe(200);
    gone.abort();
    expect(await Promise.all(held)).toEqual(Array(held.length).fill('AbortError'));
    await until(async () => (await deliver(quick, LARGE)).status === 200);
  });

  it('at once, with `when: received`', async () => {
    const hook = await makeWebhook(service, {
      workflowId: 'waits',
      verifier: 'hmac',
      respond: { when: 'received', status: 200, body: { type: 5, id: '{{ execution.id }}' } },
    });
    const answer = await deliver(hook, {});
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { type: 5, id: expect.any(String) }]);
    const empty = await makeWebhook(service, {
      workflowId: 'waits',
      verifier: 'hmac',
      respond: { when: 'received', status: 204 },
    });
    expect(await deliver(empty, {})).toMatchObject({ status: 204, text: '' });
  });
});

describe('a body with numbers that a double does not hold', () => {
  it.each<[string, string, object]>([
    ['a number beyond doubles', '{"a":[1e400]}', { a: ['1e400'] }],
    ['a number of 200,000 digits', '{"a":1e200000}', { a: '1e200000' }],
    ['an integer that would be rounded', '{"id":12345678901234567890}', { id: '12345678901234567890' }],
  ])('%s is kept as a text, with one warning of its event', async (what, body, kept) => {
    const { url, id, secret } = await makeWebhook(service, { verifier: 'hmac' });
    const answer = await send(url, fromHmac(body, { secret, id: what }));
    expect([answer.status, answer.body.status]).toEqual([202, 'processed']);
    const { eventId, executionId } = answer.body;
    const event = await service.call('GET', `/v1/webhooks/${id}/events/${eventId}`);
    const [pointer] = Object.keys(kept);
    expect(event.body).toMatchObject({ body: kept, warnings: [{ code: 'long_number' }] });
    expect(event.body.warnings).toHaveLength(1);
    expect(event.body.warnings[0].pointer).toMatch(`/${pointer}`);
    expect((await service.call('GET', `/v1/executions/${executionId}`)).body.input).toEqual(kept);
    expect((await service.call('POST', `/v1/webhooks/${id}/events/${eventId}/replay`)).body.status).toBe(
      'processed',
    );
  });
});

it('warns of two proofs, and of a signature without a name for the delivery', async () => {
  const made = async (given: object) =>
    (await refusedNot(given)).body.warnings.map((one: { code: string }) => one.code);
  expect(await made({ verifier: 'github', authType: 'secret' })).toEqual(['two_proofs']);
  expect(await made({ verifier: 'hmac' })).toEqual(['no_delivery_id']);
  expect(await made({ verifier: 'hmac', options: { deliveryIdHeader: 'x-id' } })).toEqual([]);
  expect(await made({ verifier: 'github' })).toEqual([]);
});
let warned = 0;
async function refusedNot(given: object) {
  const answer = await service.call('POST', '/v1/webhooks', {
    body: { workflowId: 'orders', path: `warned-${++warned}`, ...given },
  });
  expect(answer.status).toBe(201);
  return answer;
}
