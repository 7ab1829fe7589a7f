// Connections to PostgreSQL: one pool for the engine's work, under the engine's role, and transactions under the
// tenant's role for everything done in a tenant's name.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ROLES } from './migrate.ts';

// bigint columns here are counters and milliseconds, all below 2^53; instants are handed out as ISO strings.
const INT8 = 20;
const TIMESTAMPTZ = 1184;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number;
    if (oid === TIMESTAMPTZ) return (text: string) => new Date(text).toISOString();
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

export interface Database {
  /** Work of the engine: all tenants, by explicit policy. */
  readonly engine: pg.Pool;
  readonly url: string;
  /** Runs `work` in one transaction that can see and touch only this tenant's rows. */
  withTenant<T>(tenantId: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connection settings shared by every connection of the engine's role. */
export function engineConnection(url: string, name: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: name,
    options: `-c role=${ROLES.engine} -c timezone=UTC -c idle_in_transaction_session_timeout=15000 -c lock_timeout=10000 -c statement_timeout=60000`,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    types,
  };
}

/** Opens the pools; connects lazily. `max` is the number of connections for work. */
export function openDatabase(url: string, options: { max?: number; name?: string } = {}): Database {
  const name = options.name ?? 'dagwright';
  const engine = createPool({
    ...engineConnection(url, name),
    max: options.max ?? 6,
    idleTimeoutMillis: 30_000,
  });
  const tenant = createPool({
    ...engineConnection(url, name),
    options: '-c timezone=UTC -c idle_in_transaction_session_timeout=15000 -c statement_timeout=60000',
    max: 4,
    idleTimeoutMillis: 5_000,
  });
  return {
    engine,
    url,
    async withTenant(tenantId, work) {
      const client = await tenant.connect();
      let broken: Error | undefined;
      try {
        await client.query('begin');
        await client.query(`set local role ${ROLES.tenant}`);
        await client.query(`select set_config('app.current_tenant_id', $1, true)`, [tenantId]);
        const value = await work(client);
        await client.query('commit');
        return value;
      } catch (error) {
        await client.query('rollback').catch((failure: Error) => {
          broken = failure;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async close() {
      await Promise.all([engine.end(), tenant.end()]);
    },
  };
}

// An error on an idle connection must not end the process: the pool drops the connection, the next query opens another.
function createPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Whether an error says that the connection or the server went away, so that the fate of the statement is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') {
    // 25P03, 25P04: a process that stood still within a transaction lost it together with its connection.
    if (/^(08|57P0[1-5]|53|25006|25P0[34])/.test(code)) return true;
    if (/^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)$/.test(code))
      return true;
    if (/^[0-9A-Z]{5}$/.test(code)) return false;
  }
  return /Connection terminated|timeout exceeded when trying to connect|not queryable|Client has encountered a connection error/i.test(
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
