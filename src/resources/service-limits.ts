// Outside services as people see them: their limits, which all workers share, and their circuit breakers. They are the
// installation's: `client` is of the engine's role. A breaker is of one tenant (`<service>@<tenant>`) and shown to it only.
import type pg from 'pg';
import { MAX_SERVICE_ID } from '../core/definition/schema/document.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting, Operator, Queryable } from '../db/connection/connection.ts';
import type { ServiceLimit, ServiceRow } from '../db/resources/services.ts';
import * as rows from '../db/resources/services.ts';
import { done, invalid, notFound, type Outcome, type Refused } from './outcome.ts';
import type { TextRule } from './text-rule.ts';

const BY = 'a provider (openai), a host (api.example.com), or the serviceId of a definition';
/** Whatever a definition may name can be limited. */
export const SERVICE_ID = {
  pattern: new RegExp(`^[\\s\\S]{1,${MAX_SERVICE_ID}}$`, 'u'),
  expected: `1 to ${MAX_SERVICE_ID} characters: ${BY}`,
} as const satisfies TextRule;
const TENANT_PART = 37;
/** Also `<service>@<tenant>`, as the list names breakers. */
export const BREAKER_ID = {
  pattern: new RegExp(`^[\\s\\S]{1,${MAX_SERVICE_ID + TENANT_PART}}$`, 'u'),
  expected: `1 to ${MAX_SERVICE_ID + TENANT_PART} characters: ${BY}; all of it, or @ and the id of a tenant after it`,
} as const satisfies TextRule;
/** Of calls at once, and of calls in an interval. */
export const CALLS = { minimum: 1, maximum: 100_000 } as const;
export const INTERVAL_SECONDS = { minimum: 0.001, maximum: 86_400 } as const;

/** `half_open`: the next call tries it. `paused`: the service itself asked for no calls. */
export const SERVICE_STATES = ['closed', 'open', 'half_open', 'paused'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** Null: not limited. */
export interface LimitView {
  readonly serviceId: string;
  readonly maxConcurrency: number | null;
  readonly rateLimit: number | null;
  readonly rateIntervalSeconds: number | null;
}

/** A service that is limited or held back. */
export interface ServiceView extends LimitView {
  /** Calls under way, of all tenants: known with `maxConcurrency`, to the operator. */
  readonly inFlight: number | null;
  readonly state: ServiceState;
  /** How often in a row its breaker has opened. */
  readonly openings: number;
  readonly retryInMs: number;
  /** Code of the error that opened or paused it last. */
  readonly lastError: string | null;
}

/** Null lifts a limit; what is absent stays. */
export interface LimitChange {
  readonly serviceId: string;
  readonly maxConcurrency?: number | null | undefined;
  readonly rateLimit?: number | null | undefined;
  readonly rateIntervalSeconds?: number | null | undefined;
}

/** Of one answer. Names are short, so that these are about 4 MB. */
export const MAX_SERVICES = 10_000;

/** Limits, and what is held back, by name after `after`: of the tenant that asks, or of all where the operator does. */
export async function listServices(
  client: Queryable | pg.ClientBase,
  acting: Acting | Operator,
  page: { readonly limit: number; readonly after: string | null } = { limit: MAX_SERVICES, after: null },
): Promise<BoundedPage<ServiceView>> {
  const found = await rows.findServices(client, 'tenantId' in acting ? acting.tenantId : null, page);
  return { rows: found.rows.map(serviceView), hasMore: found.hasMore };
}

export async function setServiceLimit(
  client: pg.ClientBase,
  _acting: Operator,
  given: LimitChange,
): Promise<Outcome<LimitView>> {
  const refusal = checkLimit(given);
  if (refusal !== null) return refusal;
  const { serviceId, maxConcurrency, rateLimit, rateIntervalSeconds } = given;
  const rateIntervalMs = rateIntervalSeconds == null ? null : Math.round(rateIntervalSeconds * 1000);
  const limit = await rows.setServiceLimit(client, serviceId, {
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(rateLimit === undefined ? {} : { rateLimit, rateIntervalMs }),
  });
  return done(limitView(serviceId, limit));
}

/** Why a limit cannot be one; null: it can. Needs no database. */
export function checkLimit({
  rateLimit = null,
  rateIntervalSeconds = null,
}: Omit<LimitChange, 'serviceId'>): Refused | null {
  if ((rateLimit === null) === (rateIntervalSeconds === null)) return null;
  return invalid([
    {
      pointer: '/rateLimit',
      code: 'validation',
      message: 'rateLimit and rateIntervalSeconds go together',
      hint: '{ "rateLimit": 60, "rateIntervalSeconds": 60 }: at most 60 calls a minute',
    },
  ]);
}

/** Lifts all limits of a service. */
export async function removeServiceLimit(
  client: pg.ClientBase,
  _acting: Operator,
  serviceId: string,
): Promise<Outcome<LimitView>> {
  if (await rows.removeServiceLimit(client, serviceId)) return done(limitView(serviceId, rows.NO_LIMIT));
  const name = JSON.stringify(serviceId);
  return notFound(`limit of ${name}`, `service ${name} has no limit`);
}

/** Closes the breakers of a service (of all tenants, or of the one named after `@`) and ends its pauses. */
export async function resetService(
  client: pg.ClientBase,
  _acting: Operator,
  serviceId: string,
): Promise<Outcome<{ readonly serviceId: string; readonly wasHeldBack: boolean }>> {
  return done({ serviceId, wasHeldBack: await rows.resetService(client, serviceId) });
}

const limitView = (serviceId: string, limit: ServiceLimit): LimitView => ({
  serviceId,
  maxConcurrency: limit.maxConcurrency,
  rateLimit: limit.rateLimit,
  rateIntervalSeconds: limit.rateIntervalMs === null ? null : limit.rateIntervalMs / 1000,
});

const serviceView = (row: ServiceRow): ServiceView => ({
  ...limitView(row.serviceId, row),
  inFlight: row.inFlight,
  state: stateOf(row),
  openings: row.openings,
  retryInMs: Math.max(0, Math.round(row.openings > 0 ? row.openForMs : row.pausedForMs)),
  lastError: row.lastError,
});

function stateOf(row: ServiceRow): ServiceState {
  if (row.openings === 0) return row.pausedForMs > 0 ? 'paused' : 'closed';
  return row.openForMs > 0 && !row.isProbing ? 'open' : 'half_open';
}
