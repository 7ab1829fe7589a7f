// The door of every route: who calls, whether it may, and how often. Runs before the body is read.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAllowed } from '../../core/caller/access.ts';
import type { Acting, Operator } from '../../db/connection/connection.ts';
import type { Access, Principal } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError } from '../server/problem.ts';
import { createAuthenticator, KeyRefused } from './authenticate.ts';
import { clientAddress, networkOf } from './client-address.ts';
import { RateLimit } from './rate-limit.ts';
import { RefusalLog, type RefusedCaller } from './refusal-log.ts';
import { refuseStrangers } from './strangers.ts';

/** Requests a second of one address whose key is refused with 401; above, with 429. Good keys of it are served: behind a proxy all share one. */
const FAILURES_PER_SECOND = 200;

export interface GateOptions {
  /** The clock of its rates. */
  readonly nowMs?: (() => number) | undefined;
  /** A request has shown who calls. */
  readonly onRecognised: (request: FastifyRequest, principal: Principal) => void;
}

/** Adds the door to an application. */
export function addGate(
  api: FastifyInstance,
  service: ApiContext,
  { nowMs, onRecognised }: GateOptions,
): void {
  const authenticate = createAuthenticator(service);
  const failures = new RateLimit(FAILURES_PER_SECOND, nowMs);
  const requests = new RateLimit(service.settings.rateLimit, nowMs);
  const refusals = new RefusalLog<RefusedCaller>(
    service.log,
    { level: 'warn', message: 'a caller was refused' },
    nowMs,
  );
  const identify = async (request: FastifyRequest): Promise<Principal> => {
    try {
      return await authenticate(request);
    } catch (error) {
      if (error instanceof KeyRefused) noteRefusal(refusals, request, error);
      const isRefused = error instanceof ApiError && error.status === 401;
      const holder = networkOf(request.address ?? '');
      throw isRefused && failures.take(holder) < 0 ? tooMany(FAILURES_PER_SECOND) : error;
    }
  };

  api.decorateRequest('principal', null);
  api.decorateRequest('address', undefined);
  api.decorateRequest('acting', {
    getter(this: FastifyRequest): Acting {
      const { principal } = this;
      if (principal === null || principal.tenantId === null)
        throw new Error('this route has no tenant: its access is "public" or "operator"');
      return { tenantId: principal.tenantId, ...this.actor };
    },
  });
  api.decorateRequest('actor', {
    getter(this: FastifyRequest): Operator {
      const { principal } = this;
      if (principal === null) throw new Error('a public route has no actor');
      return { actor: principal.actor, address: this.address, userAgent: this.headers['user-agent'] };
    },
  });
  api.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config;
    if (request.is404 || access === undefined) return;
    // A socket that is closed does not tell it any more.
    request.address = clientAddress(request);
    if (access === 'public') return;
    const principal = await identify(request);
    if (principal.kind === 'open') refuseStrangers(request);
    request.principal = principal;
    onRecognised(request, principal);
    const left = requests.take(principal.rateKey);
    reply.header('ratelimit-limit', String(requests.perSecond));
    reply.header('ratelimit-remaining', String(Math.max(0, left)));
    reply.header('ratelimit-reset', '1');
    if (left < 0) throw tooMany(requests.perSecond);
    refuseMissingScope(principal, access);
  });
}

function noteRefusal(
  refusals: RefusalLog<RefusedCaller>,
  request: FastifyRequest,
  { code, keyId, reason }: KeyRefused,
): void {
  const { address, id: requestId, method, routeOptions } = request;
  refusals.note({ address, requestId, route: `${method} ${routeOptions.url ?? ''}`, code, keyId, reason });
}

function tooMany(limit: number): ApiError {
  return new ApiError(429, 'rate_limited', `more than ${limit} requests in a second`, {
    headers: { 'retry-after': '1' },
  });
}

function refuseMissingScope(principal: Principal, access: Exclude<Access, 'public'>): void {
  if (access === 'operator') {
    if (principal.kind === 'key')
      throw new ApiError(403, 'forbidden', "this takes the operator's key (DAGWRIGHT_ADMIN_KEY)");
    return;
  }
  if (principal.tenantId === null)
    throw new ApiError(400, 'tenant_missing', 'name the tenant by its id in the header X-Tenant-Id');
  if (!isAllowed(principal.scopes, access)) {
    const wanted = [access].flat().join(' or ');
    throw new ApiError(403, 'forbidden', `this takes the scope ${wanted}`);
  }
}
