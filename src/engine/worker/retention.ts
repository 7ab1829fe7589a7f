// Retention: deletes executions that ended more than so many days ago, with all that belongs to them, in small batches
// with pauses between them. What is not terminal, definitions and revisions stay.
//   R1  Workers share the work without a plan: a batch that finds another process at work ends its pass.
//   R2  A pass takes at most a fifth of one connection's time.
//   R3  An error ends a pass, never the loop; the next pass goes on with what is left.

import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../core/id.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { isConnectionLoss, isRetryable, type Queryable } from '../../db/connection/connection.ts';
import { deleteBatch, FIRST_ID } from '../../db/operations/retention.ts';

const MAX_EXECUTIONS = 500;
const MAX_ROWS = 5_000;
const MIN_PAUSE_MS = 20;
const PASS_EVERY_MS = 600_000;
/** A worker that is busy puts a pass off, so many times at most: what is never deleted makes it busier. */
const MAX_POSTPONED = 6;

export interface RetentionPass {
  /** `done`: nothing is left that was due; `busy`: another process is at it; `stopped`: by the signal. */
  readonly state: 'done' | 'busy' | 'stopped';
  /** Rows by table, of this pass. */
  readonly deleted: Readonly<Record<string, number>>;
}

/** Deletes all that is due. Throws where the database does not answer. */
export async function runRetentionPass(options: {
  readonly db: Queryable;
  readonly days: number;
  readonly signal?: AbortSignal;
  readonly maxExecutions?: number;
  readonly maxRows?: number;
  /** After each batch: the rows so far, by table. */
  readonly onBatch?: (deleted: Readonly<Record<string, number>>) => void;
}): Promise<RetentionPass> {
  const { db, days, signal, onBatch } = options;
  const passId = newId();
  const deleted: Record<string, number> = {};
  let after = FIRST_ID;
  let maxRows = options.maxRows ?? MAX_ROWS;
  while (signal?.aborted !== true) {
    const startedAt = performance.now();
    try {
      const batch = await deleteBatch(db, {
        passId,
        days,
        after,
        maxExecutions: options.maxExecutions ?? MAX_EXECUTIONS,
        maxRows,
      });
      for (const [table, rows] of Object.entries(batch.deleted))
        deleted[table] = (deleted[table] ?? 0) + rows;
      onBatch?.(deleted);
      if (batch.state !== 'more') return { state: batch.state, deleted };
      after = batch.nextAfter;
    } catch (error) {
      // Too slow for the statement's limit, or in the way of others: smaller steps.
      if (!isRetryable(error) || isConnectionLoss(error) || maxRows < 50) throw error;
      maxRows = Math.ceil(maxRows / 4);
    }
    const pauseMs = Math.max(MIN_PAUSE_MS, 4 * (performance.now() - startedAt));
    await delay(pauseMs, undefined, { ref: false, signal }).catch(() => {});
  }
  return { state: 'stopped', deleted };
}

export interface RetentionOptions {
  readonly db: Queryable;
  /** Whole days that executions are kept after their end. */
  readonly days: number;
  readonly log: TaskLog;
  /** Whether the worker has no room: passes wait for a better time, about an hour at most. */
  readonly isBusy: () => boolean;
  readonly everyMs?: number;
}

/** Passes about every ten minutes, for as long as a worker lives. */
export class RetentionLoop {
  readonly #options: RetentionOptions;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when the batch under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { db, days, log, isBusy, everyMs = PASS_EVERY_MS } = this.#options;
    const { signal } = this.#stop;
    // Workers that start together do not pass together; the first pass comes soon.
    let waitMs = everyMs * 0.2 * Math.random();
    for (let postponed = 0; ; waitMs = everyMs * (0.8 + 0.4 * Math.random())) {
      await delay(waitMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      if (isBusy() && postponed < MAX_POSTPONED) {
        postponed++;
        continue;
      }
      postponed = 0;
      try {
        const { deleted } = await runRetentionPass({ db, days, signal });
        if (Object.keys(deleted).length > 0)
          log.info('retention deleted what had ended long ago', { days, deleted });
      } catch (error) {
        log.warn('retention could not finish its pass', { error: String(error) });
      }
    }
  }
}
