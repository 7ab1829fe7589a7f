// Limits of outside services, shared by all workers. They are the installation's: any key may read them, the operator sets them.
import { Type } from 'typebox';
import { isStorableText } from '../../core/json.ts';
import {
  readServices,
  removeServiceLimit,
  type ServiceLimit,
  setServiceLimit,
} from '../../db/resources/services.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ServiceLimitSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import { notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const MAX_CALLS = 100_000;
const MAX_INTERVAL_SECONDS = 86_400;

const ServiceParams = Type.Object({
  serviceId: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'A provider, a host, or the `serviceId` of definitions.',
  }),
});

const LimitBody = Type.Object(
  {
    maxConcurrency: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: MAX_CALLS }), Type.Null()], {
        description: 'Calls at once, by all workers together; null lifts it.',
        examples: [8],
      }),
    ),
    rateLimit: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: MAX_CALLS }), Type.Null()], {
        description: 'Calls that may start within any `rateIntervalSeconds`; null lifts it.',
        examples: [60],
      }),
    ),
    rateIntervalSeconds: Type.Optional(
      Type.Union([Type.Number({ minimum: 0.001, maximum: MAX_INTERVAL_SECONDS }), Type.Null()], {
        description: 'Goes with `rateLimit`.',
        examples: [60],
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);

const tags = ['service limits'];

export function addServiceLimitRoutes(api: Api, { database }: Service): void {
  api.get(
    '/v1/service-limits',
    {
      config: { access: 'service-limits:read' },
      schema: {
        tags,
        summary: 'List the limits of outside services',
        operationId: 'listServiceLimits',
        response: { 200: pageOfSchema(ServiceLimitSchema) },
      },
    },
    async () => {
      const { limits } = await readServices(database.engine);
      const items = [...limits].sort(([a], [b]) => (a < b ? -1 : 1));
      return { items: items.map(([serviceId, limit]) => limitView(serviceId, limit)), nextCursor: null };
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
    async (request) => {
      const { serviceId } = request.params;
      if (!isStorableText(serviceId)) throw notFound(`service`);
      const { maxConcurrency, rateLimit, rateIntervalSeconds } = request.body;
      if (
        (rateLimit === undefined || rateLimit === null) !==
        (rateIntervalSeconds === undefined || rateIntervalSeconds === null)
      )
        throw unprocessable([
          {
            pointer: '/rateLimit',
            code: 'validation',
            message: 'rateLimit and rateIntervalSeconds go together',
            hint: '{ "rateLimit": 60, "rateIntervalSeconds": 60 }: at most 60 calls a minute',
          },
        ]);
      const limit = await database.asEngine(request.actor, (client) =>
        setServiceLimit(client, serviceId, {
          ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
          ...(rateLimit === undefined
            ? {}
            : {
                rateLimit,
                rateIntervalMs:
                  typeof rateIntervalSeconds === 'number' ? Math.round(rateIntervalSeconds * 1000) : null,
              }),
        }),
      );
      return limitView(serviceId, limit);
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
    async (request, reply) => {
      const { serviceId } = request.params;
      const isRemoved =
        isStorableText(serviceId) &&
        (await database.asEngine(request.actor, (client) => removeServiceLimit(client, serviceId)));
      if (!isRemoved) throw notFound(`limit of "${serviceId}"`);
      return reply.status(204).send();
    },
  );
}

function limitView(serviceId: string, { maxConcurrency, rateLimit, rateIntervalMs }: ServiceLimit) {
  return {
    serviceId,
    maxConcurrency,
    rateLimit,
    rateIntervalSeconds: rateIntervalMs === null ? null : rateIntervalMs / 1000,
  };
}
