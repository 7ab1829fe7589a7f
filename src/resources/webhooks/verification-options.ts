// The options of a verifier as the owner of a webhook gives them.
import type { Problem, Result } from '../../core/errors.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import {
  HMAC_ALGORITHMS,
  HMAC_ENCODINGS,
  MAX_HEADER_NAME_CHARS,
  MAX_PREFIX_CHARS,
} from '../../core/trigger/webhook.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';

const HEADER_OPTIONS = ['signatureHeader', 'timestampHeader', 'deliveryIdHeader', 'secretHeader'] as const;
const OPTIONS = [...HEADER_OPTIONS, 'algorithm', 'encoding', 'prefix'] as const;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII but a comma. */
const PREFIX = /^[\x21-\x2b\x2d-\x7e]*$/;

/** Reads the options of a webhook; header names become lower-case. All problems at once, pointers below `pointer`. */
export function readVerificationOptions(
  given: Json | undefined,
  pointer = '/options',
): Result<VerificationOptions> {
  if (given === undefined) return { ok: true, value: {} };
  if (!isJsonObject(given)) return { ok: false, problems: [problem(pointer, 'options must be an object')] };
  const problems: Problem[] = [];
  const options: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const message = optionProblem(name, value);
    if (message !== null)
      problems.push(problem(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, message));
    else if (typeof value === 'string')
      options[name] = (HEADER_OPTIONS as readonly string[]).includes(name) ? value.toLowerCase() : value;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: options };
}

function optionProblem(name: string, value: Json): string | null {
  if (!(OPTIONS as readonly string[]).includes(name))
    return `unknown option; known are ${OPTIONS.join(', ')}`;
  if (typeof value !== 'string') return 'must be text';
  if (name === 'algorithm') return oneOf(HMAC_ALGORITHMS, value);
  if (name === 'encoding') return oneOf(HMAC_ENCODINGS, value);
  if (name === 'prefix')
    return value.length <= MAX_PREFIX_CHARS && PREFIX.test(value)
      ? null
      : `must be at most ${MAX_PREFIX_CHARS} visible ASCII characters without a comma`;
  const isName = value.length <= MAX_HEADER_NAME_CHARS && HEADER_NAME.test(value);
  return isName ? null : 'must be the name of a header';
}

function oneOf(known: readonly string[], value: string): string | null {
  return known.includes(value) ? null : `must be one of ${known.join(', ')}`;
}

function problem(pointer: string, message: string): Problem {
  return { pointer, code: 'validation', message };
}
