// What compiling a schema costs, in units of about a microsecond: nearly all of it is the code that Ajv writes, which repeats the
// pointer of its place and the names it is about in each error that it may report.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';

/** Of a whole schema. */
export const FIXED_COST = 200;
/** Of `true` or `false`: an error that may be reported. */
export const BOOLEAN_COST = 20;
const PART = 30;
const KEYWORD = 25;
/** Characters of code that are written in one unit. */
const CHARS = 40;
/** `required` of more names than these is a loop. */
const MAX_WRITTEN_OUT = 200;
/** Names that are merged in one unit. */
const MERGED = 4;

/** One part, without those in it. */
export function compileCostOf(schema: JsonObject, pointerLength: number): number {
  const keywords = Object.keys(schema).length;
  let errors = keywords;
  let chars = 0;
  for (const name of isJsonObject(schema.properties) ? Object.keys(schema.properties) : [])
    chars += 80 + 3 * name.length;
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf, schema.prefixItems])
    if (Array.isArray(list)) errors += list.length;
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
  return PART + Math.ceil(errors * KEYWORD + (chars + 4 * errors * pointerLength) / CHARS);
}

/** Each part that is applied to the value itself passes on all names that it has evaluated. */
export function mergeCostOf(merges: number, names: number): number {
  return Math.ceil((merges * names) / MERGED);
}

function charsIn(list: Json): number {
  return (list as readonly Json[]).reduce<number>(
    (sum, name) => sum + (typeof name === 'string' ? name.length : 0),
    0,
  );
}
