// What the functions over texts do. Their signatures stand in functions.ts.
import { createHash } from 'node:crypto';
import { encodeForm, formFields } from '../../form.ts';
import type { Json } from '../../json.ts';
import { ExpressionError } from '../errors.ts';
import type { Evaluation } from '../evaluation.ts';
import { testPattern } from '../regex.ts';
import { createSearch } from '../text-search.ts';
import { checkedNumber, isRounded, namesOf, toText } from '../values.ts';
import type { Arguments } from './arguments.ts';

export function match(args: Arguments, how: 'match' | 'search'): boolean {
  // As in RFC 9535: nothing fits no pattern.
  if (args.value(0) === null) return false;
  return testPattern(args.evaluation, how, args.text(0), args.text(1));
}

export function convert(args: Arguments, change: (text: string) => string): string {
  const text = args.text(0);
  args.evaluation.chargeText(text.length * 2);
  return change(text);
}

export function split(args: Arguments): Json {
  const text = args.text(0);
  const separator = args.text(1);
  if (separator === '') {
    args.evaluation.charge(text.length * 4);
    return [...text];
  }
  const places = findPlaces(text, separator, args.evaluation);
  args.evaluation.charge(places.length * 4);
  return cutAt(text, separator, places);
}

export function join(args: Arguments): string {
  const separator = args.count > 1 ? args.text(1) : '';
  const list = args.list(0);
  let length = separator.length * Math.max(0, list.length - 1);
  args.evaluation.chargeText(length);
  const texts: string[] = [];
  for (const element of list) {
    const text = toText(args.evaluation, element);
    length += text.length;
    if (length > 0) args.evaluation.charge(text.length / 16);
    texts.push(text);
  }
  args.evaluation.chargeText(length);
  return texts.join(separator);
}

export function replace(args: Arguments): string {
  const text = args.text(0);
  const find = args.text(1);
  const replacement = args.text(2);
  if (find === '') return args.fail('argument 2 must not be empty');
  const places = findPlaces(text, find, args.evaluation);
  args.evaluation.charge(places.length * 4);
  args.evaluation.chargeText(text.length + places.length * (replacement.length - find.length));
  return cutAt(text, find, places).join(replacement);
}

/** Where `find` stands in the text, from left to right, none within another. */
function findPlaces(text: string, find: string, evaluation: Evaluation): number[] {
  const search = createSearch(find);
  const places: number[] = [];
  for (let at = search(text, 0); at !== -1; at = search(text, at + find.length)) {
    places.push(at);
    evaluation.charge(1);
  }
  return places;
}

function cutAt(text: string, find: string, places: readonly number[]): string[] {
  let from = 0;
  const parts = places.map((at) => {
    const part = text.slice(from, at);
    from = at + find.length;
    return part;
  });
  parts.push(text.slice(from));
  return parts;
}

export function number(args: Arguments): number {
  const value = args.value(0);
  if (typeof value === 'number') return value;
  const text = typeof value === 'string' ? value.trim() : args.refuse(0, 'a string or a number');
  if (text.length > 400 || !/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text))
    return args.fail('argument 1 is a string that is not a number');
  return checkedNumber(Number(text), 'number()');
}

export function parseJson(args: Arguments): Json {
  const text = args.text(0);
  args.evaluation.charge(text.length);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return args.fail('argument 1 is a string that is not JSON');
  }
  checkParsed(value, args, 0);
  return value;
}

function checkParsed(value: Json, args: Arguments, depth: number): void {
  if (typeof value === 'number' && (isRounded(value) || !Number.isFinite(value)))
    args.fail(
      'argument 1 holds an integer beyond 2^53, which would be rounded, or a number that is too large',
    );
  if (typeof value !== 'object' || value === null) return;
  args.evaluation.checkDepth(depth);
  for (const member of Array.isArray(value) ? value : Object.values(value))
    checkParsed(member, args, depth + 1);
}

export function urlEncode(args: Arguments): string {
  const text = args.text(0);
  args.evaluation.chargeText(text.length * 3);
  if (!text.isWellFormed()) return args.fail('the string has a lone surrogate');
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function formEncode(args: Arguments): string {
  const object = args.object(0);
  const names = namesOf(args.evaluation, object);
  let length = 0;
  for (const name of names) {
    const values = [object[name]!].flat() as readonly Json[];
    args.evaluation.charge(values.length * 4);
    for (const value of values)
      length += (name.length + (typeof value === 'object' ? 0 : String(value).length)) * 3 + 2;
    args.evaluation.checkLength(length);
  }
  args.evaluation.chargeText(length);
  const read = formFields(object);
  if (!read.ok) return args.fail(`a form has no nesting, and "${read.name.slice(0, 80)}" holds ${read.got}`);
  return encodeForm(read.fields);
}

export function base64(args: Arguments): string {
  const text = args.text(0);
  args.evaluation.chargeText(text.length * 4);
  return Buffer.from(text, 'utf8').toString('base64');
}

export function sha256(args: Arguments): string {
  const text = args.text(0);
  args.evaluation.charge(text.length / 2);
  if (!text.isWellFormed())
    throw new ExpressionError('expression', 'sha256(): the string has a lone surrogate');
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
