// Events: they start the workflows that have a trigger for their type.
import { Type } from 'typebox';
import type { Json } from '../../core/json.ts';
import { EVENT_TYPE } from '../../core/trigger/event-type.ts';
import { emitEvent, listEvents, showEvent } from '../../resources/events.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema, textOf } from '../schemas/parts.ts';
import { EventSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const closed = { additionalProperties: false };
const EventType = textOf(EVENT_TYPE, { examples: ['order.created'] });
const tags = ['events'];
const KIND = 'events';

export function addEventRoutes(api: Api, service: ApiContext): void {
  const { database } = service;

  api.post(
    '/v1/events',
    {
      config: { access: 'events:write' },
      schema: {
        tags,
        summary: 'Emit an event',
        description:
          'Starts, within about a second, the active workflows that have a trigger `{ type: event, event: <type> }` whose `when` holds. What became of it: GET /v1/events/{id}. From SQL: `dagwright.emit_event`.',
        operationId: 'emitEvent',
        body: Type.Object(
          {
            type: EventType,
            payload: Type.Optional(Type.Unknown({ description: 'Any JSON, up to 1 MB. Default {}.' })),
          },
          closed,
        ),
        response: { 201: EventSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(service, request, reply, async (client) => {
        const { type } = request.body;
        const given = { type, payload: request.body.payload as Json | undefined };
        return { status: 201, body: outcomeToHttp(await emitEvent(client, request.acting, given)) };
      }),
  );

  api.get(
    '/v1/events',
    {
      config: { access: 'events:read' },
      schema: {
        tags,
        summary: 'List events',
        operationId: 'listEvents',
        querystring: Type.Object({ ...PageQuery, type: Type.Optional(EventType) }, closed),
        response: { 200: pageOfSchema(EventSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { limit, before } = readPage(request, KIND);
      const { type } = request.query;
      const page = await database.withTenant(acting, (client) =>
        listEvents(client, acting, { limit, before, type }),
      );
      return pageOfBounded(KIND, acting.tenantId, page, ({ id }) => id);
    },
  );

  api.get(
    '/v1/events/:id',
    {
      config: { access: 'events:read' },
      schema: {
        tags,
        summary: 'Show an event',
        description:
          '`processedAt` is null until its triggers have been looked at; `errors` names those that could not start their workflow.',
        operationId: 'getEvent',
        params: IdParams,
        response: { 200: EventSchema },
      },
    },
    async (request) =>
      await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await showEvent(client, request.acting, request.params.id)),
      ),
  );
}
