// Rewrites the seeds' spellings into ours: names, types, `edges`, trigger nodes, drawing fields. Purely by shape: what
// it does not understand it leaves, for the structural check to refuse. Every rewrite is noted for a warning.
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { fieldNames, renameFields } from './field-names.ts';
import { Origins } from './origins.ts';
import { joinPointer } from './pointer.ts';
import { quoteText } from './quote-text.ts';
import { STRUCTURE } from './schema.ts';
import { foldEdges } from './seed-edges.ts';
import type { TaskTypeRule } from './task-type.ts';

/** A rewrite or a problem, at a pointer of the author's document. */
export interface Note {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Normalized {
  readonly document: JsonObject;
  readonly origins: Origins;
  readonly rewrites: readonly Note[];
  readonly problems: readonly Note[];
}

const TOP_NAMES = new Set(fieldNames(STRUCTURE.top));
const NODE_NAMES = new Set(fieldNames(STRUCTURE.node));
const EDGE_NAMES = new Set(fieldNames(STRUCTURE.definitions.dependency));
const RETRY_NAMES = new Set(fieldNames(STRUCTURE.definitions.retry));
const TOP_ALIASES = new Map([['id', 'workflowId']]);
const NODE_ALIASES = new Map([
  ['id', 'taskId'],
  ['type', 'taskType'],
]);
const TYPE_ALIASES = new Map([
  ['http_request', 'external_api'],
  ['transform', 'transformation'],
]);
const TRIGGER_TYPES = new Set(['webhook_trigger']);
/** What drawing tools put on a node. */
const DRAWING_FIELDS = new Set([
  'position',
  'positionAbsolute',
  'measured',
  'width',
  'height',
  'selected',
  'dragging',
  'sourcePosition',
  'targetPosition',
]);

/** `workflowId` is used where the document has none, as a bare `{ nodes, edges }`. */
export function normalize(
  author: JsonObject,
  options: { readonly taskTypes: ReadonlyMap<string, TaskTypeRule>; readonly workflowId?: string },
): Normalized {
  const origins = new Origins();
  const rewrites: Note[] = [];
  const problems: Note[] = [];
  const rewrite = (pointer: string, message: string, hint?: string): void => {
    rewrites.push({ pointer, code: 'rewritten', message, ...(hint !== undefined && { hint }) });
  };

  /** Renames the members of one object; `at` is its pointer in the author's document, `to` in ours. */
  const rename = (
    object: JsonObject,
    at: string,
    to: string,
    known: ReadonlySet<string>,
    aliases?: ReadonlyMap<string, string>,
  ): JsonObject => {
    const result = renameFields(object, known, aliases);
    for (const [theirs, ours] of result.renamed) {
      origins.move(joinPointer(to, ours), joinPointer(at, theirs));
      rewrite(joinPointer(at, theirs), `${quoteText(theirs)} is stored as ${quoteText(ours)}`);
    }
    return result.object;
  };

  const normalizeDependency = (entry: Json, at: string, to: string): Json => {
    if (typeof entry === 'string') {
      return { taskId: entry };
    }
    return isJsonObject(entry) ? rename(entry, at, to, EDGE_NAMES) : entry;
  };

  /** Fields that nodes, parts and `defaults` share. */
  const normalizeTask = (task: JsonObject, at: string, to: string): Record<string, Json> => {
    const kept: Record<string, Json> = {};
    for (const [name, value] of Object.entries(task)) {
      if (DRAWING_FIELDS.has(name))
        rewrite(joinPointer(at, name), `${quoteText(name)} is dropped`, 'use `ui`');
      else kept[name] = value;
    }
    const node: Record<string, Json> = { ...rename(kept, at, to, NODE_NAMES, NODE_ALIASES) };
    const place = (name: string): string => origins.authorPointer(joinPointer(to, name));
    const alias = typeof node.taskType === 'string' ? TYPE_ALIASES.get(node.taskType) : undefined;
    if (alias !== undefined && !options.taskTypes.has(String(node.taskType))) {
      rewrite(place('taskType'), `type ${quoteText(String(node.taskType))} is stored as "${alias}"`);
      node.taskType = alias;
    }
    if (isJsonObject(node.retry)) node.retry = rename(node.retry, place('retry'), `${to}/retry`, RETRY_NAMES);
    if (isJsonObject(node.config)) node.config = normalizeConfig(node, place('config'), `${to}/config`);
    return node;
  };

  const normalizeConfig = (node: JsonObject, at: string, to: string): Json => {
    const rule = options.taskTypes.get(String(node.taskType));
    const known = new Set([...fieldNames(rule?.configSchema), ...(rule?.notSupported ?? [])]);
    const config: Record<string, Json> = { ...rename(node.config as JsonObject, at, to, known) };
    const part = (value: Json, ...names: string[]): Json =>
      isJsonObject(value)
        ? normalizeTask(value, origins.authorPointer(joinPointer(to, ...names)), joinPointer(to, ...names))
        : value;
    for (const [place, kind] of Object.entries(rule?.fields ?? {})) {
      const [name = '', star] = place.split('/');
      const value = config[name];
      if ((kind !== 'node' && kind !== 'item') || value === undefined) continue;
      if (star === undefined) config[name] = part(value, name);
      else if (isJsonObject(value))
        config[name] = Object.fromEntries(
          Object.entries(value).map(([key, one]) => [key, part(one, name, key)]),
        );
    }
    return config;
  };

  const top: Record<string, Json> = {
    ...rename(author, '', '', TOP_NAMES, Object.hasOwn(author, 'nodes') ? TOP_ALIASES : undefined),
  };
  const nodes: Json[] = [];
  const triggers = new Set<string>();
  if (Array.isArray(top.nodes)) {
    const listed: readonly Json[] = top.nodes;
    listed.forEach((entry, i) => {
      const at = joinPointer(origins.authorPointer('/nodes'), i);
      if (isTrigger(entry)) {
        const id = entry.id ?? entry.taskId ?? entry.task_id;
        if (typeof id === 'string') triggers.add(id);
        rewrite(
          at,
          'a trigger node is no task; its successors become roots',
          'create the webhook with its own command',
        );
        return;
      }
      const to = `/nodes/${nodes.length}`;
      origins.move(to, at);
      nodes.push(isJsonObject(entry) ? normalizeTask(entry, at, to) : entry);
    });
    for (const [position, node] of nodes.entries()) {
      if (!isJsonObject(node) || !Array.isArray(node.dependsOn)) continue;
      nodes[position] = { ...node, dependsOn: ownDependencies(node.dependsOn, position) };
    }
    foldEdges({ top, nodes, triggers, origins, rewrite, problems, taskTypes: options.taskTypes });
    top.nodes = nodes.map((node) =>
      isJsonObject(node)
        ? {
            ...node,
            ...(!Object.hasOwn(node, 'dependsOn') && { dependsOn: [] }),
            ...(!Object.hasOwn(node, 'config') && { config: {} }),
          }
        : node,
    );
  }
  if (isJsonObject(top.defaults)) {
    const at = origins.authorPointer('/defaults');
    top.defaults = Object.fromEntries(
      Object.entries(top.defaults).map(([type, shared]) => [
        TYPE_ALIASES.get(type) ?? type,
        isJsonObject(shared)
          ? normalizeTask(
              shared,
              joinPointer(at, type),
              joinPointer('/defaults', TYPE_ALIASES.get(type) ?? type),
            )
          : shared,
      ]),
    );
  }
  if (!Object.hasOwn(top, 'workflowId')) {
    const isBare = Object.hasOwn(author, 'edges');
    const workflowId = options.workflowId ?? (isBare ? 'workflow' : undefined);
    if (workflowId !== undefined) {
      rewrite('/workflowId', `without a workflowId it is stored as ${quoteText(workflowId)}`);
      return { document: { workflowId, ...top }, origins, rewrites, problems };
    }
  }
  return { document: top, origins, rewrites, problems };

  /** A node's own list, without edges from trigger nodes. */
  function ownDependencies(list: readonly Json[], position: number): Json[] {
    const kept: Json[] = [];
    const from = origins.authorPointer(`/nodes/${position}/dependsOn`);
    list.forEach((entry, i) => {
      const to = `/nodes/${position}/dependsOn/${kept.length}`;
      const dependency = normalizeDependency(entry, joinPointer(from, i), to);
      if (isJsonObject(dependency) && triggers.has(String(dependency.taskId))) return;
      if (kept.length !== i) origins.move(to, joinPointer(from, i));
      kept.push(dependency);
    });
    return kept;
  }
}

function isTrigger(entry: Json): entry is JsonObject {
  if (!isJsonObject(entry)) return false;
  const type = entry.taskType ?? entry.type ?? entry.task_type;
  return typeof type === 'string' && TRIGGER_TYPES.has(type);
}
