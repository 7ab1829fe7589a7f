// Databases as former releases left them, for tests of migrations.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { createDatabase, createEmptyDatabase, type TestDatabase } from './database.ts';

const DRIZZLE = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** A database as it is after this migration, and none that came later. */
export async function createDatabaseAt(tag: string): Promise<TestDatabase> {
  // Its roles are those of the whole server.
  await (await createDatabase()).drop();
  const database = await createEmptyDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'dagwright-migrations-'));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await cp(DRIZZLE, folder, { recursive: true });
    const journal = JSON.parse(await readFile(join(folder, 'meta/_journal.json'), 'utf8'));
    const last = journal.entries.findIndex((entry: { tag: string }) => entry.tag === tag);
    journal.entries = journal.entries.slice(0, last + 1);
    await writeFile(join(folder, 'meta/_journal.json'), JSON.stringify(journal));
    await client.query(
      `do $$ begin execute format('grant create on database %I to dagwright_owner', current_database()); end $$`,
    );
    await client.query('set role dagwright_owner');
    const pool = new pg.Pool({ connectionString: database.url, max: 1, options: '-c role=dagwright_owner' });
    pool.on('error', () => {});
    pool.on('connect', (connection) => connection.on('error', () => {}));
    await runMigrations({ pgPool: pool, logger: new Logger(() => () => {}) });
    await pool.end();
    await migrate(drizzle(client), { migrationsFolder: folder, migrationsSchema: 'drizzle' });
  } finally {
    await client.end();
    await rm(folder, { recursive: true });
  }
  return database;
}
