// /openapi.json: complete, sound, and of the same schemas that requests are checked by.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isScope } from '../../src/core/access.ts';
import type { Access } from '../../src/http/api.ts';
import { createApp } from '../../src/http/app.ts';
import { openService, type TestService } from '../support/service.ts';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: unknown }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, unknown>> }>
  >;
}
interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: object; readonly schemas: object };
}

let service: TestService;
let description: Description;
let operations: { readonly name: string; readonly path: string; readonly operation: Operation }[];
const routes = new Map<string, Access | undefined>();
beforeAll(async () => {
  service = await openService();
  description = (await service.call('GET', '/openapi.json')).body;
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
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
      expect(operation.security?.length ?? 0, name).toBe(access === 'public' ? 0 : 1);
      if (access === 'public') continue;
      for (const scope of access === 'operator' ? [] : [access].flat()) {
        expect(isScope(scope), `${name}: ${scope}`).toBe(true);
        expect(operation.description, name).toContain(scope);
      }
      for (const status of ['400', '401', '403', '404', '422', '429', '503'])
        expect(operation.responses[status]?.description, `${name} ${status}`).toBeTruthy();
      expect(operation.responses['401']?.content, name).toHaveProperty('application/problem+json');
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

  it('is readable at /docs without anything from elsewhere, and without evaluated scripts', async () => {
    const page = await service.call('GET', '/docs/');
    expect(page.status).toBe(200);
    expect(page.body).not.toMatch(/(src|href)="https?:/);
    const policy = page.headers['content-security-policy'] ?? '';
    expect(policy).toMatch(/script-src 'self';/);
    expect(page.body).not.toMatch(/<script(?![^>]*src=)[^>]*>[^<\s]/);
    for (const asset of ['swagger-ui-bundle.js', 'swagger-ui.css', 'swagger-initializer.js'])
      expect((await service.call('GET', `/docs/static/${asset}`)).status, asset).toBe(200);
    expect((await service.call('GET', '/docs/json')).body.openapi).toBe('3.1.0');
  });
});
