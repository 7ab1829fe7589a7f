// Gathers calls that are due at the same moment into one database call: batched, not delayed. A lone call goes at once.
//   B1  At most one call per key is under way; a second one for the same key waits for the next batch.
//   B2  A batch holds at most `maxSize` calls and `maxBytes`.
//   B3  While the database is away, the batch is sent again until it answers; a call fails only by its own fault. A lock, a
//       statement's limit and a conflict are nobody's: what met one alone goes again, outside the places of the batches.
//   B4  A call that found its row locked (LOCKED) waits outside of them too, with all others of its key, and goes again when the
//       row is free. No batch waits for it, and so no call of another key.
import { setTimeout as delay } from 'node:timers/promises';
import { isConnectionLoss, isLockTimeout, isRetryable } from './connection.ts';
import { LOCKED, type Locked } from './locked.ts';

/** Thrown by a batch of which a part was done: `answers` of that part (LOCKED too), undefined for what `cause` refused. */
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
  readonly send: (items: readonly In[]) => Promise<readonly (Out | Locked)[]>;
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
  /** Resolves when what a key names is worth another try; for calls that may be answered LOCKED. */
  readonly untilFree?: (key: string) => Promise<void>;
}

/** A batch that meets a conflict is sent again so often as a whole. Then, and at once where it met a lock, it is halved, so that what
 * meets it stands alone. */
const WHOLE_TRIES = 2;

export class Batcher<In, Out> {
  readonly #options: Required<Omit<BatcherOptions<In, Out>, 'onRetry'>> &
    Pick<BatcherOptions<In, Out>, 'onRetry'>;
  /** Calls that were put off, by key. */
  readonly #putOff = new Map<string, Waiting<In, Out>[]>();
  /** The last call that was sent aside. */
  #aside: Promise<unknown> = Promise.resolve();
  #waiting: Waiting<In, Out>[] = [];
  readonly #busyKeys = new Set<string>();
  #underWay = 0;
  #scheduled = false;

  constructor(options: BatcherOptions<In, Out>) {
    const defaults = { maxSize: 256, maxBytes: 4_000_000, sizeOf: () => 0, concurrency: 2 };
    this.#options = { ...defaults, untilFree: () => delay(100), ...options };
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
      const putOff = this.#putOff.get(key);
      if (putOff !== undefined) {
        putOff.push(waiting);
        continue;
      }
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

  // False: one that is sent aside met a conflict again.
  async #deliver(all: readonly Waiting<In, Out>[], isAside = false): Promise<boolean> {
    let batch = all;
    for (let failures = 0; ; failures++) {
      try {
        const answers = await this.#options.send(batch.map(({ item }) => item));
        for (const [i, waiting] of batch.entries()) this.#answer(waiting, answers[i]!);
        return true;
      } catch (caught) {
        let error = caught;
        if (caught instanceof PartlyAnswered) {
          error = caught.cause;
          batch = batch.filter((waiting, i) => {
            const answer = caught.answers[i] as Out | Locked | undefined;
            if (answer !== undefined) this.#answer(waiting, answer);
            return answer === undefined;
          });
        }
        const isLoss = isConnectionLoss(error);
        const isConflict = !isLoss && isRetryable(error);
        if (isLoss || isConflict) this.#options.onRetry?.(error);
        const mayPass = isConflict && !isLockTimeout(error) && batch.length > 1 && failures < WHOLE_TRIES;
        if (isLoss || mayPass) {
          await delay(Math.min(1000, 20 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
          continue;
        }
        if (batch.length === 0) return true;
        if (batch.length === 1) {
          if (isConflict && isAside) return false;
          if (isConflict) this.#sendAside(batch[0]!);
          else batch[0]!.reject(error);
          return true;
        }
        // One of them is poisonous, or in a conflict: halve until it stands alone.
        const half = batch.length >> 1;
        await this.#deliver(batch.slice(0, half));
        await this.#deliver(batch.slice(half));
        return true;
      }
    }
  }

  #answer(waiting: Waiting<In, Out>, answer: Out | Locked): void {
    if (answer !== LOCKED) {
      waiting.resolve(answer);
      return;
    }
    const key = this.#options.keyOf(waiting.item);
    (this.#putOff.get(key) ?? this.#putOffUntil(key, this.#options.untilFree(key))).push(waiting);
  }

  // B4. What comes for the key meanwhile joins these calls (#take).
  #putOffUntil(key: string, again: Promise<unknown>): Waiting<In, Out>[] {
    const calls: Waiting<In, Out>[] = [];
    this.#putOff.set(key, calls);
    void again.then(() => {
      this.#putOff.delete(key);
      this.#waiting.unshift(...calls);
      this.#schedule();
    });
    return calls;
  }

  // B3. One at a time, until it meets no conflict.
  #sendAside(waiting: Waiting<In, Out>): void {
    const key = this.#options.keyOf(waiting.item);
    const putOff = this.#putOff.get(key);
    if (putOff !== undefined) return void putOff.push(waiting);
    const sendUntilDone = async () => {
      for (let isDone = false; !isDone; ) {
        await delay(200 * (0.5 + Math.random()));
        const sent = this.#aside.then(() => this.#deliver([waiting], true));
        this.#aside = sent;
        isDone = await sent;
      }
    };
    this.#putOffUntil(key, sendUntilDone());
  }
}
