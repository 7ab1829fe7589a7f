// OpenAPI 3.1 at /openapi.json, made of the same schemas that requests are checked by, and readable at /docs.
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig } from 'fastify';
import { Type } from 'typebox';
import packageJson from '../../../package.json' with { type: 'json' };
import { anyObject } from '../schemas/parts.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { PROBLEM_SCHEMA, sharedComponents } from './components.ts';
import { definitionComponents } from './definition.ts';
import { completeDocument, type OpenApiDocument } from './document.ts';
import { ICON, LOGO } from './logo.ts';
import { describeRoute, documentedUrl } from './operation.ts';
import { createServedDocument } from './served-document.ts';
import { describedTags } from './tags.ts';

const DESCRIPTION = `Durable DAG workflows on nothing but PostgreSQL.

Errors are RFC 9457 \`application/problem+json\` with a \`code\` and all problems at once. Lists are
\`{ items, nextCursor }\`, newest first; a page ends early where what it holds is 8 MB. Every POST that creates honours \`Idempotency-Key\`: the same key and body give the
first answer again.`;

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

/** Of a service that has no other address than on its own machine. */
const THIS_MACHINE = /^http:\/\/(?:localhost|127\.|0\.0\.0\.0|\[::1?\])/;

/** Add it before the routes that it describes. */
export async function addOpenApi(api: Api, service: ApiContext): Promise<void> {
  const configs = new Map<string, FastifyContextConfig>();
  await api.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dagwright',
        version: packageJson.version,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: serversOf(service.publicUrl),
      tags: describedTags(),
      components: {
        ...sharedComponents(),
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: '`dw_<id>_<secret>` of POST /v1/api-keys, or DAGWRIGHT_ADMIN_KEY.',
          },
        },
      },
    },
    stripBasePath: false,
    transform: ({ schema: given, url, route }) => {
      const schema = describeRoute(given, url, route);
      configs.set(String(schema.operationId), route.config ?? {});
      return { schema, url: documentedUrl(url) };
    },
    transformObject: (made) => {
      const document = ('openapiObject' in made ? made.openapiObject : {}) as OpenApiDocument;
      const schemas = { Problem: PROBLEM_SCHEMA, ...definitionComponents(service.rules) };
      completeDocument(document, configs, schemas);
      return document as object;
    },
  });
  const send = createServedDocument(() => api.swagger());
  await api.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    uiHooks: {
      // The plugin would write it anew for each request.
      preHandler(request, reply, done) {
        if (request.routeOptions.url === '/docs/json') send(request, reply);
        else done();
      },
    },
    staticCSP: DOCS_POLICY,
    uiConfig: { docExpansion: 'list', deepLinking: true, displayRequestDuration: true },
    logo: { type: 'image/svg+xml', content: LOGO, href: '/docs' },
    theme: {
      title: 'Dagwright',
      favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: ICON }],
    },
  });
  api.get(
    '/openapi.json',
    {
      config: { access: 'public', takes: ['If-None-Match'], gives: ['ETag'] },
      schema: {
        tags: ['operation'],
        summary: 'This description',
        description: 'OpenAPI 3.1 of all routes. It changes with a release only.',
        response: {
          200: anyObject('The document.'),
          304: Type.Null({ description: 'It is the one that `If-None-Match` names.' }),
        },
      },
    },
    (request, reply) => send(request, reply),
  );
}

// Relative to where it is read from, so that /docs may call whatever its own address is. A copy of the file knows the
// public one, where there is one besides this machine's.
function serversOf(publicUrl: string): { url: string }[] {
  return THIS_MACHINE.test(publicUrl) ? [{ url: '/' }] : [{ url: '/' }, { url: publicUrl }];
}
