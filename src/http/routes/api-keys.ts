// Keys of the API. A key is shown once, when it is made; what is revoked stays revoked.
import { Type } from 'typebox';
import { KEY_ROLES, SCOPES, scopesOf } from '../../core/caller/access.ts';
import { problemOfActor } from '../../core/caller/actor.ts';
import { createKey, findKey, listKeys, revokeKey } from '../../db/resources/api-keys.ts';
import { IdParams } from '../request/id-params.ts';
import { readInstant } from '../request/instant.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { ApiKeySchema, MadeApiKeySchema } from '../schemas/resources.ts';
import type { Api, Principal } from '../server/api.ts';
import { ApiError, notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const KeyBody = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 200,
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
        description: 'At least one of `roles` and `scopes` is not empty.',
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
        description: 'From then on it is refused; absent: never.',
        examples: ['2030-01-01T00:00:00Z'],
      }),
    ),
  },
  { additionalProperties: false },
);

const tags = ['keys'];
const KIND = 'api-keys';

export function addApiKeyRoutes(api: Api, service: Service): void {
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
      const { name, subject = null, roles = [], scopes = [], expiresAt = null } = request.body;
      const endsAt = expiresAt === null ? null : readInstant(expiresAt);
      if (roles.length + scopes.length === 0)
        throw unprocessable([
          {
            pointer: '/roles',
            code: 'required',
            message: 'a key needs at least one of roles and scopes',
            hint: `"roles": ["viewer"], or "scopes": ["executions:read"]`,
          },
        ]);
      const problem = subject === null ? null : problemOfActor(subject);
      if (problem !== null)
        throw unprocessable([{ pointer: '/subject', code: 'format', message: `subject ${problem}` }]);
      if (expiresAt !== null && endsAt === null) throw hasPassed();
      requireHeld(request.principal!, { subject, roles, scopes });
      return await answerOnce(
        service,
        request,
        reply,
        async (client) => {
          const made = await createKey(client, request.acting.tenantId, {
            name,
            subject,
            roles,
            scopes,
            createdBy: request.acting.actor,
            expiresAt: endsAt,
          });
          if (made === null) throw hasPassed();
          return { status: 201, body: { ...made.view, key: made.key } };
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
      const { tenantId } = request.acting;
      const { limit, before } = readPage(request, KIND);
      const rows = await database.withTenant(request.acting, (client) =>
        listKeys(client, tenantId, { limit: limit + 1, before }),
      );
      return pageOf(KIND, tenantId, rows, limit, ({ id }) => id);
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
    async (request) => {
      const key = await database.withTenant(request.acting, (client) =>
        findKey(client, request.acting.tenantId, request.params.id),
      );
      if (key === null) throw notFound('key');
      return key;
    },
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
    async (request, reply) => {
      const key = await database.withTenant(request.acting, (client) =>
        revokeKey(client, request.acting.tenantId, request.params.id),
      );
      if (key === null) throw notFound('key');
      return await reply.code(204).send();
    },
  );
}

// A key grants no more than its maker holds, and acts for nobody else unless its maker may.
function requireHeld(
  maker: Principal,
  wanted: {
    readonly subject: string | null;
    readonly roles: readonly string[];
    readonly scopes: readonly string[];
  },
): void {
  const missing = [...scopesOf(wanted.roles, wanted.scopes)].filter((scope) => !maker.scopes.has(scope));
  if (wanted.subject !== null && wanted.subject !== maker.actor && !maker.scopes.has('actors:assert'))
    missing.push('actors:assert');
  if (missing.length > 0)
    throw new ApiError(
      403,
      'scope_exceeded',
      `your own key lacks what this one would grant: ${[...new Set(missing)].join(', ')}`,
    );
}

function hasPassed() {
  return unprocessable([
    { pointer: '/expiresAt', code: 'format', message: 'expiresAt must be an instant in the future' },
  ]);
}
