// Tenants: made, listed and changed by the operator.
import { Type } from 'typebox';
import { TENANT_STATUSES } from '../../core/caller/tenant.ts';
import type { JsonObject } from '../../core/json.ts';
import {
  createTenant,
  DISPLAY_NAME,
  listTenants,
  showTenant,
  TENANT_LIMITS,
  TENANT_NAME,
  TIER,
  updateTenant,
  WEIGHT,
} from '../../resources/tenants.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnceAsOperator } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema, textOf } from '../schemas/parts.ts';
import { TenantSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const DisplayName = Type.Union([Type.String(DISPLAY_NAME), Type.Null()], {
  description: 'For people.',
  examples: ['Acme Ltd'],
});
const Tier = Type.Integer({
  ...TIER,
  description: 'Definitions with a higher `minTier` do not start for it.',
  examples: [2],
});
const Settings = Type.Object(
  {},
  { additionalProperties: true, description: 'Kept as they are; the service reads none of them.' },
);

const limit = (range: { readonly minimum: number; readonly maximum: number }, description: string) =>
  Type.Optional(Type.Union([Type.Integer(range), Type.Null()], { description }));
const Limits = Type.Object(
  {
    maxRunningTasks: limit(
      TENANT_LIMITS.maxRunningTasks,
      'Tasks that run at once, on all workers; what is more waits.',
    ),
    maxStartsPerMinute: limit(
      TENANT_LIMITS.maxStartsPerMinute,
      'Executions that start within any minute; more are refused with 429 `too_many_starts`.',
    ),
    maxWaitingExecutions: limit(
      TENANT_LIMITS.maxWaitingExecutions,
      'Executions that are recorded and not opened; more are refused with 429 `too_many_waiting`.',
    ),
  },
  { additionalProperties: false, description: 'What is not named stays as it is; null lifts a limit.' },
);
const Weight = Type.Integer({
  ...WEIGHT,
  description: 'Turns of its tasks for one of a tenant of weight 1, where both wait.',
  examples: [3],
});

const TenantBody = Type.Object(
  {
    name: textOf(TENANT_NAME, {
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
    weight: Type.Optional(Weight),
    limits: Type.Optional(Limits),
    settings: Type.Optional(Settings),
  },
  { additionalProperties: false, minProperties: 1 },
);

const tags = ['tenants'];
const KIND = 'tenants';

export function addTenantRoutes(api: Api, service: ApiContext): void {
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
          const tenant = await createTenant(client, request.actor, request.body);
          return { status: 201, body: outcomeToHttp(tenant) };
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
      const page = await listTenants(database.engine, request.actor, { limit, before });
      return pageOfBounded(KIND, null, page, ({ id }) => id);
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
    async ({ actor, params }) => outcomeToHttp(await showTenant(database.engine, actor, { id: params.id })),
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
    async ({ actor, params, body }) => {
      const change = body as typeof body & { readonly settings?: JsonObject };
      return outcomeToHttp(
        await database.asEngine(actor, (client) =>
          updateTenant(client, actor, { ref: { id: params.id }, change }),
        ),
      );
    },
  );
}
