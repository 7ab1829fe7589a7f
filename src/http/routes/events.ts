// Events: they start the workflows that have a trigger for their type.
import { Type } from 'typebox';
import { type Json, toStorableJson } from '../../core/json.ts';
import { EVENT_TYPE, emitEvent, findEvent, listEvents } from '../../db/triggers/events.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { EventSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import { notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const closed = { additionalProperties: false };
const EventType = Type.String({
  pattern: EVENT_TYPE.source,
  'x-hint': 'a letter, then letters, digits and _ . : / -, at most 200 in all',
  examples: ['order.created'],
});
const EventParams = Type.Object(
  { id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }) },
  closed,
);
const tags = ['events'];
const KIND = 'events';

// The database counts the bytes as it writes JSON: with spaces, and 1e300 with all its digits.
function refuseTooLarge(error: unknown): never {
  if ((error as { code?: unknown }).code !== '54000') throw error;
  const message = 'the payload is more than 1000000 bytes of JSON as the database writes it';
  throw unprocessable([{ pointer: '/payload', code: 'payload_too_large', message }]);
}

export function addEventRoutes(api: Api, service: Service): void {
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
        const { type, payload = {} } = request.body;
        const judged = toStorableJson(payload);
        if (!judged.ok)
          throw unprocessable([
            { pointer: '/payload', code: judged.code, message: `the payload ${judged.message}` },
          ]);
        const id = await emitEvent(client, { type, payload: payload as Json }).catch(refuseTooLarge);
        return { status: 201, body: (await findEvent(client, request.acting.tenantId, id))! };
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
      const { tenantId } = request.acting;
      const { limit, before } = readPage(request, KIND);
      const { type } = request.query;
      const rows = await database.withTenant(request.acting, (client) =>
        listEvents(client, tenantId, { limit: limit + 1, before, type }),
      );
      return pageOf(KIND, tenantId, rows, limit, ({ id }) => id);
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
        params: EventParams,
        response: { 200: EventSchema },
      },
    },
    async (request) => {
      const found = await database.withTenant(request.acting, (client) =>
        findEvent(client, request.acting.tenantId, request.params.id),
      );
      if (found === null) throw notFound('event');
      return found;
    },
  );
}
