// A throw-away Restate server: in a folder of its own, on loopback, with the flushes to disk that it does by default. A
// process of its own, so that server and folder end with the contender, however that ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { RESTATE_BINARY_PACKAGE } from '../peers.ts';

export interface RestateServer {
  readonly pid: number;
  readonly ingressPort: number;
  readonly adminPort: number;
}

const READY_MS = 60_000;

async function start(folder: string): Promise<RestateServer> {
  const binary = createRequire(import.meta.url).resolve(`${RESTATE_BINARY_PACKAGE}/bin/restate-server`);
  const [ingressPort, adminPort, nodePort] = await findPorts(3);
  const server = spawn(binary, [], {
    cwd: folder,
    // Ctrl-C reaches a whole group; it ends when this process says so.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      RESTATE_BASE_DIR: folder,
      RESTATE_NODE_NAME: 'bench',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_ADDRESS: `127.0.0.1:${nodePort}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${nodePort}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingressPort}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adminPort}`,
      // Said although it is the default: a step counts only when it is on disk, as with fsync on.
      RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: 'false',
      // It asks GitHub for a newer version, and complains where it cannot.
      RESTATE_LOG_FILTER: 'error,octocrab=off',
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
  });
  process.on('exit', () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  server.on('error', (error) => fail(error.message));
  server.on('exit', (code, by) => fail(`the Restate server ended (${by ?? code})`));
  for (const startedAt = performance.now(); ; await pause(50)) {
    const answers = await Promise.all([
      isReady(`http://127.0.0.1:${adminPort}/health`),
      isReady(`http://127.0.0.1:${ingressPort}/restate/health`),
    ]);
    if (answers.every(Boolean)) return { pid: server.pid!, ingressPort: ingressPort!, adminPort: adminPort! };
    if (performance.now() - startedAt > READY_MS) fail('the Restate server was not ready in time');
  }
}

// Another program may take one before the server does: it then ends, and so does the benchmark.
async function findPorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

const isReady = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

process.on('disconnect', () => process.exit());
for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, () => process.exit());
// Ctrl-C reaches the whole group; the parent alone decides.
process.on('SIGINT', () => {});
process.send?.(await start(mkdtempSync(join(tmpdir(), 'dagwright-restate-'))));
