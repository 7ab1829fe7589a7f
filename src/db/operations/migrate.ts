// Brings a database up to date: roles, graphile-worker's schema and ours, in one advisory lock, so that any number of
// processes may start at once. Safe to run again; runs as the login of the URL, which must be allowed to create roles.
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { ROLES, TAKEN_ROLES } from '../connection/roles.ts';
import { hasOlderPrices, seedPrices } from '../resources/pricing.ts';

const FOLDER = fileURLToPath(new URL('../../../drizzle', import.meta.url));
const LOCK = 1147_2001;
/** A migration waits so long for a lock of a table, and lets others pass for so long before it tries again. */
const LOCK_MS = 1_000;
const LOCK_PAUSE_MS = 2_000;
const LOCK_TRIES = 40;

/** Thrown when the database cannot be brought up to date; `hint` says what to do. */
export class MigrationError extends Error {
  readonly hint: string;
  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'MigrationError';
    this.hint = hint;
  }
}

/** Applies what the database lacks, if it may; how many migrations it lacks then. */
export async function bringUpToDate(url: string, mayMigrate: boolean): Promise<number> {
  const pending = await pendingMigrations(url);
  if (!mayMigrate || (pending === 0 && !(await arePricesOlder(url)))) return pending;
  await migrateDatabase(url);
  return 0;
}

/** Migrations that the database does not have yet; all of them where it has none. */
export async function pendingMigrations(url: string): Promise<number> {
  const all = readMigrationFiles({ migrationsFolder: FOLDER });
  return await withClient(url, QUESTION, async (client) => {
    const known = await client.query(
      `select to_regclass('drizzle.__drizzle_migrations') is not null as known`,
    );
    if (!known.rows[0].known) return all.length;
    const last = await client.query('select max(created_at)::bigint as at from drizzle.__drizzle_migrations');
    const at = Number(last.rows[0].at ?? 0);
    return all.filter((migration) => migration.folderMillis > at).length;
  });
}

/** Migrations that the database has and this build does not know: a newer release was there. */
export async function unknownMigrations(url: string): Promise<number> {
  const known = readMigrationFiles({ migrationsFolder: FOLDER }).map(({ folderMillis }) => folderMillis);
  return await withClient(url, QUESTION, async (client) => {
    const { rows } = await client.query(
      'select count(*)::int as n from drizzle.__drizzle_migrations where created_at <> all($1::bigint[])',
      [known],
    );
    return rows[0].n;
  });
}

/** Whether the prices of the price library that the database has are older than this build's; migrateDatabase brings them. */
export async function arePricesOlder(url: string): Promise<boolean> {
  return await withClient(url, QUESTION, hasOlderPrices);
}

/** Applies what is pending, and newer prices of the price library. Concurrent calls wait for each other. */
export async function migrateDatabase(url: string): Promise<void> {
  await withClient(url, {}, async (client) => {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    try {
      await createRoles(client);
      await client.query(`set role ${ROLES.owner}`);
      await client.query(`set lock_timeout = ${LOCK_MS}`);
      const pool = new pg.Pool({
        connectionString: url,
        max: 1,
        options: `-c role=${ROLES.owner} -c lock_timeout=${LOCK_MS}`,
      });
      pool.on('error', () => {});
      pool.on('connect', (connection) => connection.on('error', () => {}));
      try {
        await pastLocks(() => runMigrations({ pgPool: pool, logger: silentLogger }));
      } finally {
        await pool.end();
      }
      await pastLocks(() => applyMigrations(client));
      await seedPrices(client);
    } finally {
      await client.query('reset role; reset lock_timeout').catch(() => {});
      await client.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => {});
    }
  });
}

// Who waits for a table's lock has everybody who comes later wait behind it: so a migration waits for a moment only, lets the others
// pass, and tries again. Each attempt is one transaction, of which nothing stays.
async function pastLocks(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const cause = ((error as Error).cause ?? error) as { readonly code?: unknown };
      if (cause.code !== '55P03') throw error;
      if (tries === LOCK_TRIES)
        throw new MigrationError(
          'a migration did not get the lock of a table: a transaction that has used it stays open',
          'nothing was changed; see pg_stat_activity for the oldest xact_start, end that session, and migrate again',
          error,
        );
      await delay(LOCK_PAUSE_MS);
    }
  }
}

// drizzle's error carries the whole migration text; what went wrong is its cause.
async function applyMigrations(client: pg.Client): Promise<void> {
  // Loaded when there is something to apply: it costs every process half a second and 130 MB.
  const { drizzle } = await import('drizzle-orm/node-postgres');
  const { migrate } = await import('drizzle-orm/node-postgres/migrator');
  try {
    await migrate(drizzle(client), { migrationsFolder: FOLDER, migrationsSchema: 'drizzle' });
  } catch (error) {
    const cause =
      (error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error);
    throw new MigrationError(
      `a migration failed: ${cause.message}`,
      'nothing was changed; the database keeps its former state',
      cause,
    );
  }
}

async function createRoles(client: pg.Client): Promise<void> {
  try {
    for (const role of Object.values(ROLES)) {
      await client.query(`do $$ begin
          if not exists (select from pg_roles where rolname = '${role}') then create role ${role} nologin; end if;
        exception when duplicate_object or unique_violation then null; end $$`);
      if (!TAKEN_ROLES.includes(role)) continue;
      const member = await client
        .query(`select pg_has_role(current_user, $1, 'SET') as member`, [role])
        .catch(() => client.query(`select pg_has_role(current_user, $1, 'MEMBER') as member`, [role]));
      if (!member.rows[0].member) await client.query(`grant ${role} to current_user`);
    }
    await client.query(
      `do $$ begin execute format('grant create, connect on database %I to ${ROLES.owner}', current_database()); end $$`,
    );
  } catch (error) {
    throw new MigrationError(
      `cannot set up the roles ${Object.values(ROLES).join(', ')}: ${(error as Error).message}`,
      `the login of DATABASE_URL needs CREATEROLE and CREATE on the database; or an administrator makes these roles ("create role ${ROLES.caller}" is new) and grants ${TAKEN_ROLES.join(', ')} to it`,
      error,
    );
  }
}

// A migration may take its time; a question is answered soon or not at all.
const QUESTION: pg.ClientConfig = { query_timeout: 10_000 };

async function withClient<T>(
  url: string,
  limits: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...limits,
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

const silentLogger = new Logger(() => () => {});
