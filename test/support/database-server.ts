// Vitest's global setup: one throw-away PostgreSQL for the whole run, or the one of TEST_DATABASE_URL (its user must be
// able to create databases and roles). Tests get it by `inject('adminUrl')`, most of them through database.ts.
//
// Each project that names this file runs it, in one process, but perhaps as separate module instances. So the server is
// counted on globalThis: the first to come starts it, the last to go stops it.
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import type { EmbeddedServer } from '../../src/db/embedded/server.ts';
import { openEmbedded } from '../../src/db/embedded/server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    adminUrl: string;
  }
}

interface Shared {
  users: number;
  server: Promise<EmbeddedServer> | undefined;
}

const KEY = Symbol.for('dagwright.test.database-server');
const holder = globalThis as typeof globalThis & { [KEY]?: Shared };
holder[KEY] ??= { users: 0, server: undefined };
const shared = holder[KEY];

export async function setup(project: TestProject): Promise<void> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return project.provide('adminUrl', given);
  shared.users += 1;
  shared.server ??= openServer();
  project.provide('adminUrl', (await shared.server).url);
}

/** How long a connection may be half made. */
const HALF_MADE = '5s';

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

export async function teardown(): Promise<void> {
  if (!shared.server || --shared.users > 0) return;
  const { server } = shared;
  shared.server = undefined;
  await (await server).stop();
}
