// application/x-www-form-urlencoded as JSON. Unlike URLSearchParams it refuses bytes that are not UTF-8.
import type { ProblemCode } from '../../../core/codes/code.ts';
import type { Result } from '../../../core/errors.ts';
import { setOwn } from '../../../core/expression/scope.ts';
import type { Json } from '../../../core/json.ts';
import { decodeUtf8 } from './utf8.ts';

const PERCENT = 0x25;

/** The fields in their order; one given more than once has a list. A "%" that begins no escape stands for itself. */
export function readForm(text: string, maxFields: number): Result<Record<string, Json>> {
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > maxFields)
    return failure('too_many_keys', `the form has ${pairs.length} fields; the limit is ${maxFields}`);
  const fields = new Map<string, string[]>();
  for (const pair of pairs) {
    const cut = pair.indexOf('=');
    const name = unescapeText(cut === -1 ? pair : pair.slice(0, cut));
    const value = cut === -1 ? '' : unescapeText(pair.slice(cut + 1));
    if (name === null || value === null)
      return failure('encoding', 'the form holds escapes that are not UTF-8');
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  const form: Record<string, Json> = {};
  for (const [name, values] of fields) setOwn(form, name, values.length === 1 ? values[0]! : values);
  return { ok: true, value: form };
}

function unescapeText(escaped: string): string | null {
  const text = escaped.replaceAll('+', ' ');
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const hex = bytes[at] === PERCENT ? bytes.toString('latin1', at + 1, at + 3) : '';
    const isEscape = /^[0-9A-Fa-f]{2}$/.test(hex);
    bytes[length++] = isEscape ? Number.parseInt(hex, 16) : bytes[at]!;
    if (isEscape) at += 2;
  }
  return decodeUtf8(bytes.subarray(0, length));
}

function failure(code: ProblemCode, message: string): Result<never> {
  return { ok: false, problems: [{ pointer: '', code, message }] };
}
