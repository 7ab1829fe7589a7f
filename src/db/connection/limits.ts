// How long a connection waits, in milliseconds. The numbers here are those of production; tests shorten them.

/** Of a statement, by the server, and how much later the client gives it up. */
export interface StatementLimit {
  readonly ms: number;
  readonly laterMs: number;
}

export interface Limits {
  /** For a connection: until it is made, and until there is one free in the pool. */
  readonly connectMs: number;
  /** For a turn in the share of a tenant. */
  readonly shareMs: number;
  /**
   * For the next statement of a transaction: then the server ends it, with its locks. It is not told when a network has
   * forgotten the connection, and what waits for those locks would wait for so long.
   */
  readonly idleMs: number;
  /** Work of the engine's role. */
  readonly engine: StatementLimit;
  /** Work in a tenant's name. */
  readonly tenant: StatementLimit;
  /** The one-second loop goes on without an answer after this long. */
  readonly loopMs: number;
  /** Of the queue: a fetch that hangs holds up all others. */
  readonly queue: StatementLimit;
  /** A listening connection is asked so often whether it still is one, and has so long to answer. */
  readonly listener: { readonly everyMs: number; readonly ms: number };
  /** A beat, and how long it may go unanswered before it is sent over another connection as well. */
  readonly beat: StatementLimit & { readonly doubtMs: number };
  /** See silence.ts. */
  readonly silence: SilenceLimits;
}

export interface SilenceLimits {
  /** A statement that goes unanswered for so long makes its connection doubtful. */
  readonly doubtMs: number;
  /** How long the witness has to answer before a new connection is made. */
  readonly witnessMs: number;
  /** How long that one has. */
  readonly connectMs: number;
}

export const LIMITS: Limits = {
  connectMs: 5_000,
  shareMs: 5_000,
  idleMs: 5_000,
  engine: { ms: 20_000, laterMs: 3_000 },
  tenant: { ms: 60_000, laterMs: 3_000 },
  loopMs: 10_000,
  queue: { ms: 10_000, laterMs: 2_000 },
  listener: { everyMs: 8_000, ms: 5_000 },
  beat: { ms: 5_000, laterMs: 1_000, doubtMs: 2_000 },
  silence: { doubtMs: 2_000, witnessMs: 1_000, connectMs: 3_000 },
};

/** Someone waits for the answer to a request: what takes longer is better refused and sent again. */
const OF_A_REQUEST: StatementLimit = { ms: 5_000, laterMs: 1_000 };
export const REQUEST_LIMITS: Limits = { ...LIMITS, engine: OF_A_REQUEST, tenant: OF_A_REQUEST };
