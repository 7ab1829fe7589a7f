// What one cell works in: a database of its own with the trace installed, the service with its ledger, the worker processes,
// the feed of starts, and the measures that all cells take.
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import type { OwnPostgres } from '../crash/support/own-postgres.ts';
import { installTrace } from '../crash/support/trace.ts';
import { Feed } from './feed.ts';
import type { ProcessFaults } from './process-faults.ts';
import { openProvider, type Provider } from './provider.ts';
import { Services } from './services.ts';
import type { SmallDisk } from './small-disk.ts';
import { Chance } from './statistics.ts';
import { installMoreTrace } from './verdict.ts';
import { type Worker, type WorkerSettings, Workers } from './workers.ts';
import { applyWorkflows } from './workload.ts';

export interface ArenaOptions {
  readonly url: string;
  readonly seed: number;
  readonly folder: string;
  /** How long the faults last. */
  readonly seconds: number;
  readonly isQuick: boolean;
  /** The server, where the cell has one of its own. */
  readonly server: OwnPostgres | undefined;
  /** What the server's data and log are on, where the cell asks for small disks. */
  readonly disks?: { readonly data: SmallDisk; readonly log: SmallDisk };
}

/** A process that was killed, stopped or cut off, and when, in ms since the epoch. */
export interface Death {
  readonly pid: number;
  readonly at: number;
}

/** The load runs a while before anything is done to it. */
const SETTLING_MS = 1_500;

export class Arena {
  readonly options: ArenaOptions;
  readonly chance: Chance;
  readonly database: Database;
  readonly provider: Provider;
  readonly workers: Workers;
  readonly services: Services;
  readonly feed: Feed;
  readonly #cpuAtStart = cpuTimes();

  private constructor(options: ArenaOptions, provider: Provider, chance: Chance) {
    this.options = options;
    this.chance = chance;
    this.provider = provider;
    this.database = openDatabase(options.url, { max: 4, name: 'chaos supervisor' });
    this.workers = new Workers(options.folder, provider.url);
    this.services = new Services(options.folder);
    this.feed = new Feed(this.database, chance);
  }

  static async open(options: ArenaOptions): Promise<Arena> {
    await mkdir(options.folder, { recursive: true, mode: 0o755 });
    const chance = new Chance(options.seed);
    const admin = new pg.Client({ connectionString: options.url });
    await admin.connect();
    await installTrace(admin);
    await installMoreTrace(admin);
    await admin.end();
    const provider = await openProvider(join(options.folder, 'ledger'), chance);
    const arena = new Arena(options, provider, chance);
    await applyWorkflows(arena.database);
    return arena;
  }

  get switchFile(): string {
    return join(this.options.folder, 'faults-are-on');
  }

  /** Worker settings; `faults` of the preload need no switch file and seed of their own. */
  settings(
    more: Partial<WorkerSettings> & { preload?: Omit<ProcessFaults, 'seed' | 'switchFile'> } = {},
  ): WorkerSettings {
    const { preload, ...settings } = more;
    return {
      url: this.options.url,
      ...(preload && { faults: { ...preload, seed: this.options.seed, switchFile: this.switchFile } }),
      ...settings,
    };
  }

  /** Workers that take jobs, and a load that they have begun to work on. */
  async beginLoad(
    options: { workers?: number; perSecond?: number; settings?: WorkerSettings } = {},
  ): Promise<Worker[]> {
    const workers = await this.workers.startReady(options.workers ?? 3, options.settings ?? this.settings());
    this.feed.begin(options.perSecond ?? this.rate);
    await delay(SETTLING_MS);
    return workers;
  }

  /** Starts a second that three workers can well do; several quick cells share the machine. */
  get rate(): number {
    return this.options.isQuick ? 4 : 8;
  }

  /** Repeats `fault` until the time is over, once at least. */
  async repeat(fault: (round: number) => Promise<void>): Promise<number> {
    const endsAt = performance.now() + this.options.seconds * 1000;
    let round = 0;
    do await fault(round++);
    while (performance.now() < endsAt);
    return round;
  }

  /** Keys of the bodies that have begun in this process and have not ended. */
  openIn(pid: number): string[] {
    const open = new Set<string>();
    for (const line of this.provider.lines) {
      if (line.pid !== pid) continue;
      if (line.event === 'start') open.add(line.key);
      else if (line.event === 'end') open.delete(line.key);
    }
    return [...open];
  }

  /**
   * The attempts that ended with these processes, and how long after it each was claimed again, in ms; null: not (it was
   * cancelled meanwhile).
   */
  async resumedAfter(deaths: readonly Death[]): Promise<(number | null)[]> {
    const rows = await this.query<{ pid: number; again: string | null }>(
      `select w.pid, (select min(e.at) from public.task_events e where (e.x, e.t, e.m) = (a.workflow_execution_id, a.task_id, a.map_index)
         and e.to_status = 'running' and e.from_status <> 'running' and e.fence > a.fence) as again
       from dagwright.task_attempts a join public.worker_events w on w.id = a.worker_id and w.kind = 'registered'
       where a.error->>'code' = 'worker_lost' and w.pid = any($1)`,
      [deaths.map(({ pid }) => pid)],
    );
    return deaths.flatMap(({ pid, at }) =>
      rows.flatMap((row) =>
        row.pid !== pid ? [] : [row.again === null ? null : Date.parse(row.again) - at],
      ),
    );
  }

  /** The first body that began in one of these processes after `since`, in ms; null: none yet. */
  firstStart(since: number, pids?: readonly number[]): number | null {
    const line = this.provider.lines.find(
      ({ event, at, pid }) => event === 'start' && at > since && (pids === undefined || pids.includes(pid)),
    );
    return line === undefined ? null : line.at - since;
  }

  /** Work as the engine's role. */
  async query<T = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.database.engine.query(sql, values)).rows;
  }

  /** Share of the machine that was busy since the cell began, by all processes together. */
  get cpuShare(): number {
    const now = cpuTimes();
    return (now.busy - this.#cpuAtStart.busy) / (now.all - this.#cpuAtStart.all);
  }

  async close(): Promise<void> {
    this.feed.abandon();
    await Promise.all([this.workers.end(), this.services.end()]);
    await this.provider.close();
    await this.database.close();
  }
}

function cpuTimes(): { busy: number; all: number } {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
}

/** Waits until `check` gives something truthy; false after `limitMs`. */
export async function within(limitMs: number, check: () => unknown): Promise<boolean> {
  const startedAt = performance.now();
  while (!(await check())) {
    if (performance.now() - startedAt > limitMs) return false;
    await delay(50);
  }
  return true;
}
