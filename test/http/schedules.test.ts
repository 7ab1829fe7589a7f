// The routes of schedules.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { createSchedulePass } from '../../src/triggers/schedules/pass.ts';
import { graph } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

const HOUR = 3_600_000;
let service: TestService;
let acme: { id: string; key: string };
let rival: { id: string; key: string };

beforeAll(async () => {
  service = await openService({ withKeys: true });
  acme = await service.tenant('acme');
  rival = await service.tenant('rival');
  for (const tenantId of [DEFAULT_TENANT_ID, acme.id]) {
    await applyDefinition(service.database, tenantId, graph('a', { more: { workflowId: 'plain' } }), 'test');
    await applyDefinition(
      service.database,
      tenantId,
      graph('a', {
        more: {
          workflowId: 'strict',
          inputSchema: { type: 'object', required: ['q'], properties: { q: { type: 'integer' } } },
        },
      }),
      'test',
    );
  }
});
afterAll(() => service.close());

const call = (method: string, path: string, body?: unknown, key = acme.key) =>
  service.call(method, path, { key, body });
let made = 0;
const base = () => ({ workflowId: 'plain', name: `s${made++}`, cronExpression: '0 9 * * 1-5' });
const create = async (more: object = {}) => {
  const { status, body } = await call('POST', '/v1/schedules', { ...base(), ...more });
  expect([status, body]).toEqual([201, expect.anything()]);
  return body;
};
/** As if nobody had looked after it for so many hours; the latest hour was half an hour ago. */
async function overdue(hours: number): Promise<{ id: string; times: string[] }> {
  const latest = Math.floor(Date.now() / 60_000) * 60_000 - HOUR / 2;
  const { id } = await create({
    cronExpression: `${new Date(latest).getUTCMinutes()} * * * *`,
    catchupPolicy: 'none',
  });
  const times = Array.from({ length: hours }, (_, i) =>
    new Date(latest - (hours - 1 - i) * HOUR).toISOString(),
  );
  await service.query('update dagwright.schedules set next_run_at = $2, due_at = $2 where id = $1', [
    id,
    times[0],
  ]);
  return { id, times };
}
const pass = () => createSchedulePass({ database: service.database, log: service.service.log }).run();

describe('making one', () => {
  test('answers 201 with all of it and the next nominal time', async () => {
    const { status, body } = await call('POST', '/v1/schedules', {
      ...base(),
      timezone: 'Europe/Paris',
      input: { q: 1 },
      startAt: '2040-03-01T00:00+01:00',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      workflowId: 'plain',
      timezone: 'Europe/Paris',
      input: { q: 1 },
      priority: 5,
      overlapPolicy: 'skip',
      catchupPolicy: 'last',
      catchupWindowSeconds: 86_400,
      jitterSeconds: 0,
      startAt: '2040-02-29T23:00:00.000Z',
      endAt: null,
      pauseOnFailure: false,
      status: 'active',
      nextRunAt: '2040-03-01T08:00:00.000Z',
      lastRunAt: null,
    });
    expect(await call('GET', `/v1/schedules/${body.id}`)).toMatchObject({ status: 200, body });
  });

  test.each([
    [{ cronExpression: '* * * * ?' }, '/cronExpression', 'cron'],
    [{ cronExpression: '@hourly' }, '/cronExpression', 'cron'],
    [{ cronExpression: '0 0 L * *' }, '/cronExpression', 'cron'],
    [{ cronExpression: '0 0 * * 5#2' }, '/cronExpression', 'cron'],
    [{ cronExpression: '0 0 15W * *' }, '/cronExpression', 'cron'],
    [{ cronExpression: 'H * * * *' }, '/cronExpression', 'cron'],
    [{ cronExpression: '* * * * * *' }, '/cronExpression', 'cron'],
    [{ cronExpression: '0 0 30 2 *' }, '/cronExpression', 'cron'],
    [{ cronExpression: '' }, '/cronExpression', 'cron'],
    [{ timezone: 'local' }, '/timezone', 'timezone'],
    [{ timezone: 'Europe/Pariss' }, '/timezone', 'timezone'],
    [{ workflowId: 'nothing' }, '/workflowId', 'not_found'],
    [{ workflowId: 'strict' }, '/input/q', 'required'],
    [{ workflowId: 'strict', input: { q: 'x' } }, '/input/q', 'type'],
    [{ startAt: 'tomorrow' }, '/startAt', 'format'],
    [{ startAt: '2030-01-01T00:00:00' }, '/startAt', 'format'],
    [{ endAt: '2030-02-30T00:00:00Z' }, '/endAt', 'format'],
    [{ endAt: '0000-01-01T00:00:00Z' }, '/endAt', 'format'],
    [{ startAt: '2030-01-02T00:00:00Z', endAt: '2030-01-01T00:00:00Z' }, '/endAt', 'range'],
    [{ endAt: '2020-01-01T00:00:00Z' }, '/endAt', 'range'],
    [{ overlapPolicy: 'queue' }, '/overlapPolicy', 'invalid_value'],
    [{ jitterSeconds: -1 }, '/jitterSeconds', 'range'],
    [{ priority: 11 }, '/priority', 'range'],
    [{ name: ' ' }, '/name', 'name'],
    [{ cronexpression: '* * * * *' }, '/cronexpression', 'unknown_field'],
  ])('%j is 422 and says where and what', async (wrong, pointer, code) => {
    const { status, body } = await call('POST', '/v1/schedules', { ...base(), ...wrong });
    expect(status).toBe(422);
    expect(body.errors).toContainEqual(expect.objectContaining({ pointer, code }));
  });

  test('all that is wrong is told at once', async () => {
    const { body } = await call('POST', '/v1/schedules', {
      ...base(),
      workflowId: 'nothing',
      cronExpression: '@daily',
      timezone: 'local',
    });
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/cronExpression',
      '/timezone',
      '/workflowId',
    ]);
    expect(
      body.errors.find(({ pointer }: { pointer: string }) => pointer === '/cronExpression').hint,
    ).toContain('0 0 * * *');
  });

  test('a name is unique in its workflow: 409, also on renaming', async () => {
    const first = await create();
    const again = await call('POST', '/v1/schedules', { ...base(), name: first.name });
    expect([again.status, again.body.code]).toEqual([409, 'name_taken']);
    const second = await create();
    const renamed = await call('PATCH', `/v1/schedules/${second.id}`, { name: first.name });
    expect([renamed.status, renamed.body.code]).toEqual([409, 'name_taken']);
  });

  test('an Idempotency-Key makes it once', async () => {
    const body = base();
    const send = () =>
      service.call('POST', '/v1/schedules', {
        key: acme.key,
        body,
        headers: { 'idempotency-key': 'make-once' },
      });
    const [a, b] = await Promise.all([send(), send()]);
    expect([a.status, b.status, b.body.id]).toEqual([201, 201, a.body.id]);
  });
});

describe('changing one', () => {
  test('PATCH changes what is named, PUT resets the rest; another expression counts from now on', async () => {
    const { id } = await create({ priority: 9, timezone: 'Asia/Tokyo' });
    const patched = await call('PATCH', `/v1/schedules/${id}`, { cronExpression: '0 0 1 1 *' });
    expect(patched.body).toMatchObject({
      priority: 9,
      timezone: 'Asia/Tokyo',
      cronExpression: '0 0 1 1 *',
    });
    expect(patched.body.nextRunAt).toMatch(/-12-31T15:00:00.000Z$/);
    const put = await call('PUT', `/v1/schedules/${id}`, { name: 'put', cronExpression: '0 0 1 1 *' });
    expect(put.body).toMatchObject({ priority: 5, timezone: 'UTC', name: 'put', workflowId: 'plain' });
    expect(put.body.nextRunAt).toMatch(/-01-01T00:00:00.000Z$/);
  });

  test('the workflow stays', async () => {
    const { id, name, cronExpression } = await create();
    const moved = await call('PUT', `/v1/schedules/${id}`, { workflowId: 'strict', name, cronExpression });
    expect(moved.body.errors).toMatchObject([{ pointer: '/workflowId', code: 'immutable' }]);
    expect(moved.status).toBe(422);
  });

  test('what was due under the old expression is told as missed', async () => {
    const { id, times } = await overdue(3);
    await call('PATCH', `/v1/schedules/${id}`, { cronExpression: '0 0 1 1 *' });
    const { body } = await call('GET', `/v1/schedules/${id}/ticks`);
    expect(body.items.map((tick: { scheduledAt: string }) => tick.scheduledAt)).toEqual(times.toReversed());
    expect(body.items[0]).toMatchObject({ status: 'missed', executionId: null });
    expect(body.items[0].reason).toContain('changed');
  });

  test('one that a definition keeps is 409, but can be paused', async () => {
    const { id } = await create();
    await service.query('update dagwright.schedules set from_definition = true where id = $1', [id]);
    const { status, body } = await call('PATCH', `/v1/schedules/${id}`, { priority: 1 });
    expect([status, body.code]).toEqual([409, 'from_definition']);
    expect((await call('POST', `/v1/schedules/${id}/pause`)).body.status).toBe('paused');
  });

  test('pausing leaves no rows for the time in between, resuming goes on from now', async () => {
    const { id } = await create({ cronExpression: '* * * * *' });
    const paused = await call('POST', `/v1/schedules/${id}/pause`);
    expect(paused.body).toMatchObject({ status: 'paused', nextRunAt: null });
    expect(paused.body.pausedReason).toMatch(/^paused by key:/);
    expect((await call('POST', `/v1/schedules/${id}/pause`)).status).toBe(200);
    const resumed = await call('POST', `/v1/schedules/${id}/resume`);
    expect(resumed.body).toMatchObject({ status: 'active', pausedReason: null });
    expect(Date.parse(resumed.body.nextRunAt) - Date.now()).toBeLessThanOrEqual(60_000);
    expect((await call('GET', `/v1/schedules/${id}/ticks`)).body.items).toEqual([]);
  });

  test('deleting answers 204, and then 404', async () => {
    const { id } = await create();
    expect((await call('DELETE', `/v1/schedules/${id}`)).status).toBe(204);
    expect((await call('GET', `/v1/schedules/${id}`)).status).toBe(404);
    expect((await call('DELETE', `/v1/schedules/${id}`)).status).toBe(404);
  });

  test('every change is in the audit trail, what the scheduler moves is not', async () => {
    const { id } = await overdue(2);
    await pass();
    await call('PATCH', `/v1/schedules/${id}`, { priority: 2 });
    const rows = await service.query(
      `select action, actor, new_values from dagwright.audit_logs where resource_id = $1 and resource_type = 'schedules' order by id`,
      [id],
    );
    expect(rows.map(({ action }) => action)).toEqual(['schedules.create', 'schedules.update']);
    expect(rows[1]).toMatchObject({
      actor: expect.stringMatching(/^key:/),
      new_values: { priority: 2 },
    });
  });
});

describe('preview', () => {
  test('gives the next times in the zone, with the offset of each', async () => {
    const { id } = await create({
      cronExpression: '30 2 * * *',
      timezone: 'Europe/Paris',
      startAt: '2040-03-24T00:00:00Z',
      endAt: '2040-03-27T00:00:00Z',
    });
    const { body } = await call('GET', `/v1/schedules/${id}/preview?count=5`);
    expect(body.items).toEqual(
      ['2040-03-24T02:30:00+01:00', '2040-03-25T03:00:00+02:00', '2040-03-26T02:30:00+02:00'].map(
        (localTime) => ({
          scheduledAt: new Date(localTime).toISOString(),
          localTime,
          dueAt: new Date(localTime).toISOString(),
        }),
      ),
    );
  });

  test('count is 1 to 100', async () => {
    const { id } = await create();
    expect((await call('GET', `/v1/schedules/${id}/preview`)).body.items).toHaveLength(10);
    expect((await call('GET', `/v1/schedules/${id}/preview?count=100`)).body.items).toHaveLength(100);
    for (const count of ['0', '101', 'x', '1.5'])
      expect((await call('GET', `/v1/schedules/${id}/preview?count=${count}`)).status).toBe(400);
  });

  test('of an expression that is not saved', async () => {
    const { status, body } = await call('POST', '/v1/schedules/preview', {
      cronExpression: '0 0 1 1 *',
      count: 2,
    });
    expect([status, body.items.length]).toEqual([200, 2]);
    const refused = await call('POST', '/v1/schedules/preview', { cronExpression: '0 0 31 2 *' });
    expect(refused.body.errors).toMatchObject([{ pointer: '/cronExpression', code: 'cron' }]);
  });
});

describe('run now', () => {
  test('starts an execution that is no tick, also of a paused schedule, once per key', async () => {
    const { id, name } = await create({ input: { q: 7 }, priority: 3 });
    await call('POST', `/v1/schedules/${id}/pause`);
    const send = () =>
      service.call('POST', `/v1/schedules/${id}/run`, {
        key: acme.key,
        headers: { 'idempotency-key': 'run-1' },
      });
    const [a, b] = await Promise.all([send(), send()]);
    expect(a).toMatchObject({ status: 201, body: { id: b.body.id, status: 'pending' } });
    const rows = await service.query(
      `select trigger_type, trigger, input, priority, created_by from dagwright.workflow_executions where trigger->>'scheduleId' = $1`,
      [id],
    );
    expect(rows).toEqual([
      {
        trigger_type: 'schedule',
        trigger: { scheduleId: id, scheduleName: name, runNow: true, scheduledAt: expect.any(String) },
        input: { q: 7 },
        priority: 3,
        created_by: expect.stringMatching(/^key:/),
      },
    ]);
    expect((await call('GET', `/v1/schedules/${id}/ticks`)).body.items).toEqual([]);
  });

  test('is 409 where the workflow cannot start', async () => {
    const { id } = await create();
    await service.query(
      `update dagwright.workflow_definitions set status = 'archived' where workflow_id = 'plain' and tenant_id = $1`,
      [acme.id],
    );
    const { status, body } = await call('POST', `/v1/schedules/${id}/run`);
    await service.query(
      `update dagwright.workflow_definitions set status = 'active' where workflow_id = 'plain' and tenant_id = $1`,
      [acme.id],
    );
    expect([status, body.code, body.detail]).toEqual([409, 'cannot_start', 'the workflow is not active']);
  });
});

describe('backfill', () => {
  test('fills only gaps, once, also when two come at the same moment', async () => {
    const { id, times } = await overdue(4);
    await pass();
    await service.query(
      `update dagwright.schedule_ticks set status = 'skipped_overlap' where schedule_id = $1 and scheduled_at = $2`,
      [id, times[1]],
    );
    await service.query('delete from dagwright.schedule_ticks where schedule_id = $1 and scheduled_at = $2', [
      id,
      times[3],
    ]);
    const range = { from: times[0], to: new Date(Date.parse(times[3]!) + 1).toISOString() };
    const answers = await Promise.all(
      [1, 2, 3].map(() => call('POST', `/v1/schedules/${id}/backfill`, range)),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(answers.map(({ body }) => body.started).sort()).toEqual([0, 0, 3]);
    const { body } = await call('GET', `/v1/schedules/${id}/ticks`);
    expect(body.items.map(({ status }: { status: string }) => status)).toEqual([
      'backfilled',
      'backfilled',
      'skipped_overlap',
      'backfilled',
    ]);
    const executions = await service.query<{ at: string }>(
      `select trigger->>'scheduledAt' as at from dagwright.workflow_executions where trigger->>'scheduleId' = $1 order by 1`,
      [id],
    );
    expect(executions.map(({ at }) => at)).toEqual([times[0], times[2], times[3]]);
  });

  test('an overdue time that is backfilled is not fired again', async () => {
    const { id, times } = await overdue(1);
    await call('POST', `/v1/schedules/${id}/backfill`, { from: times[0], to: new Date().toISOString() });
    await pass();
    expect((await call('GET', `/v1/schedules/${id}/ticks`)).body.items).toMatchObject([
      { status: 'backfilled' },
    ]);
    expect(
      await service.query(`select from dagwright.workflow_executions where trigger->>'scheduleId' = $1`, [
        id,
      ]),
    ).toHaveLength(1);
  });

  test('is bounded, and refuses the future and what is no range', async () => {
    const { id } = await create({ cronExpression: '* * * * *' });
    const backfill = async (from: string, to: string) =>
      (await call('POST', `/v1/schedules/${id}/backfill`, { from, to })).body;
    const tooMany = await backfill('2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z');
    expect(tooMany.errors).toMatchObject([{ pointer: '/to', code: 'too_many' }]);
    expect(tooMany.errors[0].hint).toContain('2020-01-01T16:40:00.000Z');
    expect((await backfill('2020-01-01T00:00:00Z', '2020-01-01T16:40:00Z')).started).toBe(1_000);
    expect((await backfill('2020-01-01T00:00:00Z', '2199-01-01T00:00:00Z')).errors).toContainEqual(
      expect.objectContaining({ pointer: '/to', code: 'range' }),
    );
    expect((await backfill('2020-01-02T00:00:00Z', '2020-01-01T00:00:00Z')).errors).toMatchObject([
      { pointer: '/to', code: 'range' },
    ]);
    expect((await backfill('x', '2020-01-01T00:00:00Z')).errors).toMatchObject([
      { pointer: '/from', code: 'format' },
    ]);
  });

  test('starts nothing where the workflow cannot start', async () => {
    const { id, times } = await overdue(2);
    await service.query(
      `update dagwright.workflow_definitions set status = 'archived' where workflow_id = 'plain' and tenant_id = $1`,
      [acme.id],
    );
    const { status, body } = await call('POST', `/v1/schedules/${id}/backfill`, {
      from: times[0],
      to: new Date().toISOString(),
    });
    await service.query(
      `update dagwright.workflow_definitions set status = 'active' where workflow_id = 'plain' and tenant_id = $1`,
      [acme.id],
    );
    expect([status, body.code]).toEqual([409, 'cannot_start']);
    expect((await call('GET', `/v1/schedules/${id}/ticks`)).body.items).toEqual([]);
  });
});

describe('reading', () => {
  test('lists are filtered, newest first, and paged', async () => {
    const first = await create();
    const second = await create();
    await call('POST', `/v1/schedules/${first.id}/pause`);
    const page = await call('GET', '/v1/schedules?limit=1');
    expect(page.body.items[0].id).toBe(second.id);
    const next = await call('GET', `/v1/schedules?limit=1&cursor=${page.body.nextCursor}`);
    expect(next.body.items[0].id).toBe(first.id);
    const paused = await call('GET', '/v1/schedules?status=paused&workflowId=plain&limit=200');
    expect(paused.body.items.map(({ id }: { id: string }) => id)).toContain(first.id);
    expect(paused.body.items.map(({ id }: { id: string }) => id)).not.toContain(second.id);
    expect((await call('GET', '/v1/schedules?status=asleep')).status).toBe(400);
  });

  test('ticks are filtered by status and time, the latest first, and paged', async () => {
    const { id, times } = await overdue(5);
    await pass();
    const path = `/v1/schedules/${id}/ticks`;
    const page = await call('GET', `${path}?limit=2`);
    expect(page.body.items.map((tick: { scheduledAt: string }) => tick.scheduledAt)).toEqual([
      times[4],
      times[3],
    ]);
    const next = await call('GET', `${path}?limit=2&cursor=${page.body.nextCursor}`);
    expect(next.body.items.map((tick: { scheduledAt: string }) => tick.scheduledAt)).toEqual([
      times[2],
      times[1],
    ]);
    const some = await call('GET', `${path}?from=${times[1]}&to=${times[3]}&status=missed`);
    expect(some.body.items).toHaveLength(2);
    expect((await call('GET', `${path}?status=fired`)).body.items).toEqual([]);
    expect((await call('GET', `${path}?from=yesterday`)).status).toBe(400);
    const forged = Buffer.from(JSON.stringify([`ticks:${id}`, acme.id, 'x'])).toString('base64url');
    expect((await call('GET', `${path}?cursor=${forged}`)).status).toBe(400);
  });

  test("another tenant's schedule is 404 on every route, and cannot be changed", async () => {
    const { id } = await create();
    const routes: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { priority: 1 }],
      ['PUT', '', { name: 'x', cronExpression: '* * * * *' }],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/run'],
      ['POST', '/backfill', { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' }],
      ['GET', '/preview'],
      ['GET', '/ticks'],
    ];
    for (const [method, path, body] of routes)
      expect([
        method,
        path,
        (await call(method, `/v1/schedules/${id}${path}`, body, rival.key)).status,
      ]).toEqual([method, path, 404]);
    expect((await call('GET', '/v1/schedules', undefined, rival.key)).body.items).toEqual([]);
    expect((await call('GET', `/v1/schedules/${id}`)).body.status).toBe('active');
  });

  test('scopes: reading takes schedules:read, changing schedules:write', async () => {
    const { id: tenantId, key } = await service.tenant('reader', { roles: ['viewer'] });
    expect(tenantId).not.toBe(acme.id);
    expect((await call('GET', '/v1/schedules', undefined, key)).status).toBe(200);
    expect((await call('POST', '/v1/schedules', base(), key)).status).toBe(403);
  });
});
