// The door of every route: who calls, whether it may, and how often. Runs before the body is read.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAllowed } from '../../core/caller/access.ts';
import type { Acting, Operator } from '../../db/connection/connection.ts';
import type { Access, Principal } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError } from '../server/problem.ts';
import { createAuthenticator } from './authenticate.ts';
import { RateLimit } from './rate-limit.ts';

/** Requests a second of one address whose key is refused with 401; above, with 429. Good keys of it are served: behind a proxy all share one. */
const FAILURES_PER_SECOND = 200;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Adds the door to an application. `nowMs`: the clock of its rates. */
export function addGate(api: FastifyInstance, service: ApiContext, nowMs?: () => number): void {
  const authenticate = createAuthenticator(service);
  const failures = new RateLimit(FAILURES_PER_SECOND, nowMs);
  const requests = new RateLimit(service.settings.rateLimit, nowMs);
  const identify = async (request: FastifyRequest): Promise<Principal> => {
    try {
      return await authenticate(request);
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      throw isRefused && failures.take(request.ip) < 0 ? tooMany(FAILURES_PER_SECOND) : error;
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
    if (request.is404 || access === undefined || access === 'public') return;
    // A socket that is closed does not tell it any more. IPv4 over one of both families is written as IPv6.
    request.address = (request.ip as string | undefined)?.replace(/^::ffff:(?=\d+\.)/i, '');
    const principal = await identify(request);
    request.principal = principal;
    if (principal.kind === 'open') refuseStrangers(request);
    const left = requests.take(principal.rateKey);
    reply.header('ratelimit-limit', String(requests.perSecond));
    reply.header('ratelimit-remaining', String(Math.max(0, left)));
    reply.header('ratelimit-reset', '1');
    if (left < 0) throw tooMany(requests.perSecond);
    refuseMissingScope(principal, access);
  });
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

// Without a key anyone on this machine may do everything, but not a page in its browser: neither by a name that resolves to
// this machine (DNS rebinding), nor across origins.
function refuseStrangers({ headers }: FastifyRequest): void {
  if (!LOOPBACK.test(headers.host ?? ''))
    throw new ApiError(
      403,
      'host_not_allowed',
      'without a key the service answers to localhost and 127.0.0.1 only',
    );
  const { origin } = headers;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== headers.host)
    throw new ApiError(403, 'origin_not_allowed', 'without a key the service answers no other site');
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site')
    throw new ApiError(403, 'origin_not_allowed', 'without a key the service answers no other site');
}
