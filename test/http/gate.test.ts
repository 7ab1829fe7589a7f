// The door: scopes, rates, and what a service without keys lets in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';
import { addEchoRoutes, ECHO } from './support/echo.ts';

describe('a service without keys', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await openService({ addRoutes: addEchoRoutes() });
  });
  afterAll(() => service.close());
  const get = (headers: Record<string, string>) => service.call('GET', ECHO, { headers });

  it.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '127.1.2.3', '[::1]:3000', 'LOCALHOST:1'])(
    'answers to the name %s',
    async (host) => {
      expect((await get({ host })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.0.0.1',
    '127.0.0.1@evil.example',
  ])('does not answer to the name "%s", which may resolve to this machine', async (host) => {
    const answer = await get({ host });
    expect([answer.status, answer.body.code]).toEqual([403, 'host_not_allowed']);
  });

  it('answers no page of another site', async () => {
    for (const origin of [
      'https://evil.example',
      'http://localhost:8080',
      'null',
      'http://127.0.0.1:3000.evil.example',
    ])
      expect((await get({ origin })).body.code, origin).toBe('origin_not_allowed');
    expect((await get({ 'sec-fetch-site': 'cross-site' })).body.code).toBe('origin_not_allowed');
    expect((await get({ origin: 'http://127.0.0.1:3000' })).status).toBe(200);
    expect(
      (await service.call('POST', ECHO, { body: { name: 'x' }, headers: { origin: 'https://evil.example' } }))
        .status,
    ).toBe(403);
  });
});

describe('a service with keys', () => {
  let service: TestService;
  // The clock of rates stands still unless a test moves it.
  let nowMs = 5_000;
  beforeAll(async () => {
    service = await openService({
      nowMs: () => nowMs,
      withKeys: true,
      addRoutes: addEchoRoutes(),
      settings: { rateLimit: 20 },
    });
  });
  afterAll(() => service.close());
  it('takes another name and another site: the key says who calls', async () => {
    const { key } = await service.tenant('elsewhere');
    const headers = { host: 'flows.example.org', origin: 'https://app.example.org' };
    expect((await service.call('GET', ECHO, { key, headers })).status).toBe(200);
  });

  it('looks for the scope before it reads the body', async () => {
    const { key } = await service.tenant('reader', { roles: [], scopes: ['stats:read'] });
    expect((await service.call('GET', ECHO, { key })).status).toBe(200);
    const answer = await service.call('POST', ECHO, { key, body: '{ broken' });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.body.detail).toContain('stats:write');
    expect((await service.call('GET', '/v1/tenants', { key })).status).toBe(403);
    expect((await service.call('POST', ECHO, { body: '{ broken' })).status).toBe(401);
  });

  it("wants the tenant named with the operator's key", async () => {
    const { id } = await service.tenant('named');
    const answer = await service.call('GET', ECHO, { key: ADMIN_KEY });
    expect([answer.status, answer.body.code]).toEqual([400, 'tenant_missing']);
    expect((await service.call('GET', ECHO, { key: ADMIN_KEY, tenantId: id })).status).toBe(200);
  });

  it("refuses more requests in a second than a key may make, and no other key's", async () => {
    const greedy = await service.tenant('greedy');
    const modest = await service.tenant('modest');
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => service.call('GET', ECHO, { key: greedy.key })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(40);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(refused[0]).toMatchObject({
      headers: { 'retry-after': '1', 'ratelimit-limit': '20', 'ratelimit-remaining': '0' },
      body: { code: 'rate_limited' },
    });
    expect((await service.call('GET', ECHO, { key: modest.key })).status).toBe(200);
    nowMs += 1_000;
    expect((await service.call('GET', ECHO, { key: greedy.key })).status).toBe(200);
  });

  it('answers 429 to an address that sends too many wrong keys, and still serves its good ones', async () => {
    const good = await service.tenant('behind-the-same-proxy');
    const guess = (i: number) =>
      service.call('GET', ECHO, { key: `dw_${i.toString(16).padStart(32, '0')}_${'A'.repeat(43)}` });
    const statuses = (await Promise.all(Array.from({ length: 250 }, (_, i) => guess(i)))).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(200);
    expect(statuses.filter((status) => status === 429)).toHaveLength(50);
    expect((await service.call('GET', ECHO, { key: good.key })).status).toBe(200);
    nowMs += 1_000;
    expect((await guess(0)).status).toBe(401);
  });
});
