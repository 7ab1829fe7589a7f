// Where this package has come from, and so what a new project names to get the same: a registry, a file, a repository, or the
// checkout that runs. npm writes it into node_modules; where nothing says otherwise, it was a registry.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isJsonObject, type Json } from '../../../core/json.ts';

export interface Origin {
  /** As package.json names it. */
  readonly dependency: string;
  /** What is to be done before `npm install`; null: nothing. */
  readonly before: string | null;
}

/** `home`: the folder of this package; `project`: that of the new one, absolute. */
export function findOrigin(home: string, project: string, version: string): Origin {
  const place = (path: string) => `file:${relative(project, path).replaceAll('\\', '/')}`;
  if (existsSync(join(home, 'src/cli/main.ts')))
    return {
      dependency: place(home),
      before: existsSync(join(home, 'dist/index.js')) ? null : `npm run build --prefix ${quoted(home)}`,
    };
  const resolved = resolvedBy(home);
  if (resolved === null || isOfRegistry(resolved)) return { dependency: `^${version}`, before: null };
  if (!resolved.startsWith('file:')) return { dependency: resolved, before: null };
  return { dependency: place(resolve(home, '../..', resolved.slice('file:'.length))), before: null };
}

// A registry's file has the name and the version of the package, whichever registry it is.
function isOfRegistry(resolved: string): boolean {
  return /^https?:\/\/.+\/dagwright\/-\/dagwright-[^/]+\.tgz$/.test(resolved);
}

/** What npm has noted of this package; null: nothing, or another tool has installed it. */
function resolvedBy(home: string): string | null {
  try {
    const lock = JSON.parse(readFileSync(join(dirname(home), '.package-lock.json'), 'utf8')) as Json;
    const packages = isJsonObject(lock) ? lock.packages : undefined;
    const own = isJsonObject(packages) ? packages['node_modules/dagwright'] : undefined;
    return isJsonObject(own) && typeof own.resolved === 'string' ? own.resolved : null;
  } catch {
    return null;
  }
}

/** For a shell. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
