// Finds, starts and ends the server process of a cluster. Start and stop belong under the command lock.
//
//   M1  A server is ours only if its pid file, a live process and that process's -D agree. A pid file that fails this is
//       left over (power loss, a pid given to another program) and is removed. Should a server run all the same,
//       PostgreSQL's own check on the shared memory of the data folder refuses the second one.
//   M2  The server outlives the command: own session, no inherited descriptor but its log.
//   M3  A server comes back on the port that it had, where others look for it. Only where that is taken does it get another,
//       below those that the system gives to outgoing connections: one of these could take it while the server is away.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { SERVER_ENVIRONMENT } from './cluster.ts';
import { EmbeddedError } from './error.ts';
import { dataDirOf, type Place } from './place.ts';
import { isPostmasterOf, signal, waitForEnd } from './process.ts';
import { asUser } from './user.ts';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

const POLL_MS = 10;
const START_TRIES = 20;
/** Recovery after a crash replays at most a few gigabytes of log. */
const READY_MS = 300_000;
const FAST_STOP_MS = 30_000;
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
/** The system gives outgoing connections those from 32768 on. */
const PORTS = [20_000, 32_768] as const;
const PORT_TRIES = 50;

export const logFileOf = (clusterDir: string): string => join(clusterDir, 'server.log');

/** The running server of a cluster, possibly still starting. */
export async function findPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const dataDir = dataDirOf(clusterDir);
  const text = await readFile(pidFileOf(clusterDir), 'utf8').catch(() => '');
  // Lines: pid, data folder, start time, port, socket folder, address, shared memory, status.
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!Number.isInteger(pid) || pid <= 1 || !(await isPostmasterOf(pid, dataDir))) return undefined;
  return { pid, port, isReady: lines[7]?.trim() === 'ready' };
}

/** Waits until a server that was found starting (its command was killed) is ready; undefined if it ended instead. */
export async function waitUntilReady(clusterDir: string): Promise<Postmaster | undefined> {
  const startedAt = performance.now();
  let found = await findPostmaster(clusterDir);
  while (found && !found.isReady) {
    if (performance.now() - startedAt > READY_MS) {
      throw new EmbeddedError(
        `The embedded PostgreSQL (pid ${found.pid}) is neither ready nor ended after ${READY_MS / 60_000} minutes`,
        `See ${logFileOf(clusterDir)}, or type "dagwright db stop" and try again.`,
      );
    }
    await pause(POLL_MS);
    found = await findPostmaster(clusterDir);
  }
  return found;
}

export async function startPostmaster(
  place: Place,
  binaries: Binaries,
  options: { durable: boolean },
): Promise<Postmaster> {
  const { clusterDir } = place;
  const logFile = logFileOf(clusterDir);
  let port = (await formerPort(clusterDir)) ?? (await freePort());
  for (let tryNumber = 1; ; tryNumber++) {
    await rm(pidFileOf(clusterDir), { force: true });
    await boundLog(logFile);
    const log = await open(logFile, 'a', 0o600);
    const { size } = await log.stat();
    const child = spawn(binaries.postgres, ['-D', dataDirOf(clusterDir), ...settings(port, options)], {
      ...asUser(place.user),
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    const started = await waitForStart(child, clusterDir);
    await log.close();
    if (started) return started;
    const said = (await readFile(logFile)).subarray(size).toString('utf8').trim();
    if (tryNumber < START_TRIES && /Address already in use/.test(said)) {
      port = await freePort();
      continue;
    }
    // Children of a server that was killed need a moment to notice it.
    const isHeld = /shared memory block .* is still in use/.test(said);
    if (tryNumber < START_TRIES && isHeld) await pause(500);
    else throw startFailure(said, logFile);
  }
}

/** Ends the server; true if one ran. `immediate` gives up its last checkpoint (the next start recovers). */
export async function stopPostmaster(clusterDir: string, mode: 'fast' | 'immediate'): Promise<boolean> {
  const found = await findPostmaster(clusterDir);
  if (!found) return false;
  if (mode === 'fast') {
    signal(found.pid, 'SIGINT');
    if (await waitForEnd(found.pid, FAST_STOP_MS)) return true;
  }
  signal(found.pid, 'SIGQUIT');
  if (await waitForEnd(found.pid, FAST_STOP_MS)) return true;
  throw new EmbeddedError(
    `The database server (pid ${found.pid}) does not stop`,
    `See ${logFileOf(clusterDir)}, or end it with "kill -9 ${found.pid}".`,
  );
}

/** Keeps the log and its predecessor small. The server appends, so a running one goes on in the emptied file. */
export async function boundLog(logFile: string): Promise<void> {
  const size = existsSync(logFile) ? (await stat(logFile)).size : 0;
  if (size <= LOG_LIMIT_BYTES) return;
  await copyFile(logFile, `${logFile}.old`);
  await truncate(logFile);
}

async function waitForStart(child: ChildProcess, clusterDir: string): Promise<Postmaster | undefined> {
  let hasEnded = false;
  child.once('exit', () => {
    hasEnded = true;
  });
  child.once('error', () => {
    hasEnded = true;
  });
  while (!hasEnded) {
    const found = await findPostmaster(clusterDir);
    if (found?.pid === child.pid && found?.isReady) return found;
    await pause(POLL_MS);
  }
  return undefined;
}

function settings(port: number, { durable }: { durable: boolean }): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // A command that was killed in the middle of a long query counts as a client until the server notices.
    client_connection_check_interval: '2s',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** PostgreSQL writes down how it was started, once it listens. */
async function formerPort(clusterDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDirOf(clusterDir), 'postmaster.opts'), 'utf8').catch(() => '');
  const port = Number(/"port=(\d+)"/.exec(text)?.[1]);
  return port > 0 ? port : undefined;
}

async function freePort(): Promise<number> {
  for (let tryNumber = 0; tryNumber < PORT_TRIES; tryNumber++) {
    const port = randomInt(...PORTS);
    if (await isFree(port)) return port;
  }
  throw new EmbeddedError('Found no free port on 127.0.0.1', 'Is the loopback network up?');
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await new Promise((resolve) => probe.close(resolve));
  return isListening;
}

function startFailure(said: string, logFile: string): EmbeddedError {
  const reason = said.split('\n').slice(-5).join('\n') || 'it ended without a word';
  return new EmbeddedError(
    `The embedded PostgreSQL did not start: ${reason}`,
    `See ${logFile}. If its data are not needed, delete ${join(logFile, '..')}; the next command makes new ones.`,
  );
}

const pidFileOf = (clusterDir: string): string => join(dataDirOf(clusterDir), 'postmaster.pid');
