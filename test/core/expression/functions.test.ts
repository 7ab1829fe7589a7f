// Every function: a value, its edges, and its complaint about a wrong type.
import { describe, expect, test } from 'vitest';
import { FUNCTIONS } from '../../../src/core/expression/functions/registry.ts';
import { FUNCTION_CONTEXT } from '../../../src/core/expression/scope.ts';
import { fault, mapped, SCOPE, value } from './evaluate.ts';

const VALUES: readonly (readonly [string, unknown])[] = [
  ['exists(input.name)', true],
  ['exists(input.none)', true],
  ['exists(input.nope.deeper)', false],
  ['exists(input.items[?@.id == 9])', false],
  ['exists(input.items[?@.id == 1])', true],
  ['count(input.items)', 3],
  ['count(input.items[*].lines[*])', 3],
  ['count(input.nope)', 0],
  ['length(input.name)', 3],
  ["length('a😀')", 2],
  ['length({a: 1})', 1],
  ['length(5)', null],
  ["contains(input.tags, 'red')", true],
  ["contains(input.name, 'nn')", true],
  ["contains(input, 'age')", true],
  ['contains(input.nope, 1)', false],
  ["startsWith(input.name, 'An')", true],
  ["endsWith(input.name, 'x')", false],
  ["startsWith(input.nope, 'x')", false],
  ["match(input.name, 'A.*')", true],
  ["match(input.name, 'n')", false],
  ["search(input.name, '^A|x$')", true],
  ["match(input.nope, '.*')", false],
  ["search('ABC', '(?i)b')", true],
  ["lower('ÀB')", 'àb'],
  ["upper('ß')", 'SS'],
  ["trim('  a ')", 'a'],
  ["split('a,b,', ',')", ['a', 'b', '']],
  ["split('a😀', '')", ['a', '😀']],
  ["join([1, 'a', null, true, {b: 1}], '-')", '1-a--true-{"b":1}'],
  ["join(['a', 'b'])", 'ab'],
  ["replace('a.b.c', '.', '$&')", 'a$&b$&c'],
  ['slice([1, 2, 3], -2)', [2, 3]],
  ["slice('a😀b', 1, 2)", '😀'],
  ['keys({b: 1, a: 2})', ['b', 'a']],
  ["lookup({a: 1}, 'a')", 1],
  ["lookup({a: 1}, concat('', 'b'), 9)", 9],
  ["lookup({a: null}, 'a', 9)", 9],
  ["lookup({a: 1}, 'toString')", null],
  ["lookup(input.nope, 'a', 9)", 9],
  ['lookup([7, 8], -1)', 8],
  ['lookup([7, 8], 2, 0)', 0],
  ['map([3, 4], item * 10 + index)', [30, 41]],
  ['map([], item.a)', []],
  ['map(input.items, {id: item.id, skus: item.lines[*].sku})[0]', { id: 1, skus: ['a', 'b'] }],
  ["map([{a: 1}, {}], item.a ?? 'none')", [1, 'none']],
  [
    'map([[1, 2], [3]], map(item, [item, index]))',
    [
      [
        [1, 0],
        [2, 1],
      ],
      [[3, 0]],
    ],
  ],
  ['map([[1, 2], [3]], sum(item) + index)', [3, 4]],
  ['map([[1, 2]], [count(filter(item, item > 1)), item, index])', [[1, [1, 2], 0]]],
  ['map([1], [item, index, $.item, $.index])', [[1, 0, 1, 0]]],
  ['map([0, 1], input.tags[item])', ['red', 'blue']],
  ['map(range(2), exists(item.a))', [false, false]],
  ['filter(input.items, item.price > 10 && count(item.lines) > 0)[0].id', 3],
  ['filter([1, null, 2], item != null)', [1, 2]],
  ['filter([{a: true}, {}, {a: null}], item.a)', [{ a: true }]],
  ['filter([5, 6, 7], index != 1)', [5, 7]],
  ['[item, map([1], item)[0], item]', ['it', 1, 'it']],
  ['merge({a: 1, b: 1}, {b: 2}, {})', { a: 1, b: 2 }],
  ['merge([{a: 1}, {a: 2}])', { a: 2 }],
  ['concat([1], [[2]], [])', [1, [2]]],
  ["concat('a', 'b')", 'ab'],
  ["unique([1, '1', 1, {a: 1, b: 2}, {b: 2, a: 1}, null, null])", [1, '1', { a: 1, b: 2 }, null]],
  ['sort([10, 9, 1])', [1, 9, 10]],
  ["sort(['b', 'B', 'a'])", ['B', 'a', 'b']],
  ["sort([{n: 2}, {n: 1}], 'n')", [{ n: 1 }, { n: 2 }]],
  ['sort([])', []],
  ['first([])', null],
  ['first([7, 8])', 7],
  ['last([7, 8])', 8],
  ['chunk([1, 2, 3], 2)', [[1, 2], [3]]],
  ['range(3)', [0, 1, 2]],
  ['range(1, 4)', [1, 2, 3]],
  ['range(5, 0, -2)', [5, 3, 1]],
  ['range(3, 1)', []],
  ['sum([1, 2.5])', 3.5],
  ['sum(1, 2)', 3],
  ['sum([])', 0],
  ['min([3, 1, 2])', 1],
  ['max(3, 1, 2)', 3],
  ['round(2.5)', 3],
  ['round(-2.5)', -3],
  ['round(1.005, 2)', 1.01],
  ['round(1234, -2)', 1200],
  ['round(1e-7, 3)', 0],
  ['string({a: [1]})', '{"a":[1]}'],
  ['string(null)', ''],
  ["string('a')", 'a'],
  ["number(' 4.50 ')", 4.5],
  ['number(3)', 3],
  ["json('a')", '"a"'],
  ['json(null)', 'null'],
  ['parseJson(\'{"a":[1,null]}\')', { a: [1, null] }],
  ["urlEncode('a b/é?&=+~(!)')", 'a%20b%2F%C3%A9%3F%26%3D%2B~%28%21%29'],
  [
    "formEncode({a: 'x y&z', n: 1.5, on: true, none: null, tag: ['p', 'q']})",
    'a=x+y%26z&n=1.5&on=true&tag=p&tag=q',
  ],
  ['formEncode({})', ''],
  ["base64('é')", 'w6k='],
  ["sha256('abc')", 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['now()', '2026-01-02T03:04:05.678Z'],
  ["formatDate(now(), 'yyyy-MM-dd HH:mm:ss.SSS')", '2026-01-02 03:04:05.678'],
  [
    "formatDate(now(), \"EEEE d MMMM yyyy 'at' h:mm a\", 'America/New_York')",
    'Thursday 1 January 2026 at 10:04 PM',
  ],
  ["formatDate('2026-07-01', 'YYYY-MM-DDTHH:mmZ', 'Asia/Kolkata')", '2026-07-01T05:30+05:30'],
  ["formatDate(0, 'yy/M/d H:m:s')", '70/1/1 0:0:0'],
  ["addSeconds('2026-01-01T00:00:00+01:00', 90.5)", '2025-12-31T23:01:30.500Z'],
  ["addSeconds('2026-01-01T10:00', -60)", '2026-01-01T09:59:00.000Z'],
];

const FAULTS: readonly (readonly [string, string])[] = [
  ["count('a')", 'count(): argument 1 must be an array or an object, got string'],
  ['contains(5, 1)', 'contains(): argument 1 must be a string, an array or an object, got number'],
  ['startsWith(1, 2)', 'startsWith(): argument 1 must be a string, got number'],
  ["endsWith('a', 2)", 'endsWith(): argument 2 must be a string, got number'],
  ['match([], input.name)', 'match(): argument 1 must be a string, got array'],
  ["search('a', input.items[0])", 'search(): argument 2 must be a string, got object'],
  ['lower(input.nope)', 'got null; use ?? to say what to take when it is missing'],
  ['upper(1)', 'upper(): argument 1 must be a string, got number'],
  ['trim(true)', 'got boolean'],
  ["split(1, ',')", 'split(): argument 1'],
  ["join('a')", 'join(): argument 1 must be an array, got string'],
  ["replace('a', '', 'b')", 'replace(): argument 2 must not be empty'],
  ['slice(1, 0)', 'slice(): argument 1 must be a string or an array, got number'],
  ['slice([1], 0.5)', 'slice(): argument 2 must be a whole number'],
  ['keys([])', 'keys(): argument 1 must be an object, got array'],
  ['merge({}, 1)', 'merge(): argument 2 must be an object, got number'],
  ['concat([1], 2)', 'concat(): argument 2 must be an array, got number'],
  ['unique({})', 'unique(): argument 1 must be an array, got object'],
  [
    "sort([1, 'a'])",
    'sort(): argument 1 must hold only numbers or only strings to sort by, got string at [1]',
  ],
  ["sort([{a: 1}, {}], 'a')", 'sort(): argument 1 has no "a" at [1]'],
  ["first('a')", 'first(): argument 1 must be an array, got string'],
  ['last({})', 'last(): argument 1 must be an array'],
  ['chunk([1], 0)', 'chunk(): argument 2 must be a whole number'],
  ['range(100001)', 'range(): gives 100001 elements; the limit is 100000'],
  ['range(0, 1, 0)', 'range(): argument 3 must not be 0'],
  ["sum([1, 'a'])", 'sum(): argument 1 must be an array of numbers, got string at [1]'],
  ['min([])', 'min(): argument 1 is an empty array'],
  ["max(1, 'a')", 'max(): argument 2 must be a number'],
  ["round('1')", 'round(): argument 1 must be a number, got string'],
  ["number('0x10')", 'number(): argument 1 is a string that is not a number'],
  ["number('9007199254740993')", 'number() gives an integer beyond 2^53'],
  ['number(null)', 'number(): argument 1 must be a string or a number'],
  ["parseJson('{')", 'parseJson(): argument 1 is a string that is not JSON'],
  ["parseJson('[9007199254740993]')", 'parseJson(): argument 1 holds an integer beyond 2^53'],
  ['urlEncode(1)', 'urlEncode(): argument 1 must be a string, got number'],
  ["formEncode('a')", 'formEncode(): argument 1 must be an object, got string'],
  ['formEncode({a: {b: 1}})', 'formEncode(): a form has no nesting, and "a" holds an object'],
  ['formEncode({a: [[1]]})', 'formEncode(): a form has no nesting, and "a" holds a list'],
  ['base64(1)', 'base64(): argument 1 must be a string'],
  ['sha256({})', 'sha256(): argument 1 must be a string'],
  ["formatDate('2026-02-30', 'yyyy')", 'formatDate(): argument 1 is not a real date'],
  ["formatDate('today', 'yyyy')", 'must be an ISO 8601 date or date-time, got string'],
  ["formatDate(0, 'qqq')", 'formatDate(): argument 2 has "qqq"'],
  ["formatDate(0, 'yyyy', 'Mars/Base')", 'formatDate(): argument 3 must be an IANA time zone'],
  ["addSeconds(now(), '1')", 'addSeconds(): argument 2 must be a number, got string'],
];

describe('functions', () => {
  test.each(VALUES)('%s is %j', (expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  test.each(FAULTS)('%s fails with %s', (expression, message) => {
    expect(fault(expression)).toContain(`expression: `);
    expect(fault(expression)).toContain(message);
  });

  test('every function of the table is tried above', () => {
    const tried = [...VALUES, ...FAULTS].map(([expression]) => expression).join(' ');
    expect([...FUNCTIONS.keys()].filter((name) => !tried.includes(`${name}(`) && name !== 'uuid')).toEqual(
      [],
    );
  });

  test('uuid() is the same for every evaluation of one place, and another at each place', () => {
    const ids = mapped({ a: '{{ uuid() }}', b: '{{ uuid() }}', c: '{{ uuid() + uuid() }}' }) as Record<
      string,
      string
    >;
    expect(mapped({ a: '{{ uuid() }}', b: '{{ uuid() }}', c: '{{ uuid() + uuid() }}' })).toEqual(ids);
    expect(ids.a).not.toBe(ids.b);
    expect(new Set(ids.c!.split('uuid-')).size).toBe(3);
  });

  test('now() and uuid() fail where no task gives them a value', () => {
    const scope = { ...SCOPE, [FUNCTION_CONTEXT]: undefined };
    expect(fault('now()', scope)).toBe('expression: now(): is not available here');
    expect(fault('uuid()', scope)).toBe('expression: uuid(): is not available here');
  });

  test('merge() and object literals keep __proto__ as a plain member', () => {
    const scope = { input: JSON.parse('{"evil":{"__proto__":{"polluted":true}}}') as unknown };
    const merged = value('merge({}, input.evil)', scope) as Record<string, unknown>;
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true}}');
    const literal = value('{"__proto__": {"polluted": true}}', scope) as Record<string, unknown>;
    expect(literal.polluted).toBeUndefined();
    expect(JSON.stringify(literal)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
