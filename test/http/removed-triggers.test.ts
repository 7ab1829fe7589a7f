// Triggers that leave their definition and come back: nothing that was done is done again, and nothing that was set is lost.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createSchedulePass } from '../../src/triggers/schedules/pass.ts';
import { receiveDelivery } from '../../src/triggers/webhooks/receive.ts';
import { openService, type TestService } from '../support/service.ts';
import { traces } from './support/hooks.ts';
import { fromHmac } from './support/senders.ts';

const SECRET = 'a-secret-of-the-file-42';
let service: TestService;
let id = '';
let made = 0;
beforeAll(async () => {
  service = await openService();
});
beforeEach(() => {
  id = `w${made++}`;
});
afterAll(() => service.close());

const call = (method: string, path: string, body?: unknown) =>
  service.call(method, path, body === undefined ? {} : { body });
const nodes = [{ taskId: 'a', taskType: 'transformation', config: { output: '{{ input }}' } }];
const hook = (more: object = {}) => ({
  type: 'webhook',
  path: id,
  verifier: 'hmac',
  secret: SECRET,
  ...more,
});
const hourly = (more: object = {}) => ({
  type: 'schedule',
  name: 'hourly',
  cronExpression: '0 * * * *',
  ...more,
});
/** A definition with these triggers, saved; the answer's body. */
async function save(triggers: readonly object[], workflowId = id) {
  const { status, body } = await call('PUT', `/v1/workflows/${workflowId}`, { nodes, triggers });
  expect([200, 201], JSON.stringify(body)).toContain(status);
  return body;
}
async function rollback(revision: number) {
  const { status, body } = await call('POST', `/v1/workflows/${id}/rollback`, { revision });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}
const deliver = (deliveryId: string, { path = id, secret = SECRET } = {}) => {
  const { body, headers } = fromHmac('{"a":1}', { secret, id: deliveryId });
  return service.call('POST', `/hooks/default/${path}`, { body, headers });
};
const listed = async (what: 'webhooks' | 'schedules', workflowId = id) =>
  (await call('GET', `/v1/${what}?workflowId=${workflowId}`)).body.items;
const sealed = async (webhookId: string) =>
  await service.query('select secrets from dagwright.webhooks where id = $1', [webhookId]);
const pass = () => createSchedulePass({ database: service.database, log: service.service.log }).run();
const makeDue = (scheduleId: string, at: string) =>
  service.query('update dagwright.schedules set next_run_at = $2, due_at = $2 where id = $1', [
    scheduleId,
    at,
  ]);
const ticks = async (scheduleId: string) =>
  (await call('GET', `/v1/schedules/${scheduleId}/ticks`)).body.items;

describe('a webhook', () => {
  test('is the same after a rollback there and back: id, secret, and what was delivered', async () => {
    const webhookId = (await save([hook()])).triggers.webhooks[0].id;
    const secrets = await sealed(webhookId);
    const first = await deliver('d1');
    expect(first.status).toBe(202);
    expect((await save([])).triggers.removed.webhooks).toEqual([{ id: webhookId, path: `default/${id}` }]);
    expect((await deliver('d1')).status).toBe(401);
    expect((await deliver('d2')).status).toBe(401);
    const back = await rollback(1);
    expect(back.triggers.webhooks).toEqual([expect.objectContaining({ id: webhookId })]);
    expect(back.triggers.webhooks[0].secret).toBeUndefined();
    expect(await sealed(webhookId)).toEqual(secrets);
    expect((await deliver('d1')).body).toEqual(first.body);
    expect(await traces(service, webhookId)).toEqual({ events: 1, executions: 1 });
    await rollback(2);
    expect(await listed('webhooks')).toEqual([]);
    await rollback(1);
    expect((await deliver('d1')).body).toEqual(first.body);
    expect((await deliver('d3')).status).toBe(202);
    expect(await traces(service, webhookId)).toEqual({ events: 2, executions: 2 });
  });

  test('that is paused stays paused', async () => {
    const webhookId = (await save([hook()])).triggers.webhooks[0].id;
    await call('PATCH', `/v1/webhooks/${webhookId}`, { status: 'paused' });
    await save([]);
    await save([hook()]);
    expect(await listed('webhooks')).toMatchObject([{ id: webhookId, status: 'paused', removedAt: null }]);
    expect((await deliver('d1')).status).toBe(401);
  });

  test('comes back as the file says now, the current secret being no rotation', async () => {
    const webhookId = (await save([hook({ priority: 3 })])).triggers.webhooks[0].id;
    const secrets = await sealed(webhookId);
    await save([]);
    await save([hook({ priority: 7 })]);
    expect(await listed('webhooks')).toMatchObject([{ id: webhookId, priority: 7 }]);
    expect(await sealed(webhookId)).toEqual(secrets);
  });

  test('goes to another definition that takes its path after it was left', async () => {
    const other = `${id}-other`;
    const webhookId = (await save([hook()])).triggers.webhooks[0].id;
    const first = await deliver('d1');
    await save([]);
    expect((await save([hook({ secret: undefined })], other)).triggers.webhooks[0].id).toBe(webhookId);
    expect(await listed('webhooks', other)).toMatchObject([{ id: webhookId, workflowId: other }]);
    expect((await deliver('d1')).body).toEqual(first.body);
    const { executionId } = (await deliver('d2')).body;
    expect((await call('GET', `/v1/executions/${executionId}`)).body.workflowId).toBe(other);
    const refused = await call('POST', `/v1/workflows/${id}/rollback`, { revision: 1 });
    expect([refused.status, refused.body.code]).toEqual([409, 'trigger_taken']);
  });

  test('that was open gets a secret where its definition asks for one now', async () => {
    await save([{ type: 'webhook', path: id, authType: 'none' }]);
    await save([]);
    const back = await save([{ type: 'webhook', path: id, verifier: 'hmac' }]);
    const { secret } = back.triggers.webhooks[0];
    expect((await deliver('d1', { secret })).status).toBe(202);
  });

  test('that was removed while a delivery was judged takes nothing', async () => {
    const webhookId = (await save([hook()])).triggers.webhooks[0].id;
    const database: Database = {
      ...service.database,
      asEngine: async (acting, work) => {
        await save([]);
        return await service.database.asEngine(acting, work);
      },
    };
    const { body, headers } = fromHmac('{}', { secret: SECRET, id: 'd1' });
    const target = `/hooks/default/${id}`;
    const delivery = { method: 'POST', headers, query: {}, rawBody: Buffer.from(body), target };
    const receipt = await receiveDelivery({ ...service.service, database }, `default/${id}`, delivery);
    expect(receipt).toEqual({ kind: 'unauthorized' });
    expect(await traces(service, webhookId)).toEqual({ events: 0, executions: 0 });
  });

  test('that is removed is shown and its events replayed, but not changed; DELETE is for good', async () => {
    const webhookId = (await save([hook()])).triggers.webhooks[0].id;
    const { eventId } = (await deliver('d1')).body;
    await save([]);
    const url = `/v1/webhooks/${webhookId}`;
    expect((await call('GET', url)).body).toMatchObject({ removedAt: expect.any(String) });
    expect((await call('GET', `${url}/events`)).body.items).toHaveLength(1);
    const refused = await call('PATCH', url, { status: 'paused' });
    expect([refused.status, refused.body.code]).toEqual([404, 'removed']);
    expect(refused.body.detail).toContain(`removed from the definition of "${id}"`);
    const replayed = await call('POST', `${url}/events/${eventId}/replay`);
    expect([replayed.status, replayed.body.status]).toEqual([202, 'processed']);
    expect((await call('DELETE', url)).status).toBe(204);
    expect((await call('GET', url)).status).toBe(404);
    expect((await save([hook()])).triggers.webhooks[0].id).not.toBe(webhookId);
  });

  test('that is removed gives way to one made at its path, or moved there, by hand', async () => {
    for (const byHand of [
      () => call('POST', '/v1/webhooks', { workflowId: id, path: id, authType: 'none' }),
      async () => {
        const at = { workflowId: id, path: `${id}-x`, authType: 'none' };
        const { body } = await call('POST', '/v1/webhooks', at);
        return await call('PATCH', `/v1/webhooks/${body.id}`, { path: id });
      },
    ]) {
      const webhookId = (await save([hook()])).triggers.webhooks[0].id;
      const refused = await byHand();
      expect([refused.status, refused.body.code]).toEqual([409, 'path_taken']);
      await service.query('delete from dagwright.webhooks where path = $1', [`${id}-x`]);
      await save([]);
      const given = (await byHand()).body;
      expect(await listed('webhooks')).toMatchObject([
        { id: given.id, path: `default/${id}`, removedAt: null },
      ]);
      expect((await call('GET', `/v1/webhooks/${webhookId}`)).status).toBe(404);
      const body = { nodes, triggers: [hook()] };
      expect((await call('PUT', `/v1/workflows/${id}`, body)).body.code).toBe('trigger_taken');
      await call('DELETE', `/v1/webhooks/${given.id}`);
    }
  });

  test('that several definitions want back at once goes to one', async () => {
    await save([hook()]);
    await save([]);
    const body = { nodes, triggers: [hook()] };
    const answers = await Promise.all([1, 2, 3, 4].map((n) => call('PUT', `/v1/workflows/${id}-${n}`, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  test('that a definition wants back while one is made by hand is there once, and no save fails otherwise', async () => {
    for (let round = 0; round < 5; round++) {
      await save([hook()]);
      await save([]);
      const answers = await Promise.all([
        call('PUT', `/v1/workflows/${id}`, { nodes, triggers: [hook()] }),
        call('POST', '/v1/webhooks', { workflowId: id, path: id, authType: 'none' }),
      ]);
      expect(answers.map(({ status }) => status === 409).sort()).toEqual([false, true]);
      const [one, ...others] = await listed('webhooks');
      expect(others).toEqual([]);
      await call('DELETE', `/v1/webhooks/${one.id}`);
    }
  });
});

describe('a schedule', () => {
  const LAST_HOUR = () => new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString();

  test('keeps its ticks, and fires no nominal time twice', async () => {
    const scheduleId = (await save([hourly()])).triggers.schedules[0].id;
    await makeDue(scheduleId, LAST_HOUR());
    await pass();
    const fired = await ticks(scheduleId);
    expect(fired).toMatchObject([{ status: 'fired' }]);
    expect((await save([])).triggers.removed.schedules).toEqual([{ id: scheduleId, name: 'hourly' }]);
    expect(await listed('schedules')).toEqual([]);
    expect(await ticks(scheduleId)).toEqual(fired);
    const back = (await rollback(1)).triggers.schedules[0];
    expect(back.id).toBe(scheduleId);
    expect(Date.parse(back.nextRunAt)).toBeGreaterThan(Date.now());
    // As a scheduler would find it that saw the nominal time again.
    await makeDue(scheduleId, fired[0].scheduledAt);
    await pass();
    expect(await ticks(scheduleId)).toEqual(fired);
    const runs = await service.query(
      `select from dagwright.workflow_executions where trigger->>'scheduleId' = $1`,
      [scheduleId],
    );
    expect(runs).toHaveLength(1);
  });

  test('tells what was due when it was removed as missed, gives up what was buffered, and fires nothing meanwhile', async () => {
    const at = LAST_HOUR();
    const before = new Date(Date.parse(at) - 3_600_000).toISOString();
    const scheduleId = (await save([hourly({ overlapPolicy: 'buffer_one' })])).triggers.schedules[0].id;
    await service.query(
      `insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, decided_at, is_open) values ($1, $2, $3, 'buffered', now(), true)`,
      [DEFAULT_TENANT_ID, scheduleId, before],
    );
    await makeDue(scheduleId, at);
    await save([]);
    await pass();
    const reason = 'the schedule was removed from its definition';
    expect(await ticks(scheduleId)).toMatchObject([
      { scheduledAt: at, status: 'missed', reason },
      { scheduledAt: before, status: 'missed', reason },
    ]);
    expect((await call('GET', `/v1/schedules/${scheduleId}`)).body).toMatchObject({
      status: 'active',
      nextRunAt: null,
      removedAt: expect.any(String),
    });
  });

  test('that an operator paused comes back paused, with its reason', async () => {
    const scheduleId = (await save([hourly()])).triggers.schedules[0].id;
    await call('POST', `/v1/schedules/${scheduleId}/pause`);
    await save([]);
    await save([hourly({ cronExpression: '30 * * * *' })]);
    expect(await listed('schedules')).toMatchObject([
      {
        id: scheduleId,
        status: 'paused',
        pausedReason: expect.stringContaining('paused by'),
        nextRunAt: null,
        cronExpression: '30 * * * *',
        removedAt: null,
      },
    ]);
  });

  test('a decision that was made before the removal does nothing after it', async () => {
    const scheduleId = (await save([hourly()])).triggers.schedules[0].id;
    await makeDue(scheduleId, LAST_HOUR());
    const database: Database = { ...service.database, engine: Object.create(service.database.engine) };
    const query = service.database.engine.query.bind(service.database.engine) as (
      ...given: unknown[]
    ) => unknown;
    let isRemoved = false;
    (database.engine as { query: unknown }).query = async (...given: unknown[]) => {
      const [statement] = given as [{ name?: string }];
      if (statement.name === 'apply_ticks_v1' && !isRemoved) {
        isRemoved = true;
        await save([]);
      }
      return await query(...given);
    };
    await createSchedulePass({ database, log: service.service.log }).run();
    expect(isRemoved).toBe(true);
    expect((await ticks(scheduleId)).map(({ status }: { status: string }) => status)).toEqual(['missed']);
    expect((await call('GET', `/v1/schedules/${scheduleId}`)).body.nextRunAt).toBeNull();
  });

  test('that is removed cannot be acted upon, is deleted for good, and gives its name to one made by hand', async () => {
    const scheduleId = (await save([hourly()])).triggers.schedules[0].id;
    await save([]);
    const url = `/v1/schedules/${scheduleId}`;
    const range = { from: '2020-01-01T00:00:00Z', to: '2020-01-01T02:00:00Z' };
    for (const [method, path, body] of [
      ['PATCH', '', { priority: 2 }],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/run'],
      ['POST', '/backfill', range],
    ] as const) {
      const answer = await call(method, url + path, body);
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'removed']);
    }
    const fields = { workflowId: id, cronExpression: '0 0 * * *' };
    const byHand = await call('POST', '/v1/schedules', { ...fields, name: 'hourly' });
    expect(byHand.status).toBe(201);
    expect((await call('GET', url)).status).toBe(404);
    const taken = await call('PUT', `/v1/workflows/${id}`, { nodes, triggers: [hourly()] });
    expect([taken.status, taken.body.errors[0].code]).toEqual([409, 'name_taken']);

    await save([hourly({ name: 'other' })]);
    await save([]);
    expect((await call('PATCH', `/v1/schedules/${byHand.body.id}`, { name: 'other' })).status).toBe(200);
    const deleted = (await save([hourly()])).triggers.schedules[0].id;
    await save([]);
    expect((await call('DELETE', `/v1/schedules/${deleted}`)).status).toBe(204);
    expect((await save([hourly()])).triggers.schedules[0].id).not.toBe(deleted);
  });
});
