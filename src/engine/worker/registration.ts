// What a worker tells others of the task types that it has.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/json.ts';
import type { RegisteredType } from '../../db/protocol/workers.ts';
import type { TaskType } from '../../tasks/task-type.ts';

/** The types of a worker as it registers them; built-in ones without a schema, since every installation has it. */
export function registeredTypesOf(types: ReadonlyMap<string, TaskType>): readonly RegisteredType[] {
  return [...types.values()].map(({ type, rule }) => {
    if (rule === undefined) return { type, config: null };
    const { configSchema: schema } = rule;
    return {
      type,
      config: { schema, hash: createHash('sha256').update(canonicalJson(schema)).digest('hex') },
    };
  });
}
