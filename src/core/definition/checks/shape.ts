// What is known without running: the schema that a mapping's value will surely fit, and whether a schema excludes a path.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { resolvePointer } from '../pointer.ts';
import { isTemplate } from '../template.ts';

/** Of one path. */
const MAX_STEPS = 2000;
/** Of all paths of a document together: about 0.1 s. What is not looked at is not excluded. */
const MAX_DOCUMENT_STEPS = 1_000_000;
/** Steps of each name that is listed, for a hint that names one. */
const STEPS_OF_NAME = 3;

/** What the paths of one document may take together. */
export class ExclusionBudget {
  left = MAX_DOCUMENT_STEPS;
}

/** Objects and lists of a mapping keep their shape; what a text becomes is unknown. */
export function shapeOf(mapping: Json, depth = 0): JsonObject {
  if (depth > 20) return {};
  if (Array.isArray(mapping)) return { type: 'array' };
  if (isJsonObject(mapping)) {
    if (Object.keys(mapping).length > 500 || Object.keys(mapping).some(isTemplate)) return { type: 'object' };
    const properties: Record<string, Json> = {};
    for (const [key, value] of Object.entries(mapping)) properties[key] = shapeOf(value, depth + 1);
    return { type: 'object', properties, additionalProperties: false };
  }
  if (typeof mapping === 'number') return { type: 'number' };
  if (typeof mapping === 'boolean') return { type: 'boolean' };
  return {};
}

/** Where a path leaves what a schema allows: `known` are the names at that place. */
export interface Exclusion {
  readonly segment: string | number;
  /** Position of the segment in the path. */
  readonly at: number;
  readonly known: readonly string[];
}

/** The place where no value of the schema can have the path, or null when it may exist. Only proofs count. */
export function excludedBy(
  schema: Json | null,
  path: readonly (string | number)[],
  budget: ExclusionBudget = new ExclusionBudget(),
): Exclusion | null {
  if (schema === null) return null;
  const root = schema;
  let steps = 0;
  const namesOf = (object: JsonObject): string[] => {
    const names = Object.keys(object);
    budget.left -= names.length * STEPS_OF_NAME;
    return names;
  };

  const walk = (current: Json, at: number, refs: number): Exclusion | null => {
    const segment = path[at];
    if (segment === undefined || ++steps > MAX_STEPS || --budget.left < 0) return null;
    if (current === false) return { segment, at, known: [] };
    if (!isJsonObject(current)) return null;
    if (typeof current.$ref === 'string') {
      if (refs > 20 || !current.$ref.startsWith('#')) return null;
      const target = resolvePointer(root, decodeFragment(current.$ref.slice(1)));
      const exclusion = target.found ? walk(target.value as Json, at, refs + 1) : null;
      if (exclusion !== null) return exclusion;
    }
    if (Array.isArray(current.allOf)) {
      for (const part of current.allOf as readonly Json[]) {
        const exclusion = walk(part, at, refs + 1);
        if (exclusion !== null) return exclusion;
      }
    }
    for (const alternatives of [current.anyOf, current.oneOf]) {
      if (!Array.isArray(alternatives) || alternatives.length === 0) continue;
      const exclusions = (alternatives as readonly Json[]).map((part) => walk(part, at, refs + 1));
      if (exclusions.every((exclusion) => exclusion !== null))
        return { segment, at, known: exclusions.flatMap((exclusion) => exclusion.known) };
    }
    return typeof segment === 'number' ? intoList(current, at, refs) : intoObject(current, segment, at, refs);
  };

  const intoObject = (current: JsonObject, name: string, at: number, refs: number): Exclusion | null => {
    if (!allowsType(current, 'object')) return { segment: name, at, known: [] };
    const properties = isJsonObject(current.properties) ? current.properties : {};
    if (Object.hasOwn(properties, name)) return walk(properties[name] ?? {}, at + 1, refs);
    if (isJsonObject(current.patternProperties) && namesOf(current.patternProperties).length > 0) return null;
    if (current.additionalProperties === false) return { segment: name, at, known: namesOf(properties) };
    return isJsonObject(current.additionalProperties)
      ? walk(current.additionalProperties, at + 1, refs)
      : null;
  };
  const intoList = (current: JsonObject, at: number, refs: number): Exclusion | null => {
    if (!allowsType(current, 'array')) return { segment: path[at] ?? 0, at, known: [] };
    const position = path[at];
    const fixed: readonly Json[] = Array.isArray(current.prefixItems) ? current.prefixItems : [];
    if (typeof position === 'number' && position < 0) return null;
    const item = typeof position === 'number' ? (fixed[position] ?? current.items) : current.items;
    return item === undefined ? null : walk(item, at + 1, refs);
  };
  return walk(schema, 0, 0);
}

function allowsType(schema: JsonObject, type: string): boolean {
  if (schema.type === undefined) return true;
  return Array.isArray(schema.type) ? schema.type.includes(type) : schema.type === type;
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
