// What belongs to the installation: limits of outside services and prices. Tenants read them, the operator sets them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { openService as openBreaker, pauseService, readServices } from '../../src/db/resources/services.ts';
import { ADMIN_KEY, type CallOptions, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };

beforeAll(async () => {
  service = await openService({ withKeys: true });
  acme = await service.tenant('acme');
});
afterAll(() => service.close());

const asOperator = (method: string, path: string, options: CallOptions = {}) =>
  service.call(method, path, { key: ADMIN_KEY, tenantId: DEFAULT_TENANT_ID, ...options });
const asTenant = (method: string, path: string, options: CallOptions = {}) =>
  service.call(method, path, { key: acme.key, ...options });
const audited = (type: string) =>
  service.query<{ actor: string; action: string; resource_id: string }>(
    `select actor, action, resource_id from dagwright.audit_logs where resource_type = $1 and tenant_id is null order by id`,
    [type],
  );

describe('limits of services', () => {
  test('the operator sets, changes and lifts them; every step is audited', async () => {
    const set = await asOperator('PUT', '/v1/service-limits/openai', {
      body: { maxConcurrency: 4, rateLimit: 60, rateIntervalSeconds: 60 },
    });
    expect([set.status, set.body]).toEqual([
      200,
      { serviceId: 'openai', maxConcurrency: 4, rateLimit: 60, rateIntervalSeconds: 60 },
    ]);
    expect((await readServices(service.database.engine)).limits.get('openai')).toEqual({
      maxConcurrency: 4,
      rateLimit: 60,
      rateIntervalMs: 60_000,
    });
    const changed = await asOperator('PUT', '/v1/service-limits/openai', {
      body: { rateLimit: null, rateIntervalSeconds: null },
    });
    expect(changed.body).toEqual({
      serviceId: 'openai',
      maxConcurrency: 4,
      rateLimit: null,
      rateIntervalSeconds: null,
    });
    const isWell = { state: 'closed', openings: 0, retryInMs: 0, lastError: null };
    expect((await asTenant('GET', '/v1/service-limits')).body).toEqual({
      items: [{ ...changed.body, ...isWell, inFlight: null }],
      nextCursor: null,
    });
    expect((await asOperator('GET', '/v1/service-limits')).body.items).toEqual([
      { ...changed.body, ...isWell, inFlight: 0 },
    ]);
    expect((await asOperator('DELETE', '/v1/service-limits/openai')).status).toBe(204);
    expect((await asOperator('DELETE', '/v1/service-limits/openai')).status).toBe(404);
    expect(await audited('service-limits')).toEqual(
      ['create', 'update', 'delete'].map((verb) => ({
        actor: 'key:admin',
        action: `service-limits.${verb}`,
        resource_id: 'openai',
      })),
    );
  });

  test('a tenant sees what is held back of its own, the operator all, and closes it', async () => {
    const { engine } = service.database;
    const globex = await service.tenant('globex');
    const [own, other] = [`api.example.com@${acme.id}`, `api.example.com@${globex.id}`];
    for (const breaker of [own, other])
      await openBreaker(engine, breaker, { forMs: 60_000, code: 'http_503' });
    await pauseService(engine, `slow.example.com@${acme.id}`, { forMs: 60_000, code: 'rate_limited' });
    const named = async (answer: Promise<{ body: { items: { serviceId: string; state: string }[] } }>) =>
      (await answer).body.items.map(({ serviceId, state }) => [serviceId, state]);
    expect(await named(asTenant('GET', '/v1/service-limits'))).toEqual([
      [own, 'open'],
      [`slow.example.com@${acme.id}`, 'paused'],
    ]);
    expect(await named(asOperator('GET', '/v1/service-limits'))).toHaveLength(3);
    const [held] = (await asTenant('GET', '/v1/service-limits')).body.items;
    expect(held).toEqual({
      serviceId: own,
      maxConcurrency: null,
      rateLimit: null,
      rateIntervalSeconds: null,
      inFlight: null,
      state: 'open',
      openings: 1,
      retryInMs: expect.any(Number),
      lastError: 'http_503',
    });
    const reset = (id: string) => `/v1/service-limits/${encodeURIComponent(id)}/reset`;
    expect((await asTenant('POST', reset(own))).status).toBe(403);
    const one = await asOperator('POST', reset(own));
    expect([one.status, one.body]).toEqual([200, { serviceId: own, wasHeldBack: true }]);
    expect((await asOperator('POST', reset('slow.example.com'))).body.wasHeldBack).toBe(true);
    expect((await asOperator('POST', reset('api.example.com'))).body.wasHeldBack).toBe(true);
    expect((await asOperator('POST', reset('api.example.com'))).body.wasHeldBack).toBe(false);
    expect((await asOperator('GET', '/v1/service-limits')).body.items).toEqual([]);
  });

  test('a service may have any name that a definition may give it', async () => {
    for (const serviceId of ['a b', 'a\tb\u001b[2J', 'x'.repeat(200)]) {
      const path = `/v1/service-limits/${encodeURIComponent(serviceId)}`;
      const set = await asOperator('PUT', path, { body: { maxConcurrency: 1 } });
      expect([set.status, set.body.serviceId]).toEqual([200, serviceId]);
      expect((await asOperator('DELETE', path)).status).toBe(204);
    }
    const refused = await asOperator('PUT', `/v1/service-limits/${'x'.repeat(201)}`, {
      body: { maxConcurrency: 1 },
    });
    expect([refused.status, refused.body.errors[0].hint]).toEqual([
      400,
      expect.stringContaining('1 to 200 characters'),
    ]);
  });

  test('a tenant may read, not write', async () => {
    expect((await asTenant('PUT', '/v1/service-limits/x', { body: { maxConcurrency: 1 } })).status).toBe(403);
    expect((await asTenant('DELETE', '/v1/service-limits/x')).status).toBe(403);
  });

  test.for([
    [{}, ''],
    [{ maxConcurrency: 0 }, '/maxConcurrency'],
    [{ maxConcurrency: '4' }, '/maxConcurrency'],
    [{ rateLimit: 5 }, '/rateLimit'],
    [{ max: 5 }, '/max'],
  ] as const)('%j is refused', async ([body, pointer]) => {
    const refused = await asOperator('PUT', '/v1/service-limits/x', { body });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map((problem: { pointer: string }) => problem.pointer)).toContain(pointer);
  });
});

test('settings of a tenant that could not be stored or given back as they came are refused', async () => {
  const create = (settings: unknown) =>
    service.call('POST', '/v1/tenants', { key: ADMIN_KEY, body: { name: 'set', settings } });
  for (const settings of [
    { a: 1e20 },
    { a: Array.from({ length: 100_000 }, () => 1e300) },
    { a: 'x'.repeat(70_000) },
  ]) {
    const refused = await create(settings);
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([
      422,
      expect.stringMatching(/^\/settings/),
    ]);
  }
  const made = await create({ a: 1.5 });
  expect(made.status).toBe(201);
  const changed = await service.call('PATCH', `/v1/tenants/${made.body.id}`, {
    key: ADMIN_KEY,
    body: { settings: { a: 1e20 } },
  });
  expect(changed.status).toBe(422);
  const again = await create({});
  expect(again).toMatchObject({ status: 409, body: { code: 'name_taken', errors: [] } });
});

describe('prices', () => {
  test('are listed in pages that join without a gap', async () => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await asTenant('GET', '/v1/pricing', {
        query: { provider: 'anthropic', limit: 7, ...(cursor === undefined ? {} : { cursor }) },
      });
      expect(page.status).toBe(200);
      names.push(...page.body.items.map((item: { model: string }) => item.model));
      cursor = page.body.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(names.length).toBeGreaterThan(10);
    expect(names).toEqual([...new Set(names)].sort());
  });

  test('of several models of one name none is lost between two pages', async () => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await asTenant('GET', '/v1/pricing', {
        query: { provider: 'azure', limit: 1, ...(cursor === undefined ? {} : { cursor }) },
      });
      names.push(...page.body.items.map((item: { model: string }) => item.model));
      cursor = page.body.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const all = await asTenant('GET', '/v1/pricing', { query: { provider: 'azure', limit: 200 } });
    expect(names).toEqual(all.body.items.map((item: { model: string }) => item.model));
    expect(new Set(names).size).toBeLessThan(names.length);
  });

  test('a model may have any name that providers give, within bounds', async () => {
    const rates = { inputUsdPerMillion: '1', outputUsdPerMillion: '2' };
    for (const model of ['a b', 'meta/llama3:8b', 'x'.repeat(300)]) {
      const body = { provider: 'spaced', model, ...rates };
      const set = await asOperator('POST', '/v1/pricing', { body });
      expect([set.status, set.body.model]).toEqual([201, model]);
      const path = `/v1/pricing/spaced/${encodeURIComponent(model)}`;
      expect((await asOperator('DELETE', path)).status).toBe(204);
    }
    for (const model of ['', ' a', 'a ', 'a\nb', 'x'.repeat(301)]) {
      const body = { provider: 'spaced', model, ...rates };
      const refused = await asOperator('POST', '/v1/pricing', { body });
      const [problem] = refused.body.errors;
      expect([refused.status, problem.pointer, problem.hint]).toEqual([
        422,
        '/model',
        expect.stringContaining('1 to 300 characters'),
      ]);
    }
  });

  test("the operator's go before the library's, exactly, and can be taken away", async () => {
    const body = {
      provider: 'ollama',
      model: 'meta/llama3',
      inputUsdPerMillion: '0.10',
      outputUsdPerMillion: '0.000000000000000001',
    };
    const set = await asOperator('POST', '/v1/pricing', { body });
    expect(set.status).toBe(201);
    expect(set.body).toMatchObject({
      source: 'operator',
      effectiveFrom: null,
      inputUsdPerMillion: '0.1',
      outputUsdPerMillion: '0.000000000000000001',
    });
    const found = await asTenant('GET', '/v1/pricing', { query: { provider: 'ollama' } });
    expect(found.body.items).toEqual([set.body]);
    expect((await asTenant('POST', '/v1/pricing', { body })).status).toBe(403);
    expect((await asOperator('DELETE', '/v1/pricing/ollama/meta/llama3')).status).toBe(204);
    expect((await asOperator('DELETE', '/v1/pricing/ollama/meta/llama3')).status).toBe(404);
    expect((await asTenant('GET', '/v1/pricing', { query: { provider: 'ollama' } })).body.items).toEqual([]);
  });

  test('one is set once for an Idempotency-Key, and from no instant that the database does not know', async () => {
    const body = { provider: 'once', model: 'm', inputUsdPerMillion: '1', outputUsdPerMillion: '2' };
    const headers = { 'idempotency-key': 'price-1' };
    const first = await asOperator('POST', '/v1/pricing', { body, headers });
    const again = await asOperator('POST', '/v1/pricing', { body, headers });
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
    const other = await asOperator('POST', '/v1/pricing', { body: { ...body, model: 'n' }, headers });
    expect(other.status).toBe(409);
    expect((await asTenant('GET', '/v1/pricing', { query: { provider: 'once' } })).body.items).toHaveLength(
      1,
    );
    for (const effectiveFrom of [
      '9999-12-31T23:59:59-14:00',
      '0001-01-01T00:00:00+14:00',
      '0000-01-01T00:00:00Z',
    ]) {
      const refused = await asOperator('POST', '/v1/pricing', { body: { ...body, effectiveFrom } });
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, '/effectiveFrom']);
    }
  });

  test.for([
    [{ provider: 'a/b', model: 'm', inputUsdPerMillion: '1', outputUsdPerMillion: '1' }, '/provider'],
    [{ provider: 'a', model: 'm', inputUsdPerMillion: 1, outputUsdPerMillion: '1' }, '/inputUsdPerMillion'],
    [
      { provider: 'a', model: 'm', inputUsdPerMillion: '-1', outputUsdPerMillion: '1' },
      '/inputUsdPerMillion',
    ],
    [
      { provider: 'a', model: 'm', inputUsdPerMillion: '1', outputUsdPerMillion: '1', effectiveFrom: 'soon' },
      '/effectiveFrom',
    ],
  ] as const)('%j is refused', async ([body, pointer]) => {
    const refused = await asOperator('POST', '/v1/pricing', { body });
    expect([
      refused.status,
      refused.body.errors.map((problem: { pointer: string }) => problem.pointer),
    ]).toEqual([422, [pointer]]);
  });
});
