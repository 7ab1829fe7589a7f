// What /openapi.json says against what the service answers: every operation is called, and its answers hold to their
// documented statuses, media types, headers and schemas, without a field that the document does not know.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { definition, until } from '../support/engine.ts';
import {
  ADMIN_KEY,
  type CallAnswer,
  type CallOptions,
  openService,
  type TestService,
} from '../support/service.ts';
import { DocumentedAnswers } from './support/documented-answers.ts';
import { operationsOf } from './support/openapi-requests.ts';
import { exploreLists, seedTenant } from './support/two-tenants.ts';

const KEEP = { taskId: 'a', taskType: 'transformation', config: { output: 1 } };
const DAILY = { type: 'schedule', name: 'daily', cronExpression: '0 9 * * *', timezone: 'UTC' };
const FLOW = {
  workflowId: 'flow',
  name: 'Flow',
  nodes: [KEEP],
  triggers: [
    DAILY,
    { type: 'webhook', name: 'hook', path: 'flow' },
    { type: 'event', name: 'event', event: 'flow.wanted' },
  ],
};
const SLOW = {
  workflowId: 'slow',
  nodes: [
    { taskId: 'rest', taskType: 'wait', config: { seconds: 3600 } },
    { ...KEEP, dependsOn: ['rest'] },
  ],
};
const SCHEDULE = {
  workflowId: 'flow',
  name: 'hourly',
  cronExpression: '0 * * * *',
  timezone: 'Europe/Paris',
};

let service: TestService;
let answers: DocumentedAnswers;
let description: Parameters<typeof operationsOf>[0];
let acme: { id: string; key: string };
let outside: Server;
let callbackUrl = '';
/** Operations that gave their first answer to the same key again. */
const repeated = new Set<string>();

/** The service, with its answers looked at. */
let looking: TestService;
const call = (method: string, path: string, options: CallOptions = {}): Promise<CallAnswer> =>
  looking.call(method, path, { key: acme.key, ...options });
const asOperator = (method: string, path: string, options: CallOptions = {}): Promise<CallAnswer> =>
  looking.call(method, path, { key: ADMIN_KEY, ...options });
const good = async (answer: Promise<CallAnswer>) => {
  const { status, body, headers } = await answer;
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  return { body, headers };
};

const ended = (id: string) =>
  until(async () => (await good(call('GET', `/v1/executions/${id}`))).body.completedAt !== null);

/** Makes something, twice under one key: the second is the first's answer. */
async function make(path: string, body?: object, call_ = call) {
  const options = { headers: { 'idempotency-key': newId() }, ...(body && { body }) };
  const first = await good(call_('POST', path, options));
  const second = await good(call_('POST', path, options));
  expect([path, second.headers['idempotency-replayed'], second.body.id]).toEqual([
    path,
    'true',
    first.body.id,
  ]);
  repeated.add(answers.operationOf('POST', path)!);
  return first.body;
}

beforeAll(async () => {
  outside = createServer((request, response) => {
    request.on('data', (bytes) => {
      callbackUrl = JSON.parse(String(bytes)).answerTo;
    });
    request.on('end', () => response.writeHead(202).end('{}'));
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  const allowedHosts = [`127.0.0.1:${(outside.address() as AddressInfo).port}`];
  service = await openService({
    withKeys: true,
    listen: true,
    worker: { outside: { allowedHosts } } as object,
    settings: { rateLimit: 1_000_000 },
  });
  description = (await service.call('GET', '/openapi.json')).body;
  answers = new DocumentedAnswers(description);
  looking = {
    ...service,
    call: async (method, path, options) => {
      const answer = await service.call(method, path, options);
      answers.look(method, path, answer);
      return answer;
    },
  };
  acme = await seedTenant(looking, 'acme');
}, 60_000);
afterAll(async () => {
  await service.close();
  outside.close();
});

const hold = () => expect(answers.problems.splice(0)).toEqual([]);

test('workflows and revisions', async () => {
  const first = await good(call('PUT', '/v1/workflows/flow', { body: FLOW }));
  expect(first.body.triggers.webhooks[0].secret).toEqual(expect.any(String));
  await good(call('PUT', '/v1/workflows/flow', { body: { ...FLOW, name: 'Changed' } }));
  await good(call('PUT', '/v1/workflows/slow', { body: SLOW }));
  await good(call('GET', '/v1/workflows', { query: { limit: 1 } }));
  await good(call('GET', '/v1/workflows/flow'));
  await good(call('GET', '/v1/workflows/flow/revisions'));
  await good(call('GET', '/v1/workflows/flow/revisions/1'));
  await good(call('POST', '/v1/workflows/flow/rollback', { body: { revision: 1 } }));
  await good(call('PUT', '/v1/workflows/left', { body: { ...FLOW, workflowId: 'left', triggers: [DAILY] } }));
  const { items } = (await good(call('GET', '/v1/schedules', { query: { workflowId: 'left' } }))).body;
  await good(call('PUT', '/v1/workflows/left', { body: { ...FLOW, workflowId: 'left', triggers: [] } }));
  const removed = await good(call('GET', `/v1/schedules/${items[0].id}`));
  expect(removed.body.removedAt).toEqual(expect.any(String));
  await good(call('PATCH', '/v1/workflows/flow', { body: { status: 'draft' } }));
  await good(call('PATCH', '/v1/workflows/flow', { body: { status: 'active' } }));
  await good(call('POST', '/v1/workflows/validate', { body: FLOW, query: { explain: true } }));
  await good(call('POST', '/v1/workflows/validate', { body: { workflowId: 'x', nodes: [{}] } }));
  const mismatch = { body: FLOW, headers: { 'if-match': '"99"' } };
  expect((await call('PUT', '/v1/workflows/flow', mismatch)).status).toBe(412);
  hold();
});

test('executions', async () => {
  const path = '/v1/workflows/flow/executions';
  const { id } = await make(path, { input: { x: 1 }, metadata: { order: 'A-17' } });
  await ended(id);
  expect((await call('POST', path, { body: {}, query: { wait: 30 } })).body.tasks).toHaveLength(1);
  const { body: open } = await good(
    call('POST', '/v1/workflows/slow/executions', { body: {}, query: { wait: 1 } }),
  );
  for (const part of ['', '/parts/input', '/tasks', '/logs', '/why'])
    for (const one of [id, open.id]) await good(call('GET', `/v1/executions/${one}${part}`));
  await good(call('GET', '/v1/executions', { query: { limit: 1, status: 'completed' } }));
  await good(call('GET', '/v1/stats'));
  for (const verb of ['pause', 'resume', 'cancel'])
    await good(call('POST', `/v1/executions/${open.id}/${verb}`));
  await good(call('GET', `/v1/executions/${open.id}`));
  expect((await call('POST', `/v1/executions/${id}/pause`)).status).toBe(409);
  await follow(id, {});
  await follow(id, { 'last-event-id': 'end' });
  expect((await follow(id, { 'last-event-id': 'abc' })).errors[0].pointer).toBe('/headers/last-event-id');
  hold();
});

// Over a socket, which a stream has and an injected request has not.
async function follow(id: string, headers: Record<string, string>) {
  const path = `/v1/executions/${id}/events`;
  const response = await fetch(service.url + path, {
    headers: { authorization: `Bearer ${acme.key}`, ...headers },
  });
  const text = await response.text();
  const body = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  answers.look('GET', path, { status: response.status, headers: Object.fromEntries(response.headers), body });
  return body;
}

test('failed executions', async () => {
  const config = { code: 'boom', message: 'no' };
  const nodes = [
    { taskId: 'no', taskType: 'fail', config },
    { ...KEEP, taskId: 'rescue', dependsOn: [{ taskId: 'no', on: 'failure', errors: ['other'] }] },
  ];
  await good(call('PUT', '/v1/workflows/failing', { body: { workflowId: 'failing', nodes } }));
  const { body } = await good(
    call('POST', '/v1/workflows/failing/executions', { body: {}, query: { wait: 30 } }),
  );
  expect(body).toMatchObject({ status: 'failed', error: { code: 'boom' } });
  await good(call('GET', `/v1/executions/${body.id}/tasks`));
  hold();
});

test('signals', async () => {
  const wait = { taskId: 'paid', taskType: 'wait', config: { signal: 'paid', timeoutSeconds: 60 } };
  await good(call('PUT', '/v1/workflows/paying', { body: { workflowId: 'paying', nodes: [wait] } }));
  const { id } = await make('/v1/workflows/paying/executions', {});
  const why = async () => (await good(call('GET', `/v1/executions/${id}/why`))).body.items[0];
  await until(async () => (await why())?.waitsFor.kind === 'signal');
  const send = (name: string, body: object) => call('POST', `/v1/executions/${id}/signals/${name}`, { body });
  expect((await send('paid', { payload: 1, more: 1 })).status).toBe(422);
  expect((await good(send('later', { dedupeKey: 'k', broadcast: true }))).body.status).toBe('stored');
  expect((await good(send('later', { dedupeKey: 'k' }))).body.status).toBe('duplicate');
  expect((await good(send('paid', { payload: { amount: 3 } }))).body.status).toBe('delivered');
  await ended(id);
  expect((await send('paid', {})).status).toBe(409);
  hold();
});

test('callbacks', async () => {
  const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/jobs`;
  const { body } = await good(
    call('PUT', '/v1/workflows/asking', {
      body: definition(
        [
          {
            taskId: 'ask',
            taskType: 'external_api',
            config: {
              ...{ method: 'POST', url, body: { answerTo: '{{ task.callbackUrl }}' } },
              callback: { timeoutSeconds: 60 },
            },
          } as never,
        ],
        { workflowId: 'asking' },
      ),
    }),
  );
  expect(body.outcome).toBe('created');
  const { id } = await make('/v1/workflows/asking/executions', {});
  const path = new URL(await until(async () => callbackUrl)).pathname;
  const why = async () => (await good(call('GET', `/v1/executions/${id}/why`))).body.items[0];
  await until(async () => (await why())?.waitsFor.kind === 'callback');
  expect((await looking.call('POST', path, { body: {} })).status).toBe(422);
  await good(looking.call('POST', path, { body: { heartbeat: true } }));
  await good(looking.call('POST', path, { body: { output: 1 } }));
  await ended(id);
  expect((await looking.call('POST', '/v1/callbacks/nobody', { body: { output: 1 } })).status).toBe(404);
  hold();
});

test('reviews, and links to them', async () => {
  const nodes = [{ taskId: 'r', taskType: 'human_review', config: { selfApproval: true, dueInSeconds: 60 } }];
  await good(
    call('PUT', '/v1/workflows/asked', { body: definition(nodes as never, { workflowId: 'asked' }) }),
  );
  const { id: executionId } = await make('/v1/workflows/asked/executions', {});
  const found = async () =>
    (await good(call('GET', '/v1/reviews', { query: { executionId } }))).body.items[0];
  const { id } = await until(found);
  const place = `/v1/reviews/${id}`;
  await good(call('GET', `/v1/executions/${executionId}/why`));
  await good(call('POST', `${place}/comments`, { body: { comment: 'x' } }));
  const assignees = [{ type: 'user', id: 'bob' }];
  await good(call('POST', `${place}/assign`, { body: { assignees } }));
  expect((await call('POST', `${place}/decision`, { body: { decision: 'approved' } })).status).toBe(403);
  await make(`${place}/links`, { assignee: assignees[0] });
  await good(call('DELETE', `${place}/links`));
  await good(call('PATCH', place, { body: { priority: 7, dueAt: null } }));
  const asBob = { headers: { 'x-actor': 'user:bob' } };
  for (const verb of ['claim', 'release'])
    await good(asOperator('POST', `${place}/${verb}`, { ...asBob, tenantId: acme.id }));
  const body = { decision: 'approved', comment: 'fine' };
  await good(asOperator('POST', `${place}/decision`, { ...asBob, tenantId: acme.id, body }));
  expect((await call('POST', `${place}/decision`, { body })).status).toBe(409);
  await good(call('GET', place));
  await ended(executionId);
  hold();
});

test('webhooks, deliveries and their events', async () => {
  const made = await make('/v1/webhooks', { workflowId: 'flow', path: 'made' });
  const deliver = (secret: string) =>
    looking.call('POST', `/hooks/${made.path}`, { body: { x: 1 }, headers: { 'x-webhook-secret': secret } });
  const { body: receipt } = await good(deliver(made.secret));
  expect((await deliver('wrong')).status).toBe(401);
  const place = `/v1/webhooks/${made.id}`;
  await make(`${place}/events/${receipt.eventId}/replay`);
  for (const path of ['/v1/webhooks', place, `${place}/events`, `${place}/events/${receipt.eventId}`])
    await good(call('GET', path));
  const secret = `another-secret-of-${newId()}`;
  await good(call('PATCH', place, { body: { secret, verifier: 'github', authType: 'none' } }));
  const body = { workflowId: 'flow', path: 'made', filters: [{ fieldPath: 'body.x', operator: 'exists' }] };
  await good(call('PUT', place, { body }));
  await good(call('DELETE', place));
  hold();
});

test('schedules and their ticks', async () => {
  const { id } = await make('/v1/schedules', SCHEDULE);
  const place = `/v1/schedules/${id}`;
  await make(`${place}/run`);
  const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T03:00:00Z' };
  await make(`${place}/backfill`, range);
  for (const path of ['/v1/schedules', place, `${place}/preview`, `${place}/ticks`])
    await good(call('GET', path));
  await good(call('POST', '/v1/schedules/preview', { body: { cronExpression: '0 9 * * *' } }));
  for (const verb of ['pause', 'resume']) await good(call('POST', `${place}/${verb}`));
  await good(call('PUT', place, { body: { ...SCHEDULE, jitterSeconds: 5 } }));
  await good(call('PATCH', place, { body: { input: { x: 1 }, endAt: '2100-01-01T00:00:00Z' } }));
  expect((await call('POST', '/v1/schedules', { body: SCHEDULE })).status).toBe(409);
  await good(call('DELETE', place));
  hold();
});

test('variables, events, keys and the audit trail', async () => {
  await make('/v1/variables', { name: 'made', value: { x: [1] } });
  for (const path of ['/v1/variables', '/v1/variables/made']) await good(call('GET', path));
  for (const name of ['made', 'new'])
    await good(call('PUT', `/v1/variables/${name}`, { body: { value: 1 } }));
  await good(call('DELETE', '/v1/variables/made'));
  const event = await make('/v1/events', { type: 'flow.wanted', payload: { x: 1 } });
  for (const path of ['/v1/events', `/v1/events/${event.id}`]) await good(call('GET', path));
  const key = await make('/v1/api-keys', { name: 'made', scopes: ['executions:read'], roles: ['viewer'] });
  for (const path of ['/v1/api-keys', `/v1/api-keys/${key.id}`]) await good(call('GET', path));
  await good(call('DELETE', `/v1/api-keys/${key.id}`));
  await good(call('GET', '/v1/audit', { query: { limit: 200 } }));
  await good(call('GET', '/v1/pricing', { query: { limit: 200 } }));
  hold();
});

test('what the operator keeps', async () => {
  const { id } = await make('/v1/tenants', { name: 'made', settings: { x: 1 } }, asOperator);
  for (const path of ['/v1/tenants', `/v1/tenants/${id}`]) await good(asOperator('GET', path));
  await good(asOperator('PATCH', `/v1/tenants/${id}`, { body: { tier: 3 } }));
  const limit = { maxConcurrency: 8, rateLimit: 60, rateIntervalSeconds: 0.5 };
  await good(asOperator('PUT', '/v1/service-limits/billing', { body: limit }));
  await good(call('GET', '/v1/service-limits'));
  await good(asOperator('POST', '/v1/service-limits/billing/reset'));
  await good(asOperator('DELETE', '/v1/service-limits/billing'));
  const price = { provider: 'acme', model: 'x/y', inputUsdPerMillion: '1', outputUsdPerMillion: '2' };
  await make('/v1/pricing', price, asOperator);
  await good(call('GET', '/v1/pricing', { query: { provider: 'acme' } }));
  await good(asOperator('DELETE', '/v1/pricing/acme/x/y'));
  const installation = { tenantId: acme.id, query: { installation: true, limit: 200 } };
  await good(asOperator('GET', '/v1/audit', installation));
  hold();
});

test('what operators and tools read', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json'])
    await good(looking.call('GET', path));
  hold();
});

test('whatever the lists of a tenant hold, page by page', async () => {
  const { cursors, places } = await exploreLists(looking, acme.key, operationsOf(description));
  for (const [path, cursor] of cursors)
    if (!path.includes('{')) await good(call('GET', path, { query: { cursor } }));
  // The service knows nothing of the types of tasks that the seed's own workflow has.
  const urls = [...places.values()].flatMap((some) => some.slice(0, 20));
  for (const url of urls.filter((one) => !one.includes('/spoken'))) await call('GET', url);
  hold();
});

test('refusals', async () => {
  const wrong = (options: CallOptions) => call('POST', '/v1/variables', options);
  const statuses = [
    await wrong({ body: '{' }),
    await wrong({ body: { name: 1 } }),
    await wrong({ body: 'x', headers: { 'content-type': 'text/plain' } }),
    await wrong({ body: `"${'x'.repeat(1_000_001)}"` }),
    await looking.call('GET', '/v1/variables'),
    await call('GET', '/v1/tenants'),
    await call('GET', '/v1/variables/nobody'),
    await call('GET', '/v1/variables', { query: { limit: 0 } }),
    await call('GET', `/v1/variables/${'x'.repeat(600)}`),
    await asOperator('GET', '/v1/variables', { tenantId: newId() }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([400, 422, 415, 413, 401, 403, 404, 400, 414, 404]);
  hold();
});

test('no operation was left out, nor one that says it takes an Idempotency-Key', () => {
  const succeeded = new Set([...answers.seen.keys()].filter((one) => / 2\d\d$/.test(one)).map(nameOf));
  const names = operationsOf(description).map(({ method, path }) => `${method} ${path}`);
  expect(names.filter((name) => !succeeded.has(name))).toEqual([]);
  const once = Object.entries(description.paths).flatMap(([path, methods]) =>
    JSON.stringify(methods.post ?? '').includes('parameters/Idempotency-Key') ? [`POST ${path}`] : [],
  );
  expect(once.filter((name) => !repeated.has(name))).toEqual([]);
  const looked = [...answers.seen.values()].reduce((sum, n) => sum + n, 0);
  expect(looked).toBeGreaterThan(200);
});

const nameOf = (place: string) => place.replace(/ \d+$/, '');
