// Answers that hang, drip, never end, explode or break: each is cut, and its connection closed.
import { setTimeout as pause } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { RetryableError, TerminalError } from '../../../src/core/errors.ts';
import type { OutsideHttp } from '../../../src/tasks/outbound/client.ts';
import { NotConnected } from '../../../src/tasks/outbound/failure.ts';
import { clientFor, failureOf, requestTo } from './support/http-client.ts';
import { openRawStub, openStub, raw, type Stub } from './support/stub-server.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';
const open: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(one: T): T => {
  open.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
/** 100 MB each; made once, so that their making is over when memory is measured. */
const BOMBS: Readonly<Record<string, Buffer>> = Object.fromEntries(
  Object.entries({ gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }).map(([name, compress]) => [
    name,
    compress(Buffer.alloc(100_000_000)),
  ]),
);
/** The growth of buffers since then, at the highest; what is garbage by then does not count against it. */
function measurePeak(): () => number {
  const least = { bytes: process.memoryUsage().arrayBuffers };
  let highest = 0;
  const timer = setInterval(() => {
    const { arrayBuffers } = process.memoryUsage();
    least.bytes = Math.min(least.bytes, arrayBuffers);
    highest = Math.max(highest, arrayBuffers - least.bytes);
  }, 5);
  return () => {
    clearInterval(timer);
    return Math.max(highest, process.memoryUsage().arrayBuffers - least.bytes);
  };
}
const client = (stub: Stub, limits = {}): OutsideHttp =>
  keep(clientFor([`127.0.0.1:${stub.port}`], { limits }));

describe('an answer that does not come as it should', () => {
  test('none at all: a timeout', async () => {
    const stub = keep(await openRawStub(() => {}));
    const failure = await failureOf(client(stub, { headersMs: 300 }).request(requestTo(stub.origin)));
    expect(failure).toBeInstanceOf(RetryableError);
    expect(failure).toMatchObject({ code: 'timeout', message: `GET ${stub.origin} sent no answer in time` });
    await stub.allClosed();
  });

  test('headers that drip: a timeout', async () => {
    const stub = keep(
      await openRawStub(
        raw('HTTP/1.1 200 OK\r\n', async (socket) => {
          while (!socket.destroyed) {
            socket.write('X-A: 1\r\n');
            await pause(50);
          }
        }),
      ),
    );
    const failure = await failureOf(client(stub, { headersMs: 400 }).request(requestTo(stub.origin)));
    expect(failure.code).toBe('timeout');
    await stub.allClosed();
  });

  test('a body that stops in its middle: a timeout', async () => {
    const stub = keep(await openRawStub(raw(`${HEAD}Content-Length: 10\r\n\r\nabc`)));
    const failure = await failureOf(client(stub, { idleMs: 300 }).request(requestTo(stub.origin)));
    expect(failure).toMatchObject({ code: 'timeout', message: expect.stringContaining('stopped sending') });
    await stub.allClosed();
  });

  test('a body that drips for ever ends with the signal', async () => {
    const stub = keep(
      await openRawStub(
        raw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, async (socket) => {
          while (!socket.destroyed) {
            socket.write('1\r\nx\r\n');
            await pause(20);
          }
        }),
      ),
    );
    const reason = new Error('cancelled');
    const controller = new AbortController();
    const failing = failureOf(client(stub).request(requestTo(stub.origin, { signal: controller.signal })));
    setTimeout(() => controller.abort(reason), 200);
    expect(await failing).toBe(reason);
    await stub.allClosed();
  });

  test('a body without end is cut at the limit', async () => {
    const part = 'x'.repeat(10_000);
    const stub = keep(
      await openRawStub(
        raw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, async (socket) => {
          while (!socket.destroyed)
            if (!socket.write(`2710\r\n${part}\r\n`))
              await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
        }),
      ),
    );
    const failure = await failureOf(client(stub).request(requestTo(stub.origin)));
    expect(failure).toBeInstanceOf(TerminalError);
    expect(failure).toMatchObject({
      code: 'payload_too_large',
      message: expect.stringContaining('1000000 bytes'),
    });
    await stub.allClosed();
  });

  test('one that says it is too long is not read', async () => {
    const stub = keep(await openRawStub(raw(`${HEAD}Content-Length: 1000001\r\n\r\n`)));
    expect((await failureOf(client(stub).request(requestTo(stub.origin)))).code).toBe('payload_too_large');
    await stub.allClosed();
  });

  test.each(['gzip', 'deflate', 'br'])(
    'a %s bomb is cut at the limit of what comes out',
    async (encoding) => {
      const bomb = BOMBS[encoding]!;
      // It never ends, so that only being cut closes its connection.
      const stub = keep(
        await openStub((_, response) => {
          response.writeHead(200, { 'content-encoding': encoding });
          response.write(bomb);
        }),
      );
      const peak = measurePeak();
      const failure = await failureOf(client(stub).request(requestTo(stub.origin)));
      expect(failure.code).toBe('payload_too_large');
      expect(peak()).toBeLessThan(30_000_000);
      await stub.allClosed();
    },
  );

  test.each([
    ['an encoding that was not asked for', 'zstd'],
    ['an encoding within an encoding', 'gzip, gzip'],
  ])('%s is refused', async (_, encoding) => {
    const stub = keep(
      await openRawStub(raw(`${HEAD}Content-Encoding: ${encoding}\r\nContent-Length: 30\r\n\r\nabc`)),
    );
    expect(await failureOf(client(stub).request(requestTo(stub.origin)))).toMatchObject({
      code: 'output_invalid',
    });
    await stub.allClosed();
  });

  test.each([
    ['garbage for gzip', Buffer.from('not gzip')],
    ['half a gzip', gzipSync(Buffer.from('x'.repeat(1000))).subarray(0, 20)],
  ])('%s is output_invalid', async (_, body) => {
    const stub = keep(
      await openStub((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(body);
      }),
    );
    const failure = await failureOf(client(stub).request(requestTo(stub.origin)));
    expect(failure).toBeInstanceOf(RetryableError);
    expect(failure.code).toBe('output_invalid');
  });

  test('a connection that is reset in the middle of the body: network', async () => {
    const stub = keep(
      await openRawStub(
        raw(
          `${HEAD}Content-Length: 10\r\n\r\nabc`,
          (socket) => void setTimeout(() => socket.resetAndDestroy(), 50),
        ),
      ),
    );
    const failure = await failureOf(client(stub).request(requestTo(stub.origin)));
    expect(failure).toBeInstanceOf(RetryableError);
    expect(failure).not.toBeInstanceOf(NotConnected);
    expect(failure).toMatchObject({ code: 'network', message: expect.stringContaining('broken off') });
  });

  test('a connection that ends before its Content-Length: network', async () => {
    const stub = keep(
      await openRawStub(raw(`${HEAD}Content-Length: 10\r\n\r\nabc`, (socket) => socket.end())),
    );
    expect((await failureOf(client(stub).request(requestTo(stub.origin)))).code).toBe('network');
  });

  test('a connection that is closed before any answer: network, and it may have been sent', async () => {
    const stub = keep(await openRawStub((socket) => socket.once('data', () => socket.destroy())));
    const failure = await failureOf(client(stub).request(requestTo(stub.origin)));
    expect(failure).not.toBeInstanceOf(NotConnected);
    expect(failure.code).toBe('network');
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['two lengths', `${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`],
    [
      'a length and chunks',
      `${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    ],
    ['a chunk without a size', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
  ])('malformed HTTP (%s): network', async (_, text) => {
    const stub = keep(await openRawStub(raw(text)));
    expect((await failureOf(client(stub).request(requestTo(stub.origin)))).code).toBe('network');
    await stub.allClosed();
  });

  test('headers over 16 KB are refused', async () => {
    const stub = keep(await openRawStub(raw(`${HEAD}X-A: ${'a'.repeat(20_000)}\r\n\r\n`)));
    expect((await failureOf(client(stub).request(requestTo(stub.origin)))).code).toBe('payload_too_large');
    await stub.allClosed();
  });

  test('an abort while nothing has come yet closes the connection', async () => {
    const controller = new AbortController();
    const stub = keep(
      await openRawStub((socket) => socket.once('data', () => controller.abort(new Error('stop')))),
    );
    const failure = await failureOf(
      client(stub).request(requestTo(stub.origin, { signal: controller.signal })),
    );
    expect(failure.message).toBe('stop');
    await stub.allClosed();
  });

  test('what is aborted before it begins makes no connection', async () => {
    const stub = keep(await openRawStub(() => {}));
    const failure = await failureOf(
      client(stub).request(requestTo(stub.origin, { signal: AbortSignal.abort(new Error('no')) })),
    );
    expect([failure.message, stub.connections]).toEqual(['no', 0]);
  });
});

describe('a connection that cannot be made was surely not used', () => {
  test('nobody listens', async () => {
    const stub = await openRawStub(() => {});
    await stub.close();
    const failure = await failureOf(client(stub).request(requestTo(stub.origin)));
    expect(failure).toBeInstanceOf(NotConnected);
    expect(failure.message).toBe(`GET ${stub.origin} could not connect (ECONNREFUSED)`);
  });

  test('the name does not exist', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    const http = keep(clientFor([], { resolve }));
    const failure = await failureOf(http.request(requestTo('https://nowhere.example/?key=s3cr3t')));
    expect(failure).toBeInstanceOf(NotConnected);
    expect(failure.message).toBe('GET https://nowhere.example could not connect (ENOTFOUND)');
  });

  test('the name is never answered', async () => {
    const http = keep(clientFor([], { resolve: () => new Promise(() => {}), limits: { connectMs: 100 } }));
    expect((await failureOf(http.request(requestTo('https://slow.example/')))).message).toContain(
      '(ETIMEDOUT)',
    );
  });

  test('an abort ends the wait for a name', async () => {
    const http = keep(clientFor([], { resolve: () => new Promise(() => {}) }));
    const signal = AbortSignal.timeout(50);
    expect((await failureOf(http.request(requestTo('https://slow.example/', { signal })))).name).toBe(
      'TimeoutError',
    );
  });

  test('its certificate is not trusted', async () => {
    const stub = keep(await openStub((_, response) => response.end('x'), { tls: true }));
    const http = keep(clientFor([`127.0.0.1:${stub.port}`], { ca: undefined }));
    const failure = await failureOf(http.request(requestTo(stub.origin)));
    expect(failure).toBeInstanceOf(NotConnected);
    expect(failure.message).toContain('(DEPTH_ZERO_SELF_SIGNED_CERT)');
    expect(stub.received).toEqual([]);
    await stub.allClosed();
  });

  test('its certificate is for another name', async () => {
    const stub = keep(await openStub((_, response) => response.end('x'), { tls: true }));
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const http = keep(clientFor(['127.0.0.0/8'], { resolve }));
    const failure = await failureOf(http.request(requestTo(`https://other.example:${stub.port}/`)));
    expect(failure).toBeInstanceOf(NotConnected);
    expect(failure.message).toContain('(ERR_TLS_CERT_ALTNAME_INVALID)');
    expect((await http.request(requestTo(`https://secure.example:${stub.port}/`))).status).toBe(200);
  });

  test('it does not speak TLS', async () => {
    const stub = keep(await openRawStub(raw('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const failure = await failureOf(client(stub).request(requestTo(stub.origin.replace('http', 'https'))));
    expect(failure).toBeInstanceOf(NotConnected);
    await stub.allClosed();
  });
});

describe('connections', () => {
  test('are kept for the next call, and closed with the client', async () => {
    const stub = keep(await openStub((_, response) => response.end('x')));
    const http = client(stub);
    for (let i = 0; i < 10; i++) await http.request(requestTo(stub.origin));
    expect(stub.connections).toBeLessThanOrEqual(2);
    await http.close();
    await stub.allClosed();
  });

  test('a request that may be sent once has its own', async () => {
    const stub = keep(await openStub((_, response) => response.end('x')));
    const http = client(stub);
    for (let i = 0; i < 3; i++) await http.request(requestTo(stub.origin, { isOnce: true, method: 'POST' }));
    expect(stub.connections).toBe(3);
    await stub.allClosed();
  });

  test('onSend tells when a request goes out, and not when none does', async () => {
    const stub = keep(await openStub((_, response) => response.end('x')));
    const http = client(stub);
    let sent = 0;
    const onSend = () => void sent++;
    await http.request(requestTo(stub.origin, { onSend }));
    expect(sent).toBe(1);
    await failureOf(http.request(requestTo('http://127.0.0.1/', { onSend })));
    await stub.close();
    open.splice(open.indexOf(stub), 1);
    await failureOf(http.request(requestTo(stub.origin, { onSend, isOnce: true })));
    expect(sent).toBe(1);
  });
});
