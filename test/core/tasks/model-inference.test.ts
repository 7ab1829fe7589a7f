import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { TaskContext } from '../../../src/tasks/task-type.ts';
import { infer as inferModel } from '../../support/model.ts';

async function infer(
  config: JsonObject,
  more: Partial<TaskContext> = {},
  modelId: string | null = 'simulated/fast',
) {
  const { output, run } = await inferModel(config, { modelId: modelId as string, context: more });
  return { output: output as typeof output & { messages: Json[] }, costs: run.costs };
}

describe('the output', () => {
  test('has exactly the shape of the contract, and says that it is simulated', async () => {
    const { output } = await infer({ prompt: 'Why is the sky blue?', systemPrompt: 'Be brief.' });
    expect(output).toEqual({
      text: expect.stringMatching(
        /^\[simulated simulated\/fast [0-9a-f]{8}\] An answer to: Why is the sky blue\?$/,
      ),
      finishReason: 'stop',
      model: 'simulated/fast',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Why is the sky blue?' },
        { role: 'assistant', content: output.text },
      ],
      toolCalls: [],
      usage: {
        inputTokens: 8,
        cachedInputTokens: 0,
        cacheWriteTokens: 0,
        outputTokens: Math.ceil(output.text.length / 4),
        reasoningTokens: 0,
        raw: { simulated: true, prompt_tokens: 8, completion_tokens: expect.any(Number) },
      },
    });
  });

  test('is the same for the same model and messages, and another for others', async () => {
    const { output } = await infer({ prompt: 'a' });
    expect((await infer({ prompt: 'a' }, { attempt: 2 })).output).toEqual(output);
    expect((await infer({ prompt: 'b' })).output.text).not.toBe(output.text);
    expect((await infer({ prompt: 'a' }, {}, 'simulated/other')).output.text).not.toBe(output.text);
  });

  test('maxOutputTokens cuts the text', async () => {
    const { output } = await infer({ prompt: 'a', maxOutputTokens: 2 });
    expect(output).toMatchObject({
      text: '[simulat'.slice(0, 8),
      finishReason: 'length',
      usage: { outputTokens: 2 },
    });
  });
});

describe('the conversation', () => {
  test.each<[Json, string]>([
    ['plain', 'plain'],
    [{ q: 1 }, '{"q":1}'],
    [null, 'null'],
  ])("the prompt is by default the task's input as text: %j", async (input, content) => {
    const { output } = await infer({}, { input });
    expect(output.messages[0]).toEqual({ role: 'user', content });
  });

  test('prompt and modelId may be templates', async () => {
    const scope = { input: { q: 'why', model: 'fast' } };
    const { output } = await infer({ prompt: 'Say {{ input.q }}' }, { scope }, 'simulated/{{ input.model }}');
    expect(output).toMatchObject({ model: 'simulated/fast', messages: [{ content: 'Say why' }, {}] });
  });

  test('messages take the place of the prompt', async () => {
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: [{ type: 'text', text: 'hello' }] },
      { role: 'user', content: 'bye' },
    ];
    const { output } = await infer({ messages });
    expect(output.messages.slice(0, 3)).toEqual(messages);
    expect(output.text).toContain('An answer to: bye');
  });

  test.each<JsonObject>([
    { messages: 'hi' },
    { messages: [{ role: 'robot', content: 'hi' }] },
    { messages: [{ role: 'user', content: 1 }] },
    { maxOutputTokens: 0 },
  ])('%j is refused', async (config) => {
    await expect(infer(config)).rejects.toMatchObject({ code: 'validation' });
  });
});

describe('providers', () => {
  test.each([
    ['nobody/gpt-4o', '"nobody" is no known model provider (anthropic, openai, google, simulated)'],
    ['fast', 'needs a modelId'],
    [null, 'needs a modelId'],
  ])('the modelId %s is refused', async (modelId, message) => {
    await expect(infer({ prompt: 'a' }, {}, modelId)).rejects.toMatchObject({
      code: 'validation',
      message: expect.stringContaining(message),
    });
  });

  test('the cost is exact, with its usage', async () => {
    const { output, costs } = await infer({ prompt: 'x'.repeat(4000) });
    const { outputTokens } = output.usage as { outputTokens: number };
    expect(costs).toEqual([
      {
        usd: `0.00${1000 + 2 * outputTokens}`.replace(/0+$/, ''),
        usage: {
          provider: 'simulated',
          model: 'simulated/fast',
          inputTokens: 1000,
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          outputTokens,
          reasoningTokens: 0,
          latencyMs: expect.any(Number),
          simulated: true,
        },
      },
    ]);
  });

  test('flaky fails the first attempt of each task, and no other', async () => {
    await expect(infer({ prompt: 'a' }, { attempt: 1 }, 'simulated/flaky')).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'provider_error',
    });
    await expect(infer({ prompt: 'a' }, { attempt: 2 }, 'simulated/flaky')).resolves.toBeDefined();
  });

  test.each(['simulated/slow', 'simulated/fast'])(
    '%s rejects with the reason of an abort',
    async (modelId) => {
      const abort = new AbortController();
      if (modelId === 'simulated/fast') abort.abort(new Error('lease lost'));
      const running = infer({ prompt: 'a' }, { signal: abort.signal }, modelId);
      abort.abort(new Error('lease lost'));
      await expect(running).rejects.toThrow('lease lost');
    },
  );
});
