// An input that an inputSchema would take, to try a workflow with: what the author gives (const, default, examples, enum), else the
// least that its types allow. A guess: patterns and conditions between fields are not solved.
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

const MAX_DEPTH = 6;
const MAX_ITEMS = 3;
const MAX_TEXT = 100;
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2030-01-01T12:00:00Z',
  date: '2030-01-01',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'ann@example.org',
  hostname: 'example.org',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.org/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

export function sampleInput(schema: Json): Json {
  return sampleOf(schema, schema, 0);
}

function sampleOf(given: Json, root: Json, depth: number): Json {
  const schema = resolve(given, root);
  if (!isJsonObject(schema) || depth > MAX_DEPTH) return null;
  const { examples, enum: values, allOf } = schema;
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  for (const list of [examples, values]) if (Array.isArray(list) && list.length > 0) return list[0] as Json;
  const parts: Json[] = Array.isArray(allOf) ? [...allOf] : [];
  for (const choice of [schema.anyOf, schema.oneOf]) if (Array.isArray(choice)) parts.push(choice[0] as Json);
  const samples = parts.map((part) => sampleOf(part, root, depth + 1)).filter((sample) => sample !== null);
  const own = typeOf(schema) === null && samples.length > 0 ? null : ofType(schema, root, depth);
  const objects = [...samples, own].filter((sample) => isJsonObject(sample));
  return objects.length > 0 ? Object.assign({}, ...objects) : (own ?? samples[0] ?? null);
}

function ofType(schema: JsonObject, root: Json, depth: number): Json {
  const type = typeOf(schema);
  switch (type) {
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return numberOf(schema, type);
    case 'boolean':
      return true;
    case 'array': {
      const length = Math.min(Math.max(Number(schema.minItems ?? 1), 0), MAX_ITEMS);
      return Array.from({ length }, () => sampleOf(schema.items ?? { type: 'string' }, root, depth + 1));
    }
    case 'object': {
      const properties = isJsonObject(schema.properties) ? schema.properties : {};
      const required = Array.isArray(schema.required) ? schema.required : [];
      const names = required.filter((name) => typeof name === 'string');
      const sampled = (name: string) =>
        sampleOf(Object.hasOwn(properties, name) ? properties[name]! : { type: 'string' }, root, depth + 1);
      return Object.fromEntries(names.map((name) => [name, sampled(name)]));
    }
    default:
      return null;
  }
}

function textOf({ format, minLength, maxLength }: JsonObject): string {
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format]! : 'example';
  const least = Math.min(Number(minLength ?? 0), MAX_TEXT);
  return known.padEnd(least, 'x').slice(0, typeof maxLength === 'number' ? maxLength : undefined);
}

function numberOf({ minimum, exclusiveMinimum, maximum, multipleOf }: JsonObject, type: string): number {
  const step = typeof multipleOf === 'number' ? multipleOf : 1;
  if (typeof minimum === 'number') {
    if (type === 'number' && multipleOf === undefined) return minimum;
    return Math.ceil(minimum / step) * step;
  }
  if (typeof exclusiveMinimum === 'number') return (Math.floor(exclusiveMinimum / step) + 1) * step;
  return typeof maximum === 'number' && maximum < step ? Math.floor(maximum / step) * step : step;
}

/** Null: the schema says none, and none can be told by what it has. */
function typeOf({ type, properties, required, items }: JsonObject): string | null {
  const named = Array.isArray(type) ? type.find((one) => one !== 'null') : type;
  if (typeof named === 'string') return named;
  if (properties !== undefined || required !== undefined) return 'object';
  return items === undefined ? null : 'array';
}

/** What a reference within the document leads to. */
function resolve(schema: Json, root: Json): Json {
  let found = schema;
  for (let hops = 0; hops < MAX_DEPTH && isJsonObject(found) && typeof found.$ref === 'string'; hops++) {
    const path = /^#(?:\/(.*))?$/.exec(found.$ref);
    if (path === null) return null;
    found = (path[1] ?? '')
      .split('/')
      .filter((name) => name !== '')
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<Json>((at, name) => (isJsonObject(at) && Object.hasOwn(at, name) ? at[name]! : null), root);
  }
  return found;
}
