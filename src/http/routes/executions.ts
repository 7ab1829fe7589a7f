// /v1/executions: what runs and ran, as it is listed and read.
import { Type } from 'typebox';
import { isJsonObject, type JsonObject, toStorableJson } from '../../core/json.ts';
import { LOG_LINE_LEVELS } from '../../core/log-lines.ts';
import { EXECUTION_STATUSES } from '../../core/status.ts';
import { TRIGGER_TYPES } from '../../core/trigger/trigger-type.ts';
import type { TaskPlace } from '../../db/executions/execution-list.ts';
import { EXECUTION_PARTS } from '../../db/executions/execution-views.ts';
import { LATE_LINE_MS, showLog } from '../../resources/execution-log.ts';
import {
  explainExecution,
  listExecutions,
  listTasks,
  MAX_WHY,
  showExecution,
  showExecutionPart,
} from '../../resources/executions.ts';
import { IdParams } from '../request/id-params.ts';
import { readInstant } from '../request/instant.ts';
import { PageQuery, pageOfBounded, pageUpTo, readPage } from '../request/page.ts';
import { ExecutionDetailSchema, ExecutionSchema, LogLineSchema, TaskSchema } from '../schemas/executions.ts';
import { anyJson, pageOfSchema } from '../schemas/parts.ts';
import { WhySchema } from '../schemas/why.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { ApiError, badRequest } from '../server/problem.ts';
import type { Waiting } from '../waiting/waiting.ts';
import { addExecutionActionRoutes } from './execution-actions.ts';
import { addExecutionEventRoutes } from './execution-events.ts';
import { addExecutionStartRoutes } from './execution-starts.ts';

const tags = ['executions'];
const EARLY =
  'A page ends early, with a `nextCursor`, once the outputs in it are 8 MB; one task or execution is always whole.';
const literals = <const T extends readonly string[]>(list: T, description: string) =>
  Type.Optional(Type.Unsafe<T[number]>({ type: 'string', enum: [...list], description }));

const PartParams = Type.Object(
  {
    ...IdParams.properties,
    part: Type.Unsafe<(typeof EXECUTION_PARTS)[number]>({ type: 'string', enum: [...EXECUTION_PARTS] }),
  },
  { additionalProperties: false },
);

export function addExecutionRoutes(api: Api, service: ApiContext, { watch, openAnswers }: Waiting): void {
  const { database } = service;
  addExecutionStartRoutes(api, service, watch, openAnswers);
  addExecutionEventRoutes(api, service, watch, openAnswers);
  addExecutionActionRoutes(api, service);

  api.get(
    '/v1/executions',
    {
      config: { access: 'executions:read' },
      schema: {
        tags,
        operationId: 'listExecutions',
        summary: 'List executions',
        description: `Newest first. All conditions that are given hold together. ${EARLY}`,
        querystring: Type.Object(
          {
            ...PageQuery,
            status: literals(EXECUTION_STATUSES, 'In this status now.'),
            workflowId: Type.Optional(Type.String({ maxLength: 100 })),
            triggerType: literals(TRIGGER_TYPES, 'Started this way.'),
            from: Type.Optional(
              Type.String({ maxLength: 40, description: 'ISO 8601. Created at this instant or later.' }),
            ),
            to: Type.Optional(
              Type.String({ maxLength: 40, description: 'ISO 8601. Created before this instant.' }),
            ),
            metadata: Type.Optional(
              Type.String({
                maxLength: 4_000,
                description: 'A JSON object; the metadata contain all that it does.',
                examples: ['{"order":"A-17"}'],
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOfSchema(ExecutionSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { limit, before } = readPage(request, 'executions');
      const { status, workflowId, triggerType, from, to, metadata } = request.query;
      const filter = {
        limit,
        ...{ status, workflowId, triggerType },
        from: readMoment('from', from),
        to: readMoment('to', to),
        metadata: readMetadata(metadata),
        before: before ?? undefined,
      };
      const page = await database.withTenant(acting, (client) => listExecutions(client, acting, filter));
      return pageOfBounded('executions', acting.tenantId, page, ({ id }) => id);
    },
  );

  api.get(
    '/v1/executions/:id',
    {
      config: { access: 'executions:read' },
      schema: {
        tags,
        operationId: 'getExecution',
        summary: 'Read an execution',
        description:
          'What would make the answer larger than 8 MB is null and named in `leftOut`: GET /v1/executions/{id}/parts/{part} gives it.',
        params: IdParams,
        response: { 200: Type.Unsafe<unknown>(ExecutionDetailSchema) },
      },
    },
    async ({ acting, params }) =>
      outcomeToHttp(await database.withTenant(acting, (client) => showExecution(client, acting, params.id))),
  );

  api.get(
    '/v1/executions/:id/parts/:part',
    {
      config: { access: 'executions:read', refuses: [413] },
      schema: {
        tags,
        operationId: 'getExecutionPart',
        summary: 'Read one part of an execution',
        description:
          'Its input, output, metadata or error as JSON by itself, whole, also where GET of the execution leaves it out.',
        params: PartParams,
        response: { 200: anyJson('The part, whole.') },
      },
    },
    async ({ acting, params }, reply) => {
      const json = outcomeToHttp(
        await database.withTenant(acting, (client) => showExecutionPart(client, acting, params)),
      );
      // As the database wrote it: a large value is not parsed here.
      return await reply.type('application/json; charset=utf-8').send(json);
    },
  );

  api.get(
    '/v1/executions/:id/tasks',
    {
      config: { access: 'executions:read' },
      schema: {
        tags,
        operationId: 'listTasks',
        summary: "List an execution's tasks",
        description: `In the order of the definition, items after their fan-out. ${EARLY}`,
        params: IdParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOfSchema(TaskSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { id } = request.params;
      const kind = `tasks:${id}`;
      const { limit, before } = readPage(request, kind, { key: 'text' });
      const after = before === null ? null : readPlace(before);
      const found = outcomeToHttp(
        await database.withTenant(acting, (client) => listTasks(client, acting, { id, limit, after })),
      );
      const page = pageOfBounded(kind, acting.tenantId, found, writePlace);
      return { ...page, items: page.items.map(({ position: _, ...task }) => task) };
    },
  );

  api.get(
    '/v1/executions/:id/logs',
    {
      config: { access: 'executions:read' },
      schema: {
        tags,
        operationId: 'listLogLines',
        summary: "Read an execution's log",
        description: `Oldest first. Workers write lines in batches, a moment after they were made: while the execution runs, and for ${LATE_LINE_MS / 1000} s after its end, a nextCursor passes no line of the last ${LATE_LINE_MS / 1000} s. So a page with a nextCursor is final: what it follows comes after the cursor, and a page may be short, or empty with the cursor it was asked for; ask again a moment later. The last page (nextCursor null) may still grow, in its midst too: to follow an execution, read it again with the same cursor, and leave out the ids that you have, until the execution has ended and ${LATE_LINE_MS / 1000} s have passed. Lines of a worker that had lost the database may come later still.`,
        params: IdParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            level: literals(LOG_LINE_LEVELS, 'This level and above.'),
            taskId: Type.Optional(Type.String({ maxLength: 100 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOfSchema(LogLineSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { id } = request.params;
      const kind = `logs:${id}`;
      const { limit, before } = readPage(request, kind);
      const { level, taskId } = request.query;
      const wanted = {
        id,
        limit,
        ...(before === null ? {} : { after: before }),
        ...(level === undefined ? {} : { level }),
        ...(taskId === undefined ? {} : { taskId }),
      };
      const page = outcomeToHttp(
        await database.withTenant(acting, (client) => showLog(client, acting, wanted)),
      );
      return pageUpTo(kind, acting.tenantId, page.lines, page.nextAfter);
    },
  );

  api.get(
    '/v1/executions/:id/why',
    {
      config: { access: 'executions:read' },
      schema: {
        tags,
        operationId: 'explainExecution',
        summary: 'Why is it not over?',
        description: `What each unfinished task waits for; at most ${MAX_WHY} of them, those that could go on first.`,
        params: IdParams,
        response: { 200: WhySchema },
      },
    },
    async ({ acting, params }) =>
      outcomeToHttp(
        await database.withTenant(acting, (client) => explainExecution(client, acting, params.id)),
      ),
  );
}

function readMoment(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const instant = readInstant(text);
  if (instant !== null) return instant;
  throw badRequest([
    {
      pointer: `/query/${name}`,
      code: 'validation',
      message: 'must be an ISO 8601 instant with its offset',
      hint: `?${name}=2030-01-31T09:00:00Z; a "+" is written %2B`,
    },
  ]);
}

function readMetadata(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value) && toStorableJson(value).ok) return value as JsonObject;
  } catch {}
  throw badRequest([
    {
      pointer: '/query/metadata',
      code: 'validation',
      message: 'must be a JSON object',
      hint: '?metadata={"order":"A-17"}, percent-encoded',
    },
  ]);
}

function writePlace({
  position,
  taskId,
  mapIndex,
}: {
  position: number;
  taskId: string;
  mapIndex: number | null;
}) {
  return `${position}:${taskId}:${mapIndex ?? -1}`;
}

function readPlace(text: string): TaskPlace {
  const match = /^(\d{1,10}):([^:]{1,200}):(-?\d{1,9})$/.exec(text);
  if (match === null) throw new ApiError(400, 'invalid_cursor', 'this cursor is not of this list');
  return {
    position: Math.min(Number(match[1]), 2_147_483_647),
    taskId: match[2]!,
    mapIndex: Number(match[3]),
  };
}
