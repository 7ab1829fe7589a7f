// deploy/logins.sql: one login for each kind of process. Each can do its work, and none can do what only an administrator may.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { assertIsolation } from '../../src/db/operations/isolation-check.ts';
import { migrateDatabase, pendingMigrations } from '../../src/db/operations/migrate.ts';
import { runCli } from '../cli/support/run-cli.ts';
import { type OwnPostgres, openOwnPostgres } from '../crash/support/own-postgres.ts';

const FILE = fileURLToPath(new URL('../../deploy/logins.sql', import.meta.url));
const LOGINS = ['deploy', 'api', 'worker', 'scheduler'] as const;
type Login = (typeof LOGINS)[number];

let server: OwnPostgres;
const folder = mkdtempSync(join(tmpdir(), 'dagwright-logins-'));

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = (await client.query(text)) as pg.QueryResult | pg.QueryResult[];
    return [result].flat().at(-1)!.rows;
  } finally {
    await client.end();
  }
}

/** As psql would run it: with its variables, without its commands. */
const makeLogins = (password: (login: Login) => string) =>
  query(
    adminUrl(),
    readFileSync(FILE, 'utf8')
      .replaceAll(/^\\.*$/gm, '')
      .replaceAll(/:'(\w+)'/g, (_, login: Login) => pg.escapeLiteral(password(login))),
  );
const adminUrl = () => new URL('/dagwright', server.url).href;
const passwordOf = (login: Login) => `password-of-${login}`;
function urlOf(login: Login, password = passwordOf(login)): string {
  const url = new URL(adminUrl());
  url.username = `dagwright_${login}`;
  url.password = password;
  return url.href;
}

beforeAll(async () => {
  server = await openOwnPostgres(inject('cluster'));
  await makeLogins((login) => `old-${login}`);
  await makeLogins(passwordOf);
  await migrateDatabase(urlOf('deploy'));
});
afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('migrate needs no administrator, and no other login is one either', async () => {
  expect(await pendingMigrations(urlOf('deploy'))).toBe(0);
  const rows = await query(
    adminUrl(),
    `select rolname as name from pg_roles where rolname like 'dagwright\\_%' and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls)`,
  );
  expect(rows).toEqual([]);
});

describe.each(LOGINS)('the login of %s', (login) => {
  test('finds the tenants kept apart', async () => {
    await assertIsolation(urlOf(login));
  });

  test.each([
    'create role mallory',
    'create database mallory',
    'alter role dagwright_owner bypassrls',
    'alter role dagwright_deploy superuser',
    `alter role dagwright_${login === 'api' ? 'worker' : 'api'} password 'mine'`,
    'create schema mallory authorization pg_monitor',
    "copy dagwright.tenants to program 'true'",
  ])('may not: %s', async (statement) => {
    await expect(query(urlOf(login), statement)).rejects.toMatchObject({ code: '42501' });
  });
});

test('the login of workers runs a workflow to its end', async () => {
  const file = join(folder, 'hello.yaml');
  writeFileSync(
    file,
    'workflowId: hello\nnodes: [{ taskId: a, taskType: transformation, config: { output: done } }]\n',
  );
  const { code, stdout, stderr } = await runCli(['run', file, '--json'], {
    cwd: folder,
    env: { HOME: folder, DATABASE_URL: urlOf('worker') },
  });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(stdout).output).toEqual({ a: 'done' });
});
