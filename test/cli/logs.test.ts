// The process's log on stderr, and `executions logs` and `retention run` as their users see them.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followLogs } from '../../src/cli/output/follow-logs.ts';
import { createLog } from '../../src/cli/output/log.ts';
import { createIdSequence, newId, timeOfId } from '../../src/core/id.ts';
import { createRedact } from '../../src/core/redact.ts';
import type { LogLineView } from '../../src/db/executions/execution-logs.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';
import { patience } from '../support/patience.ts';
import { MAIN, runCli } from './support/run-cli.ts';

describe('a log line', () => {
  function lines(options: Partial<Parameters<typeof createLog>[0]> = {}) {
    const written: string[] = [];
    const log = createLog({ level: 'info', write: (line) => void written.push(line), ...options });
    return { log, written };
  }

  test('is one JSON object with its time, level, fields and message', () => {
    const { log, written } = lines();
    log.warn('hello', { executionId: 'e1', nested: { n: 1 } });
    expect(written).toHaveLength(1);
    expect(written[0]!.endsWith('\n')).toBe(true);
    const { at, ...rest } = JSON.parse(written[0]!);
    expect(rest).toEqual({ level: 'warn', executionId: 'e1', nested: { n: 1 }, message: 'hello' });
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('is dropped below the level', () => {
    for (const [level, count] of [
      ['debug', 4],
      ['info', 3],
      ['warn', 2],
      ['error', 1],
      ['silent', 0],
    ] as const) {
      const { log, written } = lines({ level });
      for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name]('x');
      expect(written, level).toHaveLength(count);
    }
  });

  test('cannot be given another level, time or message by its fields', () => {
    const { log, written } = lines();
    log.info('mine', { level: 'error', at: 'never', message: 'yours' });
    expect(JSON.parse(written[0]!)).toMatchObject({ level: 'info', message: 'mine', message_: 'yours' });
    expect(written[0]!.match(/"level"/g)).toHaveLength(1);
  });

  test('holds no secret, in whatever form, also where the secret has characters of JSON', () => {
    const secrets = ['plain-secret-0123456789', 'a"b\\c/d-0123456789', '":"0123456789'];
    const { log, written } = lines({ redact: createRedact(secrets) });
    const text = lines({ redact: createRedact(secrets), isText: true });
    for (const secret of secrets)
      for (const form of [
        secret,
        JSON.stringify(secret),
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
      ])
        for (const target of [log, text.log]) {
          target.info(`it is ${form}.`, { [form]: form, list: [{ form }] });
          target.error('structure', { a: '0123456789' });
        }
    const everything = [...written, ...text.written].join('');
    expect(written).toHaveLength(24);
    for (const line of written) JSON.parse(line);
    for (const secret of secrets.slice(0, 2))
      for (const form of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
      ])
        expect(everything).not.toContain(form);
    expect(everything).toContain('[redacted]');
    expect(everything).toContain('a line was withheld');
  });

  test('is one line that no terminal acts upon, for machines and for people', () => {
    const nasty = 'a\nb\u001b[31m\u009b2J\u0000\u2028\u007f lone \ud800 "q" \\ud800';
    for (const isText of [false, true]) {
      const { log, written } = lines({ isText });
      log.info(nasty, { [nasty]: nasty });
      const [line] = written;
      expect(written).toHaveLength(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about.
      expect(line!.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      expect(line!.isWellFormed()).toBe(true);
      if (!isText) expect(JSON.parse(line!).message).toBe(nasty.replace('lone \ud800', 'lone \ufffd'));
    }
  });

  test('never throws, whatever its fields are', () => {
    const { log, written } = lines();
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const thrower = () => {
      throw new Error('no');
    };
    const hostile: unknown[] = [
      circular,
      { n: 1n },
      { f: () => 1, u: undefined, s: Symbol('s') },
      { method: 'GET', headers: {}, socket: {} },
      new Proxy({}, { ownKeys: thrower }),
      {
        get x() {
          return thrower();
        },
      },
      { toJSON: thrower },
      new Error('an error'),
      null,
      'text',
      [1],
      { __proto__: { polluted: 1 } },
    ];
    for (const fields of hostile) log.info('still here', fields as never);
    log.info({ toString: thrower } as never);
    expect(written).toHaveLength(hostile.length);
    for (const line of written)
      expect(JSON.parse(line)).toMatchObject({ level: 'info', message: 'still here' });
  });

  test('is short text on a terminal', () => {
    const { log, written } = lines({ isText: true });
    log.info('hello', { n: 1 });
    log.error('bye');
    expect(written[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}hello \{"n":1\}\n$/);
    expect(written[1]).toMatch(/ error bye\n$/);
  });
});

describe('following', () => {
  const lineOf = (id: string): LogLineView => ({
    id,
    at: new Date(timeOfId(id)).toISOString(),
    level: 'info',
    taskId: null,
    mapIndex: null,
    attempt: null,
    message: id,
    fields: null,
  });

  /** Two workers make a line every 100 ms; each appears to readers after a delay of its own. One poll is 300 ms of that time. */
  async function followed(delayMs: (n: number) => number, endsAtMs = 60_000) {
    const made = [createIdSequence(), createIdSequence()].flatMap((next) =>
      Array.from({ length: endsAtMs / 100 }, (_, n) => ({
        id: next(1_800_000_000_000 + n * 100),
        visibleAtMs: n * 100 + delayMs(n),
      })),
    );
    let nowMs = 0;
    let read = 0;
    let latestMs = 0;
    const printed: string[] = [];
    await followLogs({
      execution: async () => {
        nowMs += 300;
        const isOver = nowMs > endsAtMs;
        return {
          status: isOver ? 'completed' : 'running',
          endedMsAgo: isOver ? nowMs - endsAtMs : null,
          hasTask: true,
        };
      },
      read: async (after = '', limit) => {
        const page = made
          .filter(({ id, visibleAtMs }) => visibleAtMs <= nowMs && id > after)
          .map(({ id }) => id)
          .sort()
          .slice(0, limit);
        read += page.length;
        return page.map(lineOf);
      },
      print: ({ id }) => {
        printed.push(id);
        latestMs = Math.max(latestMs, nowMs - made.find((line) => line.id === id)!.visibleAtMs);
      },
      stop: new AbortController().signal,
      pollMs: 0,
    });
    return { printed, expected: made.map(({ id }) => id).sort(), read, latestMs };
  }

  test('prints each line of several workers once, though they are written late and out of order', async () => {
    const { printed, expected, read, latestMs } = await followed((n) => 250 + (n % 7) * 300);
    expect(new Set(printed).size).toBe(printed.length);
    expect([...printed].sort()).toEqual(expected);
    // At the next poll after it could be read.
    expect(latestMs).toBeLessThanOrEqual(patience(600));
    // The window is read again, not the whole.
    expect(read).toBeLessThan(expected.length * 30);
  });

  test('prints at the end what a worker wrote much later than it was made', async () => {
    const { printed, expected } = await followed((n) => (n === 30 ? 50_000 : 250));
    expect([...printed].sort()).toEqual(expected);
  });

  test('waits until workers have written what they held when the execution ended', async () => {
    const { printed, expected } = await followed(() => 1_200);
    expect([...printed].sort()).toEqual(expected);
  });
});

const folder = mkdtempSync(join(tmpdir(), 'dagwright logs '));
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.close();
});

const optionsOf = (env: Record<string, string> = {}) => ({
  cwd: folder,
  env: { PATH: process.env.PATH, HOME: folder, DATABASE_URL: engine.database.url, LOG_LEVEL: 'warn', ...env },
});
const dagwright = (args: readonly string[], env?: Record<string, string>) => runCli(args, optionsOf(env));

describe('dagwright executions logs', () => {
  test('shows the lines with time, level, task and fields; --task, --level and --cursor choose; --json is one object', async () => {
    engine.bodies.a = ({ log }) => {
      for (let i = 0; i < 3; i++) log.info(`line ${i}`, { i });
      log.warn('careful\u001b[2J');
    };
    engine.bodies.b = ({ log }) => log.info('from b');
    const run = await engine.run(graph('a -> b'));
    const { id } = run.execution;
    await until(async () => {
      const [row] = await engine.query<{ n: number }>(
        'select count(*) as n from dagwright.execution_logs where workflow_execution_id = $1',
        [id],
      );
      return row!.n === 5;
    });
    const text = await dagwright(['executions', 'logs', id]);
    expect(text.code).toBe(0);
    const shown = text.stdout.trimEnd().split('\n');
    expect(shown).toHaveLength(5);
    expect(shown[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}a line 0 \{"i":0\}$/);
    expect(shown[3]).toMatch(/ warn {2}a careful\\u001b\[2J$/);

    const page = JSON.parse((await dagwright(['executions', 'logs', id, '--json', '--limit', '2'])).stdout);
    expect(page.items).toMatchObject([
      { taskId: 'a', mapIndex: null, attempt: 1, level: 'info', message: 'line 0', fields: { i: 0 } },
      { message: 'line 1' },
    ]);
    const next = JSON.parse(
      (await dagwright(['executions', 'logs', id, '--json', '--cursor', page.nextCursor])).stdout,
    );
    expect(next.items.map(({ message }: { message: string }) => message)).toEqual([
      'line 2',
      'careful\u001b[2J',
      'from b',
    ]);
    expect(next.nextCursor).toBeNull();
    const chosen = await dagwright(['executions', 'logs', id, '--task', 'a', '--level', 'warn', '--json']);
    expect(JSON.parse(chosen.stdout).items).toHaveLength(1);
  });

  test('--follow prints lines while the execution runs, each once, and ends with it', async () => {
    const hold = gate();
    engine.bodies.s = async ({ log }) => {
      log.info('before');
      await hold.opened;
      for (let i = 0; i < 50; i++) log.info(`after ${i}`);
    };
    const one = graph('s');
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    const child: ChildProcess = spawn(
      process.execPath,
      [MAIN, 'executions', 'logs', id, '--follow', '--json'],
      optionsOf(),
    );
    let stdout = '';
    child.stdout!.on('data', (chunk) => {
      stdout += chunk;
    });
    const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await until(async () => stdout.includes('"before"'));
    hold.open();
    expect(await exited).toBe(0);
    const messages = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).message);
    expect(messages).toEqual(['before', ...Array.from({ length: 50 }, (_, i) => `after ${i}`)]);
  });

  test('--follow ends on Ctrl-C', async () => {
    const hold = gate();
    engine.bodies.h = async ({ log }) => {
      log.info('waiting');
      await hold.opened;
    };
    const one = graph('h');
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    const child = spawn(process.execPath, [MAIN, 'executions', 'logs', id, '--follow'], optionsOf());
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await until(async () => stdout.includes('waiting'));
    child.kill('SIGINT');
    expect(await exited).toBe(0);
    hold.open();
    await engine.ended(id);
  });

  test('says what is wrong: no such execution, task or level', async () => {
    const run = await engine.run(graph('z'));
    const errorOf = async (...args: string[]) => {
      const { code, stdout } = await dagwright(['executions', 'logs', ...args, '--json']);
      return [code, JSON.parse(stdout).errors[0].code];
    };
    expect(
      await Promise.all([
        errorOf(newId()),
        errorOf(run.execution.id, '--task', 'nobody'),
        errorOf(run.execution.id, '--level', 'loud'),
        errorOf('not-an-id'),
      ]),
    ).toEqual([
      [1, 'not_found'],
      [1, 'not_found'],
      [2, 'usage'],
      [2, 'usage'],
    ]);
    expect((await dagwright(['executions', 'logs', run.execution.id])).stdout).toBe('no log lines\n');
  });
});

describe('dagwright retention run', () => {
  test('counts with --dry-run, deletes without, and asks for days where nothing says them', async () => {
    const unset = await dagwright(['retention', 'run', '--json']);
    expect([unset.code, JSON.parse(unset.stdout).errors[0]]).toMatchObject([2, { pointer: '--days' }]);
    const run = await engine.run(graph('old'));
    await engine.query(
      `insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at, completed_at)
       select '0190163d-8694-7000-8000-000000000001', tenant_id, workflow_id, revision, version_id, status, trigger_type, input,
         '2024-06-14', '2024-06-14' from dagwright.workflow_executions where id = $1`,
      [run.execution.id],
    );
    const dry = await dagwright(['retention', 'run', '--dry-run', '--json'], {
      DAGWRIGHT_RETENTION_DAYS: '30',
    });
    expect(JSON.parse(dry.stdout)).toEqual({ days: 30, dryRun: true, executions: 1 });
    const real = await dagwright(['retention', 'run', '--days', '60']);
    expect([real.code, real.stdout]).toEqual([0, 'deleted 1 of workflow_executions\n']);
    const again = await dagwright(['retention', 'run', '--days', '60']);
    expect(again.stdout).toBe('no execution ended more than 60 days ago\n');
  });
});

describe('a worker process', () => {
  test('logs JSON lines with the ids of the attempt, and no secret of its environment', async () => {
    await engine.worker.stop();
    const secret = 'canary-0123456789-abcdef';
    const message = `it was ${secret}`;
    const one = graph('f', { tasks: { f: { taskType: 'fail', config: { code: 'boom', message } } } });
    await engine.apply(one);
    const { stderr } = await dagwright(['run', one.workflowId, '--json'], {
      LOG_LEVEL: 'info',
      DAGWRIGHT_SECRET_CANARY: secret,
    });
    expect(stderr).not.toContain('canary');
    const line = stderr
      .split('\n')
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text))
      .find(({ message }) => message === 'a task failed');
    expect(line).toMatchObject({
      level: 'info',
      at: expect.any(String),
      executionId: expect.any(String),
      tenantId: expect.any(String),
      workerId: expect.any(String),
      taskId: 'f',
      attempt: 1,
      code: 'boom',
      error: 'it was [redacted]',
    });
  });
});
