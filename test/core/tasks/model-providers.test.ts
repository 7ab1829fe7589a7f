// What is sent to each provider in its own dialect, and sent back to it in the next turn.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { answering, http, infer } from '../../support/model.ts';

const tools = [
  {
    name: 'look',
    description: 'looks',
    inputSchema: { type: 'object', properties: { at: { type: 'string' } } },
    task: { taskType: 'transformation', config: { output: '{{ task.input.at }}!' } },
  },
];

/** Two turns: the first calls the tool. Gives back what was asked. */
async function twoTurns(modelId: string, first: JsonObject, second: JsonObject, config: JsonObject = {}) {
  const server = answering(first, second);
  const { output } = await infer(
    { prompt: 'go', systemPrompt: 'Be brief.', tools, ...config },
    { modelId, outside: http(server.fetch) },
  );
  expect(output.toolCalls).toMatchObject([{ name: 'look', input: { at: 'x' }, output: 'x!' }]);
  return server.asked;
}

describe('anthropic', () => {
  const message = (content: JsonObject[], stop_reason: string): JsonObject => ({
    type: 'message',
    id: 'msg-1',
    role: 'assistant',
    model: 'claude-x',
    content,
    stop_reason,
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 3, cache_read_input_tokens: 7, cache_creation_input_tokens: 11 },
  });

  test('gets the key in its header, and its thinking back with the signature', async () => {
    const asked = await twoTurns(
      'anthropic/claude-sonnet-4-5',
      message(
        [
          { type: 'thinking', thinking: 'hm', signature: 'signed' },
          { type: 'tool_use', id: 'call-1', name: 'look', input: { at: 'x' } },
        ],
        'tool_use',
      ),
      message([{ type: 'text', text: 'done' }], 'end_turn'),
      { providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } } },
    );
    expect(asked[0]).toMatchObject({
      url: 'https://api.anthropic.com/v1/messages',
      headers: { 'x-api-key': 'key-of-anthropic' },
      body: {
        model: 'claude-sonnet-4-5',
        system: [{ type: 'text', text: 'Be brief.' }],
        thinking: { type: 'enabled' },
      },
    });
    expect((asked[1]!.body.messages as JsonObject[]).slice(1)).toMatchObject([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'signed' },
          { type: 'tool_use', id: 'call-1', input: { at: 'x' } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call-1', content: 'x!' }] },
    ]);
  });

  test('counts what it read from and wrote to its cache as input', async () => {
    const server = answering(message([{ type: 'text', text: 'done' }], 'end_turn'));
    const { output } = await infer(
      { prompt: 'go' },
      { modelId: 'anthropic/claude-x', outside: http(server.fetch) },
    );
    expect(output.usage).toMatchObject({
      inputTokens: 23,
      cachedInputTokens: 7,
      cacheWriteTokens: 11,
      outputTokens: 3,
    });
  });
});

describe('openai', () => {
  const response = (output: JsonObject[]): JsonObject => ({
    id: 'resp-1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'gpt-5',
    output,
    usage: { input_tokens: 5, output_tokens: 3, output_tokens_details: { reasoning_tokens: 2 } },
  });
  const said = {
    type: 'message',
    id: 'msg-1',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'done', annotations: [] }],
  };

  test('is asked not to store what it answers, so each turn carries the whole conversation', async () => {
    const asked = await twoTurns(
      'openai/gpt-5',
      response([
        { type: 'reasoning', id: 'rs-1', summary: [], encrypted_content: 'sealed' },
        { type: 'function_call', id: 'fc-1', call_id: 'call-1', name: 'look', arguments: '{"at":"x"}' },
      ]),
      response([said]),
    );
    expect(asked[0]).toMatchObject({
      url: 'https://api.openai.com/v1/responses',
      headers: { authorization: 'Bearer key-of-openai' },
      body: { model: 'gpt-5', store: false, include: ['reasoning.encrypted_content'] },
    });
    expect((asked[1]!.body.input as JsonObject[]).slice(2)).toMatchObject([
      { type: 'reasoning', encrypted_content: 'sealed' },
      { type: 'function_call', call_id: 'call-1', name: 'look', arguments: '{"at":"x"}' },
      { type: 'function_call_output', call_id: 'call-1', output: 'x!' },
    ]);
    expect(JSON.stringify(asked[1]!.body)).not.toContain('item_reference');
  });

  test('the author may say otherwise', async () => {
    const server = answering(response([said]));
    const config = { prompt: 'go', providerOptions: { openai: { store: true } } };
    await infer(config, { modelId: 'openai/gpt-5', outside: http(server.fetch) });
    expect(server.asked[0]!.body).toMatchObject({ store: true });
  });

  test.each([
    ['server_error', 'provider_error'],
    ['rate_limit_exceeded', 'rate_limited'],
    ['invalid_prompt', 'provider_refused'],
  ])('the error %s in a body of 200 is %s', async (code, ours) => {
    const error = { type: 'error', code, message: 'The model is broken' };
    const server = answering({ ...response([]), error });
    await expect(
      infer({ prompt: 'go' }, { modelId: 'openai/gpt-5', outside: http(server.fetch) }),
    ).rejects.toMatchObject({ code: ours, message: expect.stringContaining('The model is broken') });
  });
});

describe('google', () => {
  const candidate = (parts: JsonObject[], finishReason = 'STOP'): JsonObject => ({
    candidates: [{ content: { role: 'model', parts }, finishReason, index: 0 }],
    usageMetadata: {
      promptTokenCount: 5,
      candidatesTokenCount: 3,
      thoughtsTokenCount: 4,
      totalTokenCount: 12,
    },
    modelVersion: 'gemini-x',
  });

  test('gets the key in its header, and the signature of its call back', async () => {
    const asked = await twoTurns(
      'google/gemini-3-pro',
      candidate([{ functionCall: { name: 'look', args: { at: 'x' } }, thoughtSignature: 'signed' }]),
      candidate([{ text: 'done' }]),
    );
    expect(asked[0]).toMatchObject({
      url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent',
      headers: { 'x-goog-api-key': 'key-of-google' },
      body: { systemInstruction: { parts: [{ text: 'Be brief.' }] } },
    });
    expect((asked[1]!.body.contents as JsonObject[])[1]).toMatchObject({
      role: 'model',
      parts: [{ functionCall: { name: 'look', args: { at: 'x' } }, thoughtSignature: 'signed' }],
    });
  });

  test.each<[string, JsonObject, object]>([
    [
      'a blocked prompt',
      {
        promptFeedback: { blockReason: 'SAFETY' },
        usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 },
      },
      { name: 'TerminalError', code: 'provider_refused' },
    ],
    ['a blocked answer', candidate([], 'SAFETY'), { name: 'TerminalError', code: 'provider_refused' }],
    [
      'a malformed call',
      candidate([], 'MALFORMED_FUNCTION_CALL'),
      { name: 'RetryableError', code: 'output_invalid' },
    ],
  ])('%s is no answer, but is paid for', async (_what, body, error) => {
    const server = answering(body);
    const costs: unknown[] = [];
    await expect(
      infer(
        { prompt: 'go' },
        {
          modelId: 'google/gemini-x',
          outside: http(server.fetch),
          context: { addCost: (usd) => void costs.push(usd) },
        },
      ),
    ).rejects.toMatchObject(error);
    expect(costs).toEqual([expect.stringMatching(/^0\.0000/)]);
  });
});
