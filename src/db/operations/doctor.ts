// What `doctor` asks a database about itself: server, roles, grants, sessions; whether tenants are kept apart is in
// isolation-check.ts. Reads only, or undoes what it wrote: each question has a transaction of its own that is rolled back,
// so it also works through a transaction pooler, and one that fails leaves no trace for the next.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { ROLES } from '../connection/roles.ts';

/** Opens a connection as the login of the URL; its role is chosen by each question. */
export async function openProbe(
  url: string,
  {
    name = 'dagwright doctor',
    timeoutMs = 5_000,
  }: { readonly name?: string; readonly timeoutMs?: number } = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: 8_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** Runs `ask` under `role` (null: the login's own) in a transaction that is rolled back. Statements end after 5 s. */
export async function inspect<T>(
  client: pg.Client,
  role: string | null,
  ask: (client: pg.Client) => Promise<T>,
): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local statement_timeout = '5s'; set local lock_timeout = '2s'`);
    if (role !== null) await client.query(`set local role ${role}`);
    return await ask(client);
  } finally {
    await client.query('rollback').catch(() => {});
  }
}

export interface ServerState {
  /** 180004 is 18.4. */
  readonly versionNumber: number;
  readonly version: string;
  readonly login: string;
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
  readonly settings: Readonly<Record<string, string>>;
  /** Client connections now, of all databases; at most `maxConnections`. */
  readonly connections: number;
  readonly maxConnections: number;
  /** The database's clock, milliseconds since the epoch. */
  readonly nowMs: number;
}

export async function readServer(client: pg.Client): Promise<ServerState> {
  return await inspect(client, null, async () => {
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int as "versionNumber", current_setting('server_version') as version,
         session_user as login, pg_is_in_recovery() as "isStandby",
         current_setting('default_transaction_read_only') = 'on' as "isReadOnly",
         (select json_object_agg(name, setting) from pg_settings where name in
           ('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum', 'track_counts')) as settings,
         (select count(*)::int from pg_stat_activity where backend_type = 'client backend' or backend_type is null) as connections,
         current_setting('max_connections')::int as "maxConnections",
         (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs"`,
    );
    return rows[0] as ServerState;
  });
}

export interface RoleState {
  readonly name: string;
  readonly exists: boolean;
  /** Whether the login may `set role` to it. */
  readonly canBeTaken: boolean;
}

export async function readRoles(client: pg.Client): Promise<RoleState[]> {
  const { rows } = await client.query<Omit<RoleState, 'canBeTaken'>>(
    `select r.name, p.oid is not null as exists
     from unnest($1::text[]) with ordinality as r(name, k) left join pg_roles p on p.rolname = r.name order by r.k`,
    [Object.values(ROLES)],
  );
  const roles: RoleState[] = [];
  for (const row of rows) {
    const canBeTaken =
      row.exists &&
      (await inspect(client, row.name, async () => true).catch((error: { code?: string }) => {
        if (error.code === '42501') return false;
        throw error;
      }));
    roles.push({ ...row, canBeTaken });
  }
  return roles;
}

/** Grants that are missing, each as a phrase. */
export async function findGrantProblems(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ problem: string }>(
    `select format('%s may not read dagwright.%s', '${ROLES.engine}', c.relname) as problem
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'dagwright' and c.relkind in ('r', 'p', 'v') and not has_table_privilege('${ROLES.engine}', c.oid, 'SELECT')
     union all
     select format('%s may not use the schema dagwright', r) from unnest(array['${ROLES.engine}', '${ROLES.tenant}', '${ROLES.caller}']) r
       where not has_schema_privilege(r, 'dagwright', 'USAGE')
     union all
     select format('%s may reach dagwright.%s, not only functions', '${ROLES.caller}', c.relname)
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'dagwright' and c.relkind in ('r', 'p', 'v')
         and has_table_privilege('${ROLES.caller}', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
     union all
     select format('anyone may call dagwright.%s, with the rights of its owner', p.proname)
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname = 'dagwright' and p.prosecdef and has_function_privilege('public', p.oid, 'EXECUTE')
     union all
     select format('%s.%s belongs to %s, not to ${ROLES.owner}', n.nspname, c.relname, pg_get_userbyid(c.relowner))
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('dagwright', 'graphile_worker') and c.relkind in ('r', 'p', 'v') and pg_get_userbyid(c.relowner) <> '${ROLES.owner}'`,
  );
  return rows.map(({ problem }) => problem);
}

/** Writes about 4 MB to a table of its own, and undoes it; milliseconds. Throws what the server says when it has no room. */
export async function tryWriting(client: pg.Client): Promise<number> {
  return await inspect(client, ROLES.owner, async () => {
    const startedAt = performance.now();
    await client.query(
      `create table dagwright.doctor_writes as select repeat('0', 64) as filler from generate_series(1, 40000)`,
    );
    return Math.round(performance.now() - startedAt);
  });
}

/**
 * Whether a connection to `url` is a session of its own, as LISTEN and session locks need; a transaction pooler's is not.
 * `server` names the server and database behind it.
 */
export async function trySession(
  url: string,
): Promise<{ listens: boolean; keepsLocks: boolean; server: string }> {
  const channel = `dagwright_doctor_${randomUUID().replaceAll('-', '')}`;
  const key = Math.floor(Math.random() * 2 ** 30);
  const [listener, notifier] = [await openProbe(url), await openProbe(url)];
  try {
    const heard = new Promise<boolean>((resolve) => {
      listener.on('notification', () => resolve(true));
      setTimeout(() => resolve(false), 2_000).unref();
    });
    await listener.query(`listen ${channel}`);
    // From another connection: a pooler may hand one client's notification to whoever uses its server connection.
    await listener.query('select pg_advisory_lock(1148, $1)', [key]);
    const taken = await notifier.query<{ taken: boolean }>(
      'select pg_try_advisory_xact_lock(1148, $1) as taken',
      [key],
    );
    await notifier.query(`notify ${channel}`);
    const { rows } = await listener.query<{ server: string }>(
      `select format('%s %s', extract(epoch from pg_postmaster_start_time()), oid) as server from pg_database where datname = current_database()`,
    );
    return { listens: await heard, keepsLocks: !taken.rows[0]!.taken, server: rows[0]!.server };
  } finally {
    await listener.query('select pg_advisory_unlock(1148, $1)', [key]).catch(() => {});
    await listener.query(`unlisten ${channel}`).catch(() => {});
    await Promise.all([listener.end().catch(() => {}), notifier.end().catch(() => {})]);
  }
}
