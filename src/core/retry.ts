// Whether a failed try is made again, and after how long (CONTRACT 2 and 2.3). Pure: the caller brings the random number.

import type { Retry, RetryPolicy } from './definition/model.ts';
import { DEFAULT_RETRY_ON, matchesAnyErrorCode } from './errors.ts';

/** A policy without gaps. `maxAttempts` counts the first try; `retryOn` null: the default codes. */
export interface EffectiveRetryPolicy {
  readonly maxAttempts: number;
  readonly initialIntervalSeconds: number;
  readonly backoffCoefficient: number;
  readonly maxIntervalSeconds: number;
  readonly jitter: 'full' | 'none';
  readonly retryOn: readonly string[] | null;
  readonly nonRetryableErrors: readonly string[];
}

/** CONTRACT 2: retries of a task where neither it nor its definition says otherwise. */
export const DEFAULT_MAX_RETRIES = 3;
/** A server's Retry-After is obeyed up to here. */
export const MAX_RETRY_AFTER_SECONDS = 3600;
/** Keeps every delay a safe number of milliseconds and a date that PostgreSQL can hold, whatever a policy says. */
const MAX_DELAY_MS = 365 * 86_400_000;

/** The policies of a task, in their order; one where it has one or none. */
export function effectivePolicies(
  retry: Retry | undefined,
  maxRetries: number = DEFAULT_MAX_RETRIES,
): readonly EffectiveRetryPolicy[] {
  return isList(retry)
    ? retry.map((policy) => effectivePolicy(policy, maxRetries))
    : [effectivePolicy(retry, maxRetries)];
}

const isList = (retry: Retry | undefined): retry is readonly RetryPolicy[] => Array.isArray(retry);

/** Fills the gaps of a node's policy, field by field. `maxRetries` is the definition's. */
export function effectivePolicy(
  retry: RetryPolicy | undefined,
  maxRetries: number = DEFAULT_MAX_RETRIES,
): EffectiveRetryPolicy {
  return {
    maxAttempts: retry?.maxAttempts ?? maxRetries + 1,
    initialIntervalSeconds: retry?.initialIntervalSeconds ?? 1,
    backoffCoefficient: retry?.backoffCoefficient ?? 2,
    maxIntervalSeconds: retry?.maxIntervalSeconds ?? 60,
    jitter: retry?.jitter ?? 'full',
    retryOn: retry?.retryOn ?? null,
    nonRetryableErrors: retry?.nonRetryableErrors ?? [],
  };
}

/** A try that failed. */
export interface FailedTry {
  readonly policy: EffectiveRetryPolicy;
  /** Tries made so far, this one included: 1 after the first. */
  readonly triesUsed: number;
  readonly code: string;
  /** It was a TerminalError. */
  readonly isTerminal: boolean;
  /** What the other side asked for, in seconds: the least delay. */
  readonly retryAfterSeconds?: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Milliseconds (a whole number) until the next try, or null when there is none. */
export function nextDelayMs(failed: FailedTry): number | null {
  const { policy } = failed;
  if (failed.triesUsed >= policy.maxAttempts || !isRetried(policy, failed.code, failed.isTerminal))
    return null;
  const cap = backoffMs(policy, failed.triesUsed);
  const delay = policy.jitter === 'full' ? Math.floor(failed.random * (cap + 1)) : cap;
  return Math.max(Math.min(delay, cap), retryAfterMs(failed.retryAfterSeconds));
}

/** A try that failed, of a task that may have several policies. */
export interface FailedTryOfMany extends Omit<FailedTry, 'policy'> {
  readonly policies: readonly EffectiveRetryPolicy[];
  /** Codes of the tries before this one, in any order; asked for where there are several policies. */
  readonly earlierCodes: readonly string[];
}

/**
 * The same by the first policy whose `retryOn` matches; null also where none does. Of several each counts its own tries: those
 * that failed with a code of its own.
 */
export function nextDelayOfPoliciesMs({ policies, earlierCodes, ...failed }: FailedTryOfMany): number | null {
  const [only, ...others] = policies;
  if (only !== undefined && others.length === 0) return nextDelayMs({ ...failed, policy: only });
  const policyFor = (code: string, isTerminal: boolean) =>
    policies.find((policy) => isMatch(policy, code, isTerminal));
  const policy = policyFor(failed.code, failed.isTerminal);
  if (policy === undefined) return null;
  const earlier = earlierCodes.filter((code) => policyFor(code, false) === policy).length;
  return nextDelayMs({ ...failed, policy, triesUsed: earlier + 1 });
}

/** True when the policy repeats this code. `nonRetryableErrors` wins over `retryOn`. */
export function isRetried(policy: EffectiveRetryPolicy, code: string, isTerminal: boolean): boolean {
  if (matchesAnyErrorCode(policy.nonRetryableErrors, code)) return false;
  return isMatch(policy, code, isTerminal);
}

function isMatch(policy: EffectiveRetryPolicy, code: string, isTerminal: boolean): boolean {
  if (policy.retryOn !== null) return matchesAnyErrorCode(policy.retryOn, code);
  return !isTerminal && matchesAnyErrorCode(DEFAULT_RETRY_ON, code);
}

function backoffMs(policy: EffectiveRetryPolicy, triesUsed: number): number {
  const grown = policy.initialIntervalSeconds * policy.backoffCoefficient ** (triesUsed - 1);
  // 0 x Infinity is NaN: an interval of 0 stays 0 however often it doubles.
  const seconds = Math.min(policy.maxIntervalSeconds, Number.isNaN(grown) ? 0 : grown);
  return Math.max(0, Math.min(MAX_DELAY_MS, Math.round(seconds * 1000)));
}

function retryAfterMs(seconds: number | undefined): number {
  if (seconds === undefined || !(seconds > 0)) return 0;
  return Math.ceil(Math.min(seconds, MAX_RETRY_AFTER_SECONDS) * 1000);
}

/**
 * Seconds that a Retry-After header asks for, an hour at most: of a number, or of an HTTP date (RFC 9110, 10.2.3) seen from
 * `now` (ISO 8601). Undefined where there is none, or it is neither.
 */
export function parseRetryAfter(text: string | undefined, now: string): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^[\dA-Z]/i.test(trimmed)) return undefined;
  const seconds = /^\d{1,9}(\.\d+)?$/.test(trimmed)
    ? Number(trimmed)
    : Math.ceil((Date.parse(trimmed) - Date.parse(now)) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), MAX_RETRY_AFTER_SECONDS) : undefined;
}
