// Tenants, as the operator makes and changes them: what their names and settings may be. `client` is of the engine's role,
// which sees them all.
import type pg from 'pg';
import { type JsonObject, toStorableJson } from '../core/json.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Operator, Queryable } from '../db/connection/connection.ts';
import type { TenantChange, TenantLimits, TenantView } from '../db/resources/tenants.ts';
import * as rows from '../db/resources/tenants.ts';
import { done, invalid, notFound, type Outcome, type Refused, refusedWhole } from './outcome.ts';
import type { TextRule } from './text-rule.ts';

/** Part of the paths of its webhooks. */
export const TENANT_NAME = {
  pattern: /^[a-z][a-z0-9-]{0,62}$/,
  expected: '1 to 63 of a-z, 0-9 and -, beginning with a letter',
} as const satisfies TextRule;
/** Characters. */
export const DISPLAY_NAME = { minLength: 1, maxLength: 200 } as const;
export const TIER = { minimum: 1, maximum: 1_000_000 } as const;
export const WEIGHT = { minimum: 1, maximum: 100 } as const;
/** Each start of a limited tenant counts up to its limits, and each pass of the queue looks at every permit. */
export const TENANT_LIMITS = {
  maxRunningTasks: { minimum: 1, maximum: 1_000 },
  maxStartsPerMinute: { minimum: 1, maximum: 100_000 },
  maxWaitingExecutions: { minimum: 1, maximum: 100_000 },
} as const satisfies Record<keyof TenantLimits, { readonly minimum: number; readonly maximum: number }>;
const FIRST_TIER = 1;
const MAX_SETTINGS_BYTES = 64_000;

export interface NewTenant {
  readonly name: string;
  readonly displayName?: string | null | undefined;
  readonly tier?: number | undefined;
  readonly settings?: object | undefined;
}

/** A tenant by its id, or by its name. */
export type TenantRef = { readonly id: string } | { readonly name: string };

/** Newest first; `before` is the id to go on after. */
export function listTenants(
  client: Queryable | pg.ClientBase,
  _acting: Operator,
  page: { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<TenantView>> {
  return rows.findTenants(client, page);
}

export async function showTenant(
  client: Queryable | pg.ClientBase,
  _acting: Operator,
  ref: TenantRef,
): Promise<Outcome<TenantView>> {
  const found = await rows.findTenantView(client, ref);
  return found === null ? unknown(ref) : done(found);
}

export async function createTenant(
  client: pg.ClientBase,
  _acting: Operator,
  { name, displayName = null, tier = FIRST_TIER, settings = {} }: NewTenant,
): Promise<Outcome<TenantView>> {
  const refusal = checkSettings(settings);
  if (refusal !== null) return refusal;
  const wanted = { name, displayName, tier, settings: settings as JsonObject };
  const made = await rows.insertTenant(client, wanted);
  if (made !== null) return done(made);
  return refusedWhole('name_taken', `there is a tenant "${name}"`);
}

/** What is absent stays as it is; settings are replaced as a whole. */
export async function updateTenant(
  client: pg.ClientBase,
  _acting: Operator,
  { ref, change }: { readonly ref: TenantRef; readonly change: TenantChange },
): Promise<Outcome<TenantView>> {
  const refusal = checkSettings(change.settings ?? {});
  if (refusal !== null) return refusal;
  const changed = await rows.updateTenant(client, ref, change);
  return changed === null ? unknown(ref) : done(changed);
}

function checkSettings(settings: object): Refused | null {
  const stored = toStorableJson(settings, MAX_SETTINGS_BYTES);
  if (stored.ok) return null;
  return invalid([{ pointer: '/settings', code: stored.code, message: `settings ${stored.message}` }]);
}

const unknown = (ref: TenantRef) =>
  notFound('tenant', `there is no tenant "${'id' in ref ? ref.id : ref.name}"`);
