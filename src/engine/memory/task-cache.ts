// What of a task's definition its `cache` needs.
import type { NodeDefinition } from '../../core/definition/model.ts';
import type { Mapping } from '../../core/expression/mapping.ts';
import type { Json } from '../../core/json.ts';

export interface TaskCache {
  readonly ttlSeconds: number;
  /** As its author wrote it; null: all that the task is asked. */
  readonly key: Mapping | null;
  /** What of the definition belongs to the key. */
  readonly source: Json;
}

/** `compile`: of a key, which validation has seen. */
export function cacheOf(
  { taskId, taskType, modelId, config, cache }: NodeDefinition,
  workflowId: string,
  compile: (key: Json | undefined) => Mapping | null,
): TaskCache | null {
  if (cache === undefined) return null;
  const asked = [taskType, modelId ?? null, config];
  // A key of the author's is that of one task, and of this text of it.
  return cache.key === undefined
    ? { ttlSeconds: cache.ttlSeconds, key: null, source: asked }
    : {
        ttlSeconds: cache.ttlSeconds,
        key: compile(cache.key),
        source: [...asked, workflowId, taskId],
      };
}

/** The key of the author's; null: there is none. */
export const keyOf = ({ cache }: { readonly cache: TaskCache | null }): Mapping | null => cache?.key ?? null;
