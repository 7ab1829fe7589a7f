// The SQL functions and views live in the rooms of src/db/functions, one file per topic, each name once; what a database gets is a migration that repeats
// the files that changed. Checks that every file's newest text is in some migration; with `--write TAG` writes those that
// are not into drizzle/TAG.sql, an empty migration made by `npx drizzle-kit generate --custom --name NAME`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../src/db/functions/', import.meta.url));
const MIGRATIONS = fileURLToPath(new URL('../../drizzle/', import.meta.url));
const HEADER =
  '-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.\n\n';
const markerOf = (file: string) => `-- src/db/functions/${basename(file)}\n`;

/** Files of src/db/functions whose text is in no migration, `except` the one that is being written. */
export function outdatedFunctions(except?: string): readonly string[] {
  const migrations = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql') && name !== except)
    .sort()
    .reverse()
    .map((name) => readFileSync(join(MIGRATIONS, name), 'utf8'));
  return sources().filter((file) => !isCurrent(file, migrations));
}

// Views read functions: they come last.
function sources(): readonly string[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.sql'),
  );
  const isView = (file: string) => Number(basename(file).startsWith('view'));
  return files.sort((a, b) => isView(a) - isView(b) || basename(a).localeCompare(basename(b)));
}

function isCurrent(file: string, newestFirst: readonly string[]): boolean {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const marker = markerOf(file);
  const carrier = newestFirst.find((migration) => migration.includes(marker));
  if (carrier !== undefined) {
    const chunk = carrier.slice(carrier.indexOf(marker) + marker.length);
    const end = chunk.indexOf('\n-- src/db/functions/');
    return (end < 0 ? chunk : chunk.slice(0, end)).trim() === text.trim();
  }
  // The first migration was written by hand, before the files were.
  const first = text.trim().replaceAll(/^create or replace (function|view) /gm, 'create $1 ');
  return newestFirst.some((migration) => migration.includes(first));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tag = process.argv[2] === '--write' ? basename(process.argv[3] ?? '') : undefined;
  const outdated = outdatedFunctions(tag === undefined ? undefined : `${tag}.sql`);
  if (tag !== undefined) {
    const chunks = outdated.map((file) => markerOf(file) + readFileSync(join(SOURCE, file), 'utf8'));
    writeFileSync(join(MIGRATIONS, `${tag}.sql`), HEADER + chunks.join('\n'));
  } else if (outdated.length > 0) {
    console.error(
      `no migration has the text of ${outdated.map((file) => `src/db/functions/${file}`).join(', ')}; run: npx drizzle-kit generate --custom --name WHAT_CHANGED, then node test/support/functions-migration.ts --write THAT_TAG`,
    );
    process.exitCode = 1;
  }
}
