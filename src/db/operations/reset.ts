// Takes everything of ours out of a database and makes it anew: `dagwright db reset`. Roles stay: they are the whole server's.
import pg from 'pg';
import { ROLES } from '../connection/roles.ts';
import { migrateDatabase } from './migrate.ts';

export interface ResetState {
  readonly database: string;
  /** Null: nothing of ours is there. */
  readonly executions: number | null;
  /** Workers that beat, or whose connection is open. */
  readonly workers: number;
}

/** What a reset would take away, and who would be hurt. */
export async function readResetState(url: string): Promise<ResetState> {
  return await withClient(url, async (client) => {
    const { rows } = await client.query<{ database: string; isThere: boolean }>(
      `select current_database() as database, to_regclass('dagwright.workers') is not null as "isThere"`,
    );
    const { database, isThere } = rows[0]!;
    if (!isThere) return { database, executions: null, workers: 0 };
    await client.query(`set role ${ROLES.engine}`);
    const found = await client.query<{ executions: number; workers: number }>(
      `select (select count(*)::int from dagwright.workflow_executions) as executions,
         (select count(*)::int from dagwright.workers where heartbeat_at > clock_timestamp() - lease_seconds * interval '1 second') as workers`,
    );
    return { database, ...found.rows[0]! };
  });
}

/** Drops our schemas with all that is in them, in one transaction, and migrates from nothing. */
export async function resetDatabase(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`begin; set local lock_timeout = '10s'`);
    await client.query(
      'drop schema if exists dagwright cascade; drop schema if exists graphile_worker cascade',
    );
    await client.query('drop table if exists drizzle.__drizzle_migrations');
    await client.query('commit');
  });
  await migrateDatabase(url);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'dagwright reset' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
