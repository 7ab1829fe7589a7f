// The door: scopes, rates, and what a service without keys lets in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createProxyCheck } from '../../src/http/caller/proxies.ts';
import type { Api } from '../../src/http/server/api.ts';
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

describe('a service without keys, behind a proxy of this machine that tells for whom it asks', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await openService({ addRoutes: addEchoRoutes() });
  });
  afterAll(() => service.close());
  const get = (headers: Record<string, string>) => service.call('GET', ECHO, { headers });

  it.each<Record<string, string>>([
    { 'x-forwarded-for': '203.0.113.7' },
    { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' },
    { 'x-forwarded-for': '203.0.113.7, 127.0.0.1' },
    { 'x-forwarded-for': 'unknown' },
    { 'x-real-ip': '2001:db8::7' },
    { 'cf-connecting-ip': '203.0.113.7' },
    { forwarded: 'for=203.0.113.7;proto=https' },
    { forwarded: 'for="[2001:db8::7]:4711"' },
    { forwarded: 'for=127.0.0.1, for=203.0.113.7' },
    { forwarded: 'by=10.0.0.1' },
    { 'x-forwarded-host': 'flows.example.org' },
  ])('answers nobody elsewhere: %j', async (headers) => {
    const answer = await get(headers);
    expect([answer.status, answer.body.code]).toEqual([403, 'forwarded_not_allowed']);
  });

  it.each<Record<string, string>>([
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-for': '::1, ::ffff:127.0.0.1' },
    { forwarded: 'for=127.0.0.1;host=localhost' },
    { 'x-forwarded-host': 'localhost:5173', 'x-forwarded-for': '127.0.0.1:50312' },
  ])('answers this machine: %j', async (headers) => {
    expect((await get(headers)).status).toBe(200);
  });
});

describe('the address of a caller', () => {
  const ADDRESS = '/v1/stats/address';
  const addRoutes = (api: Api) => {
    addEchoRoutes()(api);
    api.get(ADDRESS, { config: { access: 'stats:read' } }, ({ address }) => ({ address }));
  };
  const told = { 'x-forwarded-for': '203.0.113.7, 198.51.100.9' };
  const addressIn = async (service: TestService, headers: Record<string, string>) => {
    const { body } = await service.call('GET', ADDRESS, {
      key: ADMIN_KEY,
      tenantId: DEFAULT_TENANT_ID,
      headers,
    });
    return body.address;
  };

  it('is that of its connection, whatever it says', async () => {
    await using service = await openService({ withKeys: true, addRoutes });
    expect(await addressIn(service, told)).toBe('127.0.0.1');
  });

  it('is what a trusted proxy tells, and no more than that', async () => {
    const isProxy = createProxyCheck(['127.0.0.0/8']);
    await using service = await openService({
      withKeys: true,
      addRoutes,
      settings: { isProxy },
    });
    expect(await addressIn(service, told)).toBe('198.51.100.9');
    expect(await addressIn(service, { 'x-forwarded-for': '203.0.113.7, 127.0.0.5' })).toBe('203.0.113.7');
    expect(await addressIn(service, { 'x-forwarded-for': '198.51.100.9:4711' })).toBe('198.51.100.9');
    expect(await addressIn(service, { 'x-forwarded-for': 'unknown' })).toBe('127.0.0.1');
    expect(await addressIn(service, {})).toBe('127.0.0.1');
  });

  it('counts wrong keys behind a trusted proxy by their sender', async () => {
    const isProxy = createProxyCheck(['127.0.0.1', '::1']);
    await using service = await openService({
      ...{ withKeys: true, nowMs: () => 0, addRoutes: addEchoRoutes() },
      settings: { isProxy },
    });
    const guess = (from: string) =>
      service.call('GET', ECHO, { key: 'dw_nonsense', headers: { 'x-forwarded-for': from } });
    for (let i = 0; i < 200; i++) await guess(`2001:db8:0:1::${i.toString(16)}`);
    // Of IPv6 a whole network is one sender's.
    expect((await guess('2001:db8:0:1:ffff::1')).status).toBe(429);
    expect((await guess('2001:db8:0:2::1')).status).toBe(401);
  });
});

describe('a refused key', () => {
  it('leaves a line with its id and the reason, never the key', async () => {
    await using service = await openService({ withKeys: true, addRoutes: addEchoRoutes() });
    const { key } = await service.tenant('known');
    const id = key.slice(3, 35).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    const wrong = `${key.slice(0, 36)}${'A'.repeat(43)}`;
    expect((await service.call('GET', ECHO, { key: wrong })).status).toBe(401);
    expect(service.logged).toHaveLength(1);
    const [line] = service.logged;
    expect(line).toContain('a caller was refused');
    for (const part of [id, 'its secret is wrong', '127.0.0.1', 'unauthorized', `GET ${ECHO}`])
      expect(line).toContain(part);
    expect(line).not.toContain('AAAA');
    expect(line).not.toContain(key.slice(36));
  });

  it('that is none of ours is not written at all: it may be the key of something else', async () => {
    await using service = await openService({ withKeys: true, addRoutes: addEchoRoutes() });
    await service.call('GET', ECHO, { key: 'sk-canary-canary-canary' });
    expect(service.logged).toHaveLength(1);
    expect(service.logged[0]).toContain('it is no key of this service');
    expect(service.logged[0]).not.toContain('canary');
  });

  it('of a suspended tenant, and one that is revoked or over, are told apart in the log only', async () => {
    let nowMs = 0;
    await using service = await openService({
      ...{ withKeys: true, nowMs: () => nowMs, addRoutes: addEchoRoutes() },
    });
    const set = (column: string, value: string, key: string) =>
      service.query(`update dagwright.${column} = ${value} where id = $1`, [
        key.slice(3, 35).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      ]);
    const [revoked, over] = [await service.tenant('revoked'), await service.tenant('over')];
    await set('api_keys set revoked_at', 'now()', revoked.key);
    await set('api_keys set expires_at', "now() - interval '1 s'", over.key);
    for (const { key } of [revoked, over]) {
      expect((await service.call('GET', ECHO, { key })).body.detail).toMatch(/not known, or not valid/);
      nowMs += 1_000;
    }
    expect(service.logged.map((line) => /"reason":"([^"]*)"/.exec(line)?.[1])).toEqual([
      'it is revoked',
      'it has expired',
    ]);
  });

  it('does not fill the log: a line a second of one address, which says how many it left out', async () => {
    let nowMs = 0;
    await using service = await openService({
      ...{ withKeys: true, nowMs: () => nowMs, addRoutes: addEchoRoutes() },
    });
    for (let i = 0; i < 50; i++) await service.call('GET', ECHO, { key: 'dw_nonsense' });
    expect(service.logged).toHaveLength(1);
    nowMs += 1_000;
    await service.call('GET', ECHO, { key: 'dw_nonsense' });
    expect(service.logged).toHaveLength(2);
    expect(service.logged[1]).toContain('"untold":49');
  });

  it('is another thing than no key at all, which leaves no line', async () => {
    await using service = await openService({ withKeys: true, addRoutes: addEchoRoutes() });
    expect((await service.call('GET', ECHO)).status).toBe(401);
    expect(service.logged).toEqual([]);
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
