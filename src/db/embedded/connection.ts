// Connections to the embedded server for our own upkeep. They use the database `postgres`, so that they never stand in
// the way of dropping or cloning another one.
import pg from 'pg';
import { readPassword, SUPERUSER } from './cluster.ts';
import { codeOf, EmbeddedError } from './error.ts';

export const DATABASE = 'dagwright';
export const WATCHER_NAME = 'dagwright database watcher';
const CONNECT_TIMEOUT_MS = 20_000;

export interface Address {
  readonly clusterDir: string;
  readonly port: number;
}

/** What the server says about its use. `sessions` counts all that ever came, so a short visit between two looks shows. */
export interface Activity {
  readonly clients: number;
  readonly sessions: string;
}

export async function urlOf({ clusterDir, port }: Address): Promise<string> {
  return `postgres://${SUPERUSER}:${await readPassword(clusterDir)}@127.0.0.1:${port}/${DATABASE}`;
}

/** Connects as the superuser; refuses a server that answers on the port but is not the cluster's. */
export async function connect(address: Address, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: address.port,
    user: SUPERUSER,
    password: await readPassword(address.clusterDir),
    database: 'postgres',
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ssl: false,
  });
  // A lost connection is seen by the next query, or by 'end'; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    if (codeOf(error) !== '28P01') throw error;
    throw new EmbeddedError(
      `The embedded PostgreSQL on port ${address.port} refuses the password in ${address.clusterDir}/password`,
      `Was the password of "${SUPERUSER}" changed? Write the new one into that file.`,
      { cause: error },
    );
  }
}

/**
 * The connections of clients, without this one and the watcher's. One that is still starting is none yet: it has no name
 * by which the watcher's could be told from a client's.
 */
export async function readActivity(client: pg.Client): Promise<Activity> {
  const { rows } = await client.query<Activity>(
    `select (select count(*)::int from pg_stat_activity
              where backend_type = 'client backend' and state is distinct from 'starting'
                and pid <> pg_backend_pid() and application_name <> $1) as clients,
            (select coalesce(sum(sessions), 0)::text from pg_stat_database) as sessions`,
    [WATCHER_NAME],
  );
  return rows[0]!;
}
