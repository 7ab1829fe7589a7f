// JSON Schemas whose compiling or application is much work, and values that fit the trouble.
import * as fc from 'fast-check';
import { type Input, post, run, save } from './input.ts';
import { type Arb, json, list, sizeUpTo, text } from './texts.ts';

const BYTES = 250_000;
const INPUT_BYTES = 900_000;

const FRAGMENTS = [
  'a',
  '.',
  '[a-z]',
  '\\p{L}',
  '(a|aa)',
  '(a+)',
  '[^b]',
  '\\d',
  '(?:x|y|z)',
  'é',
  '(?i:k)',
  '\\w',
];
const REPEATS = ['', '*', '+', '?', '{0,9}', '{1,100}', '{1,1000}', '*?'];
/** A pattern, linear or not, long or not, also one that is none. */
export const pattern: Arb<string> = fc.oneof(
  fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom(...FRAGMENTS), fc.constantFrom(...REPEATS)), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.constantFrom('', '^'),
      fc.constantFrom('', '$', 'b$'),
      fc.constantFrom(1, 1, 3, 30),
    )
    .map(
      ([parts, begin, end, times]) =>
        begin +
        parts
          .map(([a, b]) => a + b)
          .join('')
          .repeat(times) +
        end,
    ),
  sizeUpTo(20_000).map((n) => Array.from({ length: Math.ceil(n / 6) }, (_, i) => `w${i}`).join('|')),
  fc.constantFrom(
    '(a+)+$',
    '^(a|a)*$',
    '(.{1,100}){1,10}',
    '(?=a)',
    '(a)\\1',
    '[',
    '(?<n>a)',
    '\\p{Foo}',
    '.*.*.*.*x',
  ),
  text(300),
);
const FORMATS = [
  'date-time',
  'uri',
  'email',
  'uuid',
  'regex',
  'ipv6',
  'hostname',
  'json-pointer',
  'idn-email',
  'none',
];

interface Nesting {
  readonly schema: unknown;
}
const { schema } = fc.letrec<Nesting>((tie) => {
  const part = tie('schema');
  const few = fc.array(part, { minLength: 1, maxLength: 4 });
  const keyword: Arb<Record<string, unknown>> = fc.oneof(
    fc.record({ type: fc.constantFrom('object', 'array', 'string', 'number', ['null', 'array'], 'nothing') }),
    fc.record({ pattern }),
    fc.record({ format: fc.constantFrom(...FORMATS) }),
    fc.record({ minLength: fc.nat(), maxLength: fc.nat() }),
    fc.record({ multipleOf: fc.constantFrom(0.1, 1e-300, 3, 0) }),
    fc.constant({ uniqueItems: true }),
    fc.record({ items: part }),
    fc.record({ contains: part, minContains: fc.nat({ max: 5 }) }),
    fc.record({ additionalProperties: part }),
    fc.record({ propertyNames: part }),
    fc.record({ unevaluatedProperties: part, allOf: few }),
    fc.record({ unevaluatedItems: part, anyOf: few }),
    fc.record({ oneOf: few }),
    fc.record({ not: part }),
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    fc.record({ if: part, then: part, else: part }),
    fc
      .array(fc.tuple(pattern, part), { maxLength: 6 })
      .map((all) => ({ patternProperties: Object.fromEntries(all) })),
    fc
      .array(fc.tuple(text(40), part), { maxLength: 6 })
      .map((all) => ({ properties: Object.fromEntries(all) })),
    fc
      .array(fc.tuple(text(40), part), { maxLength: 4 })
      .map((all) => ({ dependentSchemas: Object.fromEntries(all) })),
    fc.array(text(400), { maxLength: 30 }).map((required) => ({ required })),
    fc.record({ enum: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 40 }) }),
    fc.constantFrom(
      { $ref: '#' },
      { $ref: '#/$defs/a' },
      { $ref: '#/properties/a' },
      { $ref: 'http://x.invalid' },
    ),
  );
  return {
    schema: fc.oneof(
      { maxDepth: 4, withCrossShrink: false },
      fc.constantFrom<unknown>(true, false, {}, { type: 'string' }),
      fc.array(keyword, { minLength: 1, maxLength: 4 }).map((all) => Object.assign({}, ...all) as unknown),
    ),
  };
});

const times = <T>(most: number, one: (i: number) => T): Arb<T[]> =>
  sizeUpTo(most).map((length) => Array.from({ length }, (_, i) => one(i)));

/** One keyword, many times. */
const large: Arb<unknown> = fc.oneof(
  times(1_500, (i) => ({ pattern: `^(a|b|${i})*c{1,${(i % 90) + 1}}$` })).map((allOf) => ({
    items: { allOf },
  })),
  times(1_500, (i) => [`^(x|y)*${i}`, { type: 'number' }]).map((all) => ({
    patternProperties: Object.fromEntries(all),
  })),
  times(1_000, () => ({ uniqueItems: true })).map((allOf) => ({ allOf })),
  times(5_000, (i) => ({ [`k${i}`]: i })).map((all) => ({ items: { enum: all } })),
  times(1_000, (i) => [`p${i}`, { type: 'string' }]).map((all) => ({
    properties: Object.fromEntries(all),
    unevaluatedProperties: false,
  })),
  sizeUpTo(40).map((n) => ({
    $ref: '#/$defs/d0',
    $defs: Object.fromEntries(
      Array.from({ length: n }, (_, i) => [
        `d${i}`,
        { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
      ]).concat([[`d${n}`, { items: { type: 'number' } } as never]]),
    ),
  })),
  sizeUpTo(400).map((n) =>
    Array.from({ length: n }).reduce<unknown>((inner) => ({ not: inner }), { type: 'object' }),
  ),
  fc.constant({ items: { $ref: '#' }, additionalProperties: { $ref: '#' }, uniqueItems: true }),
  pattern.map((one) => ({ items: { pattern: one }, propertyNames: { pattern: one } })),
  text(100_000).map((one) => ({ properties: { [one]: { type: 'number' } }, required: [one] })),
);

const schemaText: Arb<string> = fc
  .oneof({ weight: 3, arbitrary: schema }, { weight: 2, arbitrary: large })
  .map((one) => JSON.stringify(one) ?? 'true')
  .map((one) => (one.length > 4 * BYTES ? 'true' : one));

const value: Arb<string> = fc.oneof(
  { weight: 3, arbitrary: json(INPUT_BYTES) },
  sizeUpTo(INPUT_BYTES).map((n) => `{"a":"${'a'.repeat(n)}!"}`),
  sizeUpTo(INPUT_BYTES).map((n) => `["${'xy'.repeat(n >> 1)}"]`),
  fc.tuple(sizeUpTo(INPUT_BYTES), sizeUpTo(200)).map(([n, chars]) => list(`"${'a'.repeat(chars)}"`, n)),
  sizeUpTo(INPUT_BYTES / 12).map((n) => `[${Array.from({ length: n }, (_, i) => `{"id":${i}}`).join()}]`),
);

const definition = (workflowId: string, where: string, given: string) => {
  const node = { taskId: 'a', taskType: 'transformation', config: { output: '$.input' } };
  const whole = JSON.stringify({
    workflowId,
    nodes: [node],
    ...(where === 'outputSchema' && { output: '$.input' }),
  });
  return `${whole.slice(0, -1)},"${where}":${given}}`;
};

export function schemaInputs(n: number): Arb<Input> {
  const id = `fuzz-schema-${n % 20}`;
  return fc
    .tuple(schemaText, value, fc.constantFrom('inputSchema', 'inputSchema', 'outputSchema'), fc.boolean())
    .map(([given, input, where, isValidated]) => ({
      kind: 'schema' as const,
      steps: isValidated
        ? [post('/v1/workflows/validate', definition(id, where, given))]
        : [save(id, definition(id, where, given)), run(id, input)],
    }));
}
