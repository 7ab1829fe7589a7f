// Mutual exclusion between processes, on a file.
//
// The lock is the kernel's (fcntl, taken through the SQLite that is built into Node), not the file: it ends with the
// process that holds it, kill -9 and power loss included, so it can never be stale and nobody ever has to judge whether
// a recorded pid is still the same process. The file stays, empty; it must not be removed or opened by anything else
// (closing any descriptor of it would release the lock).
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedError } from './error.ts';

const SQLITE_BUSY = 5;
const RETRY_MS = 15;

export interface FileLock {
  release(): void;
}

/** Takes the lock if it is free, and says undefined if another process (or another caller in this one) holds it. */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const { DatabaseSync } = await loadSqlite();
  try {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('begin exclusive');
    } catch (error) {
      database.close();
      throw error;
    }
    return { release: () => database.close() };
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw new EmbeddedError(
      `Cannot lock ${path}: ${String(error)}`,
      'Set DAGWRIGHT_HOME to a folder on a local disk that you may write to, or DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
}

/** Runs `work` alone among all processes that name the same file. */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { timeoutMs?: number; onWait?: () => void } = {},
): Promise<T> {
  const { timeoutMs = 120_000, onWait } = options;
  const startedAt = performance.now();
  let lock = await tryLock(path);
  if (!lock) onWait?.();
  while (!lock) {
    if (performance.now() - startedAt > timeoutMs) {
      throw new EmbeddedError(
        `Another command has held ${path} for ${Math.round(timeoutMs / 1000)} s`,
        'Look for a dagwright command that hangs and end it.',
      );
    }
    await pause(RETRY_MS);
    lock = await tryLock(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function loadSqlite(): Promise<typeof import('node:sqlite')> {
  try {
    return await import('node:sqlite');
  } catch (error) {
    throw new EmbeddedError(
      `This Node (${process.version}) has no node:sqlite, which the embedded database uses as a lock`,
      'Run the command through npm or npx, which use Node 24, or set DATABASE_URL.',
      { cause: error },
    );
  }
}
