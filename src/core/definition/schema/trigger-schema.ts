// The structure of `triggers` of a definition, for validation and editors. What a schedule, webhook or event trigger has
// to keep beyond its structure is checked by the rules of each (trigger-check.ts, and where webhooks are saved).
import type { JsonObject } from '../../json.ts';
import { PRIORITY } from '../../priority.ts';
import {
  MAX_INSTANT_CHARS,
  MAX_JITTER_SECONDS,
  MAX_NAME_CHARS,
  MAX_WINDOW_SECONDS,
} from '../../schedule/limits.ts';
import { CATCHUP_POLICIES, OVERLAP_POLICIES } from '../../schedule/words.ts';
import { EVENT_TYPE } from '../../trigger/event-type.ts';
import {
  HANDSHAKE_TYPES,
  MAX_FILTERS,
  MAX_GIVEN_PATH_CHARS,
  MAX_SECRET_CHARS,
  RESPOND_SECONDS,
  RESPOND_WHEN,
  WEBHOOK_AUTH_TYPES,
  WEBHOOK_METHODS,
  WEBHOOK_VERIFIERS,
} from '../../trigger/webhook.ts';
import { TRIGGER_KINDS } from '../trigger-model.ts';
import { closedObject } from './closed-object.ts';

export const MAX_TRIGGERS = 100;

const NAME: JsonObject = { type: 'string', minLength: 1, maxLength: MAX_NAME_CHARS };
const EXECUTION_PRIORITY: JsonObject = {
  type: 'integer',
  minimum: PRIORITY.min,
  maximum: PRIORITY.max,
  default: PRIORITY.default,
  description: 'Of the executions it starts; higher first.',
};
const INSTANT: JsonObject = {
  type: 'string',
  maxLength: MAX_INSTANT_CHARS,
  examples: ['2027-01-01T00:00:00Z'],
};
const INPUT_MAPPING = 'Makes the input of the execution. Any JSON; texts may hold {{ templates }}';

const SCHEDULE = closedObject(
  {
    type: { const: 'schedule' },
    name: { ...NAME, description: 'Unique among the schedules of the definition.', examples: ['daily'] },
    cronExpression: {
      type: 'string',
      description: 'Minute, hour, day of month, month, day of week: numbers, names, * , - and /.',
      examples: ['0 9 * * 1-5'],
    },
    timezone: { type: 'string', default: 'UTC', description: 'IANA name.', examples: ['Europe/Paris'] },
    input: { default: {}, description: 'Input of each execution: JSON, taken as it is.' },
    priority: EXECUTION_PRIORITY,
    overlapPolicy: {
      enum: OVERLAP_POLICIES,
      default: 'skip',
      description: 'At a tick while an earlier execution of the schedule is still open.',
    },
    catchupPolicy: {
      enum: CATCHUP_POLICIES,
      default: 'last',
      description: 'Which ticks that nobody could fire in time are fired afterwards.',
    },
    catchupWindowSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: MAX_WINDOW_SECONDS,
      default: 86_400,
      description: 'How far back catch-up `all` looks.',
    },
    jitterSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: MAX_JITTER_SECONDS,
      default: 0,
      description: 'Ticks fire up to so much later, so that not all schedules start at once.',
    },
    startAt: { ...INSTANT, description: 'No tick before; ISO 8601 with a zone.' },
    endAt: { ...INSTANT, description: 'No tick from then on; ISO 8601 with a zone.' },
    pauseOnFailure: {
      type: 'boolean',
      default: false,
      description: 'Pauses the schedule when one of its executions fails.',
    },
  },
  ['type', 'name', 'cronExpression'],
);

const WEBHOOK = closedObject(
  {
    type: { const: 'webhook' },
    path: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_GIVEN_PATH_CHARS,
      description: 'What follows /hooks/<tenant>/ in its address; unique in the tenant.',
      examples: ['orders'],
    },
    name: { ...NAME, description: 'For people.' },
    authType: {
      enum: WEBHOOK_AUTH_TYPES,
      description: 'How senders show the secret. Default: none with a verifier, else secret.',
    },
    verifier: { enum: WEBHOOK_VERIFIERS, description: 'How senders sign what they send.' },
    secret: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_SECRET_CHARS,
      description:
        '{{ secrets.NAME }}, or the secret itself: that is sealed with the webhook, and not kept in the definition.',
      examples: ['{{ secrets.GITHUB }}'],
    },
    options: {
      type: 'object',
      description:
        'Of the verifier: names of headers, algorithm, encoding, prefix, template, timestampFormat, keyEncoding, url, topicArn.',
    },
    methods: {
      type: 'array',
      minItems: 1,
      items: { enum: WEBHOOK_METHODS },
      default: ['POST'],
      description: 'Requests that are deliveries; one by HEAD is answered, and nothing else.',
    },
    handshakes: {
      type: 'array',
      minItems: 1,
      items: closedObject(
        {
          type: { enum: HANDSHAKE_TYPES },
          verifyToken: {
            type: 'string',
            description:
              'Of hub_challenge: {{ secrets.NAME }}, or the token itself: that is sealed with the webhook, and not kept in the definition. Default: the one that the webhook has.',
            examples: ['{{ secrets.META_VERIFY }}'],
          },
          topicArn: { type: 'string', description: 'Of sns: the one topic that is confirmed.' },
          host: { type: 'string', description: "Of sns: where confirmations go, if not Amazon's hosts." },
        },
        ['type'],
      ),
      description: 'How questions of the sender whether the address is right are answered.',
    },
    respond: {
      ...closedObject({
        when: {
          enum: RESPOND_WHEN,
          default: 'completed',
          description: 'At once, or when the execution has ended.',
        },
        withinSeconds: {
          type: 'integer',
          minimum: 1,
          maximum: RESPOND_SECONDS.max,
          default: RESPOND_SECONDS.default,
          description: 'The answer is 202 after so long.',
        },
        status: {
          type: ['integer', 'string'],
          minimum: 200,
          maximum: 599,
          description: 'Default: 200, or 500 where the execution did not complete.',
        },
        headers: {
          type: 'object',
          description: 'content-type, content-language, cache-control, retry-after, location, link, x-….',
        },
        body: {
          description:
            'Any JSON with templates over { execution, body, headers, query, method }. Default: the output.',
          examples: ['{{ execution.output.text }}'],
        },
      }),
      description: 'What the sender is answered. Default: 202 with the receipt.',
    },
    inputMapping: {
      description: `${INPUT_MAPPING} over { body, headers, query, method }. Default: the body.`,
    },
    filters: {
      type: 'array',
      maxItems: MAX_FILTERS,
      items: closedObject(
        {
          fieldPath: { type: 'string', examples: ['body.action'] },
          operator: { type: 'string', examples: ['equals'] },
          value: {},
          logicGroup: {},
        },
        ['fieldPath', 'operator'],
      ),
      description: 'Which deliveries start an execution: OR within a logicGroup, AND between groups.',
    },
    priority: EXECUTION_PRIORITY,
  },
  ['type', 'path'],
);

const EVENT = closedObject(
  {
    type: { const: 'event' },
    name: {
      ...NAME,
      maxLength: 200,
      description: 'Unique among the event triggers of the definition. Default: the type of the event.',
    },
    event: {
      type: 'string',
      pattern: EVENT_TYPE.pattern.source,
      'x-hint': EVENT_TYPE.expected,
      description: 'Type of the events that start it.',
      examples: ['order.created'],
    },
    when: {
      description: 'A condition over { event: { id, type, payload, at }, payload }; false: not this event.',
      examples: ['payload.total > 100'],
    },
    inputMapping: {
      description: `${INPUT_MAPPING} over { event, payload }. Default: the payload.`,
    },
    priority: EXECUTION_PRIORITY,
  },
  ['type', 'event'],
);

export const TRIGGER_SCHEMAS = { schedule: SCHEDULE, webhook: WEBHOOK, event: EVENT } satisfies Record<
  (typeof TRIGGER_KINDS)[number],
  JsonObject
>;

/** One entry of `triggers`; its type says which of the others holds. */
export const TRIGGER: JsonObject = {
  type: 'object',
  required: ['type'],
  properties: { type: { enum: TRIGGER_KINDS, description: 'What starts the workflow.' } },
  allOf: TRIGGER_KINDS.map((kind) => ({
    if: { properties: { type: { const: kind } }, required: ['type'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: TRIGGER_SCHEMAS[kind],
  })),
};
