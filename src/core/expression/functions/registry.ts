// The table of functions: name, signature, arity, meaning. The only things an expression can call.
import type { Json, JsonObject } from '../../json.ts';
import { lengthOf } from '../path/filter.ts';
import { checkedNumber, isMember, namesOf, toJsonText, toText } from '../values.ts';
import type { Arguments } from './arguments.ts';
import * as lists from './lists.ts';
import * as texts from './text.ts';
import * as times from './time.ts';

export interface FunctionSpec {
  /** For people: arguments and result. */
  readonly signature: string;
  readonly least: number;
  readonly most: number;
  /** Missing arguments arrive as null. */
  readonly call: (args: Arguments) => Json;
}

/** Functions whose second argument is evaluated for each element of the first, as `item` and `index` (compile.ts). */
export const OVER_ELEMENTS: ReadonlySet<string> = new Set(['map', 'filter']);

const MANY = 255;

function spec(signature: string, least: number, most: number, call: (args: Arguments) => Json): FunctionSpec {
  return { signature, least, most, call };
}

export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map(
  Object.entries({
    // `exists` is answered by the compiler, which sees the path itself; it is here for its arity and signature.
    exists: spec('exists(path) -> true when the path is there, also when it is null', 1, 1, () => true),
    count: spec('count(array | object | null) -> elements or members; 0 for null', 1, 1, count),
    length: spec(
      'length(string | array | object) -> characters, elements or members; null for others',
      1,
      1,
      length,
    ),
    contains: spec(
      'contains(string | array | object | null, value) -> boolean, as `value in it`',
      2,
      2,
      contains,
    ),
    startsWith: spec(
      'startsWith(string | null, string) -> boolean',
      2,
      2,
      (a) => a.value(0) !== null && a.text(0).startsWith(a.text(1)),
    ),
    endsWith: spec(
      'endsWith(string | null, string) -> boolean',
      2,
      2,
      (a) => a.value(0) !== null && a.text(0).endsWith(a.text(1)),
    ),
    match: spec('match(string | null, RE2 pattern) -> whether the whole string fits', 2, 2, (a) =>
      texts.match(a, 'match'),
    ),
    search: spec('search(string | null, RE2 pattern) -> whether a part of it fits', 2, 2, (a) =>
      texts.match(a, 'search'),
    ),
    lower: spec('lower(string) -> string', 1, 1, (a) => texts.convert(a, (text) => text.toLowerCase())),
    upper: spec('upper(string) -> string', 1, 1, (a) => texts.convert(a, (text) => text.toUpperCase())),
    trim: spec('trim(string) -> string', 1, 1, (a) => texts.convert(a, (text) => text.trim())),
    split: spec('split(string, separator) -> array; "" separates all characters', 2, 2, texts.split),
    join: spec('join(array, separator = "") -> string; elements as in a template', 1, 2, texts.join),
    replace: spec('replace(string, find, replacement) -> every occurrence, literally', 3, 3, texts.replace),
    slice: spec(
      'slice(string | array, start, end?) -> from start up to end, negative from the back',
      2,
      3,
      lists.slice,
    ),
    keys: spec('keys(object) -> array of names', 1, 1, (a) => namesOf(a.evaluation, a.object(0))),
    lookup: spec(
      'lookup(object | array | null, name | index, fallback = null) -> its member or element, or the fallback where it is missing or null',
      2,
      3,
      lists.lookup,
    ),
    // The compiler evaluates these two, which see the elements; they are here for their arity and signature.
    map: spec(
      'map(array, expression of item and index) -> what the expression gives for each element',
      2,
      2,
      (a) => a.list(0),
    ),
    filter: spec('filter(array, condition of item and index) -> the elements for which it holds', 2, 2, (a) =>
      a.list(0),
    ),
    merge: spec(
      'merge(object, …) or merge(array of objects) -> one object, later members win',
      1,
      MANY,
      lists.merge,
    ),
    concat: spec('concat(array, …) or concat(string, …) -> all of them in order', 1, MANY, lists.concat),
    unique: spec('unique(array) -> the first of equal elements', 1, 1, lists.unique),
    sort: spec('sort(array of numbers or of strings) or sort(array of objects, member)', 1, 2, lists.sort),
    first: spec('first(array) -> its first element, or null', 1, 1, (a) => a.list(0)[0] ?? null),
    last: spec('last(array) -> its last element, or null', 1, 1, (a) => a.list(0).at(-1) ?? null),
    chunk: spec('chunk(array, size) -> arrays of at most size elements', 2, 2, lists.chunk),
    range: spec(
      'range(end), range(start, end), range(start, end, step) -> whole numbers, without end',
      1,
      3,
      lists.range,
    ),
    sum: spec('sum(array of numbers) or sum(number, …); 0 for none', 1, MANY, (a) =>
      a.numbers().reduce((total, n) => checkedNumber(total + n, 'sum()'), 0),
    ),
    min: spec('min(array of numbers) or min(number, …)', 1, MANY, (a) => lists.extreme(a, (x, y) => x < y)),
    max: spec('max(array of numbers) or max(number, …)', 1, MANY, (a) => lists.extreme(a, (x, y) => x > y)),
    round: spec('round(number, digits = 0) -> number, halves away from zero', 1, 2, lists.round),
    string: spec('string(value) -> as in a template: null is "", others JSON', 1, 1, (a) =>
      toText(a.evaluation, a.value(0)),
    ),
    number: spec('number(string | number) -> number', 1, 1, texts.number),
    json: spec('json(value) -> JSON text', 1, 1, (a) => toJsonText(a.evaluation, a.value(0))),
    parseJson: spec('parseJson(string) -> value', 1, 1, texts.parseJson),
    urlEncode: spec(
      'urlEncode(string) -> percent-encoded, but for letters, digits and -._~',
      1,
      1,
      texts.urlEncode,
    ),
    formEncode: spec(
      'formEncode(object) -> application/x-www-form-urlencoded; a list repeats its name, null is left out',
      1,
      1,
      texts.formEncode,
    ),
    base64: spec('base64(string) -> its UTF-8 in base64', 1, 1, texts.base64),
    sha256: spec('sha256(string) -> of its UTF-8, lower-case hexadecimal', 1, 1, texts.sha256),
    uuid: spec('uuid() -> the same for every attempt of a task, another at each place', 0, 0, times.uuid),
    now: spec('now() -> ISO 8601 UTC, the same for every attempt of a task', 0, 0, times.now),
    formatDate: spec(
      'formatDate(instant, format, timezone = "UTC"), format of yyyy MM dd HH mm ss SSS … -> string',
      2,
      3,
      times.formatDate,
    ),
    addSeconds: spec('addSeconds(instant, number) -> ISO 8601 UTC', 2, 2, times.addSeconds),
  }),
);

function contains(args: Arguments): boolean {
  const container = args.value(0);
  if (container === null) return false;
  return (
    isMember(args.evaluation, args.value(1), container) ?? args.refuse(0, 'a string, an array or an object')
  );
}

function count(args: Arguments): number {
  const value = args.value(0);
  if (value === null) return 0;
  if (typeof value !== 'object') return args.refuse(0, 'an array or an object');
  return Array.isArray(value) ? value.length : namesOf(args.evaluation, value as JsonObject).length;
}

function length(args: Arguments): number | null {
  return lengthOf(args.value(0), args.evaluation) ?? null;
}
