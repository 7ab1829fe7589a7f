// The times of a schedule: what comes, what became of those that were, and what is started by hand.
import { Type } from 'typebox';
import { MAX_INSTANT_CHARS } from '../../core/schedule/limits.ts';
import { instantMs } from '../../core/schedule/settings.ts';
import { TICK_STATUSES } from '../../core/schedule/words.ts';
import {
  backfillSchedule,
  checkTiming,
  listTicks,
  MAX_BACKFILL,
  PREVIEW_COUNT,
  previewExpression,
  previewSchedule,
  runSchedule,
} from '../../resources/schedules/ticks.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { StartedSchema } from '../schemas/executions.ts';
import { listOfSchema, pageOfSchema } from '../schemas/parts.ts';
import { BackfillSchema, PreviewedTickSchema, TickSchema } from '../schemas/schedule-answers.ts';
import { BackfillRange, PreviewTiming } from '../schemas/schedules.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { badRequest } from '../server/problem.ts';

const closed = { additionalProperties: false };
const tags = ['schedules'];
const Count = Type.Integer({
  minimum: 1,
  maximum: PREVIEW_COUNT.max,
  default: PREVIEW_COUNT.default,
});
const preview = listOfSchema(PreviewedTickSchema, 'The next nominal times.');
const read = { access: 'schedules:read' } as const;
const write = { access: 'schedules:write' } as const;

export function addScheduleTickRoutes(api: Api, service: ApiContext): void {
  addReads(api, service);
  addActions(api, service);
}

function addReads(api: Api, { database }: ApiContext): void {
  api.get(
    '/v1/schedules/:id/preview',
    {
      config: read,
      schema: {
        tags,
        summary: 'The next nominal times, in UTC and in the zone of the schedule',
        description: 'Also of a paused schedule: as if it were resumed now.',
        operationId: 'previewSchedule',
        params: IdParams,
        querystring: Type.Object({ count: Type.Optional(Count) }, closed),
        response: { 200: preview },
      },
    },
    async (request) =>
      await database.withTenant(request.acting, async (client) => {
        const given = { id: request.params.id, count: request.query.count };
        const { items } = outcomeToHttp(await previewSchedule(client, request.acting, given));
        return { items };
      }),
  );

  api.post(
    '/v1/schedules/preview',
    {
      config: read,
      schema: {
        tags,
        summary: 'The next nominal times of an expression, without a schedule',
        description: 'Of `dueAt` the jitter differs from one schedule to the next.',
        operationId: 'previewExpression',
        body: PreviewTiming,
        response: { 200: preview },
      },
    },
    async ({ acting, body }) => {
      const refusal = checkTiming(body);
      if (refusal !== null) return outcomeToHttp(refusal);
      return await database.withTenant(acting, async (client) => {
        const { items } = outcomeToHttp(await previewExpression(client, acting, body));
        return { items };
      });
    },
  );

  api.get(
    '/v1/schedules/:id/ticks',
    {
      config: read,
      schema: {
        tags,
        summary: 'What became of each nominal time',
        description:
          'The latest nominal time first. `fired`, `backfilled` and `buffered` (waits for the one before) start an execution; `skipped_overlap` and `missed` do not, and `reason` says why.',
        operationId: 'listScheduleTicks',
        params: IdParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            status: Type.Optional(Type.Enum([...TICK_STATUSES])),
            from: Type.Optional(
              Type.String({ maxLength: MAX_INSTANT_CHARS, description: 'Nominal times from here on.' }),
            ),
            to: Type.Optional(
              Type.String({ maxLength: MAX_INSTANT_CHARS, description: 'Nominal times before.' }),
            ),
          },
          closed,
        ),
        response: { 200: pageOfSchema(TickSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { id } = request.params;
      const kind = `ticks:${id}`;
      const { limit, before } = readPage(request, kind, { key: 'text' });
      const { status, from, to } = request.query;
      for (const [field, text] of Object.entries({ from, to, cursor: before ?? undefined }))
        if (text !== undefined && Number.isNaN(instantMs(text)))
          throw badRequest([
            {
              pointer: `/query/${field}`,
              code: 'format',
              message: `${field} is not an instant`,
              hint: '2027-01-01T00:00:00Z',
            },
          ]);
      const page = await database.withTenant(acting, async (client) =>
        outcomeToHttp(await listTicks(client, acting, { scheduleId: id, limit, before, status, from, to })),
      );
      return pageOfBounded(kind, acting.tenantId, page, ({ scheduledAt }) => scheduledAt);
    },
  );
}

function addActions(api: Api, service: ApiContext): void {
  api.post(
    '/v1/schedules/:id/run',
    {
      config: write,
      schema: {
        tags,
        summary: 'Start an execution now',
        description:
          'It is no tick, and overlap does not see it; also of a paused schedule. 409 `cannot_start`.',
        operationId: 'runSchedule',
        params: IdParams,
        response: { 201: StartedSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(service, request, reply, async (client) => ({
        status: 201,
        body: outcomeToHttp(await runSchedule(client, request.acting, request.params.id)),
      })),
  );

  api.post(
    '/v1/schedules/:id/backfill',
    {
      config: write,
      schema: {
        tags,
        summary: 'Start what a range has missed',
        description: `Starts the nominal times of the range that have no execution: without a tick, or \`missed\`. All at once, whatever the overlap policy; at most ${MAX_BACKFILL}.`,
        operationId: 'backfillSchedule',
        params: IdParams,
        body: BackfillRange,
        response: { 201: BackfillSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(service, request, reply, async (client) => ({
        status: 201,
        body: outcomeToHttp(
          await backfillSchedule(client, request.acting, { id: request.params.id, ...request.body }),
        ),
      })),
  );
}
