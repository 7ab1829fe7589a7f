// The body that an external_api sends: a text as it is; anything else as JSON, or, where the Content-Type that the author wrote
// says so, as a form, or as parts with files.
import type { NodeDefinition } from '../../core/definition/model.ts';
import { encodeForm, formFields } from '../../core/form.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { describe } from '../compile-config.ts';
import { invalid } from './fields.ts';

export interface RequestBody {
  readonly bytes: Buffer;
  /** With its boundary, where it has one. */
  readonly contentType: string;
  /** Takes the place of what the author wrote. */
  readonly replacesType: boolean;
}

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** `contentType`: as the author wrote it. Null: no body. */
export async function encodeBody(
  node: NodeDefinition,
  value: Json,
  contentType: string | undefined,
): Promise<RequestBody | null> {
  if (value === null) return null;
  if (typeof value === 'string')
    return { bytes: Buffer.from(value), contentType: 'text/plain; charset=utf-8', replacesType: false };
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === FORM) {
    const text = encodeForm(fieldsOf(node, value, FORM));
    return { bytes: Buffer.from(text), contentType: FORM, replacesType: false };
  }
  if (type === MULTIPART) return await partsOf(node, value);
  return { bytes: Buffer.from(JSON.stringify(value)), contentType: 'application/json', replacesType: false };
}

function fieldsOf(node: NodeDefinition, value: Json, type: string) {
  const read = formFields(formOf(node, value, type));
  if (read.ok) return read.fields;
  throw invalid(
    node,
    `config.body${placeOf(read.name)} is ${read.got}, which a form (${type}) cannot hold: flatten it, write it as text with json(…), or send JSON`,
  );
}

function formOf(node: NodeDefinition, value: Json, type: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(
    node,
    `config.body must be an object of fields, as it is sent as ${type}; got ${describe(value)}`,
  );
}

/** By the platform's own encoder. A file is `{ base64, filename?, contentType? }`, as `responseType: bytes` gives one. */
async function partsOf(node: NodeDefinition, value: Json): Promise<RequestBody> {
  const form = new FormData();
  for (const [name, member] of Object.entries(formOf(node, value, MULTIPART)))
    for (const one of Array.isArray(member) ? (member as readonly Json[]) : [member]) {
      if (one === null) continue;
      if (!isJsonObject(one)) {
        if (typeof one === 'object')
          throw invalid(node, `config.body${placeOf(name)} holds a list in a list, which no form can hold`);
        form.append(name, String(one));
        continue;
      }
      const { blob, filename } = fileOf(node, name, one);
      form.append(name, blob, filename);
    }
  const encoded = new Response(form);
  return {
    bytes: Buffer.from(await encoded.arrayBuffer()),
    contentType: encoded.headers.get('content-type')!,
    replacesType: true,
  };
}

function fileOf(node: NodeDefinition, name: string, file: JsonObject): { blob: Blob; filename: string } {
  const place = `config.body${placeOf(name)}`;
  const { base64, filename = name, contentType = null } = file;
  if (typeof base64 !== 'string')
    throw invalid(
      node,
      `${place} is an object: a part is a text, a number, a boolean, or a file { base64, filename, contentType }`,
    );
  if (!BASE64.test(base64)) throw invalid(node, `${place}.base64 is not base64`);
  if (typeof filename !== 'string')
    throw invalid(node, `${place}.filename must be a text, got ${describe(filename)}`);
  if (contentType !== null && typeof contentType !== 'string')
    throw invalid(node, `${place}.contentType must be a text, got ${describe(contentType)}`);
  const blob = new Blob([Buffer.from(base64, 'base64')], {
    type: contentType ?? 'application/octet-stream',
  });
  return { blob, filename };
}

function placeOf(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]{0,80}$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 80))}]`;
}
