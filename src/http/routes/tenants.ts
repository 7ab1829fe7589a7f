// Tenants: made, listed and changed by the operator.
import { Type } from 'typebox';
import { TENANT_NAME, TENANT_STATUSES } from '../../core/caller/tenant.ts';
import { type JsonObject, toStorableJson } from '../../core/json.ts';
import { createTenant, findTenantView, listTenants, updateTenant } from '../../db/resources/tenants.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnceAsOperator } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { TenantSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import { ApiError, notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const DisplayName = Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], {
  description: 'For people.',
  examples: ['Acme Ltd'],
});
const Tier = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'Definitions with a higher `minTier` do not start for it.',
  examples: [2],
});
const Settings = Type.Object(
  {},
  { additionalProperties: true, description: 'Kept as they are; the service reads none of them.' },
);

const TenantBody = Type.Object(
  {
    name: Type.String({
      pattern: TENANT_NAME.source,
      description: 'Begins the paths of its webhooks; does not change.',
      examples: ['acme'],
    }),
    displayName: Type.Optional(DisplayName),
    tier: Type.Optional(Tier),
    settings: Type.Optional(Settings),
  },
  { additionalProperties: false },
);

const TenantPatch = Type.Object(
  {
    displayName: Type.Optional(DisplayName),
    tier: Type.Optional(Tier),
    status: Type.Optional(
      Type.Enum([...TENANT_STATUSES], {
        description:
          '`suspended`: nothing of it starts and its keys are refused, within 5 s; what runs goes on. Executions whose runAt comes meanwhile start when it is active again.',
      }),
    ),
    settings: Type.Optional(Settings),
  },
  { additionalProperties: false, minProperties: 1 },
);

const tags = ['tenants'];
const MAX_SETTINGS_BYTES = 64_000;
const KIND = 'tenants';

export function addTenantRoutes(api: Api, service: Service): void {
  const { database } = service;
  api.post(
    '/v1/tenants',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Create a tenant',
        description:
          'Its rows are seen by its own keys only. 409 `name_taken` where there is one of that name.',
        operationId: 'createTenant',
        body: TenantBody,
        response: { 201: TenantSchema },
      },
    },
    (request, reply) =>
      answerOnceAsOperator(
        service,
        request,
        reply,
        async (client) => {
          const { name, displayName = null, tier = 1, settings = {} } = request.body;
          const tenant = await createTenant(client, {
            ...{ name, displayName, tier },
            settings: storableSettings(settings),
          });
          if (tenant === null) throw new ApiError(409, 'name_taken', `there is a tenant "${name}"`);
          return { status: 201, body: tenant };
        },
        // The answer is kept beside those of tenant `default`, whose rows its own services may read.
        { secret: true },
      ),
  );

  api.get(
    '/v1/tenants',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'List tenants',
        description: 'Newest first.',
        operationId: 'listTenants',
        querystring: Type.Object({ ...PageQuery }, { additionalProperties: false }),
        response: { 200: pageOfSchema(TenantSchema) },
      },
    },
    async (request) => {
      const { limit, before } = readPage(request, KIND);
      const rows = await listTenants(database.engine, { limit: limit + 1, before });
      return pageOf(KIND, null, rows, limit, ({ id }) => id);
    },
  );

  api.get(
    '/v1/tenants/:id',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Show a tenant',
        operationId: 'getTenant',
        params: IdParams,
        response: { 200: TenantSchema },
      },
    },
    async (request) => {
      const tenant = await findTenantView(database.engine, { id: request.params.id });
      if (tenant === null) throw notFound('tenant');
      return tenant;
    },
  );

  api.patch(
    '/v1/tenants/:id',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Change, suspend or activate a tenant',
        description: 'What is not named stays as it is; `settings` are replaced as a whole.',
        operationId: 'updateTenant',
        params: IdParams,
        body: TenantPatch,
        response: { 200: TenantSchema },
      },
    },
    async (request) => {
      const { settings, ...change } = request.body;
      const tenant = await database.asEngine(request.actor, (client) =>
        updateTenant(client, request.params.id, {
          ...change,
          ...(settings === undefined ? {} : { settings: storableSettings(settings) }),
        }),
      );
      if (tenant === null) throw notFound('tenant');
      return tenant;
    },
  );
}

function storableSettings(settings: object): JsonObject {
  const stored = toStorableJson(settings, MAX_SETTINGS_BYTES);
  if (stored.ok) return settings as JsonObject;
  throw unprocessable([{ pointer: '/settings', code: stored.code, message: `settings ${stored.message}` }]);
}
