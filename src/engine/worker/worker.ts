// A worker process: registers, beats, takes jobs from the queue, runs lanes, looks at timers and dead workers once a
// second, and drains. Longer than most files, since its parts are wired, started and stopped in one order: the constructor
// and the context belong together with what they close over.
//   W1  A worker that was declared dead aborts what it runs, registers anew under another id, and goes on. One that may
//       have been (no beat for a while: it stood still, or the database is away) claims nothing until it knows.
//   W2  SIGTERM: takes nothing new; what runs may end within the grace period; the rest is released, no attempt spent.
//   W3  Every loop catches its own errors and goes on: a database outage stops none of them.

import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../core/id.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Database } from '../../db/connection/connection.ts';
import { Outage } from '../../db/connection/outage.ts';
import type { Opener } from '../../db/executions/execution-starts.ts';
import { jobKindsOf } from '../../db/protocol/job-kinds.ts';
import { LockedExecutions } from '../../db/protocol/locked-executions.ts';
import {
  addPoolId,
  giveSuspectTurnBack,
  registerWorker,
  removeWorker,
  takeSuspectTurn,
  unlockPools,
} from '../../db/protocol/workers.ts';
import type { TaskType } from '../../tasks/task-type.ts';
import { AttemptRegister } from '../attempt/attempt-register.ts';
import { SuspectGate } from '../attempt/suspect-gate.ts';
import type { EndedAttempt, LaneWork, WorkerContext } from '../context.ts';
import { ExecutionLog } from '../log/execution-log.ts';
import { noteStaleWrite } from '../log/notes.ts';
import { ExecutionCache } from '../memory/execution-cache.ts';
import { type OutsideSettings, openOutside, type WorkerOutside } from '../services/outside.ts';
import { createCalls } from '../settle/calls.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import { giveBack, type JobPayload, putOff, runJob } from './job.ts';
import { runLane } from './lane.ts';
import { createOpener } from './opener.ts';
import { Queue } from './queue.ts';
import { registeredTypesOf } from './registration.ts';
import { Reserve } from './reserve.ts';
import { RetentionLoop } from './retention.ts';
import { Slots } from './slots.ts';
import { TenantsAtWork } from './tenants-at-work.ts';
import { Turns } from './turns.ts';
import { WatchLoop } from './watch-loop.ts';

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

/** A beat may wait 13 s: for an answer, for another connection and for the answer there. */
const HEARTBEAT_STALLED_MS = 30_000;
/** A pass of several statements, each of 23 s at most; while the database is away the loops try on, and count as going. */
const LOOP_STALLED_MS = 90_000;

/** A worker with a free lock is dead after two missed beats (take_over_v1); before that, it may claim. */
const LEASE_GOOD_MS = 6_500;
/** A job waits so long for a slot before it is left to other workers. */
const SLOT_PATIENCE_MS = 200;

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
  readonly #attempts = new AttemptRegister();
  readonly #ownSlots: Slots;
  /** For starts of this process. */
  readonly opener: Opener;
  readonly #executions: ExecutionCache;
  readonly #lanes = new Set<Promise<void>>();
  readonly #context: WorkerContext;
  readonly #watch: WatchLoop;
  readonly #turns: Turns;
  readonly #reserve: Reserve;
  readonly #atWork = new TenantsAtWork();
  readonly #outage: Outage;
  readonly #outside: WorkerOutside;
  readonly #executionLog: ExecutionLog;
  readonly #locked: LockedExecutions;
  readonly #retention: RetentionLoop | null;
  #id = newId();
  /** Before the last death: a claim under way at that moment may have been made under it. */
  #formerId: string | null = null;
  #leaseGoodUntilMs = 0;
  #beat = Promise.withResolvers<void>();
  #slots: number;
  /** The last message of the heartbeat thread, or try to have one. */
  #heardAtMs = performance.now();
  #isDraining = false;
  #isStopped = false;
  #queue: Queue | null = null;
  #heartbeat: Heartbeat | null = null;
  #poolIds: string[] = [];

  constructor(options: WorkerOptions) {
    this.#options = {
      concurrency: 16,
      leaseSeconds: 15,
      graceMs: 25_000,
      outside: {},
      keepsDebugLines: false,
      retentionDays: 0,
      ...options,
    };
    this.#slots = this.#options.concurrency;
    const kinds = jobKindsOf(options.types.keys());
    this.#executions = new ExecutionCache(options.database.engine, options.types);
    this.#outside = openOutside(this.#options.outside, {
      pool: options.database.engine,
      log: options.log,
      id: () => this.#id,
    });
    this.#executionLog = new ExecutionLog({
      db: options.database.engine,
      log: options.log,
      redact: this.#outside.redact,
      withDebug: this.#options.keepsDebugLines,
      workerId: () => this.#id,
      nowMs: () => this.#watch.nowMs(),
    });
    this.#ownSlots = new Slots(this.#options.concurrency);
    this.#locked = new LockedExecutions({ db: options.database.engine, log: options.log });
    this.#context = this.#createContext();
    this.opener = createOpener({
      worker: this.#context,
      keepSlot: (executionId, lane) => this.#keepSlot(executionId, lane),
      slots: this.#ownSlots,
      atWork: this.#atWork,
      isLeaseGood: () => !this.#isStopped && monotonicMs() <= this.#leaseGoodUntilMs,
      track: (lane) => this.#track(lane),
    });
    this.#outage = new Outage(options.log);
    this.#watch = new WatchLoop(this.#context, {
      ids: () => this.#ids(),
      limitMs: options.database.limits.loopMs,
    });
    this.#turns = new Turns({
      db: options.database.engine,
      log: options.log,
      slots: () => ({ own: this.#options.concurrency, all: this.#slots }),
      isFull: () => this.#queue?.isFull === true,
      kinds,
      onWaiting: (tenants) => void this.#reserve.fill(tenants),
      limitMs: options.database.limits.loopMs,
    });
    this.#reserve = new Reserve({
      db: options.database.engine,
      log: options.log,
      slots: this.#options.concurrency,
      lanes: () => this.#atWork.lanes,
      poolId: () => (this.#isDraining ? undefined : this.#poolIds.at(-1)),
      run: (payload, addedAtMs) => this.#track(this.#run(payload, addedAtMs)),
      onLost: (poolId) => this.#queue?.noteLost(poolId),
      kinds,
      limitMs: options.database.limits.loopMs,
    });
    const isBusy = () => this.#attempts.size >= this.#options.concurrency;
    const days = this.#options.retentionDays;
    this.#retention =
      days > 0 ? new RetentionLoop({ db: options.database.engine, days, log: options.log, isBusy }) : null;
    this.events.setMaxListeners(0);
  }

  get id(): string {
    return this.#id;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#attempts.size;
  }

  /** What of it stands still, null: all goes on, or tries to while the database is away. */
  get stalled(): string | null {
    if (this.#queue === null) return 'it has not started';
    if (this.#isStopped) return 'it has ended';
    if (performance.now() - this.#heardAtMs > HEARTBEAT_STALLED_MS) return 'its heartbeat stands still';
    if (this.#watch.sinceMs > LOOP_STALLED_MS) return 'its timer loop stands still';
    return this.#queue.sinceMs > LOOP_STALLED_MS ? 'its queue takes no jobs' : null;
  }

  /** Registers and begins to work. */
  async start(): Promise<void> {
    await this.#register(this.#id);
    this.#queue = new Queue({
      url: this.#options.database.directUrl,
      limits: this.#options.database.limits,
      concurrency: this.#options.concurrency,
      kinds: jobKindsOf(this.#options.types.keys()),
      log: this.#options.log,
      handle: (payload, addedAtMs) => this.#track(this.#handle(payload, addedAtMs)),
      onFull: () => this.#turns.noteFull(),
      onJobs: () => this.#turns.noteJobs(),
      onPool: async (poolId) => {
        this.#poolIds.push(poolId);
        await addPoolId(this.#pool, this.#id, poolId);
      },
      onFetchLost: (poolId) => unlockPools(this.#pool, [poolId]),
      onPoolEnded: async (poolId) => {
        await unlockPools(this.#pool, [poolId]);
        this.#poolIds = this.#poolIds.filter((id) => id !== poolId);
      },
    });
    await this.#queue.start();
    this.#watch.start();
    this.#turns.start();
    this.#retention?.start();
  }

  /** Drains (W2) and ends. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isDraining = true;
    this.#turns.stop();
    this.#ownSlots.close();
    const queueStopped = this.#queue?.stop() ?? Promise.resolve();
    await Promise.race([this.#idle(), delay(this.#options.graceMs, undefined, { ref: false })]);
    for (const attempt of this.#attempts.all()) attempt.abort('shutdown');
    await Promise.race([Promise.all([this.#idle(), queueStopped]), delay(5_000, undefined, { ref: false })]);
    this.#isStopped = true;
    this.#locked.close();
    this.#beat.resolve();
    await Promise.all([this.#watch.stop(), this.#retention?.stop()]);
    await this.#heartbeat?.stop();
    await this.#queue?.kill();
    await this.#executionLog.close();
    await this.#outside.close();
    // Where claims may be its own that no lane holds, its row stays, and is found dead.
    if (this.#attempts.size === 0 && this.#lanes.size === 0 && !this.#watch.hasSuspicions) {
      await unlockPools(this.#pool, this.#poolIds).catch(() => {});
      await removeWorker(this.#pool, this.#id).catch(() => {});
    }
  }

  #ids(): string[] {
    return this.#formerId === null ? [this.#id] : [this.#id, this.#formerId];
  }

  get #pool() {
    return this.#options.database.engine;
  }

  async #register(id: string): Promise<void> {
    const { concurrency, leaseSeconds, database, types } = this.#options;
    const lockKey = await registerWorker(this.#pool, {
      id,
      host: hostname(),
      pid: process.pid,
      concurrency,
      leaseSeconds,
      types: registeredTypesOf(types),
    });
    if (id !== this.#id) this.#formerId = this.#id;
    this.#id = id;
    this.#heartbeat = await startHeartbeat({
      url: database.directUrl,
      limits: database.limits,
      workerId: id,
      lockKey,
      onMessage: (message) => {
        this.#heardAtMs = performance.now();
        if (message.kind === 'beat') this.#noteBeat(message);
        else if (message.kind === 'missed') this.#outage.note(message.message);
        else void this.#rejoin();
      },
    });
  }

  #noteBeat({ slots, sentAtMs }: { readonly slots: number; readonly sentAtMs: number }): void {
    this.#outage.end();
    this.#slots = slots;
    this.#leaseGoodUntilMs = sentAtMs + LEASE_GOOD_MS;
    this.#beat.resolve();
    this.#beat = Promise.withResolvers();
  }

  // W1. What ran under the old id has been taken over: its writes would be refused.
  async #rejoin(): Promise<void> {
    if (this.#isStopped || this.#isDraining) return;
    this.#options.log.warn('this worker was declared dead; it registers anew', { workerId: this.#id });
    for (const attempt of this.#attempts.all()) attempt.abort('lost');
    await this.#heartbeat?.stop().catch(() => {});
    while (!this.#isStopped) {
      try {
        await this.#register(newId());
        for (const poolId of this.#poolIds) await addPoolId(this.#pool, this.#id, poolId);
        return;
      } catch (error) {
        this.#heardAtMs = performance.now();
        this.#options.log.warn('cannot register yet', { error: String(error) });
        await delay(1_000);
      }
    }
  }

  #createContext(): WorkerContext {
    const worker = this;
    const pool = this.#pool;
    const onRetry = (error: unknown) => {
      this.#outage.refused(error);
      this.#options.log.debug('the database did not answer; trying again', { error: String(error) });
    };
    const whileAlive = async () => {
      while (!this.#isStopped && monotonicMs() > this.#leaseGoodUntilMs) await this.#beat.promise;
    };
    const calls = createCalls({
      pool,
      worker: () => ({ id: this.#id, slots: this.#slots }),
      whileAlive,
      onRetry,
      suspect: (executionId) => this.#watch.suspect(executionId),
      untilFree: (executionId) => this.#locked.untilFree(executionId),
    });
    return {
      get id() {
        return worker.#id;
      },
      get slots() {
        return worker.#slots;
      },
      get draining() {
        return worker.#isDraining;
      },
      pool,
      types: this.#options.types,
      executions: this.#executions,
      attempts: this.#attempts,
      log: this.#options.log,
      executionLog: this.#executionLog,
      outside: this.#outside,
      ...calls,
      locked: this.#locked,
      events: {
        attemptEnded: (ended) => void this.events.emit('attemptEnded', ended),
        tasksRecovered: (tasks) => void this.events.emit('tasksRecovered', tasks),
        executionEnded: (executionId) => {
          this.#executions.forget(executionId);
          this.events.emit('executionEnded', executionId);
        },
        settleLost: (executionId, claim) => {
          this.#options.log.warn('a stale write was refused', {
            executionId,
            taskId: claim.taskId,
            fence: claim.fence,
          });
          noteStaleWrite(this.#executionLog, executionId, claim);
          this.events.emit('settleLost', executionId, claim.taskId);
        },
      },
      spawn: (work) => void this.#track(this.#spawn(work)),
      nowMs: () => this.#watch.nowMs(),
      wakeIn: (ms) => this.#watch.wakeIn(ms),
      suspect: (executionId) => this.#watch.suspect(executionId),
      suspectGate: new SuspectGate({
        turn: {
          take: (ms) => takeSuspectTurn(pool, this.#id, ms),
          giveBack: () => giveSuspectTurnBack(pool, this.#id),
        },
      }),
      whileAlive,
    };
  }

  async #handle(payload: JobPayload, addedAtMs: number): Promise<void> {
    if (this.#locked.isStuck(payload.e)) return await putOff(this.#context, payload);
    if (this.#hasNeighbours && this.#context.suspectGate.isHolding)
      return await this.#leaveForSuspect(payload);
    if (!(await this.#takeSlot())) return await this.#leaveToOthers(payload);
    const lane = this.#run(payload, addedAtMs);
    if ((await this.#keepSlot(payload.e, lane)) === 'ended') return;
    void this.#track(lane);
    await putOff(this.#context, payload);
  }

  #run(payload: JobPayload, addedAtMs: number): Promise<void> {
    this.events.emit('jobTaken', Math.max(0, this.#watch.nowMs() - addedAtMs));
    return this.#atWork.during(payload.o ?? '', runJob(this.#context, payload));
  }

  // Until the lane has ended, or is stuck: its execution is locked by somebody, and no body of it runs. Then it goes on without a slot.
  async #keepSlot(executionId: string, lane: Promise<void>): Promise<'ended' | 'stuck'> {
    const stuck = Promise.withResolvers<'stuck'>();
    const leave = this.#locked.watch(executionId, () => {
      if (!this.#attempts.isPerforming(executionId)) stuck.resolve('stuck');
    });
    try {
      return await Promise.race([lane.then(() => 'ended' as const), stuck.promise]);
    } finally {
      leave();
      this.#ownSlots.release();
    }
  }

  get #hasNeighbours(): boolean {
    return this.#slots > this.#options.concurrency;
  }

  // As long as a suspect holds others back here, no other job is fetched in its place.
  async #leaveForSuspect(payload: JobPayload): Promise<void> {
    await giveBack(this.#context, payload);
    while (!this.#isDraining && this.#context.suspectGate.isHolding) await delay(SLOT_PATIENCE_MS);
  }

  // What this process started may have all slots. Where other workers are, one of them may have one.
  async #takeSlot(): Promise<boolean> {
    while (!(await this.#ownSlots.take(SLOT_PATIENCE_MS)))
      if (this.#isDraining || this.#hasNeighbours) return false;
    return true;
  }

  // Until there is a slot again, no other job is fetched in its place.
  async #leaveToOthers(payload: JobPayload): Promise<void> {
    await giveBack(this.#context, payload);
    while (!this.#isDraining)
      if (await this.#ownSlots.take(SLOT_PATIENCE_MS)) return this.#ownSlots.release();
  }

  async #spawn({ executionId, claim }: LaneWork): Promise<void> {
    const memory = await this.#executions.get(executionId);
    if (memory !== null) await runLane(this.#context, { memory, claim, list: [], isExtra: true });
  }

  // Never rejects: what a lane could not do is logged, and recovery finds the rest.
  #track(lane: Promise<void>): Promise<void> {
    const tracked = lane
      .catch((error: unknown) => {
        this.#options.log.error('a lane ended early', {
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      })
      .finally(() => this.#lanes.delete(tracked));
    this.#lanes.add(tracked);
    return tracked;
  }

  async #idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all(this.#lanes);
  }
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
