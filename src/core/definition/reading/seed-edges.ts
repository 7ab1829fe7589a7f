// The seeds' top-level `edges` ({ source, target } or { from, to }) folded into `dependsOn`.
import type { ProblemCode } from '../../codes/code.ts';
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { describeValue, quoteText } from '../quote-text.ts';
import type { TaskTypeRule } from '../task-type.ts';
import type { Rewriter } from './rewriter.ts';

export interface EdgeFolding {
  /** The document; `edges` is taken out of it. */
  readonly top: Record<string, Json>;
  /** Normalised nodes; their `dependsOn` grows. */
  readonly nodes: Json[];
  readonly triggers: ReadonlySet<string>;
  readonly rewriter: Rewriter;
  readonly problems: Problem[];
  readonly taskTypes: ReadonlyMap<string, TaskTypeRule>;
}

/** Handles that say how the parent ended. */
const OUTCOMES = new Map([
  ['success', 'success'],
  ['failure', 'failure'],
  ['error', 'failure'],
  ['any', 'any'],
  ['always', 'any'],
]);
const SOURCE = ['source', 'from'];
const TARGET = ['target', 'to'];
const BRANCH = ['branch', 'sourceHandle', 'condition', 'label'];
const PASSED_ON = ['on', 'errors'];
const DROPPED = new Set([
  'id',
  'type',
  'targetHandle',
  'animated',
  'style',
  'data',
  'markerEnd',
  'selected',
  'label',
]);

/** Moves every edge; an edge that cannot be read is a problem at its pointer. */
export function foldEdges(folding: EdgeFolding): void {
  const { top, nodes, triggers, rewriter, problems } = folding;
  if (!Object.hasOwn(top, 'edges')) return;
  const edges: Json = top.edges ?? null;
  delete top.edges;
  const refuse = (pointer: string, code: ProblemCode, message: string): void => {
    if (problems.length < 1000) problems.push({ pointer, code, message });
  };
  if (!Array.isArray(edges)) {
    refuse('/edges', 'type', `must be a list, got ${describeValue(edges)}`);
    return;
  }
  if (edges.length > 0) rewriter.note('/edges', '"edges" are stored as "dependsOn" of their targets');
  const byId = new Map<string, number>();
  nodes.forEach((node, i) => {
    if (isJsonObject(node) && typeof node.taskId === 'string') byId.set(node.taskId, i);
  });
  const lists = new Map<number, { list: Json[]; seen: Set<string> }>();

  for (const [i, edge] of (edges as readonly Json[]).entries()) {
    const at = `/edges/${i}`;
    if (!isJsonObject(edge)) {
      refuse(at, 'type', `must be an object, got ${describeValue(edge)}`);
      continue;
    }
    const source = endOf(edge, SOURCE);
    const target = endOf(edge, TARGET);
    if (source === null || target === null) {
      const missing = source === null ? 'source' : 'target';
      refuse(joinPointer(at, missing), 'required', `an edge needs the taskId of its ${missing}`);
      continue;
    }
    if (triggers.has(source.id)) continue;
    const position = byId.get(target.id);
    if (position === undefined) {
      refuse(joinPointer(at, target.name), 'unknown_task', `there is no task ${quoteText(target.id)}`);
      continue;
    }
    const known = lists.get(position) ?? ownList(nodes[position]);
    lists.set(position, known);
    const { list, seen } = known;
    const to = `/nodes/${position}/dependsOn/${list.length}`;
    const { dependency, from } = dependencyOf(edge, source.id, byId, folding);
    // A document that has both `edges` and `dependsOn` may say the same twice.
    const text = JSON.stringify(dependency);
    if (seen.has(text)) continue;
    seen.add(text);
    const read = [source.name, target.name, from];
    for (const name of Object.keys(edge))
      if (!read.includes(name) && edge[name] !== null && !isIgnored(name))
        refuse(joinPointer(at, name), 'unknown_field', `${quoteText(name)} is not a field of an edge`);
    rewriter.origins.move(to, at);
    rewriter.origins.move(`${to}/taskId`, joinPointer(at, source.name));
    if (from !== null) rewriter.origins.move(`${to}/branch`, joinPointer(at, from));
    list.push(dependency);
  }
  for (const [position, { list: dependsOn }] of lists) {
    const node = nodes[position];
    if (isJsonObject(node)) nodes[position] = { ...node, dependsOn };
  }
}

function isIgnored(name: string): boolean {
  return DROPPED.has(name) || PASSED_ON.includes(name) || name.startsWith('x-');
}

function endOf(edge: JsonObject, names: readonly string[]): { name: string; id: string } | null {
  for (const name of names) {
    const id = edge[name];
    if (typeof id === 'string') return { name, id };
  }
  return null;
}

/** A handle or label is a branch where the source has branches; `branch` always is. `from`: the field it came from. */
function dependencyOf(
  edge: JsonObject,
  taskId: string,
  byId: ReadonlyMap<string, number>,
  { nodes, taskTypes }: EdgeFolding,
): { dependency: JsonObject; from: string | null } {
  const dependency: Record<string, Json> = { taskId };
  for (const name of PASSED_ON) if (Object.hasOwn(edge, name)) dependency[name] = edge[name] ?? null;
  const source = nodes[byId.get(taskId) ?? -1];
  const rule = isJsonObject(source) ? taskTypes.get(String(source.taskType)) : undefined;
  const isFork = rule?.branchNames !== undefined;
  for (const name of BRANCH) {
    const value = edge[name];
    if (value === undefined || value === null || (name === 'label' && !isFork)) continue;
    const outcome = typeof value === 'string' && !isFork ? OUTCOMES.get(value) : undefined;
    if (name === 'branch' || outcome === undefined)
      dependency.branch = typeof value === 'boolean' ? String(value) : value;
    else dependency.on ??= outcome;
    return { dependency, from: name };
  }
  return { dependency, from: null };
}

function ownList(node: Json | undefined): { list: Json[]; seen: Set<string> } {
  const list =
    isJsonObject(node) && Array.isArray(node.dependsOn) ? [...(node.dependsOn as readonly Json[])] : [];
  return { list, seen: new Set(list.map((entry) => JSON.stringify(entry))) };
}
