// A worker among the others: its row, its lease, and the pools of the queue whose jobs are its own.
//   M1  A worker that was declared dead is told so (`onDead`: it aborts what it runs), registers anew under another id, and goes on.
//   M2  One that may have been (no beat for a while: it stood still, or the database is away) claims nothing until it knows
//       (`whileAlive`). One that drains does not register anew.
//   M3  A pool is noted in the row before it is relied on, so that its jobs are unlocked once the worker is dead.

import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../core/id.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Database } from '../../db/connection/connection.ts';
import type { Outage } from '../../db/connection/outage.ts';
import { addPoolId, registerWorker, removeWorker, unlockPools } from '../../db/protocol/workers.ts';
import type { TaskType } from '../../tasks/task-type.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import type { HeartbeatMessage } from './heartbeat-thread.ts';
import { registeredTypesOf } from './registration.ts';

export interface MembershipOptions {
  readonly database: Database;
  readonly log: TaskLog;
  readonly outage: Outage;
  readonly concurrency: number;
  readonly leaseSeconds: number;
  readonly types: ReadonlyMap<string, TaskType>;
  /** What runs has been taken over: its writes would be refused. */
  readonly onDead: () => void;
}

/** A worker with a free lock is dead after two missed beats (take_over_v1); before that, it may claim. */
const LEASE_GOOD_MS = 6_500;

export class Membership {
  readonly #options: MembershipOptions;
  #id = newId();
  /** Before the last death: a claim under way at that moment may have been made under it. */
  #formerId: string | null = null;
  #leaseGoodUntilMs = 0;
  #beat = Promise.withResolvers<void>();
  #slots: number;
  /** The last message of the heartbeat thread, or try to have one. */
  #heardAtMs = performance.now();
  #isLeaving = false;
  #hasEnded = false;
  #heartbeat: Heartbeat | null = null;
  #poolIds: string[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#slots = options.concurrency;
  }

  get id(): string {
    return this.#id;
  }

  /** Those under which claims of this worker may stand. */
  get ids(): string[] {
    return this.#formerId === null ? [this.#id] : [this.#id, this.#formerId];
  }

  /** Those of all live workers. */
  get slots(): number {
    return this.#slots;
  }

  get hasNeighbours(): boolean {
    return this.#slots > this.#options.concurrency;
  }

  /** The pool that fetches now; undefined: none does. */
  get poolId(): string | undefined {
    return this.#poolIds.at(-1);
  }

  get isLeaseGood(): boolean {
    return !this.#hasEnded && monotonicMs() <= this.#leaseGoodUntilMs;
  }

  /** How long the heartbeat thread has been silent. */
  get silentMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  /** Registers and begins to beat. */
  async join(): Promise<void> {
    await this.#register(this.#id);
  }

  /** M2. */
  async whileAlive(): Promise<void> {
    while (!this.#hasEnded && monotonicMs() > this.#leaseGoodUntilMs) await this.#beat.promise;
  }

  async addPool(poolId: string): Promise<void> {
    this.#poolIds.push(poolId);
    await addPoolId(this.#db, this.#id, poolId);
  }

  /** Unlocks what a pool that goes on may have locked without knowing of it. */
  async unlockPool(poolId: string): Promise<void> {
    await unlockPools(this.#db, [poolId]);
  }

  async removePool(poolId: string): Promise<void> {
    await unlockPools(this.#db, [poolId]);
    this.#poolIds = this.#poolIds.filter((id) => id !== poolId);
  }

  /** From now on it does not register anew. */
  drain(): void {
    this.#isLeaving = true;
  }

  /** Nobody waits for its lease any more. */
  end(): void {
    this.#hasEnded = true;
    this.#beat.resolve();
  }

  /** Its lock becomes free. */
  async stopBeating(): Promise<void> {
    await this.#heartbeat?.stop();
  }

  /** Its row goes. Not where claims may be its own that no lane holds: then the row stays, and is found dead. */
  async leave(): Promise<void> {
    await unlockPools(this.#db, this.#poolIds).catch(() => {});
    await removeWorker(this.#db, this.#id).catch(() => {});
  }

  get #db() {
    return this.#options.database.engine;
  }

  async #register(id: string): Promise<void> {
    const { concurrency, leaseSeconds, database, types } = this.#options;
    const lockKey = await registerWorker(this.#db, {
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
      onMessage: (message) => this.#hear(message),
    });
  }

  #hear(message: HeartbeatMessage): void {
    this.#heardAtMs = performance.now();
    if (message.kind === 'beat') this.#noteBeat(message);
    else if (message.kind === 'missed') this.#options.outage.note(message.message);
    else void this.#rejoin();
  }

  #noteBeat({ slots, sentAtMs }: { readonly slots: number; readonly sentAtMs: number }): void {
    this.#options.outage.end();
    this.#slots = slots;
    this.#leaseGoodUntilMs = sentAtMs + LEASE_GOOD_MS;
    this.#beat.resolve();
    this.#beat = Promise.withResolvers();
  }

  // M1.
  async #rejoin(): Promise<void> {
    const { log, onDead } = this.#options;
    if (this.#hasEnded || this.#isLeaving) return;
    log.warn('this worker was declared dead; it registers anew', { workerId: this.#id });
    onDead();
    await this.#heartbeat?.stop().catch(() => {});
    while (!this.#hasEnded) {
      try {
        await this.#register(newId());
        for (const poolId of this.#poolIds) await addPoolId(this.#db, this.#id, poolId);
        return;
      } catch (error) {
        this.#heardAtMs = performance.now();
        log.warn('cannot register yet', { error: String(error) });
        await delay(1_000);
      }
    }
  }
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
