// What every route works with; one object per process, made by the command line or a test.

import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Database } from '../../db/connection/connection.ts';
import type { SecretStore } from '../../tasks/installation-secrets.ts';
import type { TaskType } from '../../tasks/task-type.ts';
import type { SecretBox } from '../../triggers/secrets/secret-box.ts';
import type { Starts } from '../../triggers/starts/starts.ts';
import type { SenderCertificates } from '../../triggers/webhooks/certificates.ts';
import type { Health } from '../process/health.ts';
import type { Metrics } from '../process/metrics.ts';

export interface ApiContext {
  /** Of its own: requests and the engine's work do not wait for each other's connections. */
  readonly database: Database;
  readonly log: TaskLog;
  readonly types: ReadonlyMap<string, TaskType>;
  readonly rules: ReadonlyMap<string, TaskTypeRule>;
  readonly starts: Starts;
  readonly secretBox: SecretBox;
  readonly secrets: SecretStore;
  /** Where callers reach it, without a slash at the end. */
  readonly publicUrl: string;
  /** GET through the guard, for confirmations of subscriptions; its status. Absent: nothing is fetched from here. */
  readonly fetchStatus?: (url: URL) => Promise<number>;
  /** Those that senders of webhooks sign with. Absent: none can be had. */
  readonly certificates?: SenderCertificates;
  readonly settings: HttpSettings;
  /** Calls back for each execution that a worker of this process ends, until it is stopped; absent: there is no worker. */
  readonly onExecutionEnded?: (listener: (executionId: string) => void) => () => void;
  readonly health: Health;
  readonly metrics: Metrics;
}

export interface HttpSettings {
  /** DAGWRIGHT_ADMIN_KEY. */
  readonly adminKey?: string | undefined;
  /** Requests a second of one key, or of one address where there is no key. */
  readonly rateLimit: number;
  /** Whether the word of this address is taken for where a request comes from; absent: of none. */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** It listens on loopback addresses only, so it may run open while no key is configured. */
  readonly isLoopback: boolean;
  /** Of event streams, in milliseconds: how often a quiet one says something (15 000), and after how long without a byte taken a reader is cut off (60 000). */
  readonly streamHeartbeatMs?: number;
  readonly streamStalledMs?: number;
}
