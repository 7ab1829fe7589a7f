// Compiles the JSON Schemas that users write (inputSchema, outputSchema, config of their own task types) so that no
// schema and no value can hang or crash the process.
//   V1  `pattern` is RE2: linear in the text.  V2  references followed per validation are bounded (schema-guard.ts).
//   V3  a large value is checked up to its first error only.  V4  compile and validate never throw.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Problem, Result } from '../../errors.ts';
import { createSuggest } from '../../expression/nearest.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { ajvProblems } from './ajv-problems.ts';
import { addFormats } from './formats.ts';
import { linearRegExp } from './linear-regexp.ts';
import { COUNTER, guardSchema } from './schema-guard.ts';

const MAX_REFERENCES = 200_000;
const MANY_VALUES = 5000;
const MAX_PROBLEMS = 100;

export interface CompiledSchema {
  /** Problems of a value, with pointers into it; none when it fits. */
  validate(value: Json): Problem[];
  /** Ajv's own errors, for callers that leave templates out. Empty when it fits. */
  errors(value: Json): readonly ErrorObject[];
}

/** Knows what a JSON Schema looks like; compiled once. */
let metaAjv: Ajv2020 | null = null;

class TooComplex extends Error {}
let followed = 0;

/** Checks and compiles. Problems point into the schema. */
export function compileSchema(schema: Json): Result<CompiledSchema> {
  const guarded = guardSchema(schema);
  if (guarded.problems.length > 0) return { ok: false, problems: guarded.problems };
  const checked = guarded.schema as boolean | JsonObject;
  try {
    metaAjv ??= new Ajv2020({ strict: false, allErrors: true, logger: false });
    if (!metaAjv.validateSchema(checked))
      return { ok: false, problems: schemaProblems(metaAjv.errors ?? []) };
    const full = createAjv(true).compile(checked);
    return { ok: true, value: compiledSchema(full, () => createAjv(false).compile(checked)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      problems: [
        {
          pointer: '',
          code: 'invalid_schema',
          message: `the schema cannot be used: ${reason.slice(0, 300)}`,
        },
      ],
    };
  }
}

/** Fills members that the input lacks. Objects are not merged: a member that is given stays as it is. */
export function applyDefaults(defaultParameters: JsonObject | undefined, input: Json): Json {
  if (defaultParameters === undefined) return input;
  if (input === null) return defaultParameters;
  return isJsonObject(input) ? { ...defaultParameters, ...input } : input;
}

function compiledSchema(full: ValidateFunction, compileFast: () => ValidateFunction): CompiledSchema {
  let fast: ValidateFunction | null = null;
  const errors = (value: Json): readonly ErrorObject[] => {
    const isLarge = !hasFewer(value, MANY_VALUES);
    if (isLarge) fast ??= compileFast();
    const check = isLarge && fast !== null ? fast : full;
    followed = 0;
    try {
      return check(value) ? [] : (check.errors ?? []);
    } catch (error) {
      const reason =
        error instanceof TooComplex || error instanceof RangeError
          ? 'the schema needs too many steps for this value'
          : 'the schema cannot be applied to this value';
      return [{ keyword: 'steps', instancePath: '', schemaPath: '', params: {}, message: reason }];
    }
  };
  return {
    errors,
    validate: (value) =>
      ajvProblems(errors(value), { base: '', suggest: createSuggest(), most: MAX_PROBLEMS }),
  };
}

/** One instance per schema: an Ajv keeps all that it ever compiled. */
function createAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    strict: false,
    verbose: true,
    messages: true,
    meta: false,
    validateSchema: false,
    inlineRefs: false,
    logger: false,
    code: { regExp: linearRegExp, optimize: false },
  });
  addFormats(ajv);
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: areUnique,
    error: { message: 'must not repeat an element' },
  });
  ajv.addKeyword({
    keyword: COUNTER,
    before: '$ref',
    schemaType: 'boolean',
    errors: false,
    validate: countReference,
  });
  return ajv;
}

function countReference(): boolean {
  followed += 1;
  if (followed > MAX_REFERENCES) throw new TooComplex();
  return true;
}

/** Ajv compares every pair of elements; this is linear. */
function areUnique(wanted: boolean, list: readonly Json[]): boolean {
  return !wanted || new Set(list.map(canonicalJson)).size === list.length;
}

function schemaProblems(errors: readonly ErrorObject[]): Problem[] {
  return errors
    .filter((error) => error.keyword !== 'if' && error.keyword !== '$dynamicRef')
    .slice(0, 20)
    .map((error) => ({
      pointer: error.instancePath,
      code: 'invalid_schema',
      message: `not a JSON Schema 2020-12: ${error.message ?? error.keyword}`,
    }));
}

function hasFewer(value: Json, limit: number): boolean {
  const open: Json[] = [value];
  let seen = 0;
  while (open.length > 0) {
    const next = open.pop() ?? null;
    if (++seen > limit) return false;
    if (typeof next !== 'object' || next === null) continue;
    const members = Array.isArray(next) ? next : Object.values(next as JsonObject);
    if (members.length > limit) return false;
    for (const member of members as readonly Json[]) open.push(member);
  }
  return true;
}
