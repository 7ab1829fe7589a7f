// A worker process: its parts are wired, started and stopped here, in one order; each has a file of its own. Membership keeps its
// lease, the queue fetches jobs, the intake runs them in slots, the watch loop looks at timers and dead workers once a second.
//   W1  SIGTERM: takes nothing new; what runs may end within the grace period; the rest is released, no attempt spent.
//   W2  Every loop catches its own errors and goes on: a database outage stops none of them.

import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Database } from '../../db/connection/connection.ts';
import { Outage } from '../../db/connection/outage.ts';
import type { Opener } from '../../db/executions/execution-starts.ts';
import { jobKindsOf } from '../../db/protocol/job-kinds.ts';
import { LockedExecutions } from '../../db/protocol/locked-executions.ts';
import { keepCool } from '../../tasks/cooling.ts';
import type { TaskType } from '../../tasks/task-type.ts';
import { AttemptRegister } from '../attempt/attempt-register.ts';
import type { EndedAttempt } from '../context.ts';
import { ExecutionLog } from '../log/execution-log.ts';
import { ExecutionCache } from '../memory/execution-cache.ts';
import { type OutsideSettings, openOutside, type WorkerOutside } from '../services/outside.ts';
import { Intake } from './intake.ts';
import { LanesUnderWay } from './lanes-under-way.ts';
import { Membership } from './membership.ts';
import { createOpener } from './opener.ts';
import { Queue } from './queue.ts';
import { Reserve } from './reserve.ts';
import { RetentionLoop } from './retention.ts';
import { Slots } from './slots.ts';
import { StuckLanes } from './stuck-lanes.ts';
import { TenantsAtWork } from './tenants-at-work.ts';
import { Turns } from './turns.ts';
import { WatchLoop } from './watch-loop.ts';
import { createWorkerContext } from './worker-context.ts';

export interface WorkerOptions {
  readonly database: Database;
  readonly types: ReadonlyMap<string, TaskType>;
  readonly log: TaskLog;
  /** Attempts at once. */
  readonly concurrency?: number;
  readonly leaseSeconds?: number;
  /** How long what runs may take after SIGTERM, in milliseconds. */
  readonly graceMs?: number;
  /** The outside world as the operator has configured it; absent: no secrets, nothing allowed beyond the guard. */
  readonly outside?: OutsideSettings;
  /** Whether what tasks log as debug is kept too. */
  readonly keepsDebugLines?: boolean;
  /** Executions are deleted so many days after their end; 0: never. */
  readonly retentionDays?: number;
}

const DEFAULTS = {
  concurrency: 16,
  leaseSeconds: 15,
  graceMs: 25_000,
  outside: {},
  keepsDebugLines: false,
  retentionDays: 0,
};

/** A beat may wait 13 s: for an answer, for another connection and for the answer there. */
const HEARTBEAT_STALLED_MS = 30_000;
/** A pass of several statements, each of 23 s at most; while the database is away the loops try on, and count as going. */
const LOOP_STALLED_MS = 90_000;

export class Worker {
  readonly events = new EventEmitter<{
    executionEnded: [executionId: string];
    settleLost: [executionId: string, taskId: string];
    attemptEnded: [ended: EndedAttempt];
    tasksRecovered: [tasks: number];
    /** How long a job was due before it was taken, in milliseconds. */
    jobTaken: [queuedMs: number];
  }>();
  readonly #options: Required<WorkerOptions>;
  /** For starts of this process. */
  readonly opener: Opener;
  readonly #attempts = new AttemptRegister();
  readonly #executions: ExecutionCache;
  readonly #slots: Slots;
  readonly #lanes: LanesUnderWay;
  readonly #membership: Membership;
  readonly #locked: LockedExecutions;
  readonly #outside: WorkerOutside;
  readonly #executionLog: ExecutionLog;
  readonly #watch: WatchLoop;
  readonly #turns: Turns;
  readonly #queue: Queue;
  readonly #retention: RetentionLoop | null;
  #stopCooling = () => {};
  #state: 'new' | 'works' | 'drains' | 'ended' = 'new';

  constructor(options: WorkerOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { database, types, log, concurrency, leaseSeconds, retentionDays } = this.#options;
    const { limits, engine: db } = database;
    const limitMs = limits.loopMs;
    const kinds = jobKindsOf(types.keys());
    const outage = new Outage(log);
    const atWork = new TenantsAtWork();
    this.events.setMaxListeners(0);
    this.#slots = new Slots(concurrency);
    this.#lanes = new LanesUnderWay(log);
    this.#locked = new LockedExecutions({ db, log });
    const onDead = () => this.#abortAll('lost');
    this.#membership = new Membership({ database, log, outage, concurrency, leaseSeconds, types, onDead });
    this.#outside = openOutside(this.#options.outside, { pool: db, log, id: () => this.id });
    this.#executionLog = new ExecutionLog({
      ...{ db, log, redact: this.#outside.redact, withDebug: this.#options.keepsDebugLines },
      workerId: () => this.id,
      nowMs: () => this.#watch.nowMs(),
    });
    this.#executions = new ExecutionCache(db, types);
    const context = createWorkerContext({
      ...{ pool: db, types, log, executions: this.#executions, attempts: this.#attempts },
      ...{ executionLog: this.#executionLog, outside: this.#outside, locked: this.#locked },
      ...{ membership: this.#membership, outage, lanes: this.#lanes },
      watch: () => this.#watch,
      isDraining: () => this.#isDraining,
      events: {
        attemptEnded: (ended) => void this.events.emit('attemptEnded', ended),
        tasksRecovered: (tasks) => void this.events.emit('tasksRecovered', tasks),
        executionEnded: (executionId) => void this.events.emit('executionEnded', executionId),
        settleLost: (executionId, taskId) => void this.events.emit('settleLost', executionId, taskId),
      },
    });
    this.#watch = new WatchLoop(context, { ids: () => this.#membership.ids, limitMs });
    const parts = {
      ...{ worker: context, membership: this.#membership, slots: this.#slots, lanes: this.#lanes, atWork },
      stuck: new StuckLanes({ locked: this.#locked, attempts: this.#attempts, log, slots: concurrency }),
    };
    this.opener = createOpener(parts);
    const onTaken = (queuedMs: number) => void this.events.emit('jobTaken', queuedMs);
    const intake = new Intake({ ...parts, onTaken });
    const reserve = new Reserve({
      ...{ db, log, slots: concurrency, kinds, limitMs },
      lanes: () => atWork.lanes,
      poolId: () => (this.#isDraining ? undefined : this.#membership.poolId),
      run: (payload, addedAtMs) => this.#lanes.track(intake.handleReserved(payload, addedAtMs)),
      onLost: (poolId) => this.#queue.noteLost(poolId),
    });
    this.#turns = new Turns({
      ...{ db, log, kinds, limitMs },
      slots: () => ({ own: concurrency, all: this.#membership.slots }),
      isFull: () => this.#queue.isFull,
      onWaiting: (tenants) => void reserve.fill(tenants),
    });
    this.#queue = new Queue({
      ...{ url: database.directUrl, limits, concurrency, kinds, log },
      handle: (payload, addedAtMs) => this.#lanes.track(intake.handle(payload, addedAtMs)),
      onFull: () => this.#turns.noteFull(),
      onJobs: () => this.#turns.noteJobs(),
      onPool: (poolId) => this.#membership.addPool(poolId),
      onFetchLost: (poolId) => this.#membership.unlockPool(poolId),
      onPoolEnded: (poolId) => this.#membership.removePool(poolId),
    });
    const isBusy = () => this.#attempts.size >= concurrency;
    this.#retention = retentionDays > 0 ? new RetentionLoop({ db, days: retentionDays, log, isBusy }) : null;
  }

  get id(): string {
    return this.#membership.id;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#attempts.size;
  }

  /** What of it stands still, null: all goes on, or tries to while the database is away. */
  get stalled(): string | null {
    if (this.#state === 'new') return 'it has not started';
    if (this.#state === 'ended') return 'it has ended';
    if (this.#membership.silentMs > HEARTBEAT_STALLED_MS) return 'its heartbeat stands still';
    if (this.#watch.sinceMs > LOOP_STALLED_MS) return 'its timer loop stands still';
    return this.#queue.sinceMs > LOOP_STALLED_MS ? 'its queue takes no jobs' : null;
  }

  /** Registers and begins to work. */
  async start(): Promise<void> {
    await this.#membership.join();
    if (this.#state !== 'new') return;
    this.#state = 'works';
    await this.#queue.start();
    this.#watch.start();
    this.#turns.start();
    this.#stopCooling = keepCool();
    this.#retention?.start();
  }

  /**
   * Reads the plan of a revision, so that a start of this process can be opened in its commit. What is wrong with one that cannot be
   * compiled is said where it is run.
   */
  async prepare(versionId: string): Promise<void> {
    await this.#executions.prepare(versionId).catch(() => {});
  }

  /** Drains (W1) and ends. */
  async stop(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'drains';
    this.#membership.drain();
    this.#turns.stop();
    this.#stopCooling();
    this.#slots.close();
    const queueStopped = this.#queue.stop();
    await Promise.race([this.#lanes.idle(), delay(this.#options.graceMs, undefined, { ref: false })]);
    this.#abortAll('shutdown');
    await Promise.race([
      Promise.all([this.#lanes.idle(), queueStopped]),
      delay(5_000, undefined, { ref: false }),
    ]);
    this.#state = 'ended';
    this.#locked.close();
    this.#membership.end();
    await Promise.all([this.#watch.stop(), this.#retention?.stop()]);
    await this.#membership.stopBeating();
    await this.#queue.kill();
    await this.#executionLog.close();
    await this.#outside.close();
    if (this.#attempts.size === 0 && this.#lanes.size === 0 && !this.#watch.hasSuspicions)
      await this.#membership.leave();
  }

  get #isDraining(): boolean {
    return this.#state === 'drains' || this.#state === 'ended';
  }

  #abortAll(reason: 'lost' | 'shutdown'): void {
    for (const attempt of this.#attempts.all()) attempt.abort(reason);
  }
}
