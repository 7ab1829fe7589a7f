// The pieces that the config schemas of task types are written with.
import type { JsonObject } from '../../json.ts';

/** A text, or a template. */
export const text = (description: string): JsonObject => ({ type: 'string', description });
/** Any JSON with templates. */
export const anything = (description: string): JsonObject => ({ description });
/** An object without other fields than these and `x-…`. */
export const closed = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  patternProperties: { '^x-': {} },
  additionalProperties: false,
  ...(required.length > 0 && { required }),
});
/** The output of a type, by its fields. */
export const outputOf = (...names: string[]): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, {}])),
  additionalProperties: false,
});
