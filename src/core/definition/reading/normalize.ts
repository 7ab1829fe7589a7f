// Rewrites the seeds' documents into ours: names (rewriter.ts), `edges` (seed-edges.ts), trigger nodes, a missing
// workflowId. Purely by shape; every rewrite is noted for a warning.
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import { STRUCTURE } from '../schema/document.ts';
import { TRIGGER_SCHEMAS } from '../schema/trigger-schema.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { fieldNames } from './field-names.ts';
import type { Origins } from './origins.ts';
import { Rewriter } from './rewriter.ts';
import { foldEdges } from './seed-edges.ts';

export interface Normalized {
  readonly document: JsonObject;
  readonly origins: Origins;
  /** Warnings, at pointers of the author's document. */
  readonly rewrites: readonly Problem[];
  /** What could not be rewritten, at pointers of the author's document. */
  readonly problems: readonly Problem[];
}

const TOP_NAMES = new Set(fieldNames(STRUCTURE.top));
const TOP_ALIASES = new Map([['id', 'workflowId']]);
const TRIGGER_TYPES = new Set(['webhook_trigger']);
const TRIGGER_NAMES = new Set(Object.values(TRIGGER_SCHEMAS).flatMap(fieldNames));
const FILTER_NAMES = new Set(['fieldPath', 'logicGroup']);

/** `workflowId` is used where the document has none, as a bare `{ nodes, edges }`. */
export function normalize(
  author: JsonObject,
  options: { readonly taskTypes: ReadonlyMap<string, TaskTypeRule>; readonly workflowId?: string },
): Normalized {
  const { taskTypes } = options;
  const rewriter = new Rewriter(taskTypes);
  const problems: Problem[] = [];
  const aliases = Object.hasOwn(author, 'nodes') ? TOP_ALIASES : undefined;
  const top: Record<string, Json> = { ...rewriter.rename(author, { at: '', to: '' }, TOP_NAMES, aliases) };

  if (Array.isArray(top.nodes)) {
    const { nodes, triggers } = rewriteNodes(top.nodes, rewriter);
    foldEdges({ top, nodes, triggers, rewriter, problems, taskTypes });
    top.nodes = nodes.map((node) => (isJsonObject(node) ? complete(node) : node));
  }
  if (Array.isArray(top.triggers)) top.triggers = rewriteTriggers(top.triggers, rewriter);
  if (isJsonObject(top.defaults)) top.defaults = rewriteDefaults(top.defaults, rewriter);
  const document = nameIt(top, Object.hasOwn(author, 'edges'), options.workflowId, rewriter);
  return { document, origins: rewriter.origins, rewrites: rewriter.rewrites, problems };
}

/** Trigger nodes are taken out; the rest moves up. */
function rewriteNodes(
  listed: readonly Json[],
  rewriter: Rewriter,
): { readonly nodes: Json[]; readonly triggers: ReadonlySet<string> } {
  const nodes: Json[] = [];
  const triggers = new Set<string>();
  const from = rewriter.origins.authorPointer('/nodes');
  for (const [i, entry] of listed.entries()) {
    const at = joinPointer(from, i);
    if (isTrigger(entry)) {
      const id = entry.id ?? entry.taskId ?? entry.task_id;
      if (typeof id === 'string') triggers.add(id);
      const message = 'a trigger node is no task; its successors become roots';
      rewriter.note(at, message, 'create the webhook with its own command');
      continue;
    }
    const to = `/nodes/${nodes.length}`;
    rewriter.origins.move(to, at);
    nodes.push(isJsonObject(entry) ? rewriter.task(entry, at, to) : entry);
  }
  for (const [i, node] of nodes.entries())
    if (isJsonObject(node) && Array.isArray(node.dependsOn))
      nodes[i] = {
        ...node,
        dependsOn: rewriter.dependencies(node.dependsOn, `/nodes/${i}/dependsOn`, triggers),
      };
  return { nodes, triggers };
}

function rewriteTriggers(triggers: readonly Json[], rewriter: Rewriter): readonly Json[] {
  return triggers.map((entry, i) => {
    if (!isJsonObject(entry)) return entry;
    const to = `/triggers/${i}`;
    const at = rewriter.origins.authorPointer(to);
    const trigger = rewriter.rename(entry, { at, to }, TRIGGER_NAMES);
    if (!Array.isArray(trigger.filters)) return trigger;
    const filters = (trigger.filters as readonly Json[]).map((filter, k) =>
      isJsonObject(filter)
        ? rewriter.rename(
            filter,
            { at: joinPointer(at, 'filters', k), to: joinPointer(to, 'filters', k) },
            FILTER_NAMES,
          )
        : filter,
    );
    return { ...trigger, filters };
  });
}

function isTrigger(entry: Json): entry is JsonObject {
  if (!isJsonObject(entry)) return false;
  const type = entry.taskType ?? entry.type ?? entry.task_type;
  return typeof type === 'string' && TRIGGER_TYPES.has(type);
}

/** `dependsOn` and `config` may be left out; stored they are always there. */
function complete(node: JsonObject): JsonObject {
  return {
    ...node,
    ...(!Object.hasOwn(node, 'dependsOn') && { dependsOn: [] }),
    ...(!Object.hasOwn(node, 'config') && { config: {} }),
  };
}

function rewriteDefaults(defaults: JsonObject, rewriter: Rewriter): JsonObject {
  const from = rewriter.origins.authorPointer('/defaults');
  const result: Record<string, Json> = {};
  for (const [type, shared] of Object.entries(defaults)) {
    const ours = Object.hasOwn(defaults, rewriter.typeName(type)) ? type : rewriter.typeName(type);
    const at = joinPointer(from, type);
    const to = joinPointer('/defaults', ours);
    if (ours !== type) {
      rewriter.origins.move(to, at);
      rewriter.note(at, `${quoteText(type)} is stored as "${ours}"`);
    }
    result[ours] = isJsonObject(shared) ? rewriter.task(shared, at, to, ours) : shared;
  }
  return result;
}

/** A bare `{ nodes, edges }` gets a name; any other document must have one, or get it from the caller. */
function nameIt(
  top: Record<string, Json>,
  isBare: boolean,
  given: string | undefined,
  rewriter: Rewriter,
): JsonObject {
  const workflowId = given ?? (isBare ? 'workflow' : undefined);
  if (Object.hasOwn(top, 'workflowId') || workflowId === undefined) return top;
  rewriter.note('/workflowId', `without a workflowId it is stored as ${quoteText(workflowId)}`);
  return { workflowId, ...top };
}
