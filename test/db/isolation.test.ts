// Row-level security: what the catalogue says of every table, view and function, and what two tenants see of each other.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { ROLES } from '../../src/db/connection/roles.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition, findDefinition } from '../../src/db/resources/definitions.ts';
import { below, randomOf } from '../core/support/random.ts';
import { depth } from '../support/depth.ts';
import { type Engine, graph, openEngine } from '../support/engine.ts';
import { cancelExecution, findExecution, findTasks, listExecutions } from '../support/executions.ts';

const OTHER = newId();
const TENANTS = [DEFAULT_TENANT_ID, OTHER] as const;
let engine: Engine;
const executions = new Map<string, string>();

beforeAll(async () => {
  engine = await openEngine();
  await engine.query('insert into dagwright.tenants (id, name) values ($1, $2)', [OTHER, 'other']);
  for (const tenant of TENANTS) {
    await applyDefinition(
      engine.database,
      tenant,
      graph('a -> b', { more: { workflowId: 'same-name' } }),
      'test',
    );
    const [started] = await startExecutions(engine.database.engine, tenant, [
      { workflowId: 'same-name', triggerType: 'manual', idempotencyKey: 'same-key', input: { tenant } },
    ]);
    executions.set(tenant, (started as { id: string }).id);
  }
  for (const id of executions.values())
    while (
      (
        await engine.query(
          `select from dagwright.workflow_executions where id = $1 and status = 'completed'`,
          [id],
        )
      ).length === 0
    )
      await engine.query('select pg_sleep(0.02)');
});
afterAll(() => engine.close());

/** Functions of the schema that a role, or `public`, may call. */
const mayCall = async (role: string) =>
  (
    await engine.query<{ name: string }>(
      `select proname as name from pg_proc where pronamespace = 'dagwright'::regnamespace
         and has_function_privilege($1, oid, 'execute') order by 1`,
      [role],
    )
  ).map(({ name }) => name);

/** CONTRACT 7. */
const FOR_SERVICES = [
  'cancel_execution',
  'complete_callback',
  'decide_review',
  'emit_event',
  'heartbeat_callback',
  'pause_execution',
  'resume_execution',
  'signal_execution',
  'start_workflow',
  'start_workflow_v2',
];

describe('the catalogue', () => {
  test('every table with tenant data has row-level security, forced, with both policies', async () => {
    const rows = await engine.query(
      `select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
         (select array_agg(p.polname::text || ':' || (p.polqual is not null and p.polwithcheck is not null) order by p.polname) from pg_policy p where p.polrelid = c.oid) as policies
       from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'dagwright'::regnamespace
         and (c.relname = 'tenants' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
       order by 1`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(20);
    for (const row of rows)
      expect(row).toMatchObject({
        enabled: true,
        forced: true,
        policies: [
          'engine_sees_all:true',
          // What belongs to the installation has no tenant: the owner, and so the audit trigger, may add it.
          ...(row.name === 'audit_logs' ? ['installation_appends:false'] : []),
          'tenant_isolation:true',
        ],
      });
  });

  test('the policies say the same of every table: a tenant its own rows, the engine all', async () => {
    const rows = await engine.query<{
      name: string;
      policy: string;
      roles: string[];
      using: string;
      check: string;
    }>(
      `select tablename as name, policyname as policy, roles::text[], qual as using, with_check as check
       from pg_policies where schemaname = 'dagwright'`,
    );
    const appends = `((tenant_id IS NULL) AND (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text) IS NULL))`;
    for (const { name, policy, roles, using, check } of rows) {
      if (name === 'audit_logs' && policy === 'installation_appends') {
        expect([roles, using, check]).toEqual([[ROLES.owner], null, appends]);
        continue;
      }
      const key = name === 'tenants' ? 'id' : 'tenant_id';
      const own = `(${key} = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)`;
      expect([name, policy, [...roles].sort(), using, check]).toEqual(
        policy === 'engine_sees_all'
          ? [name, policy, [ROLES.engine], 'true', 'true']
          : [name, 'tenant_isolation', [ROLES.owner, ROLES.tenant].sort(), own, own],
      );
    }
  });

  test('tables without tenant data are closed to the tenant role', async () => {
    expect(
      await engine.query(
        `select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'dagwright'::regnamespace
           and not c.relrowsecurity and has_table_privilege($1, c.oid, 'select, insert, update, delete')`,
        [ROLES.tenant],
      ),
    ).toEqual([]);
  });

  test('the tenant role may do what it needs, and no more', async () => {
    const rows = await engine.query<{ name: string; rights: string }>(
      `select c.relname as name, string_agg(case p.name when 'select' then 'r' when 'insert' then 'a' when 'update' then 'w' else p.name end, '' order by p.k) as rights
       from pg_class c cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) with ordinality as p(name, k)
       where c.relkind in ('r', 'p') and c.relnamespace in ('dagwright'::regnamespace, 'graphile_worker'::regnamespace)
         and has_table_privilege($1, c.oid, p.name) group by 1 order by 1`,
      [ROLES.tenant],
    );
    expect(Object.fromEntries(rows.map(({ name, rights }) => [name, rights]))).toEqual({
      api_keys: 'ra',
      audit_logs: 'r',
      event_triggers: 'rawdelete',
      events: 'r',
      execution_logs: 'r',
      human_tasks: 'r',
      idempotent_requests: 'ra',
      review_assignees: 'r',
      review_responses: 'r',
      schedule_ticks: 'r',
      schedules: 'rawdelete',
      signal_waits: 'r',
      task_attempts: 'r',
      task_executions: 'r',
      tenants: 'r',
      webhook_events: 'r',
      webhook_filters: 'rawdelete',
      webhooks: 'rawdelete',
      workflow_definitions: 'raw',
      workflow_executions: 'r',
      workflow_variables: 'rawdelete',
      workflow_versions: 'ra',
    });
  });

  test('of a key the tenant role may change only that it is revoked', async () => {
    const rows = await engine.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = 'dagwright.api_keys'::regclass and attnum > 0
         and has_column_privilege($1, attrelid, attnum, 'update')`,
      [ROLES.tenant],
    );
    expect(rows).toEqual([{ name: 'revoked_at' }]);
  });

  test('the role for other services may call the functions that are documented for them, and reach nothing else', async () => {
    expect(
      await engine.query(
        `select relname from pg_class where relnamespace in ('dagwright'::regnamespace, 'graphile_worker'::regnamespace, 'drizzle'::regnamespace)
           and relkind in ('r', 'p', 'v', 'm') and has_table_privilege($1, oid, 'select, insert, update, delete, truncate, references, trigger')`,
        [ROLES.caller],
      ),
    ).toEqual([]);
    expect(await mayCall(ROLES.caller)).toEqual(FOR_SERVICES);
    expect(
      await engine.query(
        `select rolname from pg_roles where rolname <> $1 and not rolsuper and pg_has_role($1, oid, 'MEMBER')`,
        [ROLES.caller],
      ),
    ).toEqual([]);
  });

  test('nobody may call a function by being anybody, also one that is made later', async () => {
    expect(await mayCall('public')).toEqual([]);
    await engine.query(
      `set role dagwright_owner; create function dagwright.made_later() returns int language sql as 'select 1'; reset role`,
    );
    try {
      expect(await mayCall('public')).toEqual([]);
      expect(await mayCall(ROLES.tenant)).not.toContain('made_later');
      expect(await mayCall(ROLES.engine)).toContain('made_later');
    } finally {
      await engine.query('set role dagwright_owner; drop function dagwright.made_later(); reset role');
    }
  });

  test('the engine may call every function', async () => {
    const all = await engine.query<{ name: string }>(
      `select proname as name from pg_proc where pronamespace = 'dagwright'::regnamespace order by 1`,
    );
    expect(await mayCall(ROLES.engine)).toEqual(all.map(({ name }) => name));
  });

  test('a foreign key between rows of tenants names the tenant, for it is checked without policies', async () => {
    const rows = await engine.query<{ table: string; keys: string[] }>(
      `select c.conrelid::regclass::text as table, array_agg(a.attname::text order by a.attnum) as keys
       from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
       where c.contype = 'f' and c.connamespace = 'dagwright'::regnamespace and has_table_privilege($1, c.conrelid, 'insert') group by c.oid, 1`,
      [ROLES.tenant],
    );
    expect(rows.length).toBeGreaterThan(5);
    for (const { table, keys } of rows)
      expect([table, keys]).toEqual([table, expect.arrayContaining(['tenant_id'])]);
  });

  test('no role of ours can bypass policies or log in, and the tenant role owns nothing', async () => {
    const rows = await engine.query(
      `select rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb from pg_roles where rolname = any($1)`,
      [Object.values(ROLES)],
    );
    expect(rows).toHaveLength(4);
    for (const { rolname, ...rights } of rows)
      expect([rolname, Object.values(rights)]).toEqual([rolname, Array(5).fill(false)]);
    expect(
      await engine.query(
        `select from pg_class where relnamespace in ('dagwright'::regnamespace, 'graphile_worker'::regnamespace) and pg_get_userbyid(relowner) <> $1`,
        [ROLES.owner],
      ),
    ).toEqual([]);
    expect(
      await engine.query(`select pg_has_role($1, $2, 'MEMBER') as a, pg_has_role($1, $3, 'MEMBER') as b`, [
        ROLES.tenant,
        ROLES.engine,
        ROLES.owner,
      ]),
    ).toEqual([{ a: false, b: false }]);
  });

  test('views see what their reader may see', async () => {
    const rows = await engine.query<{ name: string; options: string[] }>(
      `select relname as name, reloptions as options from pg_class where relkind = 'v' and relnamespace = 'dagwright'::regnamespace`,
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { name, options } of rows) expect([name, options]).toEqual([name, ['security_invoker=true']]);
  });

  test('functions that run as their owner pin the search path; the tenant role may call what it needs, and no more', async () => {
    const rows = await engine.query<{ name: string; config: string[] | null }>(
      `select proname as name, proconfig as config
       from pg_proc where pronamespace = 'dagwright'::regnamespace and prosecdef order by 1`,
    );
    expect(rows.length).toBeGreaterThan(15);
    for (const { name, config } of rows)
      expect([name, config?.find((setting) => setting.startsWith('search_path='))]).toEqual([
        name,
        'search_path=pg_catalog, pg_temp',
      ]);
    const own = [
      'backfill_schedule_v1',
      'change_review_v1',
      'count_of_v1',
      'decide_review_v1',
      'first_id_v1',
      'iso_v1',
      'make_review_link_v1',
      'miss_ticks_v1',
      'review_names_v1',
      'review_subject_v1',
      'revoke_review_links_v1',
      'run_schedule_v1',
      'missing_types_v1',
      'needs_of_v1',
      'read_needs_v1',
      'task_needs_v2',
      'usd_of_v1',
    ];
    expect(await mayCall(ROLES.tenant)).toEqual([...own, ...FOR_SERVICES].sort());
  });

  test('no unique key over what users choose spans tenants', async () => {
    expect(
      await engine.query(
        `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid
           join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
         where i.indisunique and c.relnamespace = 'dagwright'::regnamespace and a.atttypid <> 'uuid'::regtype
           and a.attname <> 'token_hash' -- of 256 random bits that nobody chooses
           and exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id')`,
      ),
    ).toEqual([]);
  });
});

const TABLES = [
  'tenants',
  'workflow_definitions',
  'workflow_versions',
  'workflow_executions',
  'task_executions',
  'task_attempts',
  'v_executions',
  'workflow_tasks',
];

/** Every table and view that says whose its rows are. */
const tablesOfTenants = async () =>
  (
    await engine.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
       where c.relnamespace = 'dagwright'::regnamespace and c.relkind in ('r', 'p', 'v') and has_table_privilege($1, c.oid, 'select')`,
      [ROLES.tenant],
    )
  ).map(({ name }) => name);

/** Ids of the tenants whose rows a connection sees in a table. */
const seen = (client: pg.ClientBase, table: string) =>
  client
    .query(`select distinct ${table === 'tenants' ? 'id' : 'tenant_id'} as id from dagwright.${table}`)
    .then(({ rows }) => rows.map(({ id }) => id));

describe('two tenants', () => {
  test('see their own rows of every table, and none of each other', async () => {
    for (const tenant of TENANTS)
      for (const table of TABLES.filter((name) => name !== 'task_attempts'))
        expect([table, await engine.database.withTenant(tenant, (client) => seen(client, table))]).toEqual([
          table,
          [tenant],
        ]);
  });

  test('see no row of each other in any table or view', async () => {
    const tables = await tablesOfTenants();
    expect(tables.length).toBeGreaterThan(20);
    for (const tenant of TENANTS)
      for (const table of tables) {
        const ids = await engine.database.withTenant(tenant, (client) => seen(client, table));
        expect([table, ids.filter((id) => id !== tenant)]).toEqual([table, []]);
      }
  });

  test('may use the same workflowId and idempotency key', () => {
    expect(new Set(executions.values()).size).toBe(2);
  });

  test('find nothing under an id of the other', async () => {
    const foreign = executions.get(DEFAULT_TENANT_ID)!;
    expect(await findExecution(engine.database, OTHER, foreign)).toBeNull();
    expect(await findTasks(engine.database, OTHER, foreign)).toEqual([]);
    expect(await cancelExecution(engine.database, OTHER, foreign)).toBeNull();
    expect((await listExecutions(engine.database, OTHER, { limit: 200 })).rows.map(({ id }) => id)).toEqual([
      executions.get(OTHER),
    ]);
    expect(await findDefinition(engine.database, newId(), 'same-name')).toBeNull();
  });

  test('cannot write rows of the other', async () => {
    const insert = `insert into dagwright.workflow_definitions (tenant_id, workflow_id, category, latest_revision) values ($1, 'planted', 'custom', 1)`;
    await expect(
      engine.database.withTenant(OTHER, (client) => client.query(insert, [DEFAULT_TENANT_ID])),
    ).rejects.toThrow(/row-level security/);
    const touched = await engine.database.withTenant(OTHER, (client) =>
      client.query(`update dagwright.workflow_definitions set name = 'planted' where tenant_id = $1`, [
        DEFAULT_TENANT_ID,
      ]),
    );
    expect(touched.rowCount).toBe(0);
    await expect(
      engine.database.withTenant(OTHER, (client) =>
        client.query(`update dagwright.workflow_definitions set tenant_id = $1`, [DEFAULT_TENANT_ID]),
      ),
    ).rejects.toThrow(/row-level security/);
  });

  // DAGWRIGHT_TEST_TRANSACTIONS=10000 for the whole soak.
  const transactions = Number(process.env.DAGWRIGHT_TEST_TRANSACTIONS ?? depth(1_000));
  test(`never see each other through ${transactions} interleaved transactions, aborted at random`, async () => {
    const random = randomOf(11);
    const wrong: unknown[] = [];
    let left = transactions;
    const transact = async () => {
      const tenant = TENANTS[below(random, 2)]!;
      const abort = random();
      await engine.database
        .withTenant(tenant, async (client) => {
          const ids = await seen(client, 'workflow_executions');
          if (ids.length !== 1 || ids[0] !== tenant) wrong.push({ tenant, ids });
          if (abort < 0.2) throw new Error('given up');
          if (abort < 0.4) await client.query('select 1 / 0');
        })
        .catch((error: Error) => {
          if (!/given up|division by zero/.test(error.message)) wrong.push(error);
        });
    };
    // More of them at once than there are connections.
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (left-- > 0) await transact();
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('without a tenant', () => {
  test.for([
    ['never set', `select 1`],
    ['reset to the empty text, as after a commit', `select set_config('app.current_tenant_id', '', false)`],
  ])('%s: no rows, and no error', async ([, prepare]) => {
    const client = new pg.Client({ connectionString: engine.database.url });
    await client.connect();
    try {
      await client.query(prepare!);
      for (const role of [ROLES.tenant, ROLES.owner]) {
        await client.query(`set role ${role}`);
        for (const table of TABLES)
          expect([role, table, await seen(client, table)]).toEqual([role, table, []]);
      }
    } finally {
      await client.end();
    }
  });
});
