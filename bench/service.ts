// Processes of the product itself (`dagwright start`), of this checkout or another, and what a measurement needs beside them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Database, openDatabase } from '../src/db/connection/connection.ts';
import { insertKey } from '../src/db/resources/api-keys.ts';
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';

const READY_MS = 20_000;

export interface ServiceOptions {
  readonly url: string;
  readonly role: 'all' | 'api' | 'worker';
  readonly signal: AbortSignal;
  /** The checkout whose code runs; this one where absent. */
  readonly root?: URL;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one, and waits until it is ready. */
export async function startService(
  options: ServiceOptions,
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const { url, role, signal, root = new URL('../', import.meta.url), env = {} } = options;
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const main = fileURLToPath(new URL('src/cli/main.ts', root));
  const child = spawn(process.execPath, ['--no-warnings', main, 'start', '--role', role], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env.PATH,
      ...{ DATABASE_URL: url, HOST: '127.0.0.1', PORT: String(port) },
      ...{ DAGWRIGHT_RATE_LIMIT: '1000000', LOG_LEVEL: 'warn' },
      // It ends with its parent, however that ends.
      npm_execpath: process.execPath,
      ...env,
    },
  });
  for (const startedAt = performance.now(); ; await delay(50)) {
    signal.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return { process: child, port };
    if (performance.now() - startedAt > READY_MS) throw new Error('the service was not ready in time');
  }
}

/** Ends a process, whatever it does. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A key that may do everything in the default tenant. */
export async function insertAdminKey(database: Database): Promise<string> {
  const wanted = {
    ...{ name: 'bench', subject: null, roles: ['admin'], scopes: [], createdBy: 'bench', expiresAt: null },
  };
  return await database.withTenant(
    DEFAULT_TENANT_ID,
    async (db) => (await insertKey(db, DEFAULT_TENANT_ID, wanted))!.key,
  );
}

/** One connection for the time of `work`. */
export async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase(url, { max: 1 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
