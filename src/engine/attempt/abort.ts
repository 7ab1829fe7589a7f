// Why an attempt ends early, and what is thrown into it then.

export type AbortReason = 'timeout' | 'cancelled' | 'lost' | 'shutdown';

/** Thrown into an attempt that must end early. */
export class AttemptAbort extends Error {
  readonly reason: AbortReason;
  constructor(reason: AbortReason) {
    super(`aborted: ${reason}`);
    this.name = 'AbortError';
    this.reason = reason;
  }
}
