// The schema of an object that has these members and no others, but for names that begin with `x-`.
import type { JsonObject } from '../../json.ts';

export function closedObject(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return {
    type: 'object',
    properties,
    patternProperties: { '^x-': {} },
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}
