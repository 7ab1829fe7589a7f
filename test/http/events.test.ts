// Events over HTTP, up to the executions that they start.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventPass } from '../../src/triggers/events.ts';
import { type CallOptions, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };
let other: { id: string; key: string };
beforeAll(async () => {
  service = await openService({ withKeys: true });
  [acme, other] = [await service.tenant('acme'), await service.tenant('other')];
});
afterAll(() => service.close());

const call = (method: string, path: string, more: CallOptions = {}) =>
  service.call(method, path, { key: acme.key, ...more });
const emit = (body: unknown, more: CallOptions = {}) => call('POST', '/v1/events', { body, ...more });
const pass = () =>
  createEventPass({
    database: service.database,
    starts: service.service.starts,
    log: service.service.log,
  }).run();

test('an event is answered with 201, starts what looks at it, and tells so', async () => {
  const saved = await call('PUT', '/v1/workflows/on-order', {
    body: {
      nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: '{{ trigger.body.total }}' } }],
      triggers: [{ type: 'event', event: 'order.created', when: 'payload.total > 10' }],
    },
  });
  expect(saved.status).toBe(201);
  const { status, body } = await emit({ type: 'order.created', payload: { total: 20 } });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.any(String),
    type: 'order.created',
    payload: { total: 20 },
    createdBy: expect.stringMatching(/^key:/),
    createdAt: expect.any(String),
    processedAt: null,
    executionsStarted: null,
    errors: [],
  });
  expect(await pass()).toBe(1);
  expect(await call('GET', `/v1/events/${body.id}`)).toMatchObject({
    status: 200,
    body: { processedAt: expect.any(String), executionsStarted: 1 },
  });
});

test('the same Idempotency-Key is one event, with the first answer', async () => {
  const send = (n: number) =>
    emit({ type: 'keyed', payload: n }, { headers: { 'idempotency-key': 'event-1' } });
  const [first, second] = await Promise.all([send(1), send(1)]);
  expect(second.body).toEqual(first.body);
  expect((await send(2)).status).toBe(409);
  expect(await service.query(`select from dagwright.events where type = 'keyed'`)).toHaveLength(1);
});

test('without a payload it is {}; null is a payload too', async () => {
  expect((await emit({ type: 'bare' })).body.payload).toEqual({});
  expect((await emit({ type: 'bare', payload: null })).body.payload).toBeNull();
});

test.each([
  [{}, '/type'],
  [{ type: 'two words' }, '/type'],
  [{ type: 'x', when: 1 }, '/when'],
  ['{"type":"x","payload":"\\u0000"}', '/payload'],
])('the body %j is 422 at %s', async (body, pointer) => {
  const answer = await emit(body);
  expect(answer.status).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('they are listed newest first, by type, page by page', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift((await emit({ type: 'listed', payload: n })).body.id);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await call('GET', '/v1/events', {
      query: { type: 'listed', limit: 2, ...(cursor && { cursor }) },
    });
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    cursor = body.nextCursor ?? undefined;
  } while (cursor !== undefined);
  // Ids of one millisecond have no order of their own.
  expect([...seen].sort()).toEqual([...ids].sort());
  expect(seen).toEqual([...seen].sort().reverse());
});

test("another tenant's events are not to be seen", async () => {
  const { body } = await emit({ type: 'ours' });
  expect((await service.call('GET', `/v1/events/${body.id}`, { key: other.key })).status).toBe(404);
  const list = await service.call('GET', '/v1/events', { key: other.key });
  expect(list.body.items).toEqual([]);
  expect((await call('GET', '/v1/events/not-an-id')).status).toBe(404);
});

test('a payload that is small as sent and too large as stored is refused', async () => {
  const { status, body } = await emit({ type: 'long', payload: Array.from({ length: 5_000 }, () => 1e300) });
  expect(status).toBe(422);
  expect(body.errors).toMatchObject([{ pointer: '/payload', code: 'payload_too_large' }]);
});
