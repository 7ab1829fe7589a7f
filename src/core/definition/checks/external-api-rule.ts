// The rule of external_api: its config, and what it puts out.
import type { JsonObject } from '../../json.ts';
import { anything, closed, outputOf } from '../schema/config-schema.ts';
import type { TaskTypeRule } from '../task-type.ts';

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export const RESPONSE_TYPES = ['json', 'text', 'bytes'] as const;
export type ResponseType = (typeof RESPONSE_TYPES)[number];
/** Bytes of a response body, unless `maxResponseBytes` says otherwise, and at most. */
export const DEFAULT_RESPONSE_BYTES = 1_000_000;
export const MAX_RESPONSE_BYTES = 16_000_000;
export const DEFAULT_CALLBACK_SECONDS = 3600;
const MAX_SECONDS = 315_360_000;

const seconds = (description: string, more: JsonObject = {}): JsonObject => ({
  type: 'number',
  exclusiveMinimum: 0,
  maximum: MAX_SECONDS,
  description,
  ...more,
});
const status: JsonObject = {
  anyOf: [
    { type: 'integer', minimum: 200, maximum: 599 },
    {
      type: 'string',
      pattern: '^[2-5](\\d\\d|xx)$',
      'x-hint': 'a status such as 201, or a class such as 2xx',
    },
  ],
};

export const EXTERNAL_API: TaskTypeRule = {
  type: 'external_api',
  status: 'built',
  configSchema: closed(
    {
      method: { enum: HTTP_METHODS, description: 'Default: POST where there is a body, else GET.' },
      url: {
        type: 'string',
        pattern: '^[Hh][Tt][Tt][Pp][Ss]?://',
        'x-hint': 'an http or https URL',
        description:
          'http or https. Values of templates are percent-encoded, except that of one which begins the URL.',
        examples: ['https://api.example.com/orders/{{ input.orderId }}'],
      },
      query: {
        type: 'object',
        description: 'Added to the URL: null is left out, a list repeats the name.',
        examples: [{ page: 1, tag: ['new', 'open'] }],
      },
      headers: {
        type: 'object',
        description: 'Request headers; null is left out.',
        examples: [{ 'x-api-key': '{{ secrets.ACME_KEY }}' }],
      },
      body: anything('A text is sent as it is, anything else as JSON; null or absent: none.'),
      credential: {
        type: 'string',
        pattern: '^[A-Za-z_][A-Za-z0-9_]{0,99}$',
        'x-hint': 'the name of a secret: letters, digits and "_"',
        description: 'The secret that is sent as `Authorization: Bearer …`.',
        examples: ['ACME_KEY'],
      },
      expectedStatus: {
        anyOf: [...(status.anyOf as JsonObject[]), { type: 'array', minItems: 1, items: status }],
        default: '2xx',
        description:
          'Statuses, or classes such as 2xx, that are no failure. A redirect listed here is not followed.',
        examples: [[200, 404]],
      },
      idempotent: {
        type: 'boolean',
        default: false,
        description:
          'With POST and PATCH: an Idempotency-Key, the same for every attempt, is sent, and the call may be repeated.',
      },
      responseType: {
        enum: RESPONSE_TYPES,
        description:
          'How the body is read whatever its Content-Type says: `json`, `text`, or `bytes` as { base64, contentType, length }. Absent: by its Content-Type.',
      },
      maxResponseBytes: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_RESPONSE_BYTES,
        default: DEFAULT_RESPONSE_BYTES,
        description: 'Longest body, decompressed. What is stored (the outputMapping) may have 1 MB.',
      },
      costUsd: {
        type: ['number', 'string', 'null'],
        minimum: 0,
        pattern: '^\\d{1,20}(\\.\\d{1,20})?$',
        'x-hint': 'a decimal number such as "0.002"',
        description: 'What each request that is sent costs, in US dollars; null: unknown.',
        examples: ['0.002'],
      },
      callback: {
        ...closed({
          timeoutSeconds: seconds('The wait fails with `timeout` after so long.', {
            default: DEFAULT_CALLBACK_SECONDS,
          }),
          heartbeatSeconds: seconds('Or when nothing has come for so long; a heartbeat counts.'),
        }),
        description:
          'The answer comes later, to task.callbackUrl (or with task.callbackToken); the task waits for it without a slot.',
      },
    },
    ['url'],
  ),
  usesSecrets: true,
  waitsForOutside: (config) => config.callback !== undefined,
  outputSchema: (config) => (config.callback === undefined ? outputOf('status', 'headers', 'body') : null),
};
