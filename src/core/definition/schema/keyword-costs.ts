// What each keyword of the dialect costs where a part of a schema is applied to a value. Ajv sees no other keyword with an
// object or a list as its value: what is not in this table cannot be counted.
//
//   a part of a schema      its keywords, each time it is applied (a `$ref` followed, an element, a branch, a name)
//   pattern, patternProperties, format   by the function that tests: size of the pattern x length of the text
//   uniqueItems, enum, const             by the function that compares: what is made canonical
//   errors                               where one was made in a branch; all of them where all are listed
//
// counted-keywords.ts and formats.ts say how.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';

/** What a keyword adds to the cost of its part of the schema. */
export interface KeywordCost {
  /** Steps of each application beside the one that every keyword takes. */
  readonly each?: (value: Json) => number;
  /** Steps for each name of an object. */
  readonly perName?: (value: Json) => number;
  /** Steps for each element of a list. */
  readonly perItem?: (value: Json) => number;
  /** Sixteenths of a step for each character of a text. */
  readonly perChar?: number;
  /** Where its schemas are: in it, in its list, or under its names. */
  readonly schemas?: 'one' | 'list' | 'named';
}

const FALSE_STEPS = 120;
const sizeOf = (value: Json): number =>
  Array.isArray(value) ? value.length : isJsonObject(value) ? Object.keys(value).length : 0;
const namesIn = (value: Json): number =>
  isJsonObject(value) ? Object.values(value).reduce<number>((sum, list) => sum + 1 + sizeOf(list), 0) : 0;
/** Where `false` is applied to each, each makes an error. */
const refusalSteps = (value: Json): number => (value === false ? FALSE_STEPS : 0);
const NOTHING: KeywordCost = {};
const NAMES: KeywordCost = { perName: () => 2 };
/** `false` has no part that counts, and makes an error. */
const schemasIn = (value: Json): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, part) => sum + (part === false ? FALSE_STEPS : 1), 0)
    : 0;

export const KEYWORD_COSTS: Readonly<Record<string, KeywordCost>> = {
  type: NOTHING,
  enum: NOTHING,
  const: NOTHING,
  minLength: { perChar: 8 },
  maxLength: { perChar: 8 },
  minProperties: NAMES,
  maxProperties: NAMES,
  required: { each: sizeOf },
  dependentRequired: { each: namesIn },
  dependencies: { each: namesIn, schemas: 'named' },
  dependentSchemas: { each: schemasIn, schemas: 'named' },
  properties: { each: schemasIn, schemas: 'named' },
  patternProperties: { perName: (value) => 2 + schemasIn(value) + sizeOf(value), schemas: 'named' },
  additionalProperties: { ...NAMES, schemas: 'one' },
  unevaluatedProperties: { ...NAMES, schemas: 'one' },
  propertyNames: { perName: (value) => 2 + refusalSteps(value), schemas: 'one' },
  prefixItems: { each: schemasIn, schemas: 'list' },
  items: { perItem: refusalSteps, schemas: 'one' },
  unevaluatedItems: { schemas: 'one' },
  contains: { perItem: refusalSteps, schemas: 'one' },
  allOf: { each: schemasIn, schemas: 'list' },
  anyOf: { each: schemasIn, schemas: 'list' },
  oneOf: { each: schemasIn, schemas: 'list' },
  not: { schemas: 'one' },
  if: { schemas: 'one' },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { schemas: 'one' },
  else: { schemas: 'one' },
  $ref: { each: () => 20 },
  $defs: { schemas: 'named' },
  definitions: { schemas: 'named' },
  // Annotations: nothing is done with them.
  default: NOTHING,
  examples: NOTHING,
};

/** Keywords that only keep schemas for others to refer to. */
export const SHELVES: ReadonlySet<string> = new Set(['$defs', 'definitions']);

/** The cost of one part of a schema: see {@link KEYWORD_COSTS}. */
export function costOf(
  schema: JsonObject,
): [each: number, perName: number, perChar: number, perItem: number] {
  let each = 1;
  let perName = 0;
  let perChar = 0;
  let perItem = 0;
  for (const [keyword, value] of Object.entries(schema)) {
    each += 1;
    if (!Object.hasOwn(KEYWORD_COSTS, keyword)) continue;
    const cost = KEYWORD_COSTS[keyword]!;
    each += cost.each?.(value) ?? 0;
    perName += cost.perName?.(value) ?? 0;
    perChar += cost.perChar ?? 0;
    perItem += cost.perItem?.(value) ?? 0;
  }
  return [each, perName, perChar, perItem];
}
