// From whatever was thrown to the answer: what is expected says what is wrong, all else says nothing of the inside.

import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerCode } from '../../core/codes/code.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { isConnectionLoss, isRetryable, isStatementTimeout } from '../../db/connection/connection.ts';
import { ShareUsedUp } from '../../db/connection/shares.ts';
import { isStorageFault } from '../../db/connection/storage-fault.ts';
import { ApiError, PROBLEM_JSON, problemBody, unavailable } from './problem.ts';

const BODY_TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';
/** Of a body that is too large; beyond it the sender is cut off. */
const MAX_DISCARDED_BYTES = 32_000_000;

/** Fastify's own refusals, in our words. */
const REFUSALS: Readonly<Record<string, readonly [status: number, code: AnswerCode, detail: string]>> = {
  [BODY_TOO_LARGE]: [413, 'too_large', 'the body is larger than this route takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type', 'the header Content-Type cannot be read'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'bad_request', 'the body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: [400, 'bad_request', 'the path cannot be decoded'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'too_long', 'a part of the path is too long'],
  FST_ERR_INVALID_URL: [400, 'bad_request', 'the path cannot be read'],
};

/** A path that cannot be decoded fails before any hook runs. */
const ALWAYS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** What is answered to an error. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  if (known !== undefined) return new ApiError(...known);
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new ApiError(statusCode, 'bad_request', 'the request cannot be read');
  if (isConnectionLoss(error) || isStorageFault(error))
    return unavailable('the database does not answer; try again', 'database_unavailable', 2);
  if (error instanceof ShareUsedUp) return unavailable(error.message, 'busy', 1);
  if (isStatementTimeout(error))
    return unavailable(
      'the database took too long for this; ask for less (a smaller limit, a narrower filter), or try again later',
      'too_slow',
      5,
    );
  if (isRetryable(error)) return unavailable('others are changing the same; try again', 'busy');
  return new ApiError(500, 'internal', 'something went wrong here; the log tells more under this request id');
}

export function createErrorHandler(log: TaskLog) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = apiErrorOf(error);
    const isGone = request.raw.destroyed && !request.raw.complete;
    if (answer.status >= 500 && !isGone) note(log, error, answer, request);
    const send = () => {
      reply
        .code(answer.status)
        .headers({ ...ALWAYS, 'x-request-id': request.id, ...answer.headers })
        .type(PROBLEM_JSON)
        .send(problemBody(answer));
    };
    if ((error as { code?: unknown } | null | undefined)?.code === BODY_TOO_LARGE)
      afterBody(request.raw, send);
    else send();
  };
}

// Many clients read no answer before they have written their body: cut off, they would see a broken connection, not 413.
function afterBody(body: FastifyRequest['raw'], send: () => void): void {
  let left = MAX_DISCARDED_BYTES;
  if (Number(body.headers['content-length'] ?? 0) > left) {
    send();
    return;
  }
  const discard = ({ length }: Buffer) => {
    left -= length;
    if (left < 0) end();
  };
  const end = () => {
    forget();
    body.off('data', discard);
    send();
  };
  const forget = finished(body, end);
  body.on('data', discard);
}

function note(log: TaskLog, error: unknown, { status, code }: ApiError, request: FastifyRequest): void {
  const fields = { requestId: request.id, method: request.method, route: request.routeOptions.url ?? '' };
  if (status === 500)
    log.error('a request failed', {
      ...fields,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  else log.warn('a request could not be served', { ...fields, code, error: String(error) });
}
