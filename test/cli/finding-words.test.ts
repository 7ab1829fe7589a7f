// What helps to find words: explain, completion, suggestions; and a tenant that is named before the command.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { looksLikeProduction } from '../../src/cli/commands/db-reset.ts';
import { CODE_PLACES } from '../../src/core/codes/code-table.ts';
import { BUILTIN_TASK_TYPES } from '../../src/core/definition/schema/builtin-types.ts';
import { FUNCTIONS } from '../../src/core/expression/functions/registry.ts';
import { createDatabase, createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-words-'));
let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});
const dagwright = (...args: string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: database.url } });

describe('dagwright explain', () => {
  const codes = CODE_PLACES.flatMap((place) =>
    Object.entries(place.codes).map(([name, text]) => ({ name, kind: place.kind, text })),
  );

  it('knows every task type and function', async () => {
    for (const name of [...BUILTIN_TASK_TYPES.keys(), ...FUNCTIONS.keys()]) {
      const { code, stdout } = await dagwright('explain', name, '--json');
      expect({ name, code }).toEqual({ name, code: 0 });
      expect(JSON.parse(stdout).items[0].text.length, name).toBeGreaterThan(0);
    }
  });

  it('knows every code of the table, in each place where it appears', async () => {
    expect(codes.length).toBeGreaterThan(150);
    for (const { name, kind, text } of codes) {
      const { stdout } = await dagwright('explain', name, '--json');
      const { items } = JSON.parse(stdout) as { items: { kind: string; text: string; where?: string }[] };
      const item = items.find((one) => one.kind === kind);
      expect(item?.text, `${kind} ${name}`).toContain(text.means.replaceAll('`', ''));
      expect(item?.where, `${kind} ${name}`).toMatch(/\w/);
    }
  });

  it('names no command that there is not', async () => {
    const { stdout: script } = await dagwright('completion', 'bash');
    const named = codes.flatMap(({ text }) => [...(text.fix ?? '').matchAll(/`dagwright ((?:[a-z]+ ?)+)/g)]);
    expect(named.length).toBeGreaterThan(10);
    for (const [, words] of named) expect(script).toContain(`    "${words!.trim()}") words=`);
  });

  it('says what a type takes, what a code is retried for, and what was probably meant', async () => {
    expect((await dagwright('explain', 'parallel')).stdout).toMatch(
      /^ {2}maxConcurrency +integer +Parts that run at the same time\. Default: 10\.$/m,
    );
    expect((await dagwright('explain', 'http_503')).stdout).toMatch(/status 503\.\nIt is tried again/);
    expect((await dagwright('explain', 'http_404')).stdout).toMatch(/It is not tried again/);
    expect((await dagwright('explain', 'timeou')).stderr).toMatch(/hint: dagwright explain timeout/);
    expect((await dagwright('explain')).stdout).toMatch(/functions\n {2}exists, count/);
    const { stdout } = await dagwright('explain', 'revision_mismatch');
    expect(stdout).toMatch(
      /^revision_mismatch {2}answer code: .*\n.* Status 412\.\nWhat to do: Read it again/,
    );
    expect((await dagwright('explain', '--help')).stdout).toMatch(
      /problem codes: syntax, [\s\S]*SQLSTATEs: 22023/,
    );
  });
});

describe('dagwright completion', () => {
  it('completes commands, options and values in bash, also behind options of the program', async () => {
    const { stdout: script } = await dagwright('completion', 'bash');
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dagwright; echo "\${COMPREPLY[*]}"`,
          '_',
          ...words,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('dagwright', 'exec')).toBe('executions');
    expect(complete('dagwright', 'executions', 'pa')).toBe('pause');
    expect(complete('dagwright', '--tenant', 'db', 'executions', 'list', '--status', 'p')).toBe(
      'pending paused',
    );
    expect(complete('dagwright', 'keys', 'create', 'name', '--ro')).toBe('--roles');
    expect(complete('dagwright', 'explain', 'revision_m')).toBe('revision_mismatch');
    expect(complete('dagwright', 'explain', 'formatD')).toBe('formatDate');
    expect(complete('dagwright', 'completion', 'z')).toBe('zsh');
  });

  it('is made for zsh and fish too, and for no other', async () => {
    expect((await dagwright('completion', 'zsh')).stdout).toMatch(/^#compdef dagwright\n/);
    expect((await dagwright('completion', 'fish')).stdout).toMatch(
      /complete -c dagwright -n 'test \(__dagwright_path\) = "executions list"' -l status -x -a 'pending running/,
    );
    expect(await dagwright('completion', 'tcsh')).toMatchObject({ code: 2 });
  });
});

describe('what was mistyped', () => {
  it.each([
    [['exeutions', 'list'], /Did you mean executions\?/],
    [['executions', 'lst'], /Did you mean list\?/],
    [['validate', '--explian', 'x'], /Did you mean --explain\?/],
    [['--tenat', 'x', 'validate'], /Did you mean --tenant\?/],
  ])('%j gets a suggestion', async (args, suggestion) => {
    const { code, stderr } = await dagwright(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(suggestion);
  });
});

describe('--tenant', () => {
  it('is heard before the command, and the command has the last word', async () => {
    // A name that is a command as well.
    for (const name of ['keys', 'acme']) await dagwright('tenants', 'create', name);
    const list = async (...args: string[]) => (await dagwright(...args)).stdout.trim();
    expect(await list('--tenant', 'acme', 'keys', 'list')).toBe('no keys in tenant acme');
    expect(await list('--tenant', 'keys', 'keys', 'list')).toBe('no keys in tenant keys');
    expect(await dagwright('--tenant', 'keys', 'variables', 'list', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"items":[]'),
    });
    expect(await list('--tenant', 'keys', 'keys', 'list', '--tenant', 'acme')).toBe('no keys in tenant acme');
  });
});

describe('dagwright db reset', () => {
  it('asks, refuses what looks like production without --yes, and leaves an empty database', async () => {
    const own = await createDatabase();
    const at = (env: Record<string, string>, ...args: string[]) =>
      runCli(['db', 'reset', ...args], { cwd: folder, env: { HOME: folder, DATABASE_URL: own.url, ...env } });
    try {
      await runCli(['tenants', 'create', 'gone'], {
        cwd: folder,
        env: { HOME: folder, DATABASE_URL: own.url },
      });
      expect((await at({})).stderr).toMatch(
        /it would delete the database .*\n {2}hint: dagwright db reset --yes/,
      );
      expect((await at({ NODE_ENV: 'production' })).stderr).toMatch(
        /looks like production: NODE_ENV=production/,
      );
      // A worker lives on it: not even with --yes.
      const client = new pg.Client({ connectionString: own.url });
      await client.connect();
      await client.query(
        `select dagwright.register_worker_v2(gen_random_uuid(), 'here', 1, 1, 60, '{}', '{}')`,
      );
      const used = await at({}, '--yes');
      await client.query('delete from dagwright.workers');
      await client.end();
      expect(used).toMatchObject({ code: 1, stderr: expect.stringMatching(/1 worker\(s\) live on/) });
      expect(await at({}, '--yes')).toMatchObject({ code: 0 });
      const list = await runCli(['tenants', 'list', '--json'], {
        cwd: folder,
        env: { HOME: folder, DATABASE_URL: own.url },
      });
      expect(JSON.parse(list.stdout).items.map(({ name }: { name: string }) => name)).toEqual(['default']);
    } finally {
      await own.drop();
    }
  });

  it('leaves a database alone in which nothing is ours', async () => {
    const other = await createEmptyDatabase();
    const client = new pg.Client({ connectionString: other.url });
    await client.connect();
    try {
      // Of another program, which uses the same libraries.
      await client.query(`create schema drizzle; create schema graphile_worker;
        create table drizzle.__drizzle_migrations (id int); create table graphile_worker.jobs (id int); create table mine (id int)`);
      const tables = async () => {
        const { rows } = await client.query<{ name: string }>(
          `select schemaname || '.' || tablename as name from pg_tables where schemaname !~ '^(pg_|information_schema)' order by 1`,
        );
        return rows.map(({ name }) => name);
      };
      const before = await tables();
      const { code, stderr } = await runCli(['db', 'reset', '--yes'], {
        cwd: folder,
        env: { HOME: folder, DATABASE_URL: other.url },
      });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/there is nothing of Dagwright in the database .* \[not_found\]/),
      });
      expect(await tables()).toEqual(before);
    } finally {
      await client.end();
      await other.drop();
    }
  });

  it.each<[string, string | null]>([
    ['postgres://u@db.example.com/app', 'db.example.com'],
    ['postgres://u@127.0.0.1/app?host=db.example.com', 'db.example.com'],
    ['postgres://u@10.0.0.7/app', '10.0.0.7'],
    ['postgres://u@[2001:db8::1]/app', '[2001:db8::1]'],
    ['postgres://u@127.0.0.1:5433/app', null],
    ['postgres://u@[::1]/app', null],
    ['postgres://u@localhost/app', null],
    ['postgres:///app?host=/var/run/postgresql', null],
    ['postgres:///app', null],
  ])('takes %s for a database of another machine: %s', (url, host) => {
    const said = looksLikeProduction({ isProduction: false }, url);
    expect(said).toBe(host === null ? null : `the database is on ${host}`);
  });
});
