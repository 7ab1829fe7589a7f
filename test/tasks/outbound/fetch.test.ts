// The Fetch API as libraries and task authors use it, behind the guard.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { OutsideHttp } from '../../../src/tasks/outbound/client.ts';
import { clientFor, failureOf } from './support/http-client.ts';
import { openRawStub, openStub, raw, type Stub } from './support/stub-server.ts';

let stub: Stub;
let http: OutsideHttp;
beforeAll(async () => {
  stub = await openStub((request, response) => {
    if (request.target === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      // The rest waits until the reader has seen the first part.
      response.on('close', () => {});
      return;
    }
    if (request.target === '/gzip') {
      const body = gzipSync(JSON.stringify({ zipped: true }));
      response.writeHead(200, {
        'content-encoding': 'gzip',
        'content-type': 'application/json',
        'content-length': body.length,
      });
      response.end(body);
      return;
    }
    if (request.target === '/empty') {
      response.writeHead(204);
      response.end();
      return;
    }
    response.writeHead(201, 'Made', { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] });
    response.end(JSON.stringify(request));
  });
  http = clientFor([`127.0.0.1:${stub.port}`]);
});
afterAll(async () => {
  await http.close();
  await stub.close();
});

describe('fetch', () => {
  test('sends what a library hands it', async () => {
    const response = await http.fetch(`${stub.origin}/v1/chat?x=1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer k', Host: 'elsewhere' },
      body: JSON.stringify({ model: 'm' }),
    });
    expect([response.status, response.statusText, response.ok, response.url, response.redirected]).toEqual([
      201,
      'Made',
      true,
      `${stub.origin}/v1/chat?x=1`,
      false,
    ]);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.json()).toMatchObject({
      method: 'POST',
      target: '/v1/chat?x=1',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer k',
        host: `127.0.0.1:${stub.port}`,
      },
      body: '{"model":"m"}',
    });
  });

  test.each<[string, () => RequestInit, string]>([
    ['bytes', () => ({ body: new Uint8Array([97, 98]) }), 'ab'],
    ['a form', () => ({ body: new URLSearchParams({ a: '1' }) }), 'a=1'],
    ['a stream', () => ({ body: new Blob(['cd']).stream(), duplex: 'half' }) as RequestInit, 'cd'],
  ])('sends %s', async (_, init, body) => {
    const response = await http.fetch(stub.origin, { method: 'POST', ...init() });
    expect(await response.json()).toMatchObject({ body });
  });

  test('sends multipart forms with their boundary', async () => {
    const form = new FormData();
    form.set('file', new Blob(['hello']), 'a.txt');
    const got = (await (await http.fetch(stub.origin, { method: 'POST', body: form })).json()) as {
      headers: Record<string, string>;
      body: string;
    };
    const boundary = /boundary=(.+)$/.exec(got.headers['content-type']!)![1]!;
    expect(got.body).toContain(`--${boundary}`);
    expect(got.body).toContain('hello');
  });

  test('takes a Request, and what overrides it', async () => {
    const response = await http.fetch(new Request(stub.origin, { method: 'PUT', body: 'x' }), {
      headers: { 'x-a': '1' },
    });
    expect(await response.json()).toMatchObject({ method: 'PUT', body: 'x', headers: { 'x-a': '1' } });
  });

  test('decompresses, and does not tell of it', async () => {
    const response = await http.fetch(`${stub.origin}/gzip`);
    expect([response.headers.get('content-encoding'), response.headers.get('content-length')]).toEqual([
      null,
      null,
    ]);
    expect(await response.json()).toEqual({ zipped: true });
  });

  test('has no body where there is none', async () => {
    expect((await http.fetch(`${stub.origin}/empty`)).body).toBeNull();
    const head = await http.fetch(stub.origin, { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([201, null]);
  });

  test('streams: a part is read before the rest has come, and cancelling closes the connection', async () => {
    const response = await http.fetch(`${stub.origin}/events`);
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toBe('data: 1\n\n');
    await reader.cancel();
    await http.close();
    await stub.allClosed();
    http = clientFor([`127.0.0.1:${stub.port}`]);
  });

  test('an abort rejects what is being read, with its reason', async () => {
    const controller = new AbortController();
    const response = await http.fetch(`${stub.origin}/events`, { signal: controller.signal });
    const reader = response.body!.getReader();
    await reader.read();
    const reading = failureOf(reader.read());
    controller.abort(new Error('enough'));
    expect((await reading).message).toBe('enough');
    expect((await failureOf(http.fetch(stub.origin, { signal: AbortSignal.abort() }))).name).toBe(
      'AbortError',
    );
  });

  test('a body that is too long rejects while it is read', async () => {
    const small = clientFor([`127.0.0.1:${stub.port}`], { limits: { fetchMaxBytes: 10 } });
    const response = await small.fetch(stub.origin);
    expect((await failureOf(response.text())).code).toBe('payload_too_large');
    await small.close();
  });

  test('a broken connection rejects as network', async () => {
    const broken = await openRawStub(
      raw(
        'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
        (socket) => void setTimeout(() => socket.destroy(), 50),
      ),
    );
    const one = clientFor([`127.0.0.1:${broken.port}`]);
    const response = await one.fetch(broken.origin);
    expect((await failureOf(response.text())).code).toBe('network');
    await one.close();
    await broken.close();
  });

  test.each(['nowhere', '/path', 'http://', ''])('%j is no URL to call', async (url) => {
    expect((await failureOf(http.fetch(url))).code).toBe('validation');
  });

  test('a status that no Response can have is an error', async () => {
    const odd = await openRawStub(raw('HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n'));
    const one = clientFor([`127.0.0.1:${odd.port}`]);
    expect((await failureOf(one.fetch(odd.origin))).code).toBe('network');
    await one.close();
    await odd.close();
  });

  describe('of an answer that would be too much to parse', () => {
    const serve = async (body: string | Buffer, headers: Record<string, string> = {}) => {
      const server = await openStub((_, response) => {
        response.writeHead(200, headers);
        response.end(body);
      });
      const one = clientFor([`127.0.0.1:${server.port}`]);
      onTestFinished(async () => {
        await one.close();
        await server.close();
      });
      return await one.fetch(server.origin);
    };
    const objects = `[${'{},'.repeat(3_000_000)}{}]`;

    test.each([
      ['as JSON', { 'content-type': 'application/json' }],
      ['as plain text', { 'content-type': 'text/plain' }],
      ['as JSON lines', { 'content-type': 'application/x-ndjson' }],
      ['without a type', {}],
    ])('%s: reading breaks off', async (_, headers) => {
      const response = await serve(objects, headers);
      expect(await failureOf(response.json())).toMatchObject({ code: 'payload_too_large' });
    });

    test('compressed: reading breaks off as well', async () => {
      const response = await serve(gzipSync(objects), { 'content-encoding': 'gzip' });
      expect(await failureOf(response.json())).toMatchObject({ code: 'payload_too_large' });
    });

    test('behind white space and a byte order mark: likewise', async () => {
      const response = await serve(`\ufeff \n${objects}`);
      expect(await failureOf(response.text())).toMatchObject({ code: 'payload_too_large' });
    });

    test('nested too deeply: it cannot be read', async () => {
      const response = await serve('['.repeat(5_000_000));
      expect(await failureOf(response.json())).toMatchObject({ code: 'output_invalid' });
    });

    test('what is no JSON passes, whatever it holds', async () => {
      const text = `x${objects}`;
      expect(await (await serve(text)).text()).toHaveLength(text.length);
      const lines = '{"a":[1,2,3]}\n'.repeat(700_000);
      expect(await (await serve(lines)).text()).toHaveLength(lines.length);
      const bytes = Buffer.from(Array.from({ length: 256 * 2_000 }, (_, i) => i % 256));
      expect(Buffer.from(await (await serve(bytes)).arrayBuffer()).equals(bytes)).toBe(true);
    });
  });
});
