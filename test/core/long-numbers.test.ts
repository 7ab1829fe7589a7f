// Numbers from outside that a double would round are kept exactly, as texts, and it is said once where they were.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toStorableJson } from '../../src/core/json.ts';
import { parseJson } from '../../src/core/json-shape.ts';
import { quoteLongNumbers } from '../../src/core/long-numbers.ts';
import { depth } from '../support/depth.ts';

const parsed = (text: string) => {
  const read = parseJson(text);
  if (!read.ok) throw new Error(read.problem);
  return read;
};

describe('parseJson', () => {
  test.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740993', '-9007199254740993'],
    ['[820982911946154508, 1]', ['820982911946154508', 1]],
    ['{"order":{"id":12345678901234567890}}', { order: { id: '12345678901234567890' } }],
    // With an exponent, but below 1e21, where nobody could tell it from a rounded one.
    ['1e20', '1e20'],
    ['9007199254740993.0', '9007199254740993.0'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e400', '1e400'],
    // Doubles as their authors wrote them.
    ['1e21', 1e21],
    ['1000000000000000000000000', 1e24],
    ['0.1', 0.1],
    ['0.12345678901234567890', 0.12345678901234568],
    ['"12345678901234567890"', '12345678901234567890'],
    ['{"a":1,"a":12345678901234567890}', { a: '12345678901234567890' }],
  ])('%s', (text, value) => expect(parsed(text).value).toEqual(value));

  test('says once where they were, the first few by name', () => {
    const id = '12345678901234567890';
    const { longNumbers } = parsed(`{"id":${id},"items":[${Array(7).fill(id).join(',')}]}`);
    expect(longNumbers.warning('the body')).toEqual({
      pointer: '/id',
      code: 'long_number',
      message:
        'the body holds 8 numbers beyond 2^53, kept as texts so that no digit is lost: /id, /items/0, /items/1, /items/2, /items/3 and 3 more',
    });
    expect(parsed('{"id":"12345678901234567890","n":1}').longNumbers.warning('the body')).toBe(null);
  });

  test('every integer comes back with all its digits, and can be stored', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (integer) => {
        const { value } = parsed(`[${integer}]`);
        const [kept] = value as [string | number];
        expect(
          typeof kept === 'string'
            ? BigInt(kept)
            : BigInt(kept.toLocaleString('fullwide', { useGrouping: false })),
        ).toBe(integer);
        expect(toStorableJson(value).ok).toBe(true);
      }),
      { numRuns: depth(500) },
    );
  });
});

test('numbers in a text that a library parses are put in quotes where they are meant, and nothing else changes', () => {
  const text =
    '{"ns":17000000000000000001, "input" : {"id": 12345678901234567890,"s":"12345678901234567890"}}';
  const quoted = quoteLongNumbers(text, (pointer) => pointer.startsWith('/input/'));
  expect(quoted?.text).toBe(
    '{"ns":17000000000000000001, "input" : {"id": "12345678901234567890","s":"12345678901234567890"}}',
  );
  expect(quoted?.longNumbers.pointers).toEqual(['/input/id']);
  expect(quoteLongNumbers(text, () => false)).toBe(null);
  expect(quoteLongNumbers('{', () => true)).toBe(null);
});
