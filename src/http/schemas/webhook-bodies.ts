// Bodies of the routes of webhooks.
import { Type } from 'typebox';
import { MAX_WORKFLOW_ID_CHARS } from '../../core/definition/workflow-id.ts';
import { PRIORITY } from '../../core/priority.ts';
import {
  HANDSHAKE_TYPES,
  HMAC_ALGORITHMS,
  HMAC_ENCODINGS,
  KEY_ENCODINGS,
  MAX_FIELD_PATH_CHARS,
  MAX_FILTERS,
  MAX_GIVEN_PATH_CHARS,
  MAX_HEADER_NAME_CHARS,
  MAX_LOGIC_GROUP_CHARS,
  MAX_PREFIX_CHARS,
  MAX_SECRET_CHARS,
  MAX_TEMPLATE_CHARS,
  MAX_TOPIC_ARN_CHARS,
  MAX_VERIFY_TOKEN_CHARS,
  RESPOND_SECONDS,
  RESPOND_WHEN,
  TIMESTAMP_FORMATS,
  WEBHOOK_AUTH_TYPES,
  WEBHOOK_METHODS,
  WEBHOOK_STATUSES,
  WEBHOOK_VERIFIERS,
} from '../../core/trigger/webhook.ts';
import { OVERLAP_SECONDS } from '../../resources/webhooks/secrets.ts';

const closed = { additionalProperties: false };
const HeaderName = Type.Optional(Type.String({ maxLength: MAX_HEADER_NAME_CHARS }));

const Filter = Type.Object(
  {
    fieldPath: Type.String({
      maxLength: MAX_FIELD_PATH_CHARS,
      examples: ['body.action', 'headers.X-GitHub-Event'],
    }),
    operator: Type.String({ description: 'equals, not_equals, contains, regex, gt, in, exists, …' }),
    value: Type.Optional(Type.Unknown()),
    logicGroup: Type.Optional(
      Type.Union([Type.String({ maxLength: MAX_LOGIC_GROUP_CHARS }), Type.Integer(), Type.Null()], {
        description: 'Filters of one group are alternatives; every group must hold.',
      }),
    ),
  },
  closed,
);

const settings = {
  authType: Type.Optional(
    Type.String({
      enum: [...WEBHOOK_AUTH_TYPES],
      description:
        'How the sender shows the secret: in X-Webhook-Secret, or by Basic (`user:password`) or Bearer authorization. Absent: `none` with a verifier, else `secret`.',
    }),
  ),
  verifier: Type.Optional(
    Type.Union([Type.String({ enum: [...WEBHOOK_VERIFIERS] }), Type.Null()], {
      description: 'Whose signatures are checked; with an authType besides, both must pass.',
    }),
  ),
  options: Type.Optional(
    Type.Object(
      {
        signatureHeader: HeaderName,
        timestampHeader: HeaderName,
        deliveryIdHeader: HeaderName,
        secretHeader: HeaderName,
        algorithm: Type.Optional(Type.String({ enum: [...HMAC_ALGORITHMS] })),
        encoding: Type.Optional(Type.String({ enum: [...HMAC_ENCODINGS] })),
        prefix: Type.Optional(Type.String({ maxLength: MAX_PREFIX_CHARS })),
        template: Type.Optional(
          Type.String({
            maxLength: MAX_TEMPLATE_CHARS,
            description:
              'What is signed: {id}, {timestamp}, {body}, {url} and {method}, the rest as it stands.',
            examples: ['{id}.{timestamp}.{body}', 'v0:{timestamp}:{body}'],
          }),
        ),
        timestampFormat: Type.Optional(Type.String({ enum: [...TIMESTAMP_FORMATS] })),
        keyEncoding: Type.Optional(
          Type.String({ enum: [...KEY_ENCODINGS], description: 'How the key stands in the secret.' }),
        ),
        url: Type.Optional(
          Type.String({
            maxLength: 1_000,
            description: 'The address as the sender has it, where that is signed; absent: the public one.',
          }),
        ),
        topicArn: Type.Optional(
          Type.String({
            maxLength: MAX_TOPIC_ARN_CHARS,
            description: 'Of sns: the topic whose messages count.',
          }),
        ),
      },
      {
        ...closed,
        description:
          'Of the verifier `hmac`, names of headers, the address that is signed, and the topic of `sns`.',
      },
    ),
  ),
  methods: Type.Optional(
    Type.Union([Type.Array(Type.String({ enum: [...WEBHOOK_METHODS] }), { minItems: 1 }), Type.Null()], {
      description: 'Requests that are deliveries; absent: POST. One by HEAD is answered, and nothing else.',
    }),
  ),
  handshakes: Type.Optional(
    Type.Union(
      [
        Type.Array(
          Type.Object(
            {
              type: Type.String({ enum: [...HANDSHAKE_TYPES] }),
              verifyToken: Type.Optional(Type.String({ maxLength: MAX_VERIFY_TOKEN_CHARS })),
              topicArn: Type.Optional(Type.String({ maxLength: MAX_VERIFY_TOKEN_CHARS })),
              host: Type.Optional(Type.String({ maxLength: MAX_VERIFY_TOKEN_CHARS })),
            },
            closed,
          ),
          { minItems: 1, maxItems: HANDSHAKE_TYPES.length },
        ),
        Type.Null(),
      ],
      { description: 'How questions of the sender whether the address is right are answered.' },
    ),
  ),
  respond: Type.Optional(
    Type.Union(
      [
        Type.Object(
          {
            when: Type.Optional(Type.String({ enum: [...RESPOND_WHEN] })),
            withinSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: RESPOND_SECONDS.max })),
            status: Type.Optional(Type.Union([Type.Integer(), Type.String({ maxLength: 1_000 })])),
            headers: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
            body: Type.Optional(Type.Unknown()),
          },
          closed,
        ),
        Type.Null(),
      ],
      {
        description:
          'What the sender is answered: with `when: completed` (absent: that) the end of the execution, within so many seconds (25), else 202; with `received` at once.',
        examples: [{ when: 'completed', withinSeconds: 25, body: '{{ execution.output }}' }],
      },
    ),
  ),
  inputMapping: Type.Optional(
    Type.Unknown({
      description: 'Makes the input out of `body`, `headers`, `query`, `method`. Absent: the body.',
    }),
  ),
  filters: Type.Optional(Type.Array(Filter, { maxItems: MAX_FILTERS })),
  priority: Type.Optional(
    Type.Integer({
      minimum: PRIORITY.min,
      maximum: PRIORITY.max,
      description: `Higher first; ${PRIORITY.default} where absent.`,
    }),
  ),
  status: Type.Optional(Type.String({ enum: [...WEBHOOK_STATUSES] })),
  secret: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_SECRET_CHARS,
      description: 'The secret, or `{{ secrets.NAME }}` for DAGWRIGHT_SECRET_NAME.',
    }),
  ),
};
export const WorkflowId = Type.String({ minLength: 1, maxLength: MAX_WORKFLOW_ID_CHARS });
const Path = Type.String({
  minLength: 1,
  maxLength: MAX_GIVEN_PATH_CHARS,
  description: "Below /hooks/ and the tenant's name, which may be written before it.",
  examples: ['orders'],
});
export const CreateWebhook = Type.Object({ workflowId: WorkflowId, path: Path, ...settings }, closed);
export const ReplaceWebhook = Type.Object(
  {
    workflowId: WorkflowId,
    path: Path,
    ...settings,
    previousSecretExpiresInSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: OVERLAP_SECONDS.max })),
  },
  closed,
);
export const ChangeWebhook = Type.Partial(ReplaceWebhook, { ...closed, minProperties: 1 });
