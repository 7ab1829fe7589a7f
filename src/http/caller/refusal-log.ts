// Log lines of callers that were refused: who tries keys can be seen, and cannot fill the log. No line holds anything of a key but
// its id, and of what is no key of ours nothing at all.
import type { TaskLog } from '../../core/log-lines.ts';
import { RateLimit } from './rate-limit.ts';

/** Lines a second; and of one address. */
const LINES = 5;
const LINES_OF_ADDRESS = 1;

export interface RefusedCaller {
  readonly address: string | undefined;
  readonly requestId: string;
  readonly route: string;
  readonly code: string;
  /** Null: it showed none that could be one. */
  readonly keyId: string | null;
  /** What is not told to the caller. */
  readonly reason: string;
}

export class RefusalLog {
  readonly #log: TaskLog;
  readonly #all: RateLimit;
  readonly #byAddress: RateLimit;
  #untold = 0;

  constructor(log: TaskLog, nowMs?: () => number) {
    this.#log = log;
    this.#all = new RateLimit(LINES, nowMs);
    this.#byAddress = new RateLimit(LINES_OF_ADDRESS, nowMs);
  }

  note(refused: RefusedCaller): void {
    if (this.#byAddress.take(refused.address ?? '') < 0 || this.#all.take('') < 0) {
      this.#untold++;
      return;
    }
    this.#log.warn('a caller was refused', {
      ...refused,
      address: refused.address ?? null,
      untold: this.#untold,
    });
    this.#untold = 0;
  }
}
