// One operation of OpenAPI as its route tells it: names, rights, and what it answers where it succeeds.
import type { FastifySchema, RouteOptions } from 'fastify';
import type { Access } from '../server/api.ts';

const DONE: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Created, with what it is.',
  202: 'Taken.',
  204: 'Gone.',
};

/** Name of a `*` at the end of a path. */
const REST = 'path';

/** `/hooks/*` with a name for its end, which OpenAPI has none for. */
export const documentedUrl = (url: string) => url.replace(/\*$/, `:${REST}`);

/** The schema of a route as the plugin takes it. */
export function describeRoute(
  given: FastifySchema | undefined,
  url: string,
  route: RouteOptions,
): FastifySchema {
  const schema = { ...(given ?? {}) } as FastifySchema & Record<string, unknown>;
  const { access = 'public', hidden = false } = route.config ?? {};
  if (hidden) return { hide: true } as FastifySchema;
  schema.params = namedRest(schema.params);
  // Said of every operation: what says nothing is taken for forgotten.
  schema.security = access === 'public' ? [] : [{ key: [] }];
  schema.operationId ??= operationId(String(route.method), url);
  schema.description = [schema.description, scopeText(access)].filter(Boolean).join('\n\n');
  const responses: Record<string, unknown> = { ...(schema.response as object | undefined) };
  if (Object.keys(responses).length === 0 && route.method === 'DELETE') responses[204] = { type: 'null' };
  for (const [status, response] of Object.entries(responses) as [string, { description?: string }][])
    responses[status] = { 'x-response-description': response.description ?? DONE[status], ...response };
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
