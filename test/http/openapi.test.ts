// /openapi.json: complete, sound, and of the same schemas that requests are checked by.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isScope } from '../../src/core/caller/access.ts';
import { createServedDocument } from '../../src/http/openapi/served-document.ts';
import type { Access } from '../../src/http/server/api.ts';
import { createApp } from '../../src/http/server/app.ts';
import { openService, type TestService } from '../support/service.ts';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: unknown }>>;
  };
  readonly responses: Readonly<Record<string, object>>;
}
interface Parameter {
  readonly $ref?: string;
  readonly description?: string;
  readonly name: string;
  readonly in: string;
  readonly schema: unknown;
}
interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, unknown>>;
}
interface Description {
  readonly servers: readonly { readonly url: string }[];
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: object;
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

let service: TestService;
let description: Description;
let operations: {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}[];
const routes = new Map<string, Access | undefined>();
beforeAll(async () => {
  service = await openService();
  description = (await service.call('GET', '/openapi.json')).body;
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const app = await createApp(service.service, {
    onRoute: (route) => {
      for (const method of [route.method].flat())
        if (method !== 'HEAD' && route.config?.hidden !== true)
          routes.set(
            `${method} ${route.url.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')}`,
            route.config?.access,
          );
    },
  });
  await app.close();
});
afterAll(() => service.close());

function* within(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const member of Object.values(value)) yield* within(member);
}

function resolve(ref: string): unknown {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], description);
}

/** What an operation says of a status; undefined: nothing. */
function responseOf(operation: Operation, status: string): Response | undefined {
  const told = operation.responses[status] as { readonly $ref?: string } | undefined;
  return (told?.$ref === undefined ? told : resolve(told.$ref)) as Response | undefined;
}
const isKeyed = ({ security }: Operation): boolean => (security?.length ?? 0) > 0;
const operationOf = (name: string): Operation => operations.find((one) => one.name === name)!.operation;
const headersTaken = ({ parameters = [] }: Operation): string[] =>
  parameters
    .map((one) => (one.$ref === undefined ? one : (resolve(one.$ref) as Parameter)))
    .filter((one) => one.in === 'header')
    .map(({ name }) => name);
const headersOf = (operation: Operation, status: string): string[] =>
  Object.keys(responseOf(operation, status)?.headers ?? {});
const successesOf = ({ responses }: Operation) =>
  Object.keys(responses).filter((status) => status.startsWith('2'));

/** What every operation refers to: one text of each refusal, in `components`. */
const REFUSALS: Readonly<Record<string, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'RequestTimeout',
  422: 'UnprocessableEntity',
  429: 'TooManyRequests',
  431: 'RequestHeaderFieldsTooLarge',
  500: 'InternalServerError',
  503: 'ServiceUnavailable',
  default: 'Refused',
};
const refusals = (...statuses: readonly string[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${REFUSALS[status]}` }]),
  );

/** A `default` below one is a name there (the `default` of a condition), elsewhere what is taken. */
const isSchema = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  ['type', 'description', 'anyOf'].some((name) => name in value);

/** A schema that says something, by itself or elsewhere. */
const SHAPE = expect.toSatisfy((schema: object) =>
  ['$ref', 'properties', 'additionalProperties', 'anyOf'].some((name) => name in schema),
);

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 and holds every route of the application', () => {
    expect(description.openapi).toBe('3.1.0');
    expect(routes.size).toBeGreaterThan(20);
    const described = operations.map(({ name }) => name);
    expect([...routes.keys()].filter((name) => !described.includes(name))).toEqual([]);
  });

  it('refers to nothing that it does not hold', () => {
    const refs = [...within(description)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.filter((ref) => resolve(ref) === undefined)).toEqual([]);
  });

  it('names every operation once, and says what it does', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z][A-Za-z0-9]*$/.test(id))).toEqual([]);
    const wordless = operations.filter(({ operation: { summary, tags } }) => !summary || !tags?.length);
    expect(wordless.map(({ name }) => name)).toEqual([]);
  });

  it('describes every operation and every tag, and how each is refused by fault of its caller and of ours', () => {
    const { tags: declared } = description;
    const used = new Set(operations.flatMap(({ operation }) => operation.tags ?? []));
    expect(new Set(declared.map(({ name }) => name))).toEqual(used);
    expect(declared.filter((tag) => !/^[A-Z].*\.$/.test(tag.description))).toEqual([]);
    const silent = operations.filter(({ operation: { description: text } }) => !text);
    expect(silent.map(({ name }) => name)).toEqual([]);
    const unrefused = operations.filter(({ operation: { responses } }) =>
      [/^4\d\d$/, /^5\d\d$/, /^default$/].some(
        (wanted) => !Object.keys(responses).some((status) => wanted.test(status)),
      ),
    );
    expect(unrefused.map(({ name }) => name)).toEqual([]);
  });

  it('is read by generators as it is meant: open objects are open, and what has a default may be left out', () => {
    const schemas = [...within({ ...description, components: { schemas: description.components.schemas } })];
    const closed = schemas.filter(
      (one) =>
        [one.type].flat().includes('object') &&
        !['properties', 'additionalProperties', 'patternProperties', 'anyOf', 'oneOf', 'allOf', '$ref'].some(
          (name) => name in one,
        ),
    );
    expect(closed).toEqual([]);
    const ofParameters = new Set(
      operations.flatMap(({ operation }) => (operation.parameters ?? []).map(({ schema }) => schema)),
    );
    const preset = schemas.filter(
      (one) => 'default' in one && !ofParameters.has(one) && isSchema(one) && !isSchema(one.default),
    );
    expect(preset).toEqual([]);
    const { properties } = description.components.schemas.DefinitionNode as {
      properties: Record<string, { description: string }>;
    };
    expect(properties).toHaveProperty('config.additionalProperties', true);
    expect(properties.timeoutSeconds!.description).toMatch(/Default: 300\.$/);
    expect(schemas.filter((one) => [one.type].flat().includes('array') && !('items' in one))).toEqual([]);
    expect(JSON.stringify(description), 'a pattern that needs the Unicode flag').not.toMatch(/\\p\{/);
    const silent = operations.flatMap(({ name, operation }) =>
      (operation.parameters ?? [])
        .filter((one) => one.$ref === undefined && !one.description)
        .map((one) => `${name} ${one.name}`),
    );
    expect(silent).toEqual([]);
  });

  it('declares every part of a path that is a parameter', () => {
    const missing = operations.filter(({ path, operation }) => {
      const declared = (operation.parameters ?? [])
        .filter((one) => one.in === 'path')
        .map(({ name }) => name);
      return [...path.matchAll(/\{(\w+)\}/g)].some(([, name]) => !declared.includes(name!));
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('says which routes take a key, with which scope, and how all of them refuse', () => {
    expect(description.components.securitySchemes).toHaveProperty('key.scheme', 'bearer');
    for (const { name, operation } of operations) {
      const access = routes.get(name) ?? 'public';
      // An empty list says that it takes none; without one it would be taken for forgotten.
      expect(operation.security, name).toHaveLength(access === 'public' ? 0 : 1);
      if (access === 'public') continue;
      for (const scope of access === 'operator' ? [] : [access].flat()) {
        expect(isScope(scope), `${name}: ${scope}`).toBe(true);
        expect(operation.description, name).toContain(scope);
      }
      expect(operation.responses, name).toMatchObject(
        refusals('400', '401', '403', '404', '422', '429', '503'),
      );
      for (const status of Object.keys(operation.responses).filter((one) => !one.startsWith('2')))
        expect(Object.keys(responseOf(operation, status)?.content ?? {}), `${name} ${status}`).toEqual([
          'application/problem+json',
        ]);
    }
  });

  it('holds no schema that is none', () => {
    const ajv = new Ajv2020({
      strict: false,
      allErrors: true,
      logger: false,
      formats: {},
      validateFormats: false,
    });
    for (const { name, operation } of operations) {
      const schemas = [
        ...(operation.parameters ?? []).map(({ schema }) => schema),
        ...Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema),
      ];
      for (const schema of schemas.filter((one) => one !== undefined))
        expect(ajv.validateSchema(schema as object), `${name}: ${ajv.errorsText()}`).toBe(true);
    }
  });

  it('tells of every operation how it succeeds, and what any of them may be refused with', () => {
    for (const { name, operation } of operations) {
      expect(successesOf(operation), name).not.toEqual([]);
      for (const status of successesOf(operation).filter((one) => one !== '204'))
        for (const [type, media] of Object.entries(responseOf(operation, status)?.content ?? { none: {} }))
          expect(media, `${name} ${status} ${type}`).toMatchObject({
            schema: /json/.test(type) ? SHAPE : {},
          });
      expect(operation.responses, name).toMatchObject(refusals('431', '500', '503', 'default'));
      if (operation.requestBody !== undefined)
        expect(operation.responses, name).toMatchObject(refusals('408'));
    }
    for (const [name, { description: text }] of Object.entries(description.components.responses))
      expect(text, name).toMatch(/^[A-Z].{10,}\.$/);
    expect(responseOf(operationOf('PUT /v1/workflows/{workflowId}'), '412')?.headers).toHaveProperty('ETag');
    expect(responseOf(operationOf('POST /v1/callbacks/{token}'), '410')).toBeDefined();
    expect(headersOf(operationOf('GET /v1/stats'), 'default')).toContain('Allow');
  });

  it('names the headers that routes take: Idempotency-Key of every POST that creates', () => {
    for (const { name, method, operation } of operations) {
      const taken = headersTaken(operation);
      const takesKey = isKeyed(operation);
      const creates = method === 'POST' && successesOf(operation).some((one) => /^20[12]$/.test(one));
      expect(taken.includes('Idempotency-Key'), name).toBe(takesKey && creates);
      expect(taken.includes('X-Actor'), name).toBe(takesKey);
      expect(taken.includes('X-Tenant-Id'), name).toBe(takesKey && routes.get(name) !== 'operator');
    }
    expect(headersTaken(operationOf('PUT /v1/workflows/{workflowId}'))).toContain('If-Match');
    expect(headersTaken(operationOf('GET /v1/executions/{id}/events'))).toContain('Last-Event-ID');
  });

  it('names the headers of answers', () => {
    for (const { name, operation } of operations)
      for (const status of Object.keys(operation.responses)) {
        const told = headersOf(operation, status);
        expect(told, `${name} ${status}`).toContain('X-Request-Id');
        if (status === '429' || status === '503') expect(told, `${name} ${status}`).toContain('Retry-After');
        if (status.startsWith('2') && isKeyed(operation))
          expect(told, `${name} ${status}`).toContain('RateLimit-Remaining');
      }
    const started = headersOf(operationOf('POST /v1/workflows/{workflowId}/executions'), '201');
    expect(started).toEqual(expect.arrayContaining(['Location', 'Idempotency-Replayed']));
    for (const method of ['GET', 'PUT', 'PATCH'])
      expect(headersOf(operationOf(`${method} /v1/workflows/{workflowId}`), '200')).toContain('ETag');
  });

  it('names what its lists hold and its routes make, for clients that are generated', () => {
    const { schemas } = description.components;
    for (const name of [
      'Webhook',
      'Schedule',
      'Execution',
      'Task',
      'Workflow',
      'ApiKey',
      'Tenant',
      'Variable',
    ])
      expect(schemas).toHaveProperty(`${name}.properties`);
    expect(schemas).toHaveProperty('WebhookPage.properties.items.items.$ref', '#/components/schemas/Webhook');
  });

  it('describes the bodies that no schema checks: definitions and deliveries', () => {
    for (const name of ['PUT /v1/workflows/{workflowId}', 'POST /v1/workflows/validate']) {
      const { required, content } = operationOf(name).requestBody!;
      expect(required).toBe(true);
      expect(content).toHaveProperty(['application/yaml']);
      const { schema } = content['application/json'] as { schema: { $ref: string } };
      expect(resolve(schema.$ref)).toHaveProperty('properties.nodes');
    }
    expect(operationOf('POST /hooks/{path}').requestBody!.content).toHaveProperty(['*/*']);
  });

  it('accepts by its schema of a definition what the service accepts', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(description as object, 'openapi');
    const validate = ajv.getSchema('openapi#/components/schemas/Definition')!;
    const node = { taskId: 'a', taskType: 'transformation', config: { output: 1 } };
    expect(validate({ workflowId: 'w', nodes: [node] }), ajv.errorsText(validate.errors)).toBe(true);
    expect(validate({ workflowId: 'w', nodes: [{ ...node, taskType: 'nothing' }] })).toBe(false);
    expect(validate({ workflowId: 'w', nodes: [{ ...node, dependsOn: [{ parent: 'b' }] }] })).toBe(false);
  });

  it('requires a body only where an empty one is refused', () => {
    const optional = operations.filter(({ operation }) => operation.requestBody?.required === false);
    expect(optional.map(({ name }) => name).sort()).toEqual([
      'POST /hooks/{path}',
      'POST /v1/executions/{id}/cancel',
      'POST /v1/executions/{id}/signals/{name}',
      'POST /v1/workflows/{workflowId}/executions',
    ]);
  });

  it('says of streams and texts that they are no JSON, and of 204 that it has no body', () => {
    const typesOf = (name: string) => Object.keys(responseOf(operationOf(name), '200')?.content ?? {});
    expect(typesOf('GET /v1/executions/{id}/events')).toEqual(['text/event-stream']);
    expect(typesOf('GET /metrics')).toEqual(['text/plain']);
    for (const { name, operation } of operations)
      expect(responseOf(operation, '204')?.content, name).toBeUndefined();
  });

  it('names no address but its own, so that /docs may call it under whichever name it was opened', async () => {
    expect(description.servers).toEqual([{ url: '/' }]);
    const app = await createApp({ ...service.service, publicUrl: 'https://flows.example.com' });
    const { servers } = (await app.inject('/openapi.json')).json();
    await app.close();
    expect(servers).toEqual([{ url: '/' }, { url: 'https://flows.example.com' }]);
  });

  it('is serialised once, however many ask', () => {
    let written = 0;
    const send = createServedDocument(() => ({ written: ++written }));
    const reply = { headers: () => reply, type: () => reply, send: (bytes: unknown) => String(bytes) };
    const ask = () => send({ headers: {} } as never, reply as never);
    expect([ask(), ask(), ask()]).toEqual(Array(3).fill('{"written":1}'));
  });

  it('is written once, and not sent again to those who have it', async () => {
    let written = 0;
    const { rules } = service.service;
    const counting = {
      ...service.service,
      get rules() {
        written++;
        return rules;
      },
    };
    const app = await createApp(counting);
    const first = await app.inject('/openapi.json');
    const etag = String(first.headers.etag);
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const ask = (url: string, names: string) => app.inject({ url, headers: { 'if-none-match': names } });
    for (const names of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask('/openapi.json', names);
      expect([names, again.statusCode, again.body, again.headers.etag]).toEqual([names, 304, '', etag]);
    }
    expect((await ask('/openapi.json', '"other"')).statusCode).toBe(200);
    for (let i = 0; i < 3; i++) expect((await app.inject('/docs/json')).body).toBe(first.body);
    expect((await ask('/docs/json', etag)).statusCode).toBe(304);
    expect(written).toBe(1);
    await app.close();
  });

  it('is readable at /docs without anything from elsewhere, and without evaluated scripts', async () => {
    const page = await service.call('GET', '/docs/');
    expect(page.status).toBe(200);
    expect(page.body).not.toMatch(/(src|href)="https?:/);
    const policy = page.headers['content-security-policy'] ?? '';
    expect(policy).toMatch(/script-src 'self';/);
    expect(page.body).not.toMatch(/<script(?![^>]*src=)[^>]*>[^<\s]/);
    const icon = /<link rel="icon"[^>]*href="([^"]+)"/.exec(page.body)?.[1] ?? '';
    expect(icon, 'no mark of another product').toMatch(/theme\/icon\.svg$/);
    expect((await service.call('GET', '/docs/static/theme/icon.svg')).body).toMatch(/^<svg/);
    const { body: script } = await service.call('GET', '/docs/static/swagger-initializer.js');
    const logo = /data:image\/svg\+xml;base64,([\w+/=]+)/.exec(script)?.[1] ?? '';
    expect(Buffer.from(logo, 'base64').toString()).toMatch(/<text[^>]*>Dagwright<\/text>/);
    for (const asset of ['swagger-ui-bundle.js', 'swagger-ui.css', 'swagger-initializer.js'])
      expect((await service.call('GET', `/docs/static/${asset}`)).status, asset).toBe(200);
    expect((await service.call('GET', '/docs/json')).body.openapi).toBe('3.1.0');
  });
});
