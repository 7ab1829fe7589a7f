// What the calls of the library take.
import type { Json, JsonObject } from '../core/json.ts';
import type { TaskLog } from '../core/log-lines.ts';
import type { CustomTaskType } from '../tasks/custom-task.ts';

export interface ConnectOptions {
  /** PostgreSQL 15 to 18; absent: DATABASE_URL, and where that is not set, an embedded server. */
  readonly databaseUrl?: string;
  /** The way past a pooler, where `databaseUrl` is one; absent: DIRECT_DATABASE_URL. */
  readonly directDatabaseUrl?: string;
  /** Folder of the embedded server; absent: DAGWRIGHT_HOME, or `.dagwright` in the current folder. */
  readonly home?: string;
  /** A throw-away embedded server, for tests: it is gone after `close`. */
  readonly ephemeral?: boolean;
  /** Brings a given database up to date; embedded ones always are. */
  readonly migrate?: boolean;
  /** The name of the tenant in whose name all is done; absent: `default`. */
  readonly tenant?: string;
  /** Types of one's own, which definitions may use and workers of this process run. */
  readonly tasks?: readonly CustomTaskType[];
  /** Who acts, for the audit trail and `createdBy`; absent: `library`. */
  readonly actor?: string;
  /** Goes before the environment of the process: secrets, keys of providers, allowed hosts. See docs/operations.md. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Absent: warnings and errors go to the console. */
  readonly log?: TaskLog;
}

/** A connection of `pg`, or whatever runs statements on one. */
export interface TransactionClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface StartOptions {
  /** The same key returns the first execution of that workflow; with another request it is refused as `key_reused`. */
  readonly idempotencyKey?: string;
  /** 1 to 10, higher first; 5 where absent. */
  readonly priority?: number;
  /** To find it by; at most 16 KB. */
  readonly metadata?: JsonObject;
  /** Not opened before this instant. */
  readonly runAt?: Date;
  /** Absent: the one that starts take now. */
  readonly revision?: number;
  /**
   * Starts it in the transaction of this connection: it exists once that is committed, and is rolled back with it. The connection
   * has its statement; its login needs `grant dagwright_caller to …`.
   */
  readonly client?: TransactionClient;
}

export interface WaitOptions {
  /** Throws a DagwrightError `timeout` then; the execution goes on. Absent: waits as long as it takes. */
  readonly timeoutMs?: number;
  /** Throws its reason; the execution goes on. */
  readonly signal?: AbortSignal;
}

export interface EventsOptions {
  /** Goes on after the event with this `seq`. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

export interface WorkerOptions {
  /** Attempts at once; absent: DAGWRIGHT_CONCURRENCY, or 16. */
  readonly concurrency?: number;
  /** Also looks after schedules and events; absent: no. */
  readonly scheduler?: boolean;
}

/** Any input that is JSON. */
export type JsonInput = Json | object;
