// How long an execution may take where its definition does not say: an hour, or as long as it likes where a task waits for
// someone or something outside.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { WorkflowDefinition } from '../model.ts';
import { BUILTIN_TASK_TYPES } from '../schema/builtin-types.ts';

const DEFAULT_TIMEOUT_SECONDS = 3600;

/** Seconds, or null: no limit. Of an effective definition (defaults filled in); config that is not sound is passed over. */
export function executionTimeoutSeconds({
  timeoutSeconds,
  nodes,
}: Pick<WorkflowDefinition, 'timeoutSeconds' | 'nodes'>): number | null {
  if (typeof timeoutSeconds === 'number') return timeoutSeconds;
  return nodes.some(({ taskType, config }) => waitsForOutside(taskType, config))
    ? null
    : DEFAULT_TIMEOUT_SECONDS;
}

function waitsForOutside(taskType: string, config: JsonObject): boolean {
  if (BUILTIN_TASK_TYPES.get(taskType)?.waitsForOutside?.(config) === true) return true;
  if (taskType !== 'parallel') return false;
  const { task = null, branches = null } = config;
  return [task, ...(isJsonObject(branches) ? Object.values(branches) : [])].some(
    (part: Json) =>
      isJsonObject(part) &&
      isJsonObject(part.config) &&
      part.taskType !== 'parallel' &&
      waitsForOutside(String(part.taskType), part.config),
  );
}
