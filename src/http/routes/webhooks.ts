// Webhooks: made, changed, listed, deleted. What they received: webhook-events.ts.

import { type Static, Type } from 'typebox';
import type { Json } from '../../core/json.ts';
import { WEBHOOK_AUTH_TYPES, WEBHOOK_VERIFIERS } from '../../core/trigger/webhook.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { deleteWebhook, findWebhook, listWebhooks, lockWebhook } from '../../db/resources/webhooks.ts';
import { removedProblem } from '../../resources/removed.ts';
import {
  changeWebhookByHand,
  createWebhook,
  type GivenChange,
  type GivenWebhook,
  webhookView,
} from '../../resources/webhooks/manage.ts';
import { MAX_FILTERS } from '../../triggers/webhooks/filter.ts';
import { MAX_SECRET_CHARS } from '../../triggers/webhooks/secret-rule.ts';
import { HMAC_ALGORITHMS, HMAC_ENCODINGS } from '../../triggers/webhooks/verification-rule.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { MadeWebhookSchema, WebhookSchema } from '../schemas/webhooks.ts';
import type { Api } from '../server/api.ts';
import { ApiError, notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const closed = { additionalProperties: false };
const HeaderName = Type.Optional(Type.String({ maxLength: 100 }));

const Filter = Type.Object(
  {
    fieldPath: Type.String({ maxLength: 1000, examples: ['body.action', 'headers.X-GitHub-Event'] }),
    operator: Type.String({ description: 'equals, not_equals, contains, regex, gt, in, exists, …' }),
    value: Type.Optional(Type.Unknown()),
    logicGroup: Type.Optional(
      Type.Union([Type.String({ maxLength: 100 }), Type.Integer(), Type.Null()], {
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
        prefix: Type.Optional(Type.String({ maxLength: 50 })),
      },
      { ...closed, description: 'Of the verifier `hmac`, and names of headers.' },
    ),
  ),
  inputMapping: Type.Optional(
    Type.Unknown({
      description: 'Makes the input out of `body`, `headers`, `query`, `method`. Absent: the body.',
    }),
  ),
  filters: Type.Optional(Type.Array(Filter, { maxItems: MAX_FILTERS })),
  priority: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10, description: 'Higher first; 5 where absent.' }),
  ),
  status: Type.Optional(Type.String({ enum: ['active', 'paused'] })),
  secret: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_SECRET_CHARS,
      description: 'The secret, or `{{ secrets.NAME }}` for DAGWRIGHT_SECRET_NAME.',
    }),
  ),
};
const WorkflowId = Type.String({ minLength: 1, maxLength: 100 });
const Path = Type.String({
  minLength: 1,
  maxLength: 400,
  description: "Below /hooks/ and the tenant's name, which may be written before it.",
  examples: ['orders'],
});
const CreateBody = Type.Object({ workflowId: WorkflowId, path: Path, ...settings }, closed);
const ReplaceBody = Type.Object(
  {
    workflowId: WorkflowId,
    path: Path,
    ...settings,
    previousSecretExpiresInSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })),
  },
  closed,
);
const ChangeBody = Type.Partial(ReplaceBody, { ...closed, minProperties: 1 });

const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' });
const WebhookParams = Type.Object({ id: Uuid });

const tags = ['webhooks'];
const KIND = 'webhooks';

export function addWebhookRoutes(api: Api, service: Service): void {
  const { database, publicUrl } = service;

  api.post(
    '/v1/webhooks',
    {
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary: 'Make a webhook',
        description:
          'Deliveries at its `url` that prove their sender and pass the filters start the workflow. Without a secret one is made, and is in this answer only.',
        operationId: 'createWebhook',
        body: CreateBody,
        response: { 201: MadeWebhookSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(
        service,
        request,
        reply,
        async (client) => {
          const made = await createWebhook(client, service, request.acting, request.body as GivenWebhook);
          if (!made.ok) throw refusal(made.problems);
          const { webhook, secret } = made.value;
          const view = webhookView(webhook, publicUrl);
          return { status: 201, body: secret === null ? view : { ...view, secret } };
        },
        { secret: true },
      ),
  );

  api.get(
    '/v1/webhooks',
    {
      config: { access: 'webhooks:read' },
      schema: {
        tags,
        summary: 'List webhooks',
        description: 'Without those that were removed from their definition, which GET of one shows.',
        operationId: 'listWebhooks',
        querystring: Type.Object({ ...PageQuery, workflowId: Type.Optional(WorkflowId) }, closed),
        response: { 200: pageOfSchema(WebhookSchema) },
      },
    },
    async (request) => {
      const { tenantId } = request.acting;
      const { limit, before } = readPage(request, KIND);
      const { workflowId } = request.query;
      const rows = await database.withTenant(request.acting, (client) =>
        listWebhooks(client, tenantId, { limit: limit + 1, before, workflowId }),
      );
      const page = pageOf(KIND, tenantId, rows, limit, ({ id }) => id);
      return { ...page, items: page.items.map((row) => webhookView(row, publicUrl)) };
    },
  );

  api.get(
    '/v1/webhooks/:id',
    {
      config: { access: 'webhooks:read' },
      schema: {
        tags,
        summary: 'Show a webhook',
        operationId: 'getWebhook',
        params: WebhookParams,
        response: { 200: WebhookSchema },
      },
    },
    async (request) => {
      const row = await database.withTenant(request.acting, (client) =>
        findWebhook(client, request.acting.tenantId, request.params.id),
      );
      if (row === null) throw notFound('webhook');
      return webhookView(row, publicUrl);
    },
  );

  for (const [method, body, summary, operationId] of [
    ['PATCH', ChangeBody, 'Change a webhook: what is not named stays', 'changeWebhook'],
    ['PUT', ReplaceBody, 'Replace the settings of a webhook; its secrets stay', 'replaceWebhook'],
  ] as const)
    api.route({
      method,
      url: '/v1/webhooks/:id',
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary,
        description:
          'Of a webhook that belongs to a definition only `status` and the secret may be changed: 409 `from_definition`. A new `secret` is taken at once; the ones before it go on for `previousSecretExpiresInSeconds` (a day where absent), while the sender changes over.',
        operationId,
        params: WebhookParams,
        body,
        response: { 200: WebhookSchema },
      },
      handler: async (request) => {
        const { id } = request.params as { id: string };
        const given = request.body as Static<typeof ChangeBody>;
        const change = method === 'PUT' ? { ...ABSENT, ...given } : given;
        return await database.withTenant(request.acting, async (client) => {
          const before = await lockWebhook(client, request.acting.tenantId, id);
          if (before === null) throw await notThere(client, request.acting.tenantId, id);
          const changed = await changeWebhookByHand(client, service, before, change as GivenChange);
          if (!changed.ok) throw refusal(changed.problems);
          return webhookView(changed.value, publicUrl);
        });
      },
    });

  api.delete(
    '/v1/webhooks/:id',
    {
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary: 'Delete a webhook and its events',
        description:
          'Executions that it started go on. One that a definition has, or had, loses its secrets for good; leaving it out of `triggers` keeps them.',
        operationId: 'deleteWebhook',
        params: WebhookParams,
      },
    },
    async (request, reply) => {
      const isDeleted = await database.withTenant(request.acting, (client) =>
        deleteWebhook(client, request.acting.tenantId, request.params.id),
      );
      if (!isDeleted) throw notFound('webhook');
      return reply.status(204).send();
    },
  );
}

/** What a PUT does not name goes back to what it is without. */
const ABSENT = {
  authType: undefined,
  verifier: undefined,
  options: undefined,
  inputMapping: undefined,
  filters: undefined,
  priority: undefined,
  status: undefined,
} satisfies Partial<Record<keyof GivenChange, Json | undefined>>;

async function notThere(client: Queryable, tenantId: string, id: string): Promise<ApiError> {
  const removed = await findWebhook(client, tenantId, id);
  if (removed === null) return notFound('webhook');
  const problem = removedProblem('webhook', removed);
  return new ApiError(404, problem.code, problem.message, { errors: [problem] });
}

function refusal(problems: Parameters<typeof unprocessable>[0]): ApiError {
  const conflict = problems.find(({ code }) => code === 'path_taken' || code === 'from_definition');
  return conflict === undefined
    ? unprocessable(problems)
    : new ApiError(409, conflict.code, conflict.message, { errors: problems });
}
