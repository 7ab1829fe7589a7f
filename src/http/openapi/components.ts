// The parts of OpenAPI that operations share: headers of requests and answers, and how routes refuse.
import { STATUS_CODES } from 'node:http';
import { PROBLEM_JSON } from '../server/problem.ts';

export const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457: what went wrong.',
  required: ['type', 'title', 'status', 'detail', 'code', 'errors'],
  properties: {
    type: { type: 'string', const: 'about:blank' },
    title: { type: 'string', description: 'The phrase of the status.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What went wrong, for people.' },
    code: { type: 'string', description: 'What went wrong, for programs.' },
    errors: {
      type: 'array',
      description: 'All problems of a request.',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: {
            type: 'string',
            description: 'JSON pointer into the body; /query/…, /params/… and /headers/… else.',
          },
          code: { type: 'string' },
          message: { type: 'string' },
          hint: { type: 'string' },
        },
      },
    },
  },
} as const;

/** Request headers, by name. */
export const HEADER_PARAMETERS = {
  'Idempotency-Key': header(
    'Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409.',
    { type: 'string', pattern: '^[!-~]{1,255}$', examples: ['order-17'] },
  ),
  'If-Match': header(
    'Only where this is the current revision, as `ETag` told it, or `*`: where there is one.',
    {
      type: 'string',
      examples: ['"3"'],
    },
  ),
  'If-None-Match': header('Only where it is another than this one, as `ETag` told it; else 304.', {
    type: 'string',
    examples: ['"XWxV2cP0"'],
  }),
  'Last-Event-ID': header('Goes on after this event.', { type: 'string', examples: ['17'] }),
  'X-Tenant-Id': header(
    "Names the tenant for the operator's key, which must; ignored with a key of a tenant.",
    { type: 'string', format: 'uuid' },
  ),
  'X-Actor': header('In whose name the caller acts. Takes the scope `actors:assert`.', {
    type: 'string',
    examples: ['user:alice'],
  }),
} as const;
export type RequestHeader = keyof typeof HEADER_PARAMETERS;

/** Headers of answers, by name. */
export const ANSWER_HEADERS = {
  ETag: told('What it is now, in quotes, for `If-Match` or `If-None-Match`: of a definition the revision.', {
    type: 'string',
    examples: ['"3"'],
  }),
  Location: told('Where what was made is read.', { type: 'string', format: 'uri-reference' }),
  'Idempotency-Replayed': told('`true`: this is the first answer to the key again.', {
    type: 'string',
    enum: ['true'],
  }),
  'Retry-After': told('Seconds after which to send it again.', { type: 'integer', minimum: 1 }),
  'RateLimit-Limit': told('Requests a second that the key may send; on routes that take one.', {
    type: 'integer',
  }),
  'RateLimit-Remaining': told('How many more this second allows.', { type: 'integer', minimum: 0 }),
  'RateLimit-Reset': told('Seconds until the next count begins.', { type: 'integer' }),
  'WWW-Authenticate': told('What a key looks like.', { type: 'string' }),
  Allow: told('The methods that the path has.', { type: 'string', examples: ['GET, HEAD'] }),
  'X-Request-Id': told("Of this request in the service's log.", { type: 'string', format: 'uuid' }),
} as const;
export type AnswerHeader = keyof typeof ANSWER_HEADERS;

export const OF_ALL_ANSWERS = ['X-Request-Id'] as const satisfies readonly AnswerHeader[];
export const OF_KEYED_ANSWERS = [
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
] as const satisfies readonly AnswerHeader[];

interface Refusal {
  readonly description: string;
  readonly headers?: readonly AnswerHeader[];
  /** It comes before anybody looks at the key. */
  readonly isEarly?: true;
}

/** What routes answer besides success, by status. `default`: what any request may get, whatever its path. */
export const REFUSALS = {
  400: { description: 'Malformed: not JSON, or a query or header that does not fit.' },
  401: {
    description:
      'No key, or one that is unknown, expired or revoked; a delivery that does not prove its sender.',
    headers: ['WWW-Authenticate'],
    isEarly: true,
  },
  403: { description: 'The key lacks the scope.' },
  404: { description: 'No such resource, or not of this tenant.' },
  408: { description: 'The request took too long to arrive.', isEarly: true },
  409: {
    description: 'In the way of what is there: a name that is taken, a key that came with another request.',
  },
  410: { description: 'What it was for has ended.' },
  412: { description: 'Another revision is the current one, which `ETag` tells.', headers: ['ETag'] },
  413: { description: 'The body is too large, or what was asked for is.' },
  414: { description: 'A part of the path is too long.', isEarly: true },
  415: { description: 'The body has another media type, or is compressed.' },
  422: { description: 'The body does not fit; all problems at once.' },
  429: { description: 'Too many requests in a second.', headers: ['Retry-After'] },
  431: { description: 'The headers are larger than 16 KB.', isEarly: true },
  500: { description: "Something went wrong in the service; its log tells more under this request's id." },
  503: {
    description: 'The database does not answer, or others are changing the same; send it again.',
    headers: ['Retry-After'],
  },
  default: {
    description: 'Any other refusal: 405 where the path has other methods, which `Allow` names.',
    headers: ['Allow'],
    isEarly: true,
  },
} as const satisfies Record<string, Refusal>;
export type RefusalStatus = keyof typeof REFUSALS;

/** What operations refer to. */
export function sharedComponents() {
  const entries = Object.entries(REFUSALS) as [string, Refusal][];
  return {
    parameters: Object.fromEntries(
      Object.entries(HEADER_PARAMETERS).map(([name, one]) => [name, { name, in: 'header', ...one }]),
    ),
    headers: ANSWER_HEADERS,
    responses: Object.fromEntries(
      entries.map(([status, { description, headers = [], isEarly = false }]) => [
        responseName(status),
        {
          description,
          headers: headerRefs([...OF_ALL_ANSWERS, ...headers, ...(isEarly ? [] : OF_KEYED_ANSWERS)]),
          content: { [PROBLEM_JSON]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
    ),
  };
}

export const headerRefs = (names: readonly AnswerHeader[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

export const parameterRef = (name: RequestHeader) => ({ $ref: `#/components/parameters/${name}` });

export const responseRef = (status: string | number) => ({
  $ref: `#/components/responses/${responseName(String(status))}`,
});

/** `404` is `NotFound`. */
function responseName(status: string): string {
  return status === 'default' ? 'Refused' : STATUS_CODES[status]!.replace(/[^A-Za-z]/g, '');
}

function header(description: string, schema: object) {
  return { required: false, description, schema };
}

function told(description: string, schema: object) {
  return { description, schema };
}
