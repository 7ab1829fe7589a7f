// What PostgreSQL can store, and what it costs to find out.
import { describe, expect, it } from 'vitest';
import { storableText, toStorableJson } from '../../src/core/json.ts';

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

describe('storableText', () => {
  it('makes any text storable and bounded', () => {
    expect(storableText('a\u0000\ud800b'.repeat(3000), 10)).toBe('a\uFFFD\uFFFDba\uFFFD\uFFFDba\uFFFD…');
  });
});
