// No answer grows with what its tenant stores. Every GET of the OpenAPI document is asked for here while its list or its row is as
// large as the service lets it be: a route that is added later fails by name until it is in one of the tables. The rows of 14 tables
// with a megabyte in each are for `npm run check`.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_PAGE_BYTES } from '../../src/db/connection/byte-bounded.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { PAGE_LIMIT } from '../../src/resources/list-limits.ts';
import { MAX_SERVICES } from '../../src/resources/service-limits.ts';
import { isFullDepth } from '../support/depth.ts';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';
import { operationsOf } from './support/openapi-requests.ts';

const id = (n: number) => `0199a0b0-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const ONE = id(1);
/** Of rows with 1 MB of JSON each. */
const MANY = 14;
/** More than a page has. */
const SMALL = 230;
/** A page, and what its rows hold besides. */
const MOST = MAX_PAGE_BYTES + 2_500_000;

let service: TestService;
let paths: { readonly path: string; readonly isPaged: boolean }[];

const get = (url: string) => service.call('GET', url, { key: ADMIN_KEY, tenantId: DEFAULT_TENANT_ID });

/** Rows of a table: `columns` and their values, in which $n is the number of the row and $id its id. */
async function fill(table: string, rows: number, columns: Readonly<Record<string, string>>): Promise<void> {
  const values = Object.values(columns).map((value) =>
    value
      .replaceAll('$tenant', `'${DEFAULT_TENANT_ID}'::uuid`)
      .replaceAll('$id', `('0199a0b0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`)
      .replaceAll('$n', 'n')
      .replaceAll('$mb', `jsonb_build_object('text', repeat('x', 1000000))`),
  );
  await service.query(
    `insert into dagwright.${table} (${Object.keys(columns).join(', ')}) select ${values.join(', ')} from generate_series(1, ${rows}) n`,
  );
}

/** The rows behind each list, and how many of them it shows. */
const LISTS: Readonly<
  Record<string, { readonly url?: string; readonly rows: number; readonly key: string }>
> = {
  '/v1/workflows': { rows: SMALL, key: 'workflowId' },
  '/v1/workflows/{workflowId}/revisions': { url: '/v1/workflows/w1/revisions', rows: SMALL, key: 'revision' },
  '/v1/executions': { rows: MANY, key: 'id' },
  '/v1/executions/{id}/tasks': { url: `/v1/executions/${ONE}/tasks`, rows: MANY, key: 'taskId' },
  '/v1/executions/{id}/logs': { url: `/v1/executions/${ONE}/logs`, rows: SMALL, key: 'id' },
  '/v1/reviews': { rows: SMALL, key: 'id' },
  '/v1/variables': { rows: 46, key: 'name' },
  '/v1/webhooks': { rows: MANY, key: 'id' },
  '/v1/webhooks/{id}/events': { url: `/v1/webhooks/${ONE}/events`, rows: MANY, key: 'id' },
  '/v1/schedules': { rows: MANY, key: 'id' },
  '/v1/schedules/{id}/ticks': { url: `/v1/schedules/${ONE}/ticks`, rows: SMALL, key: 'scheduledAt' },
  '/v1/events': { rows: MANY, key: 'id' },
  '/v1/tenants': { rows: SMALL, key: 'id' },
  '/v1/api-keys': { rows: SMALL, key: 'id' },
  '/v1/audit': { rows: MANY, key: 'id' },
  '/v1/pricing': { rows: 1, key: 'model' },
  '/v1/service-limits': { rows: 12_000, key: 'serviceId' },
};

/** What is not paged, by the URL of the largest there is. Null: a stream, which reads 1 MB at a time. */
const DETAILS: Readonly<Record<string, string | null>> = {
  '/v1/workflows/{workflowId}': '/v1/workflows/w1',
  '/v1/workflows/{workflowId}/revisions/{revision}': '/v1/workflows/w1/revisions/1',
  '/v1/executions/{id}': `/v1/executions/${ONE}`,
  '/v1/executions/{id}/parts/{part}': `/v1/executions/${ONE}/parts/input`,
  '/v1/executions/{id}/why': `/v1/executions/${id(2)}/why`,
  '/v1/executions/{id}/events': null,
  '/v1/reviews/{id}': `/v1/reviews/${ONE}`,
  '/v1/variables/{name}': '/v1/variables/v001',
  '/v1/webhooks/{id}': `/v1/webhooks/${ONE}`,
  '/v1/webhooks/{id}/events/{eventId}': `/v1/webhooks/${ONE}/events/${ONE}`,
  '/v1/schedules/{id}': `/v1/schedules/${ONE}`,
  '/v1/schedules/{id}/preview': `/v1/schedules/${ONE}/preview?count=100`,
  '/v1/events/{id}': `/v1/events/${ONE}`,
  '/v1/tenants/{id}': `/v1/tenants/${ONE}`,
  '/v1/api-keys/{id}': `/v1/api-keys/${ONE}`,
  '/v1/stats': '/v1/stats',
};

beforeAll(async () => {
  service = await openService({ withKeys: true });
  const { body } = await get('/openapi.json');
  paths = operationsOf(body)
    .filter(({ method, path }) => method === 'GET' && path.startsWith('/v1'))
    .map(({ path, query }) => ({ path, isPaged: query.some(({ name }) => name === 'cursor') }));
  if (isFullDepth) await fillAll();
}, 120_000);
afterAll(() => service.close());

async function fillAll(): Promise<void> {
  await fill('workflow_definitions', SMALL, {
    tenant_id: '$tenant',
    workflow_id: `'w' || $n`,
    name: `repeat('n', 500)`,
    category: `repeat('c', 100)`,
    latest_revision: `case when $n = 1 then ${SMALL} else 1 end`,
  });
  await fill('workflow_versions', SMALL, {
    id: '$id',
    tenant_id: '$tenant',
    workflow_id: `'w1'`,
    revision: '$n',
    content_hash: '$n',
    definition: `json_build_object('workflowId', 'w1', 'version', repeat('v', 100), 'nodes', json_build_array(), 'description', repeat('d', case when $n = 1 then 9000000 else 10000 end))`,
  });
  await fill('workflow_executions', MANY, {
    id: '$id',
    tenant_id: '$tenant',
    workflow_id: `'w1'`,
    revision: '1',
    version_id: '$id',
    status: `case when $n = 2 then 'running' else 'completed' end::dagwright.execution_status`,
    trigger_type: `'api'`,
    created_at: 'now()',
    completed_at: `case when $n = 2 then null else now() - interval '1 hour' end`,
    open_tasks: `case when $n = 2 then 1 else 0 end`,
    input: `jsonb_build_object('text', repeat('x', case when $n = 1 then 9000000 else 10 end))`,
    output: '$mb',
    metadata: `jsonb_build_object('text', repeat('x', case when $n = 1 then 5000000 else 10 end))`,
  });
  const task = {
    tenant_id: '$tenant',
    task_id: `'t' || $n`,
    map_index: '-1',
    task_type: `'transformation'`,
  };
  await fill('task_executions', MANY, {
    ...task,
    workflow_execution_id: `'${ONE}'::uuid`,
    status: `'completed'`,
    output: '$mb',
  });
  await fill('task_executions', SMALL, {
    ...task,
    workflow_execution_id: `'${id(2)}'::uuid`,
    status: `'retrying'`,
    wake_at: `now() + interval '1 day'`,
    error: `jsonb_build_object('code', 'http_500', 'message', repeat('m', 4000), 'details', repeat('x', 60000))`,
  });
  await fill('execution_logs', SMALL, {
    id: '$id',
    tenant_id: '$tenant',
    workflow_execution_id: `'${ONE}'::uuid`,
    at: 'now()',
    level: `'info'`,
    message: `repeat('m', 8000)`,
    fields: `jsonb_build_object('text', repeat('x', 15900))`,
  });
  await fill('human_tasks', SMALL, {
    id: '$id',
    tenant_id: '$tenant',
    workflow_execution_id: `'${ONE}'::uuid`,
    task_id: `'t' || $n`,
    map_index: '-1',
    workflow_id: `'w1'`,
    fence: '1',
    review_type: `'approval'`,
    title: `repeat('t', 500)`,
    description: `repeat('d', 10000)`,
    payload: `jsonb_build_object('text', repeat('x', case when $n = 1 then 1000000 else 10 end))`,
    form_schema: `jsonb_build_object('description', repeat('x', case when $n = 1 then 1000000 else 10 end))`,
    shown_hash: `sha256('x')`,
    assignees: `array_fill('user:' || repeat('u', 195), array[100])`,
    opened_at: 'now()',
    on_expire: `'fail'`,
  });
  await fill('review_responses', SMALL, {
    id: '$id',
    tenant_id: '$tenant',
    review_id: `'${ONE}'::uuid`,
    by: `'user:' || $n`,
    subject: `'user:' || $n`,
    decision: `'approved'`,
    comment: `repeat('c', 10000)`,
    data: `jsonb_build_object('text', repeat('x', 260000))`,
    at: 'now()',
  });
  await fill('workflow_variables', 46, {
    tenant_id: '$tenant',
    name: `'v' || lpad($n::text, 3, '0')`,
    value: `to_jsonb(repeat('x', 262000))`,
    created_by: `'test'`,
  });
  await fill('webhooks', MANY, {
    id: '$id',
    tenant_id: '$tenant',
    workflow_id: `'w1'`,
    path: `'path' || $n`,
    auth_type: `'none'`,
    input_mapping: '$mb',
    created_by: `'test'`,
  });
  await fill('webhook_events', MANY, {
    id: '$id',
    tenant_id: '$tenant',
    webhook_id: `'${ONE}'::uuid`,
    status: `'failed'`,
    method: `'POST'`,
    headers: `'{}'`,
    query: `'{}'`,
    body: '$mb',
    error: `jsonb_build_object('code', 'validation', 'message', 'it does not fit', 'details', $mb)`,
    received_at: 'now()',
  });
  await fill('schedules', MANY, {
    id: '$id',
    tenant_id: '$tenant',
    workflow_id: `'w1'`,
    name: `'s' || $n`,
    cron_expression: `'0 9 * * *'`,
    timezone: `'UTC'`,
    input: '$mb',
    created_by: `'test'`,
  });
  await fill('schedule_ticks', SMALL, {
    tenant_id: '$tenant',
    schedule_id: `'${ONE}'::uuid`,
    scheduled_at: `now() - $n * interval '1 day'`,
    status: `'missed'`,
    decided_at: 'now()',
    reason: `repeat('r', 500)`,
  });
  await fill('events', MANY, {
    id: '$id',
    tenant_id: '$tenant',
    type: `'order.created'`,
    payload: '$mb',
    created_by: `'test'`,
    created_at: 'now()',
    processed_at: 'now()',
  });
  await fill('tenants', SMALL, {
    id: '$id',
    name: `'tenant-' || $n`,
    settings: `jsonb_build_object('text', repeat('x', 63000))`,
  });
  await fill('api_keys', SMALL, {
    id: '$id',
    tenant_id: '$tenant',
    name: `repeat('k', 200)`,
    subject: `repeat('s', 200)`,
    scopes: `array_fill('service-limits:write'::text, array[60])`,
    secret_hash: `decode('00', 'hex')`,
    created_by: `'test'`,
  });
  // Only ever appended to, and by its function.
  await service.query(
    `select dagwright.audit_v1($1, 'schedules.update', 'schedules', 'of-the-test', doc, doc)
     from generate_series(1, ${MANY}) cross join lateral (select jsonb_build_object('text', repeat('x', 1000000)) as doc) d`,
    [DEFAULT_TENANT_ID],
  );
  await fill('service_limits', 12_000, { service_id: `repeat('s', 190) || $n`, max_concurrency: '1' });
}

async function bytesOf(
  url: string,
): Promise<{ readonly bytes: number; readonly body: Record<string, unknown> }> {
  const { status, body } = await get(url);
  expect([url, status]).toEqual([url, 200]);
  return { bytes: Buffer.byteLength(JSON.stringify(body)), body };
}

test('every GET of the document is in one of the two tables, and nothing else', () => {
  const named = (wanted: boolean) =>
    paths.filter(({ isPaged }) => isPaged === wanted).map(({ path }) => path);
  expect(named(true).sort()).toEqual(Object.keys(LISTS).sort());
  expect(named(false).sort()).toEqual(Object.keys(DETAILS).sort());
});

describe.runIf(isFullDepth)('a list', () => {
  test.each(Object.entries(LISTS))(
    '%s ends its pages by bytes, and they hold all of it',
    async (path, list) => {
      const found = new Set<unknown>();
      let cursor: string | null = '';
      while (cursor !== null) {
        const limit = path === '/v1/service-limits' ? MAX_SERVICES : PAGE_LIMIT.max;
        const at: string = `${list.url ?? path}?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const { bytes, body } = await bytesOf(at);
        expect(bytes).toBeLessThan(MOST);
        for (const item of body.items as Record<string, unknown>[]) found.add(item[list.key]);
        cursor = body.nextCursor as string | null;
      }
      expect(found.size).toBeGreaterThanOrEqual(list.rows);
    },
  );
});

describe.runIf(isFullDepth)('what is not paged', () => {
  const urls = Object.entries(DETAILS).flatMap(([path, url]) => (url === null ? [] : [[path, url] as const]));
  test.each(urls)('%s is bounded', async (_path, url) => {
    expect((await bytesOf(url)).bytes).toBeLessThan(MOST);
  });

  test('an execution names the parts that it leaves out, and each is read whole by itself', async () => {
    const { body } = await bytesOf(`/v1/executions/${ONE}`);
    expect(body).toMatchObject({ input: null, output: null, leftOut: ['input', 'output'] });
    expect((body.metadata as { text: string }).text).toHaveLength(5_000_000);
    const input = await bytesOf(`/v1/executions/${ONE}/parts/input`);
    expect((input.body.text as string).length).toBe(9_000_000);
    const { body: small } = await bytesOf(`/v1/executions/${id(3)}`);
    expect(small).toMatchObject({ input: { text: 'xxxxxxxxxx' }, leftOut: [] });
  });

  test('a part that is larger than any answer is refused by its size', async () => {
    await service.query(
      `update dagwright.workflow_executions set output = jsonb_build_object('text', repeat('x', 32000000)) where id = $1`,
      [id(4)],
    );
    const answer = await get(`/v1/executions/${id(4)}/parts/output`);
    expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    expect((await get(`/v1/executions/${id(4)}/parts/error`)).body).toBeNull();
  });
});
