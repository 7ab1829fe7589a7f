// Which of a sender's headers reach filters, mappings and the stored event: none that is a credential.

import { joinPointer } from '../../../core/definition/pointer.ts';
import type { Problem, Result } from '../../../core/errors.ts';
import { setOwn } from '../../../core/expression/scope.ts';
import { isStorableText, type Json, type JsonObject, storableText } from '../../../core/json.ts';
import type { SentValues } from './delivery.ts';
import type { VerificationOptions } from './verification-rule.ts';

/**
 * A word of a header's name that tells of a credential: Authorization, Cookie, X-Hub-Signature-256, X-Gitlab-Token,
 * X-Forwarded-Access-Token, X-Amzn-Oidc-Data … One header too few costs a mapping; one too many is a secret at rest.
 */
const CREDENTIAL =
  /auth(?!or)|authori[sz]|cookie|signature|(^|-)sig(-|$)|token|secret|passw|credential|session|api-?key|access-?key|hmac|jwt|assertion|oidc|saml|client-?cert/;
const MAX_HEADER_CHARS = 8_000;

/** Whether a header may carry a credential; its name is in lower case. */
export function isCredentialHeader(name: string): boolean {
  return CREDENTIAL.test(name);
}

/** The headers without credentials and without those that carry this webhook's proofs; one given twice is joined by ", ". */
export function senderHeaders(headers: SentValues, options: VerificationOptions): JsonObject {
  const proofs = [options.signatureHeader, options.secretHeader].map((name) => name?.toLowerCase());
  const kept: Record<string, Json> = {};
  for (const [name, given] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (given === undefined || isCredentialHeader(lower) || proofs.includes(lower)) continue;
    const value = typeof given === 'string' ? given : given.join(', ');
    if (isStorableText(lower)) setOwn(kept, lower, storableText(value, MAX_HEADER_CHARS));
  }
  return kept;
}

/** The query as JSON; a name given more than once has a list. Text that cannot be stored is a problem (422). */
export function senderQuery(query: SentValues): Result<JsonObject> {
  const problems: Problem[] = [];
  const kept: Record<string, Json> = {};
  for (const [name, given] of Object.entries(query)) {
    if (given === undefined) continue;
    const values = typeof given === 'string' ? [given] : given;
    if ([name, ...values].every(isStorableText))
      setOwn(kept, name, typeof given === 'string' ? given : [...given]);
    else
      problems.push({
        pointer: joinPointer('/query', storableText(name, 100)),
        code: 'unstorable_text',
        message: 'the query holds \\u0000 or a lone surrogate, which cannot be stored',
      });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: kept };
}
