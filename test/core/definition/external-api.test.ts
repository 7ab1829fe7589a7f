import { describe, expect, test } from 'vitest';
import { type Doc, problemsOf, reads, task, typed, workflow } from './documents.ts';

const api = (config: Doc, more: Doc = {}) => workflow([typed('a', 'external_api', config, more)]);
const url = 'https://api.example.com/orders/{{ input.id }}';

describe('external_api is checked when its definition is', () => {
  test.each<[string, Doc]>([
    ['only a URL', { url: 'https://example.com/' }],
    ['a whole template for the URL', { url: '{{ input.next }}' }],
    ['the short form', { url: '$.input.next' }],
    ['a template that begins the URL', { url: '{{ input.base }}/orders' }],
    [
      'every field',
      {
        url,
        method: 'POST',
        query: { page: 1, tag: ['a', 'b'], none: null },
        headers: { 'x-api-key': '{{ secrets.ACME }}', accept: 'text/csv' },
        body: {
          secret: '{{ secrets.OTHER }}',
          to: '{{ task.callbackUrl }}',
          with: '{{ task.callbackToken }}',
        },
        credential: 'ACME_KEY',
        expectedStatus: [200, '4xx'],
        idempotent: true,
        maxResponseBytes: 16_000_000,
        costUsd: '0.002',
        callback: { timeoutSeconds: 60, heartbeatSeconds: 10 },
      },
    ],
    [
      'templates for what has a type',
      {
        url,
        idempotent: '{{ input.i }}',
        costUsd: '{{ input.c }}',
        query: '$.input.q',
        expectedStatus: '{{ input.s }}',
      },
    ],
    ['each way to show who calls', { url, auth: { basic: { username: 'me', password: '{{ secrets.P }}' } } }],
    ['a bearer token of another task', { url, auth: { bearer: { token: '{{ input.token }}' } } }],
    [
      'an AWS signature',
      {
        url,
        auth: {
          awsSigV4: {
            accessKeyId: 'A',
            secretAccessKey: '{{ secrets.S }}',
            region: 'eu-central-1',
            service: 's3',
          },
        },
      },
    ],
    [
      'OAuth client credentials',
      {
        url,
        auth: {
          oauth2ClientCredentials: {
            ...{ tokenUrl: 'https://id.example/token', clientId: 'me', clientSecret: '{{ secrets.S }}' },
            ...{ scope: 'a b', audience: 'https://api.example', sendIn: 'body' },
          },
        },
      },
    ],
    [
      'a form',
      {
        url,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: { a: [1, 'x'], b: null },
      },
    ],
    [
      'a form whose values are templates',
      { url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '{{ input.form }}' },
    ],
    [
      'parts with a file',
      {
        url,
        headers: { 'content-type': 'multipart/form-data' },
        body: { f: { base64: 'AA==', filename: 'a.bin' } },
      },
    ],
    ['a type of the answer', { url, responseType: 'bytes' }],
    ['a status, a class, a status as text', { url, expectedStatus: 204 }],
    ['a class', { url, expectedStatus: '2xx' }],
    ['a cost that is unknown', { url, costUsd: null }],
    ['a callback with its defaults', { url, callback: {} }],
  ])('%s is accepted', (_, config) => {
    expect(problemsOf(api(config))).toEqual([]);
  });

  test.each<[string, Doc, string]>([
    ['no URL', {}, '/url required'],
    ['another scheme', { url: 'ftp://example.com' }, '/url pattern'],
    ['an unknown method', { url, method: 'get' }, '/method invalid_value'],
    ['an unknown field', { url, timeout: 3 }, '/timeout unknown_field'],
    ['a query that is a text', { url, query: 'a=1' }, '/query type'],
    ['a status that no answer has', { url, expectedStatus: 99 }, '/expectedStatus range'],
    ['a size over the limit', { url, maxResponseBytes: 16_000_001 }, '/maxResponseBytes range'],
    ['a cost below zero', { url, costUsd: -1 }, '/costUsd range'],
    ['a cost that is no number', { url, costUsd: 'free' }, '/costUsd pattern'],
    ['another type of the answer', { url, responseType: 'xml' }, '/responseType invalid_value'],
    [
      'two ways to show who calls',
      { url, credential: 'K', auth: { bearer: { token: '$.input.t' } } },
      '/auth conflict',
    ],
    [
      'two schemes',
      { url, auth: { bearer: { token: '$.input.t' }, basic: { username: 'a', password: '$.input.p' } } },
      '/auth range',
    ],
    ['no scheme', { url, auth: {} }, '/auth range'],
    ['an unknown scheme', { url, auth: { digest: {} } }, '/auth/digest unknown_field'],
    [
      'a scheme without its secret',
      { url, auth: { basic: { username: 'a' } } },
      '/auth/basic/password required',
    ],
    [
      'a secret in the definition',
      { url, auth: { bearer: { token: 's3cret' } } },
      '/auth/bearer/token secret_in_definition',
    ],
    [
      'an authorization header beside auth',
      { url, headers: { Authorization: 'x' }, auth: { bearer: { token: '$.input.t' } } },
      '/headers/Authorization conflict',
    ],
    [
      'a form with nesting',
      {
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: { a: { b: 1 } },
      },
      '/body/a not_a_form',
    ],
    ['a credential that is no name', { url, credential: 'my key' }, '/credential pattern'],
    [
      'an unknown field of the callback',
      { url, callback: { timeout: 1 } },
      '/callback/timeout unknown_field',
    ],
    [
      'a callback that ends at once',
      { url, callback: { timeoutSeconds: 0 } },
      '/callback/timeoutSeconds range',
    ],
  ])('%s is refused', (_, config, problem) => {
    expect(problemsOf(api(config)).map((one) => one.replace('/nodes/0/config', ''))[0]).toBe(problem);
  });

  test('the path and the query are closed to what the schemas exclude', () => {
    const document = api({ url }, {});
    expect(problemsOf({ ...document, inputSchema: { type: 'object', additionalProperties: false } })).toEqual(
      ['/nodes/0/config/url excluded_path'],
    );
  });

  test('its output is known, unless a callback brings it', () => {
    const of = (config: Doc) =>
      workflow([typed('a', 'external_api', config), reads('b', '$.tasks.a.output.data', 'a')]);
    expect(problemsOf(of({ url: 'https://x.example' }))).toEqual(['/nodes/1/config/output excluded_path']);
    expect(problemsOf(of({ url: 'https://x.example', callback: {} }))).toEqual([]);
  });

  test.each<[string, Doc]>([
    ['a secret in another type', reads('a', '{{ secrets.KEY }}')],
    ['a secret in an inputMapping', task('a', [], { inputMapping: '{{ secrets.KEY }}' })],
    [
      'a secret in an outputMapping',
      typed('a', 'external_api', { url: 'https://x.example' }, { outputMapping: '{{ secrets.KEY }}' }),
    ],
    ['all secrets', typed('a', 'external_api', { url: 'https://x.example', body: '$.secrets' })],
    [
      'a secret that the input chooses',
      typed('a', 'external_api', { url: 'https://x.example', body: '{{ secrets[input.k] }}' }),
    ],
    ['a callback in another type', reads('a', '{{ task.callbackUrl }}')],
    [
      'a callback where there is none',
      typed('a', 'external_api', { url: 'https://x.example', body: '{{ task.callbackUrl }}' }),
    ],
  ])('%s is out of scope', (_, node) => {
    expect(problemsOf(workflow([node]))).toEqual([expect.stringMatching(/ out_of_scope$/)]);
  });

  test('a serviceId is a text, and may be a default', () => {
    expect(problemsOf(api({ url }, { serviceId: 'billing' }))).toEqual([]);
    expect(problemsOf({ ...api({ url }), defaults: { external_api: { serviceId: 'billing' } } })).toEqual([]);
    expect(problemsOf(api({ url }, { serviceId: '' }))).toEqual(['/nodes/0/serviceId range']);
  });
});

describe('the time of an execution', () => {
  const waits = typed('a', 'external_api', { url, callback: {} });
  const part = { taskType: 'external_api', config: { url, callback: {} } };
  const long = typed('b', 'wait', { seconds: 4000 });
  const timeout = (...nodes: Doc[]) => problemsOf(workflow(nodes));

  test('has a limit by default, but not where a task waits for a callback', () => {
    expect(timeout(long)).toEqual(['/nodes/0/config/seconds wait_too_long']);
    expect(timeout(long, waits)).toEqual([]);
    expect(timeout(long, typed('p', 'parallel', { branches: { x: part } }))).toEqual([]);
    expect(timeout(long, typed('p', 'parallel', { items: [1], task: part }))).toEqual([]);
    expect(problemsOf(workflow([long, waits], { timeoutSeconds: 3600 }))).toEqual([
      '/nodes/0/config/seconds wait_too_long',
    ]);
  });
});
