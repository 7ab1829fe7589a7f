// A migrated database of its own for each test file, cloned from a template in about 0.1 s.
//
// The template is made once per server and content of drizzle/ (its name is their hash), by whichever worker comes first:
// under an advisory lock, in a draft that gets the template's name when the migrations are done.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

type Migrate = (url: string) => Promise<void>;

const MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));
const TEMPLATE_LOCK = 712_604_311;

/** Call `drop` in afterAll; it ends connections that are still open. */
export async function createDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('adminUrl');
  return createDatabaseFrom(adminUrl, await ensureTemplate(adminUrl, migrateDatabase));
}

/** A database without migrations, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabaseFrom(inject('adminUrl'), 'template0');
}

/** Makes the template if it is missing and returns its name; callers in other processes wait. */
export async function ensureTemplate(adminUrl: string, migrate: Migrate): Promise<string> {
  const template = `dagwright_template_${await hashOf(MIGRATIONS)}`;
  return withAdmin(adminUrl, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [template]);
    if (rowCount) return template;
    const draft = `${template}_draft`;
    await admin.query(`drop database if exists ${draft} with (force)`);
    await admin.query(`create database ${draft} template template0`);
    await migrate(urlOf(adminUrl, draft));
    await admin.query(`alter database ${draft} rename to ${template}`);
    return template;
  });
}

export async function createDatabaseFrom(adminUrl: string, template: string): Promise<TestDatabase> {
  const name = `dagwright_test_${randomBytes(8).toString('hex')}`;
  await withAdmin(adminUrl, (admin) => admin.query(`create database ${name} template ${template}`));
  return {
    url: urlOf(adminUrl, name),
    drop: async () => {
      await withAdmin(adminUrl, (admin) => admin.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** The lock and the connection end together. */
async function withAdmin<T>(adminUrl: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl });
  admin.on('error', () => {});
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

// Imported when first needed, so that tests of the server itself do not depend on the migrations.
const migrateDatabase: Migrate = async (url) =>
  (await import('../../src/db/operations/migrate.ts')).migrateDatabase(url);

async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = existsSync(folder) ? await readdir(folder, { recursive: true, withFileTypes: true }) : [];
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(`${file.slice(folder.length)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
