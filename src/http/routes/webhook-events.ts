// What webhooks received: events listed and shown, and one decided anew.
import { Type } from 'typebox';
import { WEBHOOK_EVENT_STATUSES } from '../../core/trigger/webhook.ts';
import { listWebhookEvents, replayWebhookEvent, showWebhookEvent } from '../../resources/webhooks/events.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ReceiptSchema, WebhookEventDetailSchema, WebhookEventSchema } from '../schemas/webhooks.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const closed = { additionalProperties: false };
const { id: Id } = IdParams.properties;
const EventParams = Type.Object({ id: Id, eventId: Id }, closed);
const tags = ['webhooks'];

export function addWebhookEventRoutes(api: Api, service: ApiContext): void {
  const { database } = service;

  api.get(
    '/v1/webhooks/:id/events',
    {
      config: { access: 'webhooks:read' },
      schema: {
        tags,
        summary: 'List the events of a webhook',
        description: 'Without what they brought, which GET of one shows.',
        operationId: 'listWebhookEvents',
        params: IdParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            status: Type.Optional(Type.Union(WEBHOOK_EVENT_STATUSES.map((status) => Type.Literal(status)))),
          },
          closed,
        ),
        response: { 200: pageOfSchema(WebhookEventSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { id: webhookId } = request.params;
      const kind = `webhook-events:${webhookId}`;
      const { limit, before } = readPage(request, kind);
      const { status } = request.query;
      const page = await database.withTenant(acting, async (client) =>
        outcomeToHttp(await listWebhookEvents(client, acting, { webhookId, limit, before, status })),
      );
      return pageOfBounded(kind, acting.tenantId, page, ({ id }) => id);
    },
  );

  api.get(
    '/v1/webhooks/:id/events/:eventId',
    {
      config: { access: 'webhooks:read' },
      schema: {
        tags,
        summary: 'Show an event with what it brought',
        description: 'Headers without credentials and signatures.',
        operationId: 'getWebhookEvent',
        params: EventParams,
        response: { 200: WebhookEventDetailSchema },
      },
    },
    async (request) => {
      const { id: webhookId, eventId } = request.params;
      return await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await showWebhookEvent(client, request.acting, { webhookId, eventId })),
      );
    },
  );

  api.post(
    '/v1/webhooks/:id/events/:eventId/replay',
    {
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary: 'Decide a stored event anew',
        description:
          'By the filters, the mapping and the revision as they are now; it may start another execution. Answers as the delivery did.',
        operationId: 'replayWebhookEvent',
        params: EventParams,
        response: { 202: ReceiptSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(
        service,
        request,
        reply,
        async (client) => {
          const { id: webhookId, eventId } = request.params;
          const named = { webhookId, eventId };
          const told = outcomeToHttp(await replayWebhookEvent(client, request.acting, named, service));
          return { status: 202, body: told };
        },
        { asEngine: true },
      ),
  );
}
