// Runs graphile-worker under supervision. Its state decides nothing: a job is only a wake-up.
//   Q1  A pool that ends unasked (database outage, fatal error) is replaced at once; its id is unlocked later.
//   Q2  Handlers never throw, so graphile's own retries never happen.
//   Q3  Notifications are an optimisation: a listener that went silent delays a job by a poll, and is replaced.
//   Q4  A fetch that failed may have locked jobs that nobody knows of: they are unlocked later, twice. A pool that cannot
//       fetch at all is replaced, like one that ended.

import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type WorkerEvents as GraphileEvents,
  Logger,
  type Runner,
  run,
  type Task,
  type WorkerEventMap,
} from 'graphile-worker';
import type pg from 'pg';
import type { TaskLog } from '../../core/log-lines.ts';
import { probeListener } from '../../db/connection/bounded-client.ts';
import { BoundedPool } from '../../db/connection/bounded-pool.ts';
import { engineConnection, untilAnswered } from '../../db/connection/connection.ts';
import { LIMITS, type Limits } from '../../db/connection/limits.ts';
import { ROLES } from '../../db/connection/roles.ts';
import { SilenceWatch } from '../../db/connection/silence.ts';
import type { JobPayload } from './job.ts';

export interface QueueOptions {
  readonly url: string;
  /** How long its connections wait; the usual where absent. */
  readonly limits?: Limits;
  readonly concurrency: number;
  /** Of jobs that this worker takes. */
  readonly kinds: readonly string[];
  /** `addedAtMs`: when the job was added, by the database's clock, in milliseconds since the epoch. Its run_at is its turn. */
  readonly handle: (payload: JobPayload, addedAtMs: number) => Promise<void>;
  /** All that it may run at once is under way. */
  readonly onFull: () => void;
  /** It has looked for jobs, or one has ended. */
  readonly onJobs: () => void;
  readonly log: TaskLog;
  /** A pool began: its id must be known before its jobs can be unlocked after a crash. */
  readonly onPool: (poolId: string) => Promise<void>;
  /** A fetch of this pool failed: what it may have locked can be unlocked. Jobs under way are, too, and come twice. */
  readonly onFetchLost: (poolId: string) => Promise<void>;
  /** A pool ended unasked, and its jobs can be unlocked. */
  readonly onPoolEnded: (poolId: string) => Promise<void>;
}

/** A pool that has begun; `ended` resolves to its id as soon as it is of no more use. */
interface Begun {
  readonly ended: Promise<string>;
}

/** How often graphile looks for jobs on its own; notifications make it look at once. */
const POLL_MS = 2_000;
/** graphile-worker 0.18.0 keeps a failure to look its task types up for good: a pool that met one never fetches. */
const MAX_FETCH_FAILURES = 3;
/**
 * How long after a loss jobs are unlocked. Soon: mostly the server had ended the call, and only its answer was lost; and again
 * for a call that was still at work then.
 */
const UNLOCK_AFTER_MS = [1_000, 5_000];
const FETCH_FAILED = 'Error occurred fetching jobs';

export class Queue {
  readonly #options: QueueOptions;
  readonly #limits: Limits;
  readonly #silence: SilenceWatch;
  readonly #pool: pg.Pool;
  #runner: Runner | null = null;
  #isStopping = false;
  #handling = 0;
  #lookedAtMs = performance.now();
  #supervision: Promise<void> = Promise.resolve();

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#limits = options.limits ?? LIMITS;
    const { queue, silence } = this.#limits;
    // graphile's schema has the same owner as ours.
    const pool = new BoundedPool({
      ...engineConnection(options.url, 'dagwright queue', this.#limits),
      types: undefined,
      options: `-c role=${ROLES.owner} -c timezone=UTC -c statement_timeout=${queue.ms}`,
      query_timeout: queue.ms + queue.laterMs,
      max: 4,
    });
    this.#silence = new SilenceWatch(options.url, { name: 'dagwright queue', limits: silence });
    this.#silence.watch(pool);
    this.#pool = pool;
  }

  /** How long it has not looked for jobs although it could run some; 0 while it could not. */
  get sinceMs(): number {
    return this.isFull ? 0 : performance.now() - this.#lookedAtMs;
  }

  /** Whether all that it may run at once is under way. */
  get isFull(): boolean {
    return this.#handling >= this.#options.concurrency;
  }

  /** What this pool may have locked is unlocked later, as after a fetch that failed. */
  noteLost(poolId: string): void {
    void this.#unlockLater(poolId, this.#options.onFetchLost);
  }

  async start(): Promise<void> {
    this.#lookedAtMs = performance.now();
    this.#supervision = this.#supervise(await this.#begin());
  }

  /** Stops fetching; resolves when the handlers under way have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#runner?.stop().catch(() => {});
    await this.#supervision;
    await this.kill();
  }

  /** Ends without waiting for handlers. */
  async kill(): Promise<void> {
    this.#isStopping = true;
    this.#silence.close();
    await this.#pool.end().catch(() => {});
  }

  async #supervise(first: Begun): Promise<void> {
    let begun = first;
    for (let failures = 0; ; ) {
      const poolId = await begun.ended;
      if (this.#isStopping) return;
      this.#options.log.warn('the queue pool ended and is replaced', { poolId });
      void this.#unlockLater(poolId, this.#options.onPoolEnded);
      while (!this.#isStopping) {
        try {
          begun = await this.#begin();
          failures = 0;
          // It was asked to stop meanwhile, and could not know of this pool.
          if (this.#isStopping) await this.#runner?.stop().catch(() => {});
          break;
        } catch (error) {
          failures++;
          this.#lookedAtMs = performance.now();
          if (failures % 20 === 1)
            this.#options.log.warn('the queue cannot start yet', { error: String(error) });
          await delay(Math.min(1000, 50 * 2 ** Math.min(failures, 5)));
        }
      }
    }
  }

  async #begin(): Promise<Begun> {
    const events = new EventEmitter() as GraphileEvents;
    let poolId = '';
    let failures = 0;
    let giveUp = () => {};
    const ended = new Promise<string>((resolve) => {
      giveUp = () => resolve(poolId);
      events.on('pool:create', ({ workerPool }) => {
        poolId = workerPool.id;
      });
      events.on('pool:fatalError', () => resolve(poolId));
      events.on('pool:gracefulShutdown', () => resolve(poolId));
    });
    events.on('localQueue:setMode', waitForReturnedJobs);
    events.on('pool:listen:success', ({ client }) => this.#watchListener(client as pg.PoolClient));
    events.on('localQueue:getJobs:complete', () => {
      failures = 0;
      this.#lookedAtMs = performance.now();
      this.#options.onJobs();
    });
    const noteFailure = (message: string) => {
      if (!message.startsWith(FETCH_FAILED) || this.#isStopping) return;
      this.#lookedAtMs = performance.now();
      this.noteLost(poolId);
      if (++failures === MAX_FETCH_FAILURES) giveUp();
    };
    const { concurrency, kinds, onPool } = this.#options;
    const runner = await run({
      pgPool: this.#pool,
      events,
      noHandleSignals: true,
      logger: new Logger(() => (_, message) => noteFailure(message)),
      crontab: '',
      taskList: Object.fromEntries(kinds.map((kind) => [kind, this.#handleJob])),
      preset: {
        worker: {
          concurrentJobs: concurrency,
          pollInterval: POLL_MS,
          localQueue: { size: concurrency, ttl: 200 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    });
    runner.promise.then(
      () => events.emit('pool:fatalError', {} as never),
      () => events.emit('pool:fatalError', {} as never),
    );
    this.#runner = runner;
    // One that was given up lives: what it runs may end, then it goes.
    void ended.then(() => runner.stop()).catch(() => {});
    // Before its id is known, a crash would leave its jobs to what take_over_v1 unlocks for everybody.
    await untilAnswered(() => onPool(poolId));
    return { ended };
  }

  readonly #handleJob: Task = async (payload, { job }) => {
    const { handle, onFull, onJobs } = this.#options;
    this.#handling++;
    if (this.isFull) onFull();
    try {
      await handle(payload as JobPayload, job.created_at.getTime());
    } finally {
      this.#handling--;
      this.#lookedAtMs = performance.now();
      onJobs();
    }
  };

  // Q3. One that fails a probe is ended, and graphile opens another.
  #watchListener(client: pg.PoolClient): void {
    const { everyMs, ms } = this.#limits.listener;
    const probing = setInterval(() => {
      probeListener(client, ms).catch(() => clearInterval(probing));
    }, everyMs);
    probing.unref();
    client.once('end', () => clearInterval(probing));
  }

  async #unlockLater(poolId: string, unlock: (poolId: string) => Promise<void>): Promise<void> {
    const lostAtMs = performance.now();
    for (const afterMs of UNLOCK_AFTER_MS) {
      await delay(Math.max(0, lostAtMs + afterMs - performance.now()), undefined, { ref: false });
      await untilAnswered(() => unlock(poolId)).catch(() => {});
    }
  }
}

// graphile-worker 0.18.0: a local queue that still holds jobs when its pool ends throws instead of waiting until they are
// returned, because nothing else is under way; and if returning them fails (the database is away), that is an unhandled
// rejection, which ends the process. One more process "under way" over the release lets it wait, and report.
function waitForReturnedJobs({ localQueue, newMode }: WorkerEventMap['localQueue:setMode']): void {
  if (newMode !== 'RELEASED') return;
  const queue = localQueue as unknown as { backgroundCount: number; decreaseBackgroundCount(): void };
  queue.backgroundCount++;
  queueMicrotask(() => queue.decreaseBackgroundCount());
}
