import { describe, expect, test } from 'vitest';
import { NotNow, RetryableError, TerminalError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { type Answer, answering, COMPATIBLE, chat, http, infer, type ModelRun } from '../../support/model.ts';
import { secretsOf } from '../../support/outside.ts';

const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const fresh = (): ModelRun => ({ costs: [], checkpoints: [], warnings: [] });
const refused = (status: number, body: Json = {}, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });

async function ask(answers: Answer[], config: JsonObject = {}, setting = {}, run = fresh()) {
  const server = answering(...answers);
  const { modelId, baseUrl } = COMPATIBLE;
  const result = infer(
    { prompt: 'go', baseUrl, ...config },
    { modelId, outside: http(server.fetch), ...setting },
    run,
  );
  // A rejection is expected by the test, later.
  result.catch(() => {});
  return { server, result, run };
}

describe('responseSchema', () => {
  test.each([
    ['plain JSON', '{"name":"Ada","age":36}'],
    ['JSON in a code fence', '```json\n{"name":"Ada","age":36}\n```'],
  ])('%s becomes the object of the output', async (_what, text) => {
    const { result, server } = await ask([chat(text)], { responseSchema: SCHEMA });
    expect((await result).output).toMatchObject({ text, object: { name: 'Ada', age: 36 } });
    expect(server.asked[0]!.body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema: SCHEMA, strict: true } },
    });
  });

  test('a schema that strict modes do not take is sent without it', async () => {
    const open = { type: 'object', properties: { a: { type: 'string' } } };
    const { result, server } = await ask([chat('{}')], { responseSchema: open });
    await result;
    expect(server.asked[0]!.body).toMatchObject({ response_format: { json_schema: { strict: false } } });
  });

  test.each(['{"name":"Ada","age":-1}', 'I am not JSON', '{"name":"Ada","age":1e400}', ''])(
    'an answer that does not fit (%s) is asked for once more, with what was wrong',
    async (wrong) => {
      const { result, server, run } = await ask([chat(wrong), chat('{"name":"Ada","age":36}')], {
        responseSchema: SCHEMA,
      });
      const { output } = await result;
      expect(output).toMatchObject({ object: { age: 36 }, usage: { inputTokens: 200, outputTokens: 20 } });
      expect(output.messages).toHaveLength(4);
      const asked = server.asked[1]!.body.messages as { role: string; content: string }[];
      expect(asked.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
      expect(asked[2]!.content).toContain('does not fit the JSON Schema');
      expect(run.costs).toHaveLength(2);
      expect(run.checkpoints).toHaveLength(1);
    },
  );

  test('still wrong: output_invalid, retryable, both calls paid for; the next attempt asks anew', async () => {
    const { result, run } = await ask([chat('no'), chat('{"name":1,"age":2}')], { responseSchema: SCHEMA });
    await expect(result).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'output_invalid',
      message: expect.stringContaining('/name'),
      details: { problems: [expect.stringContaining('/name')] },
    });
    expect(run.costs).toHaveLength(2);
    const lastCheckpoint = run.checkpoints.at(-1);
    const next = await ask(
      [chat('{"name":"Ada","age":36}')],
      { responseSchema: SCHEMA },
      { context: { lastCheckpoint, attempt: 2 } },
    );
    expect((await next.result).output).toMatchObject({ object: { age: 36 }, usage: { inputTokens: 300 } });
    expect(next.server.asked[0]!.body.messages).toHaveLength(1);
  });

  test('simulated models answer with a value that fits', async () => {
    const schema: JsonObject = {
      type: 'object',
      properties: {
        at: { type: 'string', format: 'date-time' },
        kind: { enum: ['x', 'y'] },
        list: { type: 'array', items: { $ref: '#/$defs/one' }, minItems: 2 },
        either: { anyOf: [{ type: 'integer', minimum: 5 }, { type: 'null' }] },
      },
      required: ['at', 'kind', 'list', 'either'],
      $defs: { one: { type: 'number', exclusiveMinimum: 0 } },
    };
    const { output } = await infer({ responseSchema: schema, prompt: 'x' });
    expect(output.object).toEqual({ at: '2030-01-01T00:00:00Z', kind: 'x', list: [1, 1], either: 5 });
  });
});

test('what a model writes can be stored, whatever it writes', async () => {
  const { result } = await ask([chat('a\u0000b\ud800c')]);
  expect((await result).output.text).toBe('a\ufffdb\ufffdc');
});

describe('errors of a provider', () => {
  const limited = { 'retry-after': '7' };
  test.each<[string, Response, object]>([
    [
      '429',
      refused(429, { error: { message: 'slow down' } }, limited),
      { code: 'rate_limited', status: 429, retryAfter: 7 },
    ],
    [
      '429 with a date',
      refused(429, {}, { 'retry-after': new Date(Date.now() + 86_400_000).toUTCString() }),
      { code: 'rate_limited', retryAfter: 3600 },
    ],
    ['429 without advice', refused(429), { code: 'rate_limited', retryAfter: undefined }],
    ['500', refused(500, { error: { message: 'oops' } }), { code: 'provider_error', status: 500 }],
    ['529', refused(529), { code: 'provider_error', status: 529 }],
    ['503 as HTML', new Response('<h1>down</h1>', { status: 503 }), { code: 'provider_error', status: 503 }],
    [
      '400',
      refused(400, { error: { message: 'no such parameter' } }),
      {
        name: 'TerminalError',
        code: 'provider_refused',
        status: 400,
        message: expect.stringContaining('no such parameter'),
      },
    ],
    [
      '401',
      refused(401, { error: { message: 'wrong key' } }),
      { name: 'TerminalError', code: 'provider_refused', status: 401 },
    ],
    ['404', refused(404), { name: 'TerminalError', code: 'provider_refused', status: 404 }],
    ['a body that is no JSON', new Response('{"cho'), { code: 'output_invalid' }],
    ['a body of another shape', Response.json({ hello: 1 }), { code: 'output_invalid' }],
    ['an empty body', new Response(''), { code: 'output_invalid' }],
  ])('%s', async (_what, response, error) => {
    const { result, run } = await ask([response]);
    await expect(result).rejects.toMatchObject(error);
    expect(run.costs).toEqual([]);
  });

  test.each<[string, Error, object]>([
    [
      'a refused connection',
      Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      }),
      { code: 'network', message: expect.stringContaining('ECONNREFUSED') },
    ],
    ['a reset', Object.assign(new Error('reset'), { code: 'ECONNRESET' }), { code: 'network' }],
    [
      'what the guard refuses',
      new TerminalError('blocked_destination', 'not there'),
      { name: 'TerminalError', code: 'blocked_destination' },
    ],
    [
      'what the guard lets be tried server',
      new RetryableError('slow', { code: 'timeout' }),
      { code: 'timeout' },
    ],
    [
      'a wrapped error of the guard',
      Object.assign(new TypeError('fetch failed'), {
        cause: new TerminalError('blocked_destination', 'not there'),
      }),
      { code: 'blocked_destination' },
    ],
  ])('%s', async (_what, failure, error) => {
    const { result } = await ask([failure]);
    await expect(result).rejects.toMatchObject(error);
  });

  test('an abort has its own reason', async () => {
    const abort = new AbortController();
    const { result } = await ask(
      [
        async () => {
          abort.abort(new Error('cancelled'));
          throw new DOMException('aborted', 'AbortError');
        },
      ],
      {},
      { context: { signal: abort.signal } },
    );
    await expect(result).rejects.toThrow('cancelled');
  });

  test('the message has status and request id, and no key even where the provider echoes it', async () => {
    const key = 'sk-very-secret';
    const echo = refused(
      400,
      { error: { message: `bad key ${key}` } },
      { 'x-request-id': 'req-17', 'set-cookie': 'c=1' },
    );
    const { result, server } = await ask(
      [echo],
      { credential: 'MODEL' },
      {
        outside: {
          ...http(answering(echo).fetch),
          secrets: secretsOf({ MODEL: key }),
          redact: (text: string) => text.replaceAll(key, '[redacted]'),
        },
      },
    );
    const error = await result.then(
      () => null,
      (failure: Error) => failure,
    );
    expect(error?.message).toBe(
      'Task "it": local/some-model answered 400 (request req-17): bad key [redacted]',
    );
    expect(error?.cause).toBeUndefined();
    expect(JSON.stringify({ ...error })).not.toContain(key);
    expect(server.asked).toEqual([]);
  });

  test('a refusal is provider_refused, and is paid for', async () => {
    const answer = chat('I cannot help with that', {});
    const refusal = {
      ...answer,
      choices: [
        { index: 0, finish_reason: 'content_filter', message: { role: 'assistant', content: 'I cannot' } },
      ],
    };
    const { result, run } = await ask([refusal]);
    await expect(result).rejects.toMatchObject({ name: 'TerminalError', code: 'provider_refused' });
    expect(run.costs).toMatchObject([{ usd: '0.00012' }]);
  });
});

describe('fallbackModels', () => {
  const fallbackModels = ['simulated/fast'];
  test.each<[string, Response | Error]>([
    ['429', refused(429)],
    ['500', refused(500)],
    ['a broken connection', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
    ['an unreadable body', new Response('{')],
    ['an open breaker', new NotNow('open', 1000)],
  ])('take over after %s, and the output says which model answered', async (_what, first) => {
    const { result, run } = await ask([first], { fallbackModels });
    const { output } = await result;
    expect(output.model).toBe('simulated/fast');
    expect(run.costs).toMatchObject([{ usage: { model: 'simulated/fast', simulated: true } }]);
    expect(run.warnings).toEqual(['local/some-model failed, simulated/fast is asked instead']);
  });

  test.each([400, 401, 404])('do not take over after %i: the request itself is wrong', async (status) => {
    const { result } = await ask([refused(status)], { fallbackModels });
    await expect(result).rejects.toMatchObject({ code: 'provider_refused' });
  });

  test('all fail: the error of the last one', async () => {
    const { result, server } = await ask([refused(500), refused(429)], { fallbackModels: ['local/other'] });
    await expect(result).rejects.toMatchObject({ code: 'rate_limited' });
    expect(server.asked.map(({ body }) => body.model)).toEqual(['some-model', 'other']);
  });
});

describe('what is sent', () => {
  test('history and content parts, options by provider, and the key of the credential', async () => {
    const server = answering(chat('ok'));
    const { output } = await infer(
      {
        baseUrl: COMPATIBLE.baseUrl,
        prompt: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', data: 'aGVsbG8=', mediaType: 'image/png' },
          { type: 'image', url: 'https://pictures.example/a.png' },
        ],
        systemPrompt: 'Be brief.',
        history: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: 'hello' },
        ],
        temperature: 0,
        maxOutputTokens: 9,
        providerOptions: { local: { top_k: 3 } },
        credential: 'MODEL',
      },
      {
        modelId: COMPATIBLE.modelId,
        outside: { ...http(server.fetch), secrets: secretsOf({ MODEL: 'sk-1' }) },
      },
    );
    expect(server.asked).toMatchObject([
      {
        url: 'https://models.example/v1/chat/completions',
        headers: { authorization: 'Bearer sk-1' },
        body: {
          model: 'some-model',
          temperature: 0,
          max_tokens: 9,
          top_k: 3,
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'hi' },
            { role: 'assistant', content: 'hello' },
            {
              role: 'user',
              content: [
                { type: 'text', text: 'What is this?' },
                { type: 'image_url', image_url: { url: 'data:image/png;base64,aGVsbG8=' } },
                { type: 'image_url', image_url: { url: 'https://pictures.example/a.png' } },
              ],
            },
          ],
        },
      },
    ]);
    expect((output.messages as JsonObject[])[3]).toEqual({
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'text', text: '[image image/png, 5 bytes]' },
        { type: 'image', mediaType: 'image/*', url: 'https://pictures.example/a.png' },
      ],
    });
  });

  test.each<[string, JsonObject]>([
    ['a part of an unknown type', { prompt: [{ type: 'image' }] }],
    ['an address that is not https', { prompt: [{ type: 'image', url: 'http://169.254.169.254/' }] }],
    ['data that is not base64', { prompt: [{ type: 'file', data: '???', mediaType: 'text/plain' }] }],
    ['a file without media type', { prompt: [{ type: 'file', data: 'aGVsbG8=' }] }],
    ['a message of an unknown role', { messages: [{ role: 'robot', content: 'x' }] }],
    ['a tool message of text', { messages: [{ role: 'tool', content: 'x' }] }],
    ['temperature 3', { temperature: 3 }],
    ['maxSteps 0', { maxSteps: 0 }],
    ['options that are no objects', { providerOptions: { local: 1 } }],
    ['a fallback without provider', { fallbackModels: ['x'] }],
    ['a base URL with a password', { baseUrl: 'https://u:p@models.example/v1' }],
    ['a base URL that is none', { baseUrl: 'file:///etc/passwd' }],
  ])('%s is refused before anything is sent', async (_what, config) => {
    const { result, server } = await ask([chat('ok')], config);
    await expect(result).rejects.toMatchObject({ code: 'validation' });
    expect(server.asked).toEqual([]);
  });

  test('a conversation that would not fit into the output is refused before it costs anything', async () => {
    const { result, server } = await ask([chat('ok')], { prompt: 'x'.repeat(960_000) });
    await expect(result).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(server.asked).toEqual([]);
  });
});

describe('what a provider or a template may make of us', () => {
  test.each([
    ['a modelId of ten million characters', `local/${'m'.repeat(10_000_000)}`],
    ['one that is just too long', `local/${'m'.repeat(396)}`],
  ])('%s, as a template yields it, is refused before anything is asked', async (_what, model) => {
    const { result, server } = await ask(
      [chat('ok')],
      {},
      {
        modelId: '{{ input.model }}',
        context: { scope: { input: { model } } },
      },
    );
    await expect(result).rejects.toMatchObject({
      code: 'validation',
      message: expect.stringContaining('a modelId has at most 401 characters'),
    });
    expect(server.asked).toEqual([]);
  });

  test('a fallback likewise', async () => {
    const { result } = await ask([chat('ok')], { fallbackModels: [`local/${'m'.repeat(1_000)}`] });
    await expect(result).rejects.toMatchObject({ code: 'validation' });
  });

  test('the name that a provider gives its model is looked up only where it can be one', async () => {
    const { result, run } = await ask(
      [chat('ok', { model: 'm'.repeat(1_000_000) })],
      {},
      { modelId: 'unpriced/m' },
    );
    expect((await result).output.model).toBe('unpriced/m');
    expect(run.warnings).toEqual([expect.stringContaining('there is no price for unpriced/m')]);
  });

  test('arguments of a tool that would be too much to parse are answered as an error', async () => {
    const call = { id: '1', name: 'a', arguments: `[${'{},'.repeat(1_500_000)}{}]` };
    const { result } = await ask([chat([call]), chat('done')], {
      tools: [{ name: 'a', task: { taskType: 'transformation', config: { output: 1 } } }],
    });
    expect((await result).output.toolCalls).toMatchObject([
      { error: { message: 'the arguments are not JSON' } },
    ]);
  });

  test('an answer that must be JSON is read no further than its values may go', async () => {
    const text = `[${'{},'.repeat(1_500_000)}{}]`;
    const { result } = await ask([chat(text), chat('{}')], { responseSchema: { type: 'object' } });
    expect((await result).output).toMatchObject({ object: {} });
  });
});

describe('cost', () => {
  test('an unknown price is null, and warned of once', async () => {
    const { result, run } = await ask(
      [chat('bad'), chat('{}')],
      { responseSchema: { type: 'object' } },
      { modelId: 'unpriced/m' },
    );
    await result;
    expect(run.costs.map(({ usd }) => usd)).toEqual([null, null]);
    expect(run.warnings).toEqual([expect.stringContaining('there is no price for unpriced/m')]);
  });

  test('an answer without usage has an unknown cost', async () => {
    const { result, run } = await ask([chat('ok', { usage: null })]);
    expect((await result).output.usage).toMatchObject({ inputTokens: 0 });
    expect(run.costs).toMatchObject([{ usd: null }]);
  });

  test('the list of calls is bounded, the totals are not', async () => {
    const call = { id: '1', name: 'a', arguments: '{}' };
    const { result, run } = await ask([...Array.from({ length: 60 }, () => chat([call])), chat('done')], {
      maxSteps: 100,
      tools: [{ name: 'a', task: { taskType: 'transformation', config: { output: 1 } } }],
    });
    await result;
    const usage = run.costs.at(-1)?.usage as { calls: Json[]; inputTokens: number };
    expect(usage.calls).toHaveLength(50);
    expect(usage.inputTokens).toBe(6100);
  });
});

describe('embeddings', () => {
  test('are vectors with their usage and cost', async () => {
    const server = answering({
      data: [{ embedding: [0.5, -1] }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
    const { output, run } = await infer(
      { mode: 'embedding', prompt: 'hello', baseUrl: COMPATIBLE.baseUrl },
      {
        modelId: 'local/embed',
        outside: http(server.fetch),
      },
    );
    expect(output).toEqual({
      text: '',
      embedding: [0.5, -1],
      finishReason: 'stop',
      model: 'local/embed',
      messages: [],
      toolCalls: [],
      usage: {
        inputTokens: 3,
        cachedInputTokens: 0,
        cacheWriteTokens: 0,
        outputTokens: 0,
        reasoningTokens: 0,
        raw: { prompt_tokens: 3, total_tokens: 3 },
      },
    });
    expect(run.costs).toMatchObject([{ usd: '0.000003' }]);
    expect(server.asked[0]!.body).toMatchObject({ model: 'embed', input: ['hello'] });
  });

  test('simulated ones are the same for the same text', async () => {
    const vector = async (prompt: string) => (await infer({ mode: 'embedding', prompt })).output.embedding;
    expect(await vector('a')).toHaveLength(16);
    expect(await vector('a')).toEqual(await vector('a'));
    expect(await vector('b')).not.toEqual(await vector('a'));
  });
});
