// What the attacking tenant has when the fuzz begins: workflows that ask the hostile server and wait for callbacks, webhooks that
// filter and map, rows to name in paths.
import type { Agent } from 'node:http';
import type { Step, Surroundings } from './inputs/input.ts';
import { send } from './send.ts';

const SECRET = 'the-secret-of-the-fuzz';
const CALL_SECONDS = 6;

const call = (workflowId: string, url: string, config: object, more: object = {}) => ({
  workflowId,
  nodes: [
    {
      ...{
        taskId: 'call',
        taskType: 'external_api',
        timeoutSeconds: CALL_SECONDS,
        retry: { maxAttempts: 1 },
      },
      config: { url: `${url}/{{ input.n }}`, maxResponseBytes: 16_000_000, ...config },
      ...more,
    },
  ],
});
const model = (workflowId: string, origin: string, config: object) => ({
  workflowId,
  nodes: [
    {
      ...{ taskId: 'ask', taskType: 'model_inference', modelId: 'hostile/m', timeoutSeconds: CALL_SECONDS },
      ...{
        retry: { maxAttempts: 1 },
        config: { baseUrl: `${origin}/model/{{ input.n }}`, prompt: 'x', ...config },
      },
    },
  ],
});
const tool = { name: 'look', task: { taskType: 'transformation', config: { output: '$.task.input' } } };

const workflowsOf = (origin: string) => [
  {
    workflowId: 'fuzz-hooked',
    inputSchema: { type: ['object', 'array', 'string', 'null'], maxProperties: 1000 },
    nodes: [{ taskId: 'keep', taskType: 'transformation', config: { output: '{{ count($.input..*) }}' } }],
    triggers: [{ type: 'event', event: 'fuzz', when: '$.payload..a == payload.b' }],
  },
  {
    workflowId: 'fuzz-callback',
    nodes: [
      {
        ...{ taskId: 'call', taskType: 'external_api', retry: { maxAttempts: 1 } },
        config: {
          ...{ url: `${origin}/callback/{{ input.case }}`, callback: { timeoutSeconds: 15 } },
          body: { token: '{{ task.callbackToken }}' },
        },
      },
    ],
  },
  call('fuzz-call', `${origin}/plain`, {}),
  call(
    'fuzz-map',
    `${origin}/plain`,
    {},
    { outputMapping: '{{ [count(output.body..*), json(output.headers)] }}' },
  ),
  call(
    'fuzz-expect',
    `${origin}/plain`,
    { expectedStatus: ['2xx', '3xx', '4xx', '5xx'] },
    { outputMapping: { n: '{{ count(output.body ?? []) }}' } },
  ),
  model('fuzz-model', origin, {}),
  model('fuzz-structured', origin, {
    responseSchema: { type: 'object', additionalProperties: { type: 'number' } },
  }),
  model('fuzz-tools', origin, { maxSteps: 3, tools: [tool] }),
];

const WEBHOOKS: readonly object[] = [
  { path: 'open', authType: 'none' },
  { path: 'secret', authType: 'secret', secret: SECRET },
  {
    ...{ path: 'filtered', authType: 'none' },
    filters: [
      { fieldPath: 'body.a', operator: 'regex', value: '(a|b)*c+[^x]{1,50}' },
      { fieldPath: 'body.a', operator: 'contains', value: 'aaaaaaaaaaaaaaaab' },
      { fieldPath: 'body', operator: 'equals', value: { a: 1 } },
    ].map((one) => ({ ...one, logicGroup: 1 })),
  },
  {
    path: 'mapped',
    authType: 'none',
    inputMapping: { a: '{{ $.body..* }}', h: '{{ json(headers) }}', q: '{{ query }}', t: 'x {{ body }}' },
  },
];

/** Makes it all; `makeExecution` is answered by the first webhook. */
export async function prepareAttacker(
  target: { url: string; key: string; agent: Agent },
  origin: string,
): Promise<Omit<Surroundings, 'operations'>> {
  const ask = async (step: Step): Promise<Record<string, string>> => {
    const reply = await send(target, step);
    if (reply.kind !== 'answer' || reply.status >= 300)
      throw new Error(`${step.method} ${step.path}: ${JSON.stringify(reply).slice(0, 2_000)}`);
    return JSON.parse(reply.text);
  };
  const json = (method: string, path: string, body: object): Step => ({
    ...{ method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  });
  for (const workflow of workflowsOf(origin))
    await ask(json('PUT', `/v1/workflows/${workflow.workflowId}`, workflow));
  const hooks: string[] = [];
  for (const webhook of WEBHOOKS)
    hooks.push((await ask(json('POST', '/v1/webhooks', { workflowId: 'fuzz-hooked', ...webhook }))).path!);
  const spare = await ask(
    json('POST', '/v1/webhooks', { workflowId: 'fuzz-hooked', path: 'spare', authType: 'none' }),
  );
  const schedule = await ask(
    json('POST', '/v1/schedules', { workflowId: 'fuzz-hooked', name: 'spare', cronExpression: '0 9 * * *' }),
  );
  const execution = await ask(json('POST', '/v1/workflows/fuzz-hooked/executions', { input: {} }));
  await ask(json('POST', '/v1/variables', { name: 'fuzz', value: 1 }));
  return { hooks, ids: ['fuzz-hooked', 'fuzz', '1', spare.id!, schedule.id!, execution.id!] };
}
