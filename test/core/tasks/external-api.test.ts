// external_api against a stand-in for the HTTP client: what it sends, what it makes of an answer, and what may be repeated.
import { describe, expect, test } from 'vitest';
import type { NodeDefinition } from '../../../src/core/definition/model.ts';
import { NotNow, RetryableError, TerminalError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { createRedact } from '../../../src/core/redact.ts';
import { parseRetryAfter } from '../../../src/core/retry.ts';
import { AccessTokens } from '../../../src/tasks/access-tokens.ts';
import { NotConnected } from '../../../src/tasks/outbound/failure.ts';
import type { HttpAnswer, HttpRequest } from '../../../src/tasks/outbound/message.ts';
import type { AnswerState, TaskContext } from '../../../src/tasks/task-type.ts';
import { closedOutside, secretsOf } from '../../support/outside.ts';
import { context, NOW, node, outputOf, registry, taskTypeOf } from './run-task.ts';

type Answered =
  | { status?: number; headers?: Record<string, string>; body?: string | Buffer; redirects?: number }
  | Error;

interface Given extends Partial<TaskContext> {
  readonly answer?: Answered;
  /** In their order, before `answer`. */
  readonly answers?: Answered[];
  readonly tokens?: AccessTokens;
  readonly node?: Partial<NodeDefinition>;
  readonly input?: Json;
  readonly secrets?: Record<string, string>;
  readonly use?: (serviceId: string) => void;
}

const SECRETS = { KEY: 'k3y-of-acme-123456', OTHER: 'an0ther-s3cret-value' };

/** Runs a task; what it sent, what it told the engine, and how it ended. */
async function run(config: JsonObject, given: Given = {}) {
  const { answer: last = {}, answers = [], tokens, input = null, secrets = SECRETS, use, ...more } = given;
  const told: string[] = [];
  const sent: HttpRequest[] = [];
  const outside = closedOutside({
    ...(tokens !== undefined && { tokens }),
    secrets: secretsOf(secrets),
    redact: createRedact(Object.values(secrets)),
    services: {
      use: ({ serviceId }, _signal, call) => {
        use?.(serviceId);
        return call();
      },
    },
    http: {
      ...closedOutside().http,
      async request(request): Promise<HttpAnswer> {
        sent.push(request);
        const answer = answers.shift() ?? last;
        if (answer instanceof NotConnected) throw answer;
        request.onSend?.();
        if (answer instanceof Error) throw answer;
        const { status = 200, headers = {}, body = '', redirects = 0 } = answer;
        return {
          status,
          headers: new Map(Object.entries(headers)),
          body: Buffer.from(body as string),
          redirects,
        };
      },
    },
  });
  const ctx = context({
    input,
    outside,
    scope: { input, task: { id: 'it', attempt: 1 } },
    forbidRepeat: () => void told.push('forbidRepeat'),
    addCost: (usd) => void told.push(`cost ${usd}`),
    openCallback: async (limits) => {
      told.push(`callback ${limits.timeoutMs} ${limits.heartbeatMs}`);
      return { token: 'token-1', url: 'https://me.example/v1/callbacks/token-1' };
    },
    ...more,
  });
  const definition = node('external_api', config, given.node);
  try {
    const outcome = await taskTypeOf('external_api').prepare(definition, registry).run(ctx);
    return { outcome, request: sent[0]!, sent, told, failure: null };
  } catch (error) {
    return { outcome: null, request: sent[0]!, sent, told, failure: error as RetryableError };
  }
}
const json = (value: Json) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
const url = 'https://api.example/';
const urlOf = async (config: JsonObject, input: Json = null) =>
  (await run(config, { input })).request?.url.href;

describe('the URL', () => {
  test.each<[string, Json, string]>([
    [
      'https://api.example/orders/{{ input }}',
      'a/b?c#d&e=f é',
      'https://api.example/orders/a%2Fb%3Fc%23d%26e%3Df%20%C3%A9',
    ],
    ['https://api.example/?q={{ input }}&p=1', 'a&b=c', 'https://api.example/?q=a%26b%3Dc&p=1'],
    ['https://api.example/{{ input.a }}/{{ input.b }}', { a: 1, b: null }, 'https://api.example/1/'],
    ['{{ input }}/orders', 'https://base.example/v1', 'https://base.example/v1/orders'],
    ['{{ input }}', 'https://next.example/?page=2', 'https://next.example/?page=2'],
    ['$.input', 'https://next.example/?page=2#part', 'https://next.example/?page=2'],
    ['https://{{ input }}.example/', 'tenant', 'https://tenant.example/'],
  ])('%s with %j is %s', async (template, input, expected) => {
    expect(await urlOf({ url: template }, input)).toBe(expected);
  });

  test.each<[string, Json]>([
    ['https://api.example/orders/{{ input }}/items', '..'],
    ['https://api.example/orders/{{ input }}', '.'],
    ['{{ input }}', 'https://api.example/a/%2e%2E/b'],
    ['https://{{ input }}.example/', 'evil.com/'],
    ['https://{{ input }}.example/', 'user@evil'],
    ['{{ input }}', 'ftp://api.example/'],
    ['{{ input }}', 'api.example'],
    ['{{ input }}', { a: 1 }],
  ])('%s with %j is refused', async (template, input) => {
    const { failure, sent } = await run({ url: template }, { input });
    expect(failure).toBeInstanceOf(TerminalError);
    expect([failure?.code, sent.length]).toEqual(['validation', 0]);
  });

  test('a query is added: lists repeat, null is left out, the own query stays as it was written', async () => {
    const query = { page: 1, tag: ['a b', 'c&d'], no: null, none: [], ok: true };
    expect(await urlOf({ url: `${url}?x=%20a+b`, query })).toBe(
      `${url}?x=%20a+b&page=1&tag=a%20b&tag=c%26d&ok=true`,
    );
    expect(await urlOf({ url, query: {} })).toBe(url);
    expect((await run({ url, query: { a: { b: 1 } } })).failure).toMatchObject({ code: 'validation' });
  });
});

describe('what is sent', () => {
  test('a body is JSON, and makes the call a POST', async () => {
    const { request } = await run({ url, body: { a: '{{ input }}' } }, { input: 5 });
    expect([request.method, request.body?.toString(), request.headers['content-type']]).toEqual([
      'POST',
      '{"a":5}',
      'application/json',
    ]);
  });

  test('a text goes as it is', async () => {
    const { request } = await run({
      url,
      method: 'PUT',
      body: 'a,b',
      headers: { 'Content-Type': 'text/csv' },
    });
    expect([request.method, request.body?.toString(), request.headers['content-type']]).toEqual([
      'PUT',
      'a,b',
      'text/csv',
    ]);
  });

  test('no body, or null, is a GET', async () => {
    expect((await run({ url })).request).toMatchObject({ method: 'GET', body: null });
    expect((await run({ url, body: '$.input' })).request).toMatchObject({ method: 'GET', body: null });
  });

  test('headers have lower-case names; null is left out', async () => {
    const { request } = await run({ url, headers: { 'X-A': 1, 'X-B': null, Accept: 'text/csv' } });
    expect(request.headers).toEqual({ 'x-a': '1', accept: 'text/csv', 'user-agent': 'dagwright' });
  });

  test.each<[string, JsonObject]>([
    ['a line break', { 'x-a': 'a\r\nX-B: 1' }],
    ['a line break alone', { 'x-a': 'a\nb' }],
    ['a NUL', { 'x-a': 'a\0' }],
    ['what Latin-1 lacks', { 'x-a': '→' }],
    ['an object', { 'x-a': {} }],
    ['a name with a line break', { 'x-a\r\nb': '1' }],
    ['an empty name', { '': '1' }],
    ['one name twice', { 'x-a': '1', 'X-A': '2' }],
    ['host', { Host: 'metadata.google.internal' }],
    ['transfer-encoding', { 'Transfer-Encoding': 'chunked' }],
    ['content-length', { 'content-length': '3' }],
  ])('a header with %s is refused', async (_, headers) => {
    const { failure, sent } = await run({ url, headers });
    expect([failure?.code, sent.length]).toEqual(['validation', 0]);
    expect(failure?.message).not.toContain('\n');
  });

  test('a credential is a Bearer token', async () => {
    expect((await run({ url, credential: 'KEY' })).request.headers.authorization).toBe(
      `Bearer ${SECRETS.KEY}`,
    );
  });

  test('secrets can be in every field', async () => {
    const { request } = await run({
      url: 'https://api.example/{{ secrets.OTHER }}',
      query: { key: '{{ secrets.KEY }}' },
      headers: { 'x-api-key': '{{ secrets.KEY }}' },
      body: { key: '$.secrets.KEY' },
    });
    expect(request.url.href).toBe(`https://api.example/${SECRETS.OTHER}?key=${SECRETS.KEY}`);
    expect([request.headers['x-api-key'], request.body?.toString()]).toEqual([
      SECRETS.KEY,
      `{"key":"${SECRETS.KEY}"}`,
    ]);
    expect([request.hasSecretBody, (await run({ url, body: 1 })).request.hasSecretBody]).toEqual([
      true,
      false,
    ]);
  });

  test.each<[string, JsonObject]>([
    ['credential', { url, credential: 'NONE' }],
    ['secrets', { url, headers: { a: 'x {{ secrets.NONE }}' } }],
    ['a name of every object', { url, credential: 'constructor' }],
  ])('a secret that is not there, by %s, names the variable to set', async (_, config) => {
    const { failure, sent } = await run(config);
    expect(failure).toBeInstanceOf(TerminalError);
    expect(failure).toMatchObject({
      code: 'validation',
      message: expect.stringMatching(/DAGWRIGHT_SECRET_(NONE|constructor)/),
    });
    expect(sent).toEqual([]);
  });

  test('one that may be missing may be', async () => {
    expect(
      (await run({ url, headers: { 'x-a': "{{ secrets.NONE ?? 'none' }}" } })).request.headers['x-a'],
    ).toBe('none');
  });

  test('a credential beside an own Authorization is refused', async () => {
    const { failure } = await run({ url, credential: 'KEY', headers: { Authorization: 'Basic x' } });
    expect(failure).toMatchObject({ code: 'validation' });
  });

  test('the limits of its service are those of its host, or of its serviceId', async () => {
    const ids: string[] = [];
    const use = (id: string) => void ids.push(id);
    await run({ url: 'https://api.example:8443/x' }, { use });
    await run({ url }, { use, node: { serviceId: 'billing' } });
    expect(ids).toEqual(['api.example:8443', 'billing']);
  });

  test('a service that has no room sends nothing, and costs nothing', async () => {
    const use = () => {
      throw new NotNow('busy', 10);
    };
    const { failure, sent, told } = await run({ url, method: 'POST', costUsd: 1 }, { use });
    expect(failure).toBeInstanceOf(NotNow);
    expect([sent, told]).toEqual([[], []]);
  });
});

describe('the answer', () => {
  const bodyOf = async (headers: Record<string, string>, body: string | Buffer) =>
    (outputOf((await run({ url }, { answer: { headers, body } })).outcome!) as { body: Json }).body;

  test('is status, headers and body', async () => {
    const { outcome } = await run({ url }, { answer: json({ a: [1] }) });
    expect(outputOf(outcome!)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { a: [1] },
    });
  });

  test.each<[string, Record<string, string>, string | Buffer, Json]>([
    ['JSON', { 'content-type': 'application/json; charset=utf-8' }, '{"é":1}', { é: 1 }],
    ['JSON of a vendor', { 'content-type': 'application/vnd.api+json' }, '[1]', [1]],
    ['a text', { 'content-type': 'text/plain' }, '{"a":1}', '{"a":1}'],
    ['XML', { 'content-type': 'application/atom+xml' }, '<a/>', '<a/>'],
    ['a text in Latin-1', { 'content-type': 'text/plain; charset=ISO-8859-1' }, Buffer.from([0xe9]), 'é'],
    ['a text in a charset that does not exist', { 'content-type': 'text/plain; charset=klingon' }, 'a', 'a'],
    ['nothing', { 'content-type': 'application/json' }, '', null],
    ['bytes', { 'content-type': 'image/png' }, Buffer.from([0, 255]), { base64: 'AP8=' }],
    ['text that does not say what it is', {}, 'hello', 'hello'],
    ['bytes that do not say what they are', {}, Buffer.from([0xff, 0xfe, 0]), { base64: '//4A' }],
  ])('a body of %s', async (_, headers, body, expected) => {
    expect(await bodyOf(headers, body)).toEqual(expected);
  });

  test('headers that may hold a session are left out', async () => {
    const kept = {
      etag: '"1"',
      link: '<x>',
      'x-request-id': 'r',
      'retry-after': '1',
      'x-ratelimit-remaining': '3',
      'ratelimit-limit': '9',
    };
    const headers = {
      ...kept,
      'set-cookie': 'a=1',
      'x-amz-security-token': 't',
      authorization: 'x',
      server: 'y',
    };
    const { outcome } = await run({ url }, { answer: { headers } });
    expect((outputOf(outcome!) as { headers: Json }).headers).toEqual(kept);
  });

  test('malformed JSON is output_invalid', async () => {
    const { failure } = await run(
      { url },
      { answer: { headers: { 'content-type': 'application/json' }, body: '{"a":' } },
    );
    expect(failure).toBeInstanceOf(RetryableError);
    expect(failure).toMatchObject({
      code: 'output_invalid',
      message: expect.stringContaining('not valid JSON'),
    });
  });

  test('a server that escapes what it echoes in an error tells it to nobody', async () => {
    const secret = 'k3y-of-<acme>&"co\'-123';
    const json = JSON.stringify({ error: { key: secret } });
    const escaped = json.replaceAll(/[<>&']/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
    const html = `<p>${secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#x27;')}</p>`;
    for (const [type, body] of [
      ['application/json', escaped],
      ['application/problem+json', JSON.stringify({ error: escaped })],
      ['application/json', `${escaped} and no JSON`],
      ['text/html', html],
    ] as const) {
      const answer = { status: 400, body, headers: { 'content-type': type } };
      const { failure } = await run({ url, credential: 'KEY' }, { answer, secrets: { KEY: secret } });
      expect(JSON.stringify((failure as RetryableError).details)).toContain('[redacted]');
      expect(JSON.stringify((failure as RetryableError).details)).not.toContain('acme');
    }
  });

  test('a server that echoes secrets tells them to nobody', async () => {
    const key = SECRETS.KEY;
    const body = { key, [key]: [`Bearer ${key}`, Buffer.from(`a${key}`).toString('base64')] };
    const config = { url, credential: 'KEY' };
    const echoes: Given['answer'][] = [
      json(body),
      { headers: { link: key, 'content-type': 'text/plain' }, body: `x ${key} y` },
      { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from(`xy${key}z`) },
      { status: 401, ...json(body) },
      { status: 500, body: `${'x'.repeat(1990)}${key}` },
    ];
    for (const answer of echoes) {
      const { outcome, failure } = await run(config, { answer });
      const told = JSON.stringify([outcome, failure?.message, failure?.details]);
      expect(told).not.toContain(key);
      expect(told).not.toContain(key.slice(0, 9));
      expect(Buffer.from(/"base64":"([^"]*)"/.exec(told)?.[1] ?? '', 'base64').toString()).not.toContain(key);
    }
  });
});

describe('a status that was not expected', () => {
  test('is http_<status>, with the status and an excerpt of the body', async () => {
    const { failure } = await run(
      { url: `${url}a?key=x` },
      { answer: { status: 404, body: 'no such thing' } },
    );
    expect(failure).toBeInstanceOf(RetryableError);
    expect(failure).toMatchObject({
      code: 'http_404',
      status: 404,
      message: 'Task "it": GET https://api.example/a answered 404; expected 2xx',
      details: { body: 'no such thing' },
    });
  });

  test.each<[Json, number, boolean]>([
    [204, 204, true],
    [204, 200, false],
    ['4xx', 404, true],
    ['4xx', 200, false],
    [[200, 404], 404, true],
    [['2xx', '404'], 404, true],
    [['2xx', 404], 410, false],
  ])('%j and %i: %s', async (expectedStatus, status, isExpected) => {
    const { outcome, failure } = await run({ url, expectedStatus }, { answer: { status } });
    expect(outcome === null ? failure?.code : 'completed').toBe(isExpected ? 'completed' : `http_${status}`);
  });

  test('names its path, without what is secret of it, and cut where it is long', async () => {
    const told = async (path: string) =>
      (await run({ url: `${url}${path}` }, { answer: { status: 500 } })).failure?.message;
    expect(await told('orders/17?token=hidden')).toBe(
      'Task "it": GET https://api.example/orders/17 answered 500; expected 2xx',
    );
    expect(await told(`bot${SECRETS.KEY}/send`)).not.toContain(SECRETS.KEY);
    expect(await told(`bot${SECRETS.KEY}/send`)).toMatch(/\/bot.*\/send answered 500/);
    expect((await told('x'.repeat(5_000)))!.length).toBeLessThan(300);
  });

  test('a redirect that is expected is not followed', async () => {
    const { request } = await run({ url, expectedStatus: [200, 302] });
    expect([request.keepsStatus?.(302), request.keepsStatus?.(301)]).toEqual([true, false]);
  });

  test.each<[number, string | undefined, number | undefined]>([
    [429, '7', 7],
    [503, '99999', 3600],
    [429, 'Tue, 01 Jan 2030 00:00:30 GMT', 30],
    [429, 'Tue, 01 Jan 2020 00:00:00 GMT', 0],
    [429, 'soon', undefined],
    [429, '-5', undefined],
    [429, undefined, undefined],
    [500, '7', undefined],
  ])('%i with Retry-After %s waits %s s at least', async (status, value, expected) => {
    const headers: Record<string, string> = value === undefined ? {} : { 'retry-after': value };
    const { failure } = await run({ url }, { answer: { status, headers } });
    expect(failure?.retryAfter).toBe(expected);
    expect(parseRetryAfter(value, NOW)).toBe(status === 500 ? 7 : expected);
  });
});

describe('what a server may make of us', () => {
  test('a POST that was answered with JSON too deep to be kept is not sent again', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { failure } = await run(
      { url: 'https://api.example/', method: 'POST', body: 1 },
      { answer: { headers: { 'content-type': 'application/json' }, body: deep } },
    );
    expect(failure).toBeInstanceOf(TerminalError);
    expect(failure).toMatchObject({ code: 'output_invalid' });
  });

  test('JSON of more values than anything is made of fails the task at once, and says what to do', async () => {
    const { failure } = await run(
      { url, maxResponseBytes: 16_000_000 },
      {
        answer: {
          headers: { 'content-type': 'application/json' },
          body: `[${'{},'.repeat(1_500_000)}{}]`,
        },
      },
    );
    expect(failure).toBeInstanceOf(TerminalError);
    expect(failure).toMatchObject({
      code: 'payload_too_large',
      status: 200,
      message: expect.stringMatching(/of more than 2000000 values; ask for less at a time$/),
    });
  });

  test('the limit holds in every charset that an answer may be in', async () => {
    // In UTF-16 the bytes of other characters look like quotes, between which nothing would be counted.
    const body = Buffer.from(`["\u2200",${'{},'.repeat(1_500_000)}{}]`, 'utf16le');
    const { failure } = await run(
      { url, maxResponseBytes: 16_000_000 },
      { answer: { headers: { 'content-type': 'application/json; charset=utf-16le' }, body } },
    );
    expect(failure).toMatchObject({ code: 'payload_too_large' });
  });

  test('a secret in the host is not in the name of the service', async () => {
    const named: string[] = [];
    await run(
      { url: 'https://{{ secrets.KEY }}.api.example/' },
      { use: (serviceId) => void named.push(serviceId) },
    );
    expect(named).toHaveLength(1);
    expect(named[0]).not.toContain(SECRETS.KEY);
  });
});

describe('what may be repeated', () => {
  const lost = () => new RetryableError('broken off', { code: 'network' });
  test.each<[string, JsonObject, Given['answer'], boolean]>([
    ['a GET', { method: 'GET' }, lost(), true],
    ['a PUT', { method: 'PUT', body: 1 }, lost(), true],
    ['a DELETE', { method: 'DELETE' }, { status: 500 }, true],
    ['a POST that was not connected', { method: 'POST' }, new NotConnected('refused'), true],
    ['a POST that was broken off', { method: 'POST' }, lost(), false],
    ['a POST that was answered with 500', { method: 'POST' }, { status: 500 }, false],
    ['a POST that was answered with 408', { method: 'POST' }, { status: 408 }, false],
    ['a POST that was answered with 429', { method: 'POST' }, { status: 429 }, true],
    ['a POST that was answered with 503', { method: 'POST' }, { status: 503 }, true],
    ['a POST that was redirected to a 503', { method: 'POST' }, { status: 503, redirects: 1 }, false],
    [
      'a POST with malformed JSON',
      { method: 'POST' },
      { headers: { 'content-type': 'application/json' }, body: '{' },
      false,
    ],
    ['a PATCH that was answered with 502', { method: 'PATCH' }, { status: 502 }, false],
    ['an idempotent POST that was broken off', { method: 'POST', idempotent: true }, lost(), true],
    ['an idempotent PATCH with 500', { method: 'PATCH', idempotent: true }, { status: 500 }, true],
  ])('%s', async (_, config, answer, mayRepeat) => {
    const { failure, request, told } = await run({ url, ...config }, { answer });
    expect(failure).toBeInstanceOf(mayRepeat ? RetryableError : TerminalError);
    const isOnce = (config.method === 'POST' || config.method === 'PATCH') && config.idempotent !== true;
    expect(request.isOnce).toBe(isOnce);
    expect(told).toEqual(isOnce && !(answer instanceof NotConnected) ? ['forbidRepeat'] : []);
  });

  test('the code and status stay', async () => {
    const { failure } = await run({ url, method: 'POST' }, { answer: { status: 500, body: 'x' } });
    expect(failure).toMatchObject({ code: 'http_500', status: 500, details: { body: 'x' } });
  });

  test('an idempotent POST names itself, the same for every attempt; an own key goes before', async () => {
    expect((await run({ url, method: 'POST', idempotent: true })).request.headers['idempotency-key']).toBe(
      'execution-1:it',
    );
    expect((await run({ url, method: 'POST' })).request.headers).not.toHaveProperty('idempotency-key');
    expect((await run({ url, idempotent: true })).request.headers).not.toHaveProperty('idempotency-key');
    const headers = { 'Idempotency-Key': 'mine' };
    expect(
      (await run({ url, method: 'POST', idempotent: true, headers })).request.headers['idempotency-key'],
    ).toBe('mine');
  });
});

describe('cost', () => {
  test.each<[Json, string]>([
    ['0.0020', 'cost 0.002'],
    [0.5, 'cost 0.5'],
    ['{{ input }}', 'cost 3'],
    [null, 'cost null'],
  ])('%j is added when the request goes out', async (costUsd, expected) => {
    expect((await run({ url, costUsd }, { input: 3 })).told).toEqual([expected]);
    expect((await run({ url, costUsd }, { input: 3, answer: { status: 500 } })).told).toEqual([expected]);
    expect((await run({ url, costUsd }, { input: 3, answer: new NotConnected('x') })).told).toEqual([]);
  });

  test('nothing is added where none is given', async () => {
    expect((await run({ url })).told).toEqual([]);
  });

  test.each<Json>(['free', -1, [1], true])('%j is no cost', async (input) => {
    expect((await run({ url, costUsd: '$.input' }, { input })).failure).toMatchObject({ code: 'validation' });
  });
});

describe('templates that give what does not fit', () => {
  test.each<[string, Json]>([
    ['method', 'TRACE'],
    ['query', 'a=1'],
    ['headers', []],
    ['credential', 5],
    ['expectedStatus', 'ok'],
    ['expectedStatus', []],
    ['idempotent', 'yes'],
    ['maxResponseBytes', 0],
    ['callback', 3],
  ])('%s: %j', async (field, input) => {
    const { failure, sent } = await run({ url, [field]: '$.input' }, { input });
    expect([failure?.code, sent.length]).toEqual(['validation', 0]);
    expect(failure?.message).toContain(`config.${field}`);
  });
});

describe('a callback', () => {
  const config = {
    url,
    method: 'POST',
    body: { to: '{{ task.callbackUrl }}', token: '{{ task.callbackToken }}', id: '{{ task.id }}' },
    callback: { timeoutSeconds: 60, heartbeatSeconds: 5 },
  };
  const state = (more: Partial<AnswerState>): Given => ({
    phase: 'callback',
    answerState: { status: 'open', output: null, error: null, leftMs: 1000, ...more },
  });

  test('its token is there before the call, which tells it; then the task waits', async () => {
    const { outcome, request, told } = await run(config);
    expect(request.body?.toString()).toBe(
      '{"to":"https://me.example/v1/callbacks/token-1","token":"token-1","id":"it"}',
    );
    expect([told, outcome]).toEqual([
      ['callback 60000 5000', 'forbidRepeat'],
      { kind: 'waitForAnswer', on: 'callback' },
    ]);
  });

  test('by default it waits an hour, without heartbeats', async () => {
    expect((await run({ url, callback: {} })).told[0]).toBe('callback 3600000 null');
  });

  test('the body of the accepting answer is not read', async () => {
    const { outcome } = await run(config, {
      answer: { headers: { 'content-type': 'application/json' }, body: 'OK' },
    });
    expect(outcome).toEqual({ kind: 'waitForAnswer', on: 'callback' });
  });

  test('a call that is not accepted fails at once', async () => {
    expect((await run(config, { answer: { status: 400 } })).failure?.code).toBe('http_400');
  });

  test('what it brings is the output', async () => {
    const { outcome, sent } = await run(config, state({ status: 'completed', output: { done: true } }));
    expect([outcome, sent]).toEqual([{ kind: 'completed', output: { done: true } }, []]);
  });

  test('an error that it brings is the error', async () => {
    const error = { code: 'Declined', message: 'no', details: { why: 1 } };
    const { failure, sent } = await run(config, state({ status: 'failed', error }));
    expect(failure).toBeInstanceOf(TerminalError);
    expect([failure, sent]).toEqual([expect.objectContaining(error), []]);
  });

  test('while there is time it waits on', async () => {
    expect(await run(config, state({}))).toMatchObject({
      outcome: { kind: 'waitForAnswer', on: 'callback' },
      sent: [],
    });
  });

  test.each<[string, JsonObject, boolean]>([
    ['a POST', {}, false],
    ['an idempotent POST', { idempotent: true }, true],
    ['a GET', { method: 'GET', body: null }, true],
  ])('without an answer in time %s fails with timeout', async (_, more, mayRepeat) => {
    const { failure, sent } = await run({ ...config, ...more }, state({ leftMs: 0 }));
    expect(failure).toBeInstanceOf(mayRepeat ? RetryableError : TerminalError);
    expect([failure?.code, sent.length]).toEqual(['timeout', 0]);
  });
});

describe('responseType', () => {
  const answered = async (responseType: string | undefined, type: string, body: string | Buffer) => {
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
    const config = { url, ...(responseType !== undefined && { responseType }) };
    const { outcome, failure } = await run(config, {
      log,
      answer: { headers: type === '' ? {} : { 'content-type': type }, body },
    });
    return { body: outcome === null ? null : (outputOf(outcome) as JsonObject).body, failure, warnings };
  };

  test.each<[string | undefined, string, string | Buffer, unknown]>([
    ['json', 'text/plain', '{"a":1}', { a: 1 }],
    ['json', 'application/octet-stream', '\uFEFF[1]', [1]],
    ['json', '', '', null],
    ['text', 'application/json', '{"a":1}', '{"a":1}'],
    ['text', 'application/pdf; charset=latin1', Buffer.from([0xe9]), 'é'],
    ['text', 'application/json', '', ''],
    [
      'bytes',
      'application/pdf',
      Buffer.from([0, 255, 1]),
      { base64: 'AP8B', contentType: 'application/pdf', length: 3 },
    ],
    ['bytes', 'application/json', '{}', { base64: 'e30=', contentType: 'application/json', length: 2 }],
    ['bytes', '', '', { base64: '', contentType: null, length: 0 }],
    [undefined, 'application/pdf', Buffer.from([0, 255, 1]), { base64: 'AP8B' }],
  ])('%s of %s', async (responseType, type, body, expected) =>
    expect((await answered(responseType, type, body)).body).toEqual(expected),
  );

  test('json of what is none is output_invalid, and another type is refused', async () => {
    expect((await answered('json', 'text/html', '<p>')).failure).toMatchObject({ code: 'output_invalid' });
    expect((await answered('xml', 'text/html', '<p>')).failure).toMatchObject({
      code: 'validation',
      message: expect.stringMatching(/one of json, text, bytes in config.responseType/),
    });
  });

  test('a secret in bytes is hidden', async () => {
    const { body } = await answered('bytes', 'application/pdf', `\0${SECRETS.KEY}`);
    expect(Buffer.from((body as { base64: string }).base64, 'base64').toString()).not.toContain(SECRETS.KEY);
  });

  test('integers beyond 2^53 are kept exactly, as texts, and said once', async () => {
    const text = '{"id":820982911946154508,"items":[{"id":12345678901234567890}]}';
    for (const [responseType, type] of [
      [undefined, 'application/json'],
      ['json', 'text/plain'],
    ] as const) {
      const { body, warnings } = await answered(responseType, type, text);
      expect(body).toEqual({ id: '820982911946154508', items: [{ id: '12345678901234567890' }] });
      expect(warnings).toEqual([
        expect.stringMatching(/^the answer of .*2 numbers beyond 2\^53.*\/id, \/items\/0\/id$/),
      ]);
    }
    expect((await answered('text', 'application/json', text)).body).toBe(text);
  });
});

describe('bodies by their Content-Type', () => {
  const sentAs = async (type: string, body: Json, input: Json = null) => {
    const { request, failure } = await run({ url, headers: { 'Content-Type': type }, body }, { input });
    if (failure !== null) throw failure;
    return { type: request.headers['content-type']!, text: request.body!.toString(), method: request.method };
  };
  const FORM = 'application/x-www-form-urlencoded';

  test('a form: fields in their order, a list repeats its name, null is left out', async () => {
    expect(
      await sentAs(
        FORM,
        { grant: 'a b&c', n: 1.5, on: true, none: null, tag: ['x', 'y'], who: '{{ input.who }}' },
        { who: 'é' },
      ),
    ).toEqual({ type: FORM, text: 'grant=a+b%26c&n=1.5&on=true&tag=x&tag=y&who=%C3%A9', method: 'POST' });
    expect((await sentAs(FORM, 'a=already')).text).toBe('a=already');
    expect((await sentAs('text/plain', { a: 1 })).text).toBe('{"a":1}');
  });

  test.each<[string, Json, RegExp]>([
    [FORM, { a: '{{ input }}' }, /config.body.a is an object, which a form .* cannot hold: flatten it/],
    [FORM, { 'x y': ['{{ input }}'] }, /config.body\["x y"\] is an object/],
    [FORM, [1], /config.body must be an object of fields/],
    ['multipart/form-data', { a: '{{ input }}' }, /config.body.a is an object: a part is .* or a file/],
    ['multipart/form-data', { a: { base64: 'a?' } }, /config.body.a.base64 is not base64/],
    ['multipart/form-data', { a: { base64: 'AA==', filename: 1 } }, /filename must be a text/],
    ['multipart/form-data', 7, /config.body must be an object of fields/],
  ])('%s of %j is refused', async (type, body, message) => {
    await expect(sentAs(type, body, { b: 1 })).rejects.toMatchObject({
      code: 'validation',
      message: expect.stringMatching(message),
    });
  });

  test('parts: fields and files, as another reader reads them', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 34]);
    const { request } = await run({
      url,
      headers: { 'content-type': 'multipart/form-data' },
      body: {
        name: 'é "x"',
        tag: ['a', 'b'],
        none: null,
        plain: { base64: bytes.toString('base64') },
        named: { base64: bytes.toString('base64'), filename: 'p"1.png', contentType: 'image/png', length: 5 },
      },
    });
    const type = request.headers['content-type']!;
    expect(type).toMatch(/^multipart\/form-data; boundary=/);
    const form = await new Response(request.body!, { headers: { 'content-type': type } }).formData();
    expect([form.get('name'), form.getAll('tag'), form.has('none')]).toEqual(['é "x"', ['a', 'b'], false]);
    const [plain, named] = [form.get('plain') as File, form.get('named') as File];
    expect([plain.name, plain.type, Buffer.from(await plain.arrayBuffer())]).toEqual([
      'plain',
      'application/octet-stream',
      bytes,
    ]);
    expect([named.name, named.type, Buffer.from(await named.arrayBuffer())]).toEqual([
      'p"1.png',
      'image/png',
      bytes,
    ]);
  });
});

describe('auth', () => {
  test('basic and bearer, with their secrets hidden where they come back', async () => {
    const secrets = { P: 'pä:ss-w0rd-long', T: 't0ken-of-acme-1' };
    const basic = await run(
      { url, auth: { basic: { username: 'me', password: '{{ secrets.P }}' } } },
      {
        secrets,
        answer: {
          headers: { 'content-type': 'text/plain' },
          body: `you are ${Buffer.from('me:pä:ss-w0rd-long').toString('base64')}`,
        },
      },
    );
    expect(basic.request.headers.authorization).toBe(
      `Basic ${Buffer.from('me:pä:ss-w0rd-long').toString('base64')}`,
    );
    expect(outputOf(basic.outcome!)).toMatchObject({ body: 'you are [redacted]' });
    const bearer = await run({ url, auth: { bearer: { token: '{{ secrets.T }}' } } }, { secrets });
    expect(bearer.request.headers.authorization).toBe('Bearer t0ken-of-acme-1');
    expect([...bearer.request.usedSecrets!].map(({ name }) => name)).toEqual(['T']);
  });

  test('a signature of AWS is in the call, and its secret goes only where it may', async () => {
    const { request } = await run({
      url,
      auth: {
        awsSigV4: {
          ...{
            accessKeyId: 'AKIA1',
            secretAccessKey: '{{ secrets.KEY }}',
            region: 'eu-west-1',
            service: 'sqs',
          },
        },
      },
    });
    expect(request.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIA1\/\d{8}\/eu-west-1\/sqs\//,
    );
    expect([...request.usedSecrets!].map(({ name }) => name)).toEqual(['KEY']);
  });

  test('a token goes only where the secrets may that it was made of', async () => {
    const { sent } = await run(
      {
        url,
        auth: {
          oauth2ClientCredentials: {
            ...{ tokenUrl: 'https://id.example/token', clientId: 'me', clientSecret: '{{ secrets.KEY }}' },
          },
        },
      },
      { answers: [{ body: '{"access_token":"a-t0ken"}' }] },
    );
    expect(
      sent.map(({ url: { host }, usedSecrets }) => [host, ...[...usedSecrets!].map(({ name }) => name)]),
    ).toEqual([
      ['id.example', 'KEY'],
      ['api.example', 'KEY'],
    ]);
    // An endpoint that sends elsewhere is not the one that was named.
    expect(sent[0]!.keepsStatus?.(302)).toBe(true);
  });

  test.each<[JsonObject, RegExp]>([
    [{ basic: { username: 'a:b', password: '{{ secrets.KEY }}' } }, /username cannot hold ":"/],
    [{ bearer: { token: '{{ input }}' } }, /auth.bearer needs "token"/],
    [{ bearer: { token: '{{ secrets.NONE }}' } }, /there is no secret "NONE"; set DAGWRIGHT_SECRET_NONE/],
  ])('%j is refused', async (auth, message) => {
    const { failure, sent } = await run({ url, auth }, { input: null });
    expect(failure).toMatchObject({ code: 'validation', message: expect.stringMatching(message) });
    expect(sent).toEqual([]);
  });
});

describe('a kept token that is refused', () => {
  const auth = {
    oauth2ClientCredentials: {
      ...{ tokenUrl: 'https://id.example/token', clientId: 'me', clientSecret: '{{ secrets.KEY }}' },
    },
  };
  const token: Answered = { body: '{"access_token":"a-t0ken","expires_in":3600}' };
  const post = async (answers: readonly Answered[]) => {
    const tokens = new AccessTokens();
    const config = { url, auth, method: 'POST', body: { a: 1 } };
    await run(config, { tokens, answers: [token] });
    const { failure, sent } = await run(config, { tokens, answers: [...answers] });
    return { failure, hosts: sent.map(({ url: { host } }) => host) };
  };
  const CALL = 'api.example';
  const TOKEN = 'id.example';

  test.each<[string, Answered[], string[], typeof RetryableError | typeof TerminalError | null]>([
    ['and the next is taken', [{ status: 401 }, token, {}], [CALL, TOKEN, CALL], null],
    [
      'and its service goes away',
      [{ status: 401 }, token, new NotConnected('refused')],
      [CALL, TOKEN, CALL],
      RetryableError,
    ],
    ['and there is no other for now', [{ status: 401 }, { status: 503 }], [CALL, TOKEN], RetryableError],
    [
      'and who gives them goes away',
      [{ status: 401 }, new NotConnected('refused')],
      [CALL, TOKEN],
      RetryableError,
    ],
    [
      'and who gives them breaks off',
      [{ status: 401 }, new RetryableError('broken off', { code: 'network' })],
      [CALL, TOKEN],
      RetryableError,
    ],
    [
      'and the next call fails',
      [{ status: 401 }, token, { status: 500 }],
      [CALL, TOKEN, CALL],
      TerminalError,
    ],
    [
      'and the next call breaks off',
      [{ status: 401 }, token, new RetryableError('broken off', { code: 'network' })],
      [CALL, TOKEN, CALL],
      TerminalError,
    ],
    ['by another host', [{ status: 401, redirects: 1 }], [CALL], TerminalError],
  ])('%s: a POST that nobody took may be repeated, and no other', async (_what, answers, hosts, error) => {
    const ended = await post(answers);
    expect(ended.hosts).toEqual(hosts);
    if (error === null) expect(ended.failure).toBe(null);
    else expect(ended.failure).toBeInstanceOf(error);
  });
});
