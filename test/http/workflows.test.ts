// Definitions over HTTP: saved as they are written, revisions kept, triggers in step, tenants apart.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Worker } from '../../src/engine/worker/worker.ts';
import { defineTask } from '../../src/tasks/custom-task.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import { gate } from '../support/engine.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { type CallOptions, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };
let other: { id: string; key: string };
let id = '';
let made = 0;
beforeAll(async () => {
  service = await openService({
    withKeys: true,
    secrets: secretsInEnvironment({ HOOK: 'the-secret-of-the-service' }, { isShared: true }),
  });
  [acme, other] = [await service.tenant('acme'), await service.tenant('other')];
});
beforeEach(() => {
  id = `flow-${made++}`;
});
afterAll(() => service.close());

const as = (tenant: { key: string }, more: CallOptions = {}): CallOptions => ({ key: tenant.key, ...more });
const call = (method: string, path: string, more: CallOptions = {}) =>
  service.call(method, path, as(acme, more));
const flow = (output: unknown = 1, more: object = {}) => ({
  nodes: [{ taskId: 'a', taskType: 'transformation', config: { output } }],
  ...more,
});
const put = (body: unknown, more: CallOptions = {}) => call('PUT', `/v1/workflows/${id}`, { body, ...more });
const yaml = { 'content-type': 'application/yaml' };

describe('PUT /v1/workflows/{id}', () => {
  test('answers 201 for a new one, 200 for a changed and for an unchanged one, each with its revision as ETag', async () => {
    const created = await put(flow());
    expect(created).toMatchObject({
      status: 201,
      body: { workflowId: id, revision: 1, status: 'active', outcome: 'created', warnings: [] },
      headers: { etag: '"1"' },
    });
    expect(await put(flow(2))).toMatchObject({
      status: 200,
      body: { revision: 2, outcome: 'changed' },
      headers: { etag: '"2"' },
    });
    expect(await put(flow(2))).toMatchObject({
      status: 200,
      body: { revision: 2, outcome: 'unchanged' },
      headers: { etag: '"2"' },
    });
  });

  test('takes YAML, and the order of members makes no revision', async () => {
    const text =
      'nodes:\n  - &a\n    taskId: a\n    taskType: transformation\n    config: { output: 1 }\n  - { <<: *a, taskId: b }\n';
    expect(await put(text, { headers: yaml })).toMatchObject({ status: 201 });
    const json = {
      nodes: [
        { config: { output: 1 }, taskType: 'transformation', taskId: 'a' },
        { taskId: 'b', taskType: 'transformation', config: { output: 1 } },
      ],
    };
    expect(await put(json)).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
  });

  test('tells all problems at once, with pointers into the body, and stores nothing', async () => {
    const body = {
      nodes: [
        { taskId: 'a', taskType: 'transformatoin' },
        { taskId: 'b', taskType: 'transformation', dependsOn: ['c'], config: { output: 1 } },
      ],
    };
    const { status, body: problem } = await put(body);
    expect(status).toBe(422);
    expect(problem).toMatchObject({ code: 'validation', status: 422 });
    expect(
      problem.errors.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`),
    ).toEqual(['/nodes/0/taskType unknown_type', '/nodes/1/dependsOn/0 unknown_task']);
    expect(problem.errors[0].hint).toContain('transformation');
    expect((await call('GET', `/v1/workflows/${id}`)).status).toBe(404);
  });

  test('is never refused for a warning', async () => {
    const { status, body } = await put({
      nodes: [{ task_id: 'a', type: 'transform', config: { output: 1 } }],
    });
    expect(status).toBe(201);
    expect(body.warnings.length).toBeGreaterThan(0);
    expect(body.warnings[0]).toMatchObject({
      pointer: expect.stringMatching(/^\/nodes\/0/),
      code: 'rewritten',
    });
  });

  test.each([
    ['another workflowId than the path', { workflowId: 'else', ...flow() }, 422, '/workflowId'],
    ['a list', [], 422, ''],
    ['null', 'null', 422, ''],
    ['a name given twice', '{"nodes":[],"nodes":[]}', 422, '/nodes'],
    ['an integer beyond 2^53', '{"nodes":[],"x-a":9007199254740993}', 422, '/x-a'],
  ])('%s is 422', async (_title, body, status, pointer) => {
    const answer = await put(body);
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  test('the same workflowId in the body is fine', async () => {
    expect((await put({ workflowId: id, ...flow() })).status).toBe(201);
  });

  test('text that is no JSON or YAML is 400, another media type 415, a name that is none 400', async () => {
    expect(await put('{"nodes":')).toMatchObject({ status: 400, body: { code: 'not_json' } });
    expect((await put(undefined)).status).toBe(400);
    expect(await put('a: [', { headers: yaml })).toMatchObject({ status: 400, body: { code: 'not_yaml' } });
    expect((await put('x', { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
    expect((await call('PUT', '/v1/workflows/no%20name', { body: flow() })).status).toBe(400);
  });

  test('up to 10 MB are taken, more are 413', async () => {
    const text = (mb: number) => JSON.stringify(flow(1, { description: 'x'.repeat(mb * 1_000_000) }));
    expect((await put(text(9))).status).toBe(201);
    expect((await put(text(11))).status).toBe(413);
  });

  test('knows the task types of its own process, and those that any worker has registered, with what their config takes', async () => {
    const typed = defineTask({
      type: 'elsewhere',
      configSchema: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
      run: () => 1,
    });
    const saved = (config: object) => put({ nodes: [{ taskId: 'a', taskType: 'elsewhere', config }] });
    expect((await saved({ n: 1 })).status).toBe(422);
    const worker = new Worker({
      database: service.database,
      types: createRegistry([typed]),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await worker.start();
    expect((await saved({ n: 1 })).status).toBe(201);
    expect(await saved({ n: 'x' })).toMatchObject({
      status: 422,
      body: { errors: [expect.objectContaining({ pointer: '/nodes/0/config/n' })] },
    });
    expect((await saved({ m: 1 })).status).toBe(422);
    const checked = await call('POST', '/v1/workflows/validate', {
      body: { workflowId: 'v', nodes: [{ taskId: 'a', taskType: 'elsewhere', config: { n: 2 } }] },
    });
    expect(checked.body).toMatchObject({ valid: true });
    await worker.stop();
    // Its worker may be restarting.
    expect((await saved({ n: 3 })).status).toBe(200);
  });

  test('with If-Match only where that is the current revision', async () => {
    const ifMatch = (value: string) => ({ headers: { 'if-match': value } });
    expect(await put(flow(), ifMatch('"1"'))).toMatchObject({
      status: 412,
      body: { code: 'revision_mismatch' },
    });
    expect(await put(flow(), ifMatch('*'))).toMatchObject({ status: 412 });
    expect((await call('GET', `/v1/workflows/${id}`)).status).toBe(404);
    await put(flow(1));
    expect(await put(flow(2), ifMatch('"1"'))).toMatchObject({ status: 200, body: { revision: 2 } });
    expect(await put(flow(3), ifMatch('"1"'))).toMatchObject({ status: 412, headers: { etag: '"2"' } });
    expect(await put(flow(3), ifMatch('*'))).toMatchObject({ status: 200, body: { revision: 3 } });
    for (const bad of ['3', 'W/"3"', '"x"', '"3", "4"'])
      expect((await put(flow(4), ifMatch(bad))).status, bad).toBe(400);
  });

  test('of two that carry the same If-Match at the same moment, one is refused', async () => {
    await put(flow(0));
    const answers = await Promise.all([1, 2, 3].map((n) => put(flow(n), { headers: { 'if-match': '"1"' } })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
  });

  test('brings triggers in step, shows a secret that was made up once, and answers 409 where a path is taken', async () => {
    const triggers = [
      { type: 'schedule', name: 'daily', cronExpression: '0 9 * * *', timezone: 'Europe/Paris' },
      { type: 'webhook', path: id, verifier: 'github' },
      { type: 'event', event: 'order.created', when: 'payload.total > 10' },
    ];
    const first = await put(flow(1, { triggers }));
    expect(first).toMatchObject({
      status: 201,
      body: {
        triggers: {
          schedules: [{ name: 'daily', nextRunAt: expect.any(String) }],
          webhooks: [
            {
              path: `acme/${id}`,
              url: expect.stringContaining(`/hooks/acme/${id}`),
              secret: expect.any(String),
            },
          ],
          events: ['order.created'],
        },
      },
    });
    const again = await put(flow(1, { triggers }));
    expect(again.body.triggers.webhooks[0]).not.toHaveProperty('secret');
    const path = id;
    id = `${id}-thief`;
    expect(await put(flow(1, { triggers: [{ type: 'webhook', path }] }))).toMatchObject({
      status: 409,
      body: { code: 'trigger_taken', errors: [{ pointer: '/triggers/0/path', code: 'path_taken' }] },
    });
    expect((await call('GET', `/v1/workflows/${id}`)).status).toBe(404);
    expect(
      await put(
        flow(1, {
          triggers: [
            { type: 'webhook', path: '../x' },
            { type: 'schedule', name: 'x', cronExpression: '@daily' },
          ],
        }),
      ),
    ).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/triggers/1/cronExpression' }] },
    });
  });

  test('what a GET shows can be PUT back, and changes nothing', async () => {
    await put(
      flow(1, {
        triggers: [
          { type: 'webhook', path: id, secret: 'in-clear-text-42' },
          { type: 'event', event: 'x' },
        ],
      }),
    );
    const { body } = await call('GET', `/v1/workflows/${id}`);
    expect(JSON.stringify(body)).not.toContain('in-clear-text-42');
    expect(await put(body.definition)).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
  });
});

describe('POST /v1/workflows/validate', () => {
  const validate = (body: unknown, more: CallOptions = {}) =>
    call('POST', '/v1/workflows/validate', { body, ...more });

  test('says 200 with valid: false and all errors, those of triggers too; nothing is saved', async () => {
    expect(await validate({ workflowId: id, ...flow('{{ tasks.b.output }}') })).toMatchObject({
      status: 200,
      body: { valid: false, errors: [{ pointer: '/nodes/0/config/output', code: 'unknown_task' }] },
    });
    const triggers = [
      { type: 'webhook', path: 'UPPER' },
      { type: 'webhook', path: 'x', secret: '{{ secrets.NOWHERE }}' },
      { type: 'webhook', path: 'y', secret: '{{ secrets.HOOK }}' },
    ];
    const { body } = await validate({ workflowId: id, ...flow(1, { triggers }) });
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/triggers/0/path',
      '/triggers/1/secret',
    ]);
    expect((await call('GET', `/v1/workflows/${id}`)).status).toBe(404);
  });

  test('takes JSON and YAML, and explains where asked', async () => {
    expect(await validate({ workflowId: id, ...flow() })).toMatchObject({
      status: 200,
      body: { valid: true, workflowId: id, errors: [], warnings: [] },
    });
    const text = `workflowId: ${id}\nnodes: [{ taskId: a, taskType: transformation, config: { output: 1 } }]\n`;
    const { body } = await validate(text, { headers: yaml, query: { explain: true } });
    expect(body).toMatchObject({ valid: true, explanation: expect.stringContaining('a') });
    expect((await validate('{')).status).toBe(400);
  });
});

describe('revisions', () => {
  test('are listed newest first, page by page, and shown', async () => {
    for (let n = 1; n <= 5; n++) await put(flow(n, { version: `v${n}` }));
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const { status, body } = await call('GET', `/v1/workflows/${id}/revisions`, {
        query: { limit: 2, ...(cursor && { cursor }) },
      });
      expect(status).toBe(200);
      seen.push(...body.items.map(({ revision }: { revision: number }) => revision));
      cursor = body.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([5, 4, 3, 2, 1]);
    expect(await call('GET', `/v1/workflows/${id}/revisions/2`)).toMatchObject({
      status: 200,
      body: {
        revision: 2,
        isCurrent: false,
        version: 'v2',
        createdBy: expect.stringMatching(/^key:/),
        definition: { nodes: [{ config: { output: 2 } }] },
      },
    });
    for (const missing of [
      `${id}/revisions/6`,
      `${id}/revisions/0`,
      `${id}/revisions/x`,
      'nothing/revisions',
      'nothing',
    ])
      expect((await call('GET', `/v1/workflows/${missing}`)).status, missing).toBe(404);
  });

  test('a rollback is what starts take, also from SQL, until the next save', async () => {
    await put(flow(1));
    await put(flow(2));
    const startedBy = async () => {
      const [row] = await service.database.withTenant(acme.id, async (client) => {
        const { rows } = await client.query('select dagwright.start_workflow($1) as id', [id]);
        return (
          await client.query('select revision from dagwright.workflow_executions where id = $1', [rows[0].id])
        ).rows;
      });
      return row.revision;
    };
    expect(await startedBy()).toBe(2);
    const back = await call('POST', `/v1/workflows/${id}/rollback`, { body: { revision: 1 } });
    expect(back).toMatchObject({
      status: 200,
      body: { revision: 1, latestRevision: 2 },
      headers: { etag: '"1"' },
    });
    expect(await startedBy()).toBe(1);
    expect(await call('GET', `/v1/workflows/${id}`)).toMatchObject({
      body: { revision: 1, definition: { nodes: [{ config: { output: 1 } }] } },
    });
    // The content of the current revision is no change, the latest one's is.
    expect(await put(flow(1))).toMatchObject({ body: { revision: 1, outcome: 'unchanged' } });
    expect(await put(flow(2))).toMatchObject({ body: { revision: 3, outcome: 'changed' } });
    expect(await startedBy()).toBe(3);
    expect(await call('POST', `/v1/workflows/${id}/rollback`, { body: { revision: 3 } })).toMatchObject({
      status: 200,
    });
    expect(
      await service.query(
        'select pinned_revision as pinned from dagwright.workflow_definitions where workflow_id = $1',
        [id],
      ),
    ).toEqual([{ pinned: null }]);
  });

  test('a rollback to what is not there is 404, to no number 422', async () => {
    await put(flow());
    expect((await call('POST', `/v1/workflows/${id}/rollback`, { body: { revision: 2 } })).status).toBe(404);
    expect((await call('POST', '/v1/workflows/nothing/rollback', { body: { revision: 1 } })).status).toBe(
      404,
    );
    for (const body of [{}, { revision: '1' }, { revision: 0 }, { revision: 1, force: true }])
      expect((await call('POST', `/v1/workflows/${id}/rollback`, { body })).status).toBe(422);
  });

  test('a running execution keeps its revision through a save and a rollback', async () => {
    const own = await openService({ worker: true });
    try {
      const { engine } = own;
      const open = gate();
      engine!.bodies.first = () => open.opened;
      const body = (output: string) => ({
        nodes: [
          { taskId: 'first', taskType: 'probe' },
          { taskId: 'last', taskType: 'transformation', dependsOn: ['first'], config: { output } },
        ],
      });
      Object.assign(own.service, {
        rules: new Map([['probe', { type: 'probe', status: 'built', configSchema: {} }]]),
      });
      expect((await own.call('PUT', `/v1/workflows/${id}`, { body: body('old') })).status).toBe(201);
      const started = await engine!.start(id);
      expect((await own.call('PUT', `/v1/workflows/${id}`, { body: body('new') })).body.revision).toBe(2);
      open.open();
      const run = await engine!.ended(started);
      expect(run.execution.revision).toBe(1);
      expect(run.task('last').output).toBe('old');
      const second = await engine!.ended(await engine!.start(id));
      expect(second.task('last').output).toBe('new');
      await own.call('POST', `/v1/workflows/${id}/rollback`, { body: { revision: 1 } });
      const third = await engine!.ended(await engine!.start(id));
      expect([third.execution.revision, third.task('last').output]).toEqual([1, 'old']);
    } finally {
      await own.close();
    }
  });
});

describe('status', () => {
  test('only active ones start; a save leaves the status as it is', async () => {
    await put(flow());
    for (const status of ['draft', 'archived', 'active'] as const) {
      expect(await call('PATCH', `/v1/workflows/${id}`, { body: { status } })).toMatchObject({
        status: 200,
        body: { status },
      });
      expect(await put(flow(status))).toMatchObject({ status: 200, body: { status } });
      const start = service.database.withTenant(acme.id, (client) =>
        client.query('select dagwright.start_workflow($1)', [id]),
      );
      if (status === 'active') await start;
      else await expect(start).rejects.toThrow(/is not active/);
    }
  });

  test.each([{}, { status: 'deleted' }, { status: 'active', name: 'x' }, { status: null }])(
    '%j is 422',
    async (body) => {
      await put(flow());
      expect((await call('PATCH', `/v1/workflows/${id}`, { body })).status).toBe(422);
    },
  );

  test('a workflow that is not there is 404, and none is ever deleted', async () => {
    expect((await call('PATCH', '/v1/workflows/nothing', { body: { status: 'active' } })).status).toBe(404);
    await put(flow());
    expect((await call('DELETE', `/v1/workflows/${id}`)).status).toBe(405);
  });
});

describe('the list', () => {
  test('is newest first, stable while others save, and filtered by status and category', async () => {
    const tenant = await service.tenant('lister');
    const ask = (method: string, path: string, more: CallOptions = {}) =>
      service.call(method, path, as(tenant, more));
    for (let n = 0; n < 7; n++)
      await ask('PUT', `/v1/workflows/l${n}`, { body: flow(n, n % 2 ? { category: 'odd' } : {}) });
    await ask('PATCH', '/v1/workflows/l3', { body: { status: 'archived' } });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await ask('GET', '/v1/workflows', { query: { limit: 3, ...(cursor && { cursor }) } });
      seen.push(...body.items.map(({ workflowId }: { workflowId: string }) => workflowId));
      cursor = body.nextCursor ?? undefined;
      // Neither a new one nor a change moves what follows.
      await ask('PUT', `/v1/workflows/late${seen.length}`, { body: flow() });
      await ask('PUT', '/v1/workflows/l0', { body: flow(`changed ${seen.length}`) });
    } while (cursor !== undefined);
    expect(seen).toEqual(['l6', 'l5', 'l4', 'l3', 'l2', 'l1', 'l0']);
    const names = async (query: Record<string, string>) =>
      (await ask('GET', '/v1/workflows', { query })).body.items.map(
        ({ workflowId }: { workflowId: string }) => workflowId,
      );
    expect(await names({ category: 'odd' })).toEqual(['l5', 'l3', 'l1']);
    expect(await names({ status: 'archived' })).toEqual(['l3']);
    expect(await names({ status: 'active', category: 'odd' })).toEqual(['l5', 'l1']);
    expect((await ask('GET', '/v1/workflows', { query: { status: 'gone' } })).status).toBe(400);
    const { body } = await ask('GET', '/v1/workflows', { query: { limit: 1 } });
    expect(Object.keys(body.items[0]).sort()).toEqual([
      'category',
      'createdAt',
      'latestRevision',
      'name',
      'revision',
      'status',
      'updatedAt',
      'workflowId',
    ]);
    const foreign = await service.call(
      'GET',
      '/v1/workflows',
      as(other, { query: { cursor: body.nextCursor } }),
    );
    expect(foreign.status).toBe(400);
    const wrongList = await ask('GET', '/v1/workflows/l0/revisions', { query: { cursor: body.nextCursor } });
    expect(wrongList.status).toBe(400);
  });
});

test('of another tenant nothing is seen, changed or found out', async () => {
  await put(flow('ours'));
  const theirs = (method: string, path: string, body?: unknown) =>
    service.call(method, path, as(other, body === undefined ? {} : { body }));
  for (const [method, path, body] of [
    ['GET', `/v1/workflows/${id}`],
    ['GET', `/v1/workflows/${id}/revisions`],
    ['GET', `/v1/workflows/${id}/revisions/1`],
    ['PATCH', `/v1/workflows/${id}`, { status: 'archived' }],
    ['POST', `/v1/workflows/${id}/rollback`, { revision: 1 }],
  ] as const)
    expect((await theirs(method, path, body)).status, `${method} ${path}`).toBe(404);
  // The same name is theirs to take, and begins at 1.
  expect(await theirs('PUT', `/v1/workflows/${id}`, flow('theirs'))).toMatchObject({
    status: 201,
    body: { revision: 1 },
  });
  expect((await call('GET', `/v1/workflows/${id}`)).body.definition.nodes[0].config.output).toBe('ours');
  expect(
    (await theirs('GET', '/v1/workflows')).body.items.map(
      ({ workflowId }: { workflowId: string }) => workflowId,
    ),
  ).toEqual([id]);
});

test('who saved, rolled back and switched is in the audit trail', async () => {
  const ada = await service.tenant(`t${id}`, { subject: 'user:ada' });
  const ask = (method: string, path: string, body: unknown) => service.call(method, path, as(ada, { body }));
  await ask('PUT', `/v1/workflows/${id}`, flow(1));
  await ask('PUT', `/v1/workflows/${id}`, flow(2));
  await ask('POST', `/v1/workflows/${id}/rollback`, { revision: 1 });
  await ask('PATCH', `/v1/workflows/${id}`, { status: 'draft' });
  const rows = await service.query<{ actor: string; to: Record<string, unknown> }>(
    `select actor, new_values as to from dagwright.audit_logs where tenant_id = $1 and resource_type = 'workflows' order by id`,
    [ada.id],
  );
  expect(rows.every(({ actor }) => actor === 'user:ada')).toBe(true);
  expect(rows.map(({ to }) => to)).toEqual([
    expect.objectContaining({ workflow_id: id }),
    expect.objectContaining({ latest_revision: 2 }),
    expect.objectContaining({ pinned_revision: 1 }),
    expect.objectContaining({ status: 'draft' }),
  ]);
});
