// The audit trail: every change, whatever made it, leaves exactly its rows, in its transaction, and they stay as they are.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLES } from '../../src/db/connection/roles.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { openService as openBreaker } from '../../src/db/resources/services.ts';
import { graph } from '../support/engine.ts';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';

interface Row {
  readonly actor: string;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly old: Record<string, unknown> | null;
  readonly new: Record<string, unknown> | null;
  readonly address: string | null;
  readonly agent: string | null;
  readonly tenant: string | null;
}

let service: TestService;
let acme: { id: string; key: string };
let lastId = '00000000-0000-0000-0000-000000000000';

beforeAll(async () => {
  service = await openService({ withKeys: true });
  acme = await service.tenant('acme');
  await newRows();
});
afterAll(() => service.close());

/** What the trail got since this was last asked, in the order of writing. */
async function newRows(): Promise<Row[]> {
  const rows = await service.query<Row & { id: string }>(
    `select id, tenant_id as tenant, actor, action, resource_type as "resourceType", resource_id as "resourceId", old_values as old,
       new_values as new, address, user_agent as agent from dagwright.audit_logs where id > $1 order by id`,
    [lastId],
  );
  lastId = rows.at(-1)?.id ?? lastId;
  return rows;
}

const AS_ALICE = { 'x-actor': 'user:alice', 'user-agent': 'audit-test/1' };
const call = (method: string, path: string, body?: unknown) =>
  service.call(method, path, { key: acme.key, headers: AS_ALICE, ...(body === undefined ? {} : { body }) });
const asOperator = (method: string, path: string, body?: unknown) =>
  service.call(method, path, { key: ADMIN_KEY, headers: AS_ALICE, ...(body === undefined ? {} : { body }) });

/** Ids of what the steps have made. */
const made: Record<string, string> = {};

interface Step {
  readonly route: string;
  readonly run: () => Promise<{ readonly status: number; readonly body: { readonly id?: string } }>;
  readonly keep?: string;
  /** Of the installation: its rows have no tenant. */
  readonly isInstallation?: true;
  /** `action resourceId`, and some of the old and new values. */
  readonly rows: readonly [what: string, old: object | null, now: object | null][];
}

const DEFINITION = {
  workflowId: 'flow',
  nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: 1 } }],
};
const CHANGED = { ...DEFINITION, name: 'Flow' };

const STEPS: readonly Step[] = [
  {
    route: 'PUT /v1/workflows/{workflowId}',
    run: () => call('PUT', '/v1/workflows/flow', DEFINITION),
    rows: [['workflows.create flow', null, { latest_revision: 1, status: 'active' }]],
  },
  {
    route: 'PUT /v1/workflows/{workflowId}',
    run: () => call('PUT', '/v1/workflows/flow', DEFINITION),
    rows: [],
  },
  {
    route: 'PUT /v1/workflows/{workflowId}',
    run: () => call('PUT', '/v1/workflows/flow', CHANGED),
    rows: [
      ['workflows.update flow', { latest_revision: 1, name: null }, { latest_revision: 2, name: 'Flow' }],
    ],
  },
  {
    route: 'POST /v1/workflows/{workflowId}/rollback',
    run: () => call('POST', '/v1/workflows/flow/rollback', { revision: 1 }),
    rows: [['workflows.update flow', { pinned_revision: null }, { pinned_revision: 1 }]],
  },
  {
    route: 'PATCH /v1/workflows/{workflowId}',
    run: () => call('PATCH', '/v1/workflows/flow', { status: 'archived' }),
    rows: [['workflows.update flow', { status: 'active' }, { status: 'archived' }]],
  },
  {
    route: 'PATCH /v1/workflows/{workflowId}',
    run: () => call('PATCH', '/v1/workflows/flow', { status: 'active' }),
    rows: [['workflows.update flow', { status: 'archived' }, { status: 'active' }]],
  },
  {
    route: 'POST /v1/variables',
    run: () => call('POST', '/v1/variables', { name: 'region', value: 'eu' }),
    rows: [['variables.create region', null, { value: 'eu' }]],
  },
  {
    route: 'PUT /v1/variables/{name}',
    run: () => call('PUT', '/v1/variables/region', { value: 'us' }),
    rows: [['variables.update region', { value: 'eu' }, { value: 'us' }]],
  },
  {
    route: 'PUT /v1/variables/{name}',
    run: () => call('PUT', '/v1/variables/region', { value: 'us' }),
    rows: [],
  },
  {
    route: 'DELETE /v1/variables/{name}',
    run: () => call('DELETE', '/v1/variables/region'),
    rows: [['variables.delete region', { value: 'us' }, null]],
  },
  {
    route: 'POST /v1/schedules',
    run: () =>
      call('POST', '/v1/schedules', {
        workflowId: 'flow',
        name: 'daily',
        cronExpression: '0 9 * * *',
        timezone: 'UTC',
      }),
    keep: 'schedule',
    rows: [['schedules.create {schedule}', null, { name: 'daily', cron_expression: '0 9 * * *' }]],
  },
  {
    route: 'PATCH /v1/schedules/{id}',
    run: () => call('PATCH', `/v1/schedules/${made.schedule}`, { cronExpression: '0 10 * * *' }),
    rows: [
      ['schedules.update {schedule}', { cron_expression: '0 9 * * *' }, { cron_expression: '0 10 * * *' }],
    ],
  },
  {
    route: 'PUT /v1/schedules/{id}',
    run: () =>
      call('PUT', `/v1/schedules/${made.schedule}`, {
        workflowId: 'flow',
        name: 'daily',
        cronExpression: '0 11 * * *',
        timezone: 'UTC',
      }),
    rows: [
      ['schedules.update {schedule}', { cron_expression: '0 10 * * *' }, { cron_expression: '0 11 * * *' }],
    ],
  },
  {
    route: 'POST /v1/schedules/{id}/pause',
    run: () => call('POST', `/v1/schedules/${made.schedule}/pause`),
    rows: [['schedules.update {schedule}', { status: 'active' }, { status: 'paused' }]],
  },
  {
    route: 'POST /v1/schedules/{id}/resume',
    run: () => call('POST', `/v1/schedules/${made.schedule}/resume`),
    rows: [['schedules.update {schedule}', { status: 'paused' }, { status: 'active' }]],
  },
  {
    route: 'POST /v1/schedules/{id}/run',
    run: () => call('POST', `/v1/schedules/${made.schedule}/run`),
    keep: 'run',
    rows: [['schedules.run {schedule}', null, { executionId: expect.any(String) }]],
  },
  {
    route: 'DELETE /v1/schedules/{id}',
    run: () => call('DELETE', `/v1/schedules/${made.schedule}`),
    rows: [['schedules.delete {schedule}', { name: 'daily' }, null]],
  },
  {
    route: 'POST /v1/webhooks',
    run: () =>
      call('POST', '/v1/webhooks', {
        workflowId: 'flow',
        path: 'orders',
        authType: 'secret',
        secret: 'canary-secret-canary-secret',
        filters: [{ fieldPath: '$.body.a', operator: 'equals', value: 1 }],
      }),
    keep: 'webhook',
    rows: [
      ['webhooks.create {webhook}', null, { path: 'orders', secrets: '[hidden]' }],
      ['webhook-filters.create {webhook}/1', null, { field_path: '$.body.a' }],
    ],
  },
  {
    route: 'PATCH /v1/webhooks/{id}',
    run: () => call('PATCH', `/v1/webhooks/${made.webhook}`, { priority: 7 }),
    rows: [['webhooks.update {webhook}', { priority: 5 }, { priority: 7 }]],
  },
  {
    route: 'PATCH /v1/webhooks/{id}',
    run: () => call('PATCH', `/v1/webhooks/${made.webhook}`, { secret: 'canary-secret-second-secret' }),
    rows: [['webhooks.update {webhook}', { secrets: '[hidden]' }, { secrets: '[hidden]' }]],
  },
  {
    route: 'PUT /v1/webhooks/{id}',
    run: () =>
      call('PUT', `/v1/webhooks/${made.webhook}`, {
        workflowId: 'flow',
        path: 'orders',
        authType: 'secret',
        priority: 8,
      }),
    rows: [
      ['webhooks.update {webhook}', { priority: 7 }, { priority: 8 }],
      ['webhook-filters.delete {webhook}/1', { field_path: '$.body.a' }, null],
    ],
  },
  {
    route: 'DELETE /v1/webhooks/{id}',
    run: () => call('DELETE', `/v1/webhooks/${made.webhook}`),
    rows: [['webhooks.delete {webhook}', { path: 'orders', secrets: '[hidden]' }, null]],
  },
  {
    route: 'POST /v1/api-keys',
    run: () => call('POST', '/v1/api-keys', { name: 'ci', roles: ['viewer'] }),
    keep: 'key',
    rows: [['api-keys.create {key}', null, { name: 'ci', roles: ['viewer'], secret_hash: '[hidden]' }]],
  },
  {
    route: 'DELETE /v1/api-keys/{id}',
    run: () => call('DELETE', `/v1/api-keys/${made.key}`),
    rows: [['api-keys.update {key}', { revoked_at: null }, { revoked_at: expect.any(String) }]],
  },
  { route: 'DELETE /v1/api-keys/{id}', run: () => call('DELETE', `/v1/api-keys/${made.key}`), rows: [] },
  {
    route: 'POST /v1/workflows/{workflowId}/executions',
    run: () => call('POST', '/v1/workflows/flow/executions', { input: {} }),
    keep: 'execution',
    rows: [['executions.start {execution}', null, { workflowId: 'flow', revision: 1, triggerType: 'api' }]],
  },
  {
    route: 'POST /v1/executions/{id}/signals/{name}',
    run: () => call('POST', `/v1/executions/${made.execution}/signals/go`, { payload: 'canary' }),
    rows: [
      [
        'executions.signal {execution}',
        null,
        { signal: 'go', broadcast: false, status: 'stored', taskId: null, mapIndex: null },
      ],
    ],
  },
  ...(['pause', 'resume', 'cancel'] as const).map((verb) => ({
    route: `POST /v1/executions/{id}/${verb}`,
    run: () => call('POST', `/v1/executions/${made.execution}/${verb}`, verb === 'cancel' ? {} : undefined),
    rows: [
      [`executions.${verb} {execution}`, { status: expect.any(String) }, { status: expect.any(String) }],
    ] as Step['rows'],
  })),
  {
    route: 'PUT /v1/service-limits/{serviceId}',
    run: () => asOperator('PUT', '/v1/service-limits/openai', { maxConcurrency: 4 }),
    isInstallation: true,
    rows: [['service-limits.create openai', null, { max_concurrency: 4 }]],
  },
  {
    route: 'PUT /v1/service-limits/{serviceId}',
    run: () => asOperator('PUT', '/v1/service-limits/openai', { maxConcurrency: 5 }),
    isInstallation: true,
    rows: [['service-limits.update openai', { max_concurrency: 4 }, { max_concurrency: 5 }]],
  },
  {
    route: 'POST /v1/service-limits/{serviceId}/reset',
    run: async () => {
      await openBreaker(service.database.engine, 'slow', { forMs: 60_000, code: 'http_503' });
      return await asOperator('POST', '/v1/service-limits/slow/reset');
    },
    isInstallation: true,
    rows: [
      [
        'services.reset slow',
        { heldBack: [{ serviceId: 'slow', openings: 1, lastError: 'http_503' }] },
        null,
      ],
    ],
  },
  {
    route: 'DELETE /v1/service-limits/{serviceId}',
    run: () => asOperator('DELETE', '/v1/service-limits/openai'),
    isInstallation: true,
    rows: [['service-limits.delete openai', { max_concurrency: 5 }, null]],
  },
  {
    route: 'POST /v1/pricing',
    run: () =>
      asOperator('POST', '/v1/pricing', {
        provider: 'openai',
        model: 'mine',
        inputUsdPerMillion: '1',
        outputUsdPerMillion: '2',
      }),
    isInstallation: true,
    rows: [['pricing.create openai/mine', null, { input_usd_per_million: 1 }]],
  },
  {
    route: 'DELETE /v1/pricing/{provider}/{path}',
    run: () => asOperator('DELETE', '/v1/pricing/openai/mine'),
    isInstallation: true,
    rows: [['pricing.delete openai/mine', { input_usd_per_million: 1 }, null]],
  },
];

/** Routes that change nothing that lasts, or make what carries its own `createdBy`. */
const NOT_AUDITED = [
  'POST /v1/workflows/validate',
  'POST /v1/schedules/preview',
  'POST /v1/events',
  'POST /hooks/{path}',
];
/** Tried by tests of their own below. */
const ELSEWHERE = [
  'POST /v1/tenants',
  'PATCH /v1/tenants/{id}',
  'POST /v1/schedules/{id}/backfill',
  'POST /v1/webhooks/{id}/events/{eventId}/replay',
  'POST /v1/callbacks/{token}',
  // reviews.test.ts
  'PATCH /v1/reviews/{id}',
  'POST /v1/reviews/{id}/decision',
  'POST /v1/reviews/{id}/assign',
  'POST /v1/reviews/{id}/comments',
  'POST /v1/reviews/{id}/claim',
  'POST /v1/reviews/{id}/release',
  'POST /v1/reviews/{id}/links',
  'DELETE /v1/reviews/{id}/links',
];

const filled = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => made[name] ?? '?');

describe('a change over HTTP leaves exactly its rows', () => {
  test.for(STEPS.map((step) => [step.route, step] as const))('%s', async ([, step]) => {
    await newRows();
    const answer = await step.run();
    expect([answer.status, answer.body]).toEqual([expect.toSatisfy((n: number) => n < 300), answer.body]);
    if (step.keep !== undefined) made[step.keep] = answer.body.id!;
    const rows = await newRows();
    expect(rows.map(({ action, resourceId }) => `${action} ${resourceId}`)).toEqual(
      step.rows.map(([what]) => filled(what)),
    );
    rows.forEach((row, i) => {
      const [, old, now] = step.rows[i]!;
      expect(row).toMatchObject({
        tenant: step.isInstallation ? null : acme.id,
        actor: 'user:alice',
        address: '127.0.0.1',
        agent: 'audit-test/1',
        old: old === null ? null : expect.objectContaining(old),
        new: now === null ? null : expect.objectContaining(now),
      });
      if (old !== null && now !== null && row.resourceType !== 'executions')
        expect(Object.keys(row.new!).sort(), 'of an update only what changed').toEqual(
          Object.keys(row.old!).sort(),
        );
    });
    expect(JSON.stringify(rows)).not.toMatch(/canary-secret|\\\\x[0-9a-f]{64}/);
  });

  test('every route that changes something is tried here, or is known to need no row', async () => {
    const { body } = await service.call('GET', '/openapi.json');
    const changing = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'get')
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    const known = new Set([...STEPS.map(({ route }) => route), ...NOT_AUDITED, ...ELSEWHERE]);
    expect(changing.filter((route) => !known.has(route))).toEqual([]);
  });

  test('a tenant that is made and suspended, in its own trail', async () => {
    await newRows();
    const { id } = (await asOperator('POST', '/v1/tenants', { name: 'globex' })).body;
    await asOperator('PATCH', `/v1/tenants/${id}`, { status: 'suspended', tier: 3 });
    expect(await newRows()).toMatchObject([
      { tenant: id, action: 'tenants.create', resourceId: id, old: null, new: { name: 'globex', tier: 1 } },
      {
        tenant: id,
        action: 'tenants.update',
        old: { status: 'active', tier: 1 },
        new: { status: 'suspended', tier: 3 },
        actor: 'user:alice',
      },
    ]);
  });

  test('triggers of a file, with the definition that brings them and takes them away', async () => {
    await newRows();
    const triggers = [
      { type: 'event', name: 'on-order', event: 'order.made' },
      { type: 'schedule', name: 'nightly', cronExpression: '0 3 * * *', timezone: 'UTC' },
    ];
    const file = { ...DEFINITION, workflowId: 'filed' };
    expect((await call('PUT', '/v1/workflows/filed', { ...file, triggers })).status).toBe(201);
    expect((await newRows()).map(({ action }) => action).sort()).toEqual([
      'event-triggers.create',
      'schedules.create',
      'workflows.create',
    ]);
    expect((await call('PUT', '/v1/workflows/filed', file)).status).toBe(200);
    const gone = (await newRows()).sort((a, b) => a.action.localeCompare(b.action));
    expect(gone).toMatchObject([
      { action: 'event-triggers.delete' },
      { action: 'schedules.update', old: { removed_at: null }, new: { removed_at: expect.any(String) } },
      { action: 'workflows.update' },
    ]);
  });

  test('a refused change leaves none', async () => {
    await call('POST', '/v1/variables', { name: 'taken', value: 1 });
    await newRows();
    expect((await call('POST', '/v1/variables', { name: 'taken', value: 2 })).status).toBe(409);
    expect((await call('PUT', '/v1/workflows/flow', { workflowId: 'flow', nodes: [] })).status).toBe(422);
    expect(await newRows()).toEqual([]);
  });
});

describe('what is done by hand', () => {
  const start = (key: string, options: { actor?: string; idempotencyKey?: string } = {}) =>
    service.call('POST', '/v1/workflows/flow/executions', {
      key,
      body: {},
      headers: {
        ...(options.actor === undefined ? {} : { 'x-actor': options.actor }),
        ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
        'user-agent': 'by-hand/1',
      },
    });

  test('a start of a key that stands for a person, once, however often it is sent', async () => {
    await newRows();
    const alice = await service.call('POST', '/v1/api-keys', {
      key: acme.key,
      body: { name: 'alice', roles: ['editor'], subject: 'user:alice' },
    });
    await newRows();
    const first = await start(alice.body.key, { idempotencyKey: 'by-hand' });
    expect((await start(alice.body.key, { idempotencyKey: 'by-hand' })).body.id).toBe(first.body.id);
    expect(await newRows()).toMatchObject([
      {
        ...{ tenant: acme.id, actor: 'user:alice', action: 'executions.start', resourceId: first.body.id },
        ...{ address: '127.0.0.1', agent: 'by-hand/1' },
      },
    ]);
  });

  test('a start of the operator, in the trail of the tenant', async () => {
    await newRows();
    const { body } = await service.call('POST', '/v1/workflows/flow/executions', {
      ...{ key: ADMIN_KEY, tenantId: acme.id, body: {} },
    });
    expect(await newRows()).toMatchObject([
      { tenant: acme.id, actor: 'key:admin', action: 'executions.start', resourceId: body.id },
    ]);
  });

  test('starts that share a commit with those of a program: each has its own row, and the program none', async () => {
    const program = await service.call('POST', '/v1/api-keys', {
      key: acme.key,
      body: { name: 'program', roles: ['editor'] },
    });
    await newRows();
    const answers = await Promise.all(
      ['user:alice', undefined, 'user:bob', undefined, 'user:carol'].map(
        async (actor) =>
          [
            actor,
            (await start(actor === undefined ? program.body.key : acme.key, { actor })).body.id,
          ] as const,
      ),
    );
    const rows = await newRows();
    expect(rows.map(({ actor, resourceId }) => [actor, resourceId]).sort()).toEqual(
      answers.filter(([actor]) => actor !== undefined).sort(),
    );
    const program_ = answers.filter(([actor]) => actor === undefined).map(([, id]) => id);
    const made = await service.query<{ by: string }>(
      'select created_by as by from dagwright.workflow_executions where id = any($1)',
      [program_],
    );
    expect(made).toEqual([{ by: `key:${program.body.id}` }, { by: `key:${program.body.id}` }]);
  });

  test('a refused start leaves none', async () => {
    await newRows();
    expect(
      (
        await service.call('POST', '/v1/workflows/none/executions', {
          key: acme.key,
          headers: AS_ALICE,
          body: {},
        })
      ).status,
    ).toBe(404);
    expect(await newRows()).toEqual([]);
  });

  test('a backfill, and the run of a schedule that cannot start, which leaves none', async () => {
    const { body } = await call('POST', '/v1/schedules', {
      ...{ workflowId: 'flow', name: 'filled', cronExpression: '0 0 1 1 *', timezone: 'UTC' },
    });
    await newRows();
    await call('POST', `/v1/schedules/${body.id}/backfill`, {
      from: '2020-01-01T00:00:00Z',
      to: '2020-06-01T00:00:00Z',
    });
    expect(await newRows()).toMatchObject([
      { actor: 'user:alice', action: 'schedules.backfill', resourceId: body.id, new: { started: 1 } },
    ]);
    await service.query(
      `update dagwright.workflow_definitions set status = 'archived' where tenant_id = $1 and workflow_id = 'flow'`,
      [acme.id],
    );
    await newRows();
    expect((await call('POST', `/v1/schedules/${body.id}/run`)).status).toBe(409);
    expect(await newRows()).toEqual([]);
    await service.query(
      `update dagwright.workflow_definitions set status = 'active' where tenant_id = $1 and workflow_id = 'flow'`,
      [acme.id],
    );
  });

  test('the replay of a delivery, with what it started', async () => {
    const { body: webhook } = await call('POST', '/v1/webhooks', {
      ...{ workflowId: 'flow', path: 'replayed', authType: 'none' },
    });
    const delivered = await service.call('POST', '/hooks/acme/replayed', { body: {} });
    await newRows();
    const path = `/v1/webhooks/${webhook.id}/events/${delivered.body.eventId}/replay`;
    const { body } = await call('POST', path);
    expect(await newRows()).toMatchObject([
      {
        ...{ tenant: acme.id, actor: 'user:alice', address: '127.0.0.1', action: 'webhooks.replay' },
        ...{ resourceId: body.eventId, new: { executionId: body.executionId } },
      },
    ]);
  });
});

describe('a change by SQL', () => {
  const inSql = async (work: (client: pg.Client) => Promise<unknown>) => {
    const client = new pg.Client({ connectionString: service.database.url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  test("is the login's, or whom app.actor names", async () => {
    await newRows();
    await inSql(async (client) => {
      const { rows } = await client.query('select session_user as login');
      const insert = (name: string) =>
        client.query(
          `insert into dagwright.workflow_variables (tenant_id, name, value, created_by) values ($1, $2, '1', 'x')`,
          [acme.id, name],
        );
      await insert('by_login');
      await client.query(`select set_config('app.actor', 'user:bob', false)`);
      await insert('by_bob');
      expect((await newRows()).map(({ actor, resourceId }) => [actor, resourceId])).toEqual([
        [`sql:${rows[0].login}`, 'by_login'],
        ['user:bob', 'by_bob'],
      ]);
    });
  });

  test('is undone with its transaction', async () => {
    await newRows();
    await expect(
      service.database.withTenant({ tenantId: acme.id, actor: 'user:eve' }, async (client) => {
        await client.query(
          `insert into dagwright.workflow_variables (tenant_id, name, value, created_by) values ($1, 'undone', '1', 'x')`,
          [acme.id],
        );
        throw new Error('given up');
      }),
    ).rejects.toThrow('given up');
    expect(await newRows()).toEqual([]);
  });

  test("of the library's prices, of counters and of last uses leaves none", async () => {
    await newRows();
    await service.query(`update dagwright.ai_model_pricing set updated_at = now() where source = 'library'`);
    await service.query('update dagwright.api_keys set last_used_at = now()');
    await service.query(
      `insert into dagwright.service_limits (service_id, max_concurrency) values ('counted', 1)`,
    );
    await service.query(
      `update dagwright.service_limits set starts = starts + 1 where service_id = 'counted'`,
    );
    expect((await newRows()).map(({ action }) => action)).toEqual(['service-limits.create']);
  });

  test.for([...Object.values(ROLES), 'none'])(
    'role %s cannot change, delete or empty the trail',
    async (role) => {
      await inSql(async (client) => {
        await client.query(`set role ${role}`);
        await client.query(`select set_config('app.current_tenant_id', $1, false)`, [acme.id]);
        for (const statement of [
          `update dagwright.audit_logs set actor = 'user:mallory'`,
          'delete from dagwright.audit_logs',
          'truncate dagwright.audit_logs',
        ])
          await expect(client.query(statement), statement).rejects.toMatchObject({ code: '42501' });
      });
    },
  );

  test('the tenant role cannot write the trail itself', async () => {
    for (const statement of [
      `insert into dagwright.audit_logs (id, tenant_id, at, actor, action, resource_type, resource_id)
       values (dagwright.uuid_v7(), '${acme.id}', now(), 'user:mallory', 'x.y', 'x', 'y')`,
      `select dagwright.audit_v1('${acme.id}', 'x.y', 'x', 'y', null, null)`,
    ])
      await expect(
        service.database.withTenant(acme.id, (client) => client.query(statement)),
      ).rejects.toMatchObject({ code: '42501' });
  });
});

test('every table that users change has the trigger', async () => {
  const rows = await service.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'dagwright'::regnamespace and c.relkind in ('r', 'p')
       and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgfoid = 'dagwright.audit_row_v1'::regproc and t.tgenabled in ('O', 'A')) order by 1`,
  );
  expect(rows.map(({ name }) => name)).toEqual([
    'audit_logs',
    // What runs and what came in: rows of their own say who.
    'engine_counters',
    'events',
    'execution_logs',
    'execution_signals',
    // Functions write their rows, with what was decided.
    'human_tasks',
    'idempotency_keys',
    'idempotent_requests',
    'retention_cleanup_logs',
    'review_assignees',
    'review_links',
    'review_responses',
    'schedule_ticks',
    'schedulers',
    'service_permits',
    'service_starts',
    'service_states',
    'signal_waits',
    'task_attempts',
    'task_cache',
    'task_callbacks',
    'task_executions',
    // By workers, as they start.
    'task_types',
    'webhook_events',
    'workers',
    'workflow_executions',
    // Appended to only; the row of its definition says which is new.
    'workflow_versions',
  ]);
});

describe('GET /v1/audit', () => {
  test("lists the tenant's own changes, newest first, page by page", async () => {
    const all = (await call('GET', '/v1/audit?limit=200')).body.items as { id: string; at: string }[];
    expect(all.length).toBeGreaterThan(20);
    const pages: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path = `/v1/audit?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body } = await call('GET', path);
      pages.push(...body.items);
      cursor = body.nextCursor;
    }
    expect(pages).toEqual(all);
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
  });

  test.for([
    ['actor=user:bob', (item: Row) => item.actor === 'user:bob'],
    ['action=workflows.update', (item: Row) => item.action === 'workflows.update'],
    ['resourceType=webhooks', (item: Row) => item.resourceType === 'webhooks'],
    ['resourceType=workflows&resourceId=flow', (item: Row) => item.resourceId === 'flow'],
  ] as const)('?%s holds all that fit, and nothing else', async ([query, fits]) => {
    const all = (await call('GET', '/v1/audit?limit=200')).body.items as Row[];
    const { items } = (await call('GET', `/v1/audit?limit=200&${query}`)).body;
    expect(items.length).toBeGreaterThan(0);
    expect(items).toEqual(all.filter(fits));
  });

  test('?from and ?to cut to the millisecond: from is in, to is out', async () => {
    const all = (await call('GET', '/v1/audit?limit=200')).body.items as { at: string }[];
    const at = all[5]!.at;
    const from = (await call('GET', `/v1/audit?limit=200&from=${at}`)).body.items;
    expect(from).toEqual(all.filter((item) => item.at >= at));
    const to = (await call('GET', `/v1/audit?limit=200&to=${at}`)).body.items;
    expect(to).toEqual(all.filter((item) => item.at < at));
    const bad = await call('GET', '/v1/audit?from=yesterday');
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([400, '/query/from']);
  });

  test('?installation shows what has no tenant, to the operator only', async () => {
    expect((await call('GET', '/v1/audit?installation=true')).status).toBe(403);
    const { items } = (
      await service.call('GET', '/v1/audit?installation=true', {
        key: ADMIN_KEY,
        tenantId: DEFAULT_TENANT_ID,
      })
    ).body;
    expect(new Set(items.map((item: Row) => item.resourceType))).toEqual(
      new Set(['pricing', 'service-limits', 'services']),
    );
  });
});

test("saving a definition from the command line or a test is the named actor's", async () => {
  await newRows();
  await applyDefinition(service.database, acme.id, graph('a', { more: { workflowId: 'applied' } }), 'cli');
  expect(await newRows()).toMatchObject([
    { actor: 'cli', action: 'workflows.create', resourceId: 'applied' },
  ]);
});
