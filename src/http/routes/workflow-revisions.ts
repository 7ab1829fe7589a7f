// Revisions of a workflow: listed, shown, and gone back to.
import { Type } from 'typebox';
import { MAX_REVISION, REVISION } from '../../core/definition/workflow-id.ts';
import { rollbackWorkflow } from '../../resources/definitions/save-workflows.ts';
import { listRevisions, showRevision } from '../../resources/definitions/workflows.ts';
import { withSecretsAhead } from '../../triggers/webhooks/secrets-ahead.ts';
import { again } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { RevisionDetailSchema, RevisionSchema, RolledBackSchema } from '../schemas/workflows.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { ApiError } from '../server/problem.ts';
import { etagOf, WorkflowParams } from './workflow-views.ts';

const closed = { additionalProperties: false };
const RevisionParams = Type.Object(
  {
    workflowId: WorkflowParams.properties.workflowId,
    revision: Type.String({ pattern: REVISION.pattern.source }),
  },
  closed,
);
const tags = ['workflows'];

export function addWorkflowRevisionRoutes(api: Api, service: ApiContext): void {
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
      const { acting } = request;
      const { workflowId } = request.params;
      const kind = `revisions:${workflowId}`;
      const { limit, before } = readPage(request, kind, { key: 'text' });
      if (before !== null && !REVISION.pattern.test(before))
        throw new ApiError(400, 'invalid_cursor', 'this cursor is not of this list');
      const given = { workflowId, limit, before: before === null ? null : Number(before) };
      const page = await database.withTenant(acting, async (client) =>
        outcomeToHttp(await listRevisions(client, acting, given)),
      );
      return pageOfBounded(kind, acting.tenantId, page, ({ revision }) => String(revision));
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
      const found = await database.withTenant(request.acting, async (client) =>
        outcomeToHttp(await showRevision(client, request.acting, { workflowId, revision: Number(revision) })),
      );
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
      const given = { workflowId: request.params.workflowId, revision: request.body.revision };
      const back = await withSecretsAhead(service, (host) =>
        again(() =>
          database.withTenant(acting, async (client) =>
            outcomeToHttp(await rollbackWorkflow(client, acting, given, host)),
          ),
        ),
      );
      reply.header('etag', etagOf(back.revision));
      return back;
    },
  );
}
