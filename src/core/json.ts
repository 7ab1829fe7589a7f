// JSON values as the engine sees them, and the one test of what PostgreSQL can store as jsonb.

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
 * refuses them), numbers that are not finite or are integers beyond 2^53, functions, symbols, bigints, cycles, depth over
 * {@link MAX_DEPTH}, or more than `maxBytes` of UTF-8. `undefined` members are dropped as JSON.stringify does; a
 * top-level `undefined` is null. Values with `toJSON` (Date) are serialised by it.
 */
export function toStorableJson(value: unknown, maxBytes: number = MAX_VALUE_BYTES): Storable {
  const problem = findUnstorable(value, '$', 0, []);
  if (problem !== null) return { ok: false, code: 'unstorable_output', message: problem };
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

function findUnstorable(value: unknown, at: string, depth: number, parents: object[]): string | null {
  switch (typeof value) {
    case 'string':
      return isStorableText(value) ? null : `${at} holds text with a NUL or a lone surrogate`;
    case 'number':
      if (!Number.isFinite(value)) return `${at} is ${value}, which JSON does not have`;
      return Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 1e21
        ? `${at} is an integer beyond 2^53 and would be rounded; use a string`
        : null;
    case 'boolean':
    case 'undefined':
      return null;
    case 'object':
      break;
    default:
      return `${at} is a ${typeof value}, which JSON does not have`;
  }
  if (value === null) return null;
  if (depth >= MAX_DEPTH) return `${at.slice(0, 80)} is nested deeper than ${MAX_DEPTH} levels`;
  if (parents.includes(value)) return `${at} refers to an object that contains it`;
  parents.push(value);
  let problem: string | null = null;
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    try {
      const plain: unknown = value.toJSON();
      problem = plain === value ? null : findUnstorable(plain, at, depth + 1, parents);
    } catch (error) {
      problem = `${at} cannot be serialised: ${errorText(error)}`;
    }
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length && problem === null; i++)
      problem = findUnstorable(value[i], `${at}[${i}]`, depth + 1, parents);
  } else {
    try {
      for (const [key, member] of Object.entries(value)) {
        if (!isStorableText(key)) problem = `${at} has a key with a NUL or a lone surrogate`;
        else problem = findUnstorable(member, `${at}.${key}`, depth + 1, parents);
        if (problem !== null) break;
      }
    } catch (error) {
      problem = `${at} cannot be read: ${errorText(error)}`;
    }
  }
  parents.pop();
  return problem;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
