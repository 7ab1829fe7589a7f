// What PostgreSQL can store, and what it costs to find out.
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MAX_ASSEMBLED_BYTES, MAX_VALUES, storableText, toStorableJson } from '../../src/core/json.ts';

function codeOf(value: unknown, maxBytes?: number): string {
  const result = toStorableJson(value, maxBytes);
  return result.ok ? 'stored' : result.code;
}

const circular: { self?: unknown } = {};
circular.self = circular;
let doubled: unknown = 'x';
for (let i = 0; i < 60; i++) doubled = [doubled, doubled];
let deep: unknown = 1;
for (let i = 0; i < 300; i++) deep = [deep];

describe('toStorableJson', () => {
  it.each([
    ['text with a NUL', 'a\u0000b', 'unstorable_output'],
    ['a lone surrogate', '\ud800', 'unstorable_output'],
    ['a key with a NUL', { 'a\u0000': 1 }, 'unstorable_output'],
    ['NaN', Number.NaN, 'unstorable_output'],
    ['Infinity', { a: [Number.POSITIVE_INFINITY] }, 'unstorable_output'],
    ['an integer beyond 2^53', 2 ** 53 + 2, 'unstorable_output'],
    ['a function', { f: () => 1 }, 'unstorable_output'],
    ['a bigint', 1n, 'unstorable_output'],
    ['a symbol', Symbol('s'), 'unstorable_output'],
    ['a cycle', circular, 'unstorable_output'],
    ['a depth over the limit', deep, 'unstorable_output'],
    [
      'numbers that PostgreSQL writes out with 300 digits each',
      Array(4_000).fill(1e300),
      'payload_too_large',
    ],
    ['fractions that it writes out with 300 digits each', Array(4_000).fill(1e-300), 'payload_too_large'],
    ['as many usual numbers', Array(4_000).fill(0.001), 'stored'],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('no');
        },
      },
      'unstorable_output',
    ],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error('no');
        },
      },
      'unstorable_output',
    ],
    ['text over the limit', 'x'.repeat(1_000_001), 'payload_too_large'],
    ['a value that doubles at each level', doubled, 'payload_too_large'],
    ['a sparse array of 4 billion', new Array(2 ** 32 - 1), 'payload_too_large'],
    ['nothing', undefined, 'stored'],
    ['a Date', new Date(0), 'stored'],
    ['nested values', { a: [1, 'ü', null, true, { b: -1.5 }] }, 'stored'],
    ['an undefined member', { a: undefined }, 'stored'],
  ])('%s', (_, value, expected) => {
    expect(codeOf(value)).toBe(expected);
  });

  it('counts bytes, not characters', () => {
    expect([codeOf('é'.repeat(10), 22), codeOf('é'.repeat(10), 21)]).toEqual(['stored', 'payload_too_large']);
  });

  it('gives the JSON of what it stores', () => {
    expect(toStorableJson({ a: [1, new Date(0)] })).toEqual({
      ok: true,
      json: '{"a":[1,"1970-01-01T00:00:00.000Z"]}',
    });
  });
});

describe('what JSON would lose', () => {
  class Shy {
    #inside = 1;
    get shown() {
      return this.#inside;
    }
  }
  class Point {
    readonly x = 1;
    get y() {
      return 2;
    }
  }
  it.each<[string, unknown]>([
    ['a Map', new Map([['a', 1]])],
    ['an empty Map', new Map()],
    ['a Map with a member', Object.assign(new Map(), { a: 1 })],
    ['a Set', { found: new Set([1]) }],
    ['a Map in a list', [1, [new Map()]]],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['a typed array', new Float64Array(3)],
    ['a Uint8Array', { bytes: new Uint8Array([1, 2]) }],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['a promise', { later: Promise.resolve(1) }],
    ['a regular expression', /x/],
    ['an error', { error: new Error('no') }],
    ['an error with a member', Object.assign(new TypeError('no'), { code: 'E' })],
    ['a boxed number', Object(Number.NaN)],
    ['a boxed text', [Object('x')]],
    ['a generator', (function* () {})()],
    ['an iterator', new Map([[1, 1]]).entries()],
    ['Headers', new Headers({ a: 'b' })],
    ['URLSearchParams', { query: new URLSearchParams('a=b') }],
    ['a Response', new Response('x')],
    ['an object of a class that shows nothing', { shy: new Shy() }],
    ['an object of an empty class', new (class Nothing {})()],
    ['an invalid Date', { at: new Date(Number.NaN) }],
    ['a member that is named by a symbol', { a: 1, [Symbol('b')]: 2 }],
    ['undefined in a list', [1, undefined]],
    ['a hole in a list', Object.assign(new Array(3), { 0: 1, 2: 3 })],
    ['a list of nothing but holes', new Array(3)],
    ['a toJSON that gives a Map', { toJSON: () => new Map() }],
    [
      'a toJSON that gives itself, with NaN in it',
      {
        n: Number.NaN,
        toJSON() {
          return this;
        },
      },
    ],
    ['a bigint in a list', [1n]],
    ['minus infinity', [Number.NEGATIVE_INFINITY]],
  ])('%s is refused', (_, value) => {
    expect(codeOf(value)).toBe('unstorable_output');
  });

  it.each<[string, unknown, unknown]>([
    ['-0', [-0], [0]],
    ['a Date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['a URL', new URL('https://a.test/b'), 'https://a.test/b'],
    ['a Buffer', Buffer.from('a'), { type: 'Buffer', data: [97] }],
    ['a toJSON', { toJSON: () => ({ a: 1 }) }, { a: 1 }],
    [
      'a getter',
      {
        get a() {
          return 1;
        },
      },
      { a: 1 },
    ],
    ['what an object of a class shows', new Point(), { x: 1 }],
    ['an object without a prototype', Object.create(null), {}],
    ['an empty object of another realm', runInNewContext('({})'), {}],
    ['an empty list of another realm', runInNewContext('[]'), []],
    ['what a search found', 'ab'.match(/a(b)/), ['ab', 'b']],
    ['undefined members', { a: undefined, b: 1 }, { b: 1 }],
    ['the same object twice', Array(2).fill({ a: 1 }), [{ a: 1 }, { a: 1 }]],
    ['nothing', undefined, null],
  ])('%s is kept as JSON has it', (_, value, expected) => {
    const stored = toStorableJson(value);
    expect(stored.ok && JSON.parse(stored.json)).toEqual(expected);
  });

  it('the message says what it is, where it stands, and what to use', () => {
    expect(toStorableJson({ a: [new Map()] })).toEqual({
      ok: false,
      code: 'unstorable_output',
      message: '$.a[0] is a Map, which JSON does not have; use Object.fromEntries(map)',
    });
  });

  it('more values than anything is made of are refused, however few bytes they take', () => {
    const many = Array.from({ length: MAX_VALUES / 2 }, () => [0]);
    expect(toStorableJson(many, MAX_ASSEMBLED_BYTES)).toMatchObject({
      ok: false,
      code: 'payload_too_large',
      message: `holds more than ${MAX_VALUES} values`,
    });
    expect(codeOf(many.slice(1), MAX_ASSEMBLED_BYTES)).toBe('stored');
  });
});

describe('storableText', () => {
  it('makes any text storable and bounded', () => {
    expect(storableText('a\u0000\ud800b'.repeat(3000), 10)).toBe('a\uFFFD\uFFFDba\uFFFD\uFFFDba\uFFFD…');
  });
});
