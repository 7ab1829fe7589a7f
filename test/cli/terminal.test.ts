// Nothing that tenants and services wrote acts upon the operator's screen: every command, with names, outputs, errors and log
// lines made of every control character.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram, loadCommand } from '../../src/cli/program.ts';
import { casesOf } from '../support/depth.ts';
import { definition, type Engine, openEngine, until } from '../support/engine.ts';
import { type CliOptions, runCli } from './support/run-cli.ts';

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).join('');
/** All but NUL, which PostgreSQL does not keep. Nothing of ours is magenta. */
const HOSTILE = `h\u001b[35mx\u001b[0m\u001b]8;;http://x\u0007\u202e\u2066\u200f\u061c\u2028\u2029\r${range(1, 31)}${range(127, 159)}\n\u2714 forged`;
const UNSAFE = /(?!\n)\p{Cc}|\p{Bidi_Control}|[\u2028\u2029]/u;
const ESC = '\u001b';
const OWN = new RegExp(`${ESC}\\[(?:(?:1|22|3[1236]|39|90)m|\\d+A|0J)`, 'g');

const folder = mkdtempSync(join(tmpdir(), 'dagwright-terminal-'));
let engine: Engine;
const options = (more: Partial<CliOptions> = {}): CliOptions => ({
  cwd: folder,
  env: { HOME: folder, DATABASE_URL: engine.database.url, LOG_LEVEL: 'info' },
  ...more,
});
const made: Record<string, string> = {};

function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}
const FLOW = {
  workflowId: 'flow',
  failurePolicy: 'continue',
  maxRetries: 0,
  nodes: [
    { taskId: 'tells', taskType: 'transformation', config: { output: { [HOSTILE]: HOSTILE } } },
    { taskId: 'fails', taskType: 'fail', config: { code: 'told', message: HOSTILE } },
  ],
  output: { told: '{{ tasks.tells.output }}' },
};
const BAD = { ...FLOW, workflowId: HOSTILE, [HOSTILE]: 1, nodes: [{ taskId: HOSTILE, taskType: HOSTILE }] };

beforeAll(async () => {
  engine = await openEngine();
  engine.bodies.logs = ({ log }) => {
    log.warn(HOSTILE, { [HOSTILE]: HOSTILE });
    return HOSTILE;
  };
  const run = await engine.run(
    definition([{ taskId: 'logs', taskType: 'probe', dependsOn: [], config: {} }]),
  );
  made.logged = run.execution.id;
  const json = async (...args: string[]) => {
    const { stdout, stderr } = await runCli([...args, '--json'], options());
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  };
  await json('apply', file('flow.json', FLOW));
  made.execution = (await json('run', 'flow')).id;
  made.pending = await engine.start('flow', { startAt: new Date(Date.now() + 3_600_000) } as never);
  const asked = definition([
    {
      taskId: 'ask',
      taskType: 'human_review',
      dependsOn: [],
      config: { title: HOSTILE, description: HOSTILE },
    },
  ]);
  await engine.apply(asked);
  made.asking = await engine.start(asked.workflowId);
  made.review = await until(async () => (await json('reviews', 'list')).items[0]?.id);
  made.schedule = (await json('schedules', 'create', 'flow', 'daily', '0 9 * * *')).id;
  made.webhook = (await json('webhooks', 'create', 'flow', 'in', '--auth-type', 'none')).id;
  made.key = (await json('keys', 'create', 'mine', '--roles', 'viewer')).id;
  await json('variables', 'set', 'v', JSON.stringify(HOSTILE));
  await json('tenants', 'create', 'acme');
  await json('services', 'set', HOSTILE, '--max-concurrency', '1');
  await plant();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.close();
});

/** Puts it behind every text that the database takes, whatever rule of ours stands before. */
async function plant(): Promise<void> {
  const client = new pg.Client(engine.database.url);
  await client.connect();
  try {
    await client.query('set session_replication_role = replica');
    const { rows } = await client.query<{ name: string; column: string }>(
      `select c.table_name as name, c.column_name as column from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where table_schema = 'dagwright' and table_type = 'BASE TABLE' and data_type in ('text', 'character varying')`,
    );
    for (const { name, column } of rows)
      await client
        .query(`update dagwright."${name}" set "${column}" = "${column}" || $1`, [HOSTILE])
        .catch(() => {});
  } finally {
    await client.end();
  }
}

/** What is typed, by command; `null`: not tried here. */
const LINES: Readonly<Record<string, readonly (() => string[])[] | null>> = {
  run: [() => [file('flow.json', FLOW)], () => [file('bad.json', BAD)], () => [HOSTILE]],
  validate: [
    () => [file('flow.json', FLOW), '--explain'],
    () => [file('bad.json', BAD), file('bad.yaml', `a: [${HOSTILE}`), `/${HOSTILE}`],
  ],
  schema: [() => []],
  apply: [() => [file('bad.json', BAD)], () => [file('flow.json', FLOW)]],
  // Of their own making: files, and scripts.
  init: null,
  completion: null,
  explain: [() => [], () => ['parallel'], () => [HOSTILE]],
  migrate: [() => []],
  // Services: what they print is the log, and one note.
  start: null,
  dev: null,
  doctor: [() => []],
  health: [() => []],
  // Of the embedded server.
  demo: null,
  'db status': null,
  'db stop': null,
  'db url': null,
  'db reset': null,
  'executions list': [() => [], () => ['--workflow', HOSTILE], () => ['--cursor', HOSTILE]],
  'executions show': [() => [made.execution!], () => [made.logged!], () => [HOSTILE]],
  'executions why': [() => [made.pending!]],
  'executions logs': [
    () => [made.logged!],
    () => [made.logged!, '--follow'],
    () => [made.logged!, '--task', HOSTILE],
  ],
  'executions cancel': [() => [made.logged!]],
  'executions pause': [() => [made.logged!]],
  'executions resume': [() => [made.logged!]],
  'executions signal': [() => [made.asking!, HOSTILE], () => [made.asking!, 'go', '--payload', HOSTILE]],
  'reviews list': [() => [], () => ['--workflow', HOSTILE]],
  'reviews show': [() => [made.review!], () => [HOSTILE]],
  'reviews comment': [() => [made.review!, HOSTILE]],
  'reviews assign': [() => [made.review!, HOSTILE], () => [made.review!, 'user:bob']],
  'reviews claim': [() => [made.review!]],
  'reviews release': [() => [made.review!]],
  'reviews update': [() => [made.review!, '--priority', HOSTILE], () => [made.review!, '--priority', '9']],
  'reviews link': [() => [made.review!, HOSTILE]],
  'reviews unlink': [() => [made.review!]],
  'reviews submit': [() => [made.review!, '--data', JSON.stringify({ [HOSTILE]: HOSTILE })]],
  'reviews reject': [() => [HOSTILE]],
  'reviews approve': [() => [made.review!]],
  'services list': [() => []],
  'services set': [() => [HOSTILE, '--max-concurrency', '2']],
  'services remove': [() => [HOSTILE]],
  'services reset': [() => [HOSTILE]],
  'pricing list': [() => []],
  'pricing show': [() => [HOSTILE], () => ['openai/gpt-4o']],
  'pricing set': [() => [HOSTILE, '--input', '1']],
  'pricing cost': [
    () => ['--usage', JSON.stringify({ provider: HOSTILE, model: HOSTILE, usage: { [HOSTILE]: 1 } })],
  ],
  // A file of prices: read by `files.test.ts` and `pricing.test.ts`.
  'pricing import': null,
  'retention run': [() => ['--days', '9000']],
  'workflows list': [() => []],
  'workflows show': [() => ['flow'], () => [HOSTILE], () => [`flow${HOSTILE}`]],
  'workflows revisions': [() => ['flow'], () => [`flow${HOSTILE}`]],
  'workflows rollback': [() => [HOSTILE, '1']],
  'workflows activate': [() => [`flow${HOSTILE}`]],
  'workflows draft': [() => [`flow${HOSTILE}`]],
  'workflows archive': [() => [`flow${HOSTILE}`]],
  'variables list': [() => []],
  'variables get': [() => ['v'], () => [`v${HOSTILE}`]],
  'variables set': [() => [HOSTILE, '1']],
  'variables delete': [() => [HOSTILE]],
  'schedules list': [() => []],
  'schedules create': [() => ['flow', HOSTILE, HOSTILE]],
  'schedules show': [() => [made.schedule!], () => [HOSTILE]],
  'schedules update': [() => [made.schedule!, '--name', HOSTILE]],
  'schedules pause': [() => [made.schedule!, '--reason', HOSTILE]],
  'schedules resume': [() => [made.schedule!]],
  'schedules preview': [() => [made.schedule!]],
  'schedules run': [() => [made.schedule!]],
  'schedules backfill': [() => [made.schedule!, '--from', HOSTILE, '--to', HOSTILE]],
  'schedules ticks': [() => [made.schedule!]],
  'schedules delete': [() => [made.schedule!]],
  'tenants list': [() => []],
  'tenants show': [() => ['acme'], () => [`acme${HOSTILE}`], () => [HOSTILE]],
  'tenants create': [() => [HOSTILE], () => ['globex', '--display-name', HOSTILE]],
  'tenants set': [() => [HOSTILE, '--weight', '2'], () => ['globex', '--weight', '2']],
  'tenants update': [() => ['globex', '--display-name', HOSTILE]],
  'keys list': [() => []],
  'keys create': [() => [HOSTILE, '--roles', HOSTILE]],
  'keys revoke': [() => [made.key!]],
  'audit list': [() => [], () => ['--installation'], () => ['--actor', HOSTILE]],
  'webhooks list': [() => []],
  'webhooks create': [() => ['flow', HOSTILE], () => [HOSTILE, 'x']],
  'webhooks show': [() => [made.webhook!]],
  'webhooks update': [() => [made.webhook!, '--path', HOSTILE]],
  'webhooks events': [() => [made.webhook!]],
  'webhooks replay': [() => [made.webhook!, made.webhook!]],
  'webhooks delete': [() => [made.webhook!]],
};

function leavesOf(command: Command, path: string[] = []): string[] {
  const own = command.commands.filter((one) => one.name() !== 'help');
  return own.length === 0 ? [path.join(' ')] : own.flatMap((one) => leavesOf(one, [...path, one.name()]));
}

describe('every command', () => {
  it('is in this list', async () => {
    const program = createProgram({ stdout: process.stdout, stderr: process.stderr } as never);
    for (const { name } of program.commands.map((one) => ({ name: one.name() })))
      await loadCommand(program, [name]);
    expect(Object.keys(LINES).sort()).toEqual(leavesOf(program).sort());
  });

  const tried = Object.entries(LINES).flatMap(([name, lines]) =>
    (lines ?? []).map((line, i) => ({ name, line, i })),
  );
  it.each(casesOf(tried))('$name prints no control characters (line $i)', async ({ name, line }) => {
    const words = [...name.split(' '), ...line()];
    for (const isTTY of [false, true]) {
      const { stdout, stderr } = await runCli(words, options({ isTTY }));
      expect(stdout + stderr).not.toBe('');
      const shown = (stdout + stderr).replaceAll(isTTY ? OWN : /(?!)/g, '');
      expect(UNSAFE.exec(shown)?.[0], shown.slice(0, 2000)).toBeUndefined();
      // In the output of a run, and in what one value holds, lines are lines.
      if (/ list$|^executions (why|logs)/.test(name)) expect(shown).not.toMatch(/^\u2714 forged/m);
    }
    const { stdout } = await runCli([...words, '--json'], options());
    expect(UNSAFE.exec(stdout)?.[0]).toBeUndefined();
    const objects =
      name === 'executions logs' && words.includes('--follow') ? stdout.trimEnd().split('\n') : [stdout];
    for (const one of objects) JSON.parse(one);
  });

  it('gives the values themselves with --json', async () => {
    const { stdout } = await runCli(['executions', 'show', made.logged!, '--json'], options());
    expect(JSON.parse(stdout).tasks[0].output).toBe(HOSTILE);
    const lines = JSON.parse(
      (await runCli(['executions', 'logs', made.logged!, '--json'], options())).stdout,
    );
    expect(lines.items[0].fields).toEqual({ [HOSTILE]: HOSTILE });
  });

  it.each([
    [['frobnicate\u001b[2J']],
    [['run', '--\u009b2J']],
    [['pricing', 'set', 'a/b', '--input', '\u202e']],
  ])('says what is wrong usage without it: %j', async (words) => {
    const { code, stdout, stderr } = await runCli(words, options());
    expect([code, UNSAFE.exec(stdout + stderr)]).toEqual([2, null]);
  });
});
