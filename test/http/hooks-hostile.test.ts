// Deliveries that nobody should trust: every one is refused with 4xx, and leaves nothing behind.
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { createApp } from '../../src/http/server/app.ts';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, type MadeWebhook, makeWebhook, ORDERS, traces } from './support/hooks.ts';
import { sendRaw, statusOf } from './support/raw-socket.ts';
import {
  fromGithub,
  fromHmac,
  fromSlack,
  fromStandard,
  fromStripe,
  type SentDelivery,
  send,
} from './support/senders.ts';

const BODY = JSON.stringify({ id: 'evt_1', event_id: 'Ev1', action: 'opened', amount: 12.5 });
const MINUTES = 60_000;
const ago = (ms: number) => new Date(Date.now() - ms);

let service: TestService;
const hooks: Record<string, MadeWebhook> = {};
beforeAll(async () => {
  service = await openService({ listen: true, requestTimeoutMs: 1_500, headersTimeoutMs: 1_500 });
  await applyTo(service, [ORDERS]);
  for (const verifier of ['github', 'standard_webhooks', 'stripe', 'slack', 'hmac'])
    hooks[verifier] = await makeWebhook(service, { verifier });
  hooks.bearer = await makeWebhook(service, { authType: 'bearer' });
  hooks.basic = await makeWebhook(service, { authType: 'basic', secret: 'shop:open sesame' });
  hooks.secret = await makeWebhook(service, {});
});
afterEach(async () => {
  const [left] = await service.query<{ events: number; executions: number }>(
    `select (select count(*)::int from dagwright.webhook_events) as events,
      (select count(*)::int from dagwright.workflow_executions) as executions`,
  );
  expect(left, 'nothing is stored').toEqual({ events: 0, executions: 0 });
  expect(service.logged, 'nothing was a fault of ours').toEqual([]);
});
afterAll(() => service.close());

const signed: Record<
  string,
  (body: string, secret: string, at?: Date) => Promise<SentDelivery> | SentDelivery
> = {
  github: (body, secret) => fromGithub(body, { secret, id: 'd1' }),
  standard_webhooks: (body, secret, at) => fromStandard(body, { secret, id: 'msg_1', ...(at && { at }) }),
  stripe: (body, secret, at) => fromStripe(body, { secret, ...(at && { at }) }),
  slack: (body, secret, at) => fromSlack(body, { secret, ...(at && { at }) }),
  hmac: (body, secret) => fromHmac(body, { secret, id: 'd1' }),
};
const SCHEMES = Object.keys(signed);
const SIGNATURE: Record<string, string> = {
  github: 'x-hub-signature-256',
  standard_webhooks: 'webhook-signature',
  stripe: 'stripe-signature',
  slack: 'x-slack-signature',
  hmac: 'x-signature-256',
};
const OTHER_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe.each(SCHEMES)('%s', (scheme) => {
  const genuine = async (body = BODY, at?: Date) => await signed[scheme]!(body, hooks[scheme]!.secret, at);
  const refusedWith = async (delivery: SentDelivery) => (await send(hooks[scheme]!.url, delivery)).status;

  it('refuses a signature by another secret, none, an empty one, and one that is cut or longer', async () => {
    const { headers } = await genuine();
    const name = SIGNATURE[scheme]!;
    const { [name]: signature, ...others } = headers;
    expect(await refusedWith(await signed[scheme]!(BODY, OTHER_SECRET))).toBe(401);
    expect(await refusedWith({ body: BODY, headers: others })).toBe(401);
    for (const changed of [
      '',
      signature!.slice(0, -1),
      `${signature}x`,
      signature!.slice(0, 12),
      `x${signature}`,
    ])
      expect(await refusedWith({ body: BODY, headers: { ...headers, [name]: changed } }), changed).toBe(401);
  });

  it('refuses the body in any other bytes: re-serialised, with a space more, one bit flipped', async () => {
    const pretty = JSON.stringify(JSON.parse(BODY), null, 2);
    const { headers } = await genuine(pretty);
    const flipped = Buffer.from(pretty);
    flipped[20]! ^= 1;
    for (const body of [BODY, `${pretty} `, flipped, ''])
      expect(await refusedWith({ body, headers })).toBe(401);
  });

  it('refuses what another webhook of the same scheme was sent', async () => {
    const other = await makeWebhook(service, { verifier: scheme });
    expect((await send(other.url, await genuine())).status).toBe(401);
  });

  if (['standard_webhooks', 'stripe', 'slack'].includes(scheme))
    it('refuses a timestamp more than five minutes away, either way, and one that is no number', async () => {
      expect(await refusedWith(await genuine(BODY, ago(6 * MINUTES)))).toBe(401);
      expect(await refusedWith(await genuine(BODY, ago(-6 * MINUTES)))).toBe(401);
      const { headers } = await genuine();
      const name = Object.keys(headers).find((header) => header.includes('timestamp')) ?? 'stripe-signature';
      for (const junk of ['abc', `${headers[name]}abc`, '', '-1', '1e9', '9'.repeat(400)])
        expect(await refusedWith({ body: BODY, headers: { ...headers, [name]: junk } })).toBe(401);
    });
});

describe('secrets that are shown', () => {
  it.each([
    ['bearer', ['Bearer wrong-secret', 'Bearer', 'Basic x', 'bearer  ', 'Bearer null', 'Bearer undefined']],
    ['basic', ['Basic d3Jvbmc6d3Jvbmc=', 'Basic !!!', 'Basic c2hvcDo=', 'Bearer shop:open sesame', 'Basic']],
  ])('%s refuses other values of Authorization', async (kind, values) => {
    for (const authorization of values)
      expect((await send(hooks[kind]!.url, { body: BODY, headers: { authorization } })).status).toBe(401);
    expect((await send(hooks[kind]!.url, { body: BODY, headers: {} })).status).toBe(401);
  });

  it('X-Webhook-Secret is refused with another secret, and in the query', async () => {
    const { url, secret } = hooks.secret!;
    expect((await send(url, { body: BODY, headers: { 'x-webhook-secret': 'wrong' } })).status).toBe(401);
    expect((await send(`${url}?secret=${secret}`, { body: BODY, headers: {} })).status).toBe(401);
  });
});

describe('the refusal', () => {
  const seen = async (url: string, delivery: SentDelivery) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...delivery.headers },
      body: delivery.body as string,
    });
    const headers = [...response.headers.keys()].sort();
    return { status: response.status, headers, body: await response.text() };
  };

  it('is the same for an unknown path, an unknown tenant, a paused webhook, a suspended tenant and a bad signature', async () => {
    const { url } = hooks.github!;
    const delivery = await fromGithub(BODY, { secret: OTHER_SECRET, id: 'd1' });
    const bad = await seen(url, delivery);
    expect(bad.status).toBe(401);
    const paused = await makeWebhook(service, { verifier: 'github', status: 'paused' });
    const genuine = await fromGithub(BODY, { secret: paused.secret, id: 'd1' });
    const suspended = await service.tenant('suspended');
    await applyTo(service, [ORDERS], suspended.id);
    await service.query(
      `insert into dagwright.webhooks (id, tenant_id, workflow_id, path, auth_type, created_by)
       values (gen_random_uuid(), $1, 'orders', 'open', 'none', 'test')`,
      [suspended.id],
    );
    await service.query(`update dagwright.tenants set status = 'suspended' where id = $1`, [suspended.id]);
    const others: [string, SentDelivery][] = [
      [`${service.url}/hooks/default/nothing-here`, delivery],
      [`${service.url}/hooks/nobody/orders`, delivery],
      [`${service.url}/hooks/default`, delivery],
      [`${service.url}/hooks/`, delivery],
      [`${url}/`, delivery],
      [url.replace('/default/', '/default//'), delivery],
      [`${service.url}/hooks/default/..%2f..%2fv1`, delivery],
      [paused.url, genuine],
      [paused.url, await fromGithub('{"no json', { secret: paused.secret, id: 'd1' })],
      [`${service.url}/hooks/suspended/open`, { body: BODY, headers: {} }],
    ];
    for (const [to, what] of others) expect(await seen(to, what), to).toEqual(bad);
  });

  it('takes about as long for an unknown path as for a bad signature', async () => {
    const delivery = await fromGithub('x'.repeat(900_000), { secret: OTHER_SECRET, id: 'd1' });
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    for (let i = 0; i < 15; i++) {
      for (const [kind, url] of [
        ['known', hooks.github!.url],
        ['unknown', `${service.url}/hooks/default/nothing-here`],
      ] as const) {
        const startedAt = performance.now();
        await send(url, delivery);
        times[kind].push(performance.now() - startedAt);
      }
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[7]!;
    const ratio = median(times.known) / median(times.unknown);
    expect(ratio).toBeGreaterThan(1 / 3);
    expect(ratio).toBeLessThan(3);
  });
});

describe('verified bodies that cannot be kept', () => {
  const answerTo = async (body: string | Buffer, headers: Record<string, string> = {}) => {
    const { url, secret } = hooks.hmac!;
    const delivery = fromHmac(body, { secret, id: 'd1' });
    return await send(url, { body: delivery.body, headers: { ...delivery.headers, ...headers } });
  };

  it.each<[string, string | Buffer, number]>([
    ['no JSON', '{"a":', 400],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400],
    ['a raw surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 400],
    ['compressed bytes', gzipSync(BODY), 400],
    ['\\u0000', '{"a":"x\\u0000y"}', 422],
    ['\\u0000 in a name', '{"a\\u0000":1}', 422],
    ['a lone surrogate', '{"a":"\\ud800"}', 422],
    ['a lone surrogate in a name', '{"\\udc00":1}', 422],
    ['160,000 numbers of 300 digits', `[${Array(160_000).fill('1e300').join(',')}]`, 422],
    ['160,000 numbers of 300 places', `[${Array(160_000).fill('1e-99').join(',')}]`, 422],
    ['a name given twice', '{"a":1,"a":2}', 422],
    ['300 levels', `${'['.repeat(300)}${']'.repeat(300)}`, 422],
    ['400,000 levels', `${'['.repeat(400_000)}${']'.repeat(400_000)}`, 422],
    ['400,000 levels left open', '['.repeat(400_000), 422],
    [
      '60,000 names',
      JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, 1]))),
      422,
    ],
    ['a text of 600 KB', JSON.stringify('x'.repeat(600_000)), 422],
  ])('%s', async (_what, body, status) => {
    const answer = await answerTo(body);
    expect(answer.status, answer.text.slice(0, 300)).toBe(status);
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });

  it('takes 1 MB and refuses a byte more with 413, also of an unknown path and in chunks', async () => {
    const { url } = hooks.hmac!;
    const big = Buffer.alloc(1_000_001, 0x20);
    expect((await answerTo(big)).status).toBe(413);
    expect(
      (await send(`${service.url}/hooks/default/nothing`, fromHmac(big, { secret: 'x', id: '1' }))).status,
    ).toBe(413);
    expect((await answerTo(big.subarray(1))).status).toBe(400);
    let sent = 0;
    const chunked = await fetch(url, {
      method: 'POST',
      body: new ReadableStream({
        pull(controller) {
          // A client whose connection is cut may go on reading its own stream: it must end by itself.
          if (sent++ < 600) controller.enqueue(new Uint8Array(100_000));
          else controller.close();
        },
      }),
      duplex: 'half',
    } as RequestInit & { duplex: 'half' }).then(
      ({ status }) => status,
      () => 413, // the server cut it
    );
    expect(chunked).toBe(413);
  });

  it.each(['gzip', 'br', 'deflate', 'x-gzip', 'gzip, identity'])(
    'Content-Encoding %s is 415: nothing is unpacked',
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
      expect((await answerTo(bomb, { 'content-encoding': encoding })).status).toBe(415);
    },
  );

  it('a query with \\u0000 or broken escapes is 400 or 422', async () => {
    const { url, secret } = hooks.hmac!;
    for (const query of ['a=%00', '%00=a', 'a=%ED%A0%80%00'])
      expect([400, 422]).toContain(
        (await send(`${url}?${query}`, fromHmac(BODY, { secret, id: '1' }))).status,
      );
  });

  it('members named __proto__ and constructor stay what they are: data', async () => {
    const before = Object.keys(Object.prototype);
    await answerTo('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual(before);
    await service.query('delete from dagwright.webhook_events');
    await service.query('delete from dagwright.workflow_executions');
  });
});

describe('requests that are not HTTP as it should be', () => {
  const request = (path: string, headers: string, body = '') =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n${body}`;
  const pathOf = () => new URL(hooks.hmac!.url).pathname;

  it.each<[string, (path: string) => string]>([
    ['a header without a colon', (path) => request(path, 'nonsense\r\n')],
    ['a NUL in a header', (path) => request(path, 'x-a: a\u0000b\r\n')],
    ['two lengths', (path) => request(path, 'content-length: 1\r\ncontent-length: 2\r\n', 'ab')],
    [
      'a length and chunks',
      (path) => request(path, 'content-length: 3\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
    ],
    ['a negative length', (path) => request(path, 'content-length: -1\r\n')],
    ['chunks that are none', (path) => request(path, 'transfer-encoding: chunked\r\n', 'zz\r\nabc\r\n')],
    ['headers of 32 KB', (path) => request(path, `x-a: ${'a'.repeat(32_768)}\r\n`)],
    ['a path with a broken escape', (path) => request(`${path}%zz`, 'content-length: 0\r\n')],
    ['a path with %00', (path) => request(`${path}%00`, 'content-length: 0\r\n')],
    ['a path of 4 KB', (path) => request(`${path}${'a'.repeat(4096)}`, 'content-length: 0\r\n')],
    [
      'a content type that is none',
      (path) => request(path, 'content-type: ;;;\r\ncontent-length: 2\r\n', '{}'),
    ],
    [
      'signatures in bytes above ASCII',
      (path) => request(path, 'x-signature-256: \xff\xfe\r\ncontent-length: 2\r\n', '{}'),
    ],
  ])('%s gets 4xx', async (_what, bytes) => {
    const answer = await sendRaw(service.url, [Buffer.from(bytes(pathOf()), 'latin1')]);
    expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    expect(statusOf(answer)).toBeLessThan(500);
  });

  it('a signature header given twice is refused, even if one is right', async () => {
    const { secret } = hooks.hmac!;
    const { headers } = fromHmac(BODY, { secret, id: '1' });
    const line = `x-signature-256: ${headers['x-signature-256']}\r\n`;
    const bytes = request(
      pathOf(),
      `${line}x-signature-256: sha256=00\r\ncontent-length: ${BODY.length}\r\n`,
      BODY,
    );
    expect(statusOf(await sendRaw(service.url, [bytes]))).toBe(401);
  });

  it('a sender that is slow with its headers or its body is cut off', async () => {
    const slow = request(pathOf(), 'content-length: 1000\r\n');
    const head = await sendRaw(service.url, [...slow.slice(0, 40)].map(String), { pauseMs: 200 });
    const body = await sendRaw(service.url, [slow, ...'x'.repeat(40)], { pauseMs: 200 });
    for (const answer of [head, body]) expect([408, 400, null]).toContain(statusOf(answer));
  });

  it('a sender that leaves in the middle leaves nothing', async () => {
    const socket = new AbortController();
    const sending = fetch(hooks.hmac!.url, {
      method: 'POST',
      signal: socket.signal,
      duplex: 'half',
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"a":'));
          setTimeout(() => socket.abort(), 50);
        },
      }),
    } as RequestInit & { duplex: 'half' });
    await expect(sending).rejects.toThrow();
  });

  it('methods that no webhook can have get 405, and those that this one does not have 401', async () => {
    for (const method of ['PATCH', 'DELETE']) {
      const response = await fetch(hooks.hmac!.url, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST', 'PUT']);
    }
    for (const method of ['GET', 'PUT', 'HEAD'])
      expect((await fetch(hooks.hmac!.url, { method })).status, method).toBe(401);
  });
});

describe('floods', () => {
  it('a path takes so many deliveries a second, then 429 with Retry-After; other paths go on', async () => {
    const small = await openService({ settings: { rateLimit: 2 } });
    try {
      const deliver = (path: string) => small.call('POST', `/hooks/default/${path}`, { body: '{}' });
      expect((await deliver('x')).status).toBe(401);
      let answer = await deliver('x');
      for (let i = 0; i < 100 && answer.status === 401; i++) answer = await deliver('x');
      expect(answer.status).toBe(429);
      expect(answer.headers['retry-after']).toBe('1');
      expect((await deliver('other')).status).toBe(401);
    } finally {
      await small.close();
    }
  });
});

it('a stranger who is refused all the time closes no path where a sender has proved itself', async () => {
  const small = await openService();
  try {
    await applyTo(small, [ORDERS]);
    const hook = await makeWebhook(small, { authType: 'secret', secret: 'a-secret-of-ours-1' });
    const good = () =>
      small.call('POST', `/hooks/${hook.path}`, {
        body: '{}',
        headers: { 'x-webhook-secret': 'a-secret-of-ours-1' },
      });
    expect((await good()).status).toBe(202);
    const stranger = () => small.call('POST', '/hooks/default/nothing', { body: '{}' });
    let answer = await stranger();
    for (let i = 0; i < 5_000 && answer.status === 401; i++)
      [answer] = (await Promise.all(Array.from({ length: 300 }, stranger))).slice(-1) as [typeof answer];
    expect(answer.status).toBe(429);
    for (let i = 0; i < 10; i++) {
      const [refused, taken] = await Promise.all([stranger(), good()]);
      expect([401, 429]).toContain(refused.status);
      expect(taken.status).toBe(202);
    }
  } finally {
    await small.close();
  }
});

it('leaves no trace of any of these in the webhooks', async () => {
  for (const hook of Object.values(hooks))
    expect(await traces(service, hook.id)).toEqual({ events: 0, executions: 0 });
});

describe('a path that nobody has', () => {
  it('leaves a line in the log that names it, and no more of them than a few a second', async () => {
    const lines: [string, JsonObject | undefined][] = [];
    const log = {
      ...service.service.log,
      info: (...line: [string, JsonObject?]) => void lines.push([line[0], line[1]]),
    };
    const app = await createApp({ ...service.service, log });
    const deliver = (path: string) => app.inject({ method: 'POST', url: `/hooks/${path}`, payload: '{}' });
    expect((await deliver('default/ordres')).statusCode).toBe(401);
    expect(lines).toEqual([
      [
        'a webhook delivery was refused',
        expect.objectContaining({
          path: 'default/ordres',
          reason: expect.stringMatching(/misspelt, paused or removed/),
        }),
      ],
    ]);
    // One that somebody has says why a delivery of it was refused.
    const [known] = Object.values(hooks);
    expect((await deliver(known!.path)).statusCode).toBe(401);
    expect(lines.at(-1)).toEqual([
      'a webhook delivery was refused',
      { webhookId: known!.id, reason: expect.any(String) },
    ]);
    for (let i = 0; i < 30; i++) await deliver(`default/${'x'.repeat(400)}`);
    expect(lines.length).toBeLessThan(20);
    expect(Math.max(...lines.map(([, fields]) => String(fields?.path).length))).toBeLessThanOrEqual(200);
    await app.close();
  });
});
