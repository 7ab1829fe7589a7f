// Lists of executions are read by an index, however many there are and whatever is asked for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { type ExecutionFilter, executionListQuery } from '../../src/db/executions/execution-list.ts';
import { findStats } from '../../src/db/executions/stats.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const ROWS = 100_000;
const OTHER = '0199a0b0-0000-7000-8000-00000000000a';
/** Its executions are all older than anybody else's; the first hundred went wrong. */
const QUIET = '0199a0b0-0000-7000-8000-00000000000b';
const QUIET_ROWS = 20_000;

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
  await database.engine.query(
    `insert into dagwright.tenants (id, name) values ($1, 'other'), ($2, 'quiet')`,
    [OTHER, QUIET],
  );
  // One in ten of the second tenant; one in a thousand open; one a second into the past.
  const insert = (from: number, to: number) =>
    database.engine.query(
      `insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input,
       metadata, created_at, actual_cost_usd, duration_ms)
     select overlay(dagwright.first_id_v1(now() - n * interval '1 second')::text placing lpad(to_hex(n), 12, '0') from 25)::uuid,
       case when n > ${ROWS} then $3::uuid when n % 10 = 0 then $1::uuid else $2::uuid end, 'w' || n % 50, 1, gen_random_uuid(),
       (case when n > ${ROWS + QUIET_ROWS - 100} then case when n % 2 = 0 then 'failed' else 'cancelled' end when n > ${ROWS} then 'completed'
         when n % 1000 = 1 then 'running' when n % 7 = 0 then 'failed' else 'completed' end)::dagwright.execution_status,
       'api', '{}', jsonb_build_object('n', n), now() - n * interval '1 second', 0.001, n
     from generate_series($4::int, $5::int) n`,
      [OTHER, DEFAULT_TENANT_ID, QUIET, from, to],
    );
  for (let n = 0; n < ROWS + QUIET_ROWS; n += 10_000) await insert(n + 1, n + 10_000);
  // The engine's role does not own the table.
  await database.engine.query(
    'set role none; analyze dagwright.workflow_executions; set role dagwright_engine',
  );
}, 60_000);
afterAll(async () => {
  await database.close();
  await own.drop();
});

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
}

async function planOf(
  text: string,
  values: readonly unknown[],
  tenantId = DEFAULT_TENANT_ID,
): Promise<Node[]> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query(`explain (analyze, format json) ${text}`, [...values]);
    const all: Node[] = [];
    const walk = (node: Node) => {
      all.push(node);
      for (const child of node.Plans ?? []) walk(child);
    };
    walk(rows[0]['QUERY PLAN'][0].Plan);
    return all;
  });
}

const lookedAt = (nodes: readonly Node[]) =>
  Math.max(...nodes.map((node) => node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)));

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

describe('a list of executions', () => {
  it.each<[string, Omit<ExecutionFilter, 'limit'>, number]>([
    ['the newest', {}, 100],
    ['of a workflow', { workflowId: 'w3' }, 100],
    ['of an unknown workflow', { workflowId: 'none' }, 100],
    ['that failed', { status: 'failed' }, 1_000],
    ['that run', { status: 'running' }, 1_000],
    ['from a time on', { from: ago(60) }, 4_500],
    ['of an hour long ago', { from: ago(50_000), to: ago(46_400) }, 9_000],
    ['after a page', { before: '0199a0b0-0000-7000-8000-000000000000' }, 100],
  ])('%s looks at few rows, by an index', async (_, filter, most) => {
    const { text, values } = executionListQuery(DEFAULT_TENANT_ID, { limit: 51, ...filter });
    const nodes = await planOf(text, values);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(lookedAt(nodes)).toBeLessThan(most);
  });

  it.each<[string, Omit<ExecutionFilter, 'limit'>]>([
    ['the newest', {}],
    ['of a workflow', { workflowId: 'w3' }],
    ['that failed', { status: 'failed' }],
    ['that were cancelled', { status: 'cancelled' }],
    ['that run', { status: 'running' }],
  ])('%s walks past no rows of other tenants, however many are newer', async (_, filter) => {
    const { text, values } = executionListQuery(QUIET, { limit: 51, ...filter });
    const nodes = await planOf(text, values, QUIET);
    expect(lookedAt(nodes)).toBeLessThan(200);
  });

  it('one execution is found by its key', async () => {
    const nodes = await planOf(
      'select * from dagwright.workflow_executions where tenant_id = $1 and id = $2',
      [DEFAULT_TENANT_ID, OTHER],
    );
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  });
});

describe('stats', () => {
  it('count what the tenant has, of the last 24 hours and of the month, and cost exactly', async () => {
    const stats = await findStats(database, { tenantId: OTHER, actor: 'test' });
    const sum = Object.values(stats.last24h).reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(8_600);
    expect(sum).toBeLessThan(8_650);
    expect(stats.isComplete).toBe(true);
    expect(stats.workflows).toHaveLength(5);
    expect(stats.workflows[0]).toMatchObject({ executions: expect.any(Number), failed: expect.any(Number) });
    expect(stats.costUsd.month).toMatch(/^\d+(\.\d+)?$/);
    const [{ month }] = (
      await database.engine.query(
        `select trim_scale(sum(actual_cost_usd))::text as month from dagwright.workflow_executions
         where tenant_id = $1 and created_at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'`,
        [OTHER],
      )
    ).rows as [{ month: string }];
    expect(stats.costUsd.month).toBe(month);
    expect((await findStats(database, { tenantId: DEFAULT_TENANT_ID, actor: 'test' })).open.running).toBe(
      100,
    );
  });
});
