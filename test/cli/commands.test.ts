// The command line as its users see it: stdout, stderr, exit codes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { MAIN, runCli, spawnCli } from './support/run-cli.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const REPORT_LEFT = fileURLToPath(new URL('./support/report-left.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dagwright cli '));
let database: Awaited<ReturnType<typeof createDatabase>>;

const optionsOf = (env: Record<string, string>) => ({
  cwd: folder,
  env: { HOME: folder, DATABASE_URL: database.url, LOG_LEVEL: 'warn', ...env },
});
const dagwright = (args: readonly string[], env: Record<string, string> = {}) => runCli(args, optionsOf(env));
/** In a process of its own. */
const spawned = (args: readonly string[], env: Record<string, string> = {}) => spawnCli(args, optionsOf(env));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const HELLO = `
workflowId: hello
inputSchema: { type: object, properties: { name: { type: string } }, required: [name] }
nodes:
  - { taskId: greet, taskType: transformation, config: { output: "Hello {{ input.name }}" } }
  - { taskId: shout, taskType: transformation, dependsOn: [greet], config: { output: "{{ upper(tasks.greet.output) }}" } }
output: { text: $.tasks.shout.output }
`;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

describe('dagwright run', () => {
  it('opens what it starts in the commit of its start, also of a workflow that it did not apply', async () => {
    const path = file('opened.yaml', HELLO.replace('workflowId: hello', 'workflowId: opened'));
    const original = pg.Client.prototype.query as unknown as (...args: unknown[]) => unknown;
    const names: string[] = [];
    const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...args: unknown[]
    ) {
      const { name = '' } = args[0] as { name?: string };
      if (/^(start_|open_|load_executions|settle_|get_job|complete_job)/.test(name)) names.push(name);
      return original.apply(this, args) as never;
    });
    try {
      for (const target of [path, 'opened']) {
        names.length = 0;
        const { code, stdout } = await dagwright(['run', target, '--input', '{"name":"Ada"}', '--json']);
        expect([code, JSON.parse(stdout).output]).toEqual([0, { text: 'HELLO ADA' }]);
        expect(names.filter((name) => !name.startsWith('get_job'))).toEqual([
          'start_and_open_v3 by hand',
          'settle_sequential_v2',
        ]);
      }
    } finally {
      spy.mockRestore();
    }
  });

  it('prints one JSON object with --json, and nothing else on stdout', async () => {
    const { code, stdout } = await spawned([
      'run',
      file('hello.yaml', HELLO),
      '--input',
      '{"name":"Ada"}',
      '--json',
    ]);
    const result = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(result).toMatchObject({
      workflowId: 'hello',
      revision: 1,
      status: 'completed',
      output: { text: 'HELLO ADA' },
      error: null,
      completedWithErrors: false,
      costUsd: '0',
      tasks: [
        {
          taskId: 'greet',
          mapIndex: null,
          taskType: 'transformation',
          status: 'completed',
          attempt: 1,
          output: 'Hello Ada',
        },
        { taskId: 'shout', mapIndex: null, status: 'completed', reason: null, error: null },
      ],
    });
    expect(Number.isInteger(result.durationMs)).toBe(true);
  });

  it('runs an applied workflow by its id, with the input from a file', async () => {
    await dagwright(['apply', file('hello.yaml', HELLO)]);
    const input = file('input.json', '{"name":"Grace"}');
    const { code, stdout } = await dagwright(['run', 'hello', '--input', `@${input}`, '--json']);
    expect([code, JSON.parse(stdout).output.text]).toEqual([0, 'HELLO GRACE']);
  });

  it('exits 1 when the run failed, and still prints it', async () => {
    const failing = file(
      'failing.yaml',
      'workflowId: failing\nnodes: [{ taskId: f, taskType: fail, config: { code: boom, message: no } }]\n',
    );
    const { code, stdout } = await spawned(['run', failing, '--json']);
    expect([code, JSON.parse(stdout).status, JSON.parse(stdout).error.code]).toEqual([1, 'failed', 'boom']);
  });

  it('refuses an input that does not fit, before anything starts', async () => {
    const { code, stdout } = await dagwright([
      'run',
      file('hello.yaml', HELLO),
      '--input',
      '{"name":5}',
      '--json',
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).errors[0]).toMatchObject({ pointer: '--input/name', code: expect.any(String) });
  });

  it('saves nothing of a file whose input does not fit', async () => {
    const path = file('unsaved.yaml', HELLO.replace('workflowId: hello', 'workflowId: unsaved'));
    expect((await dagwright(['run', path, '--input', '{}', '--json'])).code).toBe(1);
    const shown = await dagwright(['workflows', 'show', 'unsaved', '--json']);
    expect([shown.code, JSON.parse(shown.stdout).errors[0].code]).toEqual([1, 'not_found']);
  });

  it('refuses a bad definition with all its problems', async () => {
    const bad = file(
      'bad.yaml',
      'workflowId: bad\nnodes:\n  - { taskId: a, taskType: nope }\n  - { taskId: b, taskType: wait, dependsOn: [c], config: { seconds: 1 } }\n',
    );
    const { code, stdout } = await dagwright(['run', bad, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).errors.map((problem: { pointer: string }) => problem.pointer)).toEqual([
      '/nodes/0/taskType',
      '/nodes/1/dependsOn/0',
    ]);
  });

  it('shows a summary for people, without colours where there is no terminal', async () => {
    const { code, stdout } = await spawned(['run', file('hello.yaml', HELLO), '--input', '{"name":"Ada"}']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^completed greet$/m);
    expect(stdout).toMatch(/^completed in .*cost \$0/m);
    expect(stdout).not.toContain('\u001b');
  });

  it('leaves nothing behind that would keep the process after its result', async () => {
    const waiting = file(
      'waiting.yaml',
      'workflowId: waiting\nnodes: [{ taskId: pause, taskType: wait, config: { seconds: 0.7 } }]\n',
    );
    const { code, stderr } = await spawnCli(['run', waiting], { ...optionsOf({}), main: REPORT_LEFT });
    const left: string[] = JSON.parse(stderr.trimEnd().split('\n').at(-1)!);
    expect(code).toBe(0);
    // Connections that the server has yet to close are gone in a moment.
    expect(left.filter((kind) => /^(Timeout|Immediate|MessagePort|ProcessWrap)$/.test(kind))).toEqual([]);
  });

  it('returns the first execution for a repeated idempotency key', async () => {
    const args = [
      'run',
      file('hello.yaml', HELLO),
      '--input',
      '{"name":"Ada"}',
      '--idempotency-key',
      'k1',
      '--json',
    ];
    const ids = [await dagwright(args), await dagwright(args)].map(({ stdout }) => JSON.parse(stdout).id);
    expect(ids[0]).toBe(ids[1]);
    expect((await dagwright(args)).stderr).toContain(`execution ${ids[0]}, which an earlier start`);
    const other = await dagwright(args.with(3, '{"name":"Bob"}'));
    expect([other.code, JSON.parse(other.stdout).errors[0]]).toEqual([
      1,
      expect.objectContaining({ pointer: '--idempotency-key', code: 'key_reused' }),
    ]);
  });

  it('runs task types of a module that DAGWRIGHT_TASKS names', async () => {
    const tasks = fileURLToPath(new URL('../../src/tasks/custom-task.ts', import.meta.url));
    file(
      'tasks.ts',
      `import { defineTask } from ${JSON.stringify(tasks)};\nexport const double = defineTask({ type: 'double', run: ({ config }) => Number(config.n) * 2 });\n`,
    );
    const flow = file(
      'double.yaml',
      'workflowId: doubling\nnodes: [{ taskId: d, taskType: double, config: { n: 21 } }]\n',
    );
    const { code, stdout } = await dagwright(['run', flow, '--json'], { DAGWRIGHT_TASKS: 'tasks.ts' });
    expect([code, JSON.parse(stdout).output]).toEqual([0, { d: 42 }]);
  });

  it.each([
    ['research-brief.yaml', { question: 'Why?', depth: 2 }],
    ['approval-with-escalation.yaml', { employee: 'Ada', purpose: 'coffee', amountEur: 20 }],
    ['order-fallback.yaml', { orderId: 'o-1', items: [{ sku: 'a', price: 2.5 }] }],
    ['ensemble-vote.json', { text: 'Good or bad?' }],
    ['support-agent.yaml', { question: 'Where is order 7?' }],
    ['loops.yaml', { rows: [1, 2, 3] }],
  ])('completes examples/%s', async (name, input) => {
    const { stdout, stderr } = await dagwright([
      'run',
      join(EXAMPLES, name),
      '--input',
      JSON.stringify(input),
      '--json',
    ]);
    expect(JSON.parse(stdout).status ?? stdout, stderr).toBe('completed');
  });
});

describe('dagwright executions', () => {
  it('lists newest first in pages, shows and cancels', async () => {
    await dagwright(['run', file('hello.yaml', HELLO), '--input', '{"name":"Ada"}', '--json']);
    const page = JSON.parse((await dagwright(['executions', 'list', '--limit', '1', '--json'])).stdout);
    expect(page.items).toHaveLength(1);
    const next = JSON.parse(
      (await dagwright(['executions', 'list', '--cursor', page.nextCursor, '--json'])).stdout,
    );
    expect(next.items[0].id < page.items[0].id).toBe(true);
    const shown = await dagwright(['executions', 'show', page.items[0].id, '--json']);
    expect(JSON.parse(shown.stdout).tasks).toHaveLength(2);
    const cancelled = await dagwright(['executions', 'cancel', page.items[0].id, '--json']);
    expect([cancelled.code, JSON.parse(cancelled.stdout)]).toEqual([
      1,
      {
        errors: [
          expect.objectContaining({ code: 'already_ended', message: expect.stringContaining('completed') }),
        ],
      },
    ]);
  });

  it('pauses one that has not begun, resumes it, and says that an ended one has ended', async () => {
    await dagwright(['apply', file('hello.yaml', HELLO)]);
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query(`select set_config('app.current_tenant_id', $1, false)`, [DEFAULT_TENANT_ID]);
    const { rows } = await client.query(`select dagwright.start_workflow('hello', '{"name":"Ada"}') as id`);
    await client.end();
    const act = async (verb: string) => {
      const { code, stdout } = await dagwright(['executions', verb, rows[0].id, '--json']);
      const { status, errors } = JSON.parse(stdout);
      return [code, status ?? errors[0].code];
    };
    expect(await act('pause')).toEqual([0, 'paused']);
    expect(await act('resume')).toEqual([0, 'pending']);
    expect(await act('cancel')).toEqual([0, 'cancelled']);
    expect(await act('pause')).toEqual([1, 'already_ended']);
    expect(await act('resume')).toEqual([1, 'already_ended']);
  });

  it('exits 1 for an id that does not exist', async () => {
    const { code, stdout } = await dagwright([
      'executions',
      'show',
      '00000000-0000-7000-8000-000000000000',
      '--json',
    ]);
    expect([code, JSON.parse(stdout).errors[0].code]).toEqual([1, 'not_found']);
  });
});

describe('dagwright', () => {
  it('exits 2 on wrong usage', async () => {
    const codes = [['run'], ['nonsense'], ['run', 'x', '--nope'], ['run', 'x', '--priority', '11']];
    expect((await Promise.all(codes.map((args) => spawned(args)))).map(({ code }) => code)).toEqual([
      2, 2, 2, 2,
    ]);
  });

  it.each([
    [['run', '--json'], "missing required argument 'file|workflowId'"],
    [['executions', 'list', '--nope', '--json'], "unknown option '--nope'"],
    [['executions', 'list', '--status', 'lost', '--json'], 'Allowed choices are pending, running'],
    [['pricing', 'cost', '--json'], "required option '--usage <json|@file>' not specified"],
    [['webhooks', '--json'], "unknown option '--json'"],
    [['nonsense', '--json'], "unknown command 'nonsense'"],
  ])('prints one JSON object for wrong usage: %j', async (args, message) => {
    const { code, stdout } = await dagwright(args);
    expect([code, JSON.parse(stdout)]).toEqual([
      2,
      { errors: [{ pointer: '', code: 'usage', message: expect.stringContaining(message) }] },
    ]);
  });

  it('exits 2 for what is not an id', async () => {
    const { code, stdout } = await dagwright(['executions', 'show', '123', '--json']);
    expect([code, JSON.parse(stdout).errors[0].code]).toEqual([2, 'usage']);
  });

  it('names DATABASE_URL when the database cannot be reached', async () => {
    const { code, stdout } = await dagwright(['migrate', '--json'], {
      DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x',
    });
    expect([code, JSON.parse(stdout).errors[0]]).toEqual([
      1,
      expect.objectContaining({ code: 'database', hint: expect.stringContaining('DATABASE_URL') }),
    ]);
  });

  it('says what to check when the database refuses the connection', async () => {
    const noSuch = database.url.replace(/\/[^/]*$/, '/there_is_none');
    const { code, stdout } = await dagwright(['executions', 'list', '--json'], { DATABASE_URL: noSuch });
    expect([code, JSON.parse(stdout).errors[0]]).toEqual([
      1,
      expect.objectContaining({ code: 'database', hint: expect.stringContaining('DATABASE_URL') }),
    ]);
  });

  it('says what to grant to a login that lacks the roles', async () => {
    const empty = await createEmptyDatabase();
    const login = `plain_${process.pid}`;
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      await client.query(`create role ${login} login password 'p'`);
      const urlFor = (url: string) => Object.assign(new URL(url), { username: login, password: 'p' }).href;
      const refused = async (args: readonly string[], url: string) => {
        const { code, stdout } = await dagwright([...args, '--json'], { DATABASE_URL: urlFor(url) });
        const [{ code: problem, hint }] = JSON.parse(stdout).errors;
        return [code, problem, hint];
      };
      const grant = `as a superuser: grant dagwright_owner, dagwright_engine, dagwright_tenant to ${login}`;
      expect(await refused(['executions', 'list'], database.url)).toEqual([1, 'database', grant]);
      expect(await refused(['migrate'], database.url)).toEqual([1, 'database', grant]);
      expect(await refused(['migrate'], empty.url)).toEqual([
        1,
        'migration',
        expect.stringContaining('needs CREATEROLE'),
      ]);
    } finally {
      await client.query(`drop role if exists ${login}`);
      await client.end();
      await empty.drop();
    }
  });

  it.each(['status', 'stop', 'url'])('refuses db %s --ephemeral', async (verb) => {
    const { code, stdout } = await dagwright(['db', verb, '--ephemeral', '--json']);
    expect([code, JSON.parse(stdout).errors[0].code]).toEqual([2, 'usage']);
  });

  it('reads .env of the current folder, under the environment', async () => {
    file('.env', 'DAGWRIGHT_CONCURRENCY=many\nLOG_LEVEL=loud\n');
    try {
      const { stdout } = await spawned(['executions', 'list', '--json']);
      expect(JSON.parse(stdout).errors.map((problem: { pointer: string }) => problem.pointer)).toEqual([
        'DAGWRIGHT_CONCURRENCY',
      ]);
    } finally {
      rmSync(join(folder, '.env'));
    }
  });

  it('drains when npm, which started it, has gone', async () => {
    const script = `${JSON.stringify(process.execPath)} ${JSON.stringify(MAIN)} start --role worker & wait`;
    const env = { PATH: process.env.PATH, HOME: folder, DATABASE_URL: database.url, npm_execpath: 'npm' };
    const shell = spawn('sh', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    const ended = new Promise<void>((resolve) => {
      shell.stderr.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('takes tasks')) shell.kill('SIGKILL');
        if (log.includes('the worker has ended')) resolve();
      });
    });
    await ended;
    expect(log).toContain('draining');
  });

  it('refuses a tenant that does not exist', async () => {
    const { code, stdout } = await dagwright(['executions', 'list', '--tenant', 'nobody', '--json']);
    expect([code, JSON.parse(stdout).errors[0].code]).toEqual([1, 'not_found']);
  });

  it('names a bad setting once', async () => {
    const { stderr } = await spawned(['executions', 'list'], { PORT: 'x' });
    expect(stderr).toBe('error: PORT must be a whole number from 1 to 65535, got "x" [setting]\n');
  });

  it('names every bad setting at once', async () => {
    const { code, stdout } = await dagwright(['executions', 'list', '--json'], {
      DAGWRIGHT_CONCURRENCY: 'many',
      LOG_LEVEL: 'loud',
    });
    expect([code, JSON.parse(stdout).errors.map((problem: { pointer: string }) => problem.pointer)]).toEqual([
      1,
      ['DAGWRIGHT_CONCURRENCY', 'LOG_LEVEL'],
    ]);
  });

  it('names the command to type when the database lacks migrations, and migrates', async () => {
    const empty = await createEmptyDatabase();
    try {
      const env = { DATABASE_URL: empty.url };
      const before = await spawned(['executions', 'list', '--json'], env);
      expect([before.code, JSON.parse(before.stdout).errors[0].hint]).toEqual([1, 'dagwright migrate']);
      expect((await spawned(['migrate', '--check'], env)).code).toBe(1);
      expect((await spawned(['migrate'], env)).code).toBe(0);
      expect((await spawned(['migrate', '--check'], env)).code).toBe(0);
    } finally {
      await empty.drop();
    }
  });

  it('prints the JSON Schema of a definition', async () => {
    const schema = JSON.parse((await dagwright(['schema'])).stdout);
    expect(schema.$schema).toContain('2020-12');
    expect(schema.$defs.node.properties.taskType.enum).toEqual(
      expect.arrayContaining(['transformation', 'model_inference', 'parallel']),
    );
    const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect([accepts(schema.examples[0]), accepts.errors]).toEqual([true, null]);
  });

  it.each(['stdout', 'stderr'] as const)('ends quietly when nobody reads its %s any more', async (stream) => {
    const args = stream === 'stdout' ? ['schema'] : ['validate', 'there-is-none.yaml'];
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    child[stream].destroy();
    const other = stream === 'stdout' ? child.stderr : child.stdout;
    other.on('data', (chunk) => {
      rest += chunk;
    });
    const [code] = await once(child, 'close');
    expect([code, rest]).toEqual([stream === 'stdout' ? 0 : 1, '']);
  });

  it('explains joins', async () => {
    const { code, stdout } = await dagwright([
      'validate',
      join(EXAMPLES, 'research-brief.yaml'),
      '--explain',
    ]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('brief: runs after findings and one of (deep_dive, short_note)'),
    ]);
  });
});

it('a command that has ended holds nothing of the process that ran it', async () => {
  const held = () => process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate').length;
  const list = () => dagwright(['executions', 'list', '--json']);
  for (let i = 0; i < 3; i++) await list();
  const before = held();
  for (let i = 0; i < 20; i++) expect((await list()).code).toBe(0);
  for (let i = 0; i < 20; i++)
    expect((await dagwright(['executions', 'list', '--tenant', 'nobody'])).code).toBe(1);
  expect(held()).toBeLessThanOrEqual(before + 1);
});

it('says nothing of what was not committed', async () => {
  const fails = `create function pg_temp.fail() returns trigger language plpgsql as $$ begin raise exception 'at commit'; end $$`;
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  try {
    await admin.query(fails.replace('pg_temp.', 'public.'));
    await admin.query(
      'create constraint trigger fails after insert on dagwright.api_keys deferrable initially deferred for each row execute function public.fail()',
    );
    const { code, stdout } = await dagwright(['keys', 'create', 'ci', '--roles', 'viewer', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ errors: [{ message: expect.stringContaining('at commit') }] });
  } finally {
    await admin.query('drop function public.fail() cascade');
    await admin.end();
  }
});
