// Checks retry policies beyond their structure: codes that there can be, and policies that can never be used.
import { DEFAULT_RETRY_ON, isErrorPattern, matchesErrorCode } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';

/** A policy, or a list of them. */
export function checkRetry(retry: Json | undefined, pointer: string, reporter: Reporter): void {
  checkPolicy(retry, pointer, reporter);
  const policies: readonly Json[] = Array.isArray(retry) ? retry : [];
  const before: string[] = [];
  for (const [i, policy] of policies.entries()) {
    const at = joinPointer(pointer, i);
    checkPolicy(policy, at, reporter);
    if (!isJsonObject(policy)) continue;
    const codes = codesOf(policy);
    if (codes.every((code) => before.some((earlier) => matchesErrorCode(earlier, code))))
      reporter.error(
        at,
        'conflict',
        'this policy is never used: the first whose retryOn matches decides',
        'put the policy with the narrower retryOn first, and one with "*" last',
      );
    // Without a retryOn it leaves TerminalErrors of the same codes to those behind it.
    if (policy.retryOn !== undefined) before.push(...codes);
  }
}

function codesOf({ retryOn }: JsonObject): readonly string[] {
  if (retryOn === undefined) return DEFAULT_RETRY_ON;
  return Array.isArray(retryOn) ? retryOn.filter((code) => typeof code === 'string') : ['*'];
}

function checkPolicy(policy: Json | undefined, pointer: string, reporter: Reporter): void {
  if (!isJsonObject(policy)) return;
  for (const field of ['retryOn', 'nonRetryableErrors'])
    checkPatternList(policy[field], joinPointer(pointer, field), reporter);
}

/** A list of error codes and classes. */
export function checkPatternList(list: Json | undefined, pointer: string, reporter: Reporter): void {
  if (!Array.isArray(list)) return;
  (list as readonly Json[]).forEach((pattern, i) => {
    if (typeof pattern === 'string' && !isErrorPattern(pattern))
      reporter.error(
        joinPointer(pointer, i),
        'invalid_error_pattern',
        `${quoteText(pattern)} is neither an error code nor a class`,
        'examples: timeout, http_404, http_5xx, *',
      );
  });
}
