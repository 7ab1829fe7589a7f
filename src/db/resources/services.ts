// Limits and circuit breakers of outside services, as all workers share them.

import type pg from 'pg';
import type { SharedState } from '../../core/breaker.ts';
import { within } from '../connection/bounded-client.ts';
import { type BoundedPage, pageOfRows } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';

/** Null: not limited. */
export interface ServiceLimit {
  readonly maxConcurrency: number | null;
  /** Calls that may start within any `rateIntervalMs`. */
  readonly rateLimit: number | null;
  readonly rateIntervalMs: number | null;
}

export const NO_LIMIT: ServiceLimit = { maxConcurrency: null, rateLimit: null, rateIntervalMs: null };

/** What all workers know of services; one that is not named has no limit, and its breaker is closed. */
export interface KnownServices {
  readonly limits: ReadonlyMap<string, ServiceLimit>;
  readonly states: ReadonlyMap<string, SharedState>;
}

/** Statements here are short: a call waits for them. */
const ANSWER_MS = 5_000;
/** Breakers that stand open and are not probed any more belong to services that nobody calls. */
const FORGOTTEN = `interval '1 hour'`;

/** Breakers that are looked at: those that changed last. */
const MAX_STATES = 1_000;

const STATE = `s.openings, coalesce(extract(epoch from s.open_until - clock_timestamp()) * 1000, 0)::float8 as "openForMs",
  dagwright.is_probing_v1(s) as "isProbing", coalesce(extract(epoch from s.paused_until - clock_timestamp()) * 1000, 0)::float8 as "pausedForMs"`;

export async function readServices(db: Queryable): Promise<KnownServices> {
  const { rows } = await db.query<{ serviceId: string; limit: ServiceLimit | null } & SharedState>({
    name: 'read_services',
    text: `select service_id as "serviceId", json_build_object('maxConcurrency', max_concurrency, 'rateLimit', rate_limit,
        'rateIntervalMs', rate_interval_ms) as "limit", 0 as openings, 0::float8 as "openForMs", false as "isProbing", 0::float8 as "pausedForMs"
      from dagwright.service_limits
      union all
      (select s.service_id, null, ${STATE} from dagwright.service_states s
       where s.changed_at > clock_timestamp() - ${FORGOTTEN} order by s.changed_at desc limit ${MAX_STATES})`,
    ...within(ANSWER_MS),
  });
  const limits = new Map<string, ServiceLimit>();
  const states = new Map<string, SharedState>();
  for (const { serviceId, limit, ...state } of rows) {
    if (limit === null) states.set(serviceId, state);
    else limits.set(serviceId, limit);
  }
  return { limits, states };
}

/** What became of one wanted permit. */
export interface PermitAnswer {
  readonly permitId: string;
  readonly granted: boolean;
  /** It must be released. */
  readonly held: boolean;
  /** Granted: until the call may start. Else until it is worth asking again; null: when another call has ended. */
  readonly waitMs: number | null;
}

/** Gives permits back and asks for others, in one commit. Answers in the order of `wanted`. */
export async function exchangePermits(
  db: Queryable,
  exchange: {
    readonly serviceId: string;
    readonly workerId: string;
    readonly released: readonly string[];
    readonly wanted: readonly { readonly id: string; readonly tenantId: string }[];
    /** A start that is further away is not given. */
    readonly patienceMs: number;
  },
): Promise<PermitAnswer[]> {
  const { rows } = await db.query<PermitAnswer>({
    name: 'exchange_permits_v2',
    text: `select permit_id as "permitId", granted, held, wait_ms as "waitMs" from dagwright.exchange_permits_v2($1, $2, $3, $4, $5, $6)`,
    values: [
      exchange.serviceId,
      exchange.workerId,
      exchange.released,
      exchange.wanted.map(({ id }) => id),
      exchange.wanted.map(({ tenantId }) => tenantId),
      Math.round(exchange.patienceMs),
    ],
    ...within(ANSWER_MS),
  });
  const answers = new Map(rows.map((row) => [row.permitId, row]));
  return exchange.wanted.flatMap(({ id }) => answers.get(id) ?? []);
}

/** Opens a closed breaker; the state that all share from then on, also where another worker was first. */
export async function openService(
  db: Queryable,
  serviceId: string,
  opening: { readonly forMs: number; readonly code: string },
): Promise<SharedState> {
  await db.query({
    text: `delete from dagwright.service_states where changed_at < clock_timestamp() - ${FORGOTTEN}`,
    ...within(ANSWER_MS),
  });
  const { rows } = await db.query<SharedState>({
    text: `insert into dagwright.service_states as s (service_id, openings, open_until, last_error, changed_at)
      values ($1, 1, clock_timestamp() + $2 * interval '1 millisecond', $3, clock_timestamp())
      on conflict (service_id) do update set openings = 1, open_until = excluded.open_until, last_error = excluded.last_error,
        changed_at = excluded.changed_at where s.openings = 0
      returning ${STATE}`,
    values: [serviceId, opening.forMs, opening.code],
    ...within(ANSWER_MS),
  });
  return (
    rows[0] ??
    (await readState(db, serviceId)) ?? { openings: 0, openForMs: 0, isProbing: false, pausedForMs: 0 }
  );
}

/** Whether this call may be the one that tries an open service; null: the breaker is closed by now. */
export async function probeService(
  db: Queryable,
  serviceId: string,
  probe: { readonly id: string; readonly workerId: string },
): Promise<(SharedState & { readonly granted: boolean }) | null> {
  const { rows } = await db.query<SharedState & { granted: boolean }>({
    text: `select granted, openings, open_for_ms as "openForMs", is_probing as "isProbing", paused_for_ms as "pausedForMs"
      from dagwright.probe_service_v1($1, $2, $3)`,
    values: [serviceId, probe.workerId, probe.id],
    ...within(ANSWER_MS),
  });
  return rows[0] ?? null;
}

/** How a probe ended: closed, opened anew for so long, or given up for another to try. Nothing where it no longer counts. */
export async function endProbe(
  db: Queryable,
  serviceId: string,
  probeId: string,
  end:
    | { readonly kind: 'closed' }
    | { readonly kind: 'opened'; readonly forMs: number; readonly code: string }
    | { readonly kind: 'given_up' },
): Promise<void> {
  const changes = {
    closed: 'openings = 0, open_until = null',
    opened: `openings = openings + 1, open_until = clock_timestamp() + $3 * interval '1 millisecond', last_error = $4`,
    given_up: 'openings = openings',
  }[end.kind];
  await db.query({
    text: `update dagwright.service_states set ${changes}, probe_id = null, probe_worker_id = null, probe_started_at = null,
      changed_at = clock_timestamp() where service_id = $1 and probe_id = $2`,
    values: [serviceId, probeId, ...(end.kind === 'opened' ? [end.forMs, end.code] : [])],
    ...within(ANSWER_MS),
  });
  if (end.kind === 'closed')
    await db.query({
      text: `delete from dagwright.service_states where service_id = $1 and openings = 0
        and coalesce(paused_until, '-infinity') < clock_timestamp()`,
      values: [serviceId],
      ...within(ANSWER_MS),
    });
}

/** The service asked for no calls for so long. */
export async function pauseService(
  db: Queryable,
  serviceId: string,
  pause: { readonly forMs: number; readonly code: string },
): Promise<void> {
  await db.query({
    text: `insert into dagwright.service_states as s (service_id, paused_until, last_error, changed_at)
      values ($1, clock_timestamp() + $2 * interval '1 millisecond', $3, clock_timestamp())
      on conflict (service_id) do update set paused_until = greatest(s.paused_until, excluded.paused_until),
        last_error = excluded.last_error, changed_at = excluded.changed_at`,
    values: [serviceId, pause.forMs, pause.code],
    ...within(ANSWER_MS),
  });
}

/**
 * Closes the breakers of a service (`service`, of all tenants; or `service@tenant`) and ends pauses, and says so in the audit
 * trail; false: there was nothing to end.
 */
export async function resetService(client: pg.ClientBase, serviceId: string): Promise<boolean> {
  const { rows } = await client.query<{ serviceId: string; openings: number; lastError: string | null }>(
    `delete from dagwright.service_states where service_id = $1 or starts_with(service_id, $1 || '@')
     returning service_id as "serviceId", openings, last_error as "lastError"`,
    [serviceId],
  );
  if (rows.length === 0) return false;
  await client.query(`select dagwright.audit_v1(null, 'services.reset', 'services', $1, $2, null)`, [
    serviceId,
    JSON.stringify({ heldBack: rows }),
  ]);
  return true;
}

/** Changes what `change` names; the limits from then on. */
export async function setServiceLimit(
  db: Queryable,
  serviceId: string,
  change: Partial<ServiceLimit>,
): Promise<ServiceLimit> {
  const { rows } = await db.query<ServiceLimit>(
    `select max_concurrency as "maxConcurrency", rate_limit as "rateLimit", rate_interval_ms as "rateIntervalMs"
     from dagwright.change_service_limit_v1($1, $2)`,
    [serviceId, JSON.stringify(change)],
  );
  return rows[0]!;
}

/** False where there was no limit. */
export async function removeServiceLimit(db: Queryable, serviceId: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from dagwright.service_limits where service_id = $1', [
    serviceId,
  ]);
  return (rowCount ?? 0) > 0;
}

/** One service as people see it: limited, or not well. */
export interface ServiceRow extends ServiceLimit, SharedState {
  readonly serviceId: string;
  /** Calls under way; known only with `maxConcurrency`. */
  readonly inFlight: number | null;
  readonly lastError: string | null;
}

/** By name, after the name `after`. Breakers are those of one tenant, which is told no numbers of others either; null: of all. */
export async function findServices(
  db: Queryable | pg.ClientBase,
  tenantId: string | null,
  page: { readonly limit: number; readonly after: string | null },
): Promise<BoundedPage<ServiceRow>> {
  const { rows } = await db.query<ServiceRow>(
    `select service_id as "serviceId", l.max_concurrency as "maxConcurrency", l.rate_limit as "rateLimit",
       l.rate_interval_ms as "rateIntervalMs", case when l.max_concurrency is not null and $1::text is null then
         (select count(*)::int from dagwright.service_permits p join dagwright.workers w on w.id = p.worker_id where p.service_id = l.service_id) end as "inFlight",
       coalesce(s.openings, 0) as openings, coalesce(s."openForMs", 0) as "openForMs", coalesce(s."isProbing", false) as "isProbing",
       coalesce(s."pausedForMs", 0) as "pausedForMs", s.last_error as "lastError"
     from dagwright.service_limits l full join
       (select s.service_id, s.last_error, ${STATE} from dagwright.service_states s
        where $1::text is null or right(s.service_id, 37) = '@' || $1 order by s.changed_at desc limit ${MAX_STATES}) s using (service_id)
     where $2::text is null or service_id > $2 order by service_id limit $3`,
    [tenantId, page.after, page.limit + 1],
  );
  return pageOfRows(rows, page.limit);
}

async function readState(db: Queryable, serviceId: string): Promise<SharedState | undefined> {
  const { rows } = await db.query<SharedState>({
    text: `select ${STATE} from dagwright.service_states s where s.service_id = $1`,
    values: [serviceId],
    ...within(ANSWER_MS),
  });
  return rows[0];
}
