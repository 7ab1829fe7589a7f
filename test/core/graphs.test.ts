import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Dependency,
  FAILURE_POLICIES,
  type NodeDefinition,
  TRIGGER_RULES,
} from '../../src/core/definition/model.ts';
import type { TaskState } from '../../src/core/plan/decide.ts';
import { findCycles, isAncestor, topologicalOrder } from '../../src/core/plan/graph.ts';
import { depth } from '../support/depth.ts';
import { addComingWaits, comingWait, removeComingWaits } from './support/coming-waits.ts';
import { baseSeed, below, pick, type Random, randomOf, shuffled } from './support/random.ts';
import { type Script, simulate } from './support/simulate.ts';
import { planOf, planOfNodes, taskNode } from './support/text-plan.ts';

beforeAll(addComingWaits);
afterAll(removeComingWaits);

const GRAPHS = depth(10_000);
const CODES = ['timeout', 'http_404', 'network'];

function randomEdge(random: Random, taskId: string): Dependency {
  const roll = random();
  if (roll < 0.5) return { taskId };
  if (roll < 0.7) return { taskId, branch: pick(random, ['x', 'y']) };
  if (roll < 0.8) return { taskId, on: 'failure' };
  if (roll < 0.9) return { taskId, on: 'failure', errors: [pick(random, CODES)] };
  return { taskId, on: 'any' };
}

function randomGraph(random: Random): NodeDefinition[] {
  const nodes = Array.from({ length: 2 + below(random, 12) }, (_, i): NodeDefinition => {
    const parents = i === 0 ? 0 : below(random, 4);
    const dependsOn = Array.from({ length: parents }, () => randomEdge(random, `n${below(random, i)}`));
    return {
      ...taskNode(`n${i}`, dependsOn),
      triggerRule: random() < 0.35 ? pick(random, TRIGGER_RULES) : undefined,
      optional: random() < 0.1,
    };
  });
  return shuffled(random, nodes);
}

function randomScript(random: Random): Script {
  const waits = ['timer', 'items', 'signal', 'callback', 'review', 'child'] as const;
  const via: TaskState[] = [];
  if (random() < 0.2)
    via.push({ status: 'waiting', waitingOn: comingWait(pick(random, waits)) }, { status: 'running' });
  if (random() < 0.15)
    via.push({ status: 'retrying', errorCode: pick(random, CODES) }, { status: 'running' });
  const roll = random();
  if (roll < 0.3) return { via, end: { status: 'failed', errorCode: pick(random, CODES) } };
  if (roll < 0.36) return { via, end: { status: 'skipped', reason: 'condition_false' } };
  return { via, end: { status: 'completed', branch: pick(random, ['x', 'y', 'z', null]) } };
}

/** Null: all orders end alike; else how they differ. */
function difference(seed: number): string | null {
  const random = randomOf(seed);
  const nodes = randomGraph(random);
  const scripts = new Map(nodes.map(({ taskId }) => [taskId, randomScript(random)]));
  let first: string | null = null;
  let status: string | undefined;
  for (const failurePolicy of ['continue', ...FAILURE_POLICIES] as const) {
    const plan = planOfNodes(nodes, failurePolicy);
    for (let order = 0; order < 2; order++) {
      const scriptOf = ({ taskId }: { taskId: string }): Script => scripts.get(taskId)!;
      const { states, conclusion, stuck } = simulate({ plan, scriptOf, random, lazily: order === 0 });
      if (stuck.length > 0) return `${failurePolicy}: ${stuck.join(' ')} stuck`;
      status ??= conclusion!.status;
      if (conclusion!.status !== status) return `${failurePolicy}: ${conclusion!.status}, not ${status}`;
      if (failurePolicy !== 'continue') continue;
      const all = plan.nodes.map((node) => {
        const { status: end, reason } = states[node.index]!;
        return `${node.taskId} ${end} ${reason ?? ''}`;
      });
      first ??= all.join(', ');
      if (all.join(', ') !== first) return `${all.join(', ')}, not ${first}`;
    }
  }
  return null;
}

test(`${GRAPHS} random graphs end in one state, whatever the order in which their tasks end`, () => {
  const base = baseSeed('graphs', 7_000_000);
  const failures: string[] = [];
  for (let seed = base; seed < base + GRAPHS && failures.length < 5; seed++) {
    const found = difference(seed);
    if (found !== null) failures.push(`seed ${seed}: ${found}`);
  }
  expect(failures).toEqual([]);
}, 60_000);

describe('topological order', () => {
  const node = (taskId: string, ...parents: string[]) =>
    taskNode(
      taskId,
      parents.map((id) => ({ taskId: id })),
    );

  test('keeps the order of a list that is in order', () => {
    const nodes = [node('a'), node('b'), node('c', 'a'), node('d', 'b', 'c')];
    expect(topologicalOrder(nodes)).toEqual({ ok: true, order: [0, 1, 2, 3] });
  });
  test('puts parents first', () => {
    expect(topologicalOrder([node('c', 'b'), node('b', 'a'), node('a')])).toEqual({
      ok: true,
      order: [2, 1, 0],
    });
  });
  test('names the members of a cycle from parent to child, and no others', () => {
    const nodes = [node('a'), node('b', 'a', 'd'), node('c', 'b'), node('d', 'c'), node('e', 'd')];
    expect(topologicalOrder(nodes)).toEqual({ ok: false, cycle: ['c', 'd', 'b'] });
  });
  test('finds a task that depends on itself', () => {
    expect(topologicalOrder([node('a', 'a')])).toEqual({ ok: false, cycle: ['a'] });
  });
  test('finds all cycles that share nothing', () => {
    const nodes = [node('a', 'b'), node('b', 'a'), node('x', 'y'), node('y', 'x')];
    expect(findCycles(nodes).map((cycle) => cycle.toSorted())).toEqual([
      ['a', 'b'],
      ['x', 'y'],
    ]);
  });
  test('leaves unknown parents to validation', () => {
    expect(topologicalOrder([node('a', 'nobody')])).toEqual({ ok: true, order: [0] });
  });
  test('a cycle through 20,000 tasks does not overflow the stack', () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => node(`n${i}`, `n${(i + 19_999) % 20_000}`));
    const sorted = topologicalOrder(nodes);
    expect(sorted.ok ? 0 : sorted.cycle.length).toBe(20_000);
  });
});

describe('ancestors', () => {
  test('are parents and theirs, not the node itself, nor its sides', () => {
    const plan = planOf('a -> b -> d; a -> c -> d; e');
    const above = (id: string): string =>
      plan.nodes
        .filter((other) => isAncestor(plan, other.index, plan.indexOf.get(id)!))
        .map((other) => other.taskId)
        .join(' ');
    expect(['a', 'b', 'c', 'd', 'e'].map(above)).toEqual(['', 'a', 'a', 'a b c', '']);
  });
  test('agree with a search on a random graph', () => {
    const random = randomOf(1);
    const nodes = Array.from({ length: 100 }, (_, i) =>
      taskNode(
        `n${i}`,
        i === 0 ? [] : [{ taskId: `n${below(random, i)}` }, { taskId: `n${below(random, i)}` }],
      ),
    );
    const plan = planOfNodes(nodes);
    for (const { index } of plan.nodes) {
      const found = new Set<number>();
      const open = [index];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        for (const { from } of plan.nodes[at]!.inEdges) {
          if (!found.has(from)) open.push(from);
          found.add(from);
        }
      }
      const known = plan.nodes
        .filter((other) => isAncestor(plan, other.index, index))
        .map((other) => other.index);
      expect(known).toEqual([...found].sort((a, b) => a - b));
    }
  });
});
