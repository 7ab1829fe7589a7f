// pgbouncer in transaction mode before a test's server, on a loopback port of its own. Debian packages it as `pgbouncer`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './proxy.ts';

export interface Pgbouncer {
  /** The same database through the pooler. */
  urlOf(directUrl: string): string;
  stop(): Promise<void>;
}

/** Its version line, or null where it is not installed. */
export function pgbouncerVersion(): string | null {
  const { stdout, status } = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]! : null;
}

/** `serverConnections`: so many connections to PostgreSQL are shared by all clients. */
export async function startPgbouncer(adminUrl: string, serverConnections: number): Promise<Pgbouncer> {
  const server = new URL(adminUrl);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'dagwright-pgbouncer-'));
  await chmod(folder, 0o755);
  const login = `user=${server.username} password=${decodeURIComponent(server.password)}`;
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
* = host=${server.hostname} port=${server.port} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${serverConnections}
max_client_conn = 200
`,
  );
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn('pgbouncer', [file], { ...user, cwd: '/', stdio: 'ignore' });
  const urlOf = (directUrl: string) => {
    const url = new URL(directUrl);
    url.host = `127.0.0.1:${port}`;
    url.password = '';
    return url.href;
  };
  await untilReady(child, urlOf(adminUrl));
  return {
    urlOf,
    async stop() {
      if (child.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGINT');
        child.kill('SIGTERM');
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`pgbouncer did not start: exit code ${child.exitCode}`);
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      return;
    } catch {
      await delay(20);
    } finally {
      await client.end().catch(() => {});
    }
  }
}
