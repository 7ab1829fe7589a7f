// Log lines of what was refused at the door: it can be seen, and whoever knocks cannot fill the log. No line holds anything of a
// key but its id, and of what is no key of ours nothing at all.
import type { JsonObject } from '../../core/json.ts';
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

/** A delivery to a path that takes none. Who sent it is told only 401, as for a bad signature. */
export interface RefusedDelivery {
  readonly address: string | undefined;
  readonly requestId: string;
  readonly path: string;
  readonly reason: string;
}

interface RefusalLine {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

export class RefusalLog<Refused extends { readonly address: string | undefined }> {
  readonly #write: (fields: JsonObject) => void;
  readonly #all: RateLimit;
  readonly #byAddress: RateLimit;
  #untold = 0;

  constructor(log: TaskLog, { level, message }: RefusalLine, nowMs?: () => number) {
    this.#write = (fields) => log[level](message, fields);
    this.#all = new RateLimit(LINES, nowMs);
    this.#byAddress = new RateLimit(LINES_OF_ADDRESS, nowMs);
  }

  note(refused: Refused): void {
    if (this.#byAddress.take(refused.address ?? '') < 0 || this.#all.take('') < 0) {
      this.#untold++;
      return;
    }
    this.#write({ ...refused, address: refused.address ?? null, untold: this.#untold });
    this.#untold = 0;
  }
}
