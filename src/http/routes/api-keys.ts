// Keys of the API. A key is shown once, when it is made; what is revoked stays revoked.
import { Type } from 'typebox';
import { KEY_ROLES, SCOPES } from '../../core/caller/access.ts';
import {
  checkGrants,
  checkKey,
  createKey,
  KEY_NAME,
  listKeys,
  refuseExpiry,
  revokeKey,
  showKey,
} from '../../resources/api-keys.ts';
import { IdParams } from '../request/id-params.ts';
import { readInstant } from '../request/instant.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ApiKeySchema, MadeApiKeySchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const KeyBody = Type.Object(
  {
    name: Type.String({
      ...KEY_NAME,
      description: 'What it is for.',
      examples: ['ci'],
    }),
    subject: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], {
        description:
          'For whom it acts; absent: for itself, `key:<id>`. Another than your own takes the scope `actors:assert`.',
        examples: ['user:alice'],
      }),
    ),
    roles: Type.Optional(
      Type.Array(Type.Enum([...KEY_ROLES]), {
        uniqueItems: true,
        description:
          'At least one of `roles` and `scopes` is not empty. No role brings the scope `actors:assert`.',
        examples: [['editor']],
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Type.Enum([...SCOPES]), {
        uniqueItems: true,
        description: '`<resource>:read` and `<resource>:write`, besides what the roles grant.',
        examples: [['executions:read']],
      }),
    ),
    expiresAt: Type.Optional(
      Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
        description:
          'From then on it is refused; absent: when your own key ends, if it does. 403 `scope_exceeded` where that ends earlier.',
        examples: ['2030-01-01T00:00:00Z'],
      }),
    ),
  },
  { additionalProperties: false },
);

const tags = ['keys'];
const KIND = 'api-keys';

export function addApiKeyRoutes(api: Api, service: ApiContext): void {
  const { database } = service;
  api.post(
    '/v1/api-keys',
    {
      config: { access: 'api-keys:write' },
      schema: {
        tags,
        summary: 'Create a key',
        description:
          'The answer holds `key`, which is shown only here; only a hash of it is kept. 403 `scope_exceeded` where it would grant what you lack.',
        operationId: 'createApiKey',
        body: KeyBody,
        response: { 201: MadeApiKeySchema },
      },
    },
    async (request, reply) => {
      const { expiresAt = null, ...named } = request.body;
      const given = { ...named, expiresAt: expiresAt === null ? null : readInstant(expiresAt) };
      const { scopes, keyId } = request.principal!;
      const maker = { ...request.acting, scopes, keyId };
      const isNoInstant = expiresAt !== null && given.expiresAt === null;
      const refusal = checkKey(given) ?? (isNoInstant ? refuseExpiry() : null) ?? checkGrants(maker, given);
      if (refusal !== null) return outcomeToHttp(refusal);
      return await answerOnce(
        service,
        request,
        reply,
        async (client) => {
          const made = await createKey(client, maker, given);
          return { status: 201, body: outcomeToHttp(made) };
        },
        { secret: true },
      );
    },
  );

  api.get(
    '/v1/api-keys',
    {
      config: { access: 'api-keys:read' },
      schema: {
        tags,
        summary: 'List keys',
        description: 'Newest first, also those that are revoked or have expired; never the keys themselves.',
        operationId: 'listApiKeys',
        querystring: Type.Object({ ...PageQuery }, { additionalProperties: false }),
        response: { 200: pageOfSchema(ApiKeySchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { limit, before } = readPage(request, KIND);
      const page = await database.withTenant(acting, (client) => listKeys(client, acting, { limit, before }));
      return pageOfBounded(KIND, acting.tenantId, page, ({ id }) => id);
    },
  );

  api.get(
    '/v1/api-keys/:id',
    {
      config: { access: 'api-keys:read' },
      schema: {
        tags,
        summary: 'Show a key',
        operationId: 'getApiKey',
        params: IdParams,
        response: { 200: ApiKeySchema },
      },
    },
    async ({ acting, params }) =>
      outcomeToHttp(await database.withTenant(acting, (client) => showKey(client, acting, params.id))),
  );

  api.delete(
    '/v1/api-keys/:id',
    {
      config: { access: 'api-keys:write' },
      schema: {
        tags,
        summary: 'Revoke a key',
        description:
          'It is refused everywhere within 5 s, for good, and stays in the list. Again changes nothing.',
        operationId: 'revokeApiKey',
        params: IdParams,
      },
    },
    async ({ acting, params }, reply) => {
      outcomeToHttp(await database.withTenant(acting, (client) => revokeKey(client, acting, params.id)));
      return await reply.code(204).send();
    },
  );
}
