import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import { TerminalError } from '../../src/core/errors.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { definition, type Engine, openEngine } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { chat } from '../support/model.ts';
import { type ModelServer, openModelServer, type Turn } from '../support/model-server.ts';

const SECRET = 'sk-behind-seven-hills';
/** Of a call with 100 tokens in and 10 out, by the price library: 2.5 and 10 dollars per million. */
const CALL_USD = 0.00035;

let engine: Engine;
let server: ModelServer;
let answer: Turn = () => chat('done');

beforeAll(async () => {
  server = await openModelServer((request, hold) => answer(request, hold));
  engine = await openEngine({
    outside: {
      allowedHosts: ['127.0.0.1'],
      secrets: secretsInEnvironment({ MODEL: SECRET }),
      providers: new Map([['openai', { apiKey: 'sk-of-the-operator' }]]),
    },
  });
});
afterAll(async () => {
  await engine?.close();
  await server?.close();
});
afterEach(() => {
  answer = () => chat('done');
  (server.ledger as unknown[]).length = 0;
});

const model = (config: NodeDefinition['config'], more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  taskId: 'm',
  taskType: 'model_inference',
  modelId: 'openai/gpt-4o',
  dependsOn: [],
  config: { prompt: 'go', baseUrl: server.url, ...config },
  ...more,
});
const tool = (name: string) => ({
  name,
  inputSchema: { type: 'object', properties: { n: { type: 'integer' } } },
  task: { taskType: 'probe', config: {} },
});
const call = (name: string, n: number) => chat([{ id: `call-${n}`, name, arguments: `{"n":${n}}` }]);
const usd = (value: number) => String(Number(value.toFixed(8)));

test('a simulated model completes with its output, cost and usage', async () => {
  const run = await engine.run(
    definition([{ ...model({}), modelId: 'simulated/fast', config: { prompt: 'x'.repeat(4000) } }]),
  );
  const { costUsd, resourceUsage, output } = run.task('m');
  expect(output).toMatchObject({ model: 'simulated/fast', usage: { inputTokens: 1000 } });
  const { outputTokens } = (output as { usage: { outputTokens: number } }).usage;
  expect(costUsd).toBe(usd(0.001 + outputTokens * 0.000002));
  expect(run.execution.costUsd).toBe(costUsd);
  expect(resourceUsage).toMatchObject({ provider: 'simulated', simulated: true, inputTokens: 1000 });
});

test('a task without a prompt gets what its parents said, however long the chain', async () => {
  const one = (taskId: string, ...parents: string[]): NodeDefinition => ({
    ...model({}, { taskId, dependsOn: parents.map((parent) => ({ taskId: parent })) }),
    modelId: 'simulated/fast',
    config: {},
  });
  const run = await engine.run(definition([one('a'), one('b', 'a'), one('c', 'b'), one('d', 'a', 'c')]), {
    input: 'begin',
  });
  const asked = (id: string) =>
    (run.task(id).output as { messages: { content: string }[] }).messages[0]!.content;
  const said = (id: string) => (run.task(id).output as { text: string }).text;
  expect([asked('a'), asked('b'), asked('c')]).toEqual(['begin', said('a'), said('b')]);
  expect(JSON.parse(asked('d'))).toEqual({ a: said('a'), c: said('c') });
});

test('an agent calls tools by their types, under keys of their own; every call is counted', async () => {
  answer = ({ turn }) => (turn < 2 ? call('look', turn) : chat('done'));
  engine.bodies.m = ({ input, addCost }) => {
    addCost('0.01');
    return input;
  };
  const run = await engine.run(definition([model({ tools: [tool('look')] })]));
  expect(run.task('m').output).toMatchObject({
    text: 'done',
    toolCalls: [{ output: { n: 0 } }, { output: { n: 1 } }],
    usage: { inputTokens: 300, outputTokens: 30 },
  });
  expect(engine.entered.slice(-2)).toEqual(['m#tool:1', 'm#tool:2']);
  expect(run.task('m').costUsd).toBe(usd(3 * CALL_USD + 0.02));
  expect(run.execution.costUsd).toBe(usd(3 * CALL_USD + 0.02));
  expect((run.task('m').resourceUsage as { calls: unknown[] }).calls).toHaveLength(5);
});

test('a retry after a provider error goes on where the conversation stood', async () => {
  let isBroken = true;
  answer = ({ turn }) => {
    if (turn < 2) return call('look', turn);
    if (!isBroken) return chat('done');
    isBroken = false;
    return { status: 500, body: { error: { message: 'oops' } } };
  };
  delete engine.bodies.m;
  const retry = { maxAttempts: 2, initialIntervalSeconds: 0 };
  const run = await engine.run(definition([model({ tools: [tool('look')] }, { retry })]));
  expect(run.states).toBe('m completed');
  expect(server.ledger.map(({ turn }) => turn)).toEqual([0, 1, 2, 2]);
  expect(run.task('m').attempt).toBe(2);
  expect(run.execution.costUsd).toBe(usd(3 * CALL_USD));
  expect(run.task('m').output).toMatchObject({ usage: { inputTokens: 300 } });
});

test('output_invalid is retried by default, and what failed is paid for', async () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
  answer = () => chat(server.ledger.length < 3 ? 'no' : '{"n":1}');
  const retry = { maxAttempts: 2, initialIntervalSeconds: 0 };
  const run = await engine.run(definition([model({ responseSchema: schema }, { retry })]));
  expect(run.task('m').output).toMatchObject({ object: { n: 1 } });
  expect(server.ledger).toHaveLength(3);
  expect(run.execution.costUsd).toBe(usd(3 * CALL_USD));
});

test("a tool's failure is the model's to deal with, a loop's end is the task's", async () => {
  engine.bodies.m = () => {
    throw new TerminalError('no_luck', 'not today');
  };
  answer = ({ turn }) => call('look', turn);
  const run = await engine.run(definition([model({ tools: [tool('look')], maxSteps: 2 })]));
  expect(run.task('m').error).toMatchObject({ code: 'loop_limit' });
  expect(JSON.stringify(server.ledger[1]!.body)).toContain('no_luck');
  expect(run.execution.costUsd).toBe(usd(2 * CALL_USD));
});

test('a fallback takes over from a model that is down', async () => {
  answer = () => ({ status: 503, body: {} });
  const run = await engine.run(definition([model({ fallbackModels: ['simulated/fast'] })]));
  expect(run.task('m').output).toMatchObject({ model: 'simulated/fast' });
});

test('a secret that the provider echoes is in no row', async () => {
  answer = ({ turn }) => {
    const echo = `you said ${SECRET}`;
    if (turn === 0) return chat([{ id: '1', name: 'look', arguments: JSON.stringify({ n: 1, echo }) }]);
    return turn === 1 ? chat(echo) : { status: 400, body: { error: { message: echo } } };
  };
  engine.bodies.m = ({ input }) => input;
  const config = {
    credential: 'MODEL',
    systemPrompt: 'the key is {{ secrets.MODEL }}',
    tools: [tool('look')],
  };
  const told = await engine.run(definition([model(config)]));
  answer = () => ({ status: 401, body: { error: { message: `Incorrect API key provided: ${SECRET}` } } });
  const refused = await engine.run(definition([model(config)]));
  expect(told.states).toBe('m completed');
  expect(refused.task('m').error).toMatchObject({ code: 'provider_refused', status: 401 });
  const rows = await engine.query(
    `select t::text as row from dagwright.task_executions t union all select a::text from dagwright.task_attempts a
     union all select o::text from dagwright.workflow_executions o`,
  );
  expect(rows.length).toBeGreaterThan(4);
  expect(JSON.stringify(rows)).not.toContain(SECRET);
});

test('a cancel reaches a call in flight', async () => {
  let held: { destroyed: boolean } | undefined;
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  answer = (_request, hold) => {
    held = hold;
    hold.once('close', () => closed.resolve());
    arrived.resolve();
    return null;
  };
  const workflow = definition([model({})]);
  await engine.apply(workflow);
  const id = await engine.start(workflow.workflowId);
  await arrived.promise;
  await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
  await closed.promise;
  expect(held?.destroyed).toBe(true);
  expect((await engine.ended(id)).execution.status).toBe('cancelled');
});
