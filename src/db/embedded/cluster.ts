// Makes a database cluster: initdb in a draft folder, which gets the final name when it is whole. So a folder with the
// final name is always a finished cluster, and a half-done one (kill -9, power loss) is thrown away and made again.
// Call it under the command lock.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import { EmbeddedError } from './error.ts';
import { dataDirOf, type Place } from './place.ts';
import { asUser } from './user.ts';

export const SUPERUSER = 'dagwright';

/** A server's environment owes nothing to the caller's: LANG may be unset or name a locale that is not installed. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' };

const run = promisify(execFile);

// The builtin provider gives UTF-8 rules and code point order whatever locales the system has; --locale is for the rest.
const LOCALES = [['--locale=C.UTF-8'], ['--locale=C']];

export async function ensureCluster(
  place: Place,
  binaries: Binaries,
  options: { durable: boolean },
): Promise<void> {
  await removeDrafts(place.clusterDir);
  if (isFinished(place.clusterDir)) return;
  if (existsSync(place.clusterDir)) {
    throw new EmbeddedError(
      `${place.clusterDir} exists, but is no database of ours`,
      'Move it away or delete it; the next command makes a new one.',
    );
  }
  const draft = await mkdtemp(draftPrefix(place.clusterDir));
  try {
    const passwordFile = passwordFileOf(draft);
    await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    for (const path of place.user ? [draft, passwordFile] : []) {
      await chown(path, place.user!.uid, place.user!.gid);
    }
    await initdb(draft, place, binaries, options);
    await rename(draft, place.clusterDir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

export async function readPassword(clusterDir: string): Promise<string> {
  return (await readFile(passwordFileOf(clusterDir), 'utf8')).trim();
}

async function initdb(
  draft: string,
  place: Place,
  binaries: Binaries,
  { durable }: { durable: boolean },
): Promise<void> {
  let failure: unknown;
  for (const locale of LOCALES) {
    try {
      await run(
        binaries.initdb,
        [
          ...['-D', dataDirOf(draft), '-U', SUPERUSER, `--pwfile=${passwordFileOf(draft)}`],
          ...['--auth=scram-sha-256', '--encoding=UTF8', ...locale],
          ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
          ...(durable ? [] : ['--no-sync']),
        ],
        { ...asUser(place.user), cwd: '/', env: SERVER_ENVIRONMENT },
      );
      return;
    } catch (error) {
      failure = error;
      await rm(dataDirOf(draft), { recursive: true, force: true });
    }
  }
  const text = failure instanceof Error ? failure.message : String(failure);
  throw new EmbeddedError(
    `initdb failed: ${text.trim()}`,
    'Set DATABASE_URL to a PostgreSQL of your own if this machine cannot run it.',
    { cause: failure },
  );
}

function isFinished(clusterDir: string): boolean {
  return existsSync(join(dataDirOf(clusterDir), 'PG_VERSION')) && existsSync(passwordFileOf(clusterDir));
}

async function removeDrafts(clusterDir: string): Promise<void> {
  const parent = dirname(clusterDir);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(basename(draftPrefix(clusterDir)))) continue;
    // An initdb that outlived its command may still write into it; what it leaves then is removed next time.
    await rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

const draftPrefix = (clusterDir: string): string => `${clusterDir}.draft-`;
const passwordFileOf = (clusterDir: string): string => join(clusterDir, 'password');
