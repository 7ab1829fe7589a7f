// Installs the peers (bench/package.json) beside the benchmark on first use, by npm from the lock file. Users of the
// package never get them. A peer that cannot be had is said to be missing, and the others are measured without it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PEERS, type PeerName } from './contender.ts';

const FOLDER = new URL('./', import.meta.url);

/** The binary of Restate's server for this machine; npm leaves it out where there is none. */
export const RESTATE_BINARY_PACKAGE = `@restatedev/restate-server-${process.platform}-${process.arch}`;

const PACKAGES: Readonly<Record<PeerName, readonly string[]>> = {
  dbos: ['@dbos-inc/dbos-sdk'],
  restate: ['@restatedev/restate-server', '@restatedev/restate-sdk', RESTATE_BINARY_PACKAGE],
  openworkflow: ['openworkflow', 'postgres'],
};

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface InstallOptions {
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
  /** Where package.json and its lock file are. */
  readonly folder?: URL;
}

/** The peers that are there in the end. Rejects where `signal` ended it. */
export async function installPeers({ note, signal, folder = FOLDER }: InstallOptions): Promise<PeerName[]> {
  const wanted = Object.entries((await readManifest(folder, 'package.json')).dependencies ?? {});
  const missing = await filterAsync(wanted, async (entry) => !(await isInstalled(folder, ...entry)));
  if (missing.length > 0) {
    note(`Installing ${missing.map((peer) => peer.join('@')).join(', ')} into bench/node_modules`);
    await runNpm(folder, signal).catch((error: Error) => {
      signal.throwIfAborted();
      note(error.message);
    });
  }
  return filterAsync(PEERS, async (peer) => {
    const versions = Object.fromEntries(wanted);
    const absent = await filterAsync(
      PACKAGES[peer],
      async (name) => !(await isInstalled(folder, name, versions[name])),
    );
    if (absent.length > 0) note(`${peer} is left out: ${absent.join(', ')} could not be installed`);
    return absent.length === 0;
  });
}

async function isInstalled(folder: URL, name: string, version?: string): Promise<boolean> {
  // npm writes this file when it has finished.
  if (!existsSync(new URL('node_modules/.package-lock.json', folder))) return false;
  const manifest = await readManifest(folder, `node_modules/${name}/package.json`).catch(() => null);
  return manifest !== null && (version === undefined || manifest.version === version);
}

async function filterAsync<T>(list: readonly T[], holds: (one: T) => Promise<boolean>): Promise<T[]> {
  const held = await Promise.all(list.map(holds));
  return list.filter((_, i) => held[i]);
}

async function readManifest(folder: URL, path: string): Promise<Manifest> {
  return JSON.parse(await readFile(new URL(path, folder), 'utf8')) as Manifest;
}

async function runNpm(folder: URL, signal: AbortSignal): Promise<void> {
  const cwd = fileURLToPath(folder);
  const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
    cwd,
    signal,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.pipe(process.stderr, { end: false });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) return;
  throw new Error(`npm could not install the peers (exit code ${code}): try "npm ci" in ${cwd}`);
}
