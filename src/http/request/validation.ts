// Compiles the schemas of routes: Ajv 2020 as it stands; nothing is coerced, dropped or guessed, and all problems are told
// at once. Query values are text: where the schema wants a number, a boolean or a list, they are read strictly before.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler } from 'fastify';
import { ajvProblems } from '../../core/definition/schema/ajv-problems.ts';
import { addFormats } from '../../core/definition/schema/formats.ts';
import type { Problem } from '../../core/errors.ts';
import { createSuggest } from '../../core/expression/nearest.ts';
import { isStorableText } from '../../core/json.ts';
import { type ApiError, badRequest, notFound, unprocessable } from '../server/problem.ts';

const MAX_PROBLEMS = 100;
/** Lists longer than this are checked up to their first problem: Ajv keeps one error per entry in memory. */
const MANY_ENTRIES = 2_000;

interface Schema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly unevaluatedProperties?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** Fastify's validator compiler. Schemas are compiled when they are first needed. */
export function createValidatorCompiler(): FastifySchemaCompiler<unknown> {
  const full = createAjv(true);
  const brief = createAjv(false);
  return ({ schema, method, httpPart }) => {
    const rules = schema as Schema;
    let all: ValidateFunction | null = null;
    let first: ValidateFunction | null = null;
    const check = (value: unknown): readonly Problem[] => {
      const isLarge = hasManyEntries(value);
      if (isLarge) first ??= brief.compile(rules);
      else all ??= full.compile(rules);
      const validate = (isLarge ? first : all) as ValidateFunction;
      if (validate(value)) return [];
      const base = httpPart === 'body' ? '' : `/${httpPart === 'querystring' ? 'query' : httpPart}`;
      return ajvProblems(validate.errors ?? [], { base, suggest: createSuggest(), most: MAX_PROBLEMS });
    };
    if (httpPart === 'body') return (value: unknown) => answer(check(value), unprocessable);
    if (httpPart === 'headers') return (value: unknown) => answer(check(value), badRequest);
    if (httpPart === 'params') {
      // An id that cannot be one is the id of nothing; a PUT would make it.
      const refuse = method === 'PUT' ? badRequest : () => notFound('resource');
      return (value: unknown) => answer(check(value), refuse);
    }
    return (value: unknown) => {
      const query = value as Record<string, unknown>;
      readQuery(query, rules);
      return answer(check(query), badRequest);
    };
  };
}

function createAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    verbose: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: true,
    logger: false,
    keywords: ['example', 'x-hint', 'x-not-supported'],
  });
  addFormats(ajv);
  return ajv;
}

function answer(problems: readonly Problem[], refuse: (problems: readonly Problem[]) => ApiError) {
  return problems.length === 0 ? true : { error: refuse(problems) };
}

function hasManyEntries(value: unknown): boolean {
  let left = MANY_ENTRIES;
  const count = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const members: readonly unknown[] = Array.isArray(part) ? part : Object.values(part);
    left -= members.length;
    for (let i = 0; i < members.length && left >= 0; i++) count(members[i]);
  };
  count(value);
  return left < 0;
}

function readQuery(query: Record<string, unknown>, { properties = {} }: Schema): void {
  for (const name of Object.keys(query)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema !== undefined) query[name] = readValue(query[name], schema);
  }
}

function readValue(value: unknown, schema: Schema): unknown {
  if (schema.type === 'array')
    return (Array.isArray(value) ? value : [value]).map((one) => readValue(one, schema.items ?? {}));
  if (typeof value !== 'string') return value;
  if (schema.type === 'integer' && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (schema.type === 'number' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value)) return Number(value);
  if (schema.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/** Texts of a path or query that the database could not take. */
export function textProblems(part: 'params' | 'query', values: unknown): Problem[] {
  return Object.entries((values ?? {}) as Record<string, unknown>)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const))
    .filter(([name, one]) => !isStorableText(name) || (typeof one === 'string' && !isStorableText(one)))
    .map(() => ({
      pointer: `/${part}`,
      code: 'unstorable_text',
      message: 'text with a NUL character or a lone surrogate',
    }));
}

/** Where an object of the schema says nothing about other fields: they would be dropped or stored unseen. Null: nowhere. */
export function findOpenObject(schema: unknown, path = ''): string | null {
  if (typeof schema !== 'object' || schema === null) return null;
  const rules = schema as Schema;
  if (
    rules.properties !== undefined &&
    rules.additionalProperties === undefined &&
    rules.unevaluatedProperties === undefined
  )
    return path === '' ? '/' : path;
  for (const [name, member] of Object.entries(rules.properties ?? {})) {
    const found = findOpenObject(member, `${path}/properties/${name}`);
    if (found !== null) return found;
  }
  for (const [i, member] of (rules.anyOf ?? []).entries()) {
    const found = findOpenObject(member, `${path}/anyOf/${i}`);
    if (found !== null) return found;
  }
  return findOpenObject(rules.items, `${path}/items`);
}
