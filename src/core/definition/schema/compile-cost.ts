// What compiling a schema costs, in units of about a microsecond of the processor, its first validation included, which is when V8
// compiles the code. Nearly all of it is the code that Ajv writes, which repeats the pointer of its place and the names it is about in
// each error that it may report. Three things grow by their square: names that are merged, branches of a `oneOf`, each of which is
// nested in the one before, and what the code takes from outside (patterns), whose list Ajv copies for each.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';

/** Of a whole schema. */
export const FIXED_COST = 350;
const TRUE = 20;
/** An error that may be reported. */
const FALSE = 42;
const PART = 60;
const KEYWORD = 25;
/** Characters of code that are written in one unit. */
const CHARS = 40;
/** `required` of more names than these is a loop. */
const MAX_WRITTEN_OUT = 200;
/** Units of a name that is merged. */
const MERGED = 0.7;
/** Units of a branch of a `oneOf` within another. */
const NESTED = 1.2;
/** Pairs of values from outside in one unit. */
const PAIRS = 6;
/** Characters of an `enum` or `const` that are read in one unit. */
const CHARS_READ = 16;

/** One part, without those in it. */
export function compileCostOf(schema: JsonObject, pointerLength: number): number {
  const keywords = Object.keys(schema).length;
  let errors = keywords;
  let chars = 0;
  for (const name of isJsonObject(schema.properties) ? Object.keys(schema.properties) : [])
    chars += 80 + 3 * name.length;
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf, schema.prefixItems])
    if (Array.isArray(list)) errors += list.length;
  const nested = Array.isArray(schema.oneOf) ? NESTED * schema.oneOf.length ** 2 : 0;
  const read = schema.enum === undefined && schema.const === undefined ? 0 : charsOfValues(schema);
  if (Array.isArray(schema.required)) {
    errors += Math.min(schema.required.length, MAX_WRITTEN_OUT);
    chars += 2 * charsIn(schema.required);
  }
  for (const needs of [schema.dependentRequired, schema.dependencies])
    for (const [name, list] of isJsonObject(needs) ? Object.entries(needs) : []) {
      if (!Array.isArray(list)) continue;
      // The error of each name repeats them all.
      errors += 1 + list.length;
      chars += list.length * (2 * charsIn(list) + 2 * name.length);
    }
  const written = errors * KEYWORD + (chars + 4 * errors * pointerLength) / CHARS;
  return PART + Math.ceil(written + nested + read);
}

/** Of `true` or `false`. */
export function booleanCostOf(schema: boolean): number {
  return schema ? TRUE : FALSE;
}

/**
 * How many parts pass the names that they have evaluated on to those of this one, to be merged while it is compiled: all but what
 * applies in some cases only, whose names are found out when it is run, and a reference beside which nothing stands.
 */
export function mergesOf(schema: JsonObject): number {
  const parts = Array.isArray(schema.allOf) ? schema.allOf.length : 0;
  const isAlone = NAMING.every((keyword) => !Object.hasOwn(schema, keyword));
  return parts + (Object.hasOwn(schema, '$ref') && !isAlone ? 1 : 0);
}

/** Keywords that evaluate names, beside `$ref`. */
const NAMING = [
  ...['properties', 'patternProperties', 'additionalProperties', 'unevaluatedProperties'],
  ...['allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies'],
];

export function mergeCostOf(merges: number, names: number): number {
  return Math.ceil(merges * names * MERGED);
}

/** Of so many values that the code takes from outside. */
export function outsideCostOf(values: number): number {
  return Math.ceil(values ** 2 / PAIRS);
}

function charsOfValues({ enum: values = null, const: value = null }: JsonObject): number {
  return JSON.stringify([values, value]).length / CHARS_READ;
}

function charsIn(list: Json): number {
  return (list as readonly Json[]).reduce<number>(
    (sum, name) => sum + (typeof name === 'string' ? name.length : 0),
    0,
  );
}
