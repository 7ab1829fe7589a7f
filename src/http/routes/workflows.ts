// Definitions: saved as JSON or YAML, listed, switched on and off. Their revisions: workflow-revisions.ts.
import { Type } from 'typebox';
import {
  DEFINITION_STATUSES,
  type DefinitionStatus,
  MAX_CATEGORY_CHARS,
} from '../../core/definition/model.ts';
import { triggerProblems, validationOf } from '../../resources/definitions/check-document.ts';
import { type RevisionMismatch, saveWorkflow } from '../../resources/definitions/save-workflows.ts';
import { knownTaskTypes } from '../../resources/definitions/task-types.ts';
import {
  findTenantName,
  listWorkflows,
  setWorkflowStatus,
  showWorkflow,
} from '../../resources/definitions/workflows.ts';
import { withSecretsAhead } from '../../triggers/webhooks/secrets-ahead.ts';
import { createDefinitionReader } from '../request/definition-reader.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import {
  SavedWorkflowSchema,
  ValidationSchema,
  WorkflowDetailSchema,
  WorkflowSchema,
} from '../schemas/workflows.ts';
import type { Api, DocumentBody } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { ApiError, badRequest, unprocessable } from '../server/problem.ts';
import { etagOf, WorkflowParams } from './workflow-views.ts';

const closed = { additionalProperties: false };
const Status = Type.Unsafe<DefinitionStatus>(Type.String({ enum: [...DEFINITION_STATUSES] }));
const tags = ['workflows'];
const KIND = 'workflows';

export function addWorkflowRoutes(api: Api, service: ApiContext): void {
  const { database } = service;
  // One for each format: what is sent as JSON does not stand behind YAML, which is far slower to read.
  const readers = { json: createDefinitionReader(), yaml: createDefinitionReader() };
  const taskTypes = async () => [...(await knownTaskTypes(database.engine, service.rules)).values()];

  api.put(
    '/v1/workflows/:workflowId',
    {
      config: {
        access: 'workflows:write',
        body: 'document',
        takes: ['If-Match'],
        gives: ['ETag'],
        refuses: [412],
      },
      schema: {
        tags,
        summary: 'Save a definition',
        description:
          'The body is the definition, as JSON or YAML (application/yaml), up to 10 MB; its `workflowId` may be left out. Content that differs from the current revision becomes the next one, which starts take from then on; what runs keeps its own. Schedules, webhooks and event triggers of `triggers` are brought in step in the same transaction; what is not named any more is removed (`triggers.removed`), and comes back as it was when it is named again. With `If-Match: "3"` only where 3 is the current revision, else 412; `If-Match: *`: only where there is one. All problems are told at once; warnings never refuse. A secret that a webhook trigger gave in clear text is sealed and not kept in the definition; one that had to be made up is in this answer only.',
        operationId: 'saveWorkflow',
        params: WorkflowParams,
        response: { 200: SavedWorkflowSchema, 201: SavedWorkflowSchema },
      },
    },
    async (request, reply) => {
      const { workflowId } = request.params;
      const ifMatch = readIfMatch(request.headers['if-match']);
      const body = request.body as DocumentBody;
      const checked = await readers[body.format].check(body, request.acting.tenantId, {
        ...{ workflowId, taskTypes: await taskTypes() },
      });
      if (checked.kind === 'invalid') throw unprocessable(checked.problems);
      const { definition, warnings } = checked;
      if (definition.workflowId !== workflowId)
        throw unprocessable([
          {
            pointer: '/workflowId',
            code: 'other_workflow',
            message: `the document is of ${JSON.stringify(definition.workflowId)}, the path of ${JSON.stringify(workflowId)}`,
            hint: 'leave it out, or save it under its own name',
          },
        ]);
      const { acting } = request;
      const saved = await withSecretsAhead(service, (host) =>
        database.withTenant(acting, async (client) => {
          const outcome = await saveWorkflow(client, acting, { definition, ifMatch }, host);
          if (!outcome.ok && 'current' in outcome) throw refuseRevision(outcome);
          return outcomeToHttp(outcome);
        }),
      );
      reply.header('etag', etagOf(saved.revision)).code(saved.outcome === 'created' ? 201 : 200);
      return { ...saved, warnings };
    },
  );

  api.post(
    '/v1/workflows/validate',
    {
      config: { access: ['workflows:read', 'workflows:write'], body: 'document' },
      schema: {
        tags,
        summary: 'Check a definition without saving it',
        description:
          'The body is the definition, as JSON or YAML. 200 also where it is not valid: `errors` then holds all problems, with pointers into the body. With `explain` the answer says in words when each task runs, and what it has by defaults.',
        operationId: 'validateWorkflow',
        querystring: Type.Object({ explain: Type.Optional(Type.Boolean()) }, closed),
        response: { 200: ValidationSchema },
      },
    },
    async (request) => {
      const { explain = false } = request.query;
      const body = request.body as DocumentBody;
      const checked = await readers[body.format].check(body, request.acting.tenantId, {
        ...{ explain, taskTypes: await taskTypes() },
      });
      if (checked.kind === 'invalid') return validationOf({ ok: false, ...checked });
      const tenantName = await database.withTenant(request.acting, (client) =>
        findTenantName(client, request.acting),
      );
      const { definition, warnings } = checked;
      const problems = await triggerProblems(definition, { tenantName, source: service });
      return problems.length > 0
        ? validationOf({ ok: false, problems, warnings })
        : validationOf({ ok: true, definition, warnings }, checked.explanation);
    },
  );

  api.get(
    '/v1/workflows',
    {
      config: { access: 'workflows:read' },
      schema: {
        tags,
        summary: 'List workflows',
        description: 'Newest first, by when each was first saved.',
        operationId: 'listWorkflows',
        querystring: Type.Object(
          {
            ...PageQuery,
            status: Type.Optional(Status),
            category: Type.Optional(Type.String({ maxLength: MAX_CATEGORY_CHARS })),
          },
          closed,
        ),
        response: { 200: pageOfSchema(WorkflowSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { limit, before } = readPage(request, KIND, { key: 'text' });
      const { status, category } = request.query;
      const found = await database.withTenant(acting, (client) =>
        listWorkflows(client, acting, { limit, before, status, category }),
      );
      const page = pageOfBounded(KIND, acting.tenantId, found, ({ position }) => position);
      return { ...page, items: page.items.map(({ position: _, ...view }) => view) };
    },
  );

  api.get(
    '/v1/workflows/:workflowId',
    {
      config: { access: 'workflows:read', gives: ['ETag'] },
      schema: {
        tags,
        summary: 'Show a workflow with the definition of its current revision',
        operationId: 'getWorkflow',
        params: WorkflowParams,
        response: { 200: WorkflowDetailSchema },
      },
    },
    async (request, reply) => {
      const found = await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await showWorkflow(client, request.acting, request.params.workflowId)),
      );
      reply.header('etag', etagOf(found.revision));
      return found;
    },
  );

  api.patch(
    '/v1/workflows/:workflowId',
    {
      config: { access: 'workflows:write', gives: ['ETag'] },
      schema: {
        tags,
        summary: 'Switch a workflow on or off',
        description:
          'Only `active` ones start, by hand or by their triggers; what runs goes on. Nothing is ever deleted: `archived` puts it out of the way.',
        operationId: 'setWorkflowStatus',
        params: WorkflowParams,
        body: Type.Object({ status: Status }, closed),
        response: { 200: WorkflowSchema },
      },
    },
    async (request, reply) => {
      const given = { workflowId: request.params.workflowId, status: request.body.status };
      const view = await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await setWorkflowStatus(client, request.acting, given)),
      );
      reply.header('etag', etagOf(view.revision));
      return view;
    },
  );
}

function readIfMatch(header: string | undefined): number | 'any' | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return 'any';
  const revision = /^"([1-9]\d{0,8})"$/.exec(header.trim())?.[1];
  if (revision !== undefined) return Number(revision);
  const message = 'If-Match must be one revision in quotes, as an ETag is, or *';
  throw badRequest([{ pointer: '/headers/if-match', code: 'pattern', message, hint: 'If-Match: "3"' }]);
}

function refuseRevision({ code, message, current }: RevisionMismatch): ApiError {
  return new ApiError(412, code, message, { headers: current === null ? {} : { etag: etagOf(current) } });
}
