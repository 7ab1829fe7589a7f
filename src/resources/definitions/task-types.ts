// What definitions are checked by: the task types of this process, and those that workers have registered. A worker that has a type
// runs it, whether or not the process that saves the definition does.
import { BUILTIN_TASK_TYPES } from '../../core/definition/schema/builtin-types.ts';
import { customTaskType, type TaskTypeRule } from '../../core/definition/task-type.ts';
import { canonicalJson, type JsonObject } from '../../core/json.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { readTaskTypeSchemas, type TaskTypeSchema } from '../../db/resources/task-types.ts';

/** Types beside the built-in ones. Where schemas of one differ, as while a new one is rolled out, a config may fit any of them. */
export async function knownTaskTypes(
  db: Queryable,
  own: ReadonlyMap<string, TaskTypeRule>,
): Promise<ReadonlyMap<string, TaskTypeRule>> {
  return withRegistered(own, await readTaskTypeSchemas(db));
}

/** As knownTaskTypes, from what was read. */
export function withRegistered(
  own: ReadonlyMap<string, TaskTypeRule>,
  registered: readonly TaskTypeSchema[],
): ReadonlyMap<string, TaskTypeRule> {
  const known = new Map(own);
  for (const [type, schemas] of Map.groupBy(registered, (one) => one.type)) {
    if (BUILTIN_TASK_TYPES.has(type)) continue;
    const live = schemas.filter(({ isLive }) => isLive);
    const rule = own.get(type);
    // What no worker has any more counts where nothing else is known: its workers may be restarting.
    const others = live.length > 0 || rule !== undefined ? live : schemas.slice(0, 1);
    const all = [
      ...(rule === undefined ? [] : [rule.configSchema]),
      ...others.map((one) => one.configSchema),
    ];
    const different = [...new Map(all.map((schema) => [canonicalJson(schema), schema])).values()];
    known.set(type, { ...rule, ...customTaskType(type, { configSchema: eitherOf(different) }) });
  }
  return known;
}

function eitherOf(schemas: readonly JsonObject[]): JsonObject {
  return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
}
