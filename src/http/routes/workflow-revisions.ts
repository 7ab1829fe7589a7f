// Revisions of a workflow: listed, shown, and gone back to.
import { Type } from 'typebox';
import { findRevision, findWorkflow, listRevisions } from '../../db/resources/definitions.ts';
import { rollbackWorkflow } from '../../resources/definitions/file-triggers.ts';
import { again } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { RevisionDetailSchema, RevisionSchema, RolledBackSchema } from '../schemas/workflows.ts';
import type { Api } from '../server/api.ts';
import { ApiError, notFound } from '../server/problem.ts';
import type { Service } from '../server/service.ts';
import { etagOf, refuseTriggers, triggersView, WorkflowParams } from './workflow-views.ts';

const closed = { additionalProperties: false };
const MAX_REVISION = 1_000_000_000;
const RevisionParams = Type.Object(
  {
    workflowId: WorkflowParams.properties.workflowId,
    revision: Type.String({ pattern: '^[1-9][0-9]{0,8}$' }),
  },
  closed,
);
const tags = ['workflows'];

export function addWorkflowRevisionRoutes(api: Api, service: Service): void {
  const { database } = service;

  api.get(
    '/v1/workflows/:workflowId/revisions',
    {
      config: { access: 'workflows:read' },
      schema: {
        tags,
        summary: 'List the revisions of a workflow',
        description: 'Newest first, without their definitions. `isCurrent`: the one that starts take.',
        operationId: 'listRevisions',
        params: WorkflowParams,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageOfSchema(RevisionSchema) },
      },
    },
    async (request) => {
      const { tenantId } = request.acting;
      const { workflowId } = request.params;
      const kind = `revisions:${workflowId}`;
      const { limit, before } = readPage(request, kind, { key: 'text' });
      if (before !== null && !/^[1-9]\d{0,8}$/.test(before))
        throw new ApiError(400, 'invalid_cursor', 'this cursor is not of this list');
      const rows = await database.withTenant(request.acting, (client) =>
        listRevisions(client, tenantId, workflowId, {
          limit: limit + 1,
          before: before === null ? null : Number(before),
        }),
      );
      if (rows === null) throw notFound('workflow');
      return pageOf(kind, tenantId, rows, limit, ({ revision }) => String(revision));
    },
  );

  api.get(
    '/v1/workflows/:workflowId/revisions/:revision',
    {
      config: { access: 'workflows:read', gives: ['ETag'] },
      schema: {
        tags,
        summary: 'Show a revision with its definition',
        operationId: 'getRevision',
        params: RevisionParams,
        response: { 200: RevisionDetailSchema },
      },
    },
    async (request, reply) => {
      const { workflowId, revision } = request.params;
      const found = await database.withTenant(request.acting, (client) =>
        findRevision(client, request.acting.tenantId, workflowId, Number(revision)),
      );
      if (found === null) throw notFound('revision');
      reply.header('etag', etagOf(found.revision));
      return found;
    },
  );

  api.post(
    '/v1/workflows/:workflowId/rollback',
    {
      config: { access: 'workflows:write', gives: ['ETag'] },
      schema: {
        tags,
        summary: 'Go back to an earlier revision',
        description:
          'Starts take this revision until the next save, and its triggers are those that count; what runs keeps its own. Schedules and webhooks that the revision has and that were removed since come back as they were, with their ticks, events and secrets; `triggers.removed` names what is removed now.',
        operationId: 'rollbackWorkflow',
        params: WorkflowParams,
        body: Type.Object({ revision: Type.Integer({ minimum: 1, maximum: MAX_REVISION }) }, closed),
        response: { 200: RolledBackSchema },
      },
    },
    async (request, reply) => {
      const { acting } = request;
      const { workflowId } = request.params;
      const { revision } = request.body;
      const result = await again(() => rollbackWorkflow(database, service, acting, workflowId, revision));
      if (result === null) throw notFound(`revision ${revision} of "${workflowId}"`);
      if (!result.ok) throw refuseTriggers(result.problems);
      const found = await database.withTenant(acting, (client) =>
        findWorkflow(client, acting.tenantId, workflowId),
      );
      const { definition: _, ...view } = found!;
      reply.header('etag', etagOf(view.revision));
      return { ...view, triggers: triggersView(result.triggers, service.publicUrl) };
    },
  );
}
