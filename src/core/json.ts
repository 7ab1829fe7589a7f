// JSON values as the engine sees them, and the one test of what PostgreSQL can store as jsonb.
import { lossOf } from './json-loss.ts';

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. Keys may be user text: read them with `Object.hasOwn`, never by the prototype chain. */
export type JsonObject = { readonly [key: string]: Json };

/** True for plain JSON objects (not null, not arrays). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Depth above which a value is refused: PostgreSQL and V8 both still manage it with room to spare. */
export const MAX_DEPTH = 256;
/** Values and names of members in one document. An empty object takes two bytes of JSON and sixty of memory. */
export const MAX_VALUES = 2_000_000;
/** Bytes (UTF-8 JSON) of one input, output or checkpoint. */
export const MAX_VALUE_BYTES = 1_000_000;
/** Bytes (UTF-8 JSON) of a value that is assembled from several (fan-out results, execution outputs). */
export const MAX_ASSEMBLED_BYTES = 16_000_000;

export type Storable =
  | { readonly ok: true; readonly json: string }
  | {
      readonly ok: false;
      readonly code: 'unstorable_output' | 'payload_too_large';
      readonly message: string;
    };

/**
 * Serialises a value for a jsonb column, or says why it cannot be stored: `\u0000` and lone surrogates (PostgreSQL
 * refuses them), numbers that are not finite or are integers beyond 2^53, what JSON would lose (json-loss.ts), cycles, depth
 * over {@link MAX_DEPTH}, more than {@link MAX_VALUES} values, or more than `maxBytes` of UTF-8. `undefined` members are
 * dropped as JSON.stringify does; a top-level `undefined` is null; -0 is 0. Values with `toJSON` (Date) are serialised by it.
 */
export function toStorableJson(value: unknown, maxBytes: number = MAX_VALUE_BYTES): Storable {
  const budget = { left: maxBytes, values: MAX_VALUES };
  const problem = findUnstorable(value, '$', [], budget);
  if (problem !== null) return { ok: false, code: 'unstorable_output', message: problem };
  if (budget.values < 0)
    return { ok: false, code: 'payload_too_large', message: `holds more than ${MAX_VALUES} values` };
  if (budget.left < 0) {
    return { ok: false, code: 'payload_too_large', message: `is more than ${maxBytes} bytes of JSON` };
  }
  let json: string;
  try {
    json = JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch (error) {
    return { ok: false, code: 'unstorable_output', message: `cannot be serialised: ${errorText(error)}` };
  }
  const bytes = json.length * 3 <= maxBytes ? 0 : Buffer.byteLength(json);
  if (bytes > maxBytes)
    return {
      ok: false,
      code: 'payload_too_large',
      message: `is ${bytes} bytes of JSON; the limit is ${maxBytes}`,
    };
  return { ok: true, json };
}

/** True when PostgreSQL can store the text: no NUL, no lone surrogate. */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Makes any text storable and bounded: for error messages and log lines, which must never fail themselves. */
export function storableText(text: string, maxLength = 4000): string {
  const safe = text.toWellFormed().replaceAll('\u0000', '\uFFFD');
  return safe.length <= maxLength ? safe : `${safe.slice(0, maxLength).toWellFormed()}…`;
}

interface Budget {
  left: number;
  values: number;
}

// `budget` counts down the bytes that the value takes at the least, and its values; once they are used up the walk ends, so
// that a value that is small in memory and huge as JSON (shared parts) costs no more than one that fits.
function findUnstorable(value: unknown, at: string, parents: object[], budget: Budget): string | null {
  budget.left -= 1;
  budget.values -= 1;
  switch (typeof value) {
    case 'string':
      budget.left -= value.length + 1;
      if (budget.left < 0) return null;
      return isStorableText(value) ? null : `${shortPlace(at)} holds text with a NUL or a lone surrogate`;
    case 'number':
      budget.left -= writtenOutDigits(value);
      if (!Number.isFinite(value)) return `${shortPlace(at)} is ${value}, which JSON does not have`;
      return Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 1e21
        ? `${shortPlace(at)} is an integer beyond 2^53 and would be rounded; use a string`
        : null;
    case 'boolean':
    case 'undefined':
      return null;
    case 'object':
      break;
    default:
      return `${shortPlace(at)} is a ${typeof value}, which JSON does not have`;
  }
  if (value === null) return null;
  if (parents.length >= MAX_DEPTH) return `${shortPlace(at)} is nested deeper than ${MAX_DEPTH} levels`;
  if (parents.includes(value)) return `${shortPlace(at)} refers to an object that contains it`;
  parents.push(value);
  const problem = findInside(value, at, parents, budget);
  parents.pop();
  return problem;
}

/**
 * Digits that JSON.stringify does not write and PostgreSQL does: it writes 1e300 out in full, so that 1 MB of such numbers
 * would be 50 MB wherever it is read again.
 */
export function writtenOutDigits(value: number): number {
  const magnitude = Math.abs(value);
  const isPlain = (magnitude < 1e21 && magnitude >= 1e-6) || magnitude === 0 || !Number.isFinite(magnitude);
  return isPlain ? 0 : Math.ceil(Math.abs(Math.log10(magnitude)));
}

function findInside(value: object, at: string, parents: object[], budget: Budget): string | null {
  try {
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      const plain: unknown = value.toJSON();
      if (value instanceof Date && plain === null) return `${at} is an invalid date`;
      // One that answers with itself is written by its members.
      if (plain !== value) return findUnstorable(plain, at, parents, budget);
    }
    const loss = lossOf(value);
    if (loss !== null) return `${at} is ${loss}`;
    if (Array.isArray(value)) {
      if (value.length > budget.left) budget.left = -1;
      for (let i = 0; i < value.length && budget.left >= 0 && budget.values >= 0; i++) {
        const element: unknown = value[i];
        if (element === undefined)
          return `${at}[${i}] is ${i in value ? 'undefined' : 'a hole'}, which JSON would make null; use null`;
        const problem = findUnstorable(element, `${at}[${i}]`, parents, budget);
        if (problem !== null) return problem;
      }
      return null;
    }
    for (const [key, member] of Object.entries(value)) {
      budget.left -= key.length + 3;
      budget.values -= 1;
      if (budget.left < 0 || budget.values < 0) return null;
      if (!isStorableText(key)) return `${shortPlace(at)} has a key with a NUL or a lone surrogate`;
      const problem = findUnstorable(member, `${at}.${key}`, parents, budget);
      if (problem !== null) return problem;
    }
    return null;
  } catch (error) {
    return `${shortPlace(at)} cannot be read: ${errorText(error)}`;
  }
}

// Names are as long as their author likes.
function shortPlace(at: string): string {
  return storableText(at, 200);
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same text for the same value: object keys in code point order, so that the order of writing makes no difference. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
