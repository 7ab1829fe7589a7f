// Limits and circuit breakers of outside services, shared by all workers. They are the installation's: any key may read them
// (of breakers its own tenant's), the operator changes them.
import { Type } from 'typebox';
import {
  BREAKER_ID,
  CALLS,
  checkLimit,
  INTERVAL_SECONDS,
  listServices,
  MAX_SERVICES,
  removeServiceLimit,
  resetService,
  SERVICE_ID,
  setServiceLimit,
} from '../../resources/service-limits.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema, textOf } from '../schemas/parts.ts';
import { OutsideServiceSchema, ServiceLimitSchema, ServiceResetSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const NAMED = { description: 'A provider, a host, or the `serviceId` of definitions.' };
const ServiceParams = Type.Object({ serviceId: textOf(SERVICE_ID, NAMED) });
const BreakerParams = Type.Object({
  serviceId: textOf(BREAKER_ID, {
    description: 'A service, of all tenants; or `<service>@<tenant>`, as the list names a breaker.',
  }),
});

const LimitBody = Type.Object(
  {
    maxConcurrency: Type.Optional(
      Type.Union([Type.Integer(CALLS), Type.Null()], {
        description: 'Calls at once, by all workers together; null lifts it.',
        examples: [8],
      }),
    ),
    rateLimit: Type.Optional(
      Type.Union([Type.Integer(CALLS), Type.Null()], {
        description: 'Calls that may start within any `rateIntervalSeconds`; null lifts it.',
        examples: [60],
      }),
    ),
    rateIntervalSeconds: Type.Optional(
      Type.Union([Type.Number(INTERVAL_SECONDS), Type.Null()], {
        description: 'Goes with `rateLimit`.',
        examples: [60],
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);

const ServicesQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SERVICES,
        default: MAX_SERVICES,
        description: 'How many at most.',
      }),
    ),
    cursor: PageQuery.cursor,
  },
  { additionalProperties: false },
);

const tags = ['service limits'];
const KIND = 'service-limits';

export function addServiceLimitRoutes(api: Api, { database }: ApiContext): void {
  api.get(
    '/v1/service-limits',
    {
      config: { access: 'service-limits:read' },
      schema: {
        tags,
        summary: 'List the outside services that are limited or held back',
        description:
          "Limits are the installation's; circuit breakers are those of the tenant, of all tenants for the operator. A service that is not listed has no limit, and its breaker is closed.",
        operationId: 'listServiceLimits',
        querystring: ServicesQuery,
        response: { 200: pageOfSchema(OutsideServiceSchema) },
      },
    },
    async (request) => {
      const isOperator = request.principal?.kind !== 'key';
      const { limit = MAX_SERVICES } = request.query;
      const { before: after } = readPage(request, KIND, { key: 'text' });
      const acting = isOperator ? request.actor : request.acting;
      const page = await listServices(database.engine, acting, { limit, after });
      return pageOfBounded(KIND, request.principal?.tenantId ?? null, page, ({ serviceId }) => serviceId);
    },
  );

  api.put(
    '/v1/service-limits/:serviceId',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Limit an outside service',
        description: 'What is not named stays as it is. Holds for all tenants, at once.',
        operationId: 'setServiceLimit',
        params: ServiceParams,
        body: LimitBody,
        response: { 200: ServiceLimitSchema },
      },
    },
    async ({ actor, params, body }) => {
      const refusal = checkLimit(body);
      if (refusal !== null) return outcomeToHttp(refusal);
      return outcomeToHttp(
        await database.asEngine(actor, (client) => setServiceLimit(client, actor, { ...params, ...body })),
      );
    },
  );

  api.delete(
    '/v1/service-limits/:serviceId',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Lift all limits of a service',
        operationId: 'removeServiceLimit',
        params: ServiceParams,
      },
    },
    async ({ actor, params }, reply) => {
      outcomeToHttp(
        await database.asEngine(actor, (client) => removeServiceLimit(client, actor, params.serviceId)),
      );
      return reply.status(204).send();
    },
  );

  api.post(
    '/v1/service-limits/:serviceId/reset',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Close the circuit breaker of a service',
        description: 'Ends its pause, too: calls begin again within a second.',
        operationId: 'resetService',
        params: BreakerParams,
        response: { 200: ServiceResetSchema },
      },
    },
    async ({ actor, params }) =>
      outcomeToHttp(
        await database.asEngine(actor, (client) => resetService(client, actor, params.serviceId)),
      ),
  );
}
