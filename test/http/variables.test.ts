// Variables over HTTP.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallOptions, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };
let other: { id: string; key: string };
beforeAll(async () => {
  service = await openService({ withKeys: true });
  [acme, other] = [await service.tenant('acme'), await service.tenant('other')];
});
afterAll(() => service.close());

const call = (method: string, path: string, more: CallOptions = {}) =>
  service.call(method, `/v1/variables${path}`, { key: acme.key, ...more });
const put = (name: string, value: unknown, more: object = {}) =>
  call('PUT', `/${name}`, { body: { value, ...more } });

describe('a variable', () => {
  test('is created once, changed, shown and deleted', async () => {
    const created = await call('POST', '', { body: { name: 'region', value: 'eu', description: 'where' } });
    expect(created).toMatchObject({
      status: 201,
      body: { name: 'region', value: 'eu', description: 'where', createdBy: expect.stringMatching(/^key:/) },
    });
    expect(await call('POST', '', { body: { name: 'region', value: 'us' } })).toMatchObject({
      status: 409,
      body: { code: 'name_taken' },
    });
    expect(await put('region', { zone: 1 })).toMatchObject({
      status: 200,
      body: { value: { zone: 1 }, description: 'where' },
    });
    expect(await put('region', 2, { description: null })).toMatchObject({
      status: 200,
      body: { value: 2, description: null },
    });
    expect(await call('GET', '/region')).toMatchObject({ status: 200, body: { name: 'region', value: 2 } });
    expect((await call('DELETE', '/region')).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await call(method, '/region')).status).toBe(404);
    expect(await put('region', 3)).toMatchObject({ status: 201, body: { value: 3 } });
  });

  test('is created once for an Idempotency-Key', async () => {
    const post = (value: number) =>
      call('POST', '', { body: { name: 'keyed', value }, headers: { 'idempotency-key': 'k1' } });
    const [first, second] = [await post(1), await post(1)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect((await post(2)).status).toBe(409);
  });

  test.each([[null], [false], [0], [''], ['007'], [[]], [{ a: [1, null] }], ['$.x {{ y }}']])(
    'holds %j as it is',
    async (value) => {
      await put('any', value);
      expect((await call('GET', '/any')).body.value).toEqual(value);
    },
  );

  test('is set to the same again without a trace', async () => {
    const first = await put('same', { a: 1, b: 2 });
    const audits = () =>
      service.query(
        `select from dagwright.audit_logs where resource_type = 'variables' and resource_id = 'same'`,
      );
    const before = (await audits()).length;
    const second = await put('same', { b: 2, a: 1 });
    expect(second.body.updatedAt).toBe(first.body.updatedAt);
    expect(await audits()).toHaveLength(before);
    await put('same', 3);
    expect(await audits()).toHaveLength(before + 1);
  });

  test('of 256 KB is taken, one byte more is not', async () => {
    expect((await put('big', 'x'.repeat(256 * 1024 - 2))).status).toBe(201);
    expect(await put('big', 'x'.repeat(256 * 1024 - 1))).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/value' }] },
    });
  });
});

test.each([
  ['1st', 400],
  ['a-b', 400],
  ['a.b', 400],
  ['__proto__', 400],
  ['x'.repeat(101), 400],
  ['%00', 400],
])('the name %s is refused', async (name, status) => {
  expect((await put(name, 1)).status).toBe(status);
  expect((await call('GET', `/${name}`)).status).toBeGreaterThanOrEqual(400);
});

test.each([
  [{ value: 1 }, '/name'],
  [{ name: 'x' }, '/value'],
  [{ name: 'x y', value: 1 }, '/name'],
  [{ name: 'x', value: 1, secret: true }, '/secret'],
  ['{"name":"x","value":"\\u0000"}', '/value'],
  ['{"name":"x","value":"\\ud800"}', '/value'],
  ['{"name":"x","value":{"__proto__":1}}', '/value'],
  ['{"name":"x","value":9007199254740993}', '/value'],
])('the body %j is 422 at %s', async (body, pointer) => {
  const answer = await call('POST', '', { body });
  expect(answer.status).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('they are listed by name, page by page', async () => {
  const tenant = await service.tenant('lister');
  const ask = (method: string, path: string, more: CallOptions = {}) =>
    service.call(method, `/v1/variables${path}`, { key: tenant.key, ...more });
  const names = ['b', 'B', 'a', '_x', 'a1', 'Z'];
  for (const name of names) await ask('PUT', `/${name}`, { body: { value: name } });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await ask('GET', '', { query: { limit: 2, ...(cursor && { cursor }) } });
    seen.push(...body.items.map(({ name }: { name: string }) => name));
    cursor = body.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(['B', 'Z', '_x', 'a', 'a1', 'b']);
});

test("another tenant's variables are not to be seen, and its names are free", async () => {
  await put('ours', 'secret plan');
  for (const method of ['GET', 'DELETE'])
    expect((await service.call(method, '/v1/variables/ours', { key: other.key })).status).toBe(404);
  const list = await service.call('GET', '/v1/variables', { key: other.key });
  expect(JSON.stringify(list.body)).not.toContain('secret plan');
  const theirs = await service.call('POST', '/v1/variables', {
    key: other.key,
    body: { name: 'ours', value: 1 },
  });
  expect(theirs.status).toBe(201);
  expect((await call('GET', '/ours')).body.value).toBe('secret plan');
});

test('two that set one name at the same moment both succeed, and one has made it', async () => {
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all([1, 2, 3].map((n) => put(`raced${round}`, n)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
  }
});
