// A PostgreSQL server of a test's own, that can be stopped and started again with the same data and port.
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from '../../../src/db/embedded/binaries.ts';
import {
  ensureCluster,
  readPassword,
  SERVER_ENVIRONMENT,
  SUPERUSER,
} from '../../../src/db/embedded/cluster.ts';
import { choosePlace, dataDirOf, makeThrowAwayHome, systemFolder } from '../../../src/db/embedded/place.ts';
import { asUser } from '../../../src/db/embedded/user.ts';
import { copyCluster } from '../../support/cluster.ts';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  fsync: 'off',
  timezone: 'UTC',
};

export type StopMode = 'fast' | 'immediate' | 'kill';
const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;
/** Backends of a killed postmaster go by themselves; until they have, a new one does not start. */
const START_TRIES_MS = 20_000;

export interface OwnPostgres {
  readonly url: string;
  readonly dataDir: string;
  /** It was stopped, or has ended by itself. */
  readonly hasEnded: boolean;
  /** fast: sessions end, then a checkpoint. immediate: as after a crash; the next start recovers. kill: the postmaster is gone. */
  stop(mode: StopMode): Promise<void>;
  /** Resolves when it accepts connections. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * A running server with an empty database `dagwright`; on a copy of `cluster` (see cluster.ts) where one is given. Its files are
 * in the folder `parent`, which stays, or in a new one.
 */
export async function openOwnPostgres(cluster?: string, parent?: string): Promise<OwnPostgres> {
  const home = parent ?? (await makeThrowAwayHome());
  const place = await choosePlace(home);
  const binaries = await findBinaries(place.user, () => (place.user ? systemFolder(place.user) : home));
  if (cluster === undefined) await ensureCluster(place, binaries, { durable: false });
  else await copyCluster(cluster, place.clusterDir);
  const port = await freePort();
  const password = await readPassword(place.clusterDir);
  const urlOf = (database: string) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
  const args = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let server: ChildProcess | null = null;
  let ended: Promise<void> = Promise.resolve();

  const tryToStart = async () => {
    const child = spawn(binaries.postgres, ['-D', dataDirOf(place.clusterDir), ...args], {
      ...asUser(place.user),
      ...{ cwd: '/', env: SERVER_ENVIRONMENT, stdio: 'ignore' },
    });
    server = child;
    ended = new Promise((resolve) => child.once('exit', () => resolve()));
    while (child.exitCode === null && !(await answers(urlOf('postgres')))) await delay(20);
    return child.exitCode;
  };
  const start = async () => {
    const startedAt = performance.now();
    for (;;) {
      const code = await tryToStart();
      if (code === null) return;
      if (performance.now() - startedAt > START_TRIES_MS)
        throw new Error(`PostgreSQL did not start: exit code ${code}`);
      await delay(100);
    }
  };
  const stop = async (mode: StopMode) => {
    server?.kill(STOP_SIGNALS[mode]);
    await ended;
    server = null;
  };

  await start();
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  await admin.query('create database dagwright');
  await admin.end();
  return {
    url: urlOf('dagwright'),
    dataDir: dataDirOf(place.clusterDir),
    get hasEnded() {
      return server === null || server.exitCode !== null || server.signalCode !== null;
    },
    ...{ start, stop },
    async remove() {
      await stop('immediate');
      if (parent === undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 });
      if (!place.clusterDir.startsWith(home)) await rm(place.clusterDir, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
