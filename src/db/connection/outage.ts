// Tells an operator of a database that is away: one line when an outage begins and one when it has ended, however long it
// lasts; the heartbeat is what notices it. And of one that answers but has no room: heartbeats do not notice a full disk.
import type { TaskLog } from '../../core/log-lines.ts';
import { isStorageFault } from './storage-fault.ts';

/** PostgreSQL's class of errors about resources: disk full, out of memory, too many connections. */
const NO_RESOURCES = /^53/;
const REPEAT_MS = 60_000;

export class Outage {
  readonly #log: TaskLog;
  readonly #who: string;
  /** When the first beat was missed, on the monotonic clock; null while the database answers. */
  #sinceMs: number | null = null;
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: TaskLog, who = 'this worker') {
    this.#log = log;
    this.#who = who;
  }

  /** A beat was missed. */
  note(error: string): void {
    if (this.#sinceMs !== null) return;
    this.#sinceMs = performance.now();
    this.#log.warn(`the database does not answer; ${this.#who} waits for it`, { error });
  }

  /** A beat arrived. */
  end(): void {
    if (this.#sinceMs === null) return;
    const afterMs = Math.round(performance.now() - this.#sinceMs);
    this.#sinceMs = null;
    this.#log.info('the database answers again', { afterMs });
  }

  /** A statement failed and will be sent again. Says so at most once a minute, and only of a lack of resources and of a disk. */
  refused(error: unknown): void {
    const code = (error as { code?: unknown } | null)?.code;
    const hasNoRoom = typeof code === 'string' && NO_RESOURCES.test(code);
    if (!hasNoRoom && !isStorageFault(error)) return;
    if (performance.now() - this.#refusedAtMs < REPEAT_MS) return;
    this.#refusedAtMs = performance.now();
    const what = hasNoRoom ? 'lacks room or connections' : 'cannot read or write its files';
    this.#log.error(`the database ${what}; this worker tries again`, {
      code: String(code),
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
