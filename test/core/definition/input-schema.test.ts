import { describe, expect, test } from 'vitest';
import { applyDefaults, compileSchema } from '../../../src/core/definition/schema/input-schema.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { patience } from '../../support/patience.ts';

/** `pointer code` of a value's problems, or of the schema's. */
function check(schema: Json, value: Json = null): string[] {
  const compiled = compileSchema(schema);
  const problems = compiled.ok ? compiled.value.validate(value) : compiled.problems;
  return problems.map(({ pointer, code }) => `${pointer} ${code}`);
}
function nested(depth: number): Json {
  let value: Json = 1;
  for (let i = 0; i < depth; i++) value = { c: value };
  return value;
}

describe('values', () => {
  const schema = {
    type: 'object',
    properties: {
      mail: { type: 'string', format: 'email' },
      code: { pattern: '^[a-z]+$' },
      zip: { pattern: '^\\d{5}$' },
      n: { type: 'integer', minimum: 1 },
    },
    required: ['mail'],
    additionalProperties: false,
  };
  test.each<[Json, string[]]>([
    [{ mail: 'a@b.co', code: 'x', zip: '12345', n: 2 }, []],
    [{}, ['/mail required']],
    [{ mail: 'nope' }, ['/mail format']],
    [{ mail: 'a@b.co', n: 0.5, 'a/b': 1 }, ['/a~1b unknown_field', '/n type', '/n range']],
    [{ mail: 'a@b.co', code: '12345', zip: 'abc' }, ['/code pattern', '/zip pattern']],
    ['text', [' type']],
  ])('%j -> %j', (value, problems) => {
    expect(check(schema, value).sort()).toEqual([...problems].sort());
  });

  test('uniqueItems compares values, not order of names, and is linear', () => {
    const unique = { type: 'array', uniqueItems: true };
    expect(
      check(unique, [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
    ).toEqual([' invalid_value']);
    const many = Array.from({ length: 50_000 }, (_, i) => ({ a: i }));
    expect(cpuMs(() => expect(check(unique, many)).toEqual([]))).toBeLessThan(patience(1000));
  });

  test('a recursive schema checks a tree', () => {
    const tree: Json = {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { c: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'integer' }] } },
        },
      },
    };
    expect(check(tree, nested(50))).toEqual([]);
    expect(check(tree, { c: { c: 'x' } })).not.toEqual([]);
  });
});

test('true and false are schemas', () => {
  expect(check(true, { a: 1 })).toEqual([]);
  expect(check(false, { a: 1 })).toEqual([' invalid_value']);
  expect(check({ properties: { a: { $ref: '#/$defs/any' } }, $defs: { any: true } }, { a: 1 })).toEqual([]);
});

describe('schemas that are refused, and where', () => {
  test.each<[string, Json, string[]]>([
    ['no schema', 5, [' invalid_schema']],
    [
      'a remote reference',
      { properties: { a: { $ref: 'https://x.y/z' } } },
      ['/properties/a/$ref invalid_schema'],
    ],
    ['a reference to nothing', { $ref: '#/$defs/a' }, ['/$ref invalid_schema']],
    ['$async', { $async: true }, ['/$async invalid_schema']],
    [
      '$data',
      { properties: { a: { maximum: { $data: '1/b' } } } },
      ['/properties/a/maximum/$data invalid_schema'],
    ],
    ['$dynamicRef', { items: { $dynamicRef: '#x' } }, ['/items/$dynamicRef invalid_schema']],
    ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, ['/$schema invalid_schema']],
    ['a nested $id', { items: { $id: 'x' } }, ['/items/$id invalid_schema']],
    [
      'a pattern with look-ahead',
      { properties: { a: { pattern: '(?=x)' } } },
      ['/properties/a/pattern invalid_schema'],
    ],
    ['a pattern that is none', { patternProperties: { '(': {} } }, ['/patternProperties/( invalid_schema']],
    ['a subschema that is text', { items: 'string' }, ['/items invalid_schema']],
    ['too many bytes', { enum: ['x'.repeat(300_000)] }, [' invalid_schema']],
    ['too many parts', { anyOf: Array.from({ length: 2001 }, () => ({})) }, [' invalid_schema']],
  ])('%s', (_title, schema, problems) => {
    expect(check(schema)).toEqual(problems);
  });

  test('a keyword with a wrong value is named', () => {
    expect(check({ properties: { a: { type: 'strin' } } })).toContain('/properties/a/type invalid_schema');
  });
});

describe('no schema and no value hangs or crashes', () => {
  const doubling: Record<string, Json> = { d40: { type: 'string' } };
  for (let i = 0; i < 40; i++)
    doubling[`d${i}`] = { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] };
  const node = { properties: { c: { allOf: [{ $ref: '#/$defs/n' }, { $ref: '#/$defs/n' }] } } };

  test.each<[string, Json, Json]>([
    ['a schema that refers to itself', { $ref: '#' }, 1],
    ['references that double', { $ref: '#/$defs/d0', $defs: doubling }, 1],
    ['a tree that doubles at each level', { $ref: '#/$defs/n', $defs: { n: node } }, nested(100)],
    ['a pattern that backtracks elsewhere', { pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}b`],
    ['a value of many errors', { items: { type: 'string' } }, Array.from({ length: 200_000 }, () => 1)],
    ['a long text for a format', { format: 'uri' }, 'a'.repeat(500_000)],
  ])('%s', (_title, schema, value) => {
    expect(cpuMs(() => expect(check(schema, value)).toHaveLength(1))).toBeLessThan(patience(500));
  });

  const objectOf = (count: number, value: Json = 1): Json =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, value]));
  const listOf = (count: number, value: Json = 1): Json => Array.from({ length: count }, () => value);
  const times = (count: number, make: (i: number) => Json): Json[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const behind = Object.fromEntries(
    times(26, (i) => ({ allOf: [{ $ref: `#/x-shelf/d${i + 1}` }, { $ref: `#/x-shelf/d${i + 1}` }] })).map(
      (part, i): [string, Json] => [`d${i}`, part],
    ),
  );
  const long = 'k'.repeat(300_000);

  // What each keyword of the dialect costs, at its worst.
  test.each<[string, Json, Json]>([
    [
      'pattern: a long text',
      { properties: { a: { pattern: '(?:a|b|ab){1,300}c$' } } },
      { a: 'ab'.repeat(480_000) },
    ],
    [
      'pattern: many texts',
      { items: { pattern: '(?:a|b|ab){1,300}c$' } },
      listOf(4000, `${'ab'.repeat(120)}c`),
    ],
    [
      'patternProperties: many patterns and names',
      {
        patternProperties: Object.fromEntries(
          times(500, (i) => i).map((i) => [`^x.*[a-f]{3}${String(i)}`, {}]),
        ),
      },
      objectOf(30_000),
    ],
    [
      'uniqueItems: the same list again and again',
      { allOf: times(100, () => ({ uniqueItems: true })) },
      times(12_000, (i) => ({ a: i, b: [i] })),
    ],
    ['uniqueItems: one enormous list', { uniqueItems: true }, times(700_000, (i) => ({ a: i, b: [i] }))],
    [
      'const: the same object again and again',
      { items: { allOf: times(90, () => ({ const: objectOf(200) })) } },
      listOf(400, objectOf(200)),
    ],
    [
      'maxLength: the same text again and again',
      { allOf: times(1500, (i) => ({ maxLength: 960_000 + i })) },
      'a'.repeat(960_000),
    ],
    [
      'maxProperties: the same names again and again',
      { allOf: times(1500, (i) => ({ maxProperties: 60_000 + i })) },
      objectOf(60_000),
    ],
    [
      'additionalProperties: the same names again and again',
      { allOf: times(500, (i) => ({ additionalProperties: { maximum: i + 5 } })) },
      objectOf(60_000),
    ],
    [
      'propertyNames',
      { allOf: times(500, (i) => ({ propertyNames: { minLength: 1, maxLength: 10 + i } })) },
      objectOf(60_000),
    ],
    [
      'unevaluatedProperties: names against names',
      { properties: objectOf(12_000, true), unevaluatedProperties: { type: 'integer' } },
      Object.fromEntries(times(50_000, (i) => i).map((i) => [`m${String(i)}`, 1])),
    ],
    [
      'required: of each element',
      { items: { anyOf: [{ required: times(20_000, (i) => `n${i}`) }, true] } },
      times(6000, () => ({})),
    ],
    [
      'format: patterns that are data',
      { items: { format: 'regex' } },
      times(1500, (i) => `(?:a|b${i}){0,3}(?:[a-z0-9_]{1,30}x?){1,29}`),
    ],
    [
      'contains, by reference',
      { contains: { $ref: '#/$defs/s' }, $defs: { s: { type: 'string' } } },
      listOf(200_000),
    ],
    ['contains: errors that nobody reads', { contains: { type: 'string' } }, listOf(2_000_000)],
    [
      'a long name above references',
      { additionalProperties: { items: { $ref: '#/$defs/s' } }, $defs: { s: { type: 'integer' } } },
      { [long]: listOf(20_000) },
    ],
    [
      'a long name above branches',
      { additionalProperties: { items: { oneOf: [{ type: 'integer' }, { type: 'string' }] } } },
      { [long]: listOf(20_000) },
    ],
    [
      'references behind a keyword that nobody knows',
      { $ref: '#/x-shelf/d0', 'x-shelf': { ...behind, d26: { type: 'integer' } } },
      1,
    ],
  ])('%s: ends as too_complex', (_title, schema, value) => {
    expect(cpuMs(() => expect(check(schema, value)).toEqual([' too_complex']))).toBeLessThan(patience(4000));
  });

  test.each<[string, Json, Json, string[]]>([
    [
      'enum: many values for many elements',
      { items: { enum: times(25_000, (i) => `e${i}`) } },
      listOf(50_000, 'e24999'),
      [],
    ],
    [
      'enum: many objects',
      { items: { enum: times(9000, (i) => ({ a: i })) } },
      times(9000, () => ({ a: 8999 })),
      [],
    ],
    [
      'a long name above many errors',
      { additionalProperties: { items: { type: 'string' } } },
      { [long]: listOf(4000) },
      ['type'],
    ],
    [
      'more errors than are told',
      { items: { allOf: times(1200, () => ({ type: 'string', minLength: 3 })) } },
      listOf(4000),
      ['type'],
    ],
    [
      'branches that fail',
      { items: { anyOf: [...times(500, () => ({ type: 'string' })), { type: 'integer' }] } },
      listOf(400),
      [],
    ],
  ])('%s: is done in time', (_title, schema, value, codes) => {
    let found: string[] = [];
    const spent = cpuMs(() => {
      found = check(schema, value);
    });
    expect(spent).toBeLessThan(patience(4000));
    expect(found.map((one) => one.split(' ').at(-1))).toEqual(codes);
  });

  test('names of a schema are data, not code', () => {
    const name = '"];globalThis.pwned=1;//';
    expect(
      check({ properties: { [name]: { type: 'string' } }, required: ['globalThis.pwned=1'] }, { [name]: 1 }),
    ).toHaveLength(2);
    expect('pwned' in globalThis).toBe(false);
  });
});

describe('applyDefaults', () => {
  test('fills what is missing and leaves what is given, also null', () => {
    expect(applyDefaults({ a: 1, b: 2, c: { x: 1 } }, { b: null, c: { y: 2 } })).toEqual({
      a: 1,
      b: null,
      c: { y: 2 },
    });
  });
  test.each<[Json, Json]>([
    [null, { a: 1 }],
    ['text', 'text'],
    [[1], [1]],
  ])('input %j -> %j', (input, output) => {
    expect(applyDefaults({ a: 1 }, input)).toEqual(output);
  });
  test('without defaults the input stays', () => {
    expect(applyDefaults(undefined, null)).toBe(null);
  });
});
