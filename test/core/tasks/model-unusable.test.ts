// Answers that are none, or not whole: what is said of them, and whether they are bought again.
import { describe, expect, test } from 'vitest';
import { readPriceLibrary } from '../../../src/core/cost/price-library.ts';
import { PriceTable } from '../../../src/core/cost/price-table.ts';
import { REVIEWED_PRICES } from '../../../src/core/cost/reviewed-prices.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { providerError } from '../../../src/tasks/model/provider-error.ts';
import {
  type Answer,
  answering,
  COMPATIBLE,
  chat,
  http,
  infer,
  type ModelRun,
  tablePrices,
} from '../../support/model.ts';

async function ask(answers: Answer[], config: JsonObject = {}, modelId: string = COMPATIBLE.modelId) {
  const server = answering(...answers);
  const run: ModelRun = { costs: [], checkpoints: [], warnings: [] };
  const baseUrl: JsonObject = modelId === COMPATIBLE.modelId ? { baseUrl: COMPATIBLE.baseUrl } : {};
  const result = infer(
    { prompt: 'go', ...baseUrl, ...config },
    { modelId, outside: http(server.fetch) },
    run,
  );
  result.catch(() => {});
  return { server, result, run };
}
const failed = (status: number, body: JsonObject, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers });
const ended = (content: string | null, finish_reason: string, usage: JsonObject = {}): JsonObject => ({
  ...chat(content ?? ''),
  choices: [{ index: 0, finish_reason, message: { role: 'assistant', content } }],
  usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, ...usage },
});
const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' } },
  required: ['name'],
  additionalProperties: false,
};

describe("an error in a body of 200 keeps the provider's words and class", () => {
  test.each<[string, string, JsonObject, object]>([
    [
      'of a router',
      COMPATIBLE.modelId,
      { error: { code: 429, message: 'Rate limited upstream', metadata: { retry_after_seconds: 4 } } },
      { name: 'RetryableError', code: 'rate_limited', status: 429, retryAfter: 4 },
    ],
    [
      'of a choice',
      COMPATIBLE.modelId,
      { choices: [{ finish_reason: 'error', error: { code: 502, message: 'Bad upstream' } }] },
      { name: 'RetryableError', code: 'provider_error', status: 502 },
    ],
    [
      'as a text',
      COMPATIBLE.modelId,
      { error: 'model "x" not found, try pulling it first' },
      { name: 'TerminalError', code: 'provider_refused' },
    ],
    [
      'of Anthropic',
      'anthropic/claude-x',
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      {
        name: 'RetryableError',
        code: 'provider_error',
        status: 529,
        details: { type: 'overloaded_error', code: null },
      },
    ],
    [
      'of Google',
      'google/gemini-x',
      { error: { code: 503, status: 'UNAVAILABLE', message: 'The model is overloaded' } },
      { name: 'RetryableError', code: 'provider_error', status: 503 },
    ],
    [
      'of OpenAI',
      'openai/gpt-x',
      {
        id: 'r',
        object: 'response',
        status: 'failed',
        output: [],
        error: { code: 'server_error', message: 'Sorry' },
      },
      { name: 'RetryableError', code: 'provider_error', status: 500 },
    ],
  ])('%s', async (_what, modelId, body, error) => {
    const { result, run } = await ask([body], {}, modelId);
    const inner = body.choices === undefined ? (body.error as JsonObject | string) : 'Bad upstream';
    const words = typeof inner === 'string' ? inner : String(inner.message);
    await expect(result).rejects.toMatchObject({ ...error, message: expect.stringContaining(words) });
    expect(run.costs).toEqual([]);
  });
});

describe('an account that has nothing left is no rate limit', () => {
  test.each<[string, Response]>([
    [
      'a code',
      failed(429, {
        error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'You exceeded' },
      }),
    ],
    [
      'a type',
      failed(429, { error: { code: 'credit_balance_exhausted', type: 'insufficient_quota', message: 'x' } }),
    ],
    ['a limit of spending', failed(429, { error: { code: 'project_spend_limit_exceeded', message: 'x' } })],
    ['a status', failed(402, { error: { message: 'Insufficient Balance' } })],
    ['in a body of 200', Response.json({ error: { code: 402, message: 'More credits are required' } })],
  ])('%s', async (_what, response) => {
    const { result } = await ask([response]);
    await expect(result).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'provider_refused',
      message: expect.stringContaining('waiting does not help'),
    });
  });

  test('a fallback at another provider is still asked', async () => {
    const { result } = await ask([failed(429, { error: { code: 'insufficient_quota', message: 'x' } })], {
      fallbackModels: ['simulated/fast'],
    });
    expect((await result).output.model).toBe('simulated/fast');
  });
});

test("Google's RetryInfo is obeyed", async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }];
  const body = { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded', details } };
  const { result } = await ask([failed(429, body)], {}, 'google/gemini-x');
  await expect(result).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 34 });
});

describe('cut at the output limit', () => {
  test('a text is kept, and that it is not whole is said', async () => {
    const { result, run } = await ask([ended('Once upon a', 'length')], { maxOutputTokens: 10 });
    expect((await result).output).toMatchObject({ text: 'Once upon a', finishReason: 'length' });
    expect(run.warnings).toEqual([expect.stringContaining('cut at the output limit (maxOutputTokens 10)')]);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['before its JSON was whole', ended('{"name": "A', 'length'), { responseSchema: SCHEMA }],
    [
      'before it said anything',
      ended(null, 'length', { completion_tokens_details: { reasoning_tokens: 10 } }),
      {},
    ],
    [
      'in a call of a tool',
      { ...chat([{ id: '1', name: 'a', arguments: '{"x": ' }]), choices: [cutCall()] },
      { tools: [{ name: 'a', task: { taskType: 'transformation', config: { output: 1 } } }] },
    ],
  ])('%s: an error that is not bought again, though paid for', async (when, answer, config) => {
    const { result, server, run } = await ask([answer], config);
    await expect(result).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'output_invalid',
      message: expect.stringMatching(
        new RegExp(`cut at the output limit.* ${when}; raise config.maxOutputTokens`),
      ),
    });
    expect([server.asked.length, run.costs.length]).toEqual([1, 1]);
  });

  test('a whole JSON is taken all the same', async () => {
    const { result } = await ask([ended('{"name":"Ada"}', 'length')], { responseSchema: SCHEMA });
    expect((await result).output.object).toEqual({ name: 'Ada' });
  });
});

function cutCall(): JsonObject {
  const calls = [{ id: '1', type: 'function', function: { name: 'a', arguments: '{"x": ' } }];
  return {
    index: 0,
    finish_reason: 'length',
    message: { role: 'assistant', content: null, tool_calls: calls },
  };
}

describe('an empty text', () => {
  test.each<[string, JsonObject]>([
    ['counted', ended('', 'stop', { completion_tokens_details: { reasoning_tokens: 10 } })],
    ['shown', { ...ended('', 'stop'), choices: [reasoned()] }],
  ])('after reasoning that is %s is no silent success', async (_what, answer) => {
    const { result, run } = await ask([answer]);
    await expect(result).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'output_invalid',
      message: expect.stringContaining('reasoned, and then gave no text'),
    });
    expect(run.costs).toHaveLength(1);
  });

  test('without reasoning is taken, and said', async () => {
    const { result, run } = await ask([ended('', 'stop')]);
    expect((await result).output.text).toBe('');
    expect(run.warnings).toEqual([expect.stringContaining('gave an empty text')]);
  });
});

function reasoned(): JsonObject {
  return {
    index: 0,
    finish_reason: 'stop',
    message: { role: 'assistant', content: '', reasoning_content: 'Hm.' },
  };
}

test('a summary that stands for earlier messages is no part of the text, and is sent again', async () => {
  const message = (content: JsonObject[], stop_reason: string): JsonObject => ({
    ...{ type: 'message', id: 'msg-1', role: 'assistant', model: 'claude-x', stop_sequence: null },
    ...{ content, stop_reason, usage: { input_tokens: 5, output_tokens: 3 } },
  });
  const summary = { type: 'compaction', content: 'They spoke of Paris.' };
  const tool = { name: 'a', task: { taskType: 'transformation', config: { output: 1 } } };
  const { result, server } = await ask(
    [
      message([summary, { type: 'tool_use', id: 'call-1', name: 'a', input: {} }], 'tool_use'),
      message([summary, { type: 'text', text: 'Rain.' }], 'end_turn'),
    ],
    { tools: [tool] },
    'anthropic/claude-x',
  );
  const { output } = await result;
  expect(output.text).toBe('Rain.');
  expect(server.asked[1]!.body.messages).toMatchObject([
    {},
    { role: 'assistant', content: [summary, {}] },
    {},
  ]);
});

describe('one JSON value in the words of an answer is taken', () => {
  test.each([
    ['before and after', 'Here it is:\n{"name": "Ada"}\nAnything else?'],
    ['in a fence', 'Sure!\n```json\n{"name": "Ada"}\n```\nDone.'],
    ['with brackets in its texts', 'So: {"name": "Ada"} (see [1])'],
    ['the one that fits', 'Not {"nom": "Ada"} but {"name": "Ada"}'],
    ['after a brace that is none', 'In the set {a, b} it is {"name": "Ada"}'],
  ])('%s', async (_what, text) => {
    const { result, server } = await ask([chat(text)], { responseSchema: SCHEMA });
    expect((await result).output.object).toEqual({ name: 'Ada' });
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    ['two that fit', '{"name": "Ada"} or {"name": "Bob"}', 'not JSON'],
    ['one that does not', 'Here: {"name": 1}', '/name'],
    ['brackets without end', '{'.repeat(100_000), 'not JSON'],
  ])('%s: it is asked again, with what was wrong', async (_what, text, said) => {
    const { result, server } = await ask([chat(text), chat('{"name":"Ada"}')], { responseSchema: SCHEMA });
    expect((await result).output.object).toEqual({ name: 'Ada' });
    expect(JSON.stringify(server.asked[1]!.body.messages)).toContain(said);
  });
});

describe('counts that cannot be read do not spoil the answer', () => {
  test.each<[string, JsonObject]>([
    [COMPATIBLE.modelId, chat('ok', { usage: { prompt_tokens: 'many', completion_tokens: -1 } })],
    [COMPATIBLE.modelId, chat('ok', { usage: [] })],
    [
      'anthropic/claude-x',
      {
        ...{ type: 'message', id: 'm', role: 'assistant', model: 'claude-x', stop_reason: 'end_turn' },
        ...{ stop_sequence: null, content: [{ type: 'text', text: 'ok' }] },
        usage: { input_tokens: null, output_tokens: 'x' },
      },
    ],
    [
      'google/gemini-x',
      {
        candidates: [{ content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: -4 },
      },
    ],
    [
      'openai/gpt-x',
      {
        ...{ id: 'r', object: 'response', created_at: 1, status: 'completed', model: 'gpt-x' },
        output: [
          {
            ...{ type: 'message', id: 'm', role: 'assistant' },
            content: [{ type: 'output_text', text: 'ok', annotations: [] }],
          },
        ],
        usage: { input_tokens: {}, output_tokens: 1.5 },
      },
    ],
  ])('%s', async (modelId, answer) => {
    const { result, run, server } = await ask([answer], {}, modelId);
    expect((await result).output.text).toBe('ok');
    expect([server.asked.length, run.costs.map(({ usd }) => usd)]).toEqual([1, [null]]);
    expect(run.warnings).toEqual([expect.stringContaining('the cost of this task is unknown')]);
  });
});

test('what failed is paid for where it was counted', async () => {
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
  const error = { code: 502, message: 'The stream broke off' };
  for (const answer of [{ error, usage }, chat('x', { choices: 'none' })] as JsonObject[]) {
    const { result, run } = await ask([answer]);
    await expect(result).rejects.toMatchObject({ name: 'RetryableError' });
    expect(run.costs.map(({ usd }) => usd)).toEqual(['0.00012']);
  }
});

test('what an answer says of its cost is told in the usage: who answered, what is charged, why it is unknown', async () => {
  const table = new PriceTable([...(await readPriceLibrary()), ...REVIEWED_PRICES]);
  const spent = async (modelId: string, more: JsonObject) => {
    const run: ModelRun = { costs: [], checkpoints: [], warnings: [] };
    const server = answering(chat('ok', more));
    const outside = { ...http(server.fetch), prices: tablePrices(table) };
    const { output } = await infer({ prompt: 'go', baseUrl: COMPATIBLE.baseUrl }, { modelId, outside }, run);
    return { output, warnings: run.warnings, ...run.costs[0] };
  };
  const usage = { prompt_tokens: 1000, completion_tokens: 0, total_tokens: 1000 };
  expect(await spent('openai/gpt-5', { model: 'gpt-5-mini', usage: { ...usage, cost: 0.5 } })).toMatchObject({
    output: { model: 'openai/gpt-5', answeredBy: 'gpt-5-mini' },
    usd: '0.00025',
    usage: { model: 'openai/gpt-5', answeredBy: 'gpt-5-mini', statedCostUsd: '0.5' },
    warnings: ['openai/gpt-5: the provider says that it charges $0.5, by the price table it is $0.00025'],
  });
  const unknown = { model: 'gpt-5', service_tier: 'scale', usage };
  const because = 'no price is known for service_tier "scale" of openai/gpt-5';
  expect(await spent('openai/gpt-5', unknown)).toMatchObject({
    usd: null,
    usage: { costUnknownBecause: because },
    warnings: [`the cost of this task is unknown: ${because}`],
  });
});

test('an error of a provider with more values than anything is made of is not parsed for its words', () => {
  const bodyOf = (values: number) => `{"error":{"message":"canary","more":[${'{},'.repeat(values)}{}]}}`;
  const saidOf = (responseBody: string) =>
    providerError(
      Object.assign(new Error('a bad request'), { name: 'AI_APICallError', statusCode: 400, responseBody }),
      { label: 'local/m', taskId: 'a', redact: (text) => text },
    ).message;
  expect(saidOf(bodyOf(10))).toContain('canary');
  expect(saidOf(bodyOf(1_100_000))).not.toContain('canary');
});
