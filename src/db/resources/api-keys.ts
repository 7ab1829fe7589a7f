// Keys of the API: `dw_<id>_<secret>`, 256 random bits, of which only a SHA-256 is stored. A key is looked up by its id,
// under the engine's role, since nobody's tenant is known before; all else is the tenant's own.

import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { TenantStatus } from '../../core/caller/tenant.ts';
import { newId } from '../../core/id.ts';
import { type BoundedPage, pageOfRows } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';

/** A key as it is presented. */
export interface PresentedKey {
  readonly id: string;
  readonly secretHash: Buffer;
}

/** Reads `dw_<32 hex digits>_<43 of base64url>`; null where it is not one. */
export function readKey(text: string): PresentedKey | null {
  const match = /^dw_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/.exec(
    text,
  );
  if (match === null) return null;
  return { id: match.slice(1, 6).join('-'), secretHash: hashOf(match[6]!) };
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

/** What is asked of a key at each request. */
export interface KeyRow {
  readonly id: string;
  readonly tenantId: string;
  readonly tenantStatus: TenantStatus;
  readonly subject: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly secretHash: Buffer;
  readonly isRevoked: boolean;
  /** Milliseconds until it ends, by the database's clock; null: never. */
  readonly expiresInMs: number | null;
  /** Milliseconds since its last recorded use; null: never. */
  readonly usedMsAgo: number | null;
}

/** The keys with these ids, of whichever tenant; engine's role. */
export async function findKeyRows(db: Queryable, ids: readonly string[]): Promise<KeyRow[]> {
  const { rows } = await db.query<KeyRow>({
    name: 'find_api_keys',
    text: `select k.id, k.tenant_id as "tenantId", t.status as "tenantStatus", k.subject, k.roles, k.scopes, k.secret_hash as "secretHash",
        k.revoked_at is not null as "isRevoked", (extract(epoch from k.expires_at - clock_timestamp()) * 1000)::float8 as "expiresInMs",
        (extract(epoch from clock_timestamp() - k.last_used_at) * 1000)::float8 as "usedMsAgo"
      from dagwright.api_keys k join dagwright.tenants t on t.id = k.tenant_id where k.id = any($1)`,
    values: [ids],
  });
  return rows;
}

/** Whether there is any key, also a revoked one, of any tenant; engine's role. */
export async function hasKeys(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    'select exists (select from dagwright.api_keys) as found',
  );
  return rows[0]!.found;
}

/** Records that these keys were used, to the minute; engine's role. */
export async function recordUse(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(
    `update dagwright.api_keys set last_used_at = clock_timestamp()
     where id = any($1) and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')`,
    [ids],
  );
}

/** A key as its tenant sees it: everything but the secret. Instants are ISO 8601. */
export interface KeyView {
  readonly id: string;
  readonly name: string;
  readonly subject: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface NewKey {
  readonly name: string;
  readonly subject: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly createdBy: string;
  /** ISO instant; null: never. */
  readonly expiresAt: string | null;
}

const COLUMNS = `id, name, subject, roles, scopes, created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;

/** Makes a key. `key` is the only time that it is seen; null where `expiresAt` has passed already. */
export async function insertKey(
  client: pg.ClientBase,
  tenantId: string,
  wanted: NewKey,
): Promise<{ readonly key: string; readonly view: KeyView } | null> {
  const id = newId();
  const secret = randomBytes(32).toString('base64url');
  const { rows } = await client.query<KeyView>(
    `insert into dagwright.api_keys (id, tenant_id, name, subject, roles, scopes, secret_hash, created_by, expires_at)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz where $9 is null or $9 > clock_timestamp() returning ${COLUMNS}`,
    [
      id,
      tenantId,
      wanted.name,
      wanted.subject,
      wanted.roles,
      wanted.scopes,
      hashOf(secret),
      wanted.createdBy,
      wanted.expiresAt,
    ],
  );
  const view = rows[0];
  return view === undefined ? null : { key: `dw_${id.replaceAll('-', '')}_${secret}`, view };
}

/** Newest first; `before` is the id to go on after. */
export async function findKeys(
  client: pg.ClientBase,
  tenantId: string,
  page: { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<KeyView>> {
  const { rows } = await client.query<KeyView>(
    `select ${COLUMNS} from dagwright.api_keys where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [tenantId, page.before, page.limit + 1],
  );
  return pageOfRows(rows, page.limit);
}

/** The key, or null where this tenant has none with that id. */
export async function findKey(client: pg.ClientBase, tenantId: string, id: string): Promise<KeyView | null> {
  const { rows } = await client.query<KeyView>(
    `select ${COLUMNS} from dagwright.api_keys where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** Revokes for good; the key afterwards, or null where this tenant has none with that id. Again changes nothing. */
export async function revokeKey(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<KeyView | null> {
  await client.query(
    `update dagwright.api_keys set revoked_at = clock_timestamp() where tenant_id = $1 and id = $2 and revoked_at is null`,
    [tenantId, id],
  );
  return await findKey(client, tenantId, id);
}
