// What the operating system knows about a process. A pid alone proves nothing: it may belong to a zombie, or have been
// given to another program since it was written down.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { codeOf } from './error.ts';

const run = promisify(execFile);
const POLL_MS = 15;

/** True while the process executes; a zombie (in a container whose pid 1 does not collect them) counts as ended. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state !== 'Z' && state !== 'X';
  } catch {
    if (process.platform === 'linux') return false;
    return !(await ps(pid, 'stat')).startsWith('Z');
  }
}

/** True if the process was started as `postgres -D <dataDir>`. */
export async function isPostmasterOf(pid: number, dataDir: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  try {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    return words[words.indexOf('-D') + 1] === dataDir;
  } catch {
    return (await ps(pid, 'args')).includes(`-D ${dataDir} `);
  }
}

/** Waits until the process has ended; false when `timeoutMs` passed first. */
export async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const startedAt = performance.now();
  while (await isAlive(pid)) {
    if (performance.now() - startedAt > timeoutMs) return false;
    await pause(POLL_MS);
  }
  return true;
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function ps(pid: number, column: 'args' | 'stat'): Promise<string> {
  try {
    return (await run('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
}
