// The worker processes of one cell: `dagwright start --role worker`, as operators run it, with the preload and the chaos
// task types; replaced when they end, as process managers do.
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessFaults } from './process-faults.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PRELOAD = new URL('./preload.ts', import.meta.url).href;
const TASKS = fileURLToPath(new URL('./tasks.ts', import.meta.url));

export interface WorkerSettings {
  readonly url: string;
  readonly concurrency?: number;
  readonly faults?: ProcessFaults;
  readonly nodeOptions?: readonly string[];
  /** Is begun through this shell command, which ends with `exec "$@"`. */
  readonly shell?: string;
}

export interface Worker {
  readonly pid: number;
  readonly settings: WorkerSettings;
  /** Takes jobs. Rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  readonly isAlive: boolean;
  /** The supervisor asked it to end, or ended it. */
  isDoomed: boolean;
  signal(name: NodeJS.Signals): void;
}

export class Workers {
  readonly #folder: string;
  readonly #provider: string;
  readonly #all: Worker[] = [];
  readonly #said = new Map<string, number>();
  #isEnding = false;
  /** Exits that nobody had asked for. */
  readonly unasked: (number | string)[] = [];

  /** `folder`: for their logs. `provider`: the service that bodies call. */
  constructor(folder: string, provider: string) {
    this.#folder = folder;
    this.#provider = provider;
  }

  get alive(): Worker[] {
    return this.#all.filter(({ isAlive }) => isAlive);
  }

  /** Processes started so far. */
  get started(): number {
    return this.#all.length;
  }

  /** How often the workers logged this message. */
  said(message: string): number {
    return this.#said.get(message) ?? 0;
  }

  /** Warnings and errors that they logged, with counts. */
  get complaints(): Record<string, number> {
    return Object.fromEntries(this.#said);
  }

  start(settings: WorkerSettings): Worker {
    const command = [
      process.execPath,
      ...(settings.nodeOptions ?? []),
      ...['--no-warnings', '--import', PRELOAD, CLI, 'start', '--role', 'worker'],
    ];
    const [program, ...args] =
      settings.shell === undefined ? command : ['/bin/sh', '-c', settings.shell, 'sh', ...command];
    const child = spawn(program!, args, {
      cwd: this.#folder,
      env: {
        ...{ PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'info', DATABASE_URL: settings.url },
        ...{ DAGWRIGHT_TASKS: TASKS, DAGWRIGHT_CONCURRENCY: String(settings.concurrency ?? 8) },
        ...{ CHAOS_PROVIDER: this.#provider, CHAOS_FAULTS: JSON.stringify(settings.faults ?? null) },
        DAGWRIGHT_ALLOWED_HOSTS: new URL(this.#provider).host,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const worker = this.#supervise(child, settings);
    this.#all.push(worker);
    return worker;
  }

  async startReady(count: number, settings: WorkerSettings): Promise<Worker[]> {
    const workers = Array.from({ length: count }, () => this.start(settings));
    await Promise.all(workers.map(({ ready }) => ready));
    return workers;
  }

  /** Ends one with -9; resolves when it has gone. */
  async kill(worker: Worker): Promise<void> {
    worker.isDoomed = true;
    worker.signal('SIGKILL');
    await worker.exited;
  }

  /** Ends one with SIGTERM; its exit code. */
  async drain(worker: Worker): Promise<number | string> {
    worker.isDoomed = true;
    worker.signal('SIGTERM');
    return await worker.exited;
  }

  /** Kills what is left. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.alive.map((worker) => this.kill(worker)));
  }

  #supervise(child: ChildProcess, settings: WorkerSettings): Worker {
    const log = openSync(join(this.#folder, `worker-${child.pid}.log`), 'a');
    let isAlive = true;
    let last = '';
    const exited = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => {
        isAlive = false;
        resolve(code ?? signal ?? 'gone');
      });
    });
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on('line', (text) => {
        writeLine(log, text);
        last = text;
        if (text.includes('the worker takes tasks')) resolve();
        this.#note(text);
      });
      void exited.then((code) => reject(new Error(`a worker ended before it was ready (${code}): ${last}`)));
    });
    ready.catch(() => {});
    const worker: Worker = {
      pid: child.pid!,
      settings,
      ready,
      exited,
      get isAlive() {
        return isAlive;
      },
      isDoomed: false,
      signal: (name) => void child.kill(name),
    };
    void exited.then(async (code) => {
      if (worker.isDoomed || this.#isEnding) return;
      this.unasked.push(code);
      await delay(200);
      if (!this.#isEnding) this.start(settings);
    });
    return worker;
  }

  #note(text: string): void {
    try {
      const { level, message } = JSON.parse(text) as { level: string; message: string };
      if (level === 'warn' || level === 'error') this.#said.set(message, this.said(message) + 1);
    } catch {
      this.#said.set(text, this.said(text) + 1);
    }
  }
}

function writeLine(file: number, text: string): void {
  writeSync(file, `${text}\n`);
}
