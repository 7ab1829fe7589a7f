// What webhooks received: events listed and shown, and one decided anew.
import { Type } from 'typebox';
import { WEBHOOK_EVENT_STATUSES } from '../../core/trigger/webhook.ts';
import {
  type EventRow,
  type EventSummary,
  findEvent,
  listEvents,
} from '../../db/resources/webhook-events.ts';
import { findWebhook } from '../../db/resources/webhooks.ts';
import { replayEvent } from '../../triggers/webhooks/replay.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ReceiptSchema, WebhookEventDetailSchema, WebhookEventSchema } from '../schemas/webhooks.ts';
import type { Api } from '../server/api.ts';
import { notFound } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const closed = { additionalProperties: false };
const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' });
const WebhookParams = Type.Object({ id: Uuid });
const EventParams = Type.Object({ id: Uuid, eventId: Uuid });
const tags = ['webhooks'];

export function addWebhookEventRoutes(api: Api, service: Service): void {
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
        params: WebhookParams,
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
      const { tenantId } = request.acting;
      const { id } = request.params;
      const kind = `webhook-events:${id}`;
      const { limit, before } = readPage(request, kind);
      const rows = await database.withTenant(request.acting, async (client) => {
        if ((await findWebhook(client, tenantId, id)) === null) throw notFound('webhook');
        const { status } = request.query;
        return await listEvents(client, tenantId, id, { limit: limit + 1, before, status });
      });
      return pageOf(kind, tenantId, rows, limit, (row: EventSummary) => row.id);
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
    async (request): Promise<EventRow> => {
      const { id, eventId } = request.params;
      const row = await database.withTenant(request.acting, (client) =>
        findEvent(client, request.acting.tenantId, id, eventId),
      );
      if (row === null) throw notFound('event');
      return row;
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
          const { tenantId } = request.acting;
          const answer = await replayEvent(client, service.starts, tenantId, { webhookId, eventId });
          if (answer === null) throw notFound('event');
          const { executionId, ...told } = answer;
          return { status: 202, body: executionId === null ? told : { ...told, executionId } };
        },
        { asEngine: true },
      ),
  );
}
