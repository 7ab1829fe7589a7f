// Executions that somebody else has locked: a caller's own transaction that has paused or cancelled one and is not committed, an
// operator's, another worker's. What needs such a one is put off until it is free, and nothing else waits for it.
//   X1  A call that works never waits for an execution's lock: it takes it at once (`skip locked`), or answers LOCKED and has
//       changed nothing. So it holds no lock while it waits for another, and the order of locks is kept.
//   X2  At most `places` connections wait, each for one execution, without a lock of its own, and for `waitMs`; whatever else is
//       locked is looked at together, by one statement at a time.
//   X3  Calls of one execution that go through `run` go one after the other: they would find each other's lock.
//   X4  A lane whose execution stays locked keeps neither a slot nor a job of the queue from others (`watch`, engine/worker/stuck-lanes.ts,
//       where the number of those that wait is bounded: what calls here is a lane, or a claim that is given back).
//   X5  A lock, a conflict or an outage fails no call, however long it lasts. Dying before the call's commit leaves everything as it
//       was, and the attempt is taken over once its execution is free; after it, everything is done.
import type { TaskLog } from '../../core/log-lines.ts';
import { abortableDelay } from '../connection/abortable-delay.ts';
import { type Queryable, untilAnswered } from '../connection/connection.ts';
import { LOCKED, type Locked } from '../connection/locked.ts';

export interface LockedExecutionsOptions {
  readonly db: Queryable;
  readonly log: TaskLog;
  /** Connections that wait at once. */
  readonly places?: number;
  readonly waitMs?: number;
}

/** An execution that is waited for, by whoever needs it. */
interface Awaited {
  readonly id: string;
  readonly freed: PromiseWithResolvers<void>;
  readonly sinceMs: number;
  hasWaited: boolean;
  isTold: boolean;
}

const MIN_LOOK_MS = 5;
const MAX_LOOK_MS = 500;
/** Another batch is done by then; what is still locked is waited for. */
const WAIT_FROM_MS = 30;
/** One that has been locked for so long may stay so: slots are not kept for it. */
const STUCK_MS = 1_000;
/** An operator is told of one that has been locked for so long. */
const TELL_MS = 30_000;

export class LockedExecutions {
  readonly #options: Required<LockedExecutionsOptions>;
  /** By execution. */
  readonly #awaited = new Map<string, Awaited>();
  /** Those that no connection waits for. */
  readonly #lookedAt = new Set<Awaited>();
  readonly #turns = new Map<string, Promise<unknown>>();
  /** By execution. */
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #closing = new AbortController();
  /** Bring the next look forward. */
  readonly #wakers = new Set<() => void>();
  #freePlaces: number;
  #isLooking = false;

  constructor(options: LockedExecutionsOptions) {
    this.#options = { places: 2, waitMs: 1_000, ...options };
    this.#freePlaces = this.#options.places;
  }

  /** Whether the execution is waited for, and has been for a while. */
  isStuck(id: string): boolean {
    const awaited = this.#awaited.get(id);
    return awaited !== undefined && ageOf(awaited) >= STUCK_MS;
  }

  /** Calls `onStuck` whenever the execution is seen to be stuck, until what this returns is called. */
  watch(id: string, onStuck: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(onStuck));
    return () => {
      watchers.delete(onStuck);
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
    };
  }

  /** Runs a call of one execution until it did not find it locked; `onFailure`: its answer may have been lost. */
  run<T>(id: string, call: () => Promise<T | Locked>, onFailure?: (error: unknown) => void): Promise<T> {
    const before = this.#turns.get(id);
    const turn =
      before === undefined
        ? this.#runAlone(id, call, onFailure)
        : before.then(() => this.#runAlone(id, call, onFailure));
    const ended = turn.then(ignore, ignore).then(() => {
      if (this.#turns.get(id) === ended) this.#turns.delete(id);
    });
    this.#turns.set(id, ended);
    return turn;
  }

  /** Resolves when the execution was seen free, or gone. Somebody may have it by the time it is tried again. */
  untilFree(id: string): Promise<void> {
    const known = this.#awaited.get(id);
    if (known !== undefined) return known.freed.promise;
    const awaited: Awaited = {
      ...{ id, freed: Promise.withResolvers<void>(), sinceMs: performance.now() },
      ...{ hasWaited: false, isTold: false },
    };
    this.#awaited.set(id, awaited);
    this.#look(awaited);
    return awaited.freed.promise;
  }

  /** From now on nothing is looked at; what waits does so for ever. */
  close(): void {
    this.#closing.abort();
  }

  async #runAlone<T>(
    id: string,
    call: () => Promise<T | Locked>,
    onFailure?: (error: unknown) => void,
  ): Promise<T> {
    for (;;) {
      const answer = await untilAnswered(call, onFailure);
      if (answer !== LOCKED) return answer;
      await this.untilFree(id);
    }
  }

  // X2. Once for each; what is held for longer makes room for others.
  async #wait(awaited: Awaited): Promise<void> {
    awaited.hasWaited = true;
    this.#lookedAt.delete(awaited);
    this.#freePlaces--;
    const isFree = await awaitExecution(this.#options.db, awaited.id, this.#options.waitMs).catch(
      () => false,
    );
    this.#freePlaces++;
    if (isFree) this.#free(awaited);
    else this.#look(awaited);
  }

  #look(awaited: Awaited): void {
    this.#lookedAt.add(awaited);
    for (const wake of [...this.#wakers]) wake();
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#lookAtAll().finally(() => {
      this.#isLooking = false;
    });
  }

  async #lookAtAll(): Promise<void> {
    const { signal } = this.#closing;
    let lookedAtMs = performance.now();
    while (this.#lookedAt.size > 0) {
      const youngestMs = Math.min(...[...this.#lookedAt].map(ageOf));
      const pauseMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, youngestMs / 2));
      await abortableDelay(pauseMs * (0.75 + Math.random() / 2), signal, this.#wakers).catch(ignore);
      if (signal.aborted) return;
      // Another came: it is looked at in a moment, and the others with it.
      const isNew = [...this.#lookedAt].some((awaited) => ageOf(awaited) < MIN_LOOK_MS / 2);
      if (isNew && performance.now() - lookedAtMs < 4 * MIN_LOOK_MS) continue;
      lookedAtMs = performance.now();
      const looked = [...this.#lookedAt];
      const locked = await findLocked(
        this.#options.db,
        looked.map(({ id }) => id),
      ).catch(() => null);
      for (const awaited of looked)
        if (locked !== null && !locked.has(awaited.id)) this.#free(awaited);
        else if (ageOf(awaited) >= STUCK_MS) this.#noteStuck(awaited);
        else if (this.#freePlaces > 0 && !awaited.hasWaited && ageOf(awaited) >= WAIT_FROM_MS)
          void this.#wait(awaited);
    }
  }

  #free(awaited: Awaited): void {
    this.#lookedAt.delete(awaited);
    this.#awaited.delete(awaited.id);
    awaited.freed.resolve();
  }

  #noteStuck(awaited: Awaited): void {
    for (const onStuck of [...(this.#watchers.get(awaited.id) ?? [])]) onStuck();
    const forMs = ageOf(awaited);
    if (awaited.isTold || forMs < TELL_MS) return;
    awaited.isTold = true;
    this.#options.log.warn(
      'a transaction of somebody else keeps an execution locked; its results wait for it',
      {
        executionId: awaited.id,
        seconds: Math.round(forMs / 1_000),
      },
    );
  }
}

const ignore = () => {};
const ageOf = ({ sinceMs }: Awaited) => performance.now() - sinceMs;

/** Those of these executions that somebody has locked now. */
async function findLocked(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ locked: string[] }>({
    name: 'locked_executions_v1',
    text: 'select dagwright.locked_executions_v1($1) as locked',
    values: [ids],
  });
  return new Set(rows[0]!.locked);
}

/** Waits until nobody has the execution locked; false: not within `waitMs`. */
async function awaitExecution(db: Queryable, id: string, waitMs: number): Promise<boolean> {
  const { rows } = await db.query<{ free: boolean }>({
    name: 'await_execution_v1',
    text: 'select dagwright.await_execution_v1($1, $2) as free',
    values: [id, waitMs],
  });
  return rows[0]!.free;
}
