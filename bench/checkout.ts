// A checkout of this project in a folder: what of its benchmark another checkout may use, and its commit.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { openServer } from './server.ts';
import type { WORKLOADS } from './workloads.ts';

const run = promisify(execFile);

export interface Checkout {
  readonly folder: string;
  readonly root: URL;
  /** For example `a1b2c3d`, or `a1b2c3d with changes`. */
  readonly commit: string;
  /** Of its workloads. */
  readonly workloads: readonly string[];
  /** A throw-away server, with its schema. */
  readonly openServer: typeof openServer;
}

/** Null where there is none, or none whose benchmark can be used. */
export async function openCheckout(folder: string): Promise<Checkout | null> {
  const root = pathToFileURL(`${resolve(folder)}/`);
  const paths = ['bench/server.ts', 'bench/workloads.ts', 'bench/child.ts'].map(
    (path) => new URL(path, root),
  );
  if (!paths.every((path) => existsSync(path))) return null;
  const [server, workloads] = (await Promise.all(paths.slice(0, 2).map(({ href }) => import(href)))) as [
    { openServer: typeof openServer },
    { WORKLOADS: typeof WORKLOADS },
  ];
  return {
    folder,
    root,
    commit: await describeCommit(folder),
    workloads: workloads.WORKLOADS.map(({ name }) => name),
    openServer: server.openServer,
  };
}

/** The commit that a folder is at, and whether its files differ from it. */
export async function describeCommit(folder: string): Promise<string> {
  const git = async (...args: string[]) => (await run('git', ['-C', folder, ...args])).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short', 'HEAD');
    return (await git('status', '--porcelain', '--untracked-files=no')) === ''
      ? commit
      : `${commit} with changes`;
  } catch {
    return 'unknown commit';
  }
}
