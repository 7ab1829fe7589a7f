// Slots beyond a worker's own, for tenants of which little runs here: while one tenant's tasks, however long, fill all slots,
// another's need not wait until one ends.
//   R1  A tenth of the slots, one at least. Whoever has as many lanes as that here, in whichever slots, gets none.
//   R2  A job is taken under the lock of the queue's pool, and stays until its lane has ended: dying before or after, it comes again
//       as any job of that pool, and a job that comes twice claims nothing.
//   R3  An answer that is lost leaves jobs locked: they are unlocked as those of a lost fetch.

import type { TaskLog } from '../../core/log-lines.ts';
import { type Queryable, untilAnswered } from '../../db/connection/connection.ts';
import { endReserved, type ReservedJob, takeReserved } from '../../db/protocol/turns.ts';
import type { JobPayload } from './job.ts';

export interface ReserveOptions {
  readonly db: Queryable;
  readonly log: TaskLog;
  /** The worker's own slots. */
  readonly slots: number;
  /** Lanes here, by tenant; null: not known at the moment. */
  readonly lanes: () => ReadonlyMap<string, number> | null;
  /** Under whose lock jobs are taken; undefined: there is none now. */
  readonly poolId: () => string | undefined;
  /** Runs a job to its end. Never rejects. */
  readonly run: (payload: JobPayload, addedAtMs: number) => Promise<void>;
  readonly onLost: (poolId: string) => void;
  /** Of jobs that this worker takes. */
  readonly kinds: readonly string[];
  readonly limitMs: number;
}

export class Reserve {
  readonly #options: ReserveOptions;
  readonly total: number;
  #taken = 0;
  #isTaking = false;

  constructor(options: ReserveOptions) {
    this.#options = options;
    this.total = Math.max(1, Math.floor(options.slots / 10));
  }

  /** These tenants wait while the worker's own slots are taken. */
  async fill(tenants: readonly string[]): Promise<void> {
    const { db, log, poolId, onLost, kinds, limitMs } = this.#options;
    const pool = poolId();
    const most = this.total - this.#taken;
    const lanes = this.#options.lanes();
    if (pool === undefined || lanes === null || most <= 0 || this.#isTaking) return;
    const busy = [...lanes.keys()].filter((id) => lanes.get(id)! >= this.total);
    if (tenants.every((id) => busy.includes(id))) return;
    this.#isTaking = true;
    try {
      const jobs = await takeReserved(db, pool, { busy, most, kinds, limitMs });
      for (const job of jobs) void this.#run(pool, job);
    } catch (error) {
      log.debug('could not take jobs for the reserve', { error: String(error) });
      onLost(pool);
    } finally {
      this.#isTaking = false;
    }
  }

  async #run(pool: string, { id, payload, addedAtMs }: ReservedJob): Promise<void> {
    this.#taken++;
    try {
      await this.#options.run(payload, addedAtMs);
      await untilAnswered(() => endReserved(this.#options.db, pool, [id]));
    } catch (error) {
      this.#options.log.debug('a reserved job could not be ended', { error: String(error) });
    } finally {
      this.#taken--;
    }
  }
}
