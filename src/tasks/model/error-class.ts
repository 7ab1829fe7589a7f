// The class of a provider's error, from what its body says: which HTTP status it stands for where it came in a body of 200,
// and whether the account has nothing left, which no waiting mends.
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

export interface ErrorWords {
  readonly message: string;
  /** The provider's own names for it; null: it gave none. */
  readonly type: string | null;
  readonly code: string | null;
}

const MAX_NAME = 100;

/** Statuses that the names of errors stand for, at the providers that send errors in a body of 200. */
const STATUS_BY_NAME: Readonly<Record<string, number>> = {
  server_error: 500,
  rate_limit_exceeded: 429,
  vector_store_timeout: 504,
  slow_down: 503,
  server_is_overloaded: 503,
  overloaded_error: 529,
  overloaded: 529,
  rate_limit_error: 429,
  api_error: 500,
  internal_error: 500,
  internal_server_error: 500,
  timeout_error: 504,
  service_unavailable: 503,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  invalid_request_error: 400,
  resource_exhausted: 429,
  unavailable: 503,
  internal: 500,
  deadline_exceeded: 504,
  aborted: 409,
  unauthenticated: 401,
  permission_denied: 403,
  invalid_argument: 400,
};

const OUT_OF_QUOTA: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'insufficient_user_quota',
  'insufficient_credits',
  'insufficient_balance',
  'insufficient_balance_error',
  'credit_balance_exhausted',
  'credit_balance_too_low',
  'exceeded_current_quota_error',
  'organization_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'project_spend_limit_exceeded',
  'billing_error',
  'billing_hard_limit_reached',
  'billing_not_active',
]);

/** Of the `error` of a body, or of a body that is one; `fallback`: what to say where it has no words of its own. */
export function readErrorWords(error: Json, fallback: string): ErrorWords {
  if (typeof error === 'string') return { message: error, type: null, code: null };
  const own = isJsonObject(error) ? error : {};
  const inner = isJsonObject(own.error) ? own.error : own;
  const { message } = inner;
  return {
    message: typeof message === 'string' && message !== '' ? withRouted(message, inner) : fallback,
    type: nameOf(inner.type) ?? nameOf(inner.status),
    code: nameOf(inner.code),
  };
}

/** A router's "Provider returned error" hides what the provider behind it said. */
function withRouted(message: string, { metadata }: JsonObject): string {
  if (!isJsonObject(metadata)) return message;
  const raw = typeof metadata.raw === 'string' ? metadata.raw : null;
  return raw === null ? message : `${message}: ${raw}`;
}

function nameOf(value: Json | undefined): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_NAME) : null;
}

/** The HTTP status that an error in a body of 200 stands for; 400 where it is not known. */
export function statusOf({ type, code }: ErrorWords): number {
  for (const name of [code, type]) {
    if (name === null) continue;
    if (/^[45]\d\d$/.test(name)) return Number(name);
    const known = name.toLowerCase();
    if (Object.hasOwn(STATUS_BY_NAME, known)) return STATUS_BY_NAME[known]!;
  }
  return 400;
}

export function isOutOfQuota(status: number, { type, code }: ErrorWords): boolean {
  return status === 402 || [type, code].some((name) => name !== null && OUT_OF_QUOTA.has(name.toLowerCase()));
}
