// What an external_api makes of an answer: its output, or the error that it is.
import { RetryableError, TerminalError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { EXCESS_TEXT, parseJson } from '../../core/json-shape.ts';
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

/** `{ status, headers, body }`. The body is what JSON says, a text, `{ base64 }` of anything else, or null of nothing. */
export function outputOf(answer: HttpAnswer, call: ApiCall, redact: Redact): Json {
  const { status } = answer;
  const headers: Record<string, Json> = {};
  for (const [name, value] of answer.headers)
    if (KEPT_HEADERS.has(name) || KEPT_PREFIXES.some((prefix) => name.startsWith(prefix)))
      headers[name] = value;
  return redactJson({ status, headers, body: bodyOf(answer, call, redact) }, redact);
}

function bodyOf(answer: HttpAnswer, call: ApiCall, redact: Redact): Json {
  if (answer.body.length === 0) return null;
  const text = textOf(answer);
  if (text === null) {
    // As one character per byte, so that a secret is found wherever in the bytes it stands.
    const bytes = answer.body.toString('latin1');
    return { base64: Buffer.from(redact(bytes), 'latin1').toString('base64') };
  }
  if (!isJson(typeOf(answer))) return text;
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
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
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(answer.headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: type === '' }).decode(answer.body);
  } catch (error) {
    if (error instanceof RangeError) return new TextDecoder().decode(answer.body);
    return null;
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
