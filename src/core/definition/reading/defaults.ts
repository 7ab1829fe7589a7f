// Fills the `defaults` of a definition into its nodes and their parts: what runs is the effective definition, what is
// stored is the author's.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { NodeDefinition, WorkflowDefinition } from '../model.ts';
import { joinPointer } from '../pointer.ts';
import type { Origins } from './origins.ts';

const SHARED_FIELDS = ['modelId', 'serviceId', 'timeoutSeconds', 'retry'] as const;

/**
 * The definition as it runs: a node's own field wins over the default of its type, which wins over `*`. Fields are taken
 * whole, `config` member by member. Idempotent.
 */
export function withDefaults(definition: WorkflowDefinition): WorkflowDefinition {
  const { defaults } = definition;
  if (defaults === undefined || Object.keys(defaults).length === 0) return definition;
  return { ...definition, nodes: definition.nodes.map((node) => effectiveNode(defaults, node)) };
}

function effectiveNode(defaults: JsonObject, node: NodeDefinition): NodeDefinition {
  return effectiveTask(defaults, node as unknown as JsonObject) as unknown as NodeDefinition;
}

function effectiveTask(defaults: JsonObject, task: JsonObject, isTool = false): JsonObject {
  const type = typeof task.taskType === 'string' ? task.taskType : '';
  const layers = ['*', type].map((name) => (Object.hasOwn(defaults, name) ? defaults[name] : undefined));
  const effective: Record<string, Json> = { ...task };
  const config: Record<string, Json> = {};
  for (const layer of layers) {
    if (!isJsonObject(layer)) continue;
    for (const field of isTool ? (['modelId'] as const) : SHARED_FIELDS)
      if (
        !Object.hasOwn(task, field) &&
        layer[field] !== undefined &&
        (field !== 'modelId' || takesModel(type, layer, defaults))
      )
        effective[field] = layer[field];
    if (isJsonObject(layer.config)) Object.assign(config, isTool ? withoutTools(layer.config) : layer.config);
  }
  if (isJsonObject(task.config)) Object.assign(config, task.config);
  if (type === 'parallel') effective.config = withParts(defaults, config);
  else effective.config = type === 'model_inference' ? withTools(defaults, config, isTool) : config;
  return effective;
}

function withoutTools({ tools: _, ...config }: JsonObject): JsonObject {
  return config;
}

/** Tools of a model get the defaults that a tool may have: no timeout or retry of their own, and no tools. */
function withTools(defaults: JsonObject, config: Record<string, Json>, isTool: boolean): JsonObject {
  if (isTool || !Array.isArray(config.tools)) return config;
  const tools = (config.tools as readonly Json[]).map((tool) =>
    isJsonObject(tool) && isJsonObject(tool.task)
      ? { ...tool, task: effectiveTask(defaults, tool.task, true) }
      : tool,
  );
  return { ...config, tools };
}

/** `modelId` under `*` is for the types that use a model; other nodes do not get one. */
function takesModel(type: string, layer: JsonObject, defaults: JsonObject): boolean {
  return type === 'model_inference' || layer !== defaults['*'];
}

function withParts(defaults: JsonObject, config: JsonObject): JsonObject {
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

/** Tells `origins` which fields of which nodes were written under `defaults`, so that problems point there. */
export function noteDefaults(
  effective: WorkflowDefinition,
  nodes: readonly { readonly node: NodeDefinition; readonly pointer: string }[],
  origins: Origins,
): void {
  const { defaults } = effective;
  if (defaults === undefined || Object.keys(defaults).length === 0) return;
  const layerOf = (type: string, field: string, member?: string): string | null => {
    for (const name of [type, '*']) {
      const layer = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
      const value = layer?.[field];
      if (
        value !== undefined &&
        (member === undefined || (isJsonObject(value) && Object.hasOwn(value, member)))
      )
        return joinPointer('/defaults', name, field, ...(member === undefined ? [] : [member]));
    }
    return null;
  };
  nodes.forEach(({ node, pointer }, i) => {
    const ran = effective.nodes[i];
    if (ran === undefined) return;
    const note = (to: string, from: string | null): void => {
      if (from !== null) origins.move(to, origins.authorPointer(from));
    };
    for (const field of SHARED_FIELDS)
      if (!Object.hasOwn(node, field) && Object.hasOwn(ran, field))
        note(joinPointer(pointer, field), layerOf(node.taskType, field));
    for (const member of Object.keys(ran.config))
      if (!Object.hasOwn(node.config, member))
        note(joinPointer(pointer, 'config', member), layerOf(node.taskType, 'config', member));
  });
}
