// Starts the watcher process of a home. It inherits nothing from the command: no output pipes (npm and CI would wait for
// them), no working folder, no NODE_OPTIONS.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tryLock } from './lock.ts';
import { watcherLockOf } from './place.ts';

export interface OwnedWatcher {
  /** Tells the watcher to end the server and remove its home, and waits until that is done. */
  finish(): Promise<void>;
}

/** Sees to it that a shared server has a watcher. Call it under the command lock, before the server is started. */
export async function ensureSharedWatcher(home: string, idleMs: number): Promise<void> {
  const lock = await tryLock(watcherLockOf(home));
  if (!lock) return;
  lock.release();
  start(home, String(idleMs), 'ignore');
}

/** Starts the watcher of a throw-away server, which this process holds by a pipe as long as it lives. */
export function startOwnedWatcher(home: string): OwnedWatcher {
  const child = start(home, 'owner', 'pipe');
  const pipe = child.stdin!;
  pipe.on('error', () => {});
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  const ended = once(child, 'exit');
  return {
    finish: async () => {
      child.ref();
      pipe.end();
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

function start(home: string, until: string, input: 'ignore' | 'pipe'): ChildProcess {
  const script = import.meta.url.endsWith('.ts') ? './watcher.ts' : './watcher.js';
  const child = spawn(
    process.execPath,
    ['--no-warnings', fileURLToPath(new URL(script, import.meta.url)), home, until],
    { detached: true, cwd: '/', env: { TZ: 'UTC' }, stdio: [input, 'ignore', 'ignore'] },
  );
  child.on('error', () => {});
  child.unref();
  return child;
}
