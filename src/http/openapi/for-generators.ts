// Writes schemas so that generators and linters of others read them as they are meant. Requests are checked by the schemas as
// they were.
//   G1  An object of which nothing is told is open, and an array holds anything: generators take an object without
//       `additionalProperties` for an empty one.
//   G2  What a field is where it is absent stands in its description: generators take a field with a `default` for one that
//       is always there, and so must be sent. Parameters keep theirs.
//   G3  Patterns need no Unicode flag, which not everybody sets.

/** Of what they hold, the members are names. */
const MAPS = new Set([
  ...['properties', 'patternProperties', '$defs', 'dependentSchemas', 'dependentRequired'],
  ...['schemas', 'headers', 'responses', 'content', 'paths'],
]);
/** What they hold is no schema. */
const VALUES = new Set(['example', 'examples', 'default', 'enum', 'const', 'required']);
/** An object with one of them says what is in it. */
const TELLING = [
  'properties',
  'additionalProperties',
  'patternProperties',
  '$ref',
  'allOf',
  'anyOf',
  'oneOf',
];
/** Within brackets: what the classes of a Unicode pattern hold. */
const CLASSES = { '\\p{Cc}': '\\u0000-\\u001f\\u007f-\\u009f', '\\p{Cs}': '\\ud800-\\udfff' };

type Members = Readonly<Record<string, unknown>>;

interface Place {
  /** Its members are names. */
  readonly isMap: boolean;
  readonly isOfParameter: boolean;
}

/** The same document, or part of one. */
export function writtenForGenerators(value: unknown): unknown {
  return written(value, { isMap: false, isOfParameter: false });
}

function written(value: unknown, { isMap, isOfParameter: isWithin }: Place): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const isOfParameter = isWithin || (!isMap && 'in' in value && 'schema' in value);
  if (Array.isArray(value)) return value.map((entry) => written(entry, { isMap: false, isOfParameter }));
  const walked = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      !isMap && VALUES.has(name)
        ? member
        : written(member, { isMap: !isMap && MAPS.has(name), isOfParameter }),
    ]),
  );
  if (isMap) return walked;
  const schema = withPlainPattern(opened(walked));
  return isOfParameter ? schema : withoutDefault(schema);
}

function opened(schema: Members): Members {
  const types = [schema.type].flat();
  const isOpen = types.includes('object') && !TELLING.some((name) => name in schema);
  const holdsAnything = types.includes('array') && !('items' in schema);
  return {
    ...schema,
    ...(isOpen && { additionalProperties: true }),
    ...(holdsAnything && { items: {} }),
  };
}

function withoutDefault(schema: Members): Members {
  if (!('default' in schema)) return schema;
  const { default: preset, description, ...rest } = schema;
  const said = `Default: ${JSON.stringify(preset)}.`;
  return { ...rest, description: typeof description === 'string' ? `${description} ${said}` : said };
}

function withPlainPattern(schema: Members): Members {
  if (typeof schema.pattern !== 'string') return schema;
  const pattern = Object.entries(CLASSES).reduce(
    (text, [name, plain]) => text.replaceAll(name, plain),
    schema.pattern,
  );
  return { ...schema, pattern };
}
