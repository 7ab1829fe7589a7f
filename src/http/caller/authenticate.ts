// Who calls (CONTRACT 6, "Keys and actors"): a bearer key, the operator's key, or anybody where the service runs open.
// Whether it may use a route is the gate's to say.
//   N1  Whatever is wrong with a key (unknown, malformed, expired, revoked) gets the same answer: 401.
//   N2  What is known of a key or tenant is at most 3 s old: revocation, expiry and suspension hold within 5 s everywhere.
//   N3  Open only on loopback, while no operator's key is set and no key was ever made; closed once, closed for good.
//   N4  A tenant's key acts in its own tenant; no header can change that.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type KeyScope, SCOPES, scopesOf } from '../../core/caller/access.ts';
import { OPERATOR, problemOfActor } from '../../core/caller/actor.ts';
import { findKeyRows, hasKeys, type KeyRow, readKey, recordUse } from '../../db/resources/api-keys.ts';
import { DEFAULT_TENANT_ID } from '../../db/resources/default-tenant.ts';
import { findTenantIds } from '../../db/resources/tenants.ts';
import type { Principal } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError, notFound } from '../server/problem.ts';
import { RecentRows } from './recent-rows.ts';

const KNOWN_FOR_MS = 3_000;
const OPEN_FOR_MS = 1_000;
const USE_RECORDED_EVERY_MS = 60_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const REALM = 'Bearer realm="dagwright"';

/** A key that was shown and is refused. The caller learns nothing of the reason (N1); the log does. */
export class KeyRefused extends ApiError {
  /** Of a key that is well-formed; null: what was shown is none of ours. */
  readonly keyId: string | null;
  readonly reason: string;
  constructor(answer: ApiError, keyId: string | null, reason: string) {
    super(answer.status, answer.code, answer.message, { headers: answer.headers ?? {} });
    this.keyId = keyId;
    this.reason = reason;
  }
}

/** What a request is judged by; its address and headers of forwarding are not. */
export type Asking = Pick<FastifyRequest, 'headers' | 'routeOptions'>;

/**
 * The caller; on a route of the operator, of no tenant. Throws ApiError 401, or where its headers ask for more than it may
 * have: 403, 404, 400.
 */
export function createAuthenticator(
  service: Pick<ApiContext, 'database' | 'settings'>,
  now: () => number = () => performance.now(),
): (request: Asking) => Promise<Principal> {
  const db = service.database.engine;
  const { adminKey, isLoopback } = service.settings;
  const adminHash = adminKey === undefined ? null : hashOf(adminKey);
  const maxAgeMs = KNOWN_FOR_MS;
  const keys = new RecentRows({ load: (ids) => findKeyRows(db, ids), idOf: ({ id }) => id, maxAgeMs, now });
  const tenants = new RecentRows({ load: (ids) => findTenantIds(db, ids), idOf: (id) => id, maxAgeMs, now });
  const noteUse = createUseRecord((ids) => recordUse(db, ids), now);
  const isOpen = createOpenCheck(adminHash === null && isLoopback ? () => hasKeys(db) : null, now);

  async function identify(authorization: string | undefined): Promise<Principal> {
    if (authorization === undefined) {
      if (await isOpen())
        return {
          ...ALL_RIGHTS,
          ...{ kind: 'open', tenantId: DEFAULT_TENANT_ID, actor: 'local', keyId: null, rateKey: 'open' },
        };
      throw unauthorized('this route needs a key: Authorization: Bearer dw_…', REALM);
    }
    const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
    if (adminHash !== null && timingSafeEqual(hashOf(token), adminHash))
      return {
        ...ALL_RIGHTS,
        ...{ kind: 'operator', tenantId: null, actor: OPERATOR, keyId: null, rateKey: 'operator' },
      };
    const presented = readKey(token);
    const found = presented === null ? null : await keys.find(presented.id);
    // Compared also where there is nothing to compare with, so that both take the same time.
    const isRight = timingSafeEqual(presented?.secretHash ?? NO_HASH, found?.row.secretHash ?? OTHER_HASH);
    if (found === null || !isRight || hasEnded(found.row, now() - found.askedAt))
      throw new KeyRefused(
        unauthorized('the key is not known, or not valid any more', `${REALM}, error="invalid_token"`),
        presented?.id ?? null,
        presented === null ? 'it is no key of this service' : reasonOf(found?.row ?? null, isRight),
      );
    const { row } = found;
    if (row.tenantStatus !== 'active')
      throw new KeyRefused(
        new ApiError(403, 'tenant_suspended', 'the tenant of this key is suspended'),
        row.id,
        'its tenant is suspended',
      );
    noteUse(row, now() - found.askedAt);
    return {
      kind: 'key',
      tenantId: row.tenantId,
      actor: row.subject ?? `key:${row.id}`,
      scopes: scopesOf(row.roles, row.scopes),
      keyId: row.id,
      rateKey: row.id,
    };
  }

  // Of an operator; where the service runs open, everybody is one.
  async function namedTenant(header: string | undefined, otherwise: string | null): Promise<string | null> {
    const named = header?.toLowerCase();
    if (named === undefined || named === otherwise) return otherwise;
    if (!UUID.test(named))
      throw new ApiError(400, 'invalid_header', 'X-Tenant-Id must be the id of a tenant, a UUID');
    if ((await tenants.find(named)) === null) throw notFound('tenant');
    return named;
  }

  return async ({ headers, routeOptions }) => {
    const caller = await identify(headers.authorization);
    const actor = assertedActor(textOf(headers['x-actor']), caller.scopes) ?? caller.actor;
    if (routeOptions.config.access === 'operator') return { ...caller, actor, tenantId: null };
    if (caller.kind === 'key') return { ...caller, actor };
    const tenantId = await namedTenant(textOf(headers['x-tenant-id']), caller.tenantId);
    return { ...caller, actor, tenantId };
  };
}

const ALL_RIGHTS = { scopes: new Set(SCOPES) } as const;
const hashOf = (text: string) => createHash('sha256').update(text).digest();
const NO_HASH = Buffer.alloc(32);
const OTHER_HASH = Buffer.alloc(32, 1);

const textOf = (header: string | string[] | undefined) =>
  Array.isArray(header) ? header.join(', ') : header;

function reasonOf(row: KeyRow | null, isRight: boolean): string {
  if (row === null) return 'there is no such key';
  if (!isRight) return 'its secret is wrong';
  return row.isRevoked ? 'it is revoked' : 'it has expired';
}

function hasEnded({ isRevoked, expiresInMs }: KeyRow, ageMs: number): boolean {
  return isRevoked || (expiresInMs !== null && expiresInMs <= ageMs);
}

// X-Actor is UTF-8; node hands headers out as Latin-1.
function assertedActor(header: string | undefined, scopes: ReadonlySet<KeyScope>): string | null {
  if (header === undefined) return null;
  if (!scopes.has('actors:assert'))
    throw new ApiError(403, 'forbidden', 'X-Actor takes the scope actors:assert');
  const actor = Buffer.from(header, 'latin1').toString('utf8');
  const problem = actor.includes('\uFFFD') ? 'must be UTF-8' : problemOfActor(actor);
  if (problem !== null) throw new ApiError(400, 'invalid_header', `X-Actor ${problem}`);
  return actor;
}

function unauthorized(detail: string, challenge: string): ApiError {
  return new ApiError(401, 'unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

// N3. `ask` is null where an operator's key closes the service from the start.
function createOpenCheck(ask: (() => Promise<boolean>) | null, now: () => number): () => Promise<boolean> {
  let isClosed = ask === null;
  let openUntil = -Infinity;
  return async () => {
    if (isClosed || ask === null) return false;
    const askedAt = now();
    if (askedAt < openUntil) return true;
    if (await ask()) isClosed = true;
    else openUntil = askedAt + OPEN_FOR_MS;
    return !isClosed;
  };
}

// Behind the request, one statement at a time. One that fails is made up for by a use a minute later.
function createUseRecord(
  write: (ids: readonly string[]) => Promise<void>,
  now: () => number,
): (row: KeyRow, ageMs: number) => void {
  const notedAt = new Map<string, number>();
  const open = new Set<string>();
  let isWriting = false;
  const flush = async () => {
    isWriting = true;
    while (open.size > 0) {
      const ids = [...open];
      open.clear();
      await write(ids).catch(() => {});
    }
    isWriting = false;
  };
  return ({ id, usedMsAgo }, ageMs) => {
    const noted = notedAt.get(id);
    if (noted !== undefined && now() - noted < USE_RECORDED_EVERY_MS) return;
    if (usedMsAgo !== null && usedMsAgo + ageMs < USE_RECORDED_EVERY_MS) return;
    if (notedAt.size >= 10_000) notedAt.clear();
    notedAt.set(id, now());
    open.add(id);
    if (!isWriting) void flush();
  };
}
