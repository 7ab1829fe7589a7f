// A worker with a heap of 600 MB takes what hostile servers answer and careless authors return: each is an error of its own
// task, the process lives on under the same lease, and a neighbour's task beside them completes.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { openStub, type Stub } from '../tasks/outbound/support/stub-server.ts';
import { apply, drained, openScenario, type Scenario, start, statuses } from './support/scenario.ts';

const HEAP_MB = 600;
const ROUNDS = 2;
/** Just within what is taken: 950,000 objects. */
const MANY = `[${'{},'.repeat(949_999)}{}]`;

const chat = (message: JsonObject): string =>
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
const objects = `[${'{},'.repeat(5_300_000)}{}]`;
const BODIES: Readonly<Record<string, { readonly body: string | Buffer; readonly encoding?: string }>> = {
  '/objects': { body: objects },
  '/names': { body: `{${Array.from({ length: 1_200_000 }, (_, i) => `"${i}":0`).join(',')}}` },
  '/deep': { body: '['.repeat(15_900_000) },
  '/deepObjects': { body: '{"a":'.repeat(3_000_000) },
  '/zipped': { body: gzipSync(objects), encoding: 'gzip' },
  '/bomb': { body: gzipSync(Buffer.alloc(200_000_000)), encoding: 'gzip' },
  '/long': { body: JSON.stringify('x'.repeat(15_900_000)) },
  '/many': { body: MANY },
  '/chat/completions': { body: chat({ content: 'x'.repeat(20_000_000) }) },
  '/structured/chat/completions': { body: chat({ content: objects }) },
  '/broken/chat/completions': { body: `{"choices":${objects}}` },
  '/tools/chat/completions': {
    body: chat({
      content: null,
      tool_calls: [{ id: 't', type: 'function', function: { name: 'look', arguments: objects } }],
    }),
  },
};

let scenario: Scenario;
let server: Stub;
beforeAll(async () => {
  server = await openStub(({ target }, response) => {
    const found = BODIES[target];
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(found?.encoding !== undefined && { 'content-encoding': found.encoding }),
    });
    if (found !== undefined) return void response.end(found.body);
    // As slow as it can be: a value at a time, without an end.
    response.write('[0');
    const timer = setInterval(() => response.write(',0'), 100);
    response.on('close', () => clearInterval(timer));
  });
  scenario = await openScenario();
});
afterAll(async () => {
  await scenario.close();
  await server.close();
});

const api = (path: string, more: JsonObject = {}): JsonObject => ({
  taskType: 'external_api',
  config: { url: `${server.origin}${path}`, maxResponseBytes: 16_000_000 },
  ...more,
});
const model = (path: string, config: JsonObject = {}): JsonObject => ({
  taskType: 'model_inference',
  modelId: 'local/m',
  config: { baseUrl: `${server.origin}${path}`, prompt: 'x', ...config },
});

/** By taskId: the node, and the code that it fails with; null: it completes. */
const nodes = (): Readonly<Record<string, readonly [JsonObject, string | null]>> => ({
  objects: [api('/objects'), 'payload_too_large'],
  names: [api('/names'), 'payload_too_large'],
  deep: [api('/deep'), 'output_invalid'],
  deepObjects: [api('/deepObjects'), 'output_invalid'],
  zipped: [api('/zipped'), 'payload_too_large'],
  bomb: [api('/bomb'), 'payload_too_large'],
  long: [api('/long'), 'payload_too_large'],
  many: [api('/many'), 'payload_too_large'],
  counted: [api('/many', { outputMapping: '{{ count(output.body) }}' }), null],
  slow: [api('/slow', { timeoutSeconds: 1 }), 'timeout'],
  readObjects: [{ taskType: 'reading', config: { url: `${server.origin}/objects` } }, 'payload_too_large'],
  readDeep: [{ taskType: 'reading', config: { url: `${server.origin}/deep` } }, 'output_invalid'],
  readMany: [{ taskType: 'reading', config: { url: `${server.origin}/many` } }, null],
  returnObjects: [{ taskType: 'returning', config: { what: 'objects' } }, null],
  returnLong: [{ taskType: 'returning', config: { what: 'long' } }, 'payload_too_large'],
  returnDeep: [{ taskType: 'returning', config: { what: 'deep' } }, 'unstorable_output'],
  returnMap: [{ taskType: 'returning', config: { what: 'map' } }, 'unstorable_output'],
  returnSparse: [{ taskType: 'returning', config: { what: 'sparse' } }, 'payload_too_large'],
  keepLong: [{ taskType: 'keeping', config: { what: 'long' } }, 'payload_too_large'],
  chat: [model(''), 'payload_too_large'],
  structured: [model('/structured', { responseSchema: { type: 'object' } }), 'payload_too_large'],
  broken: [model('/broken'), 'payload_too_large'],
  tools: [
    model('/tools', {
      maxSteps: 2,
      tools: [{ name: 'look', task: { taskType: 'transformation', config: { output: 1 } } }],
    }),
    'loop_limit',
  ],
  // 18 parts of a megabyte each: more than is gathered.
  parts: [
    {
      taskType: 'parallel',
      config: {
        items: '{{ range(18) }}',
        maxConcurrency: 4,
        task: { taskType: 'returning', config: { what: 'wide' } },
      },
      outputMapping: '{{ count(output) }}',
    },
    'payload_too_large',
  ],
  neighbour: [{ taskType: 'ledger', config: { ms: 1 } }, null],
});

test('each is an error of its task, and the worker lives on under its lease', async () => {
  const expected = nodes();
  await apply(scenario, {
    workflowId: 'hostile',
    failurePolicy: 'continue',
    nodes: Object.entries(expected).map(([taskId, [node]]) => ({
      taskId,
      dependsOn: [],
      retry: { maxAttempts: 1 },
      config: {},
      ...node,
    })),
  } as never);
  const [worker] = await scenario.supervisor.startReady(1, {
    heapMb: HEAP_MB,
    outside: { allowedHosts: [`127.0.0.1:${server.port}`] },
  });
  for (let round = 0; round < ROUNDS; round++) {
    await start(scenario, 'hostile', 1);
    await drained(scenario);
  }
  expect([worker!.isAlive, worker!.stderr]).toEqual([true, '']);
  const { rows } = await scenario.database.engine.query(
    `select task_id as id, coalesce(error->>'code', status::text) as end, max(recoveries)::int as recoveries,
        count(*)::int as n from dagwright.task_executions where map_index = -1 group by 1, 2 order by 1, 2`,
  );
  expect(rows).toEqual(
    Object.entries(expected)
      .map(([id, [, code]]) => ({ id, end: code ?? 'completed', recoveries: 0, n: ROUNDS }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
  // It registers anew where it has lost its lease.
  expect(Object.keys(scenario.supervisor.complaints()).filter((one) => /dead|register/.test(one))).toEqual(
    [],
  );
  expect(Object.keys(await statuses(scenario))).toEqual(['failed']);
}, 400_000);
