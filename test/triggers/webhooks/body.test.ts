// Bodies: what is read is what was sent, within bounds, whatever the bytes are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, toStorableJson } from '../../../src/core/json.ts';
import { MAX_KEYS, MAX_STRING_BYTES, readBody } from '../../../src/triggers/webhooks/body/body.ts';
import { depth } from '../../support/depth.ts';
import { patience } from '../../support/patience.ts';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const read = (body: string | Uint8Array, type: string | null = JSON_TYPE) => {
  const result = readBody(Buffer.from(body as string), type);
  return result.ok
    ? result.value.body
    : result.problems.map(({ code, pointer }) => `${code} ${pointer}`.trim());
};
const codes = (problems: Json) => (Array.isArray(problems) ? problems.join() : 'accepted');

/** For JSON.parse: an integer beyond 2^53 as it is written. (What fast-check writes beyond 1e21 is a double.) */
const longAsText = (_name: string, value: unknown, context?: { source?: string }) =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21
    ? context?.source
    : value;

describe('what a body is read as', () => {
  it.each([
    ['{"a":[1,true,null,"x"]}', JSON_TYPE, { a: [1, true, null, 'x'] }],
    ['{"a":1}', 'Application/JSON; charset=utf-8', { a: 1 }],
    ['{"a":1}', 'application/cloudevents+json', { a: 1 }],
    ['\uFEFF{"a":1}', JSON_TYPE, { a: 1 }],
    ['7', JSON_TYPE, 7],
    [' [1]', null, [1]],
    ['{"a":1}', '', { a: 1 }],
    ['hello', null, 'hello'],
    ['{"a":1}', 'text/plain', '{"a":1}'],
    ['<a/>', 'application/xml', '<a/>'],
    ['a=1&b=x+y%21&c&d=&a=2', FORM, { a: ['1', '2'], b: 'x y!', c: '', d: '' }],
    ['a=100%&b=%zz&c=%e2%99%a5&%5B=♥', FORM, { a: '100%', b: '%zz', c: '♥', '[': '♥' }],
    ['payload=%7B%22a%22%3A%5B1%5D%7D', FORM, { a: [1] }],
    ['payload=%7B%22a%22%3A1%7D&token=t', FORM, { payload: '{"a":1}', token: 't' }],
    ['a=%EF%BB%BFx', FORM, { a: '\uFEFFx' }],
    ['\uFEFF\uFEFFx', 'text/plain', '\uFEFFx'],
    ['payload=hello', FORM, { payload: 'hello' }],
    ['payload=%7B1&payload=2', FORM, { payload: ['{1', '2'] }],
    ['{"a":1}', FORM, { a: 1 }],
    ['', JSON_TYPE, null],
    ['', null, null],
  ])('%j as %s', (body, type, expected) => expect(read(body, type)).toEqual(expected));

  it.each([
    ['{"a":1e400}', JSON_TYPE, { a: '1e400' }, '/a'],
    ['{"a":-1e400}', JSON_TYPE, { a: '-1e400' }, '/a'],
    ['[9007199254740993]', JSON_TYPE, ['9007199254740993'], '/0'],
    ['[-9007199254740993, 9007199254740991]', null, ['-9007199254740993', 9007199254740991], '/0'],
    ['payload=%7B%22id%22%3A820982911946154508%7D', FORM, { id: '820982911946154508' }, '/id'],
  ])('a number that a double does not hold stays as it was written: %j', (body, type, kept, pointer) => {
    const result = readBody(Buffer.from(body), type);
    expect(result).toMatchObject({
      ok: true,
      value: {
        body: kept,
        warnings: [{ code: 'long_number', pointer, message: expect.stringContaining(pointer) }],
      },
    });
    expect(readBody(Buffer.from('{"a":1}'), type)).toMatchObject({ value: { warnings: [] } });
  });

  it('a member called __proto__ is a member', () => {
    expect(Object.keys(read('{"__proto__":{"a":1}}') as object)).toEqual(['__proto__']);
    expect(Object.keys(read('__proto__=1', FORM) as object)).toEqual(['__proto__']);
    expect(({} as { a?: number }).a).toBe(undefined);
  });
});

describe('what is refused', () => {
  it.each([
    ['{', JSON_TYPE, ['syntax']],
    ["{'a':1}", JSON_TYPE, ['syntax']],
    ['{"a":1}x', JSON_TYPE, ['syntax']],
    ['hello', JSON_TYPE, ['syntax']],
    ['{"a":NaN}', JSON_TYPE, ['syntax /a']],
    ['{"a":1', null, ['syntax']],
    ['payload=%7Ba', FORM, ['syntax']],
    ['{"a":"\\u0000"}', JSON_TYPE, ['unstorable_text /a']],
    ['{"a":["\\ud800"]}', JSON_TYPE, ['unstorable_text /a/0']],
    ['{"\\udfff":1}', JSON_TYPE, ['unstorable_text']],
    ['a=%00', FORM, ['unstorable_text /a']],
    ['a\u0000b', 'text/plain', ['unstorable_text']],
    ['{"a":1,"b":{"a":2},"a":3}', JSON_TYPE, ['duplicate_key /a']],
    ['{"a":1,"\\u0061":3}', JSON_TYPE, ['duplicate_key /a']],
  ])('%j as %s', (body, type, expected) => expect(read(body, type)).toEqual(expected));

  it('bytes that are not UTF-8, in a body or escaped in a form', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xe2, 0x99],
    ])
      for (const type of [JSON_TYPE, 'text/plain', FORM, null])
        expect(read(new Uint8Array(bytes), type)).toEqual(['encoding']);
    expect(read('a=%ff', FORM)).toEqual(['encoding']);
    expect(read('%c3=1', FORM)).toEqual(['encoding']);
  });

  it('more than 256 levels, 50,000 names or 512 KB in a text, and not one less', () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(read(deep(257))).toEqual([expect.stringMatching(/^too_deep/)]);
    expect(read(deep(500_000))).toEqual([expect.stringMatching(/^too_deep/)]);
    expect(read('{"a":'.repeat(100_000))).toEqual([expect.stringMatching(/^too_deep/)]);
    expect(Array.isArray(read(deep(256)))).toBe(true);
    const wide = (names: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: names }, (_, i) => [i, 0])));
    expect(codes(read(wide(MAX_KEYS + 1)))).toBe('too_many_keys');
    expect(Object.keys(read(wide(MAX_KEYS)) as object).length).toBe(MAX_KEYS);
    expect(codes(read('a&'.repeat(MAX_KEYS + 1), FORM))).toBe('too_many_keys');
    for (const char of ['x', 'é']) {
      const most = char.repeat(MAX_STRING_BYTES / Buffer.byteLength(char));
      // Lengths, so that a failure prints no megabyte.
      expect((read(JSON.stringify({ a: most })) as { a: string }).a?.length).toBe(most.length);
      expect(codes(read(JSON.stringify({ a: `${most}x` })))).toBe('too_long /a');
      expect(codes(read(`${most}x`, 'text/plain'))).toBe('too_long');
    }
    expect(read(JSON.stringify({ ['k'.repeat(MAX_STRING_BYTES + 1)]: 1 }))).toEqual(['too_long']);
  });

  it('says where and what was expected, in text that can be stored and is short', () => {
    const name = `${'n\u0000'.repeat(100_000)}`;
    for (const body of [
      `{${JSON.stringify(name)}:1e999}`,
      `{${JSON.stringify(name)}:"\\u0000"}`,
      `{"a":1${'"x"'.repeat(1000)}`,
    ]) {
      const result = readBody(Buffer.from(body), JSON_TYPE);
      expect(result.ok).toBe(false);
      const text = JSON.stringify(result);
      expect(text.length).toBeLessThan(5_000);
      expect(toStorableJson(result).ok).toBe(true);
    }
  });
});

describe('whatever the bytes are', () => {
  const types = fc.constantFrom(JSON_TYPE, FORM, 'text/plain', null, 'a/b+json', ';', 'x'.repeat(50));
  it('nothing throws, and what is read can be stored', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, types, (body, type) => {
        const result = readBody(Buffer.from(body), type);
        return result.ok ? toStorableJson(result.value.body).ok : result.problems.length > 0;
      }),
      { numRuns: depth(2000) },
    );
  });
  it('JSON is read as JSON.parse reads it, but for integers beyond 2^53, or refused', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const result = readBody(Buffer.from(text), JSON_TYPE);
        if (result.ok) expect(result.value.body).toEqual(JSON.parse(text, longAsText));
      }),
      { numRuns: depth(1000) },
    );
  });
  it('forms are read as URLSearchParams reads them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))),
        (pairs) => {
          const form = new URLSearchParams(pairs);
          const result = readBody(Buffer.from(form.toString()), FORM);
          if (pairs.length === 0 || !result.ok || form.has('payload')) return;
          for (const name of new Set(form.keys()))
            expect([(result.value.body as Record<string, unknown>)[name]].flat()).toEqual(form.getAll(name));
        },
      ),
    );
  });
  it('hostile bodies of a megabyte cost no more than a few seconds together', () => {
    const started = performance.now();
    const size = 1_000_000;
    for (const body of [
      `[${'\n'.repeat(500_000)}${'9007199254740993,'.repeat(29_000)}1]`,
      '['.repeat(size),
      `{${'"a":1,'.repeat(size / 6)}"a":1}`,
      `[${'0,'.repeat(size / 2)}0]`,
      `"${'\\u0000'.repeat(size / 6)}"`,
      `${' '.repeat(size)}x`,
      'a'.repeat(size),
      '%'.repeat(size),
      '&'.repeat(size),
      'a='.repeat(size / 2),
    ])
      for (const type of [JSON_TYPE, FORM, null]) readBody(Buffer.from(body), type);
    expect(performance.now() - started).toBeLessThan(patience(15_000));
  });
});
