// Keys and actors (CONTRACT 6): who may call what, as whom, and for how long.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES } from '../../src/core/caller/access.ts';
import { newId } from '../../src/core/id.ts';
import { recordUse } from '../../src/db/resources/api-keys.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createAuthenticator } from '../../src/http/caller/authenticate.ts';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };

beforeAll(async () => {
  service = await openService({ withKeys: true });
  acme = await service.tenant('acme');
});
afterAll(() => service.close());

/** Asks the authenticator alone, under a clock of its own. */
function askAt(clock: { now: number }, adminKey?: string) {
  const authenticate = createAuthenticator(
    { database: service.database, settings: { adminKey, rateLimit: 1, isLoopback: true } },
    () => clock.now,
  );
  return (headers: Record<string, string>, access: 'operator' | 'executions:read' = 'executions:read') =>
    authenticate({ headers, routeOptions: { config: { access } } } as never);
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const revoke = (key: string) =>
  service.query('update dagwright.api_keys set revoked_at = now() where id = $1', [idOf(key)]);
const idOf = (key: string) => key.slice(3, 35).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

describe('a key', () => {
  test('is shown once, and only a SHA-256 of its secret is stored', async () => {
    const made = await service.call('POST', '/v1/api-keys', {
      key: acme.key,
      body: { name: 'ci', roles: ['viewer'] },
    });
    expect(made.status).toBe(201);
    expect(made.body.key).toMatch(/^dw_[0-9a-f]{32}_[\w-]{43}$/);
    expect(idOf(made.body.key)).toBe(made.body.id);
    const shown = await service.call('GET', `/v1/api-keys/${made.body.id}`, { key: acme.key });
    expect(shown.body).not.toHaveProperty('key');
    expect(shown.body).toMatchObject({ name: 'ci', roles: ['viewer'], scopes: [], revokedAt: null });
    const [row] = await service.query<{ row: string; hash: Buffer }>(
      'select row_to_json(k)::text as row, secret_hash as hash from dagwright.api_keys k where id = $1',
      [made.body.id],
    );
    const secret = made.body.key.slice(36);
    expect(row!.row).not.toContain(secret);
    expect(row!.hash).toEqual(createHash('sha256').update(secret).digest());
  });

  test('lies nowhere in the database, not even where its answer is kept for an Idempotency-Key', async () => {
    const ask = () =>
      service.call('POST', '/v1/api-keys', {
        key: acme.key,
        body: { name: 'kept', roles: ['viewer'] },
        headers: { 'idempotency-key': 'kept-answer' },
      });
    const [first, again] = [await ask(), await ask()];
    expect(again.body).toEqual(first.body);
    const tables = await service.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'dagwright'::regnamespace and relkind = 'r'`,
    );
    for (const { name } of tables) {
      const found = await service.query(
        `select from dagwright.${name} t where position($1 in t::text) > 0 or position($2 in t::text) > 0`,
        [first.body.key.slice(36), Buffer.from(first.body.key.slice(36)).toString('hex')],
      );
      expect([name, found.length]).toEqual([name, 0]);
    }
  });

  test('that is unknown, malformed, wrong, expired or revoked gets one and the same answer', async () => {
    const other = await service.tenant('gone');
    await revoke(other.key);
    const late = await service.tenant('late');
    await service.query(`update dagwright.api_keys set expires_at = now() - interval '1 s' where id = $1`, [
      idOf(late.key),
    ]);
    const last = acme.key.at(-1) === 'A' ? 'B' : 'A';
    const answers = await Promise.all(
      [
        `dw_${'0'.repeat(32)}_${'A'.repeat(43)}`,
        'dw_',
        'nonsense',
        `${acme.key.slice(0, -1)}${last}`,
        `${acme.key}A`,
        acme.key.toUpperCase(),
        other.key,
        late.key,
      ].map((key) => service.call('GET', '/v1/api-keys', { key })),
    );
    for (const { status, body, headers } of answers) {
      expect([status, body, headers['www-authenticate']]).toEqual([
        401,
        answers[0]!.body,
        answers[0]!.headers['www-authenticate'],
      ]);
    }
    expect(answers[0]!.body).toMatchObject({ status: 401, code: 'unauthorized' });
    const none = await service.call('GET', '/v1/api-keys');
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer realm="dagwright"']);
  });

  test.for(['Basic', 'Token', ''])('is taken as Bearer only, not as "%s"', async (scheme) => {
    const headers = { authorization: `${scheme} ${acme.key}`.trim() };
    expect((await service.call('GET', '/v1/api-keys', { headers })).status).toBe(401);
  });

  test('is never taken from the URL', async () => {
    for (const name of ['key', 'api_key', 'access_token', 'token'])
      expect((await service.call('GET', '/v1/api-keys', { query: { [name]: acme.key } })).status).toBe(401);
  });

  test('is refused at most 3 s after it was revoked, in every process', async () => {
    const { key } = await service.tenant('revoked');
    const clock = { now: 0 };
    const ask = askAt(clock);
    await ask(bearer(key));
    await revoke(key);
    clock.now = 2_999;
    await ask(bearer(key));
    clock.now = 3_000;
    await expect(ask(bearer(key))).rejects.toMatchObject({ status: 401 });
  });

  test('is refused from the instant on at which it expires, also while it is remembered', async () => {
    const { key } = await service.tenant('expiring');
    await service.query(`update dagwright.api_keys set expires_at = now() + interval '1 s' where id = $1`, [
      idOf(key),
    ]);
    const clock = { now: 0 };
    const ask = askAt(clock);
    await ask(bearer(key));
    clock.now = 1_000;
    await expect(ask(bearer(key))).rejects.toMatchObject({ status: 401 });
  });

  test('of a suspended tenant is refused with 403 tenant_suspended, and works again afterwards', async () => {
    const { id, key } = await service.tenant('suspended');
    const clock = { now: 0 };
    const ask = askAt(clock);
    await ask(bearer(key));
    const set = (status: string) =>
      service.call('PATCH', `/v1/tenants/${id}`, { key: ADMIN_KEY, body: { status } });
    expect((await set('suspended')).body.status).toBe('suspended');
    clock.now = 3_000;
    await expect(ask(bearer(key))).rejects.toMatchObject({ status: 403, code: 'tenant_suspended' });
    await set('active');
    clock.now = 6_000;
    await ask(bearer(key));
  });

  test('made a moment ago works at once, though its id was asked for before', async () => {
    const id = newId();
    const clock = { now: 0 };
    const ask = askAt(clock);
    await expect(ask(bearer(`dw_${id.replaceAll('-', '')}_${'A'.repeat(43)}`))).rejects.toThrow();
    const { key } = await service.tenant('young');
    await ask(bearer(key));
  });

  test('has its last use recorded to the minute, behind the request', async () => {
    const { key } = await service.tenant('used');
    const read = async () =>
      (
        await service.query<{ at: string | null }>(
          'select last_used_at as at from dagwright.api_keys where id = $1',
          [idOf(key)],
        )
      )[0]!.at;
    expect(await read()).toBeNull();
    await service.call('GET', '/v1/api-keys', { key });
    while ((await read()) === null) await service.query('select pg_sleep(0.01)');
    const first = await read();
    await service.call('GET', '/v1/api-keys', { key });
    await askAt({ now: 0 })(bearer(key));
    await recordUse(service.database.engine, [idOf(key)]);
    expect(await read()).toBe(first);
  });

  test('revoked by DELETE stays in the list as revoked; again changes nothing; another tenant finds none', async () => {
    const made = await service.call('POST', '/v1/api-keys', {
      key: acme.key,
      body: { name: 'short', scopes: ['audit:read'] },
    });
    const path = `/v1/api-keys/${made.body.id}`;
    const other = await service.tenant('stranger');
    expect((await service.call('DELETE', path, { key: other.key })).status).toBe(404);
    expect((await service.call('DELETE', path, { key: acme.key })).status).toBe(204);
    const { revokedAt } = (await service.call('GET', path, { key: acme.key })).body;
    expect(revokedAt).not.toBeNull();
    expect((await service.call('DELETE', path, { key: acme.key })).status).toBe(204);
    const { items } = (await service.call('GET', '/v1/api-keys', { key: acme.key })).body;
    expect(items.find(({ id }: { id: string }) => id === made.body.id)).toMatchObject({ revokedAt });
  });
});

describe('making a key', () => {
  const make = (body: object, key = acme.key) => service.call('POST', '/v1/api-keys', { key, body });

  test.for([
    [{ name: 'x' }, '/roles'],
    [{ name: 'x', roles: [], scopes: [] }, '/roles'],
    [{ name: 'x', roles: ['owner'] }, '/roles/0'],
    [{ name: 'x', scopes: ['executions'] }, '/scopes/0'],
    [{ name: '', roles: ['viewer'] }, '/name'],
    [{ roles: ['viewer'] }, '/name'],
    [{ name: 'x', roles: ['viewer'], expiresAt: '2001-01-01T00:00:00Z' }, '/expiresAt'],
    [{ name: 'x', roles: ['viewer'], expiresAt: '0000-01-01T00:00:00Z' }, '/expiresAt'],
    [{ name: 'x', roles: ['viewer'], expiresAt: 'tomorrow' }, '/expiresAt'],
    [{ name: 'x', roles: ['viewer'], subject: 'key:admin' }, '/subject'],
    [{ name: 'x', roles: ['viewer'], subject: 'system' }, '/subject'],
    [{ name: 'x', roles: ['viewer'], subject: ' alice' }, '/subject'],
    [{ name: 'x', roles: ['viewer'], admin: true }, '/admin'],
  ] as const)('refuses %j at %s', async ([body, pointer]) => {
    const answer = await make(body);
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([422, pointer]);
  });

  test('grants nothing that its maker lacks', async () => {
    const editor = await service.tenant('editors', {
      scopes: ['api-keys:write', 'executions:read'],
      roles: [],
    });
    for (const [body, missing] of [
      [{ roles: ['admin'] }, /audit:read/],
      [{ scopes: ['executions:write'] }, /executions:write/],
      [{ scopes: ['executions:read', 'actors:assert'] }, /actors:assert/],
      [{ scopes: ['executions:read'], subject: 'user:bob' }, /actors:assert/],
    ] as const) {
      const answer = await make({ name: 'x', ...body }, editor.key);
      expect([answer.status, answer.body.code, answer.body.errors]).toEqual([403, 'scope_exceeded', []]);
      expect(answer.body.detail).toMatch(missing);
    }
    expect((await make({ name: 'x', scopes: ['executions:read'] }, editor.key)).status).toBe(201);
  });

  describe('by a key with an end', () => {
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    const short = async () =>
      (await make({ name: 'short', roles: ['admin'], expiresAt: endsAt })).body as { key: string };

    test('ends when that does, where it says nothing', async () => {
      const { key } = await short();
      for (const given of [{}, { expiresAt: null }]) {
        const child = await make({ name: 'child', roles: ['viewer'], ...given }, key);
        expect([child.status, child.body.expiresAt]).toEqual([201, endsAt]);
      }
      // And so do the keys of its keys.
      const child = (await make({ name: 'child', roles: ['admin'] }, key)).body;
      const grandchild = await make({ name: 'grandchild', roles: ['viewer'] }, child.key);
      expect(grandchild.body.expiresAt).toBe(endsAt);
    });

    test('may end earlier, and not later', async () => {
      const { key } = await short();
      const earlier = new Date(Date.now() + 60_000).toISOString();
      const sooner = await make({ name: 'sooner', roles: ['viewer'], expiresAt: earlier }, key);
      expect([sooner.status, sooner.body.expiresAt]).toEqual([201, earlier]);
      const later = await make({ name: 'later', roles: ['viewer'], expiresAt: '2099-01-01T00:00:00Z' }, key);
      expect([later.status, later.body.code]).toEqual([403, 'scope_exceeded']);
      expect(later.body.detail).toContain(endsAt);
    });
  });

  test('grants actors:assert only where that was asked for, also to an admin', async () => {
    const { body: admin } = await make({ name: 'admin', roles: ['admin'] });
    const asAlice = await service.call('GET', '/v1/api-keys', {
      key: admin.key,
      headers: { 'x-actor': 'user:alice' },
    });
    expect([asAlice.status, asAlice.body.detail]).toEqual([403, expect.stringContaining('actors:assert')]);
    for (const wanted of [{ scopes: ['actors:assert'] }, { roles: ['viewer'], subject: 'user:alice' }])
      expect((await make({ name: 'x', ...wanted }, admin.key)).body.code).toBe('scope_exceeded');
    const { body: asked } = await make({ name: 'asked', roles: ['admin'], scopes: ['actors:assert'] });
    expect(
      (await service.call('GET', '/v1/api-keys', { key: asked.key, headers: { 'x-actor': 'user:alice' } }))
        .status,
    ).toBe(200);
  });

  test('a key with roles has what they grant, and no more', async () => {
    const { body } = await make({ name: 'x', roles: ['reviewer'] });
    const ask = askAt({ now: 0 });
    expect([...(await ask(bearer(body.key))).scopes].sort()).toEqual(['reviews:read', 'reviews:write']);
    const refused = await service.call('GET', '/v1/audit', { key: body.key });
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('audit:read')]);
  });
});

describe('the actor', () => {
  test('is the key, or the subject behind it', async () => {
    const ask = askAt({ now: 0 });
    expect((await ask(bearer(acme.key))).actor).toBe(`key:${idOf(acme.key)}`);
    const { key } = await service.tenant('subjects', { subject: 'user:alice' });
    expect((await ask(bearer(key))).actor).toBe('user:alice');
  });

  test('is asserted by X-Actor with the scope actors:assert only', async () => {
    const { key } = await service.tenant('plain', { roles: ['editor'] });
    const ask = askAt({ now: 0 }, ADMIN_KEY);
    const assert = (by: string, actor: string) => ask({ ...bearer(by), 'x-actor': actor });
    await expect(assert(key, 'user:eve')).rejects.toMatchObject({ status: 403 });
    expect((await assert(acme.key, 'user:eve')).actor).toBe('user:eve');
    const utf8 = Buffer.from('user:Zoë').toString('latin1');
    expect((await assert(acme.key, utf8)).actor).toBe('user:Zoë');
    const bad = ['', ' ', 'key:1', 'SQL:x', 'system', 'cli', 'a\u0000b', 'a\tb', 'x'.repeat(201), '\xff'];
    for (const actor of bad)
      await expect(assert(acme.key, actor), JSON.stringify(actor)).rejects.toMatchObject({ status: 400 });
  });
});

describe("the operator's key", () => {
  const ask = (headers: Record<string, string>, path = '/v1/api-keys') =>
    service.call('GET', path, { key: ADMIN_KEY, headers });

  test('names the tenant by X-Tenant-Id: 400 without, 404 for none, 400 for no id', async () => {
    expect((await ask({})).status).toBe(400);
    expect((await ask({ 'x-tenant-id': newId() })).status).toBe(404);
    expect((await ask({ 'x-tenant-id': 'acme' })).status).toBe(400);
    const found = await ask({ 'x-tenant-id': acme.id.toUpperCase() });
    expect(found.status).toBe(200);
    expect(found.body.items.length).toBeGreaterThan(0);
  });

  test('holds every scope, and acts as key:admin or whom it asserts', async () => {
    const identify = askAt({ now: 0 }, ADMIN_KEY);
    const caller = await identify({ ...bearer(ADMIN_KEY), 'x-tenant-id': acme.id });
    expect(caller).toMatchObject({ kind: 'operator', tenantId: acme.id, actor: 'key:admin' });
    expect([...caller.scopes].sort()).toEqual([...SCOPES].sort());
    expect((await identify({ ...bearer(ADMIN_KEY), 'x-actor': 'user:ops' }, 'operator')).actor).toBe(
      'user:ops',
    );
  });

  test('alone opens the routes of the operator', async () => {
    expect((await service.call('GET', '/v1/tenants', { key: acme.key })).status).toBe(403);
    expect((await service.call('GET', '/v1/tenants', { key: ADMIN_KEY })).status).toBe(200);
  });

  test("a tenant's key stays in its tenant, whatever X-Tenant-Id says", async () => {
    const other = await service.tenant('elsewhere');
    const answer = await service.call('GET', '/v1/api-keys', { key: acme.key, tenantId: other.id });
    expect(answer.status).toBe(200);
    const ids = answer.body.items.map(({ id }: { id: string }) => id);
    expect(ids).toContain(idOf(acme.key));
    expect(ids).not.toContain(idOf(other.key));
  });
});

describe('without any key', () => {
  test('the service runs open as tenant default, and the first key closes it for good', async () => {
    const open = await openService();
    try {
      const first = await open.call('GET', '/v1/audit');
      expect(first.status).toBe(200);
      const made = await open.call('POST', '/v1/api-keys', { body: { name: 'first', roles: ['admin'] } });
      expect([made.status, made.body.createdBy]).toEqual([201, 'local']);
      const [row] = await open.query('select tenant_id as tenant from dagwright.api_keys');
      expect(row).toEqual({ tenant: DEFAULT_TENANT_ID });
      await open.query('update dagwright.api_keys set revoked_at = now()');
      const clock = { now: 0 };
      const authenticate = createAuthenticator(open.service, () => clock.now);
      const ask = () =>
        authenticate({ headers: {}, routeOptions: { config: { access: 'audit:read' } } } as never);
      await expect(ask()).rejects.toMatchObject({ status: 401 });
      await open.query('delete from dagwright.api_keys');
      clock.now = 60_000;
      await expect(ask()).rejects.toMatchObject({ status: 401 });
    } finally {
      await open.close();
    }
  });

  test('whether it is open is asked anew after a second', async () => {
    const open = await openService();
    try {
      const clock = { now: 0 };
      const authenticate = createAuthenticator(open.service, () => clock.now);
      const ask = () =>
        authenticate({ headers: {}, routeOptions: { config: { access: 'audit:read' } } } as never);
      expect(await ask()).toMatchObject({ kind: 'open', actor: 'local', tenantId: DEFAULT_TENANT_ID });
      await open.tenant('acme');
      clock.now = 999;
      await ask();
      clock.now = 1_000;
      await expect(ask()).rejects.toMatchObject({ status: 401 });
    } finally {
      await open.close();
    }
  });

  test("an operator's key closes it from the start", async () => {
    const closed = await openService({ withKeys: true });
    expect((await closed.call('GET', '/v1/audit')).status).toBe(401);
    await closed.close();
  });
});
