// Fills the `defaults` of a definition into its nodes and their parts: what runs is the effective definition, what is
// stored is the author's.
//   D1  A task's own word wins over the default of its type, which wins over `*`.
//   D2  `config` is merged member by member at every depth; lists, schemas, tasks within tasks and what is one of several
//       (`auth`) are taken whole, and so is every other field: a `retry` is one policy.
//   D3  Of members that exclude each other, those of a weaker layer give way to the one that a stronger layer names.
//   D4  Idempotent.
import { setOwn } from '../../expression/scope.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { isCacheable } from '../checks/cache-check.ts';
import type { NodeDefinition, WorkflowDefinition } from '../model.ts';
import { BUILTIN_TASK_TYPES } from '../schema/builtin-types.ts';
import type { ConfigFieldKind } from '../task-type.ts';

/** By task type, and `*`. */
export type Defaults = NonNullable<WorkflowDefinition['defaults']>;

export const SHARED_FIELDS = ['modelId', 'serviceId', 'timeoutSeconds', 'retry', 'cache'] as const;

/** The definition as it runs. */
export function withDefaults(definition: WorkflowDefinition): WorkflowDefinition {
  const { defaults } = definition;
  if (!hasDefaults(defaults)) return definition;
  return { ...definition, nodes: definition.nodes.map((node) => effectiveNode(defaults, node)) };
}

export function hasDefaults(defaults: WorkflowDefinition['defaults']): defaults is Defaults {
  return defaults !== undefined && Object.keys(defaults).length > 0;
}

function effectiveNode(defaults: Defaults, node: NodeDefinition): NodeDefinition {
  return effectiveTask(defaults, node as unknown as JsonObject) as unknown as NodeDefinition;
}

/** What `defaults` says for tasks of a type, the stronger layer first: its own, and `*`. */
export function layersFor(defaults: Defaults, type: string): readonly (readonly [string, JsonObject])[] {
  return [type, '*'].flatMap((name) => {
    const layer = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
    return isJsonObject(layer) ? [[name, layer] as const] : [];
  });
}

function effectiveTask(defaults: Defaults, task: JsonObject, isTool = false): JsonObject {
  const type = typeof task.taskType === 'string' ? task.taskType : '';
  const effective: Record<string, Json> = { ...task };
  let config: JsonObject = isJsonObject(task.config) ? task.config : {};
  for (const [name, layer] of layersFor(defaults, type)) {
    for (const field of isTool ? (['modelId'] as const) : SHARED_FIELDS)
      if (!Object.hasOwn(effective, field) && layer[field] !== undefined && takesField(field, type, name))
        effective[field] = layer[field];
    if (isJsonObject(layer.config))
      config = mergeConfig(isTool ? withoutTools(layer.config) : layer.config, config, type);
  }
  if (type === 'parallel') effective.config = withParts(defaults, config);
  else effective.config = type === 'model_inference' ? withTools(defaults, config, isTool) : config;
  return effective;
}

function withoutTools({ tools: _, ...config }: JsonObject): JsonObject {
  return config;
}

/** Of `*`, `modelId` is for the types that use a model, and `cache` for those that may have one; other tasks do not get it. */
function takesField(field: (typeof SHARED_FIELDS)[number], type: string, layer: string): boolean {
  if (layer !== '*') return true;
  if (field === 'cache') return isCacheable(type);
  return field !== 'modelId' || type === 'model_inference';
}

/** A config over the default of one layer (D1 to D3). */
function mergeConfig(lower: JsonObject, higher: JsonObject, type: string): JsonObject {
  const { exactlyOneOf = [], atMostOneOf = [] } = BUILTIN_TASK_TYPES.get(type) ?? {};
  const choices = [...exactlyOneOf, ...atMostOneOf];
  const givesWay = (name: string): boolean =>
    choices.some((names) => names.includes(name) && names.some((other) => Object.hasOwn(higher, other)));
  const merged: Record<string, Json> = { ...higher };
  for (const [name, value] of Object.entries(lower)) {
    if (!Object.hasOwn(higher, name)) {
      if (!givesWay(name)) setOwn(merged, name, value);
    } else if (!isTakenWhole(type, name)) setOwn(merged, name, mergeValue(value, higher[name]!));
  }
  return merged;
}

function mergeValue(lower: Json, higher: Json): Json {
  if (!isJsonObject(lower) || !isJsonObject(higher)) return higher;
  const merged: Record<string, Json> = { ...higher };
  for (const [name, value] of Object.entries(lower))
    setOwn(merged, name, Object.hasOwn(higher, name) ? mergeValue(value, higher[name]!) : value);
  return merged;
}

const WHOLE: readonly ConfigFieldKind[] = ['literal', 'node', 'item', 'tool'];

/** Members of a config of which two make no third: JSON Schemas, what holds tasks, and objects with one member only. */
export function isTakenWhole(type: string, member: string): boolean {
  const { fields = {}, configSchema = {} } = BUILTIN_TASK_TYPES.get(type) ?? {};
  const schema = isJsonObject(configSchema.properties) ? configSchema.properties[member] : undefined;
  if (schema !== undefined && isJsonObject(schema) && schema.maxProperties === 1) return true;
  return Object.entries(fields).some(
    ([place, kind]) => WHOLE.includes(kind) && (place === member || place.startsWith(`${member}/`)),
  );
}

/** Tools of a model get the defaults that a tool may have: no timeout or retry of their own, and no tools. */
function withTools(defaults: Defaults, config: JsonObject, isTool: boolean): JsonObject {
  if (isTool || !Array.isArray(config.tools)) return config;
  const tools = (config.tools as readonly Json[]).map((tool) =>
    isJsonObject(tool) && isJsonObject(tool.task)
      ? { ...tool, task: effectiveTask(defaults, tool.task, true) }
      : tool,
  );
  return { ...config, tools };
}

function withParts(defaults: Defaults, config: JsonObject): JsonObject {
  const result: Record<string, Json> = { ...config };
  if (isJsonObject(config.task)) result.task = effectiveTask(defaults, config.task);
  if (isJsonObject(config.branches))
    result.branches = Object.fromEntries(
      Object.entries(config.branches).map(([name, part]) => [
        name,
        isJsonObject(part) ? effectiveTask(defaults, part) : part,
      ]),
    );
  return result;
}
