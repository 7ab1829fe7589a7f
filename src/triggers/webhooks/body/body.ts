// The body of a verified delivery as JSON, within the bounds of what the engine keeps.
//   B1  What is read is what was sent: nothing is rounded, dropped, replaced or taken twice. What cannot be is refused, but for
//       numbers beyond 2^53, which are kept exactly as texts, with a warning.
//   B2  Costs a bounded time whatever the bytes are, and never throws.

import type { ProblemCode } from '../../../core/codes/code.ts';
import { joinPointer } from '../../../core/definition/pointer.ts';
import { type OutsideRules, readJson } from '../../../core/definition/reading/json-reader.ts';
import type { Problem, Result } from '../../../core/errors.ts';
import { isJsonObject, isStorableText, type Json, storableText } from '../../../core/json.ts';
import { collectLongNumbers, type JsonWarning } from '../../../core/long-numbers.ts';
import { readForm } from './form-body.ts';
import { decodeUtf8 } from './utf8.ts';

/** `warnings`: what was taken otherwise than it was sent. */
export interface ReceivedBody {
  readonly body: Json;
  readonly warnings: readonly JsonWarning[];
}

export const MAX_KEYS = 50_000;
export const MAX_STRING_BYTES = 512 * 1024;
const MAX_PROBLEMS = 20;

/**
 * Reads a verified body. JSON by its content type (also `+json`), or, without one, by its first character. Forms: a
 * name given more than once has a list; a lone field `payload` with JSON, as GitHub and Slack send it, is opened. Any
 * other text is a string, an empty body null. A problem of code `syntax` or `encoding` says that the body is not what it claims to be (400); any
 * other (`too_deep too_many_keys too_long unstorable_text invalid_number duplicate_key`) that it is not acceptable (422).
 * Pointers are into the body.
 */
export function readBody(rawBody: Buffer, contentType: string | null): Result<ReceivedBody> {
  if (rawBody.length === 0) return { ok: true, value: { body: null, warnings: [] } };
  const text = decodeUtf8(rawBody);
  if (text === null) return failure('encoding', 'the body is not UTF-8');
  const longNumbers = collectLongNumbers();
  const read = parse(text.startsWith('\uFEFF') ? text.slice(1) : text, contentType, longNumbers.rules);
  if (!read.ok) return read;
  const problems = findUnacceptable(read.value);
  if (problems.length > 0) return { ok: false, problems };
  const warning = longNumbers.found().warning('the body');
  return { ok: true, value: { body: read.value, warnings: warning === null ? [] : [warning] } };
}

function parse(text: string, contentType: string | null, rules: OutsideRules): Result<Json> {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const looksLikeJson = /^[ \t\r\n]*[{[]/.test(text);
  if (type === 'application/json' || type === 'text/json' || type.endsWith('+json'))
    return parseJson(text, rules);
  if (type === '') return looksLikeJson ? parseJson(text, rules) : { ok: true, value: text };
  if (type !== 'application/x-www-form-urlencoded') return { ok: true, value: text };
  // A form escapes its braces. This is JSON from a client that was told no type, such as `curl -d`.
  if (looksLikeJson) return parseJson(text, rules);
  const form = readForm(text, MAX_KEYS);
  if (!form.ok) return form;
  const { payload, ...others } = form.value;
  if (typeof payload !== 'string' || Object.keys(others).length > 0 || !/^\s*[{[]/.test(payload)) return form;
  return parseJson(payload, rules);
}

function parseJson(text: string, rules: OutsideRules): Result<Json> {
  const read = readJson(text, rules);
  if (read.ok) return { ok: true, value: read.value as Json };
  const problems = read.problems.slice(0, MAX_PROBLEMS);
  return {
    ok: false,
    problems: problems.map((found) => ({ ...found, pointer: shortPointer(found.pointer) })),
  };
}

function findUnacceptable(body: Json): Problem[] {
  const problems: Problem[] = [];
  const path: (string | number)[] = [];
  let keys = 0;
  const report = (code: ProblemCode, message: string): void => {
    if (problems.length < MAX_PROBLEMS)
      problems.push({ pointer: shortPointer(joinPointer('', ...path)), code, message });
  };
  const checkText = (text: string, what: string): void => {
    if (!isStorableText(text))
      report('unstorable_text', `${what} holds \\u0000 or a lone surrogate, which cannot be stored`);
    if (isLonger(text)) report('too_long', `${what} is longer than ${MAX_STRING_BYTES} bytes`);
  };
  const visit = (value: Json): void => {
    if (typeof value === 'string') checkText(value, 'the text');
    else if (Array.isArray(value))
      value.forEach((item: Json, i) => {
        path.push(i);
        visit(item);
        path.pop();
      });
    else if (isJsonObject(value))
      for (const [key, member] of Object.entries(value)) {
        keys += 1;
        checkText(key, 'a name');
        path.push(key);
        visit(member);
        path.pop();
      }
  };
  visit(body);
  if (keys > MAX_KEYS)
    problems.unshift({
      pointer: '',
      code: 'too_many_keys',
      message: `the body has ${keys} names; the limit is ${MAX_KEYS}`,
    });
  return problems;
}

/** Names in it are the sender's: they may be long, and what cannot be stored. */
function shortPointer(pointer: string): string {
  return storableText(pointer, 500);
}

function isLonger(text: string): boolean {
  return text.length * 3 > MAX_STRING_BYTES && Buffer.byteLength(text) > MAX_STRING_BYTES;
}

function failure(code: ProblemCode, message: string): Result<never> {
  return { ok: false, problems: [{ pointer: '', code, message }] };
}
