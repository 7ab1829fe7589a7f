import { describe, expect, test } from 'vitest';
import { NotNow, RetryableError, TerminalError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { type CustomTaskContext, defineTask } from '../../../src/tasks/custom-task.ts';
import { type Answer, answering, COMPATIBLE, chat, http, infer, type ModelRun } from '../../support/model.ts';

const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const tool = (name: string, task: JsonObject, more: JsonObject = {}): JsonObject => ({
  name,
  description: `the tool ${name}`,
  inputSchema: CITY,
  task,
  ...more,
});
const weather = tool('weather', {
  taskType: 'transformation',
  config: { output: { at: '{{ task.input.city }}', degrees: 21 } },
});
const call = (name: string, args: Json = { city: 'Paris' }, id = 'call-1') => ({
  id,
  name,
  arguments: typeof args === 'string' ? args : JSON.stringify(args),
});
const mine = (run: (ctx: CustomTaskContext) => unknown) => [defineTask({ type: 'mine', run })];
const fresh = (): ModelRun => ({ costs: [], checkpoints: [], warnings: [] });

/** A task with tools at a compatible server that gives these answers. */
async function converse(answers: Answer[], config: JsonObject, setting = {}, run = fresh()) {
  const server = answering(...answers);
  const { modelId, baseUrl } = COMPATIBLE;
  const result = infer(
    { prompt: 'go', baseUrl, ...config },
    { modelId, outside: http(server.fetch), ...setting },
    run,
  );
  return { server, result, run };
}

describe('a tool', () => {
  test('is a task whose input are the arguments; its output goes back to the model', async () => {
    const { server, result } = await converse([chat([call('weather')]), chat('It is 21.')], {
      tools: [weather],
    });
    const { output } = await result;
    expect(output).toMatchObject({
      text: 'It is 21.',
      finishReason: 'stop',
      model: 'local/some-model',
      toolCalls: [
        { id: 'call-1', name: 'weather', input: { city: 'Paris' }, output: { at: 'Paris', degrees: 21 } },
      ],
      usage: { inputTokens: 200, outputTokens: 20, raw: { prompt_tokens: 100 } },
    });
    expect(output.messages).toMatchObject([
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [{ type: 'tool-call', toolName: 'weather', input: { city: 'Paris' } }] },
      { role: 'tool', content: [{ type: 'tool-result', output: { at: 'Paris', degrees: 21 } }] },
      { role: 'assistant', content: 'It is 21.' },
    ]);
    expect(server.asked[0]!.body).toMatchObject({
      tools: [{ function: { name: 'weather', description: 'the tool weather', parameters: CITY } }],
    });
    expect((server.asked[1]!.body.messages as Json[])[2]).toMatchObject({
      role: 'tool',
      tool_call_id: 'call-1',
      content: '{"at":"Paris","degrees":21}',
    });
  });

  test('sees the scope of the task around it, a key of its own, and may map its output', async () => {
    const keys: string[] = [];
    const types = mine(({ idempotencyKey, config }) => {
      keys.push(idempotencyKey);
      return { said: config.said };
    });
    const task = { taskType: 'mine', config: { said: '{{ input.name }}' }, outputMapping: '$.output.said' };
    const both = [call('a', { city: 'x' }, '1'), call('a', { city: 'y' }, '2')];
    const { result } = await converse(
      [chat(both), chat('done')],
      { tools: [tool('a', task)] },
      {
        types,
        context: { scope: { input: { name: 'Ada' } } },
      },
    );
    expect((await result).output.toolCalls).toMatchObject([{ output: 'Ada' }, { output: 'Ada' }]);
    expect(keys).toEqual(['execution-1:it#tool:1', 'execution-1:it#tool:2']);
  });

  test('that costs adds its cost to the task, listed as one call', async () => {
    const types = mine(({ addCost }) => {
      addCost('0.5', { pages: 1 });
      addCost('0.25', { pages: 2 });
    });
    const { result, run } = await converse(
      [chat([call('a')]), chat('done')],
      {
        tools: [tool('a', { taskType: 'mine' })],
      },
      { types },
    );
    await result;
    expect(run.costs.map(({ usd }) => usd)).toEqual(['0.00012', '0.5', '0.25', '0.00012']);
    expect(run.costs.at(-1)?.usage).toMatchObject({
      model: 'local/some-model',
      inputTokens: 200,
      outputTokens: 20,
      calls: [{ costUsd: '0.00012' }, { tool: 'a', pages: 2, costUsd: '0.75' }, { costUsd: '0.00012' }],
    });
  });

  test.each<[string, (ctx: CustomTaskContext) => unknown, JsonObject]>([
    [
      'TerminalError',
      () => {
        throw new TerminalError('too_far', 'no bus goes there');
      },
      { code: 'too_far', message: 'no bus goes there' },
    ],
    [
      'RetryableError',
      () => {
        throw new RetryableError('busy', { code: 'rate_limited' });
      },
      { code: 'rate_limited', message: 'busy' },
    ],
    [
      'any error',
      () => {
        throw new Error('oops');
      },
      { code: 'handler_error', message: 'oops' },
    ],
    ['an output that cannot be stored', () => 2 ** 60, { code: 'unstorable_output' }],
    ['a checkpoint', (ctx) => ctx.checkpoint(1), { code: 'not_allowed' }],
  ])('%s is told to the model, which goes on', async (_what, body, error) => {
    const { result, server } = await converse(
      [chat([call('a')]), chat('sorry')],
      {
        tools: [tool('a', { taskType: 'mine' })],
      },
      { types: mine(body) },
    );
    expect((await result).output).toMatchObject({ text: 'sorry', toolCalls: [{ error }] });
    expect(JSON.stringify(server.asked[1]!.body.messages)).toContain(String(error.code));
  });

  test.each<[string, ReturnType<typeof call>, RegExp]>([
    ['arguments that do not fit', call('weather', { town: 'Paris' }), /do not fit the inputSchema/],
    ['arguments that are no JSON', call('weather', '{"city": '), /not JSON/],
    [
      'arguments of more values than anything is made of',
      call('weather', `[${'{},'.repeat(1_100_000)}{}]`),
      /not JSON/,
    ],
  ])('%s is answered as an error, not run', async (_what, asked, message) => {
    const { result } = await converse([chat([asked]), chat('ok')], { tools: [weather] });
    expect((await result).output.toolCalls).toMatchObject([
      { error: { code: 'validation', message: expect.stringMatching(message) } },
    ]);
  });

  test.each<[string, JsonObject[], RegExp]>([
    ['others', [weather], /called the tool "radar", which it was never offered; there are: weather/],
    ['none', [], /which it was never offered; there are none/],
  ])('that was never offered, beside %s, ends the loop at once', async (_what, tools, message) => {
    const both = [call('weather', { city: 'Paris' }, '1'), call('radar', {}, '2')];
    const { result, server, run } = await converse([chat(tools.length === 0 ? [call('radar')] : both)], {
      tools,
    });
    await expect(result).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'output_invalid',
      message: expect.stringMatching(message),
    });
    expect([server.asked.length, run.costs.length, run.checkpoints.length]).toEqual([1, 1, 0]);
  });

  test('that has no slot now ends the attempt, not the conversation', async () => {
    const types = mine(() => {
      throw new NotNow('wait', 1000);
    });
    const { result, run } = await converse(
      [chat([call('a')])],
      { tools: [tool('a', { taskType: 'mine' })] },
      { types },
    );
    await expect(result).rejects.toBeInstanceOf(NotNow);
    expect(run.checkpoints).toHaveLength(1);
  });

  test('an abort while it runs ends the attempt with its reason', async () => {
    const abort = new AbortController();
    const types = mine(() => {
      abort.abort(new Error('lease lost'));
      throw new Error('a consequence');
    });
    const { result } = await converse(
      [chat([call('a')])],
      { tools: [tool('a', { taskType: 'mine' })] },
      {
        types,
        context: { signal: abort.signal },
      },
    );
    await expect(result).rejects.toThrow('lease lost');
  });
});

describe('the loop', () => {
  test.each([1, 3])('ends with loop_limit after %i turns that call tools', async (maxSteps) => {
    const { result, server, run } = await converse([chat([call('weather')])], { tools: [weather], maxSteps });
    await expect(result).rejects.toMatchObject({ name: 'TerminalError', code: 'loop_limit' });
    expect(server.asked).toHaveLength(maxSteps);
    expect(run.costs).toHaveLength(maxSteps);
    const lastCheckpoint = run.checkpoints.at(-1);
    const again = await converse(
      [chat('late')],
      { tools: [weather], maxSteps },
      { context: { lastCheckpoint } },
    );
    await expect(again.result).rejects.toMatchObject({ code: 'loop_limit' });
    expect(again.server.asked).toEqual([]);
  });

  test('checkpoints after every turn that is not the last and after every tool call', async () => {
    const both = [call('weather', { city: 'x' }, '1'), call('weather', { city: 'y' }, '2')];
    const { result, run } = await converse([chat(both), chat('done')], { tools: [weather] });
    await result;
    expect(run.checkpoints).toMatchObject([
      { turns: 1, toolCalls: [], usage: { inputTokens: 100 } },
      { turns: 1, toolCalls: [{ id: '1' }] },
      { turns: 1, toolCalls: [{ id: '1' }, { id: '2' }] },
    ]);
  });

  test('goes on from each checkpoint with the same end, and adds the cost of the rest only', async () => {
    const answers = [
      chat([call('weather', { city: 'x' }, '1')]),
      chat([call('weather', { city: 'y' }, '2')]),
      chat('done'),
    ];
    const whole = await converse(answers, { tools: [weather] });
    const { output } = await whole.result;
    expect(whole.run.checkpoints).toHaveLength(4);
    for (const [index, lastCheckpoint] of whole.run.checkpoints.entries()) {
      const turns = (lastCheckpoint as { turns: number }).turns;
      const resumed = await converse(
        answers.slice(turns),
        { tools: [weather] },
        {
          context: { lastCheckpoint, attempt: 2 },
        },
      );
      expect((await resumed.result).output, `checkpoint ${index}`).toEqual(output);
      expect(resumed.run.costs).toHaveLength(3 - turns);
      expect(resumed.run.checkpoints).toEqual(whole.run.checkpoints.slice(index + 1));
    }
  });

  test('a turn may ask for 64 calls; further ones are answered as errors', async () => {
    const many = Array.from({ length: 66 }, (_, i) => call('weather', { city: `${i}` }, `${i}`));
    const { result } = await converse([chat(many), chat('done')], { tools: [weather] });
    const calls = (await result).output.toolCalls as JsonObject[];
    expect(calls.filter((one) => one.error !== undefined).map(({ id }) => id)).toEqual(['64', '65']);
  });
});

describe('simulated/agent', () => {
  test('calls each tool once, in order, with arguments that fit, then answers', async () => {
    const tools = [weather, tool('second', { taskType: 'transformation', config: { output: 2 } })];
    const { output, run } = await infer({ prompt: 'go', tools }, { modelId: 'simulated/agent' });
    expect(output.toolCalls).toMatchObject([
      { name: 'weather', input: { city: 'simulated city' }, output: { at: 'simulated city' } },
      { name: 'second', output: 2 },
    ]);
    expect(output.text).toContain('[simulated simulated/agent');
    expect(run.costs).toHaveLength(3);
    expect((await infer({ prompt: 'go', tools }, { modelId: 'simulated/agent' })).output).toEqual(output);
  });
});

describe('an integer beyond 2^53 that a model gives a tool', () => {
  const SNOWFLAKE = '12345678901234567890';
  const anyId = { type: 'object', properties: { id: {} } };
  const echo = tool(
    'echo',
    { taskType: 'transformation', config: { output: '{{ task.input.id }}' } },
    { inputSchema: anyId },
  );

  test('is kept exactly, as a text, with a warning', async () => {
    const { result, run } = await converse([chat([call('echo', `{"id":${SNOWFLAKE}}`)]), chat('done')], {
      tools: [echo],
    });
    expect((await result).output.toolCalls).toMatchObject([{ input: { id: SNOWFLAKE }, output: SNOWFLAKE }]);
    expect(run.warnings).toEqual([expect.stringMatching(/^what the model gives the tool "echo" .*: \/id$/)]);
  });

  test.each(['anthropic', 'google'])(
    'also where %s sends it as JSON within JSON, which its library parses',
    async (provider) => {
      const first =
        provider === 'anthropic'
          ? `{"type":"message","id":"m","role":"assistant","model":"c","stop_reason":"tool_use","stop_sequence":null,
            "usage":{"input_tokens":5,"output_tokens":3},"content":[{"type":"tool_use","id":"call-1","name":"echo","input":{"id":${SNOWFLAKE}}}]}`
          : `{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"echo","args":{"id":${SNOWFLAKE}}}}]},"finishReason":"STOP"}],
            "usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":3}}`;
      const done =
        provider === 'anthropic'
          ? `{"type":"message","id":"n","role":"assistant","model":"c","stop_reason":"end_turn","stop_sequence":null,
              "usage":{"input_tokens":1,"output_tokens":1},"content":[{"type":"text","text":"done"}]}`
          : `{"candidates":[{"content":{"role":"model","parts":[{"text":"done"}]},"finishReason":"STOP"}],
              "usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`;
      const json = { headers: { 'content-type': 'application/json' } };
      const server = answering(new Response(first, json), new Response(done, json));
      const setting = { modelId: `${provider}/some-model`, outside: http(server.fetch) };
      const { output, run } = await infer({ prompt: 'go', tools: [echo] }, setting);
      expect(output.toolCalls).toMatchObject([{ input: { id: SNOWFLAKE }, output: SNOWFLAKE }]);
      expect(run.warnings).toEqual([expect.stringMatching(/^what the model gives a tool .*\/id$/)]);
    },
  );

  test('in an answer of a responseSchema too, where the schema takes a text; else the model is told of the number', async () => {
    const schema = (type: string) => ({ type: 'object', properties: { id: { type } }, required: ['id'] });
    const taken = await converse([chat(`{"id":${SNOWFLAKE}}`)], { responseSchema: schema('string') });
    expect((await taken.result).output.object).toEqual({ id: SNOWFLAKE });
    expect(taken.run.warnings).toHaveLength(1);
    const refused = await converse([chat(`{"id":${SNOWFLAKE}}`), chat('{"id":1}')], {
      responseSchema: schema('integer'),
    });
    expect((await refused.result).output.object).toEqual({ id: 1 });
    expect(JSON.stringify(refused.server.asked[1]!.body)).toContain('beyond 2^53');
  });
});
