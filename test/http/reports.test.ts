// What is answered and stored of problems stays short, whatever names and texts they are about: a name of 300 KB above a thousand
// problems was an answer of 300 MB, and a failed delivery of 5 MB.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallOptions, openService, type TestService } from '../support/service.ts';

const LONG = 'n'.repeat(300_000);
/** As many values that are no numbers as fit into a body. */
const WRONG = { [LONG]: Array.from({ length: 1_000 }, () => 'x') };
/** Under a name that is short enough for all of them to be listed. */
const MANY = { ['n'.repeat(900)]: WRONG[LONG] };
/** Under one that is short enough to be told with each. */
const TOLD = { ['n'.repeat(480)]: WRONG[LONG] };
const WORKFLOW = {
  workflowId: 'numbers',
  inputSchema: { type: 'object', additionalProperties: { items: { type: 'number' } } },
  nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: 1 } }],
  triggers: [{ type: 'event', name: 'numbers', event: 'numbers' }],
};
const GIVES = {
  workflowId: 'gives',
  outputSchema: WORKFLOW.inputSchema,
  nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: '{{ input }}' } }],
  output: '{{ tasks.a.output }}',
};
/** Of an answer, with every place that could hold a problem. */
const SHORT = 40_000;

let service: TestService;
beforeAll(async () => {
  service = await openService({ worker: true });
  await call('PUT', '/v1/workflows/numbers', { body: WORKFLOW });
  await call('PUT', '/v1/workflows/gives', { body: GIVES });
});
afterAll(() => service.close());

async function call(method: string, path: string, options: CallOptions = {}) {
  const answer = await service.call(method, path, options);
  return { ...answer, bytes: Buffer.byteLength(JSON.stringify(answer.body)) };
}
const untilTrue = async (isSo: () => Promise<boolean>) => {
  while (!(await isSo())) await service.query('select pg_sleep(0.05)');
};

describe('an answer', () => {
  test.each<[string, string, string, unknown, number]>([
    [
      'to a definition with one',
      'PUT',
      '/v1/workflows/w',
      { workflowId: 'w', nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: WRONG } }] },
      422,
    ],
    [
      'to its validation',
      'POST',
      '/v1/workflows/validate',
      {
        workflowId: 'w',
        nodes: [
          {
            taskId: 'a',
            taskType: 'transformation',
            config: { output: { [LONG]: Array.from({ length: 1_000 }, (_, i) => `{{ nobody${i}.x }}`) } },
          },
        ],
      },
      422,
    ],
    ['to an input', 'POST', '/v1/workflows/numbers/executions', { input: WRONG }, 422],
    ['to an unknown field', 'POST', '/v1/variables', { name: 'a', value: 1, [LONG]: 1 }, 422],
    [
      'to texts that cannot be stored',
      'POST',
      '/v1/variables',
      `{"name":"a","value":{"${LONG}":[${Array.from({ length: 1_000 }, () => '"\\ud800"').join()}]}}`,
      422,
    ],
    [
      'to names given twice',
      'POST',
      '/v1/variables',
      `{"name":"a","value":{"${LONG}":{${Array.from({ length: 1_000 }, () => '"a":1').join()}}}}`,
      422,
    ],
    [
      'to a filter',
      'POST',
      '/v1/webhooks',
      { workflowId: 'numbers', path: 'w', filters: [{ fieldPath: 'body', operator: 'equals', [LONG]: 1 }] },
      422,
    ],
    [
      'to a webhook with many',
      'POST',
      '/v1/webhooks',
      {
        ...{ workflowId: 'numbers', path: 'many' },
        filters: Array.from({ length: 90 }, () => ({
          fieldPath: `body${'.x'.repeat(300)}[`,
          operator: 'is',
        })),
      },
      422,
    ],
  ])('%s', async (_title, method, path, body, status) => {
    const answer = await call(method, path, { body });
    expect([answer.status, answer.bytes < SHORT]).toEqual([status, true]);
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });
});

describe('what is stored', () => {
  test('of an execution that is started by SQL', async () => {
    const [{ id }] = (await service.query<{ id: string }>(
      `with own as (select set_config('app.current_tenant_id', '00000000-0000-7000-8000-000000000001', false))
         select dagwright.start_workflow('numbers', $1::jsonb) as id from own`,
      [JSON.stringify(TOLD)],
    )) as [{ id: string }];
    await untilTrue(async () => (await call('GET', `/v1/executions/${id}`)).body.completedAt !== null);
    const { body } = await call('GET', `/v1/executions/${id}`);
    expect(body.error).toMatchObject({ code: 'validation' });
    expect(Buffer.byteLength(JSON.stringify(body.error))).toBeLessThan(SHORT);
    expect(body.error.details.at(-1)).toMatchObject({ code: 'too_many_problems' });
  });

  test('of an execution whose output does not fit', async () => {
    const { body: started } = await call('POST', '/v1/workflows/gives/executions', { body: { input: TOLD } });
    const { execution } = await service.engine!.ended(started.id);
    const { error } = execution as unknown as { error: { code: string; details: { code: string }[] } };
    expect(error.code).toBe('output_invalid');
    expect(Buffer.byteLength(JSON.stringify(error))).toBeLessThan(SHORT);
    expect(error.details.at(-1)).toMatchObject({ code: 'too_many_problems' });
  });

  test('of a failed delivery', async () => {
    const { body: webhook } = await call('POST', '/v1/webhooks', {
      body: { workflowId: 'numbers', path: 'numbers', authType: 'none' },
    });
    for (let i = 0; i < 5; i++) await call('POST', `/hooks/${webhook.path}`, { body: MANY });
    const { body, bytes } = await call('GET', `/v1/webhooks/${webhook.id}/events?limit=200`);
    expect(body.items).toHaveLength(5);
    for (const { status, error } of body.items)
      expect([status, error.code, error.details.length]).toEqual(['failed', 'validation', 21]);
    expect(bytes).toBeLessThan(5 * SHORT);
  });
});
