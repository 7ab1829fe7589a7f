import { describe, expect, test } from 'vitest';
import { applyDefaults, compileSchema } from '../../../src/core/definition/schema/input-schema.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';

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
    expect(cpuMs(() => expect(check(unique, many)).toEqual([]))).toBeLessThan(1000);
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
    expect(cpuMs(() => expect(check(schema, value)).toHaveLength(1))).toBeLessThan(500);
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
