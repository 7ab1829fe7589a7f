// Lists of reviews are read by an index, however many there are and whatever is asked for; and what is asked of them besides.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { insertKey } from '../../src/db/resources/api-keys.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { type ReviewFilter, reviewListQuery } from '../../src/db/resources/reviews.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { depth } from '../support/depth.ts';

const ROWS = depth(20_000);

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
  const { engine } = database;
  await engine.query(
    `insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at)
     select dagwright.first_id_v1(now()), $1, 'w', 1, gen_random_uuid(), 'running', 'api', '{}', now()`,
    [DEFAULT_TENANT_ID],
  );
  // All are open but one in twenty; one in two thousand is for alice, the rest for a role; as many are due.
  await engine.query(
    `insert into dagwright.human_tasks (id, tenant_id, workflow_execution_id, task_id, map_index, workflow_id, fence, review_type, title,
       payload, shown_hash, status, assignees, opened_at, due_at, on_expire)
     select overlay(dagwright.first_id_v1(now() - n * interval '1 second')::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, $1,
       (select id from dagwright.workflow_executions limit 1), 'r', n, 'w' || n % 50, 1, 'approval', 'x', 'null', '',
       (case when n % 20 = 0 then 'approved' else 'open' end)::dagwright.review_status,
       array[case when n % 2000 = 1999 then 'user:alice' else 'role:reviewer' end], now(),
       case when n % 2000 = 1998 then now() - interval '1 s' else now() + interval '1 day' end, 'fail'
     from generate_series(1, $2::int) n`,
    [DEFAULT_TENANT_ID, ROWS],
  );
  await database.withTenant(DEFAULT_TENANT_ID, (client) =>
    insertKey(client, DEFAULT_TENANT_ID, {
      ...{ name: 'x', subject: 'user:role', roles: ['reviewer'], scopes: [] },
      ...{ createdBy: 'test', expiresAt: null },
    }),
  );
  await engine.query(
    'set role none; analyze dagwright.human_tasks, dagwright.review_assignees, dagwright.review_responses; set role dagwright_engine',
  );
}, 60_000);
afterAll(async () => {
  await database.close();
  await own.drop();
});

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
}

async function planOf(text: string, values: readonly unknown[]): Promise<Node[]> {
  return await database.withTenant(DEFAULT_TENANT_ID, async (client) => {
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

describe('a list of reviews', () => {
  it.each<[string, Omit<ReviewFilter, 'limit'>]>([
    ['the newest', {}],
    ['open ones', { status: 'open' }],
    ['decided ones', { status: 'approved' }],
    ['of a workflow', { workflowId: 'w3' }],
    ['of an unknown workflow', { workflowId: 'none', status: 'open' }],
    ['that are due', { status: 'open', due: new Date().toISOString() }],
    ['of a person', { status: 'open', mineOf: 'user:alice' }],
    ['of a role', { status: 'open', mineOf: 'user:role' }],
    ['that a person has decided', { status: 'approved', mineOf: 'user:alice' }],
    ['of a person in a workflow', { status: 'open', mineOf: 'user:alice', workflowId: 'w3' }],
    ['of a person, whatever became of them', { mineOf: 'user:alice' }],
    ['of nobody', { status: 'open', mineOf: 'user:bob' }],
    ['after a page', { status: 'open', before: '0199a0b0-0000-7000-8000-000000000000' }],
  ])('%s looks at few rows, by an index', async (_, filter) => {
    const { text, values } = reviewListQuery(DEFAULT_TENANT_ID, { limit: 51, ...filter });
    const nodes = await planOf(text, values);
    const large = ['human_tasks', 'review_assignees'];
    const read = nodes.filter((node) => large.includes(node['Relation Name'] ?? ''));
    expect(read.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    const most = Math.max(
      0,
      ...read.map((node) => node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)),
    );
    expect(most).toBeLessThan(0.3 * ROWS);
  });
});
