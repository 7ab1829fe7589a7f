// What an external_api makes of an answer: its output, or the error that it is.
import type { ResponseType } from '../../core/definition/checks/external-api-rule.ts';
import { assertNever, RetryableError, TerminalError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { EXCESS_TEXT, parseJson } from '../../core/json-shape.ts';
import type { JsonWarning, LongNumbers } from '../../core/long-numbers.ts';
import { type Redact, redactJson } from '../../core/redact.ts';
import { parseRetryAfter } from '../../core/retry.ts';
import type { HttpAnswer } from '../outbound/message.ts';
import type { ApiCall } from './call.ts';

/** Response headers that are kept; the rest may hold sessions and keys. */
const KEPT_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-language',
  'content-disposition',
  'date',
  'etag',
  'last-modified',
  'expires',
  'cache-control',
  'location',
  'link',
  'retry-after',
  'request-id',
  'x-request-id',
  'x-correlation-id',
  'x-total-count',
  'deprecation',
  'sunset',
]);
const KEPT_PREFIXES = ['ratelimit', 'x-ratelimit-', 'x-rate-limit-'];
const EXCERPT_CHARS = 2000;

/** Throws `http_<status>` where the status is not one that was expected. `now`: ISO 8601, for dates in Retry-After. */
export function checkStatus(
  answer: HttpAnswer,
  call: ApiCall,
  { redact, now }: { readonly redact: Redact; readonly now: string },
): void {
  const { status, headers } = answer;
  if (call.isExpected(status)) return;
  const message = `${whereOf(call)} answered ${status}; expected ${call.expected}`;
  if (status > 599) throw new RetryableError(message, { code: 'network', status });
  const text = textOf(answer);
  // Redacted before it is cut, so that no part of a secret is left at the end.
  const excerpt =
    text === null ? null : redact(text).slice(0, EXCERPT_CHARS).toWellFormed().replaceAll('\0', '');
  const retryAfter =
    status === 429 || status === 503 ? parseRetryAfter(headers.get('retry-after'), now) : undefined;
  throw new RetryableError(message, {
    code: `http_${status}`,
    status,
    ...(excerpt !== null && excerpt !== '' && { details: { body: excerpt } }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

/**
 * `{ status, headers, body }`. The body is what `responseType` says; without one what JSON says, a text, `{ base64 }` of anything
 * else, or null of nothing. `warn` is told of what was taken otherwise than it was sent.
 */
export function outputOf(
  answer: HttpAnswer,
  call: ApiCall,
  { redact, warn }: { readonly redact: Redact; readonly warn: (warning: JsonWarning) => void },
): Json {
  const { status } = answer;
  const headers: Record<string, Json> = {};
  for (const [name, value] of answer.headers)
    if (KEPT_HEADERS.has(name) || KEPT_PREFIXES.some((prefix) => name.startsWith(prefix)))
      headers[name] = value;
  const body = call.responseType === null ? bodyOf(answer, call) : bodyAs(call.responseType, answer, call);
  const warning = body.longNumbers?.warning(`the answer of ${whereOf(call)}`) ?? null;
  if (warning !== null) warn(warning);
  return redactJson({ status, headers, body: body.of(redact) }, redact);
}

/** A body that was read; what a secret is looked for in depends on how. */
interface ReadBody {
  readonly longNumbers?: LongNumbers;
  readonly of: (redact: Redact) => Json;
}

const asItIs = (value: Json, longNumbers?: LongNumbers): ReadBody => ({
  of: () => value,
  ...(longNumbers !== undefined && { longNumbers }),
});

function bodyOf(answer: HttpAnswer, call: ApiCall): ReadBody {
  if (answer.body.length === 0) return asItIs(null);
  const text = textOf(answer);
  if (text === null) return { of: (redact) => ({ base64: base64Of(answer, redact) }) };
  return isJson(typeOf(answer)) ? jsonOf(text, answer, call) : asItIs(text);
}

function bodyAs(type: ResponseType, answer: HttpAnswer, call: ApiCall): ReadBody {
  switch (type) {
    case 'json':
      return answer.body.length === 0 ? asItIs(null) : jsonOf(decoded(answer, false), answer, call);
    case 'text':
      return asItIs(decoded(answer, false));
    case 'bytes':
      return {
        of: (redact) => ({
          base64: base64Of(answer, redact),
          contentType: answer.headers.get('content-type') ?? null,
          length: answer.body.length,
        }),
      };
    default:
      return assertNever(type);
  }
}

/** As one character per byte, so that a secret is found wherever in the bytes it stands. */
function base64Of({ body }: HttpAnswer, redact: Redact): string {
  return Buffer.from(redact(body.toString('latin1')), 'latin1').toString('base64');
}

function jsonOf(text: string, answer: HttpAnswer, call: ApiCall): ReadBody {
  const parsed = parseJson(text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (parsed.ok) return asItIs(parsed.value, parsed.longNumbers);
  const message = `${whereOf(call)} answered ${answer.status} with a body ${parsed.problem === 'not_json' ? 'that is not valid JSON' : EXCESS_TEXT[parsed.problem]}`;
  if (parsed.problem === 'too_many_values')
    throw new TerminalError('payload_too_large', `${message}; ask for less at a time`, {
      status: answer.status,
    });
  throw new RetryableError(message, { code: 'output_invalid', status: answer.status });
}

/** Null where the body is no text: by its Content-Type, or without one by its bytes. */
function textOf(answer: HttpAnswer): string | null {
  const type = typeOf(answer);
  const isText =
    type === '' ||
    isJson(type) ||
    /^text\/|[/+](xml|yaml|x-yaml|x-ndjson|jsonl|javascript|graphql|x-www-form-urlencoded|csv)$/.test(type);
  if (!isText) return null;
  try {
    return decoded(answer, type === '');
  } catch {
    return null;
  }
}

/** By its charset, else as UTF-8. `isStrict`: throws where the bytes are not of it. */
function decoded({ headers, body }: HttpAnswer, isStrict: boolean): string {
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
  return decoderOf(charset, isStrict).decode(body);
}

/** Of UTF-8 where nobody knows the charset. */
function decoderOf(charset: string, isStrict: boolean) {
  try {
    return new TextDecoder(charset, { fatal: isStrict });
  } catch {
    return new TextDecoder();
  }
}

/** Without its parameters, lower case; empty where there is none. */
function typeOf({ headers }: HttpAnswer): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function isJson(type: string): boolean {
  return /^(application|text)\/json$|\+json$/.test(type);
}

function whereOf({ taskId, request: { method, url, shownPath = '' } }: ApiCall): string {
  return `Task "${taskId}": ${method} ${url.origin}${shownPath}`;
}
