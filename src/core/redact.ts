// Hides secret values in texts, in every form in which they are likely to come back: escaped for HTML, URLs, JSON or
// programs, also several times; in base64 at any alignment, url-safe, broken into lines; in hex; and in two of these, one
// within the other.
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { createSearch } from './redaction/search.ts';

/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

export type Redact = (text: string) => string;

/** Leaves every text as it is. */
export const redactNothing: Redact = (text) => text;

/** A function that hides these values (those of 8 characters and more) in a text; without them the text is the same. */
export function createRedact(secrets: Iterable<string>): Redact {
  const search = createSearch(secrets);
  if (search === null) return redactNothing;
  return (text) => {
    let clean = '';
    let done = 0;
    for (const { start, end } of search(text)) {
      clean += text.slice(done, start) + REDACTED;
      done = end;
    }
    return done === 0 ? text : clean + text.slice(done);
  };
}

/** The value with every text in it redacted, member names included; the same value where nothing was hidden. */
export function redactJson(value: Json, redact: Redact): Json {
  if (redact === redactNothing) return value;
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'number') {
    const text = String(value);
    const clean = redact(text);
    return clean === text ? value : clean;
  }
  if (Array.isArray(value)) return redactList(value as readonly Json[], redact);
  return isJsonObject(value) ? redactObject(value, redact) : value;
}

function redactList(list: readonly Json[], redact: Redact): readonly Json[] {
  let clean: Json[] | null = null;
  for (let i = 0; i < list.length; i++) {
    const item = redactJson(list[i]!, redact);
    if (clean === null && item !== list[i]) clean = list.slice(0, i);
    clean?.push(item);
  }
  return clean ?? list;
}

function redactObject(object: JsonObject, redact: Redact): JsonObject {
  let clean: Record<string, Json> | null = null;
  const names = Object.keys(object);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const cleanName = redact(name);
    const member = redactJson(object[name]!, redact);
    if (clean === null && (cleanName !== name || member !== object[name])) {
      clean = Object.create(null) as Record<string, Json>;
      for (const before of names.slice(0, i)) clean[before] = object[before]!;
    }
    if (clean !== null) clean[cleanName] = member;
  }
  return clean ?? object;
}
