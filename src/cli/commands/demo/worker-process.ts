// A worker in a process of its own, which the demo can kill as a crash or the kernel would. It does not outlive the demo.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from '../../context.ts';
import type { System } from '../../system.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const MAIN = fileURLToPath(new URL(`./worker-main.${EXTENSION}`, import.meta.url));
/** The end of what it wrote, for the message where it does not begin. */
const KEPT_LINES = 5;

export interface WorkerProcess {
  readonly pid: number;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Drains and ends. */
  stop(): Promise<void>;
}

/** Starts `dagwright start --role worker` upon the same database; resolves when it takes tasks. */
export async function startWorkerProcess({ io }: CommandContext, system: System): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, 'start', '--role', 'worker'], {
    cwd: io.cwd,
    env: {
      ...io.environment(),
      // Empty, so that its .env does not name those of a service that runs beside it.
      ...{ PORT: '', DAGWRIGHT_METRICS_PORT: '' },
      ...{ DATABASE_URL: system.database.url, DIRECT_DATABASE_URL: system.database.directUrl },
      LOG_LEVEL: 'info',
    },
    // The channel closes when the demo ends, even by `kill -9`.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit').then(() => {});
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  try {
    await untilReady(child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { pid: child.pid!, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

async function untilReady(child: ChildProcess): Promise<void> {
  const last: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
      if (line.includes('the worker takes tasks')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the demo's worker ended with ${code}: ${last.join('\n')}`)),
    );
  });
}
