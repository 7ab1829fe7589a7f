// The processes of one cell that are more than workers: `dagwright start --role api`, `scheduler` or `all`, each kept alive on its
// port, as process managers do, whatever ends it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessFaults } from './process-faults.ts';
import type { ServiceFaults } from './service-faults.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PRELOAD = new URL('./preload.ts', import.meta.url).href;
const SERVICE_PRELOAD = new URL('./service-preload.ts', import.meta.url).href;
const READY = {
  all: 'the worker takes tasks',
  api: 'HTTP listens',
  scheduler: 'the scheduler looks after',
} as const;
/** Until an ended process is started again. */
const RESTART_MS = 150;

/** Its connections may have broken so long before the end of a process is known. */
const LEARNT_LATE_MS = 500;

/** The operator's key of the arena. */
export const OPERATOR_KEY = 'the-operators-key-of-the-chaos-run';
/** 32 bytes: secrets sealed by one process are read by the other. */
const ENCRYPTION_KEY = randomBytes(32).toString('base64');

export interface ServiceSettings {
  readonly databaseUrl: string;
  readonly role: keyof typeof READY;
  readonly faults?: ServiceFaults;
  readonly databaseFaults?: ProcessFaults;
  /** Health and metrics have a port of their own besides. */
  readonly hasMetricsPort?: boolean;
  /** Calls without a key are tenant `default`'s; else they need one. */
  readonly isOpen?: boolean;
  /** More of its environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Options of Node, such as a module to load before. */
  readonly nodeOptions?: readonly string[];
}

/** A process that is always started again. */
export interface ServiceSlot {
  /** Where there is an API. */
  readonly url: string;
  /** With `hasMetricsPort`. */
  readonly metricsUrl: string;
  /** Of the process of this moment. */
  readonly pid: number;
  /** Processes started so far. */
  readonly starts: number;
  /** Times it ended itself with -9, as its faults asked for. */
  readonly ownEnds: number;
  /**
   * Whether it was not there at a moment between two instants, by `performance.now()`. An end that it chose itself is learnt of
   * late: asked when all is over.
   */
  wasAwayBetween(from: number, to: number): boolean;
  /** Milliseconds between two instants and the absence that is nearest to them. */
  fromAbsence(from: number, to: number): number;
  /** Resolves when the process of this moment, or the next, has said that it is ready. */
  ready(): Promise<void>;
  /** Ends it with -9; resolves when it has gone. It comes back by itself. */
  kill(): Promise<void>;
  /** Ends it with -9, and leaves it so until `revive`. */
  halt(): Promise<void>;
  revive(): void;
}

export class Services {
  readonly #folder: string;
  readonly #slots: Slot[] = [];
  /** Warnings and errors that they logged, with counts. */
  readonly complaints: Record<string, number> = {};

  /** `folder`: for their logs. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Exits of processes that were ready, which nobody had asked for. */
  get unasked(): (number | string)[] {
    return this.#slots.flatMap(({ unasked }) => unasked);
  }

  async start(settings: ServiceSettings): Promise<ServiceSlot> {
    const log = openSync(join(this.#folder, `${settings.role}-${this.#slots.length}.log`), 'a');
    const port = settings.role === 'scheduler' ? undefined : await freePort();
    const metricsPort = settings.hasMetricsPort === true ? await freePort() : undefined;
    const slot = new Slot(settings, { port, metricsPort }, this.#folder, (text) => this.#keep(log, text));
    this.#slots.push(slot);
    await slot.ready();
    return slot;
  }

  /** Kills what is left. */
  async end(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.halt()));
  }

  /** Counts something to be shown where the cell fails. */
  note(complaint: string): void {
    this.complaints[complaint] = (this.complaints[complaint] ?? 0) + 1;
  }

  #keep(log: number, text: string): void {
    writeSync(log, `${text}\n`);
    if (/"level":"(warn|error)"/.test(text)) this.note(/"message":"([^"]*)"/.exec(text)?.[1] ?? text);
  }
}

class Slot implements ServiceSlot {
  readonly #settings: ServiceSettings;
  readonly #port: number | undefined;
  readonly #metricsPort: number | undefined;
  readonly #folder: string;
  readonly #note: (text: string) => void;
  readonly #away: { from: number; to: number }[] = [];
  readonly unasked: (number | string)[] = [];
  starts = 0;
  ownEnds = 0;
  #child!: ChildProcess;
  #exited: Promise<void> = Promise.resolve();
  #ready = Promise.withResolvers<void>();
  #isReady = false;
  #isAsked = false;
  #isHalted = false;

  constructor(
    settings: ServiceSettings,
    ports: { readonly port: number | undefined; readonly metricsPort: number | undefined },
    folder: string,
    note: (text: string) => void,
  ) {
    this.#settings = settings;
    this.#port = ports.port;
    this.#metricsPort = ports.metricsPort;
    this.#folder = folder;
    this.#note = note;
    this.#away.push({ from: performance.now(), to: Number.POSITIVE_INFINITY });
    this.#spawn();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.#metricsPort}`;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  wasAwayBetween(from: number, to: number): boolean {
    return this.#away.some((away) => away.from <= to && away.to >= from);
  }

  fromAbsence(from: number, to: number): number {
    return Math.min(...this.#away.map((away) => Math.max(away.from - to, from - away.to)));
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  async kill(): Promise<void> {
    this.#isAsked = true;
    // It may have ended itself a moment ago: that is learnt late, and what it was asked then broke before now.
    if (this.#isReady) this.#leave(performance.now() - LEARNT_LATE_MS);
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async halt(): Promise<void> {
    this.#isHalted = true;
    await this.kill();
  }

  revive(): void {
    this.#isHalted = false;
    this.#spawn();
  }

  #leave(from: number): void {
    this.#isReady = false;
    this.#ready = Promise.withResolvers<void>();
    this.#away.push({ from, to: Number.POSITIVE_INFINITY });
  }

  #spawn(): void {
    const { role, databaseUrl, isOpen, faults, databaseFaults, environment, nodeOptions } = this.#settings;
    const preloads = [
      ...(nodeOptions ?? []),
      ...(databaseFaults === undefined ? [] : ['--import', PRELOAD]),
      ...(faults === undefined ? [] : ['--import', SERVICE_PRELOAD]),
    ];
    const child = spawn(process.execPath, ['--no-warnings', ...preloads, CLI, 'start', '--role', role], {
      cwd: this.#folder,
      env: {
        ...{ PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'info', DATABASE_URL: databaseUrl },
        ...(this.#port === undefined ? {} : { PORT: String(this.#port) }),
        ...(this.#metricsPort === undefined ? {} : { DAGWRIGHT_METRICS_PORT: String(this.#metricsPort) }),
        ...(isOpen ? {} : { DAGWRIGHT_ADMIN_KEY: OPERATOR_KEY }),
        DAGWRIGHT_ENCRYPTION_KEY: ENCRYPTION_KEY,
        ...environment,
        CHAOS_FAULTS: JSON.stringify(databaseFaults ?? null),
        CHAOS_SERVICE: JSON.stringify(faults === undefined ? null : { ...faults, starts: this.starts }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#isAsked = false;
    this.starts++;
    let last = '';
    createInterface({ input: child.stderr! }).on('line', (text) => {
      this.#note(text);
      last = text;
      // The last lines of one that has ended may come after its end.
      const isThere = child === this.#child && child.exitCode === null && child.signalCode === null;
      if (!text.includes(READY[role]) || !isThere || this.#isReady) return;
      this.#isReady = true;
      this.#away.at(-1)!.to = performance.now();
      this.#ready.resolve();
    });
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (signal === 'SIGKILL' && !this.#isAsked) this.ownEnds++;
        else if (!this.#isAsked && this.#isReady) this.unasked.push(code ?? signal ?? 'gone');
        // The first start has nothing to wait for.
        if (this.starts === 1 && !this.#isReady && !this.#isAsked) {
          this.#isHalted = true;
          this.#ready.reject(new Error(`${role} did not start: ${code ?? signal}: ${last}`));
        }
        if (this.#isReady) this.#leave(performance.now() - LEARNT_LATE_MS);
        resolve();
        void delay(RESTART_MS).then(() => {
          if (!this.#isHalted && child === this.#child) this.#spawn();
        });
      });
    });
  }
}

// Below the ports that the system gives to connections: one of those could take it while the process is away.
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((resolve) => probe.close(resolve));
    if (isFree) return port;
  }
}
