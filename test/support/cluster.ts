// One initdb for the whole run: the data of a server that was never started, to be copied where a test needs a server of its
// own and is not about how its data are made.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findBinaries } from '../../src/db/embedded/binaries.ts';
import { ensureCluster } from '../../src/db/embedded/cluster.ts';
import { choosePlace, makeThrowAwayHome, systemFolder } from '../../src/db/embedded/place.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of {@link makeCluster}. */
    cluster: string;
  }
}

const run = promisify(execFile);

export interface Cluster {
  readonly clusterDir: string;
  remove(): Promise<void>;
}

export async function makeCluster(): Promise<Cluster> {
  const home = await makeThrowAwayHome();
  const place = await choosePlace(home);
  const binaries = await findBinaries(place.user, () => (place.user ? systemFolder(place.user) : home));
  await ensureCluster(place, binaries, { durable: false });
  return {
    clusterDir: place.clusterDir,
    async remove() {
      await rm(home, { recursive: true, force: true });
      if (!place.clusterDir.startsWith(home)) await rm(place.clusterDir, { recursive: true, force: true });
    },
  };
}

/** Copies with owner and mode, which the server insists on. */
export async function copyCluster(clusterDir: string, target: string): Promise<void> {
  await run('cp', ['-pR', clusterDir, target]);
}
