import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OutsideHttp } from '../../../src/tasks/outbound/client.ts';
import { clientFor, failureOf, requestTo } from './support/http-client.ts';
import { openStub, type Received, type Stub } from './support/stub-server.ts';

let first: Stub;
let other: Stub;
let secure: Stub;
let http: OutsideHttp;
/** What `first` answers, by path. */
let routes: Record<string, [number, string]> = {};
beforeAll(async () => {
  const answer = (request: Received, response: Parameters<Parameters<typeof openStub>[0]>[1]): void => {
    const [status, location] = routes[request.target.split('?')[0]!] ?? [200, ''];
    response.writeHead(status, location === '' ? {} : { location });
    response.end('the end');
  };
  first = await openStub(answer);
  other = await openStub(answer);
  secure = await openStub(answer, { tls: true });
  http = clientFor([first, other, secure].map(({ port }) => `127.0.0.1:${port}`));
});
afterAll(async () => {
  await Promise.all([first, other, secure, http].map((one) => one.close()));
});
beforeEach(() => {
  for (const stub of [first, other, secure]) (stub.received as Received[]).length = 0;
});
const paths = (stub: Stub): string[] => stub.received.map(({ method, target }) => `${method} ${target}`);
const headers = {
  authorization: 'Bearer k',
  cookie: 'a=1',
  'x-api-key': 'k',
  accept: 'text/plain',
  'idempotency-key': 'i',
};

describe('redirects', () => {
  test('three are followed, a fourth is not', async () => {
    routes = { '/a': [302, '/b'], '/b': [301, 'c?x=1'], '/c': [307, '/d'], '/d': [200, ''] };
    const answer = await http.request(requestTo(`${first.origin}/a`));
    expect([answer.status, answer.redirects, answer.body.toString()]).toEqual([200, 3, 'the end']);
    expect(paths(first)).toEqual(['GET /a', 'GET /b', 'GET /c?x=1', 'GET /d']);
    routes['/d'] = [302, '/e'];
    expect(await failureOf(http.request(requestTo(`${first.origin}/a`)))).toMatchObject({
      code: 'network',
      name: 'TerminalError',
    });
  });

  test('a loop ends', async () => {
    routes = { '/a': [302, '/a'] };
    expect((await failureOf(http.request(requestTo(`${first.origin}/a`)))).message).toContain(
      'more than 3 times',
    );
    expect(first.received).toHaveLength(4);
    expect((await failureOf(http.fetch(`${first.origin}/a`))).message).toContain('more than 3 times');
  });

  test('to the same origin they keep every header', async () => {
    routes = { '/a': [302, '/b'] };
    await http.request(requestTo(`${first.origin}/a`, { headers }));
    expect(first.received[1]!.headers).toMatchObject(headers);
  });

  test('to another origin no header goes that may hold a secret, not even back', async () => {
    routes = { '/a': [302, `${other.origin}/b`], '/b': [302, `${first.origin}/c`] };
    await http.request(requestTo(`${first.origin}/a`, { headers }));
    for (const { headers: got } of [other.received[0]!, first.received[1]!]) {
      expect(got).toMatchObject({ accept: 'text/plain', 'idempotency-key': 'i' });
      for (const name of ['authorization', 'cookie', 'x-api-key']) expect(got).not.toHaveProperty(name);
    }
    await http.fetch(`${first.origin}/a`, { headers });
    expect(other.received[1]!.headers).not.toHaveProperty('x-api-key');
  });

  test.each([
    [301, 'POST', 'GET', false],
    [302, 'POST', 'GET', false],
    [303, 'POST', 'GET', false],
    [303, 'PUT', 'GET', false],
    [301, 'PUT', 'PUT', true],
    [307, 'POST', 'POST', true],
    [308, 'PATCH', 'PATCH', true],
    [303, 'HEAD', 'HEAD', false],
  ])('%i turns %s into %s; with its body: %s', async (status, method, expected, hasBody) => {
    routes = { '/a': [status, '/b'] };
    const body = method === 'HEAD' ? null : Buffer.from('{"a":1}');
    await http.request(
      requestTo(`${first.origin}/a`, { method, body, headers: { 'content-type': 'application/json' } }),
    );
    const got = first.received[1]!;
    expect([got.method, got.body]).toEqual([expected, hasBody ? '{"a":1}' : '']);
    if (!hasBody && method !== 'HEAD') expect(got.headers).not.toHaveProperty('content-type');
  });

  test('a body with a secret stays with its origin', async () => {
    routes = { '/a': [307, `${other.origin}/b`], '/s': [307, '/b'] };
    const request = { method: 'POST', body: Buffer.from('s3cr3t'), hasSecretBody: true };
    expect((await failureOf(http.request(requestTo(`${first.origin}/a`, request)))).code).toBe(
      'blocked_destination',
    );
    expect(other.received).toEqual([]);
    await http.request(requestTo(`${first.origin}/s`, request));
    expect(first.received.at(-1)!.body).toBe('s3cr3t');
  });

  test('from https to http none is followed; from http to https it is', async () => {
    routes = { '/a': [302, `${first.origin}/b`], '/up': [302, `${secure.origin}/b`] };
    expect((await failureOf(http.request(requestTo(`${secure.origin}/a`)))).code).toBe('blocked_destination');
    expect(first.received).toEqual([]);
    expect((await http.request(requestTo(`${first.origin}/up`))).status).toBe(200);
  });

  test('one without a Location, and one that is asked for, are answers', async () => {
    routes = { '/a': [302, ''], '/b': [302, '/c'] };
    expect((await http.request(requestTo(`${first.origin}/a`))).status).toBe(302);
    const kept = await http.request(
      requestTo(`${first.origin}/b`, { keepsStatus: (status) => status === 302 }),
    );
    expect([kept.status, kept.headers.get('location')]).toEqual([302, '/c']);
    expect((await http.fetch(`${first.origin}/b`, { redirect: 'manual' })).status).toBe(302);
    expect((await failureOf(http.fetch(`${first.origin}/b`, { redirect: 'error' }))).code).toBe('network');
  });

  test('one that leads to what is no URL fails', async () => {
    routes = { '/a': [302, 'http://['] };
    expect((await failureOf(http.request(requestTo(`${first.origin}/a`)))).code).toBe('network');
  });
});
