// OpenAPI 3.1 at /openapi.json, made of the same schemas that requests are checked by, and readable at /docs.
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifySchema, RouteOptions } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import type { Access, Api } from './api.ts';
import { PROBLEM_JSON } from './problem.ts';
import type { Service } from './service.ts';

const PROBLEM_SCHEMA = {
  $id: 'Problem',
  type: 'object',
  description: 'RFC 9457: what went wrong.',
  required: ['type', 'title', 'status', 'detail', 'code', 'errors'],
  properties: {
    type: { type: 'string', const: 'about:blank' },
    title: { type: 'string', description: 'The phrase of the status.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What went wrong, for people.' },
    code: { type: 'string', description: 'What went wrong, for programs.' },
    errors: {
      type: 'array',
      description: 'All problems of a request.',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: {
            type: 'string',
            description: 'JSON pointer into the body; /query/…, /params/… and /headers/… else.',
          },
          code: { type: 'string' },
          message: { type: 'string' },
          hint: { type: 'string' },
        },
      },
    },
  },
};

const DONE = { 200: 'Done.', 201: 'Created, with what it is.', 202: 'Taken.', 204: 'Gone.' } as const;

/** What any route may answer besides its own, by status. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'Malformed: not JSON, or a query or header that does not fit.',
  401: 'No key, or one that is unknown, expired or revoked; a delivery that does not prove its sender.',
  403: 'The key lacks the scope.',
  404: 'No such resource, or not of this tenant.',
  409: 'In the way of what is there: a name that is taken, a key that came with another request.',
  413: 'The body is too large.',
  415: 'The body has another media type, or is compressed.',
  422: 'The body does not fit; all problems at once.',
  429: 'Too many requests in a second.',
  503: 'The database does not answer, or others are changing the same; send it again.',
};

const DESCRIPTION = `Durable DAG workflows on nothing but PostgreSQL.

Errors are RFC 9457 \`application/problem+json\` with a \`code\` and all problems at once. Lists are
\`{ items, nextCursor }\`, newest first. Every POST that creates honours \`Idempotency-Key\`: the same key and body give the
first answer again.`;

/** Name of a `*` at the end of a path. */
const REST = 'path';

// The part of the page that a browser runs; nothing comes from elsewhere and nothing is evaluated.
const DOCS_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

/** Add it before the routes that it describes. */
export async function addOpenApi(api: Api, service: Service): Promise<void> {
  api.addSchema(PROBLEM_SCHEMA);
  await api.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dagwright',
        version: packageJson.version,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: service.publicUrl }],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: '`dw_<id>_<secret>` of POST /v1/api-keys, or DAGWRIGHT_ADMIN_KEY.',
          },
        },
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema${i}`) },
    transform: ({ schema, url, route }) => ({
      schema: described(schema, url, route),
      url: url.replace(/\*$/, `:${REST}`),
    }),
  });
  await api.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_POLICY,
    uiConfig: { docExpansion: 'list', deepLinking: true, displayRequestDuration: true },
    theme: { title: 'Dagwright' },
  });
  let text: string | null = null;
  api.get(
    '/openapi.json',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operation'],
        summary: 'This description',
        description: 'OpenAPI 3.1 of all routes.',
      },
    },
    (_request, reply) => {
      text ??= JSON.stringify(api.swagger());
      return reply.type('application/json; charset=utf-8').send(text);
    },
  );
}

function described(given: FastifySchema | undefined, url: string, route: RouteOptions): FastifySchema {
  const schema = { ...(given ?? {}) } as FastifySchema & Record<string, unknown>;
  const { access = 'public', body = 'json', hidden = false } = route.config ?? {};
  const { answers = [route.method === 'DELETE' ? 204 : 200] as const } = route.config ?? {};
  if (hidden) return { hide: true } as FastifySchema;
  schema.params = namedRest(schema.params);
  const isPublic = access === 'public';
  if (!isPublic) schema.security = [{ key: [] }];
  schema.operationId ??= operationId(String(route.method), url);
  schema.description = [schema.description, scopeText(access)].filter(Boolean).join('\n\n');
  if (body === 'document') schema.consumes = ['application/json', 'application/yaml'];
  const responses: Record<string, unknown> = { ...(schema.response as object | undefined) };
  if (Object.keys(responses).length === 0)
    for (const status of answers) responses[status] = { description: DONE[status] };
  const isChange = route.method !== 'GET' && route.method !== 'HEAD';
  const ofPublic = isChange
    ? ['400', body === 'raw' ? '401' : '404', '413', '415', '422', '429', '503']
    : ['503'];
  for (const [status, description] of Object.entries(REFUSALS))
    if (isPublic ? ofPublic.includes(status) : isChange || status !== '409')
      responses[status] ??= { description, content: { [PROBLEM_JSON]: { schema: { $ref: 'Problem#' } } } };
  schema.response = responses;
  return schema;
}

function scopeText(access: Access): string {
  if (access === 'public') return '';
  if (access === 'operator') return "Takes the operator's key.";
  return `Takes the scope ${[access]
    .flat()
    .map((scope) => `\`${scope}\``)
    .join(' or ')}.`;
}

// OpenAPI has no name for the rest of a path.
function namedRest(params: unknown): unknown {
  const { properties, required } = (params ?? {}) as {
    properties?: Record<string, unknown>;
    required?: readonly string[];
  };
  if (properties === undefined || !('*' in properties)) return params;
  const rename = (name: string) => (name === '*' ? REST : name);
  return {
    ...(params as object),
    properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [rename(name), one])),
    ...(required === undefined ? {} : { required: required.map(rename) }),
  };
}

/** `POST /v1/workflows/:workflowId/executions` is `postWorkflowsByWorkflowIdExecutions`. */
function operationId(method: string, url: string): string {
  const words = url
    .replace(/^\/v1/, '')
    .split('/')
    .filter((part) => part !== '')
    .flatMap((part) => (part.startsWith(':') ? ['by', part.slice(1)] : part.split(/[^A-Za-z0-9]+/)))
    .filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}
