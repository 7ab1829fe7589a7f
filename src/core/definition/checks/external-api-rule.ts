// The rule of external_api: its config, and what it puts out.
import type { Problem } from '../../errors.ts';
import { isJsonObject, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { anything, closed, outputOf } from '../schema/config-schema.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { isTemplate } from '../template.ts';

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

const secret = (description: string): JsonObject => ({
  type: 'string',
  minLength: 1,
  description,
  examples: ['{{ secrets.ACME_KEY }}'],
});
const plain = (description: string, more: JsonObject = {}): JsonObject => ({
  type: 'string',
  minLength: 1,
  description,
  ...more,
});

/** By scheme and field: never written into a definition, which is stored and shown. */
const SECRET_FIELDS: Readonly<Record<string, readonly string[]>> = {
  basic: ['password'],
  bearer: ['token'],
  awsSigV4: ['secretAccessKey', 'sessionToken'],
  oauth2ClientCredentials: ['clientSecret'],
};

const AUTH: JsonObject = {
  ...closed({
    basic: {
      ...closed({ username: plain('Without ":".'), password: secret('Its password.') }, [
        'username',
        'password',
      ]),
      description: '`Authorization: Basic …`.',
    },
    bearer: {
      ...closed({ token: secret('The token.') }, ['token']),
      description: '`Authorization: Bearer …`, as `credential`; the token may come from another task.',
    },
    awsSigV4: {
      ...closed(
        {
          accessKeyId: plain('The id of the key.'),
          secretAccessKey: secret('The key.'),
          sessionToken: secret('Of temporary credentials.'),
          region: plain('Of the service.', { examples: ['eu-central-1'] }),
          service: plain('As it is signed.', { examples: ['s3', 'execute-api', 'sqs'] }),
        },
        ['accessKeyId', 'secretAccessKey', 'region', 'service'],
      ),
      description: 'AWS Signature Version 4.',
    },
    oauth2ClientCredentials: {
      ...closed(
        {
          tokenUrl: {
            type: 'string',
            pattern: '^[Hh][Tt][Tt][Pp][Ss]?://',
            'x-hint': 'an http or https URL',
            description: 'Where tokens are fetched.',
          },
          clientId: plain('The id of the client.'),
          clientSecret: secret('Its secret.'),
          scope: plain('Scopes, with spaces between.'),
          audience: plain('The API that the token is for, where the server asks.'),
          sendIn: {
            enum: ['header', 'body'],
            default: 'header',
            description: 'Where the client shows its id and secret: Basic authorization, or the form.',
          },
        },
        ['tokenUrl', 'clientId', 'clientSecret'],
      ),
      description:
        'OAuth 2.0 client credentials: the token is fetched once, kept until shortly before it expires, and fetched anew where the service refuses it.',
    },
  }),
  minProperties: 1,
  maxProperties: 1,
  description: 'How the call shows who makes it: one of basic, bearer, awsSigV4 and oauth2ClientCredentials.',
  examples: [{ basic: { username: 'acme', password: '{{ secrets.ACME_PASSWORD }}' } }],
};

/** Secrets that stand in the definition, two ways of showing who calls, and forms that could not be sent. */
function problemsOf(config: JsonObject): readonly Problem[] {
  const problems: Problem[] = [];
  const { auth, headers, body } = config;
  const names = isJsonObject(headers) ? Object.keys(headers) : [];
  const authorization = names.find((name) => name.toLowerCase() === 'authorization');
  if (auth !== undefined && authorization !== undefined)
    problems.push({
      pointer: joinPointer('', 'headers', authorization),
      code: 'conflict',
      message: 'auth makes this header itself',
      hint: 'leave one of them out',
    });
  if (isJsonObject(auth))
    for (const [scheme, fields] of Object.entries(SECRET_FIELDS))
      for (const field of fields) {
        const given = auth[scheme];
        const value = isJsonObject(given) ? given[field] : undefined;
        if (typeof value === 'string' && !isTemplate(value))
          problems.push({
            pointer: joinPointer('/auth', scheme, field),
            code: 'secret_in_definition',
            message: `${field} must be a template: definitions are stored and shown`,
            hint: '{{ secrets.NAME }} is read from DAGWRIGHT_SECRET_NAME of the worker',
          });
      }
  const typeName = names.find((name) => name.toLowerCase() === 'content-type');
  const type = typeName === undefined ? '' : String((headers as JsonObject)[typeName]).toLowerCase();
  if (type.startsWith('application/x-www-form-urlencoded') && isJsonObject(body))
    for (const [name, value] of Object.entries(body))
      if ([value].flat().some((one) => typeof one === 'object' && one !== null))
        problems.push({
          pointer: joinPointer('/body', name),
          code: 'not_a_form',
          message: 'a form has no nesting: each field is a text, a number, a boolean, or a list of them',
          hint: 'flatten it, write it as text with json(…), or send JSON',
        });
  return problems;
}

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
      body: anything(
        'A text is sent as it is, anything else as JSON, or as a form or parts where the header `content-type` says application/x-www-form-urlencoded or multipart/form-data (a file: { base64, filename, contentType }); null or absent: none.',
      ),
      credential: {
        type: 'string',
        pattern: '^[A-Za-z_][A-Za-z0-9_]{0,99}$',
        'x-hint': 'the name of a secret: letters, digits and "_"',
        description: 'The secret that is sent as `Authorization: Bearer …`.',
        examples: ['ACME_KEY'],
      },
      auth: AUTH,
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
  atMostOneOf: [['credential', 'auth']],
  problems: problemsOf,
  usesSecrets: true,
  waitsForOutside: (config) => config.callback !== undefined,
  outputSchema: (config) => (config.callback === undefined ? outputOf('status', 'headers', 'body') : null),
};
