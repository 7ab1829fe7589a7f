// Whether OpenAI's strict mode takes a JSON Schema: every object closed, every property required. Other schemas are sent
// without it; what comes back is checked here in either case.
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

const MAX_DEPTH = 10;
const LISTS = ['anyOf'] as const;
const NOT_TAKEN = ['allOf', 'oneOf', 'not', 'if', 'patternProperties', 'prefixItems', 'dependentRequired'];

export function isStrictSchema(schema: JsonObject): boolean {
  return schema.type === 'object' && isStrict(schema, 0);
}

function isStrict(schema: Json, depth: number): boolean {
  if (!isJsonObject(schema) || depth > MAX_DEPTH) return false;
  if (NOT_TAKEN.some((keyword) => Object.hasOwn(schema, keyword))) return false;
  if (schema.properties !== undefined || schema.type === 'object') {
    const properties = isJsonObject(schema.properties) ? schema.properties : {};
    const required: readonly Json[] = Array.isArray(schema.required) ? schema.required : [];
    if (schema.additionalProperties !== false) return false;
    if (!Object.keys(properties).every((name) => required.includes(name))) return false;
    if (!Object.values(properties).every((one) => isStrict(one, depth + 1))) return false;
  }
  if (schema.items !== undefined && !isStrict(schema.items, depth + 1)) return false;
  if (isJsonObject(schema.$defs) && !Object.values(schema.$defs).every((one) => isStrict(one, depth + 1)))
    return false;
  return LISTS.every((name) => {
    const list = schema[name];
    return (
      list === undefined ||
      (Array.isArray(list) && (list as readonly Json[]).every((one) => isStrict(one, depth + 1)))
    );
  });
}
