// Starting, reading and acting on executions through the API, with a worker in the same process; and two tenants beside
// each other, of whom neither sees anything of the other.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { failing, gate, graph, until, waiting } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openService({ worker: true });
});
afterAll(async () => {
  await service.engine!.expectSound();
  await service.close();
});

const apply = async (wanted: WorkflowDefinition): Promise<string> => {
  await service.engine!.apply(wanted);
  return wanted.workflowId;
};
const start = (workflowId: string, body: object = {}, query: Record<string, string | number> = {}) =>
  service.call('POST', `/v1/workflows/${workflowId}/executions`, { body, query });
const get = (path: string, query: Record<string, string | number> = {}) =>
  service.call('GET', `/v1/executions${path}`, { query });
const cancelAll = async (workflowId: string) => {
  const { body } = await get('', { workflowId });
  for (const { id } of body.items) await service.call('POST', `/v1/executions/${id}/cancel`, { body: {} });
};
const ended = (id: string) => service.engine!.ended(id);

describe('a start', () => {
  it('answers 201 with the id and where it is', async () => {
    const { status, body, headers } = await start(await apply(graph('a -> b')));
    expect({ status, body }).toEqual({ status: 201, body: { id: expect.any(String), status: 'pending' } });
    expect(headers.location).toBe(`/v1/executions/${body.id}`);
    expect((await ended(body.id)).execution.status).toBe('completed');
  });

  it('that is waited for keeps nothing of its body meanwhile', async () => {
    const workflowId = await apply(graph('a', { tasks: { a: waiting(3_600) } }));
    const bodies: unknown[] = [];
    const note = (told: unknown) => void bodies.push((told as { request: { body: unknown } }).request.body);
    subscribe('tracing:fastify.request.handler:asyncEnd', note);
    const { status } = await start(workflowId, { input: { a: 'large' } }, { wait: 1 });
    unsubscribe('tracing:fastify.request.handler:asyncEnd', note);
    expect([status, bodies]).toEqual([202, [undefined]]);
    await cancelAll(workflowId);
  });

  it('takes input, priority and metadata, and says who asked', async () => {
    const id = (
      await start(await apply(graph('a')), {
        input: { q: 1 },
        priority: 9,
        metadata: { order: 'A-17', n: [1] },
      })
    ).body.id;
    await ended(id);
    expect((await get(`/${id}`)).body).toMatchObject({
      ...{ id, input: { q: 1 }, priority: 9, metadata: { order: 'A-17', n: [1] } },
      ...{ triggerType: 'api', createdBy: 'local', runAt: null, status: 'completed', revision: 1 },
    });
  });

  it('is checked against the inputSchema after the default parameters', async () => {
    const inputSchema = {
      type: 'object',
      properties: { q: { type: 'string' }, depth: { type: 'integer' } },
      required: ['q', 'depth'],
    };
    const workflowId = await apply(graph('a', { more: { inputSchema, defaultParameters: { depth: 1 } } }));
    const { status, body } = await start(workflowId, { input: { q: 7 } });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'validation', errors: [{ pointer: '/input/q' }] });
    expect((await start(workflowId)).body.errors).toMatchObject([{ message: expect.stringContaining('q') }]);
    expect((await start(workflowId, { input: { q: 'x' } })).status).toBe(201);
  });

  it('takes the revision that is the latest at that moment, and checks against that one', async () => {
    const first = graph('a', { more: { inputSchema: { required: ['a'] } } });
    const workflowId = await apply(first);
    expect((await start(workflowId, { input: { b: 1 } })).status).toBe(422);
    await apply({ ...first, inputSchema: { required: ['b'] } });
    const { status, body } = await start(workflowId, { input: { b: 1 } });
    expect(status).toBe(201);
    expect((await get(`/${body.id}`)).body.revision).toBe(2);
    expect((await start(workflowId, { input: { b: 1 }, revision: 1 })).status).toBe(422);
    expect((await start(workflowId, { input: { a: 1 }, revision: 1 })).status).toBe(201);
    expect((await start(workflowId, { revision: 3 })).body).toMatchObject({ code: 'not_found' });
  });

  it.each([
    [{ priority: 11 }, 422, '/priority'],
    [{ priority: '5' }, 422, '/priority'],
    [{ runAt: 'tomorrow' }, 422, '/runAt'],
    [{ runAt: '2030-01-01T00:00:00' }, 422, '/runAt'],
    [{ runAt: '2030-02-30T00:00:00Z' }, 422, '/runAt'],
    [{ revision: 0 }, 422, '/revision'],
    [{ metadata: [1] }, 422, '/metadata'],
    [{ metadata: { big: 'x'.repeat(20_000) } }, 413, '/metadata'],
    [{ budget: { maxCostUsd: '1' } }, 422, '/budget'],
    [{ inputs: {} }, 422, '/inputs'],
  ])('refuses %j', async (body, status, pointer) => {
    const answer = await start(await apply(graph('a')), body);
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('refuses a body that JSON or PostgreSQL cannot take', async () => {
    const workflowId = await apply(graph('a'));
    const path = `/v1/workflows/${workflowId}/executions`;
    const send = async (body: string) =>
      (await service.call('POST', path, { body, headers: { 'content-type': 'application/json' } })).status;
    expect(await send('{"input": {"a": ')).toBe(400);
    expect(await send('{"input": {"a": "\\u0000"}}')).toBe(422);
    expect(await send('{"input": {"a": "\\ud800"}}')).toBe(422);
    expect(await send('{"input": 12345678901234567890}')).toBe(422);
    expect(await send(`{"input": ${'['.repeat(300)}${']'.repeat(300)}}`)).toBe(422);
    expect(await send(JSON.stringify({ input: 'x'.repeat(1_100_000) }))).toBe(413);
  });

  it('of a workflow that is unknown, a draft, or of a higher tier is refused by name', async () => {
    expect((await start('nowhere')).body).toMatchObject({ status: 404, code: 'not_found' });
    const draft = await apply(graph('a'));
    await service.query(`update dagwright.workflow_definitions set status = 'draft' where workflow_id = $1`, [
      draft,
    ]);
    expect((await start(draft)).body).toMatchObject({ status: 409, code: 'not_active' });
    const dear = await apply(graph('a', { more: { minTier: 9 } }));
    await service.query('update dagwright.workflow_versions set min_tier = 9 where workflow_id = $1', [dear]);
    expect((await start(dear)).body).toMatchObject({ status: 403, code: 'tier_too_low' });
  });
});

describe('?wait', () => {
  it('answers 201 with the finished execution and its tasks', async () => {
    const { status, body } = await start(await apply(graph('a -> b')), {}, { wait: 30 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'completed', output: { b: 'b' } });
    expect(body.tasks.map((task: { taskId: string }) => task.taskId)).toEqual(['a', 'b']);
  });

  it('answers 202 where it is not over in time, and the execution goes on', async () => {
    const { opened, open } = gate();
    service.engine!.bodies.held = () => opened;
    const { status, body } = await start(await apply(graph('held')), {}, { wait: 1 });
    expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), status: 'running' } });
    open();
    expect((await ended(body.id)).execution.status).toBe('completed');
  });

  it('shows a failure as 201: the start succeeded', async () => {
    const workflowId = await apply(graph('a', { tasks: { a: failing() } }));
    const { status, body } = await start(workflowId, {}, { wait: 30 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'failed', error: { code: 'boom' } });
  });

  it.each(['61', '-1', '1.5', '30s', 'true'])('refuses %s seconds', async (wait) => {
    expect((await start(await apply(graph('a')), {}, { wait })).status).toBe(400);
  });
});

describe('an idempotency key', () => {
  const keyed = (workflowId: string, key: string, body: object = {}) =>
    service.call('POST', `/v1/workflows/${workflowId}/executions`, {
      body,
      headers: { 'idempotency-key': key },
    });

  it('gives the first answer again, whatever the order of fields, and refuses another body', async () => {
    const workflowId = await apply(graph('a'));
    const first = await keyed(workflowId, 'k1', { input: { a: 1, b: 2 }, priority: 3 });
    await ended(first.body.id);
    const again = await keyed(workflowId, 'k1', { priority: 3, input: { b: 2, a: 1 } });
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body });
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect((await keyed(workflowId, 'k1', { input: { a: 2 } })).body).toMatchObject({
      status: 409,
      code: 'key_reused',
    });
    expect((await keyed(await apply(graph('a')), 'k1')).body.id).not.toBe(first.body.id);
  });

  it('is answered as at first when the workflow has been archived or its schema changed since', async () => {
    const wanted = graph('a');
    const workflowId = await apply(wanted);
    const first = await keyed(workflowId, 'k2', { input: { q: 1 } });
    await apply({ ...wanted, inputSchema: { required: ['other'] } });
    expect((await keyed(workflowId, 'k2', { input: { q: 1 } })).body).toEqual(first.body);
    expect((await keyed(workflowId, 'k2', { input: { q: 2 } })).body.code).toBe('key_reused');
    await service.query(
      `update dagwright.workflow_definitions set status = 'archived' where workflow_id = $1`,
      [workflowId],
    );
    expect((await keyed(workflowId, 'k2', { input: { q: 1 } })).body).toEqual(first.body);
    expect((await keyed(workflowId, 'k3', { input: { other: 2 } })).status).toBe(409);
  });

  it('must be visible ASCII', async () => {
    expect((await keyed(await apply(graph('a')), 'not good')).status).toBe(400);
  });
});

describe('runAt', () => {
  const path = async (workflowId: string) => `/v1/workflows/${workflowId}/executions`;
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

  it('opens the execution at its time, once', async () => {
    const { body } = await start(await apply(graph('a')), { runAt: inMs(1_500) });
    expect((await get(`/${body.id}`)).body).toMatchObject({ status: 'pending', runAt: expect.any(String) });
    expect((await get(`/${body.id}/why`)).body.items).toMatchObject([{ waitsFor: { kind: 'run_at' } }]);
    expect(await service.query('select * from dagwright.v_orphans')).toEqual([]);
    const run = await ended(body.id);
    expect(Date.parse(run.execution.startedAt!) - Date.parse(run.execution.createdAt)).toBeGreaterThan(1_000);
    expect(run.tasks[0]!.attempt).toBe(1);
  });

  it('that is past means at once', async () => {
    const workflowId = await apply(graph('a'));
    const { body } = await service.call('POST', await path(workflowId), {
      body: { runAt: '2020-01-01T00:00:00+02:00' },
      query: { wait: 30 },
    });
    expect(body.status).toBe('completed');
  });

  it('can be cancelled before, and is then never opened', async () => {
    const { body } = await start(await apply(graph('a')), { runAt: inMs(1_000) });
    expect((await service.call('POST', `/v1/executions/${body.id}/cancel`)).body.status).toBe('cancelled');
    const other = await start(await apply(graph('a')), { runAt: inMs(1_200) });
    await ended(other.body.id);
    expect((await get(`/${body.id}`)).body).toMatchObject({ status: 'cancelled', startedAt: null });
  });

  it('can be paused before; resumed after its time it is opened at once', async () => {
    const { body } = await start(await apply(graph('a')), { runAt: inMs(600) });
    await service.call('POST', `/v1/executions/${body.id}/pause`);
    const other = await start(await apply(graph('a')), { runAt: inMs(800) });
    await ended(other.body.id);
    expect((await get(`/${body.id}`)).body).toMatchObject({ status: 'paused', startedAt: null });
    expect(await service.query('select * from dagwright.v_orphans')).toEqual([]);
    expect((await service.call('POST', `/v1/executions/${body.id}/resume`)).body.status).toBe('pending');
    expect((await ended(body.id)).execution.status).toBe('completed');
  });

  it('comes although every worker was away at its time', async () => {
    const late = await openService({ worker: { idle: true } as object });
    try {
      const wanted = graph('a');
      await late.engine!.apply(wanted);
      const { body } = await late.call('POST', `/v1/workflows/${wanted.workflowId}/executions`, {
        body: { runAt: inMs(3_000) },
      });
      await until(
        async () =>
          (await late.query('select from dagwright.workflow_executions where run_at < now()')).length,
      );
      await late.engine!.worker.start();
      expect((await late.engine!.ended(body.id)).execution.status).toBe('completed');
      await late.engine!.expectSound();
    } finally {
      await late.close();
    }
  });
});

describe('reading', () => {
  it('shows an execution, its tasks and its log', async () => {
    const workflowId = await apply(graph('a -> b', { tasks: { b: failing('nope') } }));
    const { body: run } = await start(workflowId, {}, { wait: 30 });
    expect((await get(`/${run.id}`)).body).toMatchObject({ status: 'failed', error: { code: 'nope' } });
    const tasks = (await get(`/${run.id}/tasks`)).body;
    expect(tasks).toEqual({ items: run.tasks, nextCursor: null });
    const lines = await until(async () => {
      const page = (await get(`/${run.id}/logs`, { level: 'warn' })).body;
      return page.items.length > 0 && page;
    });
    expect(lines.items[0]).toMatchObject({ taskId: 'b', level: expect.stringMatching(/warn|error/) });
  });

  it('passes no line of the log that may still come: a page of young ones is empty, with the cursor it was asked for', async () => {
    const wanted = graph('w', { tasks: { w: { taskType: 'wait', config: { seconds: 3000 } } } });
    const { body } = await start(await apply(wanted));
    const write = (message: string, ageMs: number) =>
      service.query(
        `insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message)
         select overlay(dagwright.first_id_v1(at)::text placing right(gen_random_uuid()::text, 12) from 25)::uuid, o.tenant_id, o.id, at, 'warn', $2
         from dagwright.workflow_executions o, lateral (select now() - $3 * interval '1 millisecond') as t(at) where o.id = $1`,
        [body.id, message, ageMs],
      );
    const page = async (cursor?: string) => {
      const query = { limit: 1, level: 'warn', ...(cursor === undefined ? {} : { cursor }) };
      const { items, nextCursor } = (await get(`/${body.id}/logs`, query)).body;
      return [items.map(({ message }: { message: string }) => message), nextCursor];
    };
    await write('old', 60_000);
    await write('young', 200);
    await write('younger', 100);
    const [items, cursor] = await page();
    expect(items).toEqual(['old']);
    expect(await page(cursor)).toEqual([[], cursor]);
    await write('late', 20_000);
    expect((await page(cursor))[0]).toEqual(['late']);
    await service.call('POST', `/v1/executions/${body.id}/cancel`);
    await service.query(
      `update dagwright.workflow_executions set completed_at = now() - interval '6 seconds' where id = $1`,
      [body.id],
    );
    const seen: string[] = [];
    for (let next: string | null | undefined = cursor; next !== null; ) {
      const [messages, after]: [string[], string | null] = (await page(next)) as never;
      seen.push(...messages);
      next = after;
    }
    expect(seen).toEqual(['late', 'young', 'younger']);
  });

  it('pages through tasks in the order of the definition, items after their fan-out', async () => {
    const fan = graph('zip -> after', {
      tasks: {
        zip: {
          taskType: 'parallel',
          config: { items: '{{ range(0, 7) }}', task: { taskType: 'probe', config: {} } },
        },
      },
    });
    const { body: run } = await start(await apply(fan), {}, { wait: 30 });
    expect(run.status).toBe('completed');
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await get(`/${run.id}/tasks`, { limit: 2, ...(cursor === '' ? {} : { cursor }) });
      seen.push(...body.items);
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(run.tasks);
    expect(seen).toHaveLength(9);
  });

  it('lists newest first by status, workflow, way of starting, time and metadata', async () => {
    const one = await apply(graph('a'));
    const two = await apply(graph('a', { tasks: { a: failing() } }));
    const ids: string[] = [];
    for (const [workflowId, n] of [
      [one, 1],
      [two, 2],
      [one, 3],
    ] as const)
      ids.push((await start(workflowId, { metadata: { n, tags: ['x', `y${n}`] } }, { wait: 30 })).body.id);
    const list = async (query: Record<string, string | number>) =>
      (await get('', { limit: 200, ...query })).body.items
        .map(({ id }: { id: string }) => ids.indexOf(id))
        .filter((at: number) => at >= 0);
    expect(await list({})).toEqual([2, 1, 0]);
    expect(await list({ workflowId: one })).toEqual([2, 0]);
    expect(await list({ status: 'failed' })).toEqual([1]);
    expect(await list({ status: 'running' })).toEqual([]);
    expect(await list({ triggerType: 'api' })).toEqual([2, 1, 0]);
    expect(await list({ triggerType: 'sql' })).toEqual([]);
    expect(await list({ metadata: '{"tags":["y3"]}' })).toEqual([2]);
    expect(await list({ metadata: '{}' })).toEqual([2, 1, 0]);
    const second = (await get(`/${ids[1]}`)).body.createdAt as string;
    expect(await list({ from: second })).toEqual([2, 1]);
    expect(await list({ to: second })).toEqual([0]);
    expect((await get('', { limit: 1 })).body.items[0]).not.toHaveProperty('tasks');
  });

  it('pages through executions while more are started: each is seen once', async () => {
    const workflowId = await apply(graph('a'));
    const before = new Set<string>();
    for (let n = 0; n < 11; n++) before.add((await start(workflowId)).body.id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: { id: string }[]; nextCursor: string | null } = (
        await get('', { workflowId, limit: 3, ...(cursor === '' ? {} : { cursor }) })
      ).body;
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      await start(workflowId);
    }
    expect(seen).toHaveLength(before.size);
    expect(new Set(seen)).toEqual(before);
  });

  it.each([
    [{ limit: 0 }],
    [{ limit: 201 }],
    [{ limit: '5x' }],
    [{ cursor: 'nonsense' }],
    [{ status: 'finished' }],
    [{ from: 'yesterday' }],
    [{ metadata: '[1]' }],
    [{ metadata: '{' }],
    [{ metadata: '{"a":"\\u0000"}' }],
    [{ workflow: 'x' }],
  ])('refuses the query %j', async (query) => {
    expect((await get('', query as Record<string, string>)).status).toBe(400);
  });

  it.each(['', '/tasks', '/logs', '/why', '/events'])('answers 404 to an unknown id at %s', async (rest) => {
    expect((await get(`/0199a0b0-0000-7000-8000-000000000000${rest}`)).status).toBe(404);
    expect((await get(`/not-an-id${rest}`)).status).toBe(404);
  });
});

describe('acting', () => {
  const act = (id: string, verb: string, body?: object) =>
    service.call('POST', `/v1/executions/${id}/${verb}`, { ...(body === undefined ? {} : { body }) });

  it('cancels with a reason, again without a change, and is audited', async () => {
    const { body } = await start(await apply(graph('a', { tasks: { a: waiting(3600) } })));
    expect((await act(body.id, 'cancel', { reason: 'no longer needed' })).body).toEqual({
      id: body.id,
      status: 'cancelled',
    });
    expect((await act(body.id, 'cancel')).status).toBe(200);
    expect((await get(`/${body.id}`)).body.error).toMatchObject({
      code: 'cancelled',
      message: 'no longer needed',
    });
    expect(
      await service.query('select actor, action from dagwright.audit_logs where resource_id = $1', [body.id]),
    ).toEqual([{ actor: 'local', action: 'executions.cancel' }]);
  });

  it('pauses and resumes', async () => {
    const { opened, open } = gate();
    service.engine!.bodies.slow = () => opened;
    const { body } = await start(await apply(graph('slow -> then')));
    await until(async () => (await get(`/${body.id}`)).body.status === 'running');
    expect((await act(body.id, 'pause')).body.status).toBe('paused');
    expect((await act(body.id, 'pause')).status).toBe(200);
    open();
    await until(async () => (await get(`/${body.id}/tasks`)).body.items[0].status === 'completed');
    const why = (await get(`/${body.id}/why`)).body;
    expect(why.items.map((item: { waitsFor: { kind: string } }) => item.waitsFor.kind)).toEqual([
      'resume',
      'resume',
    ]);
    expect((await act(body.id, 'resume')).body.status).toBe('running');
    expect((await ended(body.id)).execution.status).toBe('completed');
  });

  it('says how an execution had ended', async () => {
    const { body } = await start(await apply(graph('a')), {}, { wait: 30 });
    for (const verb of ['cancel', 'pause', 'resume'])
      expect((await act(body.id, verb)).body).toMatchObject({
        ...{ status: 409, code: 'already_ended' },
        errors: [{ code: 'completed' }],
      });
    expect((await act('0199a0b0-0000-7000-8000-000000000000', 'cancel')).status).toBe(404);
  });
});

describe('why', () => {
  const why = async (id: string) =>
    (await get(`/${id}/why`)).body.items as {
      taskId: string | null;
      waitsFor: { kind: string };
      message: string;
    }[];
  const kindOf = async (id: string, taskId: string) =>
    (await why(id)).find((item) => item.taskId === taskId)?.waitsFor;

  it('names timers, retries, running tasks, items and parents', async () => {
    const { opened, open } = gate();
    let tries = 0;
    service.engine!.bodies.retried = () => {
      if (tries++ === 0) throw new Error('not yet');
      return 1;
    };
    service.engine!.bodies.busy = () => opened;
    const wanted = graph('timer -> last; retried -> last; busy -> last; fan -> last', {
      tasks: {
        timer: waiting(1),
        retried: { retry: { maxAttempts: 2, initialIntervalSeconds: 2, jitter: 'none' } as never },
        fan: {
          taskType: 'parallel',
          config: { items: [1, 2], task: { taskType: 'wait', config: { seconds: 1 } } },
        },
      },
    });
    const { body } = await start(await apply(wanted));
    await until(async () => (await kindOf(body.id, 'retried'))?.kind === 'retry');
    expect(await kindOf(body.id, 'retried')).toMatchObject({
      attempt: 1,
      lastError: { code: 'handler_error' },
    });
    await until(async () => (await kindOf(body.id, 'timer'))?.kind === 'timer');
    await until(async () => (await kindOf(body.id, 'fan'))?.kind === 'items');
    expect(await kindOf(body.id, 'fan')).toMatchObject({ total: 2, open: 2, completed: 0, failed: 0 });
    expect(await kindOf(body.id, 'busy')).toMatchObject({
      kind: 'worker',
      attempt: 1,
      workerId: service.worker!.id,
    });
    expect(await kindOf(body.id, 'last')).toMatchObject({ kind: 'parents' });
    expect((await why(body.id)).find(({ taskId }) => taskId === 'last')!.message).toMatch(
      /^last waits for .*busy \(running\)/,
    );
    open();
    await ended(body.id);
    expect(await why(body.id)).toEqual([]);
  });
});

describe('two tenants', () => {
  it('see nothing of each other, in no read path and by no error', async () => {
    const [mine, other] = [await service.tenant('mine'), await service.tenant('other')];
    const wanted = graph('a');
    for (const { id } of [mine, other]) await applyDefinition(service.database, id, wanted, 'test');
    const path = `/v1/workflows/${wanted.workflowId}/executions`;
    const make = async (key: string) =>
      (await service.call('POST', path, { key, body: { metadata: { whose: key } }, query: { wait: 30 } }))
        .body.id as string;
    const ownId = await make(mine.key);
    const otherId = await make(other.key);
    const call = (method: string, rest: string, key = mine.key) =>
      service.call(method, `/v1/executions${rest}`, { key });
    expect((await call('GET', '')).body.items.map(({ id }: { id: string }) => id)).toEqual([ownId]);
    for (const rest of ['', '/tasks', '/logs', '/why', '/events'])
      expect((await call('GET', `/${otherId}${rest}`)).status, rest).toBe(404);
    for (const verb of ['cancel', 'pause', 'resume'])
      expect((await call('POST', `/${otherId}/${verb}`)).status).toBe(404);
    for (let n = 0; n < 2; n++) await make(other.key);
    const cursor = (await service.call('GET', '/v1/executions', { key: other.key, query: { limit: 1 } })).body
      .nextCursor;
    expect((await service.call('GET', '/v1/executions', { key: mine.key, query: { cursor } })).status).toBe(
      400,
    );
    expect((await service.call('GET', '/v1/stats', { key: mine.key })).body).toMatchObject({
      last24h: { completed: 1 },
      workflows: [{ workflowId: wanted.workflowId, executions: 1 }],
    });
    // The same key of idempotency in two tenants is two keys.
    const keyed = async (key: string) =>
      (await service.call('POST', path, { key, body: {}, headers: { 'idempotency-key': 'same' } })).body.id;
    expect(await keyed(mine.key)).not.toBe(await keyed(other.key));
  });

  it('need the scope', async () => {
    const reader = await service.tenant('reader', { roles: [], scopes: ['executions:read'] });
    const writer = await service.tenant('writer', { roles: [], scopes: ['workflows:write'] });
    const post = (key: string) => service.call('POST', '/v1/workflows/x/executions', { key, body: {} });
    expect((await post(reader.key)).status).toBe(403);
    expect((await post(writer.key)).status).toBe(404);
    expect((await service.call('GET', '/v1/executions', { key: writer.key })).status).toBe(403);
    expect((await service.call('GET', '/v1/stats', { key: reader.key })).status).toBe(403);
  });

  it('that is suspended starts nothing', async () => {
    await service.query(`update dagwright.tenants set status = 'suspended' where id = $1`, [
      DEFAULT_TENANT_ID,
    ]);
    try {
      const result = await service.service.starts.start(
        { tenantId: DEFAULT_TENANT_ID, actor: 'test' },
        { workflowId: await apply(graph('a')), triggerType: 'api' },
      );
      expect(result).toMatchObject({ ok: false, code: 'tenant_suspended' });
    } finally {
      await service.query(`update dagwright.tenants set status = 'active' where id = $1`, [
        DEFAULT_TENANT_ID,
      ]);
    }
  });
});
