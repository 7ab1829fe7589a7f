// Makes a value that fits a JSON Schema, the same one for the same schema: what simulated models answer with. Best effort:
// where a schema asks for more than is tried here (patterns, dependencies, negations), the value may not fit.
import { resolvePointer } from '../../core/definition/pointer.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

const MAX_DEPTH = 12;
const MAX_MEMBERS = 200;
const TEXT_BY_FORMAT: ReadonlyMap<string, string> = new Map([
  ['date-time', '2030-01-01T00:00:00Z'],
  ['date', '2030-01-01'],
  ['time', '00:00:00Z'],
  ['duration', 'P1D'],
  ['email', 'simulated@example.com'],
  ['hostname', 'example.com'],
  ['ipv4', '192.0.2.1'],
  ['ipv6', '2001:db8::1'],
  ['uri', 'https://example.com/'],
  ['uri-reference', '/simulated'],
  ['uuid', '00000000-0000-4000-8000-000000000000'],
]);

/** `text` is what texts without a format say. */
export function sampleValue(schema: Json, text = 'simulated'): Json {
  return sample(schema, { root: schema, text, depth: 0 });
}

interface Walk {
  readonly root: Json;
  readonly text: string;
  readonly depth: number;
}

function sample(schema: Json, walk: Walk): Json {
  if (!isJsonObject(schema) || walk.depth > MAX_DEPTH) return null;
  const deeper = { ...walk, depth: walk.depth + 1 };
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0] as Json;
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0] as Json;
  if (typeof schema.$ref === 'string' && schema.$ref.startsWith('#')) {
    const target = resolvePointer(walk.root, schema.$ref.slice(1));
    return target.found ? sample(target.value as Json, deeper) : null;
  }
  for (const alternatives of [schema.oneOf, schema.anyOf])
    if (Array.isArray(alternatives) && alternatives.length > 0)
      return sample(merged(schema, alternatives[0] as Json), deeper);
  if (Array.isArray(schema.allOf))
    return sample(
      (schema.allOf as readonly Json[]).reduce<JsonObject>(merged, without(schema, 'allOf')),
      deeper,
    );
  switch (typeOf(schema)) {
    case 'object':
      return sampleObject(schema, deeper);
    case 'array':
      return sampleList(schema, deeper);
    case 'string':
      return sampleText(schema, walk.text);
    case 'integer':
      return sampleNumber(schema, 1);
    case 'number':
      return sampleNumber(schema, 0);
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function typeOf(schema: JsonObject): string {
  const type: Json | undefined = Array.isArray(schema.type)
    ? (schema.type as readonly Json[])[0]
    : schema.type;
  if (typeof type === 'string') return type;
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  if (schema.minimum !== undefined || schema.maximum !== undefined) return 'number';
  return 'string';
}

function sampleObject(schema: JsonObject, walk: Walk): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  const names = [...new Set([...Object.keys(properties), ...required])].slice(0, MAX_MEMBERS);
  return Object.fromEntries(
    names
      // Deep down only what must be there, so that schemas that contain themselves come to an end.
      .filter((name) => walk.depth < 4 || required.includes(name))
      .map((name) => [
        name,
        sample(properties[name] ?? { type: 'string' }, { ...walk, text: `simulated ${name}` }),
      ]),
  );
}

function sampleList(schema: JsonObject, walk: Walk): Json[] {
  const fixed: readonly Json[] = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  const least = typeof schema.minItems === 'number' ? schema.minItems : 0;
  const wanted = Math.max(least, fixed.length, schema.maxItems === 0 || walk.depth >= 4 ? 0 : 1);
  const items = schema.items ?? { type: 'string' };
  return Array.from({ length: Math.min(wanted, MAX_MEMBERS) }, (_, i) => sample(fixed[i] ?? items, walk));
}

function sampleText(schema: JsonObject, text: string): string {
  const known = typeof schema.format === 'string' ? TEXT_BY_FORMAT.get(schema.format) : undefined;
  if (known !== undefined) return known;
  const least = typeof schema.minLength === 'number' ? schema.minLength : 0;
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : 10_000;
  return text.padEnd(Math.min(least, 10_000), '.').slice(0, most);
}

function sampleNumber(schema: JsonObject, unit: number): number {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema;
  const step = typeof multipleOf === 'number' ? multipleOf : unit;
  if (typeof exclusiveMinimum === 'number') {
    const next = exclusiveMinimum + (step || 1);
    const isTooMuch = typeof maximum === 'number' && next > maximum;
    return isTooMuch ? (exclusiveMinimum + (maximum as number)) / 2 : roundUp(next, step);
  }
  if (typeof minimum === 'number') return roundUp(minimum, step);
  if (typeof maximum === 'number' && maximum < 1) return maximum;
  if (typeof exclusiveMaximum === 'number' && exclusiveMaximum <= 1) return exclusiveMaximum - (step || 1);
  return step || 1;
}

function roundUp(value: number, step: number): number {
  return step === 0 ? value : Math.ceil(value / step) * step;
}

function merged(base: JsonObject, more: Json): JsonObject {
  const { oneOf: _, anyOf: __, ...rest } = base;
  if (!isJsonObject(more)) return rest;
  const both = (name: string): JsonObject =>
    isJsonObject(rest[name]) && isJsonObject(more[name]) ? { [name]: { ...rest[name], ...more[name] } } : {};
  const required = [rest.required, more.required].flatMap((list) =>
    Array.isArray(list) ? (list as Json[]) : [],
  );
  return { ...rest, ...more, ...both('properties'), ...(required.length > 0 && { required }) };
}

function without(schema: JsonObject, name: string): JsonObject {
  const { [name]: _, ...rest } = schema;
  return rest;
}
