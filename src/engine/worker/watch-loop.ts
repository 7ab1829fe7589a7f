// The loop that every worker runs once a second, by the database's clock: timers that are due, attempts that are late or no
// longer its own, executions past their deadline, dead workers, orphans; and claims whose answer was lost.
//   L1  An error ends a pass, never the loop.
//   L2  A claim is given back only when two passes in a row find it in the database and in no lane.
//   L3  No pass waits for an execution that somebody has locked: what is given back or concluded is, in the background, so many at
//       once; what is beyond that is found again by a later pass, or by the reconciler.
import { setTimeout as delay } from 'node:timers/promises';
import { loadOwned } from '../../db/protocol/reads.ts';
import { type Claim, tick } from '../../db/protocol/transitions.ts';
import { reconcile } from '../../db/protocol/workers.ts';
import { workOf } from '../attempt/work.ts';
import type { WorkerContext } from '../context.ts';
import { settleAttempt } from '../settle/settling.ts';
import { concludeIfDrained } from './job.ts';

const TICK_MS = 1_000;
const RECONCILE_MS = 10_000;
/** Claims that are given back, and executions that are concluded, at once. */
const MAX_MENDING = 256;
/** All of a worker's claims are checked this often; those under suspicion at once. */
const OWNED_CHECK_MS = 30_000;

export class WatchLoop {
  readonly #worker: WorkerContext;
  readonly #ids: () => string[];
  readonly #limitMs: number;
  readonly #suspected = new Set<string>();
  #unknown = new Set<string>();
  /** L3, by claim or execution. */
  readonly #mending = new Map<string, Promise<void>>();
  #wake = Promise.withResolvers<void>();
  #nextWakeAt = Number.POSITIVE_INFINITY;
  #isStopped = false;
  #begunAtMs = performance.now();
  /** The database's clock minus this process's. */
  #clockOffsetMs = 0;
  #loop: Promise<void> = Promise.resolve();

  /**
   * `ids`: the worker's id, and the one it had before it was last declared dead. `limitMs`: a statement of the loop that
   * goes unanswered for so long is given up.
   */
  constructor(
    worker: WorkerContext,
    { ids, limitMs }: { readonly ids: () => string[]; readonly limitMs: number },
  ) {
    this.#worker = worker;
    this.#ids = ids;
    this.#limitMs = limitMs;
  }

  start(): void {
    this.#loop = this.#runLoop();
  }

  /** Resolves when the pass under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake.resolve();
    await this.#loop;
  }

  /** Looks at this execution's claims in the next pass: an answer about them may have been lost. */
  suspect(executionId: string): void {
    this.#suspected.add(executionId);
  }

  /** Whether claims may be this worker's that no lane holds. */
  get hasSuspicions(): boolean {
    return this.#suspected.size > 0 || this.#unknown.size > 0 || this.#mending.size > 0;
  }

  /** How long ago the pass under way, or the last one, began. */
  get sinceMs(): number {
    return performance.now() - this.#begunAtMs;
  }

  nowMs(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** Brings the next pass forward: something is due in `ms`. */
  wakeIn(ms: number): void {
    if (ms >= TICK_MS) return;
    const at = performance.now() + ms;
    if (at >= this.#nextWakeAt) return;
    this.#nextWakeAt = at;
    setTimeout(() => this.#wake.resolve(), ms).unref();
  }

  async #runLoop(): Promise<void> {
    let lastReconcile = performance.now();
    let lastOwnedCheck = performance.now();
    for (let pass = 0; !this.#isStopped; pass++) {
      const startedAt = performance.now();
      this.#begunAtMs = startedAt;
      this.#nextWakeAt = Number.POSITIVE_INFINITY;
      this.#wake = Promise.withResolvers();
      try {
        await this.#tickOnce(pass % 2 === 0);
        if (this.#suspected.size > 0 || this.#unknown.size > 0) {
          await this.#releaseUnknown([...this.#suspected]);
        } else if (startedAt - lastOwnedCheck > OWNED_CHECK_MS) {
          lastOwnedCheck = startedAt;
          await this.#releaseUnknown(null);
        }
        if (startedAt - lastReconcile > RECONCILE_MS * (0.8 + 0.4 * Math.random())) {
          lastReconcile = startedAt;
          const repaired = await reconcile(this.#worker.pool, this.#worker.slots);
          if (repaired > 0) this.#worker.log.error('the reconciler repaired orphans', { repaired });
        }
      } catch (error) {
        this.#worker.log.debug('the timer loop could not reach the database', { error: String(error) });
      }
      await Promise.race([delay(TICK_MS, undefined, { ref: false }), this.#wake.promise]);
    }
  }

  async #tickOnce(sweep: boolean): Promise<void> {
    const attempts = this.#worker.attempts.olderThan(500);
    const sentAt = Date.now();
    const answer = await tick(this.#worker.pool, this.#worker, attempts, { sweep, limitMs: this.#limitMs });
    this.#clockOffsetMs = answer.now - (sentAt + Date.now()) / 2;
    for (const i of answer.late) attempts[i]!.abort('timeout');
    for (const i of answer.lost) attempts[i]!.abort('cancelled');
    if (answer.recovered > 0)
      this.#worker.log.warn('took over tasks of a dead worker', { tasks: answer.recovered });
    if (answer.recovered > 0) this.#worker.events.tasksRecovered(answer.recovered);
    if (answer.next !== null) this.wakeIn(Math.max(20, answer.next));
    if (answer.woken >= 256) this.wakeIn(0);
  }

  // Claims that the database believes are ours and that no lane holds, in two passes in a row, are given back.
  async #releaseUnknown(executionIds: readonly string[] | null): Promise<void> {
    const before = this.#unknown;
    const watched =
      executionIds === null
        ? null
        : [...new Set([...executionIds, ...[...before].map((key) => key.split('/')[0]!)])];
    // Suspicions outlive a database that does not answer.
    const owned = await loadOwned(this.#worker.pool, this.#ids(), watched, this.#limitMs);
    this.#unknown = new Set();
    for (const id of executionIds ?? []) this.#suspected.delete(id);
    for (const { executionId, claim } of owned) {
      if (this.#worker.attempts.has(executionId, claim)) continue;
      const key = `${executionId}/${claim.taskId}/${claim.mapIndex}/${claim.fence}`;
      if (this.#mending.has(key)) continue;
      if (before.has(key)) this.#mend(key, () => this.#release(executionId, claim));
      else this.#unknown.add(key);
    }
    for (const id of executionIds ?? []) this.#mend(id, () => this.#concludeIfDrained(id));
  }

  // Found again by a later pass where it fails.
  #mend(key: string, work: () => Promise<void>): void {
    if (this.#mending.has(key) || this.#mending.size >= MAX_MENDING) return;
    const mended = work()
      .catch((error: unknown) =>
        this.#worker.log.debug('could not mend a lost claim', { error: String(error) }),
      )
      .finally(() => this.#mending.delete(key));
    this.#mending.set(key, mended);
  }

  async #release(executionId: string, claim: Claim): Promise<void> {
    const memory = await this.#worker.executions.get(executionId);
    if (memory === null) return;
    this.#worker.log.warn('gives back a task whose claim was lost', { executionId, taskId: claim.taskId });
    await settleAttempt(
      this.#worker,
      workOf(memory, claim),
      { kind: 'released', durationMs: 0 },
      { wantsNext: false, next: [], takesPure: false },
    );
  }

  async #concludeIfDrained(executionId: string): Promise<void> {
    try {
      const memory = await this.#worker.executions.load(executionId);
      if (memory !== null) await concludeIfDrained(this.#worker, memory);
    } catch (error) {
      this.#worker.log.error('could not look at an execution', { executionId, error: String(error) });
    }
  }
}
