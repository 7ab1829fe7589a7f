// The task types that workers have registered (functions/protocol/task-types.sql), beside the built-in ones.
import type { JsonObject } from '../../core/json.ts';
import type { Queryable } from '../connection/connection.ts';

export interface TaskTypeSchema {
  readonly type: string;
  readonly configSchema: JsonObject;
  /** A live worker has the type with this very schema. */
  readonly isLive: boolean;
}

/** Each schema of each type, those of a type from the newest on. */
export async function readTaskTypeSchemas(db: Queryable): Promise<readonly TaskTypeSchema[]> {
  const { rows } = await db.query<TaskTypeSchema>(
    `with live as materialized (
       select t.key as type, t.value #>> '{}' as hash from dagwright.workers w, jsonb_each(w.types) t
       where w.heartbeat_at > clock_timestamp() - w.lease_seconds * interval '1 second')
     select t.type, t.config_schema as "configSchema",
       exists (select from live where live.type = t.type and live.hash = t.schema_hash) as "isLive"
     from dagwright.task_types t order by t.type, t.registered_at desc`,
  );
  return rows;
}
