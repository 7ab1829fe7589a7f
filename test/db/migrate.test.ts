// Migrations: from nothing, many at once, in a second database of the same cluster, again.
import { readFileSync } from 'node:fs';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { ROLES, TAKEN_ROLES } from '../../src/db/connection/roles.ts';
import { migrateDatabase, pendingMigrations } from '../../src/db/operations/migrate.ts';
import { openOwnPostgres } from '../crash/support/own-postgres.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { createDatabaseAt } from '../support/former-database.ts';

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

test('eight simultaneous calls bring an empty database up to date, once; again changes nothing', async () => {
  const database = await createEmptyDatabase();
  try {
    const all = await pendingMigrations(database.url);
    expect(all).toBeGreaterThanOrEqual(2);
    await Promise.all(Array.from({ length: 8 }, () => migrateDatabase(database.url)));
    expect(await pendingMigrations(database.url)).toBe(0);
    const applied = `select count(*)::int as n from drizzle.__drizzle_migrations`;
    expect(await query(database.url, applied)).toEqual([{ n: all }]);
    await migrateDatabase(database.url);
    expect(await query(database.url, applied)).toEqual([{ n: all }]);
    expect(await query(database.url, `select count(*)::int as n from dagwright.tenants`)).toEqual([{ n: 1 }]);
  } finally {
    await database.drop();
  }
});

test('two databases of one cluster share the roles and nothing else', async () => {
  const [first, second] = await Promise.all([createDatabase(), createEmptyDatabase()]);
  try {
    await migrateDatabase(second.url);
    await query(first.url, `insert into dagwright.engine_counters values ('only_here', 1)`);
    expect(await query(second.url, 'select * from dagwright.engine_counters')).toEqual([]);
    expect(await pendingMigrations(first.url)).toBe(0);
    expect(await pendingMigrations(second.url)).toBe(0);
  } finally {
    await Promise.all([first.drop(), second.drop()]);
  }
});

test('a login that may not create roles, on a server that has only the former three, is told which one is missing', async () => {
  const server = await openOwnPostgres(inject('cluster'));
  try {
    for (const role of TAKEN_ROLES) await query(server.url, `create role ${role}`);
    await query(server.url, `create role deploy login password 'x' in role ${TAKEN_ROLES.join(', ')}`);
    await query(server.url, 'create database older owner deploy');
    const url = new URL('/older', server.url);
    url.username = 'deploy';
    url.password = 'x';
    await expect(migrateDatabase(url.href)).rejects.toMatchObject({
      name: 'MigrationError',
      message: expect.stringContaining('permission denied to create role'),
      hint: expect.stringMatching(/CREATEROLE.*"create role dagwright_caller"/),
    });
    await query(server.url, `create role ${ROLES.caller}`);
    await query(new URL('/older', server.url).href, 'grant create on database older to dagwright_owner');
    await migrateDatabase(url.href);
    expect(await pendingMigrations(url.href)).toBe(0);
  } finally {
    await server.remove();
  }
});

test('a login that may not create roles is told what it needs', async () => {
  const database = await createEmptyDatabase();
  const login = `dagwright_test_login_${process.pid}`;
  const url = new URL(database.url);
  await query(database.url, `create role ${login} login password 'x'`);
  try {
    url.username = login;
    url.password = 'x';
    await expect(migrateDatabase(url.href)).rejects.toMatchObject({
      name: 'MigrationError',
      hint: expect.stringContaining('CREATEROLE'),
    });
    expect(await pendingMigrations(database.url)).toBeGreaterThan(0);
  } finally {
    await database.drop();
    await query(new URL(`/postgres`, database.url).href, `drop role ${login}`);
  }
});

test('while a transaction stays open that has used a table it changes, a migration lets others pass', async () => {
  // As it was before the last migration that adds a column.
  const adds = /ALTER TABLE ("\w+"\."\w+") ADD COLUMN/;
  const last = readMigrationFiles({ migrationsFolder: 'drizzle' }).findLastIndex((one) =>
    adds.test(one.sql.join()),
  );
  const { entries } = JSON.parse(readFileSync('drizzle/meta/_journal.json', 'utf8'));
  const used = adds.exec(readMigrationFiles({ migrationsFolder: 'drizzle' })[last]!.sql.join())![1];
  const database = await createDatabaseAt(entries[last - 1].tag);
  const [holder, other] = [0, 1].map(() => new pg.Client({ connectionString: database.url }));
  try {
    await Promise.all([holder!.connect(), other!.connect()]);
    await holder!.query(`begin; select from ${used}`);
    let hasEnded = false;
    const migrating = migrateDatabase(database.url).finally(() => {
      hasEnded = true;
    });
    migrating.catch(() => {});
    for (let passed = 0, waited = 0; passed < 3 || waited < 1; passed++) {
      const { rows } = await other!.query(`select count(*)::int as n from pg_locks where not granted`);
      waited += rows[0].n;
      await other!.query(`select from ${used}`);
      expect(hasEnded).toBe(false);
    }
    await holder!.query('commit');
    await migrating;
    expect(await pendingMigrations(database.url)).toBe(0);
  } finally {
    await Promise.all([holder!.end(), other!.end()]);
    await database.drop();
  }
});
