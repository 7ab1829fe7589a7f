// The embedded PostgreSQL as the rest of Dagwright sees it: open, status, stop.
//
// Several commands share one server per home. It belongs to none of them: a command opens it (starting it if need be),
// holds one connection while it lives, and lets go; the watcher stops the server a minute after the last connection. Where the
// server goes away under a command (killed, `db stop`), the command's keeper has it started again, on the same port.
// A throw-away server has a temporary home of its own and ends with the process that opened it.
import { existsSync } from 'node:fs';
import { realpath, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { findBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';
import { type Address, connect, readActivity, urlOf } from './connection.ts';
import { EmbeddedError } from './error.ts';
import { type Keeper, openKeeper } from './keeper.ts';
import { withLock } from './lock.ts';
import {
  choosePlace,
  commandLockOf,
  dataDirOf,
  findPlace,
  makeThrowAwayHome,
  type Place,
  prepareHome,
  systemFolder,
} from './place.ts';
import {
  findPostmaster,
  type Postmaster,
  startPostmaster,
  stopPostmaster,
  waitUntilReady,
} from './postmaster.ts';
import { ensureSharedWatcher, startOwnedWatcher } from './startWatcher.ts';

export { EmbeddedError } from './error.ts';

export interface EmbeddedServer {
  /** Superuser's URL of the database `dagwright`; it contains the password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  /** True if this call started the server, false if it found it running. */
  readonly started: boolean;
  /** What the user should know, as whole sentences: where the data went, if not into the home. */
  readonly notes: readonly string[];
  /** Lets go. A shared server stops a minute after its last client; a throw-away one now, with its folder. */
  stop(): Promise<void>;
}

export interface OpenOptions {
  /** Folder for data, log and locks; made if missing. Not used by a throw-away server. */
  readonly home: string;
  readonly ephemeral?: boolean;
  /** False gives up fsync: for data that nobody misses after a power cut. */
  readonly durable?: boolean;
  /** How long the shared server stays after its last client; decided by the command that starts its watcher. */
  readonly idleMs?: number;
  readonly onProgress?: (text: string) => void;
}

export interface EmbeddedStatus {
  readonly running: boolean;
  readonly url?: string;
  readonly pid?: number;
  readonly port?: number;
  readonly dataDir?: string;
  /** Open connections, without the watcher's; each command holds one beside those of its pools. */
  readonly clients?: number;
}

interface Opened {
  readonly place: Place;
  readonly postmaster: Postmaster;
  readonly keeper: Keeper;
  readonly started: boolean;
}

const IDLE_MS = 60_000;
const ATTACH_MS = 30_000;
const ATTACH_RETRY_MS = 100;

export async function openEmbedded(options: OpenOptions): Promise<EmbeddedServer> {
  return options.ephemeral ? openThrowAway(options) : openShared(options);
}

export async function embeddedStatus(home: string): Promise<EmbeddedStatus> {
  const place = existsSync(home) ? await findPlace(await realpath(home)) : undefined;
  const postmaster = place && (await findPostmaster(place.clusterDir));
  if (!place) return { running: false };
  const dataDir = dataDirOf(place.clusterDir);
  if (!postmaster) return { running: false, dataDir };
  const address = { clusterDir: place.clusterDir, port: postmaster.port };
  const client = await connect(address, 'dagwright status');
  const { clients } = await readActivity(client).finally(() => client.end());
  return {
    running: true,
    url: await urlOf(address),
    pid: postmaster.pid,
    port: address.port,
    dataDir,
    clients,
  };
}

export interface Stopped {
  /** False: none ran. */
  readonly stopped: boolean;
  /** Connections that it ended; null where the server did not say. */
  readonly clients: number | null;
}

/** Stops the home's server, clients or not. A command that goes on starts it again (its keeper). */
export async function stopEmbedded(home: string): Promise<Stopped> {
  const none = { stopped: false, clients: 0 };
  if (!existsSync(home)) return none;
  const realHome = await realpath(home);
  if (!(await findPlace(realHome))) return none;
  return withLock(commandLockOf(realHome), async () => {
    // One that does not answer is stopped all the same.
    const { clients = null } = await embeddedStatus(realHome).catch(() => ({ clients: undefined }));
    const place = await findPlace(realHome);
    const stopped = place !== undefined && (await stopPostmaster(place.clusterDir, 'fast'));
    return stopped ? { stopped, clients } : none;
  });
}

async function openShared(options: OpenOptions): Promise<EmbeddedServer> {
  const home = await prepareHome(options.home);
  const alone = <T>(work: () => Promise<T>, onWait?: () => void) =>
    withLock(
      commandLockOf(home),
      async () => {
        await ensureSharedWatcher(home, options.idleMs ?? IDLE_MS);
        return work();
      },
      { onWait },
    );
  const opened = await alone(
    () => open(home, options, async (revive) => (existsSync(home) ? alone(revive) : undefined)),
    () => options.onProgress?.('Waiting for another command that is opening the database'),
  );
  return describe(opened, () => opened.keeper.release());
}

async function openThrowAway(options: OpenOptions): Promise<EmbeddedServer> {
  const home = await makeThrowAwayHome();
  const watcher = startOwnedWatcher(home);
  const end = async (): Promise<void> => {
    await watcher.finish();
    // Only left if the watcher was killed.
    const place = existsSync(home) ? await findPlace(home) : undefined;
    if (place) await stopPostmaster(place.clusterDir, 'immediate');
    await rm(home, { recursive: true, force: true });
  };
  try {
    const opened = await open(home, options, (revive) => revive());
    return await describe(opened, async () => {
      await opened.keeper.release();
      await end();
    });
  } catch (error) {
    await end();
    throw error;
  }
}

/** Attaches to the home's running server, or starts it. `guard` runs what starts it again later. */
async function open(
  home: string,
  options: OpenOptions,
  guard: (revive: () => Promise<Address | undefined>) => Promise<Address | undefined>,
): Promise<Opened> {
  const startedAt = performance.now();
  for (;;) {
    const { place, postmaster, started } = await findOrStart(home, options);
    const address = { clusterDir: place.clusterDir, port: postmaster.port };
    try {
      const keeper = await openKeeper(address, {
        revive: () => guard(() => revive(home, address, options)),
        onFailure: (error) =>
          options.onProgress?.(`The embedded PostgreSQL is not back yet: ${String(error)}`),
      });
      return { place, postmaster, keeper, started };
    } catch (error) {
      if (error instanceof EmbeddedError) throw error;
      // It may have been stopped from outside just after it was found: look again.
      if (performance.now() - startedAt > ATTACH_MS) throw doesNotAnswer(postmaster, error);
      await pause(ATTACH_RETRY_MS);
    }
  }
}

async function findOrStart(home: string, options: OpenOptions): Promise<Omit<Opened, 'keeper'>> {
  const found = await findPlace(home);
  const running = found && (await waitUntilReady(found.clusterDir));
  const place = found ?? (await choosePlace(home));
  return { place, postmaster: running ?? (await create(home, place, options)), started: !running };
}

/** As {@link findOrStart}, for a command whose connection was cut; makes no new data. */
async function revive(home: string, before: Address, options: OpenOptions): Promise<Address | undefined> {
  if (!(await findPlace(home))) return undefined;
  const { place, postmaster } = await findOrStart(home, options);
  if (postmaster.port !== before.port)
    options.onProgress?.(
      `The embedded PostgreSQL is back on port ${postmaster.port}: ${before.port} is taken by another program. End this command and start it again.`,
    );
  return { clusterDir: place.clusterDir, port: postmaster.port };
}

function doesNotAnswer({ pid, port }: Postmaster, cause: unknown): EmbeddedError {
  return new EmbeddedError(
    `The embedded PostgreSQL (pid ${pid}, port ${port}) does not answer: ${String(cause)}`,
    'Type "dagwright db stop"; the next command starts it again.',
    { cause },
  );
}

async function create(home: string, place: Place, options: OpenOptions): Promise<Postmaster> {
  const durable = options.durable ?? true;
  const binaries = await findBinaries(place.user, () => (place.user ? systemFolder(place.user) : home));
  if (!existsSync(place.clusterDir)) options.onProgress?.(`Creating a PostgreSQL in ${place.clusterDir}`);
  await ensureCluster(place, binaries, { durable });
  options.onProgress?.('Starting the embedded PostgreSQL');
  return startPostmaster(place, binaries, { durable });
}

async function describe(opened: Opened, stop: () => Promise<void>): Promise<EmbeddedServer> {
  const { place, postmaster, started } = opened;
  return {
    url: await urlOf({ clusterDir: place.clusterDir, port: postmaster.port }),
    port: postmaster.port,
    pid: postmaster.pid,
    dataDir: dataDirOf(place.clusterDir),
    started,
    notes: place.notes,
    stop,
  };
}
