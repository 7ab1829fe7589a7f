// Webhooks as their owners manage them: made, changed, listed; their events shown and replayed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, makeWebhook, ORDERS, STRICT, traces } from './support/hooks.ts';
import { fromHmac, type SentDelivery } from './support/senders.ts';

let service: TestService;
let acme: { id: string; key: string };
let globex: { id: string; key: string };
beforeAll(async () => {
  service = await openService({
    secrets: secretsInEnvironment({ SHOP: 'from-the-environment-1', SHORT: 'abc' }, { isShared: true }),
  });
  acme = await service.tenant('acme');
  globex = await service.tenant('globex');
  for (const { id } of [acme, globex]) await applyTo(service, [ORDERS, STRICT], id);
});
afterAll(() => service.close());

const call = (method: string, path: string, body?: unknown, key = acme.key) =>
  service.call(method, path, { key, ...(body === undefined ? {} : { body }) });
const make = (given: Record<string, unknown> = {}) => makeWebhook(service, given, acme.key);
const deliver = async (path: string, { body, headers }: SentDelivery) =>
  await service.call('POST', `/hooks/${path}`, { body, headers });

describe('making a webhook', () => {
  it('answers 201 with it, its URL and the secret that was made; GET never shows the secret', async () => {
    const answer = await call('POST', '/v1/webhooks', {
      workflowId: 'orders',
      path: 'first',
      verifier: 'github',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      path: 'acme/first',
      url: 'http://127.0.0.1:3000/hooks/acme/first',
      authType: 'none',
      verifier: 'github',
      status: 'active',
      hasSecret: true,
      secrets: [{ createdAt: expect.any(String), expiresAt: null }],
    });
    const { secret, ...shown } = answer.body;
    expect(Object.keys(shown).sort()).toEqual(
      [
        ...[
          'id',
          'workflowId',
          'workflowStatus',
          'path',
          'url',
          'authType',
          'verifier',
          'options',
          'methods',
          'handshakes',
          'respond',
          'warnings',
          'inputMapping',
          'filters',
          'priority',
        ],
        ...['status', 'hasSecret', 'secrets', 'fromDefinition', 'removedAt', 'createdBy'],
        ...['createdAt', 'updatedAt'],
      ].sort(),
    );
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect((await call('GET', `/v1/webhooks/${shown.id}`)).body).toEqual(shown);
    const list = await call('GET', '/v1/webhooks');
    expect(list.body.items).toContainEqual(shown);
    expect(JSON.stringify(list.body)).not.toContain(secret);
  });

  it('is closed where nothing is said: a secret in a header. Open only by authType none', async () => {
    const closed = await call('POST', '/v1/webhooks', { workflowId: 'orders', path: 'closed' });
    expect(closed.body).toMatchObject({ authType: 'secret', hasSecret: true, secret: expect.any(String) });
    expect((await deliver('acme/closed', { body: '{}', headers: {} })).status).toBe(401);
    const open = await call('POST', '/v1/webhooks', { workflowId: 'orders', path: 'open', authType: 'none' });
    expect(open.body).toMatchObject({ hasSecret: false, secrets: [] });
    expect((await deliver('acme/open', { body: '{}', headers: {} })).status).toBe(202);
  });

  it.each([
    ['orders/eu', 'acme/orders/eu'],
    ['acme/orders/us', 'acme/orders/us'],
    ['acme2/orders', 'acme/acme2/orders'],
  ])('takes the path %s with and without the tenant before it', async (path, full) => {
    expect((await make({ path })).path).toBe(full);
  });

  it.each(['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'A', 'a b', 'a?b', 'é', '-a', 'a/_b', 'x'.repeat(201)])(
    'refuses the path %j',
    async (path) => {
      const answer = await call('POST', '/v1/webhooks', { workflowId: 'orders', path });
      expect(answer.status).toBe(422);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer: '/path' }));
    },
  );

  it('tells all problems at once, each with its pointer', async () => {
    const answer = await call('POST', '/v1/webhooks', {
      workflowId: 'orders',
      path: 'Not A Path',
      verifier: 'hmac',
      options: { signatureHeader: 'not a header' },
      inputMapping: { a: '{{ boddy.x }}' },
      filters: [{ fieldPath: 'body.a', operator: 'is', value: 1 }],
    });
    expect(answer.status).toBe(422);
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers).toEqual(
      expect.arrayContaining(['/path', '/options/signatureHeader', '/inputMapping/a', '/filters/0/operator']),
    );
  });

  it('refuses unknown fields, an unknown workflow, a secret that does not fit, and a taken path', async () => {
    const post = async (more: Record<string, unknown>) =>
      await call('POST', '/v1/webhooks', { workflowId: 'orders', path: 'refused', ...more });
    expect((await post({ pathh: 'x' })).body.errors[0]).toMatchObject({ pointer: '/pathh' });
    expect((await post({ workflowId: 'nothing' })).body.errors[0]).toMatchObject({ pointer: '/workflowId' });
    expect(
      (await post({ verifier: 'standard_webhooks', secret: 'whsec_short' })).body.errors[0],
    ).toMatchObject({
      pointer: '/secret',
    });
    expect((await post({ secret: '{{ secrets.NOWHERE }}' })).body.errors[0]).toMatchObject({
      pointer: '/secret',
    });
    expect((await post({ secret: '{{ secrets.SHORT }}' })).status).toBe(422);
    await make({ path: 'taken' });
    const taken = await post({ path: 'taken' });
    expect([taken.status, taken.body.code]).toEqual([409, 'path_taken']);
  });

  it('twice under one Idempotency-Key makes one, and shows its secret to the same caller again', async () => {
    const body = { workflowId: 'orders', path: 'once' };
    const headers = { 'idempotency-key': 'make-once' };
    const [a, b] = await Promise.all(
      [1, 2].map(() => service.call('POST', '/v1/webhooks', { key: acme.key, body, headers })),
    );
    expect([a!.status, b!.status]).toEqual([201, 201]);
    expect(a!.body).toEqual(b!.body);
    expect(a!.body.secret).toEqual(expect.any(String));
  });
});

describe('changing a webhook', () => {
  it('PATCH changes what it names; PUT goes back to defaults for the rest, and keeps the secret', async () => {
    const filters = [
      { fieldPath: 'body.a', operator: 'equals', value: null, logicGroup: 'x' },
      { fieldPath: 'body.b', operator: 'exists' },
    ];
    const hook = await make({ priority: 9, filters, verifier: 'hmac' });
    const patched = await call('PATCH', `/v1/webhooks/${hook.id}`, { priority: 2, path: 'renamed' });
    expect(patched.body).toMatchObject({ priority: 2, path: 'acme/renamed', filters, verifier: 'hmac' });
    const put = await call('PUT', `/v1/webhooks/${hook.id}`, {
      workflowId: 'strict',
      path: 'renamed',
      verifier: 'hmac',
    });
    expect(put.body).toMatchObject({ workflowId: 'strict', priority: 5, filters: [], hasSecret: true });
    expect(
      (await deliver('acme/renamed', fromHmac('{"name":"x"}', { secret: hook.secret, id: '1' }))).body.status,
    ).toBe('processed');
  });

  it('its priority is that of the runs it starts', async () => {
    const hook = await make({ verifier: 'hmac', priority: 9 });
    const { executionId } = (await deliver(hook.path, fromHmac('{}', { secret: hook.secret, id: '1' }))).body;
    const rows = await service.query('select priority from dagwright.workflow_executions where id = $1', [
      executionId,
    ]);
    expect(rows).toEqual([{ priority: 9 }]);
  });

  it('pausing refuses deliveries, and resuming takes them again', async () => {
    const hook = await make({ verifier: 'hmac' });
    const delivery = fromHmac('{}', { secret: hook.secret, id: '1' });
    await call('PATCH', `/v1/webhooks/${hook.id}`, { status: 'paused' });
    expect((await deliver(hook.path, delivery)).status).toBe(401);
    await call('PATCH', `/v1/webhooks/${hook.id}`, { status: 'active' });
    expect((await deliver(hook.path, delivery)).status).toBe(202);
  });

  it('a change that the secrets do not fit is refused', async () => {
    const open = await make({ authType: 'none' });
    const bare = await call('PATCH', `/v1/webhooks/${open.id}`, { authType: 'bearer' });
    expect([bare.status, bare.body.errors?.[0]?.pointer]).toEqual([422, '/secret']);
    const github = await make({ verifier: 'github', secret: 'no base64 of anything' });
    const standard = await call('PATCH', `/v1/webhooks/${github.id}`, { verifier: 'standard_webhooks' });
    expect([standard.status, standard.body.errors?.[0]?.pointer]).toEqual([422, '/secret']);
  });

  it('moving to a taken path is 409 and changes nothing', async () => {
    const [a, b] = [await make(), await make()];
    const moved = await call('PATCH', `/v1/webhooks/${a.id}`, { path: b.path });
    expect([moved.status, moved.body.code]).toEqual([409, 'path_taken']);
    expect((await call('GET', `/v1/webhooks/${a.id}`)).body.path).toBe(a.path);
  });

  it('one of a definition changes by hand only in status and secret; its definition says the rest', async () => {
    const path = 'of-a-file';
    const flow = (id: string) => ({ ...ORDERS, workflowId: id, triggers: [{ type: 'webhook', path }] });
    const put = (id: string) => call('PUT', `/v1/workflows/${id}`, flow(id));
    expect((await put('filed')).status).toBe(201);
    const listed = await call('GET', '/v1/webhooks?workflowId=filed');
    const [{ id }] = listed.body.items;
    for (const change of [
      { path: 'elsewhere' },
      { workflowId: 'orders' },
      { filters: [] },
      { priority: 1 },
    ]) {
      const answer = await call('PATCH', `/v1/webhooks/${id}`, change);
      expect([answer.status, answer.body.code]).toEqual([409, 'from_definition']);
    }
    expect((await call('PUT', `/v1/webhooks/${id}`, { workflowId: 'filed', path })).status).toBe(409);
    for (const change of [{ status: 'paused' }, { secret: 'another-secret-of-ours' }])
      expect((await call('PATCH', `/v1/webhooks/${id}`, change)).status).toBe(200);
    expect((await put('filed')).body).toMatchObject({ outcome: 'unchanged' });
    expect((await call('GET', `/v1/webhooks/${id}`)).body).toMatchObject({
      path: `acme/${path}`,
      status: 'paused',
    });
  });

  it('DELETE takes filters and events along; runs stay', async () => {
    const hook = await make({ verifier: 'hmac', filters: [{ fieldPath: 'body.a', operator: 'exists' }] });
    await deliver(hook.path, fromHmac('{"a":1}', { secret: hook.secret, id: '1' }));
    expect((await call('DELETE', `/v1/webhooks/${hook.id}`)).status).toBe(204);
    expect((await call('GET', `/v1/webhooks/${hook.id}`)).status).toBe(404);
    expect(await traces(service, hook.id)).toEqual({ events: 0, executions: 1 });
    expect((await deliver(hook.path, fromHmac('{"a":1}', { secret: hook.secret, id: '2' }))).status).toBe(
      401,
    );
  });
});

describe('events', () => {
  it('are listed newest first without their bodies, by status and page, and shown with them', async () => {
    const filters = [{ fieldPath: 'body.n', operator: 'gt', value: 2 }];
    const hook = await make({ verifier: 'hmac', filters });
    for (let n = 1; n <= 5; n++)
      await deliver(hook.path, fromHmac(JSON.stringify({ n }), { secret: hook.secret, id: `d${n}` }));
    const path = `/v1/webhooks/${hook.id}/events`;
    const first = await call('GET', `${path}?limit=2`);
    const second = await call('GET', `${path}?limit=2&cursor=${first.body.nextCursor}`);
    const ids = [...first.body.items, ...second.body.items].map(
      ({ deliveryId }: { deliveryId: string }) => deliveryId,
    );
    expect(ids).toEqual(['d5', 'd4', 'd3', 'd2']);
    expect(first.body.items[0]).not.toHaveProperty('body');
    expect((await call('GET', `${path}?status=filtered`)).body.items).toHaveLength(2);
    expect((await call('GET', `${path}?status=nonsense`)).status).toBe(400);
    const shown = await call('GET', `${path}/${first.body.items[0].id}`);
    expect(shown.body).toMatchObject({
      deliveryId: 'd5',
      body: { n: 5 },
      method: 'POST',
      status: 'processed',
    });
    expect(JSON.stringify(shown.body)).not.toContain('sha256=');
  });

  it('one that failed is replayed after the mapping was mended, and starts its run', async () => {
    const hook = await make({
      workflowId: 'strict',
      verifier: 'hmac',
      inputMapping: { name: '{{ body.nmae }}' },
    });
    const delivery = fromHmac('{"name":"Ann"}', { secret: hook.secret, id: 'd1' });
    const failed = await deliver(hook.path, delivery);
    expect(failed.body).toEqual({ eventId: expect.any(String), status: 'failed' });
    const event = `/v1/webhooks/${hook.id}/events/${failed.body.eventId}`;
    expect((await call('GET', event)).body).toMatchObject({
      status: 'failed',
      executionId: null,
      error: { code: 'missing_path' },
    });
    expect((await call('POST', `${event}/replay`)).body).toEqual(failed.body);
    await call('PATCH', `/v1/webhooks/${hook.id}`, { inputMapping: { name: '{{ body.name }}' } });
    const replayed = await call('POST', `${event}/replay`);
    expect(replayed.status).toBe(202);
    expect(replayed.body).toEqual({
      eventId: failed.body.eventId,
      status: 'processed',
      executionId: expect.any(String),
    });
    expect((await call('GET', event)).body).toMatchObject({ status: 'processed', error: null, replays: 2 });
    const again = await deliver(hook.path, delivery);
    expect(again.body).toEqual(replayed.body);
  });

  it('one that was processed starts another run when replayed; its sender is still told the first', async () => {
    const hook = await make({ verifier: 'hmac' });
    const delivery = fromHmac('{"n":1}', { secret: hook.secret, id: 'd1' });
    const first = await deliver(hook.path, delivery);
    const path = `/v1/webhooks/${hook.id}/events/${first.body.eventId}`;
    const replayed = await call('POST', `${path}/replay`);
    expect(replayed.body.executionId).not.toBe(first.body.executionId);
    expect((await call('GET', path)).body).toMatchObject({
      executionId: first.body.executionId,
      replayExecutionId: replayed.body.executionId,
      replays: 1,
    });
    expect((await deliver(hook.path, delivery)).body).toEqual(first.body);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 2 });
  });

  it('a replay is once per Idempotency-Key, and in the audit trail with who asked', async () => {
    const hook = await make({ verifier: 'hmac' });
    const { eventId } = (await deliver(hook.path, fromHmac('{}', { secret: hook.secret, id: 'd1' }))).body;
    const path = `/v1/webhooks/${hook.id}/events/${eventId}/replay`;
    const headers = { 'idempotency-key': 'replay-once' };
    const answers = await Promise.all(
      [1, 2, 3].map(() => service.call('POST', path, { key: acme.key, headers })),
    );
    expect(new Set(answers.map(({ body }) => body.executionId)).size).toBe(1);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 2 });
    const rows = await service.query(
      `select actor like 'key:%' as "byKey", tenant_id = $2 as own from dagwright.audit_logs where action = 'webhooks.replay' and resource_id = $1`,
      [eventId, acme.id],
    );
    expect(rows).toEqual([{ byKey: true, own: true }]);
  });

  it.each([
    [
      'is archived',
      `update dagwright.workflow_definitions set status = 'archived' where tenant_id = $1 and workflow_id = 'sleepy'`,
      'not_active',
    ],
    [
      'needs a higher tier',
      `update dagwright.workflow_versions set min_tier = 99 where tenant_id = $1 and workflow_id = 'sleepy'`,
      'tier_too_low',
    ],
  ])('fail, and can be replayed, while the workflow %s', async (_what, change, code) => {
    await applyTo(service, [{ ...ORDERS, workflowId: 'sleepy' }], acme.id);
    const hook = await make({ workflowId: 'sleepy', verifier: 'hmac' });
    await service.query(change, [acme.id]);
    const failed = await deliver(hook.path, fromHmac('{}', { secret: hook.secret, id: 'd1' }));
    expect(failed.body.status).toBe('failed');
    const path = `/v1/webhooks/${hook.id}/events/${failed.body.eventId}`;
    expect((await call('GET', path)).body.error.code).toBe(code);
    await service.query(
      `update dagwright.workflow_definitions set status = 'active' where workflow_id = 'sleepy'`,
    );
    await service.query(`update dagwright.workflow_versions set min_tier = 1 where workflow_id = 'sleepy'`);
    expect((await call('POST', `${path}/replay`)).body.status).toBe('processed');
  });
});

describe('another tenant', () => {
  it('sees, changes and replays nothing: 404', async () => {
    const hook = await make({ verifier: 'hmac' });
    const { eventId } = (await deliver(hook.path, fromHmac('{}', { secret: hook.secret, id: 'd1' }))).body;
    const own = `/v1/webhooks/${hook.id}`;
    for (const [method, path, body] of [
      ['GET', own],
      ['PATCH', own, { priority: 1 }],
      ['PUT', own, { workflowId: 'orders', path: 'x' }],
      ['DELETE', own],
      ['GET', `${own}/events`],
      ['GET', `${own}/events/${eventId}`],
      ['POST', `${own}/events/${eventId}/replay`],
    ] as const)
      expect((await call(method, path, body, globex.key)).status, `${method} ${path}`).toBe(404);
    expect((await call('GET', '/v1/webhooks', undefined, globex.key)).body.items).toEqual([]);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it('a key without the scope gets 403', async () => {
    const viewer = await service.tenant('viewers', { roles: ['viewer'] });
    expect((await call('GET', '/v1/webhooks', undefined, viewer.key)).status).toBe(200);
    const refused = await call('POST', '/v1/webhooks', { workflowId: 'orders', path: 'x' }, viewer.key);
    expect(refused.status).toBe(403);
  });
});
