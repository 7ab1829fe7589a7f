// Nothing that a schema asks of a value is free: what a validation reads of the value is bounded by the steps it counts, for
// every keyword of the dialect, and what compiling writes by what the guard has paid for it.
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { compileSchema } from '../../../src/core/definition/schema/input-schema.ts';
import { KEYWORD_COSTS } from '../../../src/core/definition/schema/keyword-costs.ts';
import { MAX_VALIDATION_STEPS, ValidationBudget } from '../../../src/core/definition/schema/steps.ts';
import { BuildBudget } from '../../../src/core/expression/build-budget.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { depth } from '../../support/depth.ts';

const NAMES = ['a', 'b', 'c', 'x1', 'x2', 'y'];
const name = fc.constantFrom(...NAMES);

/** Schemas of every keyword, with lists and names often enough to multiply. */
const { schema } = fc.letrec<{ schema: Json; part: Json }>((tie) => {
  const part = tie('part');
  const few = fc.array(part, { minLength: 1, maxLength: 12 });
  const named = fc.dictionary(name, part, { maxKeys: 6 });
  const names = fc.uniqueArray(name, { maxLength: 6 });
  const keyword = fc.oneof(
    ...['not', 'if', 'then', 'else', 'items', 'contains', 'additionalProperties', 'propertyNames'].map(
      (one) => part.map((value): [string, Json] => [one, value]),
    ),
    ...['unevaluatedProperties', 'unevaluatedItems'].map((one) =>
      part.map((value): [string, Json] => [one, value]),
    ),
    ...['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((one) =>
      few.map((value): [string, Json] => [one, value]),
    ),
    ...['properties', 'dependentSchemas'].map((one) => named.map((value): [string, Json] => [one, value])),
    fc
      .dictionary(fc.constantFrom('^x', '[ab]', '.'), part)
      .map((value): [string, Json] => ['patternProperties', value]),
    fc.dictionary(name, names).map((value): [string, Json] => ['dependentRequired', value]),
    names.map((value): [string, Json] => ['required', value]),
    fc.constantFrom<[string, Json]>(
      ['uniqueItems', true],
      ['enum', [1, 'a', { a: 1, b: [1] }, [[1], 2]]],
      ['const', { a: 1, b: { c: 2 } }],
      ['type', ['object', 'array', 'number']],
      ['type', 'object'],
      ['minLength', 2],
      ['maxLength', 3],
      ['pattern', '^[a-z]+$'],
      ['format', 'email'],
      ['minItems', 1],
      ['maxItems', 100],
      ['minProperties', 1],
      ['maxProperties', 50],
      ['minContains', 2],
      ['maxContains', 3],
      ['minimum', 3],
      ['multipleOf', 0.5],
      ['$ref', '#/$defs/d0'],
      ['$ref', '#/$defs/d1'],
      ['$ref', '#/x-shelf/deep/s'],
      ['$ref', '#'],
    ),
  );
  return {
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.boolean(),
      fc.array(keyword, { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    ),
    schema: fc.tuple(fc.array(keyword, { maxLength: 4 }), part, part, part).map(([entries, d0, d1, s]) => ({
      ...Object.fromEntries(entries),
      $defs: { d0, d1 },
      'x-shelf': { deep: { s } },
    })),
  };
});

/** Values that are wide: lists of hundreds of the same, objects of many names. */
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(1, 2.5, 'a', 'abc', null, true),
    fc
      .tuple(tie('value'), fc.integer({ min: 1, max: 200 }))
      .map(([one, times]): Json => Array.from({ length: times }, () => one)),
    fc.dictionary(name, tie('value')),
    fc
      .tuple(tie('value'), fc.integer({ min: 1, max: 200 }))
      .map(
        ([one, times]): Json => Object.fromEntries(Array.from({ length: times }, (_, i) => [`x${i}`, one])),
      ),
  ),
}));

/** The value, seen through; `reads` counts what is read of it. */
function watched(given: Json): { readonly value: Json; readonly reads: () => number } {
  let reads = 0;
  const handler: ProxyHandler<object> = {
    get(target, key, receiver) {
      reads += 1;
      const member: unknown = Reflect.get(target, key, receiver);
      return typeof member === 'object' && member !== null ? watch(member as Json) : member;
    },
    ownKeys(target) {
      const keys = Reflect.ownKeys(target);
      reads += keys.length;
      return keys;
    },
    getOwnPropertyDescriptor(target, key) {
      reads += 1;
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
    has(target, key) {
      reads += 1;
      return Reflect.has(target, key);
    },
  };
  const watch = (one: Json): Json =>
    typeof one === 'object' && one !== null ? (new Proxy(one, handler) as unknown as Json) : one;
  return { value: watch(given), reads: () => reads };
}

describe('steps', () => {
  const compiledTrue = compileSchema(true);
  if (!compiledTrue.ok) throw new Error('true is a schema');
  const anything = compiledTrue.value;

  test('whatever the schema and the value, what is read of the value was counted', () => {
    fc.assert(
      fc.property(schema, value, (someSchema, someValue) => {
        const compiled = compileSchema(someSchema);
        fc.pre(compiled.ok);
        if (!compiled.ok) return;
        const seen = watched(someValue);
        const budget = new ValidationBudget();
        compiled.value.errors(seen.value, budget);
        const steps = MAX_VALIDATION_STEPS - budget.left;
        // What decides between listing all errors and the first reads the value too, once.
        const before = watched(someValue);
        anything.errors(before.value);
        expect(seen.reads() - before.reads()).toBeLessThanOrEqual(4 * steps + 50);
        expect(budget.left).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: depth(400), seed: 11 },
    );
  }, 120_000);

  test('every keyword that Ajv compiles is in the table, counted by what tests it, or takes one step', () => {
    const oneStep = [
      ...['minItems', 'maxItems', 'minContains', 'maxContains', 'multipleOf', 'nullable', '$comment'],
      ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
    ];
    const countedByTheTest = ['pattern', 'format', 'uniqueItems'];
    const refused = ['id', '$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'];
    const known = [...Object.keys(KEYWORD_COSTS), ...oneStep, ...countedByTheTest, ...refused];
    const { all } = new Ajv2020({ strict: false, logger: false }).RULES;
    const compiled = Object.keys(all).filter((keyword) => typeof all[keyword] === 'object');
    expect(compiled.length).toBeGreaterThan(30);
    expect(compiled.filter((keyword) => !known.includes(keyword))).toEqual([]);
  });
});

describe('compiling', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  /** Characters of code that compiling writes. */
  function charsWritten(compile: () => void): number {
    let chars = 0;
    const original = Function;
    vi.stubGlobal(
      'Function',
      new Proxy(original, {
        construct(target, args: string[]) {
          chars += args.at(-1)?.length ?? 0;
          return Reflect.construct(target, args) as object;
        },
      }),
    );
    try {
      compile();
    } finally {
      vi.unstubAllGlobals();
    }
    return chars;
  }

  test('whatever the schema, the code that is written was paid for', () => {
    const longName = fc.integer({ min: 1, max: 3000 }).map((length) => 'n'.repeat(length));
    const wide = fc.tuple(schema, longName, fc.integer({ min: 1, max: 30 })).map(
      ([one, long, times]): Json => ({
        ...(one as object),
        properties: { [long]: { allOf: Array.from({ length: times }, () => one) } },
        dependentRequired: { [long]: Array.from({ length: times }, (_, i) => `${long}${i}`) },
        required: Array.from({ length: times }, (_, i) => `${long}${i}`),
      }),
    );
    fc.assert(
      fc.property(fc.oneof(schema, wide), (someSchema) => {
        const budget = new BuildBudget();
        const chars = charsWritten(() => void compileSchema(someSchema, budget));
        expect(chars).toBeLessThanOrEqual(40 * budget.spent + 2000);
      }),
      { numRuns: depth(150), seed: 11 },
    );
  }, 120_000);

  test('the same schema is compiled once, and paid for by each document that has it', () => {
    const same = () => ({ properties: { [`cached-${'x'.repeat(60)}`]: { type: 'string', minLength: 3 } } });
    const [first, second] = [new BuildBudget(), new BuildBudget()];
    expect(charsWritten(() => void compileSchema(same(), first))).toBeGreaterThan(0);
    expect(charsWritten(() => void compileSchema(same(), second))).toBe(0);
    expect(second.spent).toBe(first.spent);
    expect(second.spent).toBeGreaterThan(200);
    // Twice in one document costs once; where nothing is left it is refused, however well it is known.
    compileSchema(same(), second);
    expect(second.spent).toBe(first.spent);
    expect(compileSchema(same(), new BuildBudget(100))).toMatchObject({ ok: false });
  });

  test('a schema that is refused for what it costs is not compiled at all', () => {
    const parts = Array.from({ length: 1900 }, (_, i) => ({ type: 'string', minLength: i }));
    const above = { properties: { ['n'.repeat(100_000)]: { anyOf: parts } } };
    let compiled: ReturnType<typeof compileSchema> | null = null;
    const chars = charsWritten(() => {
      compiled = compileSchema(above);
    });
    expect(compiled).toMatchObject({ ok: false, problems: [{ code: 'too_complex' }] });
    expect(chars).toBe(0);
  });

  const named = (count: number, part: (i: number) => Json): Json => ({
    properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, part(i)])),
  });
  const list = (count: number, part: (i: number) => Json) => Array.from({ length: count }, (_, i) => part(i));
  /** What takes much more than its code has characters, by its square mostly. */
  const SQUARES: readonly [what: string, most: number, schemaOf: (count: number) => Json][] = [
    ['patterns', 80, (count) => named(count, (i) => ({ pattern: `^square${i}$` }))],
    ['branches', 60, (count) => ({ oneOf: list(count, (i) => named(1, () => ({ minLength: i }))) })],
    [
      'names that are merged',
      90,
      (count) => ({
        unevaluatedProperties: false,
        allOf: list(count, (i) => ({ properties: { [`m${i}`]: {} } })),
      }),
    ],
    [
      'lists of names',
      80,
      (count) => named(count, () => ({ unevaluatedProperties: false, properties: { a: true } })),
    ],
    ['parts that refuse', 700, (count) => named(count, () => false)],
  ];
  test.each(SQUARES)(
    '%s: an ordinary number is taken, and ten times as many are not',
    (_what, most, schemaOf) => {
      const budget = new BuildBudget();
      expect(compileSchema(schemaOf(most), budget)).toMatchObject({ ok: true });
      expect(budget.spent).toBeLessThan(60_000);
      expect(compileSchema(schemaOf(10 * most))).toMatchObject({
        ok: false,
        problems: [{ code: 'too_complex' }],
      });
    },
  );

  test('enumerations take no more each, however many there are', () => {
    const enumerations = (from: number, count: number): Json =>
      named(count, (i) => ({ enum: [`a${from + i}`, `b${i}`] }));
    const msOf = (from: number, count: number) => cpuMs(() => void compileSchema(enumerations(from, count)));
    msOf(0, 200);
    const [few, many] = [msOf(1_000, 200), msOf(2_000, 1_800)];
    // By the square it would be 81 times as much.
    expect(many).toBeLessThan(27 * Math.max(few, 5));
  });

  test('one schema takes no more than a small document has, whatever its document has for its nodes', () => {
    const large = named(1_950, (i) => ({ type: 'number', minimum: i, maximum: 2 * i, multipleOf: 1 }));
    const refused = compileSchema(large, BuildBudget.ofDocument(10_000));
    expect(refused).toMatchObject({ ok: false, problems: [{ code: 'too_complex' }] });
  });
});
