// Whether this database keeps tenants apart: by its catalogue, and by a live try with a tenant that is made for it and undone.
// Asked by the service when it starts, which refuses a database that would ignore its policies, and by `doctor`.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { isConnectionLoss } from '../connection/connection.ts';
import { ROLES } from '../connection/roles.ts';
import { inspect, openProbe } from './doctor.ts';

export interface IsolationProblem {
  /** What would let one tenant see another's rows. */
  readonly problem: string;
  /** SQL that mends it, or where to look. */
  readonly fix: string;
}

/** The database would not keep tenants apart. */
export class IsolationError extends Error {
  readonly problems: readonly IsolationProblem[];
  constructor(problems: readonly IsolationProblem[]) {
    super(`the database would not keep tenants apart: ${problems.map(({ problem }) => problem).join('; ')}`);
    this.name = 'IsolationError';
    this.problems = problems;
  }
}

/** Throws an IsolationError where the database at `url` would not keep tenants apart. */
export async function assertIsolation(url: string): Promise<void> {
  const client = await openProbe(url, { name: 'dagwright isolation' });
  try {
    const { tables, problems } = await findPolicyProblems(client);
    if (tables === 0) throw new IsolationError([{ problem: 'it has no tables', fix: 'dagwright migrate' }]);
    const all = [...(await findRoleProblems(client)), ...problems];
    if (all.length > 0) throw new IsolationError(all);
    const leaks = await tryIsolation(client).catch((error: Error) => {
      if (isConnectionLoss(error)) throw error;
      const problem = `it cannot be tried: ${error.message}`;
      throw new IsolationError([{ problem, fix: 'dagwright migrate; dagwright doctor' }]);
    });
    const fix = 'stop what uses the database; dagwright doctor says more';
    if (leaks.length > 0) throw new IsolationError(leaks.map((problem) => ({ problem, fix })));
  } finally {
    await client.end().catch(() => {});
  }
}

/** Roles for which policies do not hold, whatever they say. */
export async function findRoleProblems(client: pg.Client): Promise<IsolationProblem[]> {
  const { rows } = await client.query<IsolationProblem>(
    `select format('row-level security does not hold for %s', rolname) as problem,
       format('alter role %s nosuperuser nobypassrls;', rolname) as fix
       from pg_roles where rolname = any($1) and (rolsuper or rolbypassrls)
     union all
     select format('%s is a member of %s, and so sees %s', t.rolname, r.rolname, case r.rolname when $2 then 'tables' else 'all tenants' end),
       format('revoke %s from %s;', r.rolname, t.rolname)
       from pg_roles r join pg_roles t on t.rolname in ($2, $3)
       where r.rolname not in (t.rolname, $3) and (r.rolname = any($1) or r.rolsuper or r.rolbypassrls)
         and pg_has_role(t.oid, r.oid, 'MEMBER') and not t.rolsuper`,
    [Object.values(ROLES), ROLES.tenant, ROLES.caller],
  );
  return rows;
}

/**
 * What would let one tenant see another's rows, by the catalogue. `tables`: how many were looked at. The rules are those of
 * drizzle/0001_engine.sql, as PostgreSQL writes them back.
 */
export async function findPolicyProblems(
  client: pg.Client,
): Promise<{ tables: number; problems: IsolationProblem[] }> {
  const { rows } = await client.query<{ tables: number; problems: IsolationProblem[] | null }>(
    `with tenant_tables as (
       select c.relname::text as name, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) as owner,
         format('(%s = (NULLIF(current_setting(''app.current_tenant_id''::text, true), ''''::text))::uuid)',
           case c.relname when 'tenants' then 'id' else 'tenant_id' end) as own
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'dagwright' and c.relkind in ('r', 'p') and (c.relname = 'tenants' or exists (
         select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))),
     policies as (
       select p.tablename::text as name, p.policyname::text as policy, p.permissive = 'PERMISSIVE' as opens, p.cmd,
         array(select r::text from unnest(p.roles) r order by 1) as roles, p.qual, p.with_check
       from pg_policies p where p.schemaname = 'dagwright'),
     wanted as (
       select t.name, w.policy, w.roles, w.rule from tenant_tables t cross join lateral (values
         ('tenant_isolation', array['${ROLES.owner}', '${ROLES.tenant}'], t.own), ('engine_sees_all', array['${ROLES.engine}'], 'true')) as w(policy, roles, rule)),
     problems as (
       select name || ': row-level security is off' as problem,
         format('alter table dagwright.%I enable row level security, force row level security;', name) as fix
         from tenant_tables where not relrowsecurity
       union all
       select name || ': row-level security is not forced', format('alter table dagwright.%I force row level security;', name)
         from tenant_tables where relrowsecurity and not relforcerowsecurity
       union all
       select format('%s belongs to %s', name, owner), format('alter table dagwright.%I owner to ${ROLES.owner};', name)
         from tenant_tables where owner <> '${ROLES.owner}'
       union all
       select format('%s: policy %s is %s', w.name, w.policy, case when p.name is null then 'missing' else 'not what it was' end),
         case when p.name is null then '' else format('drop policy %I on dagwright.%I; ', w.policy, w.name) end ||
         format('create policy %I on dagwright.%I to %s using (%s) with check (%s);', w.policy, w.name, array_to_string(w.roles, ', '), w.rule, w.rule)
         from wanted w left join policies p on p.name = w.name and p.policy = w.policy
         where (p.opens and p.cmd = 'ALL' and p.roles = w.roles and p.qual = w.rule and p.with_check = w.rule) is not true
       union all
       select format('%s: policy %s lets more in than the tenant''s own rows', p.name, p.policy), format('drop policy %I on dagwright.%I;', p.policy, p.name)
         from policies p join tenant_tables t on t.name = p.name
         where p.opens and p.policy not in ('tenant_isolation', 'engine_sees_all') and p.roles && array['public', '${ROLES.tenant}', '${ROLES.owner}']
           and not (p.name = 'audit_logs' and p.policy = 'installation_appends' and p.cmd = 'INSERT' and p.roles = array['${ROLES.owner}'])
       union all
       select format('view %s runs with the rights of its owner', c.relname), format('alter view dagwright.%I set (security_invoker = true);', c.relname)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'dagwright' and c.relkind = 'v' and not coalesce(c.reloptions @> array['security_invoker=true'], false)
       union all
       select format('function %s has rights of its owner and no fixed search_path', p.proname),
         format('alter function %s set search_path = pg_catalog, pg_temp;', p.oid::regprocedure)
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = 'dagwright' and p.prosecdef
           and not exists (select from unnest(p.proconfig) as s where s like 'search_path=%')
       union all
       select format('function %s has rights of %s', p.proname, pg_get_userbyid(p.proowner)),
         format('alter function %s owner to ${ROLES.owner};', p.oid::regprocedure)
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = 'dagwright' and p.prosecdef and pg_get_userbyid(p.proowner) <> '${ROLES.owner}')
     select (select count(*)::int from tenant_tables) as tables,
       (select json_agg(json_build_object('problem', problem, 'fix', fix) order by problem) from problems) as problems`,
  );
  return { tables: rows[0]!.tables, problems: rows[0]!.problems ?? [] };
}

/** Tables in which the try has a row of its tenant, with the column that holds the tenant. */
const TRIED = {
  tenants: 'id',
  workflow_definitions: 'tenant_id',
  workflow_versions: 'tenant_id',
  workflow_executions: 'tenant_id',
  workflow_variables: 'tenant_id',
  api_keys: 'tenant_id',
} as const;

/**
 * Makes a tenant with a row in several tables, looks at them as itself, as another tenant and as nobody, under the tenant's
 * and the owner's role, tries to change them, and undoes it all: one question. What leaked, as phrases.
 */
export async function tryIsolation(client: pg.Client): Promise<string[]> {
  const [mine, other] = [randomUUID(), randomUUID()].map((id) => pg.escapeLiteral(id));
  const actAs = (role: string, tenant: string) =>
    `set local role ${role}; select set_config('app.current_tenant_id', ${tenant}, true);`;
  const viewers = [
    { who: 'the tenant itself', role: ROLES.tenant, tenant: mine!, expected: 1 },
    { who: 'another tenant', role: ROLES.tenant, tenant: other!, expected: 0 },
    { who: 'no tenant', role: ROLES.tenant, tenant: `''`, expected: 0 },
    { who: 'the owner for another tenant', role: ROLES.owner, tenant: other!, expected: 0 },
  ];
  const counts = Object.entries(TRIED).map(
    ([table, column]) =>
      `select '${table}' as name, count(*)::int as seen from dagwright.${table} where ${column} = ${mine}`,
  );
  const looks = viewers.map(
    ({ who, role, tenant, expected }) =>
      `${actAs(role, tenant)} select '${who}' as who, ${expected} as expected, seen.* from (${counts.join(' union all ')}) as seen;`,
  );
  return await inspect(client, ROLES.owner, async () => {
    const results = (await client.query(`
      ${actAs(ROLES.owner, mine!)}
      insert into dagwright.tenants (id, name) values (${mine}, 'canary ' || ${mine});
      ${actAs(ROLES.tenant, mine!)}
      insert into dagwright.workflow_definitions (tenant_id, workflow_id, latest_revision) values (${mine}, 'canary', 1);
      insert into dagwright.workflow_versions (id, tenant_id, workflow_id, revision, content_hash, definition)
        values (gen_random_uuid(), ${mine}, 'canary', 1, '', '{}');
      select dagwright.start_workflow('canary', '{}');
      insert into dagwright.workflow_variables (tenant_id, name, value, created_by) values (${mine}, 'canary', '1', 'canary');
      insert into dagwright.api_keys (id, tenant_id, name, secret_hash, created_by) values (gen_random_uuid(), ${mine}, 'canary', '', 'canary');
      ${looks.join('\n')}
      ${actAs(ROLES.tenant, other!)}
      with changed as (update dagwright.workflow_definitions set name = 'changed' where tenant_id = ${mine} returning 1)
        select 'another tenant can change rows' as leak from changed;
      do $do$ begin
        insert into dagwright.workflow_definitions (tenant_id, workflow_id, latest_revision) values (${mine}, 'forged', 1);
        perform set_config('dagwright.leak', 'another tenant can insert rows', true);
      exception when insufficient_privilege then null; end $do$;
      select current_setting('dagwright.leak', true) as leak;`)) as unknown as pg.QueryResult[];
    return results
      .flatMap(({ rows }) => rows as Record<string, unknown>[])
      .flatMap(({ who, name, seen, expected, leak }) => {
        if (typeof leak === 'string' && leak !== '') return [leak];
        return seen === undefined || seen === expected
          ? []
          : [`${who} sees ${seen} row(s) in ${name}, expected ${expected}`];
      });
  });
}
