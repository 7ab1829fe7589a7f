// What the operator allows a tenant of the workers: set by PATCH, told by what it refuses and by why something waits, and audited.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { graph } from '../support/engine.ts';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';
import { makeWebhook, traces } from './support/hooks.ts';
import { fromHmac } from './support/senders.ts';

let service: TestService;
let acme: { id: string; key: string };
let workflowId: string;

beforeAll(async () => {
  service = await openService({ withKeys: true });
  acme = await service.tenant('acme');
  const definition = graph('a', { tasks: { a: { taskType: 'wait', config: { seconds: 3600 } } } });
  workflowId = definition.workflowId;
  await applyDefinition(service.database, acme.id, definition, 'test');
});
afterAll(() => service.close());

const set = (body: unknown) => service.call('PATCH', `/v1/tenants/${acme.id}`, { key: ADMIN_KEY, body });
const start = (body: object = {}) =>
  service.call('POST', `/v1/workflows/${workflowId}/executions`, { key: acme.key, body });

test('weight and limits are shown, set one by one, and lifted; what does not fit is named', async () => {
  const none = { maxRunningTasks: null, maxStartsPerMinute: null, maxWaitingExecutions: null };
  const shown = await service.call('GET', `/v1/tenants/${acme.id}`, { key: ADMIN_KEY });
  expect(shown.body).toMatchObject({ weight: 1, limits: none });
  expect((await set({ weight: 3, limits: { maxRunningTasks: 20 } })).body).toMatchObject({
    weight: 3,
    limits: { ...none, maxRunningTasks: 20 },
  });
  expect((await set({ limits: { maxStartsPerMinute: 9 } })).body.limits).toEqual({
    ...none,
    ...{ maxRunningTasks: 20, maxStartsPerMinute: 9 },
  });
  const lifted = await set({ weight: 1, limits: { maxRunningTasks: null, maxStartsPerMinute: null } });
  expect(lifted.body).toMatchObject({ weight: 1, limits: none });
  const refused = await set({ weight: 101, limits: { maxRunningTasks: 0 } });
  expect(refused).toMatchObject({ status: 422, body: { code: 'validation' } });
  const audited = await service.query(
    `select old_values as old, new_values as new from dagwright.audit_logs where resource_type = 'tenants' and resource_id = $1
       and action = 'tenants.update' order by id limit 1`,
    [acme.id],
  );
  expect(audited).toMatchObject([
    { old: { weight: 1, max_running_tasks: null }, new: { weight: 3, max_running_tasks: 20 } },
  ]);
  expect(
    (await service.call('PATCH', `/v1/tenants/${acme.id}`, { key: acme.key, body: { weight: 9 } })).status,
  ).toBe(403);
});

test.for([
  ['too_many_starts', { maxStartsPerMinute: 1 }],
  ['too_many_waiting', { maxWaitingExecutions: 1 }],
] as const)(
  'a start beyond them is refused with 429 %s, and says when to come again',
  async ([code, limits]) => {
    await start({ runAt: '2100-01-01T00:00:00Z' });
    await set({ limits });
    const refused = await start({ runAt: '2100-01-01T00:00:00Z' });
    expect(refused).toMatchObject({ status: 429, body: { code } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await set({ limits: { maxStartsPerMinute: null, maxWaitingExecutions: null } });
    expect((await start()).status).toBe(201);
  },
);

test.for([
  ['too_many_starts', { maxStartsPerMinute: 1 }],
  ['too_many_waiting', { maxWaitingExecutions: 1 }],
] as const)(
  'a delivery beyond them is told 429 %s and when to come again, leaves nothing, and counts once it comes',
  async ([code, limits]) => {
    await start({ runAt: '2100-01-01T00:00:00Z' });
    const hook = await makeWebhook(service, { workflowId, verifier: 'hmac' }, acme.key);
    const { body, headers } = fromHmac('{}', { secret: hook.secret, id: 'd1' });
    const deliver = () => service.call('POST', `/hooks/${hook.path}`, { body, headers });
    await set({ limits });
    const refused = await deliver();
    expect(refused).toMatchObject({ status: 429, body: { code } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await traces(service, hook.id)).toEqual({ events: 0, executions: 0 });
    await set({ limits: { maxStartsPerMinute: null, maxWaitingExecutions: null } });
    expect(await deliver()).toMatchObject({ status: 202, body: { status: 'processed' } });
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  },
);

test('why names the limit that an execution may wait for', async () => {
  await set({ limits: { maxRunningTasks: 2 } });
  const { body } = await start();
  const why = await service.call('GET', `/v1/executions/${body.id}/why`, { key: acme.key });
  expect(why.body.items).toMatchObject([
    {
      waitsFor: { kind: 'open', maxRunningTasks: 2 },
      message: expect.stringMatching(/waits for a worker; its tenant may run 2 task\(s\) at once$/),
    },
  ]);
  const metrics = await service.call('GET', '/metrics');
  expect(metrics.body).toMatch(/^dagwright_queue_jobs_held [1-9]/m);
  expect(metrics.body).toMatch(/^dagwright_queue_tenants [1-9]/m);
});
