// application/x-www-form-urlencoded, as the WHATWG URL standard writes it: fields in their order, a list repeats its name, null is
// left out. A form has no nesting: whoever wants one says how it is flattened.
import { isJsonObject, type Json, type JsonObject } from './json.ts';

export type FormField = readonly [name: string, value: string];

/** The fields; or the first member that a form cannot hold. */
export function formFields(
  object: JsonObject,
):
  | { readonly ok: true; readonly fields: readonly FormField[] }
  | { readonly ok: false; readonly name: string; readonly got: string } {
  const fields: FormField[] = [];
  for (const [name, value] of Object.entries(object))
    for (const one of Array.isArray(value) ? (value as readonly Json[]) : [value]) {
      if (one === null) continue;
      if (typeof one === 'object')
        return { ok: false, name, got: isJsonObject(one) ? 'an object' : 'a list' };
      fields.push([name, String(one)]);
    }
  return { ok: true, fields };
}

/** Lone surrogates become U+FFFD, as everywhere in URLs. */
export function encodeForm(fields: readonly FormField[]): string {
  return new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString();
}
