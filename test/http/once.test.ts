// Idempotency-Key: the same key and body is answered once and then again, whatever happens at the same time.
import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerOnce, answerOnceAsOperator } from '../../src/http/request/once.ts';
import type { Api } from '../../src/http/server/api.ts';
import type { ApiContext } from '../../src/http/server/api-context.ts';
import { ApiError } from '../../src/http/server/problem.ts';
import { until } from '../support/engine.ts';
import { type CallOptions, openService, type TestService } from '../support/service.ts';

const MAKE = '/v1/variables/test';
const SECRET = '/v1/variables/secret';
const OPERATED = '/v1/tenants/test';

let service: TestService;
let inside: () => Promise<void> = async () => {};
let acme: { id: string; key: string };
let other: { id: string; key: string };
beforeAll(async () => {
  service = await openService({ withKeys: true, addRoutes: (api) => addRoutes(api, () => service.service) });
  acme = await service.tenant('acme');
  other = await service.tenant('other');
});
afterAll(() => service.close());
beforeEach(() => {
  inside = async () => {};
});

// Makes one variable per call, under a name of its own.
function addRoutes(api: Api, owner: () => ApiContext): void {
  const schema = { body: Type.Object({ value: Type.Integer() }, { additionalProperties: false }) };
  for (const [url, options] of [
    [MAKE, {}],
    [`${MAKE}/:place`, {}],
    [SECRET, { secret: true }],
  ] as const)
    api.post(url, { config: { access: 'variables:write' }, schema }, (request, reply) =>
      answerOnce(
        owner(),
        request,
        reply,
        async (client) => {
          const name = `v-${randomUUID()}`;
          await client.query(
            `insert into dagwright.workflow_variables (tenant_id, name, value, created_by) values ($1, $2, $3, 'test')`,
            [request.acting.tenantId, name, JSON.stringify(request.body.value)],
          );
          await inside();
          return { status: 201, body: { name, shownOnce: `secret-${name}` } };
        },
        options,
      ),
    );
  api.post(OPERATED, { config: { access: 'operator' }, schema }, (request, reply) =>
    answerOnceAsOperator(owner(), request, reply, async () => ({
      status: 201,
      body: { id: randomUUID() },
    })),
  );
}

const make = (idempotencyKey: string | null, options: CallOptions = {}, path = MAKE) =>
  service.call('POST', path, {
    key: acme.key,
    body: { value: 1 },
    headers: idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey },
    ...options,
  });
const made = async (tenantId = acme.id) =>
  (
    await service.query<{ n: number }>(
      'select count(*)::int as n from dagwright.workflow_variables where tenant_id = $1',
      [tenantId],
    )
  )[0]!.n;

describe('a POST with an Idempotency-Key', () => {
  it('gives the first answer again, and makes nothing more', async () => {
    const first = await make('a');
    const before = await made();
    const again = await make('a');
    expect(first.status).toBe(201);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(await made()).toBe(before);
  });

  it('is refused with 409 where the body is another', async () => {
    await make('b');
    const answer = await make('b', { body: { value: 2 } });
    expect([answer.status, answer.body.code]).toEqual([409, 'key_reused']);
  });

  it('is the same request however its names are ordered', async () => {
    const post = (payload: string) =>
      service.call('POST', '/v1/events', {
        key: acme.key,
        body: payload,
        headers: { 'idempotency-key': 'ordered', 'content-type': 'application/json' },
      });
    const first = await post('{"type":"x.y","payload":{"a":1,"b":[{"c":1,"d":2}]}}');
    const again = await post('{"payload":{"b":[{"d":2,"c":1}],"a":1},"type":"x.y"}');
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
  });

  it('knows keys per tenant and path only', async () => {
    const names = new Set<string>();
    for (const answer of [
      await make('c'),
      await make('c', { key: other.key }),
      await make('c', {}, `${MAKE}/one`),
      await make('c', {}, `${MAKE}/two`),
      await make(null),
      await make(null),
    ])
      names.add(answer.body.name);
    expect(names.size).toBe(6);
  });

  it('creates once when twenty come at the same time, and all get that answer', async () => {
    // The first stays inside until others wait for it, or came in beside it.
    let entered = 0;
    inside = async () => {
      entered++;
      await until(async () => {
        const [row] = await service.query<{ n: number }>(
          `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`,
        );
        return entered > 1 || row!.n >= 2;
      });
    };
    const before = await made();
    const answers = await Promise.all(Array.from({ length: 20 }, () => make('d')));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.name}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    expect(await made()).toBe(before + 1);
  });

  it('keeps nothing of what was rolled back: the next one does the work', async () => {
    const before = await made();
    inside = async () => {
      throw new ApiError(409, 'name_taken', 'the name is taken');
    };
    expect((await make('e')).body.code).toBe('name_taken');
    inside = async () => {
      throw new Error('broken');
    };
    expect((await make('e')).status).toBe(500);
    inside = async () => {};
    expect((await make('e')).status).toBe(201);
    expect(await made()).toBe(before + 1);
  });

  it('lets the one that waits do the work where the first is rolled back', async () => {
    const before = await made();
    const entered = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    inside = async () => {
      inside = async () => {};
      entered.resolve();
      await open.promise;
      throw new ApiError(409, 'name_taken', 'the name is taken');
    };
    const first = make('f');
    await entered.promise;
    const second = make('f');
    open.resolve();
    expect([(await first).status, (await second).status]).toEqual([409, 201]);
    expect(await made()).toBe(before + 1);
  });

  it('runs again after a deadlock, which did nothing', async () => {
    let tries = 0;
    inside = async () => {
      if (++tries < 3) throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
    };
    const before = await made();
    expect((await make('g')).status).toBe(201);
    expect([tries, await made()]).toEqual([3, before + 1]);
  });

  it.each(['', ' ', 'x'.repeat(256), 'a\u00e9'])('is refused where the key is "%s"', async (key) => {
    const answer = await make(null, { headers: { 'idempotency-key': key } });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_idempotency_key']);
  });
});

describe('an answer that shows a secret', () => {
  it('is kept so that the database cannot show it', async () => {
    const first = await make('secret-1', {}, SECRET);
    const [row] = await service.query<{ answer: Buffer; is_sealed: boolean }>(
      `select answer, is_sealed from dagwright.idempotent_requests where route = $1`,
      [`POST ${SECRET}`],
    );
    expect(row!.is_sealed).toBe(true);
    expect(row!.answer.toString('latin1')).not.toContain('secret-');
    expect((await make('secret-1', {}, SECRET)).body).toEqual(first.body);
  });

  it('opens for the key that made it only', async () => {
    await make('secret-2', {}, SECRET);
    const twin = await service.query<{ id: string }>('select id from dagwright.tenants where name = $1', [
      'acme',
    ]);
    const { insertKey } = await import('../../src/db/resources/api-keys.ts');
    const wanted = {
      name: 'twin',
      subject: null,
      roles: ['admin'],
      scopes: [],
      createdBy: 'test',
      expiresAt: null,
    };
    const second = await service.database.withTenant(twin[0]!.id, (client) =>
      insertKey(client, acme.id, wanted),
    );
    const answer = await make('secret-2', { key: second!.key }, SECRET);
    expect([answer.status, answer.body.code]).toEqual([409, 'key_reused']);
  });
});

describe('a POST of the operator', () => {
  it('is answered once too', async () => {
    const create = () =>
      service.call('POST', OPERATED, {
        key: service.service.settings.adminKey!,
        body: { value: 1 },
        headers: { 'idempotency-key': 'o' },
      });
    const first = await create();
    expect(first.status).toBe(201);
    expect((await create()).body).toEqual(first.body);
  });
});
