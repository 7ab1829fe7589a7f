// Keys of the API, of one tenant: who may make which. `client` is in a transaction of the tenant's role. A key is shown once,
// when it is made; what is revoked stays revoked.
import type pg from 'pg';
import { type KeyScope, scopesOf } from '../core/caller/access.ts';
import { problemOfActor } from '../core/caller/actor.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting, Queryable } from '../db/connection/connection.ts';
import type { KeyView } from '../db/resources/api-keys.ts';
import * as rows from '../db/resources/api-keys.ts';
import { done, invalid, notFound, type Outcome, type Refused, refusedWhole } from './outcome.ts';

/** Characters. */
export const KEY_NAME = { minLength: 1, maxLength: 200 } as const;

/** Who makes a key, and what its own allows. */
export interface KeyMaker extends Acting {
  readonly scopes: ReadonlySet<KeyScope>;
  /** Its own key; null: it has none (the operator, the command line). */
  readonly keyId: string | null;
}

export interface NewKey {
  readonly name: string;
  /** For whom it acts; absent: for itself. */
  readonly subject?: string | null | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** ISO instant; absent: it ends with its maker's key, if that ends. */
  readonly expiresAt?: string | null | undefined;
}

/** `key` is the only time that it is seen. */
export interface MadeKey extends KeyView {
  readonly key: string;
}

/** Newest first; `before` is the id to go on after. */
export function listKeys(
  client: pg.ClientBase,
  { tenantId }: Acting,
  page: { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<KeyView>> {
  return rows.findKeys(client, tenantId, page);
}

export async function showKey(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<KeyView>> {
  const found = await rows.findKey(client, tenantId, id);
  return found === null ? unknown(id) : done(found);
}

export async function createKey(
  client: pg.ClientBase,
  maker: KeyMaker,
  { name, subject = null, roles = [], scopes = [], expiresAt = null }: NewKey,
): Promise<Outcome<MadeKey>> {
  const wanted = { name, subject, roles, scopes, expiresAt, createdBy: maker.actor };
  const refusal = checkKey(wanted) ?? checkGrants(maker, wanted);
  if (refusal !== null) return refusal;
  const end = await endOf(client, maker);
  if (end !== null && expiresAt !== null && Date.parse(expiresAt) > Date.parse(end))
    return refusedWhole('scope_exceeded', `your own key ends at ${end}, and this one would outlive it`);
  const made = await rows.insertKey(client, maker.tenantId, { ...wanted, expiresAt: expiresAt ?? end });
  return made === null ? refuseExpiry() : done({ ...made.view, key: made.key });
}

// What a key with an end makes ends no later: else whoever has it for an hour has it for ever.
async function endOf(client: pg.ClientBase, { tenantId, keyId }: KeyMaker): Promise<string | null> {
  if (keyId === null) return null;
  return (await rows.findKey(client, tenantId, keyId))?.expiresAt ?? null;
}

/** For good; refused everywhere within 5 s. Again changes nothing. */
export async function revokeKey(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<KeyView>> {
  const revoked = await rows.revokeKey(client, tenantId, id);
  return revoked === null ? unknown(id) : done(revoked);
}

/** The end of a key is no instant, or over. */
export function refuseExpiry(): Refused {
  const message = 'expiresAt must be an instant in the future';
  return invalid([{ pointer: '/expiresAt', code: 'format', message }]);
}

/** What is wrong with a key whoever makes it; null: nothing. Needs no database. */
export function checkKey({ subject = null, roles = [], scopes = [] }: NewKey): Refused | null {
  if (roles.length + scopes.length === 0)
    return invalid([
      {
        pointer: '/roles',
        code: 'required',
        message: 'a key needs at least one of roles and scopes',
        hint: `"roles": ["viewer"], or "scopes": ["executions:read"]`,
      },
    ]);
  const problem = subject === null ? null : problemOfActor(subject);
  if (problem === null) return null;
  return invalid([{ pointer: '/subject', code: 'format', message: `subject ${problem}` }]);
}

/** What of a key its maker may not grant: no more than it holds, and none that acts for another unless it may. Needs no database. */
export function checkGrants(
  maker: KeyMaker,
  { subject = null, roles = [], scopes = [] }: NewKey,
): Refused | null {
  const missing = new Set([...scopesOf(roles, scopes)].filter((scope) => !maker.scopes.has(scope)));
  if (subject !== null && subject !== maker.actor && !maker.scopes.has('actors:assert'))
    missing.add('actors:assert');
  if (missing.size === 0) return null;
  const lacking = [...missing].join(', ');
  return refusedWhole('scope_exceeded', `your own key lacks what this one would grant: ${lacking}`);
}

const unknown = (id: string) => notFound('key', `there is no key ${id}`);

/** Whether there is any key, of any tenant: without one the service is open to its own machine. */
export function hasKeys(db: Queryable): Promise<boolean> {
  return rows.hasKeys(db);
}
