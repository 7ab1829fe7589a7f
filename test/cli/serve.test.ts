// dagwright start, as operators run it: the roles, their ports and keys, probes, the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/cli/settings/config.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { MAIN, spawnCli } from './support/run-cli.ts';

const KEY = 'an-operators-key-of-32-characters';
const folder = mkdtempSync(join(tmpdir(), 'dagwright-serve-'));
const running: ChildProcess[] = [];
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

const environment = (env: Record<string, string>) => ({
  PATH: process.env.PATH,
  HOME: folder,
  DATABASE_URL: database.url,
  ...env,
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

interface Started {
  readonly child: ChildProcess;
  readonly log: () => string;
  /** Exit code after SIGTERM. */
  end(): Promise<number | null>;
}

/** Resolves when it has logged `ready`. */
async function start(role: string, ready: string, env: Record<string, string>): Promise<Started> {
  return await startCommand(['start', '--role', role], ready, env);
}

async function startCommand(
  args: readonly string[],
  ready: string,
  env: Record<string, string>,
): Promise<Started> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: environment(env),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(child);
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      log += chunk;
      if (log.includes(ready)) resolve();
    });
    child.once('exit', () => reject(new Error(log)));
  });
  return {
    child,
    log: () => log,
    async end() {
      child.removeAllListeners('exit');
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      return ((await exited) as [number | null])[0];
    },
  };
}

const run = (args: readonly string[], env: Record<string, string>) =>
  spawnCli(args, { cwd: folder, env: environment(env) });

async function get(port: number, path: string, key?: string) {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  return { status: answer.status, text: await answer.text() };
}

describe('dagwright dev', () => {
  it('prints one line for each execution that has ended', async () => {
    const port = await freePort();
    const service = await startCommand(['dev'], 'Ctrl-C ends it.', { PORT: String(port) });
    const post = async (method: string, path: string, body: object) =>
      await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const nodes = [{ taskId: 'a', taskType: 'transformation', config: { output: 1 } }];
    await post('PUT', '/v1/workflows/quick', { workflowId: 'quick', nodes });
    const { id } = (await (await post('POST', '/v1/workflows/quick/executions?wait=30', {})).json()) as {
      id: string;
    };
    expect(await service.end()).toBe(0);
    const lines = service
      .log()
      .split('\n')
      .filter((line) => line.includes(id) && !line.startsWith('{'));
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^✔ completed  quick  [\\d.]+ m?s  \\$0  ${id}$`)),
    ]);
  });
});

describe('dagwright start', () => {
  it('--role all is the whole service, which ends well', async () => {
    const port = await freePort();
    const env = { PORT: String(port), DAGWRIGHT_ADMIN_KEY: KEY };
    const service = await start('all', 'the scheduler looks after', env);
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json'])
      expect((await get(port, path)).status, path).toBe(200);
    expect((await get(port, '/v1/tenants')).status).toBe(401);
    expect((await get(port, '/v1/tenants', KEY)).status).toBe(200);
    const metrics = (await get(port, '/metrics')).text;
    for (const line of ['dagwright_workers 1', 'dagwright_schedulers 1', 'pool="worker_engine"'])
      expect(metrics).toContain(line);
    expect(await run(['health'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('is well') });
    expect(await service.end()).toBe(0);
    expect(service.log()).not.toMatch(/"level":"(error|warn)"/);
    expect(service.log()).not.toContain(KEY);
    expect(await run(['health', '--live'], env)).toMatchObject({ code: 1 });
  });

  it.each([
    ['api', 'HTTP listens', [], ['/v1/executions', '/docs/']],
    ['worker', 'the worker takes tasks', ['/v1/executions', '/docs/', '/openapi.json'], []],
    ['scheduler', 'the scheduler looks after', ['/v1/executions'], []],
  ])('--role %s serves what it is for on PORT', async (role, ready, absent, present) => {
    const port = await freePort();
    const service = await start(role, ready, { PORT: String(port) });
    for (const path of ['/healthz', '/readyz', '/metrics', ...present])
      expect((await get(port, path)).status, path).toBe(200);
    for (const path of absent) expect((await get(port, path)).status, path).toBe(404);
    expect(await service.end()).toBe(0);
  });

  it('answers health and metrics on a port of their own besides, and asks itself there', async () => {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const env = {
      ...{ PORT: String(port), DAGWRIGHT_METRICS_PORT: String(metricsPort), DAGWRIGHT_ADMIN_KEY: KEY },
    };
    const service = await start('api', 'HTTP listens', env);
    for (const path of ['/healthz', '/readyz', '/metrics'])
      for (const at of [port, metricsPort])
        expect([at, path, (await get(at, path)).status]).toEqual([at, path, 200]);
    for (const path of ['/v1/executions', '/openapi.json', '/docs/', '/hooks/a/b'])
      expect([path, (await get(metricsPort, path, KEY)).status]).toEqual([path, 404]);
    const asked = await run(['health'], env);
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining(`:${metricsPort} `) });
    expect(await service.end()).toBe(0);
    await expect(get(metricsPort, '/healthz')).rejects.toThrow();
  });

  it('--role worker answers on that port alone where PORT is not given', async () => {
    const metricsPort = await freePort();
    const worker = await start('worker', 'the worker takes tasks', {
      DAGWRIGHT_METRICS_PORT: String(metricsPort),
    });
    expect((await get(metricsPort, '/healthz')).status).toBe(200);
    expect(worker.log()).not.toContain('HTTP listens');
    expect(await worker.end()).toBe(0);
  });

  it('says which of the two ports is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const refused = await run(['start', '--role', 'api', '--json'], {
      PORT: String(await freePort()),
      DAGWRIGHT_METRICS_PORT: String(port),
    });
    other.close();
    expect(JSON.parse(refused.stdout).errors).toMatchObject([
      { pointer: 'DAGWRIGHT_METRICS_PORT', hint: expect.stringContaining('DAGWRIGHT_METRICS_PORT=') },
    ]);
  });

  it.each([
    [{}, /DAGWRIGHT_PUBLIC_URL is not set and this worker has no API/],
    [{ DAGWRIGHT_PUBLIC_URL: 'https://flows.example.org' }, null],
  ])('--role worker with %j says whether it can give out addresses for callbacks', async (env, said) => {
    const worker = await start('worker', 'the worker takes tasks', env);
    expect(await worker.end()).toBe(0);
    if (said === null) expect(worker.log()).not.toMatch(/"level":"(error|warn)"/);
    else expect(worker.log()).toMatch(said);
  });

  it('--role api on all addresses says that its own is none to give out', async () => {
    const service = await start('api', 'HTTP listens', {
      ...{ HOST: '0.0.0.0', PORT: String(await freePort()), DAGWRIGHT_ADMIN_KEY: KEY },
    });
    expect(await service.end()).toBe(0);
    expect(service.log()).toContain('DAGWRIGHT_PUBLIC_URL is not set');
  });

  it('--role worker takes no port where none is given, so that several share a machine', async () => {
    const workers = await Promise.all(
      [1, 2].map(() => start('worker', 'the worker takes tasks', { DAGWRIGHT_ADMIN_KEY: KEY })),
    );
    for (const worker of workers) {
      expect(worker.log()).not.toContain('HTTP listens');
      expect(await worker.end()).toBe(0);
    }
  });

  it('refuses to be open to others than this machine', async () => {
    const port = String(await freePort());
    const refused = await run(['start', '--role', 'api', '--json'], { HOST: '0.0.0.0', PORT: port });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).errors).toMatchObject([
      { code: 'no_key', pointer: 'DAGWRIGHT_ADMIN_KEY', hint: expect.stringContaining('HOST=127.0.0.1') },
    ]);
  });

  it('says of a port in use what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const refused = await run(['start', '--role', 'all'], { PORT: String(port) });
    other.close();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`port ${port} of 127.0.0.1 is in use`);
    expect(refused.stderr).toContain(`PORT=${port + 1}`);
    expect(refused.stderr).not.toContain('takes tasks');
  });
});

describe('settings of the HTTP service', () => {
  const problemsOf = (env: Record<string, string>) => {
    const read = readConfig(env, '/tmp');
    return read.ok ? [] : read.problems.map(({ pointer, message }) => `${pointer}: ${message}`);
  };

  it('are all checked at once, and show no key', () => {
    const env = {
      PORT: '99999',
      DAGWRIGHT_ADMIN_KEY: 'too-short-key',
      DAGWRIGHT_ENCRYPTION_KEY: 'not a key of 32 bytes',
      DAGWRIGHT_RATE_LIMIT: '0',
      DAGWRIGHT_METRICS_PORT: '0',
      DAGWRIGHT_TRUSTED_PROXIES: '10.0.0.0/8, proxy.example',
    };
    const problems = problemsOf(env);
    expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual(Object.keys(env).sort());
    expect(problems.join()).not.toMatch(/too-short-key|not a key/);
    expect(problemsOf({ DAGWRIGHT_ADMIN_KEY: `${'x'.repeat(16)} y` })).toHaveLength(1);
    expect(problemsOf({ DAGWRIGHT_ADMIN_KEY: 'x'.repeat(16) })).toEqual([]);
    expect(problemsOf({ PORT: '9464', DAGWRIGHT_METRICS_PORT: '9464' })).toHaveLength(1);
    expect(problemsOf({ DAGWRIGHT_TRUSTED_PROXIES: '10.0.0.0/8, ::1' })).toEqual([]);
  });

  it('take the encryption key from a file, and not from two places', () => {
    expect(problemsOf({ DAGWRIGHT_ENCRYPTION_KEY_FILE: join(folder, 'absent') })).toEqual([
      'DAGWRIGHT_ENCRYPTION_KEY_FILE: DAGWRIGHT_ENCRYPTION_KEY_FILE cannot be read: ENOENT',
    ]);
    const key = randomBytes(32).toString('base64');
    expect(problemsOf({ DAGWRIGHT_ENCRYPTION_KEY: key })).toEqual([]);
    expect(problemsOf({ DAGWRIGHT_ENCRYPTION_KEY: key, DAGWRIGHT_ENCRYPTION_KEY_FILE: 'x' })).toHaveLength(1);
  });
});
