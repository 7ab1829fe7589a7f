// Where a home's database lives, and as whom its server runs.
//
//   P1  Data that exist are used where they are, by the user who owns them.
//   P2  New data go into the home folder, unless root's server user cannot enter it: then into a system folder, whose
//       path the home remembers (so a fresh clone starts with fresh data and a moved one keeps its own).
//   P3  Nothing is put into a folder of the system that others could have prepared for us.
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedError } from './error.ts';
import { canEnter, type ServerUser, serverUser, userOf } from './user.ts';

export interface Place {
  /** Holds `data/`, `password` and `server.log`; made whole by cluster.ts. */
  readonly clusterDir: string;
  readonly user: ServerUser | undefined;
  readonly notes: readonly string[];
}

export const dataDirOf = (clusterDir: string): string => join(clusterDir, 'data');
export const commandLockOf = (home: string): string => join(home, 'command.lock');
export const watcherLockOf = (home: string): string => join(home, 'watcher.lock');

const HOME_HINT =
  'Set DAGWRIGHT_HOME to a folder that you may write to, or DATABASE_URL to a PostgreSQL of your own.';

/** Makes the home folder and returns its real path, so that two ways to one folder are one home. */
export async function prepareHome(home: string): Promise<string> {
  try {
    if (!existsSync(home)) {
      await mkdir(home, { recursive: true });
      // Root's server runs as another user, who must pass through; only the names' owners can open what is inside.
      await chmod(home, process.getuid?.() === 0 ? 0o711 : 0o700);
      await writeFile(join(home, '.gitignore'), '*\n');
    }
    return await realpath(home);
  } catch (error) {
    throw new EmbeddedError(`Cannot use ${home} for the embedded database: ${String(error)}`, HOME_HINT, {
      cause: error,
    });
  }
}

/** The place of data that exist already; creates nothing. */
export async function findPlace(home: string): Promise<Place | undefined> {
  for (const clusterDir of [join(home, 'postgres'), await rememberedPlace(home)]) {
    if (!clusterDir || !existsSync(dataDirOf(clusterDir))) continue;
    const owner = await stat(dataDirOf(clusterDir));
    const self = process.getuid?.();
    if (self !== 0 && self !== owner.uid) {
      throw new EmbeddedError(
        `The database in ${clusterDir} belongs to another user (${userOf(owner.uid, owner.gid).name})`,
        `Run the command as the user who made it, or ${HOME_HINT.charAt(0).toLowerCase()}${HOME_HINT.slice(1)}`,
      );
    }
    const user = self === 0 ? userOf(owner.uid, owner.gid) : undefined;
    return { clusterDir, user, notes: notesOn(home, clusterDir, user) };
  }
  return undefined;
}

/** The place for new data. Call it under the command lock: it may make and remember a system folder. */
export async function choosePlace(home: string): Promise<Place> {
  const user = serverUser();
  if (!user || canEnter(user, home)) return { clusterDir: join(home, 'postgres'), user, notes: [] };
  const folder = await mkdtemp(join(await systemFolder(user), 'database-'));
  await chmod(folder, 0o711);
  const clusterDir = join(folder, 'postgres');
  await writeFile(join(home, 'location.json'), `${JSON.stringify({ home, clusterDir })}\n`, { mode: 0o600 });
  return { clusterDir, user, notes: notesOn(home, clusterDir, user) };
}

/** A folder for a throw-away home that the server's user can enter. */
export async function makeThrowAwayHome(): Promise<string> {
  const user = serverUser();
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(
    (folder) => existsSync(folder) && canEnter(user, folder),
  );
  const home = await mkdtemp(join(parent ?? (await systemFolder(user)), 'dagwright-'));
  await chmod(home, user ? 0o711 : 0o700);
  return realpath(home);
}

/** A folder outside of the home for what the server's user must reach. */
export async function systemFolder(user: ServerUser | undefined): Promise<string> {
  for (const folder of ['/var/lib/dagwright', join(tmpdir(), 'dagwright-root'), '/var/tmp/dagwright-root']) {
    try {
      await mkdir(folder, { recursive: true });
      const found = await lstat(folder);
      const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
      if (!isOurs) continue;
      await chmod(folder, 0o711);
      if (canEnter(user, folder)) return folder;
    } catch {
      // Not writable, or taken by a file: try the next one.
    }
  }
  throw new EmbeddedError(
    `Found no folder that both root and user "${user?.name}" can use (tried /var/lib, ${tmpdir()} and /var/tmp)`,
    HOME_HINT,
  );
}

async function rememberedPlace(home: string): Promise<string | undefined> {
  const remembered = await readLocation(home);
  if (!remembered) return undefined;
  // A copied home must not share the original's data; a moved one (its old path is gone) goes on with them.
  if (remembered.home !== home && (await readLocation(remembered.home))) return undefined;
  return remembered.clusterDir;
}

async function readLocation(home: string): Promise<{ home: string; clusterDir: string } | undefined> {
  try {
    return JSON.parse(await readFile(join(home, 'location.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function notesOn(home: string, clusterDir: string, user: ServerUser | undefined): string[] {
  if (!user || clusterDir.startsWith(`${home}/`)) return [];
  return [
    `PostgreSQL does not run as root, and user "${user.name}" cannot enter ${home}: its data are in ${clusterDir}.`,
  ];
}
