// The audit trail: who changed what.
import { Type } from 'typebox';
import { listAudit } from '../../resources/audit.ts';
import { readInstant } from '../request/instant.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { AuditRecordSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError, badRequest } from '../server/problem.ts';

const Word = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 300, description }));
const Instant = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

const AuditQuery = Type.Object(
  {
    ...PageQuery,
    actor: Word('Whose changes: `user:alice`, `key:<id>`, `cli`, `system`.'),
    action: Word('Such as `schedules.update`.'),
    resourceType: Word('Such as `schedules`.'),
    resourceId: Word('Its id, or its name where that is its id.'),
    from: Instant('This instant and later.'),
    to: Instant('Before this instant.'),
    installation: Type.Optional(
      Type.Boolean({
        description: 'Of what belongs to no tenant: prices and limits of services. For the operator only.',
      }),
    ),
  },
  { additionalProperties: false },
);

const KIND = 'audit';

export function addAuditRoutes(api: Api, { database }: ApiContext): void {
  api.get(
    '/v1/audit',
    {
      config: { access: 'audit:read' },
      schema: {
        tags: ['audit'],
        summary: 'List changes',
        description:
          'Newest first. Of an update `oldValues` and `newValues` hold what changed; secrets are named and hidden. Only ever appended to.',
        operationId: 'listAudit',
        querystring: AuditQuery,
        response: { 200: pageOfSchema(AuditRecordSchema) },
      },
    },
    async (request) => {
      const { installation = false, cursor: _, from, to, ...filter } = request.query;
      if (installation && request.principal?.kind === 'key')
        throw new ApiError(403, 'forbidden', "installation takes the operator's key (DAGWRIGHT_ADMIN_KEY)");
      const kind = installation ? `${KIND}:installation` : KIND;
      const { acting, actor } = request;
      const wanted = {
        ...filter,
        ...readPage(request, kind),
        from: instantOf('from', from),
        to: instantOf('to', to),
      };
      const page = installation
        ? await database.asEngine(actor, (client) => listAudit(client, actor, wanted))
        : await database.withTenant(acting, (client) => listAudit(client, acting, wanted));
      return pageOfBounded(kind, acting.tenantId, page, ({ id }) => id);
    },
  );
}

function instantOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const instant = readInstant(text);
  if (instant === null)
    throw badRequest([
      {
        pointer: `/query/${name}`,
        code: 'format',
        message: `${name} must be an instant such as 2030-01-01T00:00:00Z`,
      },
    ]);
  return instant;
}
