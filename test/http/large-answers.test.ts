// Answers are bounded in bytes: pages of large outputs end early and lose nothing, and a start whose end cannot be told in
// its answer is told to have begun.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { graph } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

const LARGE = 'x'.repeat(950_000);
let service: TestService;
let isReadingSlow = false;

// Reads of tasks meet their statement timeout while `isReadingSlow`.
function reach(url: string): Database {
  const database = openDatabase(url, { name: 'dagwright-api' });
  return {
    ...database,
    withTenant: (acting, work) =>
      database.withTenant(acting, async (client) => {
        if (!isReadingSlow) return await work(client);
        return await work(
          new Proxy(client, {
            get: (target, name) =>
              name !== 'query'
                ? Reflect.get(target, name)
                : async (...args: Parameters<typeof client.query>) => {
                    if (!JSON.stringify(args).includes('task_executions t'))
                      return await target.query(...args);
                    await target.query('set local statement_timeout = 20');
                    return await target.query('select pg_sleep(10)');
                  },
          }),
        );
      }),
  };
}

beforeAll(async () => {
  service = await openService({ worker: true, listen: true, reach });
});
afterAll(() => service.close());

async function pages(path: string, query: Record<string, string | number>) {
  const found: { readonly items: readonly Record<string, unknown>[] }[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await service.call('GET', path, {
      query: { ...query, ...(cursor === '' ? {} : { cursor }) },
    });
    found.push(body);
    cursor = body.nextCursor;
  }
  return found.map(({ items }) => items);
}

test('a page of executions ends before 8 MB of outputs, and the next one goes on there', async () => {
  const sizes = [3, 3, 3, 9, 1, 1, 1];
  await service.query(
    `insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, metadata, created_at, output)
     select ('0199a0b0-0000-7000-8000-' || lpad(to_hex(100 - n), 12, '0'))::uuid, $1, 'large', 1, gen_random_uuid(), 'completed', 'api', '{}', '{}', now(),
       jsonb_build_object('n', n, 'text', repeat('x', mb * 1000000)) from unnest($2::int[]) with ordinality s(mb, n)`,
    [DEFAULT_TENANT_ID, sizes],
  );
  const numbers = (await pages('/v1/executions', { workflowId: 'large', limit: 200 })).map((items) =>
    items.map(({ output }) => (output as { n: number }).n),
  );
  expect(numbers).toEqual([[1, 2], [3], [4], [5, 6, 7]]);
  const two = (await pages('/v1/executions', { workflowId: 'large', limit: 2 })).map((items) => items.length);
  expect(two).toEqual([2, 1, 1, 2, 1]);
});

test('a run with more than 8 MB of outputs is answered 202 with its id, and its tasks come page by page', async () => {
  const chain = Array.from({ length: 18 }, (_, i) => `t${i}`);
  for (const taskId of chain) service.engine!.bodies[taskId] = () => LARGE;
  const wanted = graph(chain.join(' -> '));
  await service.engine!.apply(wanted);
  const path = `/v1/workflows/${wanted.workflowId}/executions`;
  const answer = await service.call('POST', path, { body: {}, query: { wait: 60 } });
  const { id } = answer.body;
  expect(answer).toMatchObject({ status: 202, headers: { location: `/v1/executions/${id}` } });
  expect(answer.body).toEqual({ id, status: 'completed' });
  const tasks = await pages(`/v1/executions/${id}/tasks`, { limit: 200 });
  expect(tasks.map((items) => items.length)).toEqual([8, 8, 2]);
  expect(tasks.flat().map(({ taskId }) => taskId)).toEqual(chain);
  expect(tasks.flat().every(({ output }) => output === LARGE)).toBe(true);
  const events = await (await fetch(`${service.url}/v1/executions/${id}/events`)).text();
  expect([...events.matchAll(/^event: task$/gm)]).toHaveLength(18);
});

test('a start whose end takes too long to read is answered 202 with its id; a list that does, 503 too_slow, at once', async () => {
  const wanted = graph('quick');
  await service.engine!.apply(wanted);
  service.logged.length = 0;
  isReadingSlow = true;
  try {
    const path = `/v1/workflows/${wanted.workflowId}/executions`;
    const { status, body } = await service.call('POST', path, { body: {}, query: { wait: 60 } });
    expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), status: 'completed' } });
    const tasks = await service.call('GET', `/v1/executions/${body.id}/tasks`);
    expect(tasks).toMatchObject({ status: 503, body: { code: 'too_slow' } });
    expect(service.logged).toEqual([expect.stringContaining('too_slow')]);
  } finally {
    isReadingSlow = false;
  }
});
