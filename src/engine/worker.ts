// A worker process: registers, beats, takes jobs from the queue, runs lanes, looks at timers and dead workers once a
// second, and drains.
//   W1  A worker that was declared dead aborts what it runs, registers anew under another id, and goes on. One that may
//       have been (no beat for a while: it stood still, or the database is away) claims nothing until it knows.
//   W2  SIGTERM: takes nothing new; what runs may end within the grace period; the rest is released, no attempt spent.
//   W3  Every loop catches its own errors and goes on: a database outage stops none of them.
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../core/id.ts';
import type { Database } from '../db/connection.ts';
import { settleBatch } from '../db/settle.ts';
import type { Settle } from '../db/settlement.ts';
import { claimBatch, finishBatch, openBatch } from '../db/transitions.ts';
import { addPoolId, registerWorker, removeWorker, unlockPools } from '../db/workers.ts';
import type { TaskLog, TaskType } from '../tasks/task-type.ts';
import { Batcher } from './batcher.ts';
import type { LaneWork, WorkerContext } from './context.ts';
import { Executions } from './executions.ts';
import { SuspectGate } from './gate.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import { HeldAttempts } from './held.ts';
import { runJob } from './job.ts';
import { runLane } from './lane.ts';
import { Queue } from './queue.ts';
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
}

/** A worker with a free lock is dead after two missed beats (take_over_v1); before that, it may claim. */
const LEASE_GOOD_MS = 6_500;

export class Worker {
  readonly events = new EventEmitter<{
    executionEnded: [executionId: string];
    settleLost: [executionId: string, taskId: string];
  }>();
  readonly #options: Required<WorkerOptions>;
  readonly #held = new HeldAttempts();
  readonly #executions: Executions;
  readonly #lanes = new Set<Promise<void>>();
  readonly #context: WorkerContext;
  readonly #watch: WatchLoop;
  #id = newId();
  /** Before the last death: a claim under way at that moment may have been made under it. */
  #formerId: string | null = null;
  #leaseGoodUntilMs = 0;
  #beat = Promise.withResolvers<void>();
  #slots: number;
  #isDraining = false;
  #isStopped = false;
  #queue: Queue | null = null;
  #heartbeat: Heartbeat | null = null;
  #poolIds: string[] = [];

  constructor(options: WorkerOptions) {
    this.#options = { concurrency: 16, leaseSeconds: 15, graceMs: 25_000, ...options };
    this.#slots = this.#options.concurrency;
    this.#executions = new Executions(options.database.engine, options.types);
    this.#context = this.#createContext();
    this.#watch = new WatchLoop(this.#context, () => this.#ids());
    this.events.setMaxListeners(0);
  }

  get id(): string {
    return this.#id;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#held.size;
  }

  /** Registers and begins to work. */
  async start(): Promise<void> {
    await this.#register(this.#id);
    this.#queue = new Queue({
      url: this.#options.database.url,
      concurrency: this.#options.concurrency,
      log: this.#options.log,
      handle: (payload) => this.#track(runJob(this.#context, payload)),
      onPool: async (poolId) => {
        this.#poolIds.push(poolId);
        await addPoolId(this.#pool, this.#id, poolId);
      },
      onPoolEnded: async (poolId) => {
        await unlockPools(this.#pool, [poolId]);
        this.#poolIds = this.#poolIds.filter((id) => id !== poolId);
      },
    });
    await this.#queue.start();
    this.#watch.start();
  }

  /** Drains (W2) and ends. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isDraining = true;
    const queueStopped = this.#queue?.stop() ?? Promise.resolve();
    await Promise.race([this.#idle(), delay(this.#options.graceMs, undefined, { ref: false })]);
    for (const attempt of this.#held.all()) attempt.abort('shutdown');
    await Promise.race([Promise.all([this.#idle(), queueStopped]), delay(5_000, undefined, { ref: false })]);
    this.#isStopped = true;
    this.#beat.resolve();
    await this.#watch.stop();
    await this.#heartbeat?.stop();
    await this.#queue?.kill();
    if (this.#held.size === 0 && this.#lanes.size === 0) {
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
    const { concurrency, leaseSeconds, database, log } = this.#options;
    const lockKey = await registerWorker(this.#pool, {
      id,
      host: hostname(),
      pid: process.pid,
      concurrency,
      leaseSeconds,
    });
    if (id !== this.#id) this.#formerId = this.#id;
    this.#id = id;
    this.#heartbeat = await startHeartbeat({
      url: database.url,
      workerId: id,
      lockKey,
      onMessage: (message) => {
        if (message.kind === 'beat') this.#noteBeat(message);
        else if (message.kind === 'missed') log.debug('a heartbeat was missed', { error: message.message });
        else void this.#rejoin();
      },
    });
  }

  #noteBeat({ slots, sentAtMs }: { readonly slots: number; readonly sentAtMs: number }): void {
    this.#slots = slots;
    this.#leaseGoodUntilMs = sentAtMs + LEASE_GOOD_MS;
    this.#beat.resolve();
    this.#beat = Promise.withResolvers();
  }

  // W1. What ran under the old id has been taken over: its writes would be refused.
  async #rejoin(): Promise<void> {
    if (this.#isStopped || this.#isDraining) return;
    this.#options.log.warn('this worker was declared dead; it registers anew', { workerId: this.#id });
    for (const attempt of this.#held.all()) attempt.abort('lost');
    await this.#heartbeat?.stop().catch(() => {});
    while (!this.#isStopped) {
      try {
        await this.#register(newId());
        for (const poolId of this.#poolIds) await addPoolId(this.#pool, this.#id, poolId);
        return;
      } catch (error) {
        this.#options.log.warn('cannot register yet', { error: String(error) });
        await delay(1_000);
      }
    }
  }

  #createContext(): WorkerContext {
    const worker = this;
    const pool = this.#pool;
    const onRetry = (error: unknown) =>
      this.#options.log.debug('the database did not answer; trying again', { error: String(error) });
    const mine = () => ({ id: this.#id, slots: this.#slots });
    const whileAlive = async () => {
      while (!this.#isStopped && monotonicMs() > this.#leaseGoodUntilMs) await this.#beat.promise;
    };
    // An answer that was lost leaves claims that nobody here knows of: they are looked for afterwards.
    const batcher = <In extends { readonly executionId: string }, Out>(
      send: (items: readonly In[]) => Promise<readonly Out[]>,
      sizeOf?: (item: In) => number,
    ) =>
      new Batcher<In, Out>({
        keyOf: ({ executionId }) => executionId,
        onRetry,
        ...(sizeOf === undefined ? {} : { sizeOf }),
        send: async (items) => {
          try {
            return await send(items);
          } catch (error) {
            for (const { executionId } of items) this.#watch.suspect(executionId);
            throw error;
          }
        },
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
      held: this.#held,
      log: this.#options.log,
      settles: batcher(async (settles) => {
        await whileAlive();
        return await settleBatch(pool, mine(), settles);
      }, bytesOf),
      claims: batcher(async (wants) => {
        await whileAlive();
        return await claimBatch(pool, this.#id, wants);
      }),
      openings: batcher(async (openings) => {
        await whileAlive();
        const opened = await openBatch(pool, mine(), openings);
        return openings.map(({ executionId }) => opened.get(executionId) ?? null);
      }),
      finishes: batcher(async (finishes) => {
        const ended = await finishBatch(pool, finishes);
        return finishes.map(({ executionId }) => ended.has(executionId));
      }),
      events: {
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
          this.events.emit('settleLost', executionId, claim.taskId);
        },
      },
      spawn: (work) => void this.#track(this.#spawn(work)),
      nowMs: () => this.#watch.nowMs(),
      wakeIn: (ms) => this.#watch.wakeIn(ms),
      suspect: (executionId) => this.#watch.suspect(executionId),
      gate: new SuspectGate(),
      whileAlive,
    };
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

// What dominates the size of a settle; its own fields are small.
function bytesOf({ row, finishOutputJson }: Settle): number {
  const { inputJson = '', outputJson = '', errorJson = '', fanOut } = row;
  return (
    inputJson.length +
    outputJson.length +
    errorJson.length +
    (finishOutputJson ?? '').length +
    (fanOut?.itemsJson ?? '').length
  );
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
