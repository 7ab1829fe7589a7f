// Compiles the JSON Schemas that users write (inputSchema, outputSchema, config of their own task types) so that no
// schema and no value can hang or crash the process.
//   V1  `pattern` is RE2: linear in the text.  V2  what compiling costs is paid from the budget of the document, and what a
//   validation does is counted, so that both end (schema-guard.ts, steps.ts).  V3  where many errors would be listed, the
//   first one is.  V4  compile and validate never throw.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { createWeighedCache } from '../../cache.ts';
import type { Problem, Result } from '../../errors.ts';
import { BuildBudget, currentBuildBudget } from '../../expression/build-budget.ts';
import { createSuggest } from '../../expression/nearest.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { ajvProblems } from './ajv-problems.ts';
import { addCountedKeywords } from './counted-keywords.ts';
import { addFormats } from './formats.ts';
import { linearRegExp } from './linear-regexp.ts';
import { type GuardedSchema, guardSchema } from './schema-guard.ts';
import { countSteps, EnoughErrors, StepsUsedUp, spendSteps, ValidationBudget } from './steps.ts';

const MANY_VALUES = 5000;
const MAX_PROBLEMS = 100;
/** Steps within which all errors are listed, and the most of them. */
const LISTING = { steps: 5_000_000, errors: 5000 };

export interface CompiledSchema {
  /** Units that it cost to compile; its memory grows with them. */
  readonly weight: number;
  /** Problems of a value, with pointers into it; none when it fits. Takes its steps from the budget. */
  validate(value: Json, budget?: ValidationBudget): Problem[];
  /** Ajv's own errors, for callers that leave templates out. Empty when it fits. */
  errors(value: Json, budget?: ValidationBudget): readonly ErrorObject[];
}

/** Knows what a JSON Schema looks like; compiled once. */
let metaAjv: Ajv2020 | null = null;

/** Compiled schemas by their text: those of a revision are asked for by all that start it, run it and change it. */
const compiled = createWeighedCache<CompiledSchema>(1000, 500_000, ({ weight }) => weight);

/** Checks and compiles, within the budget of the document that is being compiled. Problems point into the schema. */
export function compileSchema(
  schema: Json,
  budget: BuildBudget = currentBuildBudget() ?? new BuildBudget(),
): Result<CompiledSchema> {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined && budget.spendOnce(text, known.weight)) return { ok: true, value: known };
  const guarded = guardSchema(schema, text, budget);
  if (guarded.problems.length > 0) return { ok: false, problems: guarded.problems };
  const checked = guarded.schema as boolean | JsonObject;
  try {
    metaAjv ??= new Ajv2020({ strict: false, allErrors: true, logger: false });
    if (!metaAjv.validateSchema(checked))
      return { ok: false, problems: schemaProblems(metaAjv.errors ?? [], guarded) };
    const value = compiledSchema(compileByAjv(checked, guarded.weight), guarded.weight);
    compiled.set(text, value);
    return { ok: true, value };
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

function compiledSchema(check: ValidateFunction, weight: number): CompiledSchema {
  const run = (value: Json, budget: ValidationBudget, most: { steps: number; errors: number }) =>
    countSteps(budget, most, () => (check(value) ? [] : (check.errors ?? [])));
  const errors = (value: Json, budget = new ValidationBudget()): readonly ErrorObject[] => {
    try {
      if (hasFewer(value, MANY_VALUES)) return run(value, budget, LISTING);
    } catch (error) {
      // The first one then, without those that were found on the way.
      if (!(error instanceof StepsUsedUp || error instanceof EnoughErrors)) return found(error);
    }
    try {
      return run(value, budget, { steps: budget.left, errors: 0 });
    } catch (error) {
      return found(error);
    }
  };
  return {
    weight,
    errors,
    validate: (value, budget) =>
      ajvProblems(errors(value, budget), { base: '', suggest: createSuggest(), most: MAX_PROBLEMS }),
  };
}

function found(error: unknown): readonly ErrorObject[] {
  if (error instanceof EnoughErrors) return error.errors;
  const isEndless = error instanceof StepsUsedUp || error instanceof RangeError;
  const message = isEndless
    ? 'the schema needs too many steps for this value'
    : 'the schema cannot be applied to this value';
  return [
    { keyword: isEndless ? 'steps' : 'failure', instancePath: '', schemaPath: '', params: {}, message },
  ];
}

/** Making an Ajv takes as long as a small schema, and it keeps all that it ever compiled: it serves a few. */
let current: { readonly ajv: Ajv2020; weight: number } | null = null;
const MAX_WEIGHT_OF_AJV = 20_000;

function compileByAjv(schema: boolean | JsonObject, weight: number): ValidateFunction {
  const { ajv, weight: before } = current ?? { ajv: createAjv(), weight: 0 };
  // One that has failed is not used again.
  current = null;
  const check = ajv.compile(schema);
  if (isJsonObject(schema)) ajv.removeSchema(schema);
  if (before + weight < MAX_WEIGHT_OF_AJV) current = { ajv, weight: before + weight };
  return check;
}

function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    verbose: true,
    messages: true,
    meta: false,
    validateSchema: false,
    inlineRefs: false,
    logger: false,
    code: { regExp: linearRegExp, optimize: false },
  });
  addFormats(ajv, spendSteps);
  addCountedKeywords(ajv);
  return ajv;
}

function schemaProblems(errors: readonly ErrorObject[], { authorPointer }: GuardedSchema): Problem[] {
  return errors
    .filter((error) => error.keyword !== 'if' && error.keyword !== '$dynamicRef')
    .slice(0, 20)
    .map((error) => ({
      pointer: authorPointer(error.instancePath),
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
