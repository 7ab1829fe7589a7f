// An example or two of each function of expressions, and what it yields: shown in docs/language/expressions.md, and tried by a test.
import type { Json } from '../../../src/core/json.ts';

/** What the examples read. */
export const EXAMPLE_INPUT = {
  name: 'Ada',
  at: '2027-03-05T14:30:00Z',
  prices: [3, 1, 2],
  none: null,
} as const;

/** The two that are of a task's context have no fixed value. */
export const OF_CONTEXT: readonly string[] = ['now', 'uuid'];

export const FUNCTION_EXAMPLES: Readonly<Record<string, readonly (readonly [text: string, value: Json])[]>> =
  {
    exists: [
      ['exists(input.none)', true],
      ['exists(input.nothing)', false],
    ],
    count: [
      ['count(input.prices)', 3],
      ['count(null)', 0],
    ],
    length: [
      ['length("Ada")', 3],
      ['length({ a: 1 })', 1],
    ],
    contains: [
      ['contains(input.prices, 2)', true],
      ['contains("Ada Lovelace", "Love")', true],
    ],
    startsWith: [['startsWith(input.name, "A")', true]],
    endsWith: [['endsWith(input.name, "b")', false]],
    match: [['match(input.name, "[A-Z][a-z]+")', true]],
    search: [['search("order 17", "[0-9]+")', true]],
    lower: [['lower(input.name)', 'ada']],
    upper: [['upper(input.name)', 'ADA']],
    trim: [['trim("  a ")', 'a']],
    split: [['split("a,b", ",")', ['a', 'b']]],
    join: [['join(input.prices, " + ")', '3 + 1 + 2']],
    replace: [['replace("a-b-c", "-", "/")', 'a/b/c']],
    slice: [
      ['slice(input.prices, 1)', [1, 2]],
      ['slice("abcdef", -3, -1)', 'de'],
    ],
    keys: [['keys({ b: 1, a: 2 })', ['b', 'a']]],
    lookup: [
      ['lookup({ eu: "Paris" }, "eu", "Boston")', 'Paris'],
      ['lookup({ eu: "Paris" }, "us", "Boston")', 'Boston'],
    ],
    map: [
      ['map(input.prices, item * 2)', [6, 2, 4]],
      ['map(["a"], { name: item, place: index })', [{ name: 'a', place: 0 }]],
    ],
    filter: [['filter(input.prices, item > 1)', [3, 2]]],
    merge: [['merge({ a: 1 }, { a: 2, b: 3 })', { a: 2, b: 3 }]],
    concat: [['concat([1], input.prices)', [1, 3, 1, 2]]],
    unique: [['unique([1, 2, 1])', [1, 2]]],
    sort: [
      ['sort(input.prices)', [1, 2, 3]],
      ['sort([{ n: 2 }, { n: 1 }], "n")', [{ n: 1 }, { n: 2 }]],
    ],
    first: [
      ['first(input.prices)', 3],
      ['first([])', null],
    ],
    last: [['last(input.prices)', 2]],
    chunk: [['chunk([1, 2, 3], 2)', [[1, 2], [3]]]],
    range: [
      ['range(3)', [0, 1, 2]],
      ['range(6, 0, -2)', [6, 4, 2]],
    ],
    sum: [
      ['sum(input.prices)', 6],
      ['sum([])', 0],
    ],
    min: [['min(input.prices)', 1]],
    max: [['max(2, 7)', 7]],
    round: [
      ['round(1.005, 2)', 1.01],
      ['round(1234, -2)', 1200],
    ],
    string: [
      ['string(17)', '17'],
      ['string(null)', ''],
    ],
    number: [['number("1e3")', 1000]],
    json: [['json([1, "a"])', '[1,"a"]']],
    parseJson: [[`parseJson('{"a":[1]}')`, { a: [1] }]],
    urlEncode: [['urlEncode("a b&c")', 'a%20b%26c']],
    formEncode: [['formEncode({ to: "a b", tag: [1, 2] })', 'to=a+b&tag=1&tag=2']],
    base64: [['base64("Ada")', 'QWRh']],
    sha256: [['slice(sha256("Ada"), 0, 8)', '99a563ab']],
    uuid: [],
    now: [],
    formatDate: [
      ['formatDate(input.at, "yyyy-MM-dd HH:mm")', '2027-03-05 14:30'],
      ['formatDate(input.at, "EEE d MMM, HH:mm", "Europe/Paris")', 'Fri 5 Mar, 15:30'],
    ],
    addSeconds: [['addSeconds(input.at, 3600)', '2027-03-05T15:30:00.000Z']],
  };
