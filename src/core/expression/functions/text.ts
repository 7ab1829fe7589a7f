// What the functions over texts do. Their signatures stand in functions.ts.
import { createHash } from 'node:crypto';
import type { Json } from '../../json.ts';
import { ExpressionError } from '../errors.ts';
import type { Evaluation } from '../evaluation.ts';
import { testPattern } from '../regex.ts';
import { checkedNumber, isRounded, toText } from '../values.ts';
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
  args.evaluation.charge(text.length / 16);
  if (separator === '') {
    args.evaluation.charge(text.length * 4);
    return [...text];
  }
  args.evaluation.charge(countOccurrences(text, separator, args.evaluation) * 4);
  return text.split(separator);
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
  args.evaluation.charge(text.length / 16);
  const occurrences = countOccurrences(text, find, args.evaluation);
  args.evaluation.charge(occurrences * 4);
  args.evaluation.chargeText(text.length + occurrences * (replacement.length - find.length));
  return text.split(find).join(replacement);
}

function countOccurrences(text: string, find: string, evaluation: Evaluation): number {
  let occurrences = 0;
  for (let at = text.indexOf(find); at !== -1; at = text.indexOf(find, at + find.length)) {
    occurrences++;
    evaluation.charge(1);
  }
  return occurrences;
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
