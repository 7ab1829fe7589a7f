// Webhooks and what they received, as the API shows them (OpenAPI). Bodies: webhook-bodies.ts.
import { Type } from 'typebox';
import { PRIORITY } from '../../core/priority.ts';
import {
  WEBHOOK_AUTH_TYPES,
  WEBHOOK_EVENT_STATUSES,
  WEBHOOK_STATUSES,
  WEBHOOK_VERIFIERS,
} from '../../core/trigger/webhook.ts';
import {
  anyObject,
  id,
  instant,
  made,
  nullable,
  nullableId,
  nullableInstant,
  nullOr,
  ProblemEntry,
  TaskErrorSchema,
  words,
  workflowStatus,
} from './parts.ts';

const webhook = {
  id: id(),
  workflowId: Type.String(),
  path: Type.String({ description: "As it follows /hooks/: begins with the tenant's name." }),
  url: Type.String({ description: 'Where the sender delivers.' }),
  authType: words(WEBHOOK_AUTH_TYPES, 'How the sender shows the secret.'),
  verifier: nullable('string', {
    enum: [...WEBHOOK_VERIFIERS, null],
    description: 'Whose signatures are checked.',
  }),
  options: anyObject('Of the verifier, and names of headers.'),
  methods: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'Requests that are deliveries; null: POST.',
  }),
  handshakes: Type.Union([Type.Array(anyObject('By type.')), Type.Null()], {
    description: 'How questions whether the address is right are answered; null: not.',
  }),
  respond: nullOr(anyObject('When, and with what.'), 'What the sender is answered; null: 202.'),
  inputMapping: Type.Unknown({ description: 'Makes the input; null: the body is it.' }),
  filters: Type.Array(
    Type.Object({
      fieldPath: Type.String(),
      operator: Type.String(),
      value: Type.Optional(Type.Unknown()),
      logicGroup: Type.Optional(Type.Union([Type.String(), Type.Integer(), Type.Null()])),
    }),
  ),
  priority: Type.Integer({ minimum: PRIORITY.min, maximum: PRIORITY.max }),
  status: words(WEBHOOK_STATUSES),
  workflowStatus,
  hasSecret: Type.Boolean(),
  warnings: Type.Array(ProblemEntry, { description: 'What is allowed and probably not meant.' }),
  secrets: Type.Array(
    Type.Object({ createdAt: instant(), expiresAt: nullableInstant('Null: it is the current one.') }),
    { description: 'That are taken now, without themselves.' },
  ),
  fromDefinition: Type.Boolean({ description: 'Kept in step with `triggers` of the definition.' }),
  removedAt: nullableInstant('When the definition left it out; null: it is there.'),
  ...made,
};

export const WebhookSchema = Type.Object(webhook, { title: 'Webhook', description: 'A webhook.' });
export const MadeWebhookSchema = Type.Object(
  {
    ...webhook,
    secret: Type.Optional(Type.String({ description: 'Where it was made up; in this answer only.' })),
  },
  { title: 'MadeWebhook', description: 'A webhook that has just been made.' },
);

const event = {
  id: id(),
  webhookId: id(),
  deliveryId: nullable('string', { description: "The sender's name of the delivery; null: it gave none." }),
  status: words(WEBHOOK_EVENT_STATUSES),
  executionId: nullableId('The first execution that it started.'),
  replayExecutionId: nullableId('The one of the latest replay.'),
  error: nullOr(TaskErrorSchema, 'Why it failed, or could not start.'),
  warnings: Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() }), {
    description: 'What was taken otherwise than it was sent: numbers beyond 2^53 are kept as texts.',
  }),
  replays: Type.Integer(),
  receivedAt: instant(),
  processedAt: nullableInstant('Null: not decided yet.'),
};

export const WebhookEventSchema = Type.Object(event, {
  title: 'WebhookEvent',
  description: 'A delivery that was verified, without what it brought.',
});
export const WebhookEventDetailSchema = Type.Object(
  {
    ...event,
    method: Type.String(),
    headers: anyObject('Without credentials and signatures.'),
    query: anyObject('By name.'),
    body: Type.Unknown(),
  },
  { title: 'WebhookEventDetail', description: 'A delivery with what it brought.' },
);
export const ReceiptSchema = Type.Object(
  {
    eventId: id(),
    status: words(WEBHOOK_EVENT_STATUSES),
    executionId: Type.Optional(id('That it started.')),
  },
  { title: 'Receipt', description: 'The event is stored, and what it led to.' },
);
