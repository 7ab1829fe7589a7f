// What went wrong at a provider, as an error of CONTRACT 2.3. The message carries the HTTP status, the provider's request
// id and what it said, redacted; never headers, keys or request bodies.
import type { APICallError } from '@ai-sdk/provider';
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, storableText } from '../../core/json.ts';
import { parseJson } from '../../core/json-shape.ts';
import { type ErrorWords, isOutOfQuota, readErrorWords, statusOf } from './error-class.ts';
import type { BodyError } from './heard-answer.ts';
import { retryAfterOf } from './retry-advice.ts';

const MAX_SAID_CHARS = 500;
const REQUEST_ID_HEADERS = ['request-id', 'x-request-id', 'x-goog-request-id'];
const NETWORK_NAMES = new Set(['TypeError', 'SocketError']);
/** The request itself is at fault as the SDK sees it, before it is sent. */
const REQUEST_ERRORS = new Set([
  'AI_UnsupportedFunctionalityError',
  'AI_InvalidPromptError',
  'AI_InvalidArgumentError',
  'AI_NoSuchModelError',
  'AI_TooManyEmbeddingValuesForCallError',
]);
const BODY_ERRORS = new Set([
  'AI_JSONParseError',
  'AI_TypeValidationError',
  'AI_EmptyResponseBodyError',
  'AI_InvalidResponseDataError',
  'AI_NoContentGeneratedError',
]);

/** The account has nothing left: the same request fails until someone pays, but at another provider it may not. */
export class OutOfQuota extends TerminalError {}

export interface ProviderErrorPlace {
  /** `provider/name`. */
  readonly label: string;
  readonly taskId: string;
  readonly redact: (text: string) => string;
}

/** `failure`: what the SDK or the guarded fetch threw; null: an answer without what was asked for. */
export function providerError(failure: unknown, place: ProviderErrorPlace): Error {
  const chain = causesOf(failure);
  // The guard's own verdicts, which the SDK may have wrapped.
  const ours = chain.find((one) => isOurs(one));
  if (ours !== undefined) return ours as Error;
  const say = (what: string): string => sayAt(place, what);
  const call = chain.find((one): one is APICallError => nameOf(one) === 'AI_APICallError');
  const status = call?.statusCode;
  if (call !== undefined && status !== undefined && (status < 200 || status > 299)) {
    const body = readBody(call.responseBody);
    const words = readErrorWords(body?.error ?? body ?? '', call.message);
    return statusError({ status, words, body, headers: call.responseHeaders ?? {} }, place);
  }
  if (failure === null || chain.some((one) => BODY_ERRORS.has(nameOf(one))))
    return new RetryableError(say(`gave an answer that cannot be read${suffix(call)}`), {
      code: 'output_invalid',
    });
  if (call !== undefined || chain.some((one) => NETWORK_NAMES.has(nameOf(one)) || codeOf(one) !== null)) {
    const code = chain.map(codeOf).find((one) => one !== null);
    return new RetryableError(
      say(`could not be reached, or broke off${code === undefined ? '' : ` (${code})`}${suffix(call)}`),
      { code: 'network' },
    );
  }
  const said = failure instanceof Error ? failure.message : String(failure);
  if (chain.some((one) => REQUEST_ERRORS.has(nameOf(one))) || nameOf(failure).startsWith('AI_'))
    return new TerminalError(
      'validation',
      say(`does not take this request: ${said.slice(0, MAX_SAID_CHARS)}`),
    );
  return new RetryableError(say(`failed: ${said.slice(0, MAX_SAID_CHARS)}`), { code: 'provider_error' });
}

function isOurs(error: unknown): boolean {
  return error instanceof TerminalError || error instanceof RetryableError || error instanceof NotNow;
}

/** An error that came in a body of 200, in the provider's words and of its class. */
export function errorInBody({ error, headers }: BodyError, place: ProviderErrorPlace): Error {
  const words = readErrorWords(error, 'no reason given');
  const body = isJsonObject(error) && isJsonObject(error.error) ? error : { error };
  return statusError(
    { status: statusOf(words), words, body, headers: Object.fromEntries(headers), isInBody: true },
    place,
  );
}

interface Failure {
  readonly status: number;
  readonly words: ErrorWords;
  readonly body: JsonObject | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The HTTP status was 200. */
  readonly isInBody?: boolean;
}

function statusError({ status, words, body, headers, isInBody }: Failure, place: ProviderErrorPlace): Error {
  const said = words.message.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SAID_CHARS) || 'no reason given';
  const answered = isInBody === true ? 'answered 200 with an error' : `answered ${status}`;
  const isSpent = isOutOfQuota(status, words);
  const message = sayAt(
    place,
    `${answered}${suffix({ responseHeaders: headers })}: ${said}${isSpent ? ' (the account has no quota or credit left: waiting does not help)' : ''}`,
  );
  const { type, code } = words;
  const named = type === null && code === null ? {} : { details: { type, code } };
  const details = JSON.parse(place.redact(JSON.stringify(named))) as typeof named;
  if (isSpent) return new OutOfQuota('provider_refused', message, { status, ...details });
  const retryAfter = retryAfterOf({
    headers,
    body,
    message: words.message,
    nowMs: Date.now(),
    isLimited: status === 429,
  });
  const advice = retryAfter === undefined ? {} : { retryAfter };
  if (status === 429)
    return new RetryableError(message, { code: 'rate_limited', status, ...details, ...advice });
  if (status >= 500 || status === 408 || status === 409 || status === 425)
    return new RetryableError(message, { code: 'provider_error', status, ...details, ...advice });
  return new TerminalError('provider_refused', message, { status, ...details });
}

function sayAt(place: ProviderErrorPlace, what: string): string {
  return storableText(place.redact(`Task "${place.taskId}": ${place.label} ${what}`), 1000);
}

/** The SDK hands on a text, or what it has parsed. */
function readBody(body: unknown): JsonObject | null {
  if (isJsonObject(body)) return body;
  const parsed = typeof body === 'string' ? parseJson(body) : null;
  const value = parsed?.ok === true ? parsed.value : null;
  // Google streams lists of errors.
  const first = Array.isArray(value) ? value[0] : value;
  return isJsonObject(first) ? first : null;
}

function suffix(call: Pick<APICallError, 'responseHeaders'> | undefined): string {
  const id = REQUEST_ID_HEADERS.map((name) => call?.responseHeaders?.[name]).find((one) => one !== undefined);
  return id === undefined ? '' : ` (request ${id.slice(0, 100)})`;
}

function causesOf(failure: unknown): unknown[] {
  const chain: unknown[] = [];
  for (
    let at = failure;
    at !== undefined && at !== null && chain.length < 10;
    at = (at as { cause?: unknown }).cause
  )
    chain.push(at);
  return chain;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A system or undici error code. */
function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(E[A-Z_]+|UND_ERR_\w+|ERR_\w+)$/.test(code) ? code : null;
}
