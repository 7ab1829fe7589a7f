// Connections to PostgreSQL: one pool for the engine's work, under the engine's role, and transactions under the
// tenant's role for everything done in a tenant's name. Every statement is limited twice: by the server, and a little
// later by the client, for a server that cannot be reached any more though no socket says so.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { storableText } from '../../core/json.ts';
import { isReadTimeout } from './bounded-client.ts';
import { BoundedPool } from './bounded-pool.ts';
import { LIMITS, type Limits, REQUEST_LIMITS, type StatementLimit } from './limits.ts';
import { poolerClient } from './pooler-client.ts';
import { ROLES } from './roles.ts';
import { Shares } from './shares.ts';
import { SilenceWatch } from './silence.ts';
import { isStorageFault } from './storage-fault.ts';
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

/** Something that runs statements: a pool, or a connection within a transaction. */
export type Queryable = Pick<pg.Pool, 'query'>;

/** In whose name a transaction acts: what row-level security lets it see, and what the audit trail says. */
export interface Acting {
  readonly tenantId: string;
  /** `key:<id>`, or the subject that stands behind it (CONTRACT 6). */
  readonly actor: string;
  /** IP address of the client, where it came over HTTP. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** Who acts upon what belongs to the installation, in a transaction of the engine's role. */
export type Operator = Omit<Acting, 'tenantId'>;

export interface Database {
  /** Work of the engine: all tenants, by explicit policy. */
  readonly engine: pg.Pool;
  /** How its connections are used, by pool. */
  readonly pools: Readonly<Record<'engine' | 'tenant', PoolUse>>;
  readonly url: string;
  /** Past a pooler, for what needs a session of its own: LISTEN, locks, the queue. Else the same as `url`. */
  readonly directUrl: string;
  /** How long its connections wait. */
  readonly limits: Limits;
  /** Runs `work` in one transaction that can see and touch only this tenant's rows; a bare id acts as `system`. */
  withTenant<T>(acting: Acting | string, work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction of the engine's role, which sees all tenants; changes are audited as the actor's. With
   * a tenant it takes a connection of that tenant's share.
   */
  asEngine<T>(acting: Operator & Partial<Acting>, work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Runs work on `engine` that others must not have to wait for, in the share of its name. Throws ShareUsedUp. */
  inShare<T>(name: string, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connections open, those of them that are idle, and callers that wait for one. */
export type PoolUse = Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount'>;

/** Settings of a session besides the limit of a statement; times in milliseconds. */
type Settings = Readonly<Record<string, string | number>>;

const ENGINE: Settings = {
  role: ROLES.engine,
  timezone: 'UTC',
  lock_timeout: 10_000,
  'app.actor': 'system',
};
const TENANT: Settings = {
  // Of the session: what runs outside of a transaction that names its tenant sees no rows.
  role: ROLES.tenant,
  timezone: 'UTC',
  // Rows of a tenant lie among those of others: with the default of 4 the planner would rather walk through what all tenants have,
  // newest first, than look up the tenant's own by its index. What is asked for often is in memory or on an SSD.
  random_page_cost: 1.1,
};
/** A request that waits for a lock is refused a little before its statement would be. */
const OF_REQUESTS: Settings = { lock_timeout: 4_000 };

/** Connection settings shared by every connection of the engine's role. */
export function engineConnection(url: string, name: string, limits = LIMITS): pg.ClientConfig {
  const { connectMs, engine } = limits;
  return {
    ...connectionOf(url, name, connectMs, engine),
    options: startupOptions(withLimits(ENGINE, engine, limits)),
  };
}

function connectionOf(
  url: string,
  name: string,
  connectMs: number,
  { ms, laterMs }: StatementLimit,
): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: name,
    query_timeout: ms + laterMs,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  };
}

const withLimits = (settings: Settings, { ms }: StatementLimit, { idleMs }: Limits): Settings => ({
  ...settings,
  statement_timeout: ms,
  idle_in_transaction_session_timeout: idleMs,
});

const startupOptions = (settings: Settings) =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');

const localSettings = (settings: Settings) =>
  Object.entries(settings)
    .map(([name, value]) => `set local ${name} = ${typeof value === 'number' ? value : `'${value}'`}`)
    .join('; ');

/** The actor of what nobody asked for: schedules, the engine itself. */
export const SYSTEM = 'system';

// One text without parameters, so that it goes with the `begin`.
function tenantSettings(acting: Acting): string {
  return setLocal({ 'app.current_tenant_id': acting.tenantId, ...actingAs(acting) });
}

function actingAs(acting: Operator): Readonly<Record<string, string>> {
  const [actor, address, userAgent] = actingValues(acting);
  return { 'app.actor': actor, 'app.address': address, 'app.user_agent': userAgent };
}

/** Who acts as the settings app.actor, app.address and app.user_agent say it. */
export function actingValues({
  actor,
  address,
  userAgent,
}: Operator): readonly [actor: string, address: string, userAgent: string] {
  return [actor, address ?? '', storableText(userAgent ?? '', 500)];
}

const setLocal = (settings: Readonly<Record<string, string>>) =>
  `select ${Object.entries(settings)
    .map(([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true)`)
    .join(', ')}`;

export interface DatabaseOptions {
  /** Connections for work of the engine's role. */
  readonly max?: number;
  /** Connections for work in a tenant's name. */
  readonly tenantMax?: number;
  readonly name?: string;
  /** With one of its own, `url` is taken for a pooler in transaction mode. */
  readonly directUrl?: string | undefined;
  /**
   * For the HTTP service: a statement gets 5 s, and nothing hangs for longer than 6 s on a server that went silent. No
   * tenant holds all connections: it may have five of eight for its own work, two of six of the engine's.
   */
  readonly forRequests?: boolean;
  /** Other than those of `forRequests`, or the usual. */
  readonly limits?: Limits;
}

/** Opens the pools; connects lazily. */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const directUrl = options.directUrl ?? url;
  const name = options.name ?? 'dagwright';
  const limits = options.limits ?? (options.forRequests ? REQUEST_LIMITS : LIMITS);
  const silence = new SilenceWatch(url, { name, limits: limits.silence });
  const hasOwnSessions = directUrl === url;
  const open = (
    usual: Settings,
    limit: StatementLimit,
    size: pg.PoolConfig & { readonly pipeline?: boolean },
  ) => {
    const own = options.forRequests ? { ...usual, ...OF_REQUESTS } : usual;
    const settings = withLimits(own, limit, limits);
    const pool = new BoundedPool({
      ...connectionOf(url, name, limits.connectMs, limit),
      ...(hasOwnSessions
        ? { options: startupOptions(settings) }
        : { Client: poolerClient(localSettings(settings)) as new () => pg.ClientBase }),
      ...size,
    });
    silence.watch(pool);
    return pool;
  };
  const { max = 6, tenantMax = 4 } = options;
  const engine = open(ENGINE, limits.engine, { max, idleTimeoutMillis: 30_000 });
  const tenant = open(TENANT, limits.tenant, {
    ...{ max: tenantMax, idleTimeoutMillis: 5_000 },
    pipeline: hasOwnSessions,
  });
  const sharesOf = (part: number) =>
    new Shares({
      most: options.forRequests ? Math.ceil(part) : Number.POSITIVE_INFINITY,
      waitMs: limits.shareMs,
    });
  const tenantShares = sharesOf(tenantMax * 0.6);
  const engineShares = sharesOf(max / 3);
  return {
    engine,
    pools: { engine, tenant },
    url,
    directUrl,
    limits,
    async withTenant(acting, work) {
      const who = typeof acting === 'string' ? { tenantId: acting, actor: SYSTEM } : acting;
      const begin = { settings: tenantSettings(who), isPipelined: hasOwnSessions };
      return await tenantShares.run(who.tenantId, () => inTransaction(tenant, work, begin));
    },
    async asEngine(acting, work) {
      const run = () => inTransaction(engine, work, { settings: setLocal(actingAs(acting)) });
      return acting.tenantId === undefined ? await run() : await engineShares.run(acting.tenantId, run);
    },
    inShare: (name, work) => engineShares.run(name, work),
    async close() {
      silence.close();
      await Promise.all([engine.end(), tenant.end()]);
    },
  };
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

/**
 * Deadlock, serialisation failure, lock timeout, statement timeout, files of the server that failed it: the transaction did nothing,
 * by no fault of what it was given, and may be tried again.
 */
export function isRetryable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return (typeof code === 'string' && /^(40|55P03|57014)/.test(code)) || isStorageFault(error);
}

/** Whether the server gave the statement up as too slow. It may be tried again, but soon it will be as slow. */
export function isStatementTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '57014';
}

/** Whether the server gave up waiting for a lock. Sent again at once, it would wait as long. */
export function isLockTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '55P03';
}

/** Runs what may be run twice until the database answers: no outage, lock or conflict fails it, however long it lasts. */
export async function untilAnswered<T>(
  work: () => Promise<T>,
  onFailure: (error: unknown) => void = () => {},
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error) && !isRetryable(error)) throw error;
      onFailure(error);
      await delay(Math.min(1000, 20 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
    }
  }
}
