// Where outside services deliver: the raw bytes of a request, judged by triggers/webhooks/receive.ts. It takes no key.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { LIMIT_RETRY_SECONDS } from '../../triggers/starts/start-check.ts';
import type { WebhookAnswer } from '../../triggers/webhooks/event/respond.ts';
import { type Receipt, receiveDelivery } from '../../triggers/webhooks/receive.ts';
import type { Delivery } from '../../triggers/webhooks/verification/delivery.ts';
import { networkOf } from '../caller/client-address.ts';
import { RateLimit } from '../caller/rate-limit.ts';
import { RefusalLog, type RefusedDelivery } from '../caller/refusal-log.ts';
import { ReceiptSchema } from '../schemas/webhooks.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError, unavailable, unprocessable } from '../server/problem.ts';
import { answerOfDelivery } from '../waiting/delivery-answer.ts';
import type { Waiting } from '../waiting/waiting.ts';

/** Deliveries of one address a second that are refused with 401; above, with 429. Good ones are taken: behind a proxy all share one. */
const FAILURES_PER_SECOND = 200;
const MAX_LOGGED_PATH = 200;

const DESCRIPTION =
  'For the senders of webhooks. The path is that of the webhook, `<tenant name>/<path>`; the sender proves itself as the webhook asks. ' +
  'The body is JSON, a form or text, at most 1 MB, not compressed. 202 comes after the event and the execution that it starts are committed; ' +
  'a delivery that is repeated under the same id gets the same answer. An unknown path and a wrong signature both get 401; 429 says in Retry-After when to deliver again, and nothing of the delivery is kept. ' +
  'PUT, GET and HEAD are taken where the webhook has them in `methods`. ' +
  'A webhook may answer otherwise (`respond`), and answers questions of its sender whether the address is right (`handshakes`).';

/** The others are deliveries where a webhook says so, and described with POST. */
const METHODS = ['POST', 'PUT', 'GET'] as const;

export function addHookRoutes(api: Api, service: ApiContext, waiting: Waiting): void {
  const deliveries = new RateLimit(service.settings.rateLimit);
  const failures = new RateLimit(FAILURES_PER_SECOND);
  const refusals = new RefusalLog<RefusedDelivery>(service.log, {
    level: 'info',
    message: 'a webhook delivery was refused',
  });

  for (const method of METHODS)
    api.route({
      method,
      url: '/hooks/*',
      config: {
        ...{ access: 'public', body: 'raw', anyQuery: true, provesItself: true },
        hidden: method !== 'POST',
      },
      onRequest: async (request) => {
        if (deliveries.take(pathOf(request)) < 0) throw tooMany(1);
      },
      schema: {
        tags: ['webhooks'],
        summary: 'Deliver an event of an outside service',
        description: DESCRIPTION,
        operationId: 'deliver',
        params: Type.Object({ '*': Type.String({ description: '`<tenant name>/<path>`' }) }),
        response: {
          200: Type.Object(
            { challenge: Type.String() },
            { description: "The answer to Slack's question whether the address is right." },
          ),
          202: ReceiptSchema,
        },
      },
      handler: async (request, reply) => {
        const receipt = await receiveDelivery(service, pathOf(request), deliveryOf(request));
        if (receipt.kind === 'unauthorized' && receipt.isUnknownPath === true)
          refusals.note({ ...{ address: request.address, requestId: request.id }, ...unknownPath(request) });
        if (receipt.kind === 'unauthorized' && failures.take(networkOf(request.address ?? '')) < 0)
          throw tooMany(1);
        if (receipt.kind === 'answered') return await sendAnswer(reply, receipt);
        const answer =
          receipt.kind === 'stored' ? await awaitAnswer(service, waiting, receipt, request, reply) : null;
        if (answer !== null) return await sendAnswer(reply, answer);
        const { status, body } = answerTo(receipt);
        return await reply.code(status as 202).send(body as never);
      },
    });
}

async function awaitAnswer(
  service: ApiContext,
  waiting: Waiting,
  receipt: Extract<Receipt, { kind: 'stored' }>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<WebhookAnswer | null> {
  if (receipt.asked === undefined) return null;
  const gone = new AbortController();
  const leave = () => gone.abort();
  reply.raw.on('close', leave);
  // It may have gone while the event was stored.
  if (request.raw.socket.destroyed) leave();
  try {
    return await answerOfDelivery(service, waiting, receipt, {
      gone: gone.signal,
      bodyBytes: request.bodyBytes,
    });
  } finally {
    reply.raw.off('close', leave);
  }
}

/** As it is: nothing of it is serialised by a schema. */
async function sendAnswer(
  reply: FastifyReply,
  {
    status,
    headers,
    body,
  }: {
    readonly status: number;
    readonly headers: WebhookAnswer['headers'];
    readonly body: string | object | null;
  },
): Promise<FastifyReply> {
  reply.code(status).headers(headers);
  if (body === null) return await reply.send();
  if (typeof body !== 'string') reply.type('application/json; charset=utf-8');
  return await reply.send(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

function answerTo(receipt: Exclude<Receipt, { kind: 'answered' }>): {
  readonly status: number;
  readonly body: object;
} {
  switch (receipt.kind) {
    case 'unauthorized':
      throw new ApiError(
        401,
        'unauthorized',
        'there is no webhook here, or the delivery does not prove its sender',
      );
    case 'unavailable':
      throw unavailable('the delivery cannot be judged now', 'unavailable', 60);
    case 'unacceptable':
      throw receipt.isMalformed ? malformed(receipt.problems) : unprocessable(receipt.problems);
    case 'limited':
      throw new ApiError(429, receipt.code, receipt.message, {
        headers: { 'retry-after': String(LIMIT_RETRY_SECONDS) },
      });
    case 'challenge':
      return { status: 200, body: { challenge: receipt.challenge } };
    case 'stored': {
      const { eventId, status, executionId } = receipt;
      return { status: 202, body: { eventId, status, ...(executionId === null ? {} : { executionId }) } };
    }
  }
}

function malformed(errors: Extract<Receipt, { kind: 'unacceptable' }>['problems']): ApiError {
  return new ApiError(400, 'malformed_body', 'the body is not what its content type says', { errors });
}

// Before the bytes are judged, as all of this is the same for a path that nobody has.
function deliveryOf(request: FastifyRequest): Delivery {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ApiError(415, 'unsupported_encoding', 'bodies are taken uncompressed only', {
      headers: { 'accept-encoding': 'identity' },
    });
  return {
    method: request.method,
    headers: valuesOf(headerPairs(request.raw.rawHeaders)),
    query: valuesOf(new URLSearchParams(searchOf(request.raw.url ?? ''))),
    rawBody: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    target: request.raw.url ?? '',
  };
}

function* headerPairs(rawHeaders: readonly string[]): Generator<[name: string, value: string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    yield [rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!];
}

function searchOf(url: string): string {
  const cut = url.indexOf('?');
  return cut === -1 ? '' : url.slice(cut);
}

// What is given more than once has a list: which of two is meant is the verifier's to refuse.
function valuesOf(pairs: Iterable<[name: string, value: string]>): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    const before = values[name];
    if (before === undefined) values[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else values[name] = [before, value];
  }
  return values;
}

/** What the log tells, and the sender is not. */
function unknownPath(request: FastifyRequest): Pick<RefusedDelivery, 'path' | 'reason'> {
  return {
    path: pathOf(request).slice(0, MAX_LOGGED_PATH),
    reason:
      'no webhook takes deliveries at this path: it is misspelt, paused or removed, or its tenant is suspended',
  };
}

function pathOf(request: FastifyRequest): string {
  return (request.params as { readonly '*'?: string })['*'] ?? '';
}

function tooMany(seconds: number): ApiError {
  return new ApiError(429, 'rate_limited', 'too many deliveries in a second', {
    headers: { 'retry-after': String(Math.max(1, seconds)) },
  });
}
