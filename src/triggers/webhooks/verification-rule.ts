// What a webhook asks of its senders: how they prove who they are, with which secrets.
import type { Problem, Result } from '../../core/errors.ts';
import { isJsonObject, type Json } from '../../core/json.ts';

export const AUTH_TYPES = ['none', 'secret', 'basic', 'bearer'] as const;
export type AuthType = (typeof AUTH_TYPES)[number];
export const VERIFIERS = ['standard_webhooks', 'github', 'stripe', 'slack', 'hmac'] as const;
export type Verifier = (typeof VERIFIERS)[number];

/** How a sender is recognised. Where both `authType` and `verifier` are set, both must pass. */
export interface VerificationRule {
  /** `secret`: the secret itself in X-Webhook-Secret; `basic`: it is `user:password`; `bearer`: Authorization. */
  readonly authType: AuthType;
  readonly verifier: Verifier | null;
  /** During a rotation several: any of them may match. An unusable one (empty, malformed) never matches. */
  readonly secrets: readonly string[];
  readonly options: VerificationOptions;
}

export const HMAC_ALGORITHMS = ['sha256', 'sha512', 'sha1'] as const;
export const HMAC_ENCODINGS = ['hex', 'base64'] as const;

/** Names of headers are lower-case. All but `secretHeader` are for `hmac`, `deliveryIdHeader` also for no verifier. */
export interface VerificationOptions {
  /** Default: the first that is there of the usual ones (SIGNATURE_HEADERS in hmac.ts). */
  readonly signatureHeader?: string;
  /** Default sha256. */
  readonly algorithm?: (typeof HMAC_ALGORITHMS)[number];
  /** Default hex, in lower or upper case; base64 is the padded standard alphabet. */
  readonly encoding?: (typeof HMAC_ENCODINGS)[number];
  /** What stands before the digest. Default: `sha256=` (the algorithm's name), or nothing. */
  readonly prefix?: string;
  /** Unix seconds, at most 5 minutes away; what is signed is then `<timestamp>.<body>` instead of the body. Default: none. */
  readonly timestampHeader?: string;
  /** Default: the first that is there of the usual ones (DELIVERY_ID_HEADERS in delivery-id.ts). */
  readonly deliveryIdHeader?: string;
  /** For `authType: secret`. Default x-webhook-secret. */
  readonly secretHeader?: string;
}

const HEADER_OPTIONS = ['signatureHeader', 'timestampHeader', 'deliveryIdHeader', 'secretHeader'] as const;
const OPTIONS = [...HEADER_OPTIONS, 'algorithm', 'encoding', 'prefix'] as const;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/** Reads the options of a webhook; header names become lower-case. All problems at once, pointers below `pointer`. */
export function readVerificationOptions(
  given: Json | undefined,
  pointer = '/options',
): Result<VerificationOptions> {
  if (given === undefined || given === null) return { ok: true, value: {} };
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
    return /^[\x21-\x2b\x2d-\x7e]{0,50}$/.test(value)
      ? null
      : 'must be at most 50 visible ASCII characters without a comma';
  return HEADER_NAME.test(value) ? null : 'must be the name of a header';
}

function oneOf(known: readonly string[], value: string): string | null {
  return known.includes(value) ? null : `must be one of ${known.join(', ')}`;
}

function problem(pointer: string, message: string): Problem {
  return { pointer, code: 'validation', message };
}
