// Checks the edges: unknown, repeated and own taskIds, cycles, branches that a fork cannot choose, and edges whose parts
// contradict each other. Needs no plan; a plan can be built when it finds nothing.

import type { JsonObject } from '../../json.ts';
import { findCycles } from '../../plan/graph.ts';
import type { Dependency, NodeDefinition } from '../model.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import { FORBIDDEN_KEYS } from '../reading/copy-document.ts';
import type { Reporter } from '../reporter.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { checkPatternList } from './retry-check.ts';

/** Stands for an entry of dependsOn that is broken in structure; its place in the list is kept. */
export const BROKEN_DEPENDENCY: Dependency = { taskId: '' };

/** A node as far as its edges are sound, and where it stands in the normalised document. */
export interface SoundNode {
  readonly node: NodeDefinition;
  readonly pointer: string;
}

const RESERVED_IDS: ReadonlySet<string> = new Set(['onFailure', 'finally', ...FORBIDDEN_KEYS]);
const MAX_NAMED = 30;

/** True when the edges form a graph that can be planned. Unless all nodes are named, an unknown parent may be one of the others. */
export function checkGraph(
  nodes: readonly SoundNode[],
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
  { reporter, isNamed }: { readonly reporter: Reporter; readonly isNamed: boolean },
): boolean {
  const byId = new Map<string, SoundNode>();
  let isPlannable = true;
  for (const sound of nodes) {
    const { taskId } = sound.node;
    const at = joinPointer(sound.pointer, 'taskId');
    const first = byId.get(taskId);
    if (RESERVED_IDS.has(taskId)) {
      isPlannable = false;
      reporter.error(at, 'reserved_name', `${quoteText(taskId)} is reserved`, 'choose another taskId');
    }
    if (first === undefined) byId.set(taskId, sound);
    else {
      isPlannable = false;
      const firstAt = reporter.authorPointer(joinPointer(first.pointer, 'taskId'));
      reporter.error(
        at,
        'duplicate_task',
        `the taskId ${quoteText(taskId)} is used at ${firstAt} and ${reporter.authorPointer(at)}`,
      );
    }
  }
  for (const sound of nodes)
    if (!checkEdges(sound, byId, taskTypes, { reporter, isNamed })) isPlannable = false;
  for (const cycle of findCycles([...byId.values()].map(({ node }) => node))) {
    const [first] = cycle;
    if (cycle.length < 2 || first === undefined) continue;
    isPlannable = false;
    reportCycle(cycle, byId.get(first), reporter);
  }
  return isPlannable;
}

function checkEdges(
  { node, pointer }: SoundNode,
  byId: ReadonlyMap<string, SoundNode>,
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
  { reporter, isNamed }: { readonly reporter: Reporter; readonly isNamed: boolean },
): boolean {
  const seen = new Map<string, number>();
  let isPlannable = true;
  node.dependsOn.forEach((edge, i) => {
    if (edge === BROKEN_DEPENDENCY) {
      isPlannable = false;
      return;
    }
    const at = joinPointer(pointer, 'dependsOn', i);
    const idAt = joinPointer(at, 'taskId');
    const parent = byId.get(edge.taskId);
    if (edge.taskId === node.taskId) {
      isPlannable = false;
      reporter.error(idAt, 'self_dependency', `${quoteText(node.taskId)} depends on itself`);
    } else if (parent === undefined) {
      isPlannable = false;
      if (!isNamed) return;
      const hint = reporter.didYouMean(edge.taskId, byId.keys());
      reporter.error(idAt, 'unknown_task', `there is no task ${quoteText(edge.taskId)}`, hint);
    } else checkBranch(edge, at, parent.node, taskTypes, reporter);
    const way = `${edge.taskId}\n${edge.on ?? 'success'}\n${edge.branch ?? ''}\n${(edge.errors ?? []).join('\n')}`;
    const first = seen.get(way);
    if (first === undefined) seen.set(way, i);
    else
      reporter.error(
        idAt,
        'duplicate_dependency',
        `${quoteText(edge.taskId)} is listed twice, as ${reporter.authorPointer(joinPointer(pointer, 'dependsOn', first))} says already`,
      );
    checkEdgeFields(edge, at, reporter);
  });
  return isPlannable;
}

function checkEdgeFields(edge: Dependency, at: string, reporter: Reporter): void {
  if (edge.branch !== undefined && edge.on !== undefined && edge.on !== 'success')
    reporter.error(
      joinPointer(at, 'on'),
      'conflict',
      `a branch is only chosen by success, got on: ${edge.on}`,
    );
  if (edge.errors === undefined) return;
  checkPatternList(edge.errors, joinPointer(at, 'errors'), reporter);
  if (edge.on !== 'failure')
    reporter.error(
      joinPointer(at, 'errors'),
      'errors_without_failure',
      'errors are matched by edges with on: failure only',
      'add on: failure',
    );
}

function checkBranch(
  edge: Dependency,
  at: string,
  parent: NodeDefinition,
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
  reporter: Reporter,
): void {
  const rule = taskTypes.get(parent.taskType);
  if (edge.branch === undefined || rule === undefined) return;
  const names = rule.branchNames?.(parent.config as JsonObject) ?? null;
  const branchAt = joinPointer(at, 'branch');
  if (names === null)
    reporter.error(branchAt, 'not_a_fork', `${quoteText(parent.taskId)} (${rule.type}) has no branches`);
  else if (names !== 'any' && !names.includes(edge.branch))
    reporter.error(
      branchAt,
      'unknown_branch',
      `${quoteText(parent.taskId)} never chooses ${quoteText(edge.branch)}; its branches are ${names.slice(0, MAX_NAMED).map(quoteText).join(', ') || 'none'}`,
      reporter.didYouMean(edge.branch, names),
    );
}

function reportCycle(cycle: readonly string[], first: SoundNode | undefined, reporter: Reporter): void {
  const named =
    cycle.length <= MAX_NAMED ? cycle : [...cycle.slice(0, MAX_NAMED), `… (${cycle.length} tasks)`];
  const closing = first?.node.dependsOn.findIndex((edge) => edge.taskId === cycle.at(-1)) ?? -1;
  const pointer =
    first === undefined ? '/nodes' : joinPointer(first.pointer, 'dependsOn', Math.max(0, closing));
  reporter.error(
    pointer,
    'cycle',
    `these tasks wait for each other: ${named.join(' -> ')} -> ${cycle[0] ?? ''}`,
  );
}
