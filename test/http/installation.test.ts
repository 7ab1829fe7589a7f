// What belongs to the installation: limits of outside services and prices. Tenants read them, the operator sets them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/default-tenant.ts';
import { readServices } from '../../src/db/services.ts';
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
    expect((await asTenant('GET', '/v1/service-limits')).body).toEqual({
      items: [changed.body],
      nextCursor: null,
    });
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
