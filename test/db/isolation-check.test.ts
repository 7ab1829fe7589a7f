// The service refuses a database that would ignore its policies: each way to break one is planted, found, named with what
// mends it, and gone when that was done. On a server of its own, for roles belong to all databases of a server.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { assertIsolation, IsolationError, tryIsolation } from '../../src/db/operations/isolation-check.ts';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { type OwnPostgres, openOwnPostgres } from '../crash/support/own-postgres.ts';
import { patience } from '../support/patience.ts';

let server: OwnPostgres;
let client: pg.Client;

beforeAll(async () => {
  server = await openOwnPostgres(inject('cluster'));
  await migrateDatabase(server.url);
  client = new pg.Client({ connectionString: server.url });
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client?.end();
  await server?.remove();
});

const problemsOf = async (): Promise<{ problem: string; fix: string }[]> => {
  try {
    await assertIsolation(server.url);
    return [];
  } catch (error) {
    if (!(error instanceof IsolationError)) throw error;
    return [...error.problems];
  }
};

test('a sound database passes in a few milliseconds, and nothing is left of the try', async () => {
  await assertIsolation(server.url);
  const startedAt = performance.now();
  await assertIsolation(server.url);
  expect(performance.now() - startedAt).toBeLessThan(patience(2_000));
  const { rows } = await client.query(
    `select (select count(*)::int from dagwright.tenants) as tenants, (select count(*)::int from dagwright.audit_logs) as audited,
       (select count(*)::int from dagwright.workflow_executions) as executions, (select count(*)::int from graphile_worker._private_jobs) as jobs`,
  );
  expect(rows).toEqual([{ tenants: 1, audited: 0, executions: 0, jobs: 0 }]);
});

describe('it refuses a database where', () => {
  test.for([
    [
      'FORCE is removed',
      'alter table dagwright.schedules no force row level security',
      /schedules: .* not forced/,
    ],
    ['policies are off', 'alter table dagwright.webhooks disable row level security', /webhooks: .* is off/],
    [
      'a policy is missing',
      'drop policy tenant_isolation on dagwright.events',
      /events: policy tenant_isolation is missing/,
    ],
    [
      'the policy of the engine is missing',
      'drop policy engine_sees_all on dagwright.events',
      /policy engine_sees_all is missing/,
    ],
    [
      'a policy was changed to let all in',
      'alter policy tenant_isolation on dagwright.api_keys using (true)',
      /api_keys: policy tenant_isolation is not what it was/,
    ],
    [
      'rows of others may be written',
      'alter policy tenant_isolation on dagwright.webhooks with check (true)',
      /webhooks: policy tenant_isolation is not/,
    ],
    [
      "the engine's policy holds for tenants",
      'alter policy engine_sees_all on dagwright.events to public',
      /events: policy engine_sees_all is not/,
    ],
    [
      'a second policy opens a table',
      'create policy oops on dagwright.workflow_variables using (true)',
      /workflow_variables: policy oops lets more in/,
    ],
    [
      'the tenant role bypasses policies',
      'alter role dagwright_tenant bypassrls',
      /not hold for dagwright_tenant/,
    ],
    ['the owner bypasses policies', 'alter role dagwright_owner bypassrls', /not hold for dagwright_owner/],
    [
      'the tenant role is a superuser',
      'alter role dagwright_tenant superuser',
      /not hold for dagwright_tenant/,
    ],
    [
      'the tenant role is a member of the engine',
      'grant dagwright_engine to dagwright_tenant',
      /dagwright_tenant is a member of dagwright_engine/,
    ],
    [
      'the role for other services may do what a tenant may',
      'grant dagwright_tenant to dagwright_caller',
      /dagwright_caller is a member of dagwright_tenant/,
    ],
    [
      'a table belongs to another',
      'alter table dagwright.schedules owner to dagwright_tenant',
      /schedules belongs to/,
    ],
    [
      'a view has the rights of its owner',
      'alter view dagwright.v_executions reset (security_invoker)',
      /view v_executions/,
    ],
    [
      'a function has the rights of one who sees all tenants',
      'alter function dagwright.complete_callback owner to current_user',
      /function complete_callback has rights of/,
    ],
    [
      'a function has no fixed search_path',
      'alter function dagwright.start_workflow reset search_path',
      /function start_workflow/,
    ],
  ] as const)('%s, and says what mends it', async ([, defect, message]) => {
    await client.query(defect);
    const problems = await problemsOf();
    expect(problems.map(({ problem }) => problem).join('; ')).toMatch(message);
    for (const { fix } of problems) await client.query(fix);
    expect(await problemsOf()).toEqual([]);
  });

  test('there are no tables yet', async () => {
    await client.query('create database empty');
    const url = new URL(server.url);
    url.pathname = '/empty';
    await expect(assertIsolation(url.href)).rejects.toThrow(/no tables/);
  });
});

test('it refuses a database in which the try cannot be made', async () => {
  await client.query('revoke insert on dagwright.workflow_variables from dagwright_tenant');
  expect(await problemsOf()).toEqual([
    {
      problem: expect.stringMatching(/cannot be tried: permission denied/),
      fix: 'dagwright migrate; dagwright doctor',
    },
  ]);
  await client.query('grant insert on dagwright.workflow_variables to dagwright_tenant');
});

describe('the live try alone', () => {
  test.for([
    [
      'a policy lets all in',
      `alter policy tenant_isolation on dagwright.workflow_variables using (true)`,
      'another tenant',
    ],
    [
      'a table is not forced',
      'alter table dagwright.workflow_versions no force row level security',
      'the owner',
    ],
    ['a role bypasses policies', 'alter role dagwright_tenant bypassrls', 'another tenant'],
    [
      'rows of others may be changed',
      'alter policy tenant_isolation on dagwright.workflow_definitions using (true) with check (true)',
      'another tenant can change rows',
    ],
    [
      'rows of others may be made',
      'alter policy tenant_isolation on dagwright.workflow_definitions with check (true)',
      'another tenant can insert rows',
    ],
    [
      'a policy hides what is its own',
      'alter policy tenant_isolation on dagwright.workflow_variables using (false)',
      'the tenant itself sees 0',
    ],
  ] as const)('sees it where %s', async ([, defect, leak]) => {
    await client.query(defect);
    expect((await tryIsolation(client)).join('; ')).toContain(leak);
    for (const { fix } of await problemsOf()) await client.query(fix);
    expect(await tryIsolation(client)).toEqual([]);
  });
});
