// Installs the peers (bench/package.json) beside the benchmark on first use, by npm from the lock file. Users of the
// package never get them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('./', import.meta.url);

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Rejects where npm does; `signal` ends it. */
export async function installPeers(options: {
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { dependencies = {} } = await readManifest('package.json');
  const wanted = Object.entries(dependencies);
  const installed = await Promise.all(wanted.map(([name, version]) => isInstalled(name, version)));
  if (installed.every(Boolean)) return;
  options.note(`Installing ${wanted.map((peer) => peer.join('@')).join(', ')} into bench/node_modules`);
  await runNpm(['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], options.signal);
}

async function isInstalled(name: string, version: string): Promise<boolean> {
  // npm writes this file when it has finished.
  if (!existsSync(new URL('node_modules/.package-lock.json', FOLDER))) return false;
  return (await readManifest(`node_modules/${name}/package.json`).catch(() => null))?.version === version;
}

async function readManifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(new URL(path, FOLDER), 'utf8')) as Manifest;
}

async function runNpm(args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn('npm', [...args], {
    cwd: fileURLToPath(FOLDER),
    signal,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.pipe(process.stderr, { end: false });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) return;
  throw new Error(
    `npm could not install the peers of the benchmark (exit code ${code}): try "npm ci" in ${fileURLToPath(FOLDER)}`,
  );
}
