// Follows executions for all who wait for them in this process: one statement per poll, however many wait.
//   X1  While nobody waits nothing is asked.
//   X2  An outage ends nothing: it is asked again, more slowly.
//   X3  What a worker of this process says has ended, has: it says so after the commit. Who waits for the end alone is told at once,
//       without a look; who must know how it ended looks then.

import type pg from 'pg';
import type { TaskLog } from '../../core/log-lines.ts';
import { isTerminalExecution } from '../../core/status.ts';
import { type ExecutionState, loadExecutionStates } from '../../db/executions/execution-events.ts';

/** Null: it does not exist any more. */
export type Seen = ExecutionState | null;
export type Listener = (state: Seen) => void;

export interface ExecutionWatchOptions {
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly log: TaskLog;
  readonly pollMs?: number;
}

interface Watched {
  /** Undefined: not read yet. */
  seen: Seen | undefined;
  /** How often it was looked at. */
  looks: number;
  readonly listeners: Set<Listener>;
  /** Of those who wait for the end alone. */
  readonly enders: Set<() => void>;
}

const POLL_MS = 100;
/** Until what was just added is looked at; each pause after that is twice as long. A worker of this process tells sooner (X3). */
const FIRST_POLL_MS = 5;
/** After so many the pause is as long as it gets. */
const MANY_LOOKS = 10;
const OUTAGE_POLL_MS = 1_000;

export class ExecutionWatch {
  readonly #pool: Pick<pg.Pool, 'query'>;
  readonly #log: TaskLog;
  readonly #pollMs: number;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | null = null;
  #dueAtMs = 0;
  #isPolling = false;
  #isClosed = false;

  constructor({ pool, log, pollMs = POLL_MS }: ExecutionWatchOptions) {
    this.#pool = pool;
    this.#log = log;
    this.#pollMs = pollMs;
  }

  /** Executions that somebody waits for. */
  get size(): number {
    return this.#watched.size;
  }

  /** Calls `listener` with the state as soon as it is known and whenever it changes; returns how to stop. */
  subscribe(id: string, listener: Listener): () => void {
    const known = this.#watched.get(id);
    const own: Watched = known ?? { seen: undefined, looks: 0, listeners: new Set(), enders: new Set() };
    if (known === undefined) {
      this.#watched.set(id, own);
      this.#pollIn(FIRST_POLL_MS);
    } else if (known.seen !== undefined) {
      const { seen } = known;
      queueMicrotask(() => own.listeners.has(listener) && listener(seen));
    }
    own.listeners.add(listener);
    return () => {
      own.listeners.delete(listener);
      if (own.listeners.size === 0 && this.#watched.get(id) === own) this.#watched.delete(id);
    };
  }

  /**
   * Waits until the execution is terminal, `timeoutMs` are over or `signal` aborts; the last state known, or undefined. `ended`: a
   * worker of this process says that it is terminal.
   */
  async untilTerminal(
    id: string,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Seen | 'ended' | undefined> {
    const over = Promise.withResolvers<void>();
    let last: Seen | 'ended' | undefined;
    const stop = this.subscribe(id, (state) => {
      last = state;
      if (state === null || isTerminalExecution(state.status)) over.resolve();
    });
    const { enders } = this.#watched.get(id)!;
    const end = () => {
      last = 'ended';
      over.resolve();
    };
    enders.add(end);
    const timer = setTimeout(over.resolve, timeoutMs);
    const leave = () => over.resolve();
    signal.addEventListener('abort', leave);
    if (signal.aborted || this.#isClosed) over.resolve();
    try {
      await over.promise;
      return last;
    } finally {
      clearTimeout(timer);
      // What depends on a signal that lives on is kept for as long as it has a listener.
      signal.removeEventListener('abort', leave);
      enders.delete(end);
      stop();
    }
  }

  /** A worker of this process says that it has ended. */
  notice(id: string): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    for (const end of watched.enders) end();
    if (watched.listeners.size > watched.enders.size) this.#pollIn(0);
  }

  /** Where it stands now; undefined: it cannot be read. */
  async look(id: string): Promise<Seen | undefined> {
    try {
      const [state = null] = await loadExecutionStates(this.#pool, [id]);
      return state;
    } catch (error) {
      this.#log.debug('an execution that has ended could not be read', { error: String(error) });
      return undefined;
    }
  }

  /** Asks no more; who waits goes on by its own timer. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #pollIn(ms: number): void {
    if (this.#isClosed || this.#isPolling || this.#watched.size === 0) return;
    const dueAtMs = performance.now() + ms;
    if (this.#timer !== null && this.#dueAtMs <= dueAtMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#poll();
    }, ms);
  }

  async #poll(): Promise<void> {
    const ids = [...this.#watched.keys()];
    if (ids.length === 0) return;
    this.#isPolling = true;
    let pauseMs = this.#pollMs;
    try {
      const states = new Map((await loadExecutionStates(this.#pool, ids)).map((state) => [state.id, state]));
      for (const id of ids) this.#note(id, states.get(id) ?? null);
    } catch (error) {
      this.#log.debug('executions that are waited for could not be read', { error: String(error) });
      pauseMs = OUTAGE_POLL_MS;
    } finally {
      this.#isPolling = false;
    }
    const looks = Math.min(...[...this.#watched.values()].map((watched) => watched.looks), MANY_LOOKS);
    this.#pollIn(pauseMs === OUTAGE_POLL_MS ? pauseMs : Math.min(pauseMs, FIRST_POLL_MS * 2 ** looks));
  }

  #note(id: string, state: Seen): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    watched.looks++;
    if (isSame(watched.seen, state)) return;
    watched.seen = state;
    for (const listener of [...watched.listeners]) listener(state);
  }
}

function isSame(a: Seen | undefined, b: Seen): boolean {
  if (a === undefined) return false;
  return a?.status === b?.status && a?.nextSeq === b?.nextSeq;
}
