// Hides secret values in texts, in every form in which they are likely to come back: as they are, JSON-escaped (also
// twice), URL-encoded, in base64 at any alignment (also url-safe), in hex.
import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** What stands in place of a secret. */
export const REDACTED = '[redacted]';
/** Shorter values are no secrets: hiding them would deform texts that happen to contain them. */
export const MIN_SECRET_LENGTH = 8;

export type Redact = (text: string) => string;

/** Leaves every text as it is. */
export const redactNothing: Redact = (text) => text;

/** A function that hides these values (those of 8 characters and more) in a text. */
export function createRedact(secrets: Iterable<string>): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_LENGTH) continue;
    for (const form of formsOf(secret)) forms.add(form);
  }
  if (forms.size === 0) return redactNothing;
  // Longer ones first: a form may contain another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const form of ordered) if (clean.includes(form)) clean = clean.replaceAll(form, REDACTED);
    return clean;
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

function* formsOf(secret: string): Iterable<string> {
  yield secret;
  const once = JSON.stringify(secret).slice(1, -1);
  yield once;
  yield JSON.stringify(once).slice(1, -1);
  yield once.replaceAll('/', '\\/');
  const encoded = encodeURIComponent(secret.toWellFormed());
  yield encoded;
  yield encoded.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const form = new URLSearchParams({ s: secret.toWellFormed() }).toString().slice(2);
  yield form;
  yield form.replaceAll('+', '%20');
  yield encodeURI(secret.toWellFormed());
  const bytes = Buffer.from(secret);
  yield bytes.toString('hex');
  yield bytes.toString('hex').toUpperCase();
  for (const before of [0, 1, 2]) {
    const base64 = base64Within(bytes, before);
    if (base64.length < MIN_SECRET_LENGTH) continue;
    yield base64;
    yield base64.replaceAll('+', '-').replaceAll('/', '_');
    yield encodeURIComponent(base64);
  }
}

// The characters of base64 that the secret alone determines when `before` bytes stand before it in its group of three.
function base64Within(bytes: Buffer, before: number): string {
  const all = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = [0, 2, 3][before]!;
  return all.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
}
