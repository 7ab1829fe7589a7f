// Starts worker processes, hurts them, and ends those that are left.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LedgerLine } from './ledger-tasks.ts';
import type { WorkerSettings } from './worker-process.ts';

const PROGRAM = fileURLToPath(new URL('./worker-process.ts', import.meta.url));

export interface LogLine {
  readonly message: string;
  readonly level?: string;
  readonly workerId?: string;
  readonly [field: string]: unknown;
}

export interface WorkerProcess {
  readonly pid: number;
  /** Registered, and taking jobs. */
  readonly ready: Promise<void>;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  readonly lines: readonly LogLine[];
  readonly isAlive: boolean;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
  signal(name: NodeJS.Signals): void;
}

/** The worker processes of one test, and the ledger that they write. */
export class Supervisor {
  readonly #url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'dagwright-crash-'));
  readonly #workers: WorkerProcess[] = [];
  readonly #file: number;
  readonly #lines: LedgerLine[] = [];
  #readTo = 0;

  constructor(url: string) {
    this.#url = url;
    this.#file = openSync(this.#ledger, 'a+');
  }

  get #ledger(): string {
    return join(this.#folder, 'ledger');
  }

  get workers(): readonly WorkerProcess[] {
    return this.#workers;
  }

  get alive(): WorkerProcess[] {
    return this.#workers.filter(({ isAlive }) => isAlive);
  }

  start(options: Partial<WorkerSettings> = {}): WorkerProcess {
    const settings: WorkerSettings = {
      ...{ url: this.#url, ledger: this.#ledger, concurrency: 8, leaseSeconds: 15, graceMs: 25_000 },
      ...options,
    };
    const heap = options.heapMb === undefined ? [] : [`--max-old-space-size=${options.heapMb}`];
    const child = spawn(process.execPath, ['--no-warnings', ...heap, PROGRAM], {
      env: { ...process.env, CRASH_WORKER: JSON.stringify(settings), NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const worker = superviseChild(child);
    this.#workers.push(worker);
    return worker;
  }

  async startReady(count: number, options: Partial<WorkerSettings> = {}): Promise<WorkerProcess[]> {
    const workers = Array.from({ length: count }, () => this.start(options));
    await Promise.all(workers.map(({ ready }) => ready));
    return workers;
  }

  /** Whole lines of the ledger so far. */
  readLedger(): readonly LedgerLine[] {
    const added = Buffer.alloc(1 << 20);
    for (let size = 0; ; this.#readTo += size) {
      size =
        added.subarray(0, readSync(this.#file, added, 0, added.length, this.#readTo)).lastIndexOf('\n') + 1;
      if (size === 0) return this.#lines;
      for (const line of added.toString('utf8', 0, size - 1).split('\n')) this.#lines.push(JSON.parse(line));
    }
  }

  /** What the workers logged as warnings and errors, with counts. */
  complaints(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { lines } of this.#workers) {
      for (const { level, message } of lines)
        if (level === 'warn' || level === 'error') counts[message] = (counts[message] ?? 0) + 1;
    }
    return counts;
  }

  /** Kills what is left. */
  async end(): Promise<void> {
    for (const worker of this.alive) worker.signal('SIGKILL');
    await Promise.all(this.#workers.map(({ exited }) => exited));
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function superviseChild(child: ChildProcess): WorkerProcess {
  const lines: LogLine[] = [];
  let isAlive = true;
  let stderr = '';
  child.stderr!.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      isAlive = false;
      resolve(code ?? signal ?? 'gone');
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      if (line.message === 'ready') resolve();
    });
    void exited.then((code) => reject(new Error(`a worker ended before it was ready (${code}): ${stderr}`)));
  });
  ready.catch(() => {});
  return {
    pid: child.pid!,
    ready,
    exited,
    lines,
    get isAlive() {
      return isAlive;
    },
    get stderr() {
      return stderr;
    },
    signal: (name) => void child.kill(name),
  };
}

/** Waits until `check` gives something truthy; fails with `what` after `limitMs`. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  limitMs = 60_000,
): Promise<NonNullable<T>> {
  const startedAt = performance.now();
  while (true) {
    const value = await check();
    if (value) return value;
    if (performance.now() - startedAt > limitMs) throw new Error(`still not after ${limitMs} ms: ${what}`);
    await delay(50);
  }
}
