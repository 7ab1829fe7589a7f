// What went wrong at a provider, as an error of CONTRACT 2.3. The message carries the HTTP status, the provider's request
// id and what it said, redacted; never headers, keys or request bodies.
import type { APICallError } from '@ai-sdk/provider';
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import { isJsonObject, storableText } from '../../core/json.ts';
import { parseRetryAfter } from '../../core/retry.ts';

/** Seconds: a longer Retry-After is not believed. */
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

/** OpenAI also reports these in a body of 200, which the SDK takes for 400. */
const FAILED_IN_BODY: ReadonlyMap<unknown, number> = new Map([
  ['server_error', 500],
  ['rate_limit_exceeded', 429],
  ['vector_store_timeout', 504],
]);

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
  const say = (what: string): string =>
    storableText(place.redact(`Task "${place.taskId}": ${place.label} ${what}`), 1000);
  const call = chain.find((one): one is APICallError => nameOf(one) === 'AI_APICallError');
  const status = call?.statusCode;
  if (call !== undefined && status !== undefined && (status < 200 || status > 299))
    return statusError(call, FAILED_IN_BODY.get(errorCodeIn(call.responseBody)) ?? status, say);
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

function statusError(call: APICallError, status: number, say: (what: string) => string): Error {
  const message = say(`answered ${status}${suffix(call)}: ${saidBy(call)}`);
  if (status === 429)
    return new RetryableError(message, { code: 'rate_limited', status, ...retryAfterOf(call) });
  if (status >= 500 || status === 408 || status === 409 || status === 425)
    return new RetryableError(message, { code: 'provider_error', status, ...retryAfterOf(call) });
  return new TerminalError('provider_refused', message, { status });
}

/** Of a body that the SDK has parsed. */
function errorCodeIn(body: unknown): unknown {
  return isJsonObject(body) && isJsonObject(body.error) ? body.error.code : undefined;
}

/** The provider's message, where it sent one; never a body that is not understood. */
function saidBy(call: APICallError): string {
  return call.message.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SAID_CHARS) || 'no reason given';
}

function suffix(call: APICallError | undefined): string {
  const id = REQUEST_ID_HEADERS.map((name) => call?.responseHeaders?.[name]).find((one) => one !== undefined);
  return id === undefined ? '' : ` (request ${id.slice(0, 100)})`;
}

function retryAfterOf(call: APICallError): { retryAfter?: number } {
  const retryAfter = parseRetryAfter(call.responseHeaders?.['retry-after'], new Date().toISOString());
  return retryAfter === undefined ? {} : { retryAfter };
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
