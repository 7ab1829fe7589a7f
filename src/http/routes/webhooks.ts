// Webhooks: made, changed, listed, deleted. What they received: webhook-events.ts.
import { Type } from 'typebox';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listWebhooks,
  showWebhook,
} from '../../resources/webhooks/webhooks.ts';
import type { GivenWebhook, WebhookChange } from '../../resources/webhooks/write-webhook.ts';
import { withSecretsAhead } from '../../triggers/webhooks/secrets-ahead.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ChangeWebhook, CreateWebhook, ReplaceWebhook, WorkflowId } from '../schemas/webhook-bodies.ts';
import { MadeWebhookSchema, WebhookSchema } from '../schemas/webhooks.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const closed = { additionalProperties: false };
const tags = ['webhooks'];
const KIND = 'webhooks';

export function addWebhookRoutes(api: Api, service: ApiContext): void {
  const { database } = service;

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
        body: CreateWebhook,
        response: { 201: MadeWebhookSchema },
      },
    },
    async (request, reply) =>
      await withSecretsAhead(service, (host) =>
        answerOnce(
          service,
          request,
          reply,
          async (client) => {
            const given = request.body as GivenWebhook;
            const made = outcomeToHttp(await createWebhook(client, request.acting, given, host));
            return { status: 201, body: made };
          },
          { secret: true },
        ),
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
      const { acting } = request;
      const { limit, before } = readPage(request, KIND);
      const { workflowId } = request.query;
      const page = await database.withTenant(acting, (client) =>
        listWebhooks(client, acting, { limit, before, workflowId }, service),
      );
      return pageOfBounded(KIND, acting.tenantId, page, ({ id }) => id);
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
        params: IdParams,
        response: { 200: WebhookSchema },
      },
    },
    async (request) =>
      await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await showWebhook(client, request.acting, request.params.id, service)),
      ),
  );

  for (const [method, body, summary, operationId] of [
    ['PATCH', ChangeWebhook, 'Change a webhook: what is not named stays', 'changeWebhook'],
    ['PUT', ReplaceWebhook, 'Replace the settings of a webhook; its secrets stay', 'replaceWebhook'],
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
        params: IdParams,
        body,
        response: { 200: WebhookSchema },
      },
      handler: async (request) => {
        const { id } = request.params as { id: string };
        const given = { id, change: request.body as WebhookChange, isWhole: method === 'PUT' };
        return await withSecretsAhead(service, (host) =>
          database.withTenant(request.acting, async (client) =>
            outcomeToHttp(await changeWebhook(client, request.acting, given, host)),
          ),
        );
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
        params: IdParams,
      },
    },
    async (request, reply) => {
      await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await deleteWebhook(client, request.acting, request.params.id)),
      );
      return reply.status(204).send();
    },
  );
}
