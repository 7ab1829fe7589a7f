// The names that each object of a definition may have, for rewriting and for hints: read off the schema, so that there is
// one list. Also the translation of the seeds' spellings into ours.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';

/** Member names of an object schema. */
export function fieldNames(schema: Json | undefined): readonly string[] {
  if (!isJsonObject(schema) || !isJsonObject(schema.properties)) return [];
  return Object.keys(schema.properties);
}

/** `depends_on` -> `dependsOn`; a name without underscores stays as it is. */
export function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export type Renamed = {
  readonly object: JsonObject;
  /** Pairs of the author's name and ours. */
  readonly renamed: readonly (readonly [string, string])[];
};

/**
 * Gives an object our names: `aliases` first, then snake_case. A name that is known stays; one whose translation is
 * unknown or already present stays too, and is reported later as an unknown field.
 */
export function renameFields(
  object: JsonObject,
  known: ReadonlySet<string>,
  aliases: ReadonlyMap<string, string> = new Map(),
): Renamed {
  const renamed: [string, string][] = [];
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) {
    const ours = known.has(name) ? name : (aliases.get(name) ?? camelCase(name));
    const isRename =
      ours !== name && known.has(ours) && !Object.hasOwn(object, ours) && !Object.hasOwn(result, ours);
    if (isRename) renamed.push([name, ours]);
    result[isRename ? ours : name] = value;
  }
  return { object: renamed.length === 0 ? object : result, renamed };
}
