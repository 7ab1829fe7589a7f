// The watcher: a small process of its own beside each embedded server, which ends the server when nobody needs it. It
// outlives the command that started it (kill -9 included) and ends with the server. Started by startWatcher.ts:
//   node watcher.ts <home> <idleMs>      shared server: stops it `idleMs` after its last client
//   node watcher.ts <home> owner         throw-away: stops it and removes the home when standard input ends, which the
//                                        kernel sees to when the owner's process ends
//
//   W1  One watcher per home: it holds the watcher lock. A second one ends at once.
//   W2  The watcher is started before the server, so no death of the command leaves a server without one. A watcher
//       that finds no server stays while a command holds the command lock, and a moment longer.
//   W3  It decides to stop, or to leave, under the command lock, and gives the watcher lock up before that one. So a
//       command either was counted as a client, or finds no server and no watcher and starts both.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connect, readActivity, WATCHER_NAME } from './connection.ts';
import { type FileLock, tryLock, withLock } from './lock.ts';
import { commandLockOf, dataDirOf, findPlace, watcherLockOf } from './place.ts';
import { boundLog, findPostmaster, logFileOf, type Postmaster, stopPostmaster } from './postmaster.ts';
import { isPostmasterOf, signal } from './process.ts';

const LOCK_WAIT_MS = 2_000;
/** From the start of the server process to its pid file, on a loaded machine. */
const STARTING_MS = 5_000;
const LONGEST_POLL_MS = 3_000;
const RETRY_MS = 200;

interface Watched {
  readonly clusterDir: string;
  readonly postmaster: Postmaster;
}

export async function watchShared(home: string, idleMs: number): Promise<void> {
  const watcherLock = await lockPatiently(watcherLockOf(home));
  if (!watcherLock) return;
  let last: Watched | undefined;
  let missingSince: number | undefined;
  while (existsSync(home)) {
    try {
      const found = await findServer(home);
      if (found) {
        last = found;
        missingSince = undefined;
        if (await watchUntilIdle(found, idleMs)) {
          if (await stopIfIdle(home, found, watcherLock)) return;
        } else await pause(RETRY_MS);
        continue;
      }
      missingSince ??= performance.now();
      if (performance.now() - missingSince > STARTING_MS && (await leaveIfAlone(home, watcherLock))) return;
    } catch {
      // The server is starting, ending or busy to the last connection: look again.
    }
    await pause(RETRY_MS);
  }
  // The home was deleted under a running server: nobody can find it any more.
  if (last && (await isPostmasterOf(last.postmaster.pid, dataDirOf(last.clusterDir)))) {
    signal(last.postmaster.pid, 'SIGQUIT');
  }
}

export async function watchOwner(home: string, owner: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve) => {
    owner.once('end', resolve).once('close', resolve).once('error', resolve).resume();
  });
  const stop = async () => {
    const place = await findPlace(home);
    return place ? stopPostmaster(place.clusterDir, 'immediate') : false;
  };
  // The owner may have died between starting the server and the moment in which it writes its pid file.
  const endedAt = performance.now();
  while (!(await stop()) && performance.now() - endedAt < STARTING_MS && (await isStarting(home))) {
    await pause(RETRY_MS);
  }
  await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: RETRY_MS });
}

/** Returns true once there was no client, and no visit, for `idleMs`; false when the server is gone. */
async function watchUntilIdle({ clusterDir, postmaster }: Watched, idleMs: number): Promise<boolean> {
  const client = await connect({ clusterDir, port: postmaster.port }, WATCHER_NAME);
  try {
    let seen = await readActivity(client);
    let usedAt = performance.now();
    for (;;) {
      const idleLeftMs = idleMs - (performance.now() - usedAt);
      if (idleLeftMs <= 0) return true;
      await pause(Math.min(LONGEST_POLL_MS, idleMs / 4, idleLeftMs));
      const now = await readActivity(client);
      if (now.clients > 0 || now.sessions !== seen.sessions) usedAt = performance.now();
      seen = now;
      await boundLog(logFileOf(clusterDir));
    }
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function stopIfIdle(home: string, found: Watched, watcherLock: FileLock): Promise<boolean> {
  return withLock(commandLockOf(home), async () => {
    const client = await connect({ clusterDir: found.clusterDir, port: found.postmaster.port }, WATCHER_NAME);
    const { clients } = await readActivity(client).finally(() => client.end());
    if (clients > 0) return false;
    await stopPostmaster(found.clusterDir, 'fast');
    watcherLock.release();
    return true;
  });
}

async function leaveIfAlone(home: string, watcherLock: FileLock): Promise<boolean> {
  const commandLock = await tryLock(commandLockOf(home));
  if (!commandLock) return false;
  try {
    if (await findServer(home)) return false;
    watcherLock.release();
    return true;
  } finally {
    commandLock.release();
  }
}

async function findServer(home: string): Promise<Watched | undefined> {
  const place = await findPlace(home);
  const postmaster = place && (await findPostmaster(place.clusterDir));
  return place && postmaster ? { clusterDir: place.clusterDir, postmaster } : undefined;
}

async function isStarting(home: string): Promise<boolean> {
  return (await findPlace(home)) !== undefined;
}

/** A command that looks whether a watcher runs holds the lock for an instant. */
async function lockPatiently(path: string): Promise<FileLock | undefined> {
  const startedAt = performance.now();
  for (;;) {
    const lock = await tryLock(path);
    if (lock || performance.now() - startedAt > LOCK_WAIT_MS) return lock;
    await pause(RETRY_MS);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [home, until] = process.argv.slice(2) as [string, string];
  // Its own name, so that "killall node" does not leave the server without its watcher.
  process.title = `dagwright-watch ${home}`;
  if (until === 'owner') await watchOwner(home, process.stdin);
  else await watchShared(home, Number(until));
}
