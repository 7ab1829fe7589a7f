// Tables of a JSON Schema's fields, as documents show them.
import { isJsonObject, type Json, type JsonObject } from '../../../src/core/json.ts';

/** A row for each field that this release has. */
export function fieldTable(schema: JsonObject): string {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  const rows = Object.entries(properties).flatMap(([name, field]) => {
    if (!isJsonObject(field) || field['x-not-supported'] !== undefined) return [];
    const needed = required.includes(name) ? ' (required)' : '';
    return [[`\`${name}\`${needed}`, typeOf(field), meaningOf(field)]];
  });
  return table(['field', 'type', 'meaning'], rows);
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), `| ${header.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ');
export const code = (value: Json) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** Of an object, or of the objects of a list. */
function memberNames(field: JsonObject): string {
  const { properties } = isJsonObject(field.items) ? field.items : field;
  const names = isJsonObject(properties) ? Object.keys(properties) : [];
  return names.length === 0 ? '' : `Fields: ${names.map(code).join(', ')}.`;
}

function typeOf(field: JsonObject): string {
  if (field.const !== undefined) return code(field.const);
  if (Array.isArray(field.enum)) return field.enum.map(code).join(', ');
  if (Array.isArray(field.anyOf))
    return field.anyOf.map((one) => (isJsonObject(one) ? typeOf(one) : 'any')).join(' or ');
  const types = [field.type].flat().filter((type) => typeof type === 'string');
  return types.length === 0 ? 'any' : types.map((type) => type + boundsOf(field, type)).join(' or ');
}

function boundsOf(field: JsonObject, type: string): string {
  if (type !== 'integer' && type !== 'number') return '';
  const { minimum, maximum, exclusiveMinimum } = field;
  const least =
    exclusiveMinimum === undefined
      ? minimum === undefined
        ? ''
        : ` from ${minimum}`
      : ` above ${exclusiveMinimum}`;
  return least + (maximum === undefined ? '' : ` to ${maximum}`);
}

function meaningOf(field: JsonObject): string {
  const { description, default: preset, examples } = field;
  const parts = [
    typeof description === 'string' ? description.replace(/\{\{ (\w+) \}\}/g, '`{{ $1 }}`') : '',
    memberNames(field),
    preset === undefined ? '' : `Default: ${code(preset)}.`,
    Array.isArray(examples) && examples.length > 0 ? `Such as ${code(examples[0]!)}.` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}
