// Vitest's global setup: one throw-away PostgreSQL for the whole run, or the one of TEST_DATABASE_URL (its user must be
// able to create databases and roles). Tests get it by `inject('adminUrl')`, most of them through database.ts. Beside it the
// data of a server that was never started, as `inject('cluster')`, for tests that start servers of their own.
//
// Each project that names this file runs it, in one process, but perhaps as separate module instances. So the server is
// counted on globalThis: the first to come starts it, the last to go stops it.
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import type { EmbeddedServer } from '../../src/db/embedded/server.ts';
import { openEmbedded } from '../../src/db/embedded/server.ts';
import { type Cluster, makeCluster } from './cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    adminUrl: string;
  }
}

interface Started {
  readonly cluster: Cluster;
  /** Null: TEST_DATABASE_URL names another. */
  readonly server: EmbeddedServer | null;
}

interface Shared {
  users: number;
  started: Promise<Started> | undefined;
}

const KEY = Symbol.for('dagwright.test.database-server');
const holder = globalThis as typeof globalThis & { [KEY]?: Shared };
holder[KEY] ??= { users: 0, started: undefined };
const shared = holder[KEY];

/** How long a connection may be half made. */
const HALF_MADE = '5s';

export async function setup(project: TestProject): Promise<void> {
  const given = process.env.TEST_DATABASE_URL;
  shared.users += 1;
  shared.started ??= start(given);
  const { cluster, server } = await shared.started;
  project.provide('adminUrl', server?.url ?? given!);
  project.provide('cluster', cluster.clusterDir);
}

export async function teardown(): Promise<void> {
  if (!shared.started || --shared.users > 0) return;
  const { started } = shared;
  shared.started = undefined;
  const { cluster, server } = await started;
  await Promise.all([cluster.remove(), server?.stop()]);
}

async function start(given: string | undefined): Promise<Started> {
  const [cluster, server] = await Promise.all([makeCluster(), given ? null : openServer()]);
  return { cluster, server };
}

async function openServer(): Promise<EmbeddedServer> {
  const server = await openEmbedded({ home: '', ephemeral: true, durable: false });
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  // To drop a database is to wait for every session of the server to notice, and one that waits for its client's password
  // notices nothing. Where a test makes the network lose such a client, all files would wait for a minute, the default.
  await admin.query(`alter system set authentication_timeout = '${HALF_MADE}'`);
  await admin.query('select pg_reload_conf()');
  await admin.end();
  return server;
}
