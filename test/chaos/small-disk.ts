// Small file systems for a PostgreSQL server, one for its data and one for its write-ahead log, that can be filled and freed.
// Mounting takes root, on Linux.
import { execFile, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { chmod, chown, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Four segments of the log, and what a run of minutes writes. */
const SIZE_MB = 400;
const CHUNK = Buffer.alloc(1 << 20);

export interface SmallDisk {
  readonly folder: string;
  /** Until nothing more fits. */
  fill(): void;
  free(): void;
  remove(): Promise<void>;
}

/** Whether this machine lets us mount one. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'dagwright-disk-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (isMounted) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return isMounted;
}

export async function mountSmallDisk(): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'dagwright-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', folder]);
  // The server's user passes through.
  await chmod(folder, 0o711);
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (let chunk = CHUNK; chunk.length > 0; ) {
          try {
            if (writeSync(file, chunk) === 0) break;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
            // The last pages too.
            chunk = chunk.subarray(0, chunk.length >> 1);
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    async remove() {
      await run('umount', ['-l', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Moves the log of a server that is stopped to another disk. */
export async function moveLog(dataDir: string, disk: SmallDisk): Promise<void> {
  const [from, to] = [join(dataDir, 'pg_wal'), join(disk.folder, 'pg_wal')];
  await run('cp', ['-pR', from, to]);
  await rename(from, `${from}.before`);
  await rm(`${from}.before`, { recursive: true });
  await symlink(to, from);
  const { uid, gid } = await stat(dataDir);
  await chown(to, uid, gid);
}
