// The server that all contenders share, and a database of its own for each kind of contender, so that none finds another's
// leftovers in its catalogue. The server is a throw-away one with fsync on, or the one that --database names; there the
// databases are dropped at the end, and nothing else is touched.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openEmbedded } from '../src/db/embedded/server.ts';
import { migrateDatabase } from '../src/db/operations/migrate.ts';
import type { ContenderName } from './contender.ts';
import { findPostmaster } from './processor.ts';

export interface BenchServer {
  /** The database of each contender; of one with a store of its own, none. */
  readonly urls: Readonly<Record<ContenderName, string>>;
  /** Its first process; null where it is not on this machine. */
  readonly pid: number | null;
  readonly version: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  /** Drops what was made; the throw-away server ends. */
  close(): Promise<void>;
}

export async function openServer(
  databaseUrl: string | undefined,
  note: (text: string) => void,
): Promise<BenchServer> {
  const server =
    databaseUrl === undefined
      ? await openEmbedded({ home: '', ephemeral: true, onProgress: note })
      : { url: databaseUrl, stop: async () => {} };
  const made: string[] = [];
  const close = async () => {
    if (databaseUrl !== undefined) await dropDatabases(server.url, made).catch(() => {});
    await server.stop();
  };
  try {
    const suffix = randomBytes(4).toString('hex');
    const urls = await withClient(server.url, async (client) => {
      const create = async (name: string) => {
        const database = `dagwright_bench_${name}_${suffix}`;
        await client.query(`create database ${database}`);
        made.push(database);
        const url = new URL(server.url);
        url.pathname = `/${database}`;
        return url.href;
      };
      const graphile = await create('graphile');
      return {
        dagwright: await create('dagwright'),
        dbos: await create('dbos'),
        openworkflow: await create('openworkflow'),
        restate: '',
        graphile,
        commits: graphile,
      };
    });
    await migrateDatabase(urls.dagwright);
    const settings = await withClient(server.url, readSettings);
    return { urls, ...settings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readSettings(client: pg.Client) {
  const { rows } = await client.query<{ version: string; fsync: string; synchronous: string }>(
    `select current_setting('server_version') as version, current_setting('fsync') as fsync,
       current_setting('synchronous_commit') as synchronous`,
  );
  const { version, fsync, synchronous } = rows[0]!;
  return { version, fsync, synchronousCommit: synchronous, pid: await findPostmaster(client) };
}

async function dropDatabases(url: string, names: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const name of names) await client.query(`drop database if exists ${name} with (force)`);
  });
}

/** One connection for the time of `work`. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
