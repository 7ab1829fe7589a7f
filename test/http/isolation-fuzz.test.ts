// Two tenants with everything under the same names: whatever one asks of any route, by whichever ids, names, cursors and
// headers of the other, no answer holds a trace of the other, says that it exists, or changes a row of it.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { pick as pickBy, randomOf } from '../core/support/random.ts';
import { depth } from '../support/depth.ts';
import { type CallAnswer, openService, type TestService } from '../support/service.ts';
import { type Operation, operationsOf, sampleOf } from './support/openapi-requests.ts';
import { exploreLists, marksOf, rowsOf, type Seeded, seedTenant, UUID } from './support/two-tenants.ts';

/** DAGWRIGHT_TEST_REQUESTS=20000 for a long run. */
const REQUESTS = Number(process.env.DAGWRIGHT_TEST_REQUESTS ?? depth(1_500));
const FLOW = {
  workflowId: 'same',
  nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: 1 } }],
};
const SCHEDULE = { workflowId: 'same', cronExpression: '0 9 * * *', timezone: 'UTC' };
/** Bodies that are taken, where chance makes none. */
const SENSIBLE: Record<string, object> = {
  'PUT /v1/workflows/{workflowId}': FLOW,
  'POST /v1/workflows/validate': FLOW,
  'POST /v1/schedules': SCHEDULE,
  'PUT /v1/schedules/{id}': SCHEDULE,
};
/** Lists of the installation: they belong to nobody. */
const SHARED = ['/v1/tenants', '/v1/pricing', '/v1/service-limits'];

let service: TestService;
let acme: Seeded;
let globex: Seeded;
let operations: Operation[];

beforeAll(async () => {
  service = await openService({
    withKeys: true,
    worker: true,
    settings: { rateLimit: 1_000_000 },
  });
  operations = operationsOf((await service.call('GET', '/openapi.json')).body);
  [acme, globex] = (await Promise.all(['northwind', 'initech'].map(seed))) as [Seeded, Seeded];
  for (const { key } of [acme, globex])
    for (;;) {
      const { body } = await service.call('GET', '/v1/executions?limit=200', { key });
      const open = body.items.filter(({ status }: { status: string }) => status !== 'completed');
      expect(open.filter(({ status }: { status: string }) => status === 'failed')).toEqual([]);
      if (open.length === 0) break;
      await service.query('select pg_sleep(0.05)');
    }
  [acme, globex] = [await complete(acme), await complete(globex)];
}, 60_000);
afterAll(() => service.close());

const seed = async (name: string): Promise<Seeded> => ({
  ...(await seedTenant(service, name)),
  marks: new Set(),
  cursors: new Map(),
  places: new Map(),
});

async function complete(tenant: Seeded): Promise<Seeded> {
  const found = await exploreLists(service, tenant.key, operations);
  return { ...tenant, ...found, marks: await marksOf(service, tenant) };
}

/** A URL of a path, among what the tenant has. */
function placeOf(
  { places }: Seeded,
  path: string,
): { readonly urls: readonly string[]; readonly rest: string } {
  const [held] = [...places.keys()]
    .filter((one) => path === one || path.startsWith(`${one}/`))
    .sort()
    .reverse();
  return held === undefined
    ? { urls: [], rest: path }
    : { urls: places.get(held)!, rest: path.slice(held.length) };
}

const has = (query: Operation['query'], name: string) => query.some((one) => one.name === name);
const pathWith = (path: string, fill: (name: string) => string) =>
  path.replace(/\{([^}]+)\}/g, (_, name: string) =>
    name === 'path' ? fill(name) : encodeURIComponent(fill(name)),
  );
const idsOf = ({ marks }: Seeded) => [...marks].filter((mark) => /^[0-9a-f-]{36}$/.test(mark));

/** What of the other stands in an answer, but for what the question itself had said. */
function traces(answer: CallAnswer, other: Seeded, question: string): string[] {
  const text = JSON.stringify([answer.body, answer.headers]);
  return [...other.marks].filter((mark) => text.includes(mark) && !question.includes(mark));
}

describe('what the tenants have', () => {
  test('fills every list, so that there is something to leak', async () => {
    for (const { method, path, query, pathNames } of operations) {
      if (method !== 'GET' || !has(query, 'cursor') || SHARED.includes(path)) continue;
      if (pathNames.length > 0) expect([path, acme.cursors.has(path)]).toEqual([path, true]);
      else {
        const { body } = await service.call('GET', path, { key: acme.key });
        expect([path, body.items?.length]).toEqual([path, expect.toSatisfy((n: number) => n > 0)]);
      }
    }
    expect(idsOf(acme).length).toBeGreaterThan(30);
    expect(acme.cursors.size).toBeGreaterThan(8);
  });

  test('stands in their own answers: the marks would be found', async () => {
    for (const path of ['/v1/executions', '/v1/webhooks', '/v1/schedules', '/v1/events', '/v1/audit'])
      expect(
        traces(await service.call('GET', path, { key: acme.key }), acme, '').length,
        path,
      ).toBeGreaterThan(0);
  });
});

test('whatever one reads of its own holds nothing of the other', async () => {
  let read = 0;
  for (const [me, other] of [
    [acme, globex],
    [globex, acme],
  ] as const)
    for (const { method, path, query, pathNames } of operations.filter((one) => one.method === 'GET')) {
      const { urls, rest } = placeOf(me, path);
      const own = pathNames.length === 0 ? [path] : urls.map((url) => url + rest);
      for (const url of own.filter((one) => !one.includes('{'))) {
        const answer = await service.call(method, url, {
          key: me.key,
          query: has(query, 'cursor') ? { limit: 200 } : {},
        });
        expect([url, traces(answer, other, '')]).toEqual([url, []]);
        read += 1;
      }
    }
  expect(read).toBeGreaterThan(100);
});

describe('an id of the other', () => {
  test('gets the very answer of an id that nobody has, on every route, and changes nothing', async () => {
    const before = await rowsOf(service, globex.id);
    const nobody = newId();
    let asked = 0;
    for (const operation of operations.filter(({ pathNames }) => pathNames.length > 0)) {
      if (['/hooks/{path}', '/v1/callbacks/{token}'].includes(operation.path)) continue;
      const random = randomOf(5);
      const body =
        operation.body === null ? undefined : sampleOf(operation.body, random, `canary-${acme.name}`);
      const ask = async (path: string) => {
        const { status, body: told } = await service.call(operation.method, path, { key: acme.key, body });
        return [operation.method, operation.path, status, JSON.stringify(told).replaceAll(UUID, 'ID')];
      };
      const expected = await ask(pathWith(operation.path, () => nobody));
      if (expected[2] === 201) continue; // Makes one of that name, its own.
      for (const id of idsOf(globex).filter((_, i) => i % 5 === 0))
        expect(await ask(pathWith(operation.path, () => id))).toEqual(expected);
      const { urls, rest } = placeOf(globex, operation.path);
      for (const url of urls.filter((one) => one.search(UUID) >= 0)) {
        const asExpected = await ask(url.replaceAll(UUID, nobody) + rest);
        expect(await ask(url + rest)).toEqual(asExpected);
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThan(50);
    expect(await rowsOf(service, globex.id)).toEqual(before);
  }, 120_000);

  test('at a webhook: the path and secret decide, and a wrong one tells nothing', async () => {
    const ask = async (path: string) => {
      const { status, body } = await service.call('POST', `/hooks/${path}`, {
        body: {},
        headers: { 'x-webhook-secret': 'wrong-secret-wrong-secret' },
      });
      return [status, body];
    };
    for (const path of [`${globex.name}/none`, 'nobody/same'])
      expect(await ask(`${globex.name}/same`)).toEqual(await ask(path));
  });
});

test("the other's cursors give 400 or nothing", async () => {
  for (const [path, cursor] of globex.cursors) {
    const operation = operations.find((one) => one.path === path && one.method === 'GET')!;
    for (const id of operation.pathNames.length === 0 ? [''] : idsOf(acme)) {
      const url = pathWith(operation.path, (name) => (name === 'workflowId' ? 'same' : id));
      const answer = await service.call('GET', url, { key: acme.key, query: { cursor } });
      expect([path, answer.status]).toEqual([path, expect.toSatisfy((n: number) => n === 400 || n === 404)]);
      expect(traces(answer, globex, cursor)).toEqual([]);
    }
  }
});

test('the same names and idempotency keys do not meet', async () => {
  for (const tenant of [acme, globex]) {
    const { body } = await service.call('POST', '/v1/variables', {
      key: tenant.key,
      headers: { 'idempotency-key': 'same-key' },
      body: { name: 'same', value: `canary-${tenant.name}`, description: `canary-${tenant.name}` },
    });
    expect(body).toMatchObject({ value: `canary-${tenant.name}` });
  }
  const { body } = await service.call('POST', '/v1/webhooks', {
    key: acme.key,
    body: { workflowId: 'same', path: `${globex.name}/same` },
  });
  expect(body.path).toBe(`${acme.name}/${globex.name}/same`);
});

test('what needs no key names nobody', async () => {
  for (const { method, path } of operations.filter(
    ({ path }) => !path.startsWith('/v1') && !path.startsWith('/hooks'),
  )) {
    const answer = await service.call(method, path);
    const text = JSON.stringify(answer.body);
    expect([
      path,
      [...acme.marks, ...globex.marks, acme.name, globex.name].filter((mark) => text.includes(mark)),
    ]).toEqual([path, []]);
  }
});

test(`${REQUESTS} random requests of both, among transactions that are given up: no trace, no 5xx`, async () => {
  const random = randomOf(Number(process.env.DAGWRIGHT_TEST_SEED ?? 7));
  const pick = <T>(values: readonly T[]): T => pickBy(random, values);
  const wrong: unknown[] = [];
  const statuses = new Map<number, number>();
  // Its own key would be revoked by chance.
  const idsFor = new Map(
    [acme, globex].map((one) => [one, idsOf(one).filter((id) => !one.key.includes(id.replaceAll('-', '')))]),
  );

  const askOnce = async (): Promise<void> => {
    const [me, other] = random() < 0.5 ? [acme, globex] : [globex, acme];
    const operation = pick(operations);
    // What is deleted could not leak any more.
    if (operation.method === 'DELETE' && random() < 0.8) return;
    const owner = random() < 0.5 ? me : other;
    const { urls, rest } = placeOf(owner, operation.path);
    const path = pathWith(urls.length === 0 || random() < 0.2 ? operation.path : pick(urls) + rest, (name) =>
      name === 'path'
        ? `${owner.name}/same`
        : random() < 0.5
          ? pick(['same', 'same2'])
          : pick(idsFor.get(owner)!),
    );
    const query: Record<string, string | number | boolean> = {};
    const asked = random();
    for (const { name, schema } of operation.query) {
      if (random() < asked) continue;
      if (name === 'cursor') query[name] = pick([...owner.cursors.values()]);
      else if (name === 'wait') query[name] = 1;
      else query[name] = String(sampleOf(schema, random, pick(idsFor.get(owner)!)));
    }
    const sensible = SENSIBLE[`${operation.method} ${operation.path}`];
    const body =
      sensible !== undefined && random() < 0.7
        ? { ...sensible, name: pick(['same', 'same2', 'same3']) }
        : operation.body && sampleOf(operation.body, random, `canary-${me.name}`);
    const headers: Record<string, string> = {
      ...(random() < 0.3 ? { 'x-tenant-id': other.id } : {}),
      ...(random() < 0.2 ? { 'x-actor': `user:canary-${me.name}` } : {}),
      ...(random() < 0.2 ? { 'idempotency-key': pick(['same-key', 'same-0', 'same-1', newId()]) } : {}),
      'user-agent': `canary-${me.name}`,
    };
    const question = JSON.stringify([path, query, body, headers]);
    // A stream of an execution that goes on has no end; the service ends it when it is closed.
    const answer = await Promise.race([
      service.call(operation.method, path, { key: me.key, query, headers, body: body ?? undefined }),
      delay(operation.path.endsWith('/events') ? 3_000 : 60_000, null, { ref: false }),
    ]);
    if (answer === null) return;
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const found = traces(answer, other, question);
    const told = JSON.stringify(answer.body);
    const isInside =
      answer.status >= 400 && /at .*\.[jt]s:|relation "|(?<!user:)password|select .* from/i.test(told);
    if (found.length > 0 || answer.status >= 500 || isInside)
      wrong.push([operation.method, me.name, question, found, answer.status, told.slice(0, 500)]);
  };
  const giveUp = async (): Promise<void> => {
    const me = random() < 0.5 ? acme : globex;
    const how = random();
    await service.database
      .withTenant(me.id, async (client) => {
        const { rows } = await client.query(
          'select distinct tenant_id as id from dagwright.workflow_executions',
        );
        for (const { id } of rows) if (id !== me.id) wrong.push({ saw: id, as: me.name });
        if (how < 0.4) throw new Error('given up');
        if (how < 0.8) await client.query('select 1 / 0');
      })
      .catch((error: Error) => {
        if (!/given up|division by zero/.test(error.message)) wrong.push(error);
      });
  };
  let left = REQUESTS;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await (random() < 0.15 ? giveUp() : askOnce());
    }),
  );
  expect(wrong.slice(0, 3)).toEqual([]);
  // It is no test where all is refused at the door.
  const good = [...statuses].filter(([status]) => status < 300).reduce((sum, [, n]) => sum + n, 0);
  expect(good, JSON.stringify([...statuses])).toBeGreaterThan(REQUESTS / 10);
}, 600_000);

describe('by SQL', () => {
  const failing = async (tenantId: string, text: string, values: unknown[]) =>
    await service.database
      .withTenant(tenantId, (client) => client.query(text, values))
      .then(
        () => 'done',
        (error: { code: string; message: string; detail?: string }) =>
          `${error.code} ${error.message} ${error.detail ?? ''}`,
      );

  test('no row of the other in any table or view, also joined and counted', async () => {
    const tables = await service.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'dagwright'::regnamespace and c.relkind in ('r', 'v')
         and has_table_privilege('dagwright_tenant', c.oid, 'select')`,
    );
    expect(tables.length).toBeGreaterThan(20);
    for (const [me, other] of [
      [acme, globex],
      [globex, acme],
    ] as const)
      for (const { name } of tables) {
        const text = await service.database.withTenant(me.id, async (client) =>
          JSON.stringify((await client.query(`select t::text from dagwright.${name} t`)).rows),
        );
        expect([name, [...other.marks].filter((mark) => text.includes(mark))]).toEqual([name, []]);
      }
  });

  test('errors of keys and references tell nothing of the other', async () => {
    const [webhook] = await service.query<{ id: string }>(
      'select id from dagwright.webhooks where tenant_id = $1',
      [globex.id],
    );
    const filter = `insert into dagwright.webhook_filters (tenant_id, webhook_id, position, field_path, operator) values ($1, $2, 9, '$.a', 'exists')`;
    const [foreign, nobody] = [webhook!.id, newId()];
    const told = await failing(acme.id, filter, [acme.id, foreign]);
    expect(told).toMatch(/^23503/);
    expect(told.replaceAll(foreign, 'ID')).toBe(
      (await failing(acme.id, filter, [acme.id, nobody])).replaceAll(nobody, 'ID'),
    );
    const variable = `insert into dagwright.workflow_variables (tenant_id, name, value, created_by) values ($1, 'same2', '1', 'x')`;
    for (const other of [globex.id, newId()])
      expect(await failing(acme.id, variable, [other])).toMatch(/^42501 .*row-level security/);
    expect(await failing(acme.id, `update dagwright.webhooks set tenant_id = $1`, [globex.id])).toMatch(
      /^42501/,
    );
  });
});
