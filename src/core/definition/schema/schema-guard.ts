// Looks at a JSON Schema that a user wrote before Ajv compiles it, and copies it with counters, so that
//   G1  only local references exist, and none of Ajv's own extensions ($async, $data) or dynamic references;
//   G2  the schema is small enough to compile quickly;
//   G3  every reference that is followed is counted, so that recursion and doubling end (input-schema.ts).
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer, resolvePointer } from '../pointer.ts';
import { describeValue, quoteText } from '../quote-text.ts';
import { linearRegExpProblem } from './linear-regexp.ts';

export const MAX_SCHEMA_BYTES = 256_000;
const MAX_SUBSCHEMAS = 2000;
/** Counts a followed reference. */
export const COUNTER = 'dagwrightCount';

const ONE = [
  'items',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
];
const LIST = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const NAMED = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'];
const REFUSED = [
  '$async',
  '$data',
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$recursiveAnchor',
  '$vocabulary',
];
const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** The schema ready to compile, or what is wrong with it. Pointers begin at the schema. */
export function guardSchema(schema: Json): { readonly schema: Json; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let count = 0;
  const bad = (pointer: string, message: string, hint?: string): void => {
    if (problems.length < 20)
      problems.push({ pointer, code: 'invalid_schema', message, ...(hint !== undefined && { hint }) });
  };

  const guard = (value: Json, pointer: string): Json => {
    if (typeof value === 'boolean') return value;
    if (!isJsonObject(value)) {
      bad(pointer, `a schema is an object, true or false; got ${describeValue(value)}`);
      return true;
    }
    count += 1;
    if (count > MAX_SUBSCHEMAS) return true;
    const copy: Record<string, Json> = { ...value };
    for (const keyword of REFUSED)
      if (Object.hasOwn(value, keyword)) bad(joinPointer(pointer, keyword), `${keyword} is not supported`);
    for (const [keyword, member] of Object.entries(value))
      if (isJsonObject(member) && Object.hasOwn(member, '$data') && !NAMED.includes(keyword))
        bad(joinPointer(pointer, keyword, '$data'), '$data is not supported');
    guardIdentity(value, copy, pointer);
    guardPatterns(value, pointer);
    for (const keyword of ONE)
      if (Object.hasOwn(value, keyword))
        copy[keyword] = guard(value[keyword]!, joinPointer(pointer, keyword));
    for (const keyword of LIST) {
      const members = value[keyword];
      if (Array.isArray(members))
        copy[keyword] = (members as readonly Json[]).map((member, i) =>
          guard(member, joinPointer(pointer, keyword, i)),
        );
    }
    for (const keyword of NAMED) {
      const members = value[keyword];
      if (!isJsonObject(members)) continue;
      const guarded: Record<string, Json> = {};
      for (const [name, member] of Object.entries(members))
        guarded[name] = guard(member, joinPointer(pointer, keyword, name));
      copy[keyword] = guarded;
    }
    return copy;
  };

  const guardPatterns = (value: JsonObject, pointer: string): void => {
    const patterns: [string, string][] = [];
    if (typeof value.pattern === 'string') patterns.push([value.pattern, joinPointer(pointer, 'pattern')]);
    for (const name of isJsonObject(value.patternProperties) ? Object.keys(value.patternProperties) : [])
      patterns.push([name, joinPointer(pointer, 'patternProperties', name)]);
    for (const [pattern, at] of patterns) {
      const problem = linearRegExpProblem(pattern);
      if (problem !== null)
        bad(
          at,
          `the pattern ${quoteText(pattern)} cannot be used: ${problem}`,
          'patterns are RE2: no look-around, no back-references',
        );
    }
  };
  const guardIdentity = (value: JsonObject, copy: Record<string, Json>, pointer: string): void => {
    delete copy[COUNTER];
    if (Object.hasOwn(value, '$id')) {
      if (pointer !== '') bad(joinPointer(pointer, '$id'), '$id is only supported at the top of a schema');
      delete copy.$id;
    }
    if (Object.hasOwn(value, '$schema')) {
      const draft = typeof value.$schema === 'string' ? value.$schema.replace(/#$/, '') : '';
      if (draft !== DRAFT)
        bad(
          joinPointer(pointer, '$schema'),
          `only JSON Schema 2020-12 is supported, got ${describeValue(value.$schema)}`,
        );
      delete copy.$schema;
    }
    if (!Object.hasOwn(value, '$ref')) return;
    copy[COUNTER] = true;
    const reference = value.$ref;
    const at = joinPointer(pointer, '$ref');
    if (typeof reference !== 'string') bad(at, `$ref must be text, got ${describeValue(reference)}`);
    else if (!reference.startsWith('#'))
      bad(at, `only local references are supported, got ${quoteText(reference)}`, 'use "#/$defs/…"');
    else if (
      reference !== '#' &&
      (!/^#\/[^%]*$/.test(reference) || !resolvePointer(schema, reference.slice(1)).found)
    )
      bad(at, `${quoteText(reference)} refers to nothing in this schema`);
  };

  if (JSON.stringify(schema).length > MAX_SCHEMA_BYTES)
    return {
      schema: true,
      problems: [
        { pointer: '', code: 'invalid_schema', message: `a schema may have ${MAX_SCHEMA_BYTES} bytes` },
      ],
    };
  const copied = guard(schema, '');
  // Ajv resolves "#" only in a schema that has a name.
  const guarded = isJsonObject(copied) ? { ...copied, $id: 'dagwright:schema' } : copied;
  if (count > MAX_SUBSCHEMAS) bad('', `a schema may have at most ${MAX_SUBSCHEMAS} parts`);
  return { schema: guarded, problems };
}
