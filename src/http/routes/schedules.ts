// Schedules: made, changed, paused, listed, deleted. Their times: schedule-ticks.ts.
import type pg from 'pg';
import { Type } from 'typebox';
import { MAX_WORKFLOW_ID_CHARS } from '../../core/definition/workflow-id.ts';
import type { ScheduleFields } from '../../core/schedule/settings.ts';
import { SCHEDULE_STATUSES } from '../../core/schedule/words.ts';
import type { Acting } from '../../db/connection/connection.ts';
import {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  showSchedule,
} from '../../resources/schedules/schedules.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ScheduleSchema } from '../schemas/schedule-answers.ts';
import { ChangeSchedule, CreateSchedule, ReplaceSchedule } from '../schemas/schedules.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const closed = { additionalProperties: false };
const tags = ['schedules'];
const KIND = 'schedules';
const read = { access: 'schedules:read' } as const;
const write = { access: 'schedules:write' } as const;

export function addScheduleRoutes(api: Api, service: ApiContext): void {
  addChanges(api, service);
  addReads(api, service);
}

function addChanges(api: Api, service: ApiContext): void {
  const { database } = service;
  api.post(
    '/v1/schedules',
    {
      config: write,
      schema: {
        tags,
        summary: 'Make a schedule',
        description:
          'Active at once; `nextRunAt` is the first nominal time from now on. 409 `name_taken` where the workflow has one of this name.',
        operationId: 'createSchedule',
        body: CreateSchedule,
        response: { 201: ScheduleSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(service, request, reply, async (client) => ({
        status: 201,
        body: outcomeToHttp(await createSchedule(client, request.acting, request.body as ScheduleFields)),
      })),
  );

  for (const [method, body, summary, operationId] of [
    ['PUT', ReplaceSchedule, 'Replace the settings of a schedule', 'replaceSchedule'],
    ['PATCH', ChangeSchedule, 'Change a schedule: what is not named stays', 'changeSchedule'],
  ] as const)
    api.route({
      method,
      url: '/v1/schedules/:id',
      config: write,
      schema: {
        tags,
        summary,
        description:
          'Another expression, zone, `startAt` or `endAt` counts from now on. 409 `from_definition` where a definition keeps it.',
        operationId,
        params: IdParams,
        body,
        response: { 200: ScheduleSchema },
      },
      handler: async (request) => {
        const { id } = request.params as { id: string };
        const change = request.body as Partial<ScheduleFields>;
        const given = { id, change, isWhole: method === 'PUT' };
        return await database.withTenant(request.acting, async (client) =>
          outcomeToHttp(await changeSchedule(client, request.acting, given)),
        );
      },
    });

  api.delete(
    '/v1/schedules/:id',
    {
      config: write,
      schema: {
        tags,
        summary: 'Delete a schedule and its ticks',
        description:
          'Executions that it started go on. One that a definition has, or had, loses its ticks for good; leaving it out of `triggers` keeps them.',
        operationId: 'deleteSchedule',
        params: IdParams,
      },
    },
    async (request, reply) => {
      await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await deleteSchedule(client, request.acting, request.params.id)),
      );
      return await reply.code(204).send();
    },
  );

  for (const [verb, summary, change] of [
    [
      'pause',
      'Pause a schedule: the times until it is resumed get no ticks',
      (client: pg.ClientBase, acting: Acting, id: string) => pauseSchedule(client, acting, { id }),
    ],
    ['resume', 'Resume a schedule: it goes on with the first nominal time from now on', resumeSchedule],
  ] as const)
    api.post(
      `/v1/schedules/:id/${verb}`,
      {
        config: write,
        schema: {
          tags,
          summary,
          operationId: `${verb}Schedule`,
          params: IdParams,
          response: { 200: ScheduleSchema },
        },
      },
      async (request) => {
        const { acting } = request;
        return await database.withTenant(acting, async (client) =>
          outcomeToHttp(await change(client, acting, request.params.id)),
        );
      },
    );
}

function addReads(api: Api, { database }: ApiContext): void {
  api.get(
    '/v1/schedules',
    {
      config: read,
      schema: {
        tags,
        summary: 'List schedules',
        description: 'Without those that were removed from their definition, which GET of one shows.',
        operationId: 'listSchedules',
        querystring: Type.Object(
          {
            ...PageQuery,
            workflowId: Type.Optional(Type.String({ maxLength: MAX_WORKFLOW_ID_CHARS })),
            status: Type.Optional(Type.Enum([...SCHEDULE_STATUSES])),
          },
          closed,
        ),
        response: { 200: pageOfSchema(ScheduleSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { limit, before } = readPage(request, KIND);
      const { workflowId, status } = request.query;
      const page = await database.withTenant(acting, (client) =>
        listSchedules(client, acting, { limit, before, workflowId, status }),
      );
      return pageOfBounded(KIND, acting.tenantId, page, ({ id }) => id);
    },
  );

  api.get(
    '/v1/schedules/:id',
    {
      config: read,
      schema: {
        tags,
        summary: 'Show a schedule',
        operationId: 'getSchedule',
        params: IdParams,
        response: { 200: ScheduleSchema },
      },
    },
    async (request) =>
      await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await showSchedule(client, request.acting, request.params.id)),
      ),
  );
}
