// Completes the document that the plugin makes of the routes' schemas with what their configuration tells: headers, bodies
// that are not checked by a schema, refusals. A schema with a name for its `title` (`Webhook`) becomes a component.
//   D1  What many operations share is written once, in components, and referred to.
//   D2  Two schemas of one name are the same; else building the document throws.
import type { FastifyContextConfig } from 'fastify';
import {
  type AnswerHeader,
  headerRefs,
  OF_ALL_ANSWERS,
  OF_KEYED_ANSWERS,
  parameterRef,
  type RefusalStatus,
  type RequestHeader,
  responseRef,
} from './components.ts';
import { DOCUMENT_BODY } from './definition.ts';
import { writtenForGenerators } from './for-generators.ts';
import { describedParameter } from './parameter-texts.ts';

export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

interface Operation {
  readonly operationId: string;
  parameters?: {
    readonly in?: string;
    readonly name?: string;
    readonly description?: string;
    readonly $ref?: string;
  }[];
  requestBody?: { required?: boolean; content: Record<string, { schema?: BodySchema }> } | object;
  responses: Record<string, object>;
}

interface BodySchema {
  readonly required?: readonly string[];
  readonly minProperties?: number;
}

const RAW_BODY = {
  required: false,
  description: 'Whatever the sender sends, up to 1 MB: JSON, a form or text.',
  content: { 'application/json': { schema: {} }, '*/*': { schema: {} } },
};

/** `configs`: of the routes, by operationId. `schemas`: components besides those that have their names in routes. */
export function completeDocument(
  document: OpenApiDocument,
  configs: ReadonlyMap<string, FastifyContextConfig>,
  schemas: Readonly<Record<string, unknown>>,
): void {
  for (const methods of Object.values(document.paths))
    for (const [method, operation] of Object.entries(methods))
      completeOperation(operation, method.toUpperCase(), configs.get(operation.operationId) ?? {});
  const named = new Map(Object.entries(schemas));
  const paths = withNames(document.paths, { named, given: new Set(named.keys()) });
  const sorted = Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
  const told = writtenForGenerators({ paths, components: { schemas: sorted } }) as OpenApiDocument;
  document.paths = told.paths;
  document.components.schemas = told.components.schemas;
}

function completeOperation(operation: Operation, method: string, config: FastifyContextConfig): void {
  const successes = Object.keys(operation.responses);
  const isKeyed = (config.access ?? 'public') !== 'public';
  const isOnce = isKeyed && method === 'POST' && successes.some((status) => /^20[12]$/.test(status));
  completeBody(operation, config);

  const takes: RequestHeader[] = [...(config.takes ?? [])];
  if (isOnce) takes.unshift('Idempotency-Key');
  if (isKeyed && config.access !== 'operator') takes.push('X-Tenant-Id');
  if (isKeyed) takes.push('X-Actor');
  const own = (operation.parameters ?? []).map(describedParameter);
  if (own.length + takes.length > 0) operation.parameters = [...own, ...takes.map(parameterRef)];

  const gives: AnswerHeader[] = [...(config.gives ?? []), ...OF_ALL_ANSWERS];
  if (isOnce) gives.push('Idempotency-Replayed');
  if (isKeyed) gives.push(...OF_KEYED_ANSWERS);
  for (const status of successes)
    operation.responses[status] = { ...operation.responses[status], headers: headerRefs(gives) };
  for (const status of refusalsOf(operation, method, config))
    operation.responses[status] ??= responseRef(status);
}

function completeBody(
  operation: Operation,
  { body = 'json', needsBody = false }: FastifyContextConfig,
): void {
  if (body === 'document') operation.requestBody = DOCUMENT_BODY;
  else if (body === 'raw') operation.requestBody = RAW_BODY;
  else if (operation.requestBody !== undefined && 'content' in operation.requestBody) {
    const { schema = {} } = operation.requestBody.content['application/json'] ?? {};
    // An empty body is read as {} (routing.ts).
    operation.requestBody.required =
      needsBody || (schema.required?.length ?? 0) > 0 || (schema.minProperties ?? 0) > 0;
  }
}

function refusalsOf(
  { parameters = [], requestBody }: Operation,
  method: string,
  { access = 'public', body, refuses = [] }: FastifyContextConfig,
): RefusalStatus[] {
  const isPublic = access === 'public';
  const isChange = method !== 'GET';
  const ofKeyed = [400, 401, 403, 404, 422, 429] as const;
  const ofPublicChange = [400, body === 'raw' ? 401 : 404, 422, 429] as const;
  return [
    ...(isPublic ? (isChange ? ofPublicChange : []) : ofKeyed),
    ...(isChange ? ([413, 415] as const) : []),
    ...(isChange && !isPublic ? ([409] as const) : []),
    ...(requestBody === undefined ? [] : ([408] as const)),
    ...(parameters.some((one) => one.in === 'path') ? ([414] as const) : []),
    ...refuses,
    ...([431, 500, 503, 'default'] as const),
  ];
}

const NAME = /^[A-Z][A-Za-z]*$/;
/** Of what they hold nothing is a schema. */
const VALUES = new Set(['example', 'examples', 'default', 'enum', 'const']);

interface Names {
  readonly named: Map<string, unknown>;
  /** Those that were there before; a schema of their name stands for them. */
  readonly given: ReadonlySet<string>;
}

function withNames(value: unknown, names: Names): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => withNames(entry, names));
  const { title, ...rest } = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      VALUES.has(name) ? member : withNames(member, names),
    ]),
  );
  if (typeof title !== 'string' || !NAME.test(title)) return title === undefined ? rest : { title, ...rest };
  const before = names.named.get(title);
  if (before === undefined) names.named.set(title, rest);
  else if (!names.given.has(title) && JSON.stringify(before) !== JSON.stringify(rest))
    throw new Error(`OpenAPI: two schemas are called ${title}`);
  return { $ref: `#/components/schemas/${title}` };
}
