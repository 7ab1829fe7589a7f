// Pages: newest first, each row once, whatever is added or deleted meanwhile; cursors of others are refused.
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIdSequence, newId } from '../../src/core/id.ts';
import { PageQuery, pageOf, readPage } from '../../src/http/request/page.ts';
import type { Api } from '../../src/http/server/api.ts';
import { openService, type TestService } from '../support/service.ts';

const nextId = createIdSequence();
const LIST = '/v1/events/test';

let service: TestService;
let acme: { id: string; key: string };
let other: { id: string; key: string };
beforeAll(async () => {
  service = await openService({ withKeys: true, addRoutes });
  acme = await service.tenant('acme');
  other = await service.tenant('other');
});
afterAll(() => service.close());

function addRoutes(api: Api): void {
  for (const kind of ['events', 'others'])
    api.get(
      kind === 'events' ? LIST : `${LIST}/others`,
      {
        config: { access: 'events:read' },
        schema: { querystring: Type.Object({ ...PageQuery }, { additionalProperties: false }) },
      },
      async (request) => {
        const { limit, before } = readPage(request, kind);
        const { tenantId } = request.acting;
        const rows = await service.database.withTenant(request.acting, async (client) => {
          const found = await client.query<{ id: string }>(
            'select id from dagwright.events where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3',
            [tenantId, before, limit + 1],
          );
          return found.rows;
        });
        return pageOf(kind, tenantId, rows, limit, ({ id }) => id);
      },
    );
}

async function emit(tenantId = acme.id): Promise<string> {
  const id = nextId(Date.now());
  await service.query(
    `insert into dagwright.events (id, tenant_id, type, payload, created_by, created_at) values ($1, $2, 'x', '{}', 'test', now())`,
    [id, tenantId],
  );
  return id;
}
const get = (query: Record<string, string | number>, path = LIST, key = acme.key) =>
  service.call('GET', path, { key, query });

it('lists every row once, newest first, while others are added and deleted', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 25; i++) ids.push(await emit());
  await emit(other.id);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await get({ limit: 4, ...(cursor === null ? {} : { cursor }) });
    expect(page.body.items.length).toBeLessThanOrEqual(4);
    seen.push(...page.body.items.map(({ id }: { id: string }) => id));
    cursor = page.body.nextCursor;
    await emit();
    await service.query('delete from dagwright.events where id = $1', [seen.at(-1)]);
  } while (cursor !== null);
  expect(seen).toEqual(ids.toReversed());
});

it('ends with a page without a cursor, also where it is full', async () => {
  await service.query('delete from dagwright.events');
  expect((await get({})).body).toEqual({ items: [], nextCursor: null });
  for (let i = 0; i < 4; i++) await emit();
  const first = await get({ limit: 2 });
  const last = await get({ limit: 2, cursor: first.body.nextCursor });
  expect([last.body.items.length, last.body.nextCursor]).toEqual([2, null]);
  expect((await get({})).body.items).toHaveLength(4);
});

it('refuses cursors of another tenant, of another list, and what is none', async () => {
  for (let i = 0; i < 3; i++) await emit();
  const { nextCursor } = (await get({ limit: 1 })).body;
  const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  const bad = [
    await get({ cursor: nextCursor }, LIST, other.key),
    await get({ cursor: nextCursor }, `${LIST}/others`),
    await get({ cursor: 'x' }),
    await get({ cursor: '' }),
    await get({ cursor: forged(['events', acme.id, "' or 1=1"]) }),
    await get({ cursor: forged(['events', acme.id, 7]) }),
    await get({ cursor: forged(null) }),
    await get({ cursor: forged(['events', other.id, newId()]) }),
  ];
  for (const { status, body } of bad) expect([status, body.code]).toEqual([400, 'invalid_cursor']);
});

it.each([0, 201, -1, 1.5, 'x', ''])('refuses a limit of %s', async (limit) => {
  expect((await get({ limit })).status).toBe(400);
});
