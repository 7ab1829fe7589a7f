// Providers as a mock server plays them: all dialects answer, and what goes wrong at a server ends in the right code.
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { parseAllowList } from '../../../src/tasks/outbound/allow-list.ts';
import { createHttp, type OutsideHttp } from '../../../src/tasks/outbound/client.ts';
import { infer, type ModelRun } from '../../support/model.ts';

let mock: LLMock;
let http: OutsideHttp;
beforeAll(async () => {
  const allowed = parseAllowList(['127.0.0.1']);
  if (!allowed.ok) throw new Error('the allow-list is wrong');
  http = createHttp({ allowedHosts: allowed.value });
  mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
  await mock.start();
});
afterAll(async () => {
  await http?.close();
  await mock?.stop();
});
beforeEach(() => {
  mock.reset();
  mock.clearChaos();
});
afterEach(() => void mock.clearChaos());

const PATHS: { readonly [provider: string]: string } = {
  openai: '/v1',
  anthropic: '',
  google: '',
  local: '/v1',
};
const PROVIDERS = ['openai', 'anthropic', 'google', 'local'];

function ask(provider: string, config: JsonObject = {}, run?: ModelRun) {
  return infer(
    { prompt: 'hello', baseUrl: `${mock.url}${PATHS[provider]}`, ...config },
    { modelId: `${provider}/some-model`, outside: { http } },
    run,
  );
}

describe.each(PROVIDERS)('%s', (provider) => {
  test('answers, with its tokens', async () => {
    const usage =
      provider === 'google'
        ? { promptTokenCount: 7, candidatesTokenCount: 3 }
        : { input_tokens: 7, output_tokens: 3 };
    const chatUsage = { prompt_tokens: 7, completion_tokens: 3 };
    mock.onMessage('hello', { content: 'Hi there!', usage: { ...usage, ...chatUsage } });
    const { output, run } = await ask(provider);
    expect(output).toMatchObject({
      text: 'Hi there!',
      finishReason: 'stop',
      model: `${provider}/some-model`,
    });
    expect(run.costs).toMatchObject([{ usage: { provider, simulated: false } }]);
    expect(output.usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
  });

  test('calls a tool and gets its result', async () => {
    mock.on(
      { userMessage: 'hello', hasToolResult: false },
      { toolCalls: [{ name: 'add', arguments: '{"a":2,"b":3}' }] },
    );
    mock.on({ userMessage: 'hello', hasToolResult: true }, { content: 'It is 5.' });
    const { output } = await ask(provider, {
      tools: [
        {
          name: 'add',
          description: 'adds',
          inputSchema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } },
          task: { taskType: 'transformation', config: { output: '{{ task.input.a + task.input.b }}' } },
        },
      ],
    });
    expect(output).toMatchObject({
      text: 'It is 5.',
      toolCalls: [{ name: 'add', input: { a: 2, b: 3 }, output: 5 }],
    });
  });

  test.each<[number, object]>([
    [429, { name: 'RetryableError', code: 'rate_limited', status: 429 }],
    [500, { name: 'RetryableError', code: 'provider_error', status: 500 }],
    [503, { name: 'RetryableError', code: 'provider_error', status: 503 }],
    [401, { name: 'TerminalError', code: 'provider_refused', status: 401 }],
  ])('%i', async (status, error) => {
    mock.nextRequestError(status, { message: 'as the test says', type: 'test' });
    await expect(ask(provider)).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining('as the test says'),
    });
    expect(mock.getRequests()).toHaveLength(1);
  });

  test('a disconnect is network', async () => {
    mock.onMessage('hello', { content: 'Hi there!' });
    mock.setChaos({ disconnectRate: 1 });
    await expect(ask(provider)).rejects.toMatchObject({ name: 'RetryableError', code: 'network' });
  });

  test('a malformed body is output_invalid', async () => {
    mock.onMessage('hello', { content: 'Hi there!' });
    mock.setChaos({ malformedRate: 1 });
    await expect(ask(provider)).rejects.toMatchObject({ name: 'RetryableError', code: 'output_invalid' });
  });

  test('Retry-After is honoured', async () => {
    mock.onMessage('hello', { content: 'Hi there!' });
    mock.setChaos({ rateLimitRate: 1 });
    const error = await ask(provider).then(
      () => null,
      (failure: { code: string; retryAfter?: number }) => failure,
    );
    expect(error).toMatchObject({ code: 'rate_limited' });
    expect(error?.retryAfter).toBeGreaterThan(0);
  });

  test('a fallback takes over', async () => {
    mock.nextRequestError(500);
    const { output } = await ask(provider, { fallbackModels: ['simulated/fast'] });
    expect(output.model).toBe('simulated/fast');
  });
});

describe('embeddings', () => {
  test.each(['openai', 'google'])('of %s', async (provider) => {
    mock.onEmbedding('hello', { embedding: [0.25, 0.5] });
    const { output } = await ask(provider, { mode: 'embedding' });
    expect(output.embedding).toEqual([0.25, 0.5]);
  });
});
