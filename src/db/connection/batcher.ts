// Gathers calls that are due at the same moment into one database call: batched, not delayed. A lone call goes at once.
//   B1  At most one call per key is under way; a second one for the same key waits for the next batch.
//   B2  A batch holds at most `maxSize` calls and `maxBytes`.
//   B3  While the database is away, the batch is sent again until it answers; a call fails only by its own fault.
import { setTimeout as delay } from 'node:timers/promises';
import { isConnectionLoss, isRetryable } from './connection.ts';

/** Thrown by a batch of which a part was done: `answers` of that part, undefined for what `cause` refused. */
export class PartlyAnswered extends Error {
  readonly answers: readonly unknown[];
  constructor(cause: unknown, answers: readonly unknown[]) {
    super('a part of the batch was refused', { cause });
    this.name = 'PartlyAnswered';
    this.answers = answers;
  }
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (value: Out) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatcherOptions<In, Out> {
  readonly send: (items: readonly In[]) => Promise<readonly Out[]>;
  /** Calls with the same key are never under way at the same time, though they may share a batch. */
  readonly keyOf: (item: In) => string;
  readonly maxSize?: number;
  /** Bytes that a call sends; a batch sends at most `maxBytes` of them, a larger call goes alone. */
  readonly sizeOf?: (item: In) => number;
  readonly maxBytes?: number;
  /** Batches under way at once. */
  readonly concurrency?: number;
  /** Called when a batch failed and will be sent again. */
  readonly onRetry?: (error: unknown) => void;
}

export class Batcher<In, Out> {
  readonly #options: Required<Omit<BatcherOptions<In, Out>, 'onRetry'>> &
    Pick<BatcherOptions<In, Out>, 'onRetry'>;
  #waiting: Waiting<In, Out>[] = [];
  readonly #busyKeys = new Set<string>();
  #underWay = 0;
  #scheduled = false;

  constructor(options: BatcherOptions<In, Out>) {
    this.#options = { maxSize: 256, maxBytes: 4_000_000, sizeOf: () => 0, concurrency: 2, ...options };
  }

  /** Sends `item` with the next batch. Rejects only where the item itself is refused. */
  call(item: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  // Everything that becomes due in this turn of the event loop shares the batch.
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= this.#options.concurrency) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#underWay < this.#options.concurrency) {
      const { batch, keys } = this.#take();
      if (batch.length === 0) return;
      this.#underWay++;
      void this.#deliver(batch).finally(() => {
        this.#underWay--;
        for (const key of keys) this.#busyKeys.delete(key);
        if (this.#waiting.length > 0) this.#flush();
      });
    }
  }

  #take(): { batch: Waiting<In, Out>[]; keys: Set<string> } {
    const batch: Waiting<In, Out>[] = [];
    const later: Waiting<In, Out>[] = [];
    const keys = new Set<string>();
    const { keyOf, sizeOf, maxSize, maxBytes } = this.#options;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const key = keyOf(waiting.item);
      const size = sizeOf(waiting.item);
      const isFull = batch.length >= maxSize || (batch.length > 0 && bytes + size > maxBytes);
      if (isFull || this.#busyKeys.has(key)) later.push(waiting);
      else {
        bytes += size;
        batch.push(waiting);
        keys.add(key);
      }
    }
    this.#waiting = later;
    for (const key of keys) this.#busyKeys.add(key);
    return { batch, keys };
  }

  async #deliver(all: readonly Waiting<In, Out>[]): Promise<void> {
    let batch = all;
    for (let failures = 0; ; failures++) {
      try {
        const answers = await this.#options.send(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, i) => {
          resolve(answers[i]!);
        });
        return;
      } catch (caught) {
        let error = caught;
        if (caught instanceof PartlyAnswered) {
          error = caught.cause;
          batch = batch.filter(({ resolve }, i) => {
            const answer = caught.answers[i] as Out | undefined;
            if (answer !== undefined) resolve(answer);
            return answer === undefined;
          });
        }
        if (isConnectionLoss(error) || (isRetryable(error) && failures < 20)) {
          this.#options.onRetry?.(error);
          await delay(Math.min(1000, 20 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
          continue;
        }
        if (batch.length === 1) {
          batch[0]!.reject(error);
          return;
        }
        // One of them is poisonous: halve until it stands alone.
        const half = batch.length >> 1;
        await this.#deliver(batch.slice(0, half));
        await this.#deliver(batch.slice(half));
        return;
      }
    }
  }
}
