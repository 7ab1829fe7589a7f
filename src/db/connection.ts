// Connections to PostgreSQL: one pool for the engine's work, under the engine's role, and transactions under the
// tenant's role for everything done in a tenant's name. Every statement is limited twice: by the server, and a little
// later by the client, for a server that cannot be reached any more though no socket says so.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { BoundedClient, isReadTimeout } from './bounded-client.ts';
import { poolerClient } from './pooler-client.ts';
import { ROLES } from './roles.ts';
import { inTransaction } from './transaction.ts';

// bigint columns here are counters and milliseconds, all below 2^53; instants are handed out as ISO strings.
const INT8 = 20;
const TIMESTAMPTZ = 1184;
const NUMERIC = 1700;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number;
    if (oid === NUMERIC) return trimScale;
    if (oid === TIMESTAMPTZ) return (text: string) => new Date(text).toISOString();
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

// Sums keep the widest scale of their parts: 0.30 is 0.3, as money.ts writes it.
function trimScale(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export interface Database {
  /** Work of the engine: all tenants, by explicit policy. */
  readonly engine: pg.Pool;
  readonly url: string;
  /** Past a pooler, for what needs a session of its own: LISTEN, locks, the queue. Else the same as `url`. */
  readonly directUrl: string;
  /** Runs `work` in one transaction that can see and touch only this tenant's rows. */
  withTenant<T>(tenantId: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Settings of a session; times in milliseconds. */
type Settings = { readonly statement_timeout: number } & Readonly<Record<string, string | number>>;

const ENGINE: Settings = {
  role: ROLES.engine,
  timezone: 'UTC',
  idle_in_transaction_session_timeout: 15_000,
  lock_timeout: 10_000,
  statement_timeout: 20_000,
};
const TENANT: Settings = {
  timezone: 'UTC',
  idle_in_transaction_session_timeout: 15_000,
  statement_timeout: 60_000,
};
/** How much later than the server the client gives a statement up, in milliseconds. */
const CLIENT_LIMIT_LATER_MS = 3_000;

/** Connection settings shared by every connection of the engine's role. */
export function engineConnection(url: string, name: string): pg.ClientConfig {
  return { ...connectionOf(url, name, ENGINE), options: startupOptions(ENGINE) };
}

function connectionOf(url: string, name: string, settings: Settings): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: name,
    query_timeout: settings.statement_timeout + CLIENT_LIMIT_LATER_MS,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  };
}

const startupOptions = (settings: Settings) =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');

const localSettings = (settings: Settings) =>
  Object.entries(settings)
    .map(([name, value]) => `set local ${name} = ${typeof value === 'number' ? value : `'${value}'`}`)
    .join('; ');

/**
 * Opens the pools; connects lazily. `max` is the number of connections for work. With a `directUrl` of its own, `url` is
 * taken for a pooler in transaction mode.
 */
export function openDatabase(
  url: string,
  options: { readonly max?: number; readonly name?: string; readonly directUrl?: string | undefined } = {},
): Database {
  const directUrl = options.directUrl ?? url;
  const open = (settings: Settings, size: pg.PoolConfig) =>
    createPool({
      ...connectionOf(url, options.name ?? 'dagwright', settings),
      ...(directUrl === url
        ? { options: startupOptions(settings) }
        : { Client: poolerClient(localSettings(settings)) as new () => pg.ClientBase }),
      ...size,
    });
  const engine = open(ENGINE, { max: options.max ?? 6, idleTimeoutMillis: 30_000 });
  const tenant = open(TENANT, { max: 4, idleTimeoutMillis: 5_000 });
  return {
    engine,
    url,
    directUrl,
    async withTenant(tenantId, work) {
      return await inTransaction(tenant, async (client) => {
        await client.query(`set local role ${ROLES.tenant}`);
        await client.query(`select set_config('app.current_tenant_id', $1, true)`, [tenantId]);
        return await work(client);
      });
    },
    async close() {
      await Promise.all([engine.end(), tenant.end()]);
    },
  };
}

/**
 * A pool of connections that give up. An error on an idle one must not end the process: the pool drops the connection,
 * the next query opens another.
 */
export function createPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ Client: BoundedClient as new () => pg.ClientBase, ...config });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Whether an error says that the connection or the server went away, so that the fate of the statement is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isReadTimeout(error)) return true;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') {
    // 25P03, 25P04: a process that stood still within a transaction lost it together with its connection.
    if (/^(08|57P0[1-5]|53|25006|25P0[34])/.test(code)) return true;
    if (/^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)$/.test(code))
      return true;
    if (/^[0-9A-Z]{5}$/.test(code)) return false;
  }
  return /Connection terminated|timeout exceeded when trying to connect|timeout expired|not queryable|Client has encountered a connection error|Received unexpected \w+ message/i.test(
    error.message,
  );
}

/** Deadlock, serialisation failure, lock timeout: the transaction did nothing and may be tried again. */
export function isRetryable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(40|55P03|57014)/.test(code);
}

/** Runs what may be run twice until the database answers: through outages without end, through conflicts a while. */
export async function untilAnswered<T>(
  work: () => Promise<T>,
  onFailure: (error: unknown) => void = () => {},
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error) && !(isRetryable(error) && failures < 20)) throw error;
      onFailure(error);
      await delay(Math.min(1000, 20 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
    }
  }
}
