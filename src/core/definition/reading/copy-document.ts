// Copies any JavaScript value into plain JSON, or says at which pointers it is not JSON that we can store. After this
// no getter, prototype, hole, cycle or forbidden key of the author's object can reach the rest of the validation.
import type { ProblemCode } from '../../codes/code.ts';
import type { Problem, Result } from '../../errors.ts';
import { isStorableText, type Json, MAX_DEPTH, MAX_VALUES } from '../../json.ts';
import { toldPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';

export const MAX_DOCUMENT_BYTES = 10_000_000;
const MAX_MEMBERS = 100_000;
const MAX_PROBLEMS = 100;
/** Characters of one name, and of all names on the way to a value: every step of the validation writes such paths. */
const MAX_NAME_CHARS = 1_000;
const MAX_PATH_CHARS = 4_000;
/** Compiling one template takes about 15 microseconds. */
const MAX_TEMPLATES = 200_000;
const MAX_TEMPLATES_PER_TEXT = 1000;

/** Keys that could reach a prototype if any code ever assigned by them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

class Stop extends Error {}

/** A deep, plain copy. `maxBytes` bounds the JSON text (aliases of a YAML document counted as often as they are used). */
export function copyDocument(document: unknown, maxBytes = MAX_DOCUMENT_BYTES): Result<Json> {
  const problems: Problem[] = [];
  const path: (string | number)[] = [];
  let values = 0;
  let size = 0;
  let templates = 0;
  let pathChars = 0;

  const report = (code: ProblemCode, message: string, hint?: string): null => {
    problems.push({ pointer: toldPointer(path), code, message, ...(hint !== undefined && { hint }) });
    if (problems.length >= MAX_PROBLEMS) throw new Stop();
    return null;
  };
  const grow = (bytes: number): void => {
    values += 1;
    size += bytes;
    if (values <= MAX_VALUES && size <= maxBytes) return;
    path.length = 0;
    report('too_large', `the document is larger than ${maxBytes} bytes or ${MAX_VALUES} values`);
    throw new Stop();
  };

  const copyText = (text: string): Json => {
    grow(text.length + 3);
    if (!isStorableText(text))
      return report('unstorable_text', 'text with a NUL character or a lone surrogate cannot be stored');
    const count = text.startsWith('$') ? 1 : countTemplates(text);
    templates += count;
    if (count > MAX_TEMPLATES_PER_TEXT)
      return report('too_large', `more than ${MAX_TEMPLATES_PER_TEXT} templates in one text`);
    if (templates > MAX_TEMPLATES) {
      path.length = 0;
      report('too_large', `more than ${MAX_TEMPLATES} templates in one document`);
      throw new Stop();
    }
    return text;
  };
  const copy = (value: unknown): Json => {
    switch (typeof value) {
      case 'string':
        return copyText(value);
      case 'boolean':
        grow(6);
        return value;
      case 'number':
        grow(4);
        return numberProblem(value) === null ? value : report('invalid_number', numberProblem(value) ?? '');
      case 'object':
        if (value !== null) return copyObject(value);
        grow(5);
        return null;
      default:
        return report('not_json', `${value === undefined ? 'undefined' : `a ${typeof value}`} is not JSON`);
    }
  };
  const copyObject = (value: object): Json => {
    grow(3);
    if (path.length >= MAX_DEPTH) {
      path.length = 8;
      report('too_deep', `nested deeper than ${MAX_DEPTH} levels, or contains itself`);
      throw new Stop();
    }
    if (Array.isArray(value)) {
      if (value.length > MAX_VALUES) {
        report('too_large', `the list has ${value.length} entries; the limit is ${MAX_VALUES}`);
        throw new Stop();
      }
      const list: Json[] = [];
      for (let i = 0; i < value.length; i++) {
        path.push(i);
        list.push(copy(value[i]));
        path.pop();
      }
      return list;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null)
      return report('not_json', 'only plain objects, lists, text, numbers, booleans and null are JSON');
    const keys = Object.keys(value);
    if (keys.length > MAX_MEMBERS)
      return report('too_large', `the object has ${keys.length} members; the limit is ${MAX_MEMBERS}`);
    const object: Record<string, Json> = {};
    for (const key of keys) {
      grow(key.length + 4);
      if (key.length > MAX_NAME_CHARS) {
        report(
          'too_large',
          `the name ${quoteText(key)} has ${key.length} characters; the limit is ${MAX_NAME_CHARS}`,
        );
        continue;
      }
      pathChars += key.length;
      if (pathChars > MAX_PATH_CHARS) {
        report('too_large', `the names on the way to this part have more than ${MAX_PATH_CHARS} characters`);
        throw new Stop();
      }
      path.push(key);
      if (FORBIDDEN_KEYS.has(key))
        report('forbidden_key', `the name ${quoteText(key)} is refused everywhere`, 'choose another name');
      else if (!isStorableText(key)) {
        path.pop();
        report('unstorable_text', `the name ${quoteText(key)} has a NUL character or a lone surrogate`);
        path.push(key);
      } else object[key] = copy((value as Record<string, unknown>)[key]);
      path.pop();
      pathChars -= key.length;
    }
    return object;
  };

  try {
    const value = copy(document);
    return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
  } catch (error) {
    if (!(error instanceof Stop))
      problems.push({ pointer: '', code: 'not_json', message: 'the document cannot be read as JSON' });
    return { ok: false, problems };
  }
}

function numberProblem(value: number): string | null {
  if (!Number.isFinite(value)) return `${value} is not a JSON number (too large, or not a number)`;
  return Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 1e21
    ? `the integer ${value} is beyond 2^53 and would be rounded; use a string`
    : null;
}

function countTemplates(text: string): number {
  let count = 0;
  for (
    let at = text.indexOf('{{');
    at !== -1 && count <= MAX_TEMPLATES_PER_TEXT;
    at = text.indexOf('{{', at + 2)
  )
    count += 1;
  return count;
}
