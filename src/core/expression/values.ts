// Equality, order, size and text of JSON values: without coercion, charged, and bounded in depth.
import type { Json, JsonObject } from '../json.ts';
import { ExpressionError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { createSearch } from './text-search.ts';

/** The JSON type of a value, for messages. */
export function typeName(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** `==`: the same type and the same content; the order of members does not matter. */
export function isDeepEqual(evaluation: Evaluation, a: Json, b: Json, depth = 0): boolean {
  evaluation.charge(1);
  if (typeof a === 'string' && typeof b === 'string') {
    // Charged before it is known; texts of different lengths differ at a glance.
    if (a.length === b.length) evaluation.chargeReading(a);
    return a === b;
  }
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  evaluation.checkDepth(depth);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!isDeepEqual(evaluation, a[i], b[i], depth + 1)) return false;
    return true;
  }
  const left = a as JsonObject;
  const right = b as JsonObject;
  const keys = namesOf(evaluation, left);
  if (keys.length !== namesOf(evaluation, right).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(right, key)) return false;
    if (!isDeepEqual(evaluation, left[key]!, right[key]!, depth + 1)) return false;
  }
  return true;
}

/** Up to so many members V8 keeps the list of an object's names; of more it makes and sorts a list each time. */
const LISTED_NAMES = 100;

/** The names of an object's members, charged. */
export function namesOf(evaluation: Evaluation, object: JsonObject): string[] {
  const names = Object.keys(object);
  if (names.length > LISTED_NAMES) evaluation.charge(names.length * 3);
  return names;
}

/** Negative, 0 or positive by Unicode code points (RFC 9535 2.3.5.2.2); UTF-16 order differs beyond the BMP. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    // A surrogate stands for a code point above every other unit.
    return isSurrogate(left) === isSurrogate(right) ? left - right : isSurrogate(left) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** `a < b` for two numbers or two strings; false for everything else. */
export function isLess(evaluation: Evaluation, a: Json, b: Json): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a !== 'string' || typeof b !== 'string') return false;
  evaluation.charge(Math.min(a.length, b.length) / 16);
  return compareText(a, b) < 0;
}

/** Unicode characters of a text (RFC 9535 counts those, not UTF-16 units). */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--;
      i++;
    }
  }
  return count;
}

/** Characters of the value's JSON, at least; throws where it would be more than 16 million or too deep. */
export function measureJson(evaluation: Evaluation, value: Json): number {
  let size = 0;
  const visit = (item: Json, depth: number): void => {
    evaluation.charge(1);
    if (typeof item === 'string') size += escapedLength(evaluation, item);
    else if (typeof item !== 'object' || item === null) size += 5;
    else {
      evaluation.checkDepth(depth);
      size += 2;
      if (Array.isArray(item)) for (const element of item) visit(element, depth + 1);
      else
        for (const key of namesOf(evaluation, item as JsonObject)) {
          size += escapedLength(evaluation, key) + 1;
          visit((item as JsonObject)[key]!, depth + 1);
        }
    }
    evaluation.checkLength(size);
  };
  visit(value, 0);
  return size;
}

function escapedLength(evaluation: Evaluation, text: string): number {
  // Twice: it is measured here and written later.
  evaluation.chargeReading(text, 2);
  if (text.length < 1000) return text.length + 3;
  evaluation.checkLength(text.length);
  // Each escape doubles under the next json(); counting them stops that doubling before it is built.
  return JSON.stringify(text).length + 1;
}

/** JSON text of a value, bounded. */
export function toJsonText(evaluation: Evaluation, value: Json): string {
  measureJson(evaluation, value);
  return JSON.stringify(value);
}

/** A text that is the same for equal values and for no others: members sorted, -0 as 0. */
export function canonicalKey(evaluation: Evaluation, value: Json): string {
  measureJson(evaluation, value);
  return canonical(value);
}

function canonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key]!)}`);
  return `{${members.join(',')}}`;
}

/** How a value stands inside a longer text: a string as it is, null as nothing, the rest as JSON. */
export function toText(evaluation: Evaluation, value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : toJsonText(evaluation, value);
}

/** An integer beyond 2^53, by the rule of json.ts: from 1e21 on JSON writes numbers as floats anyway. */
export function isRounded(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 1e21;
}

/** A result that JSON can carry exactly; `what` names the operation for the message. */
export function checkedNumber(value: number, what: string): number {
  if (!Number.isFinite(value))
    throw new ExpressionError('expression', `${what} gives no finite number (a division by zero?)`);
  if (Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new ExpressionError('expression', `${what} gives an integer beyond 2^53, which would be rounded`);
  return value === 0 ? 0 : value;
}

/** `value in container`: an element of an array, a key of an object, a part of a string; null for other containers. */
export function isMember(evaluation: Evaluation, value: Json, container: Json): boolean | null {
  if (typeof container === 'string') {
    if (typeof value !== 'string') return false;
    evaluation.chargeReading(container);
    evaluation.chargeReading(value, 2);
    return createSearch(value)(container, 0) !== -1;
  }
  if (typeof container !== 'object' || container === null) return null;
  if (Array.isArray(container))
    return container.some((element: Json) => isDeepEqual(evaluation, element, value));
  if (typeof value !== 'string') return false;
  evaluation.chargeReading(value);
  return Object.hasOwn(container, value);
}
