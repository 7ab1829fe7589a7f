// The server at its sockets: slow senders, endless headers, ports in use, and its end, which cuts nobody off.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenError, Server } from '../../src/http/server/server.ts';
import { patience } from '../support/patience.ts';
import { openService, type TestService, type TestServiceOptions } from '../support/service.ts';
import { sendRaw, statusOf } from './support/raw-socket.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function open(options: TestServiceOptions = {}): Promise<TestService> {
  const service = await openService({ listen: true, ...options });
  closers.push(() => service.close());
  return service;
}

/** What a server of its own answers with, once `opened`. */
async function openSlow(): Promise<{ server: Server; url: string; entered: Promise<void>; open(): void }> {
  const service = await open({ listen: false });
  const entered = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const server = await Server.create(service.service, {
    addRoutes: (api) => {
      api.get('/v1/stats/slow', { config: { access: 'stats:read' } }, async () => {
        entered.resolve();
        await gate.promise;
        return { done: true };
      });
      api.get('/v1/stats/stream', { config: { access: 'stats:read' } }, (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.raw.write(': begun\n\n');
        entered.resolve();
        const { draining } = service.service.health;
        draining.addEventListener('abort', () => reply.raw.end('event: end\n\n'), { once: true });
      });
    },
  });
  const url = await server.listen('127.0.0.1', 0);
  closers.push(() => server.stop(0));
  return { server, url, entered: entered.promise, open: () => gate.resolve() };
}

const head = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${more}`;

describe('a slow sender', () => {
  it('of headers is cut off with 408', async () => {
    const { url } = await open({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
    const answer = await sendRaw(url, head('/healthz').split(''), { pauseMs: 200 });
    expect(statusOf(answer)).toBe(408);
    expect(answer).toContain('application/problem+json');
    expect(answer).toMatch(/x-request-id: [0-9a-f-]{36}/);
  });

  it('of a body is cut off with 408, and others are answered meanwhile', async () => {
    const { url } = await open({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
    const begin = 'POST /v1/stats/x HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n';
    const slow = Array.from({ length: 50 }, () =>
      sendRaw(url, [`${begin}content-length: 1000\r\n\r\n`, ...'{"a":'.repeat(50)], { pauseMs: 150 }),
    );
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    for (const answer of await Promise.all(slow)) expect(statusOf(answer)).not.toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('a connection that is not ended by its client', () => {
  const openConnections = ({ app }: TestService) =>
    new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)));
  const isEmpty = async (service: TestService) => {
    while ((await openConnections(service)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  /** It reads the answer to its end, and keeps its own side open for ever. */
  const hold = async (url: string, text: string) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    closers.push(async () => void socket.destroy());
    socket.on('error', () => {});
    socket.on('data', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };

  it.each([
    ['asks nothing', ''],
    ['sends half of its headers', head('/healthz')],
    ['sends what is no HTTP', 'hello\r\n\r\n'],
    ['sends too many headers', head('/healthz', `x: ${'y'.repeat(17_000)}\r\n\r\n`)],
    ['asks for its end', head('/healthz', 'connection: close\r\n\r\n')],
  ])('is ended here when it %s', async (_, text) => {
    const service = await open({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
    await hold(service.url, text);
    await isEmpty(service);
  });

  it('is ended here when it takes nothing of its answer', async () => {
    const service = await open({
      silentMs: 400,
      addRoutes: (api) => {
        api.get('/v1/stats/large', { config: { access: 'stats:read' } }, () => 'x'.repeat(30_000_000));
      },
    });
    const socket = await hold(service.url, '');
    socket.pause();
    socket.write(head('/v1/stats/large', '\r\n'));
    await isEmpty(service);
  });
});

describe('a crowd of connections without a key', () => {
  const limits = { most: 60, strangers: 40, ofAddress: 20, ofKey: 30, bodyBytes: 1_000_000 };

  it.each([
    ['silence', ''],
    ['half of their headers', head('/healthz')],
    ['half of a body', 'POST /hooks/a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{'],
    ['one answer, and then silence', head('/healthz', '\r\n')],
  ])('of %s locks nobody out', async (_, text) => {
    const service = await open({ listen: false, withKeys: true });
    const acme = await service.tenant('acme');
    const server = await Server.create(service.service, { connectionLimits: limits });
    const url = await server.listen('127.0.0.1', 0);
    closers.push(() => server.stop(0));
    const crowd = Array.from({ length: 200 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
    closers.push(async () => crowd.forEach((socket) => void socket.destroy()));
    const isLeft = () => crowd.filter(({ destroyed }) => !destroyed).length;
    for (const socket of crowd) {
      socket.on('error', () => {}).resume();
      socket.write(text);
    }
    while (isLeft() > limits.ofAddress) await new Promise((resolve) => setTimeout(resolve, 10));
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${url}/v1/executions`, {
        headers: { authorization: `Bearer ${acme.key}`, connection: 'close' },
      });
      expect(answer.status).toBe(200);
    }
    const { body } = await service.call('GET', '/metrics');
    expect(
      Number(/^dagwright_http_connections_evicted_total (\d+)$/m.exec(body)?.[1]),
    ).toBeGreaterThanOrEqual(150);
  });
});

describe('a body that is too large', () => {
  const begin =
    'POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n';
  const part = Buffer.alloc(1_000_000, 0x20);

  // A socket that is closed with bytes unread is reset, and the answer is lost with it.
  it('is read to its end before the 413: a sender that only writes sees it too', async () => {
    const { url } = await open();
    const answer = await sendRaw(
      url,
      [`${begin}content-length: 20000000\r\n\r\n`, ...Array.from({ length: 20 }, () => part)],
      { pauseMs: 5 },
    );
    expect(statusOf(answer)).toBe(413);
    const chunk = Buffer.concat([Buffer.from('f4240\r\n'), part, Buffer.from('\r\n')]);
    const chunked = await sendRaw(
      url,
      [`${begin}transfer-encoding: chunked\r\n\r\n`, ...Array.from({ length: 20 }, () => chunk), '0\r\n\r\n'],
      { pauseMs: 5 },
    );
    expect(statusOf(chunked)).toBe(413);
  });

  it('that does not end is cut off', async () => {
    const { url } = await open();
    const chunk = Buffer.concat([Buffer.from('f4240\r\n'), part, Buffer.from('\r\n')]);
    const parts = Array.from({ length: 400 }, () => chunk);
    const answer = await sendRaw(url, [`${begin}transfer-encoding: chunked\r\n\r\n`, ...parts], {
      pauseMs: 1,
    });
    expect([413, null]).toContain(statusOf(answer));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('what is not HTTP as it is taken here', () => {
  it('with headers over 16 KB gets 431', async () => {
    const { url } = await open();
    const answer = await sendRaw(url, [head('/healthz', `x: ${'y'.repeat(17_000)}\r\n\r\n`)]);
    expect(statusOf(answer)).toBe(431);
    expect(answer).toContain('"code":"headers_too_large"');
  });

  it.each([
    'hello\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'POST /v1/x HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /v1/x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx',
    'GET / HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n',
  ])('gets 400: %j', async (text) => {
    const { url } = await open();
    expect(statusOf(await sendRaw(url, [text]))).toBe(400);
  });

  it('a client that goes away in the middle of its request is no error', async () => {
    const { url, logged } = await open();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      'POST /v1/api-keys HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"na',
    );
    await once(socket, 'connect');
    socket.resetAndDestroy();
    for (let i = 0; i < 5; i++) expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(logged).toEqual([]);
  });
});

describe('the end of a server', () => {
  it('lets the request under way end, takes no more, and closes its connection', async () => {
    const { server, url, entered, open: release } = await openSlow();
    const slow = fetch(`${url}/v1/stats/slow`);
    await entered;
    const stopped = server.stop(20_000);
    await expect(fetch(`${url}/healthz`, { headers: { connection: 'close' } })).rejects.toThrow();
    release();
    const answer = await slow;
    expect(await answer.json()).toEqual({ done: true });
    expect(answer.headers.get('connection')).toBe('close');
    await stopped;
  });

  it('makes /readyz say 503 at once', async () => {
    const service = await open({ listen: false });
    expect((await service.call('GET', '/readyz')).status).toBe(200);
    service.service.health.drain();
    const answer = await service.call('GET', '/readyz');
    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([503, 'draining', '1']);
    expect((await service.call('GET', '/healthz')).status).toBe(200);
  });

  it('tells streams to end', async () => {
    const { server, url, entered } = await openSlow();
    const stream = await fetch(`${url}/v1/stats/stream`);
    await entered;
    const stopped = server.stop(20_000);
    expect(await stream.text()).toContain('event: end');
    await stopped;
  });

  it('does not wait for connections that have brought no request', async () => {
    const { server, url } = await openSlow();
    const { hostname, port } = new URL(url);
    const silent = connect(Number(port), hostname);
    const halfway = connect(Number(port), hostname);
    await Promise.all([once(silent, 'connect'), once(halfway, 'connect')]);
    halfway.write('GET /healthz HTTP/1.1\r\nhost: a\r\n');
    const closed = Promise.all([once(silent, 'close'), once(halfway, 'close')]);
    // Seen by the server once it answers another.
    expect((await fetch(`${url}/healthz`, { headers: { connection: 'close' } })).status).toBe(200);
    const startedAt = performance.now();
    await server.stop(60_000);
    expect(performance.now() - startedAt).toBeLessThan(patience(30_000));
    await closed;
  });

  it('cuts off what has not ended within the grace period', async () => {
    const { server, url, entered } = await openSlow();
    const slow = fetch(`${url}/v1/stats/slow`).catch((error: Error) => error);
    await entered;
    await server.stop(50);
    expect(await slow).toBeInstanceOf(Error);
  });
});

describe('a port', () => {
  it('that is in use is said with what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    closers.push(async () => other.close());
    const { port } = other.address() as AddressInfo;
    const service = await open({ listen: false });
    const server = await Server.create(service.service, {});
    const refused = await server.listen('127.0.0.1', port).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ListenError);
    expect(refused).toMatchObject({
      message: `port ${port} of 127.0.0.1 is in use`,
      hint: expect.stringContaining(`PORT=${port + 1}`),
    });
  });
});
