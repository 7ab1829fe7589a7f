// What all routes have in common: one form of refusal, nothing of the inside, nothing guessed, coerced or dropped.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/http/server/app.ts';
import { notFound } from '../../src/http/server/problem.ts';
import { depth } from '../support/depth.ts';
import { type CallOptions, openService, type TestService } from '../support/service.ts';
import { addEchoRoutes, ECHO, FAIL } from './support/echo.ts';

/** What no answer may ever show. */
const INSIDE = /\bat .*\.(js|ts):|relation "|password|postgres:|node_modules|ECONN|dagwright\./i;

let service: TestService;
let failure: unknown = null;
beforeAll(async () => {
  service = await openService({ addRoutes: addEchoRoutes(() => failure) });
});
afterAll(() => service.close());
beforeEach(() => {
  service.logged.length = 0;
});

const post = (body: unknown, options: CallOptions = {}) => service.call('POST', ECHO, { body, ...options });
const problemsOf = (answer: { body: { errors?: readonly { pointer: string; code: string }[] } }) =>
  answer.body.errors?.map(({ pointer, code }) => `${pointer} ${code}`);

describe('a refusal', () => {
  it('is problem+json, also for a path that does not exist', async () => {
    const answer = await service.call('GET', '/v1/nothing');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'no such path',
      code: 'not_found',
      errors: [],
    });
  });

  it('of a method that a path does not have is 405 with Allow', async () => {
    const answer = await service.call('DELETE', '/healthz');
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
    expect((await service.call('DELETE', `${ECHO}/7`)).headers.allow).toBe('GET, HEAD');
  });

  it('names all problems of a body at once, with hints', async () => {
    const answer = await post({ count: -1.5, isOn: 'yes', tags: ['a', 7], nmae: 'x' });
    expect(answer.status).toBe(422);
    expect(problemsOf(answer)?.sort()).toEqual([
      '/count range',
      '/count type',
      '/isOn type',
      '/name required',
      '/nmae unknown_field',
      '/tags/1 type',
    ]);
    const hints = answer.body.errors.flatMap(({ hint }: { hint?: string }) => hint ?? []);
    expect(hints).toContain('did you mean "name"?');
  });

  it('has a request id that the log has too, and nothing else of the inside', async () => {
    failure = new Error('relation "dagwright.secret_table" does not exist, password=hunter2');
    const answer = await service.call('GET', FAIL);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(INSIDE);
    expect(JSON.stringify(answer.body)).not.toMatch(/secret_table|hunter2/);
    expect(service.logged.join()).toContain('secret_table');
    expect(service.logged.join()).toContain(answer.headers['x-request-id']);
  });

  it.each([
    ['the database is away', { code: 'ECONNREFUSED' }, 503, 'database_unavailable'],
    ['the server is shut down', { code: '57P01' }, 503, 'database_unavailable'],
    [
      'the pool is exhausted',
      { message: 'timeout exceeded when trying to connect' },
      503,
      'database_unavailable',
    ],
    ['a deadlock', { code: '40P01' }, 503, 'busy'],
    ['a lock that was not had in time', { code: '55P03' }, 503, 'busy'],
    ['a statement that took too long', { code: '57014' }, 503, 'too_slow'],
    ['a violated constraint that nobody expected', { code: '23505' }, 500, 'internal'],
    ['what was thrown is no error', null, 500, 'internal'],
  ])('where %s says whether to try again', async (_, thrown, status, code) => {
    failure = thrown && Object.assign(new Error('Connection to 10.0.0.7:5432 failed'), thrown);
    const answer = await service.call('GET', FAIL);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers['retry-after']).toEqual(
      status === 503 ? expect.stringMatching(/^[125]$/) : undefined,
    );
    expect(JSON.stringify(answer.body)).not.toMatch(/10\.0\.0\.7/);
  });

  it('that a route throws is answered as it stands, and is no error in the log', async () => {
    failure = notFound('schedule');
    const answer = await service.call('GET', FAIL);
    expect(answer.body).toMatchObject({ status: 404, code: 'not_found', detail: 'no such schedule' });
    expect(service.logged).toEqual([]);
  });
});

describe('a body', () => {
  it('is taken as it stands: nothing is coerced, nothing is dropped', async () => {
    const body = { name: 'x', count: 3, isOn: false, any: { deep: [null, 1.5, ''] } };
    expect((await post(body)).body).toEqual({ body });
    for (const wrong of [
      { name: 7 },
      { name: 'x', count: '3' },
      { name: 'x', isOn: 1 },
      { name: 'x', tags: 'a' },
    ])
      expect((await post(wrong)).status, JSON.stringify(wrong)).toBe(422);
  });

  it('that is absent, null, a list or a text is refused by what it lacks', async () => {
    expect(problemsOf(await service.call('POST', ECHO))).toEqual(['/name required']);
    for (const wrong of ['null', '[]', '"x"', '7'])
      expect(problemsOf(await post(wrong)), wrong).toEqual([' type']);
  });

  it('is refused where a route takes none; an empty one does no harm', async () => {
    for (const body of [undefined, '', '{}'])
      expect((await service.call('POST', `${ECHO}/nothing`, { body })).status, String(body)).toBe(200);
    expect((await service.call('POST', `${ECHO}/nothing`, { body: { a: 1 } })).status).toBe(422);
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/yaml', 415],
    ['application/json; charset=utf-16', 415],
    ['not a media type', 415],
    ['application/json; charset=utf-8', 200],
    ['application/merge-patch+json', 200],
  ])('of type %s gets %i', async (type, status) => {
    expect((await post('{"name":"x"}', { headers: { 'content-type': type } })).status).toBe(status);
  });

  it('is never decompressed', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const answer = await post(bomb, { headers: { 'content-encoding': 'gzip' } });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_encoding']);
  });

  it('over 1 MB gets 413, a definition over 10 MB too', async () => {
    const of = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
    expect((await post(of(1_000_001))).status).toBe(413);
    const put = (body: string, type = 'application/json') =>
      service.call('PUT', `${ECHO}/document`, { body, headers: { 'content-type': type } });
    expect((await put(of(9_999_999))).status).toBe(200);
    expect((await put(of(10_000_001))).status).toBe(413);
    expect((await put('a: 1', 'application/yaml')).body).toEqual({ text: 'a: 1', format: 'yaml' });
    expect((await put('a: 1', 'text/csv')).status).toBe(415);
    expect((await put('')).status).toBe(400);
  });

  it('that is not UTF-8 gets 400', async () => {
    const answer = await post(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
    expect([answer.status, answer.body.code]).toEqual([400, 'not_json']);
  });

  it('of half a million wrong entries costs little memory and one problem', async () => {
    const body = `{"name":"x","tags":[${'1,'.repeat(499_000)}1]}`;
    const before = process.memoryUsage().rss;
    const answer = await post(body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toHaveLength(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });
});

describe('a query', () => {
  const get = (query: string) => service.call('GET', `${ECHO}?${query}`);

  it('is read strictly: numbers, booleans and lists from text', async () => {
    expect((await get('n=7&isOn=true&tag=a')).body.query).toEqual({ n: 7, isOn: true, tag: ['a'] });
    expect((await get('tag=a&tag=b')).body.query).toEqual({ tag: ['a', 'b'] });
  });

  it.each([
    'n=x',
    'n=1.5',
    'n=',
    'n=0x7',
    'n=10',
    'n=1&n=2',
    'isOn=1',
    'unknown=1',
    'tag=%00',
    'a[b]=c',
    '__proto__=1',
  ])('that does not fit gets 400: %s', async (query) => {
    const answer = await get(query);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('bad_request');
  });

  it('is refused where a route takes none', async () => {
    expect((await service.call('GET', '/healthz?x=1')).status).toBe(400);
  });
});

describe('a path', () => {
  it('with an id that cannot be one is as unknown as any other', async () => {
    expect((await service.call('GET', `${ECHO}/01a1fa0b-a5f8-786d-8779-39134096f0eb`)).status).toBe(200);
    for (const id of ['7', "1'--", 'x'.repeat(400)])
      expect((await service.call('GET', `${ECHO}/${encodeURIComponent(id)}`)).status, id).toBe(404);
  });

  it.each([
    '/v1/%zz',
    '/v1/stats/echo/%00',
    `/v1/stats/echo/${'x'.repeat(600)}`,
    '//',
    '/v1/../../etc/passwd',
  ])('that is hostile gets 4xx: %s', async (path) => {
    const { status } = await service.call('GET', path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

describe('every answer', () => {
  it('has a request id of its own, security headers, and says nothing of the software', async () => {
    const ids = new Set<string>();
    for (const path of ['/healthz', '/v1/nothing', `${ECHO}?x`, '/docs/', '/v1/%zz']) {
      const { headers } = await service.call('GET', path);
      ids.add(headers['x-request-id'] ?? '');
      if (!path.includes('%')) {
        expect(headers['x-content-type-options'], path).toBe('nosniff');
        expect(headers['x-frame-options'], path).toBe('DENY');
        expect(headers['content-security-policy'], path).toMatch(/default-src 'none'/);
        expect(headers['content-security-policy'], path).not.toMatch(/unsafe-eval|\*/);
        expect(headers['cache-control'], path).toBe('no-store');
      }
      expect([headers.server, headers['x-powered-by']]).toEqual([undefined, undefined]);
    }
    expect(ids.size).toBe(5);
    expect(ids).not.toContain('');
  });

  it('to anything that anyone sends to any route is no 5xx, and shows nothing of the inside', async () => {
    const spec = (await service.call('GET', '/openapi.json')).body;
    const routes = Object.entries(spec.paths as Record<string, object>).flatMap(([path, methods]) =>
      path === FAIL ? [] : Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
    const hostile = fc.oneof(
      fc.constantFrom(
        "'",
        '%00',
        '%',
        '..',
        '\u{1f600}',
        '1e400',
        '-1',
        '0',
        'null',
        '[object Object]',
        '$.a',
        '{{ x }}',
      ),
      fc.string({ maxLength: 30 }),
      fc.uuid(),
    );
    const name = fc.constantFrom(
      'name',
      'id',
      'input',
      'cursor',
      'limit',
      'status',
      'type',
      'path',
      'workflowId',
      'x',
    );
    const value = fc.oneof(hostile, fc.jsonValue({ maxDepth: 3 }));
    const request = fc.record({
      route: fc.constantFrom(...routes),
      id: hostile,
      query: fc.dictionary(name, hostile, { maxKeys: 2 }),
      body: fc.option(fc.oneof(fc.dictionary(name, value, { maxKeys: 4 }), value), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ route, id, query, body }) => {
        const path = route.path.replace(/\{\w+\}/g, encodeURIComponent(id.toWellFormed()) || 'x');
        const answer = await service.call(route.method, path, {
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          query: Object.fromEntries(Object.entries(query).map(([key, text]) => [key, text.toWellFormed()])),
        });
        expect(answer.status, `${route.method} ${path}: ${service.logged.slice(-1)}`).toBeLessThan(500);
        if (answer.status >= 400) expect(JSON.stringify(answer.body)).not.toMatch(INSIDE);
      }),
      { numRuns: depth(300), endOnFailure: true },
    );
  });
});

describe('a route', () => {
  const creating = async (config: object, schema: object = {}) =>
    (
      await createApp(service.service, {
        addRoutes: (api) => void api.post('/v1/stats/new', { config, schema }, () => ({})),
      })
    ).close();

  it('that does not say who may call it, or lets unknown fields through, cannot be added', async () => {
    await expect(creating({})).rejects.toThrow(/config.access/);
    const open = {
      type: 'object',
      properties: { a: { type: 'object', properties: {} } },
      additionalProperties: false,
    };
    await expect(creating({ access: 'stats:write' }, { body: open })).rejects.toThrow(/properties\/a/);
    await creating({ access: 'stats:write' });
  });
});
