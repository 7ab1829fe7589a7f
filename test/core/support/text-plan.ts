// Plans from text: `a -> b` success, `c -yes-> a` branch, `t -!-> h` on failure, `t -!http_404,timeout-> h` with
// errors, `t -*-> x` on any. Chains are separated by `;`. Nodes stand in order of appearance.

import type {
  Dependency,
  FailurePolicy,
  NodeDefinition,
  TriggerRule,
} from '../../../src/core/definition/model.ts';
import { buildPlan } from '../../../src/core/plan/build-plan.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';

export interface PlanOptions {
  readonly failurePolicy?: FailurePolicy;
  readonly rules?: { readonly [taskId: string]: TriggerRule };
  readonly optional?: readonly string[];
}

export function planOf(text: string, options: PlanOptions = {}): Plan {
  return planOfNodes(definitionsOf(text, options), options.failurePolicy);
}

export function planOfNodes(nodes: readonly NodeDefinition[], failurePolicy?: FailurePolicy): Plan {
  return buildPlan({ workflowId: 'test', nodes, failurePolicy });
}

export function taskNode(taskId: string, dependsOn: readonly Dependency[] = []): NodeDefinition {
  return { taskId, taskType: 'transformation', dependsOn, config: {} };
}

function definitionsOf(text: string, { rules = {}, optional = [] }: PlanOptions): NodeDefinition[] {
  const parents = new Map<string, Dependency[]>();
  for (const chain of text.split(';')) {
    const words = chain.trim().split(/\s+/);
    for (let i = 0; i < words.length; i += 2) {
      const own = parents.get(words[i]!) ?? [];
      parents.set(words[i]!, own);
      if (i > 0) own.push(dependencyOf(words[i - 2]!, words[i - 1]!));
    }
  }
  return [...parents].map(([taskId, dependsOn]) => ({
    ...taskNode(taskId, dependsOn),
    triggerRule: rules[taskId],
    optional: optional.includes(taskId),
  }));
}

function dependencyOf(taskId: string, arrow: string): Dependency {
  const label = /^-(?:(.+)-)?>$/.exec(arrow);
  if (label === null) throw new Error(`no arrow: ${arrow}`);
  const text = label[1];
  if (text === undefined) return { taskId };
  if (text === '*') return { taskId, on: 'any' };
  if (!text.startsWith('!')) return { taskId, branch: text };
  return { taskId, on: 'failure', errors: text === '!' ? undefined : text.slice(1).split(',') };
}

/** The groups of a task as sorted lists of parents, for reading: `a|b c`. */
export function groupsOf(plan: Plan, taskId: string): string {
  const node = plan.nodes[plan.indexOf.get(taskId)!]!;
  const name = (at: number): string => plan.nodes[node.inEdges[at]!.from]!.taskId;
  return node.groups.map((group) => group.map(name).join('|')).join(' ');
}
