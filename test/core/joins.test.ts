import { describe, expect, test } from 'vitest';
import type { Dependency, NodeDefinition } from '../../src/core/definition/model.ts';
import { buildPlan } from '../../src/core/plan/build-plan.ts';
import { findJoins } from '../../src/core/plan/joins.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Meter } from '../../src/core/plan/ways.ts';
import { groupsOf, planOf, planOfNodes, taskNode } from './support/text-plan.ts';

describe('join groups', () => {
  const cases: [rule: string, text: string, task: string, groups: string][] = [
    ['without forks every parent is needed', 'a -> j; b -> j; c -> j', 'j', 'a b c'],
    ['a root has none', 'a -> j', 'a', ''],
    ['the ways of an if are one', 'c -yes-> a -> j; c -no-> b -> j', 'j', 'a|b'],
    ['an if without else: the plain edge is the other way', 'c -yes-> a -> j; c -> j', 'j', 'a|c'],
    ['a switch one way of which does something', 'c -X-> x -> j; c -Y-> y; c -> j', 'j', 'x|c'],
    ['a branch edge straight into the join', 'c -yes-> a -> j; c -no-> j', 'j', 'a|c'],
    ['two branches straight into one task', 'c -x-> j; c -y-> j', 'j', 'c|c'],
    ['try and catch, rejoined', 't -> j; t -!-> h -> j', 'j', 't|h'],
    ['success and failure straight into one task', 't -> j; t -!-> j', 'j', 't|t'],
    ['all failure edges of one task count as one', 't -!timeout-> j; t -!network-> j', 'j', 't|t'],
    ['catches of different errors', 't -> j; t -!timeout-> h -> j; t -!http_4xx-> g -> j', 'j', 't|h|g'],
    ['what a catch runs side by side is all needed', 't -> j; t -!-> h -> j; t -!-> g -> j', 'j', 't|h t|g'],
    ['a try over several tasks', 'a -> b; a -!-> h; b -!-> h; b -> j; h -> j', 'h', 'a|b'],
    ['a try over several tasks, rejoined', 'a -> b; a -!-> h; b -!-> h; b -> j; h -> j', 'j', 'b|h'],
    ['an approval joined with other work', 'r -approved-> p; w -> p', 'p', 'r w'],
    ['two independent gates', 'c -yes-> a -> j; d -yes-> b -> j', 'j', 'a b'],
    [
      'two independent ifs side by side',
      'c -y-> a -> j; c -n-> b -> j; d -y-> e -> j; d -n-> f -> j',
      'j',
      'a|b e|f',
    ],
    ['parallel work in one way is all needed', 'c -y-> a -> j; c -y-> b -> j; c -n-> d -> j', 'j', 'a|d b|d'],
    [
      'parallel work in both ways is paired',
      'c -y-> a -> j; c -y-> b -> j; c -n-> d -> j; c -n-> e -> j',
      'j',
      'a|d b|e',
    ],
    ['nested ifs', 'c -y-> d; d -1-> a -> j; d -2-> b -> j; c -n-> e -> j', 'j', 'a|b|e'],
    ['an inner way that is not drawn', 'c -y-> d; d -1-> a -> j; d -2-> b; c -n-> e -> j', 'j', 'a|e'],
    ['an early exit joins late', 'c -y-> d; d -1-> a -> m; c -n-> e -> m; m -> j; d -2-> b -> j', 'j', 'm|b'],
    ['a chain of else-ifs', 'c -y-> a -> j; c -n-> d; d -y-> b -> j; d -n-> e -> j', 'j', 'a|b|e'],
    [
      'a redundant edge on the joined task',
      'c -y-> a -> m; c -n-> b -> m; m -> j; a -> j; b -> j',
      'j',
      'm a|b',
    ],
    [
      'a part of the ways joined, and redundant edges',
      'c -1-> a -> m; c -2-> b -> m; c -3-> x; m -> j; a -> j; b -> j',
      'j',
      'm a|b',
    ],
    [
      'a redundant edge on the fork after its join',
      'c -y-> a -> m; c -n-> b -> m; m -> j; c -> j',
      'j',
      'm c',
    ],
    [
      'what needs a part and a part of the part is in the smaller part',
      'f -1-> a -> m; f -2-> b -> m; f -3-> z; m -> j; a -> j; j -> k; b -> k',
      'k',
      'j|b',
    ],
    ['alternatives on two forks', 'f -1-> a; g -1-> a; a -> j; f -2-> b -> j; g -2-> e -> j', 'j', 'a|b a|e'],
    ['on: any is no alternative', 'c -y-> a -*-> j; c -n-> b -> j', 'j', 'a b'],
    ['after a gate inside a way', 'c -y-> g; g -ok-> a -> j; c -n-> b -> j', 'j', 'a|b'],
  ];
  test.each(cases)('%s: %s', (_, text, task, groups) => {
    expect(groupsOf(planOf(text), task)).toBe(groups);
  });

  test('do not depend on the order of the file', () => {
    const text = 'f -1-> a; g -1-> a; a -> j; f -2-> b -> j; g -2-> e -> j';
    const turned = 'g -1-> a; f -1-> a; a -> j; f -2-> b -> j; g -2-> e -> j';
    expect(groupsOf(planOf(text), 'j')).toBe('a|b a|e');
    expect(groupsOf(planOf(turned), 'j')).toBe('a|b a|e');
  });

  test('a task with a trigger rule has none', () => {
    expect(groupsOf(planOf('a -> j; b -> j', { rules: { j: 'one_success' } }), 'j')).toBe('');
  });

  test('a join by one_success stays in the way of its parents', () => {
    const text = 'c -y-> d; d -1-> a -> m; d -2-> b -> m; m -> j; c -n-> e -> j';
    expect(groupsOf(planOf(text, { rules: { m: 'none_failed_min_one_success' } }), 'j')).toBe('m|e');
    expect(groupsOf(planOf(text, { rules: { m: 'all_done' } }), 'j')).toBe('m e');
  });

  test('a plain edge names the branches that are drawn beside it', () => {
    const plan = planOf('c -1-> a -> j; c -2-> b -> j; c -3-> x; c -> j');
    const node = plan.nodes[plan.indexOf.get('j')!]!;
    expect([...node.drawn]).toEqual([[2, ['1', '2']]]);
  });
});

describe('cost of the plan', () => {
  function steps(nodes: readonly NodeDefinition[]): number {
    const meter: Meter = { steps: 0 };
    const plan = planOfNodes(nodes);
    findJoins(plan.nodes, meter);
    return meter.steps;
  }
  const edges = (plan: Plan): number => plan.nodes.reduce((sum, node) => sum + node.inEdges.length, 0);

  /** 40 layers; each task has three parents in the layer before; the last joins 6,000. */
  function layered(): NodeDefinition[] {
    const width = 250;
    const nodes: NodeDefinition[] = [];
    for (let layer = 0; layer < 40; layer++) {
      for (let i = 0; i < width; i++) {
        const parents = layer === 0 ? [] : [0, 1, 7].map((step) => `n${layer - 1}_${(i + step) % width}`);
        nodes.push(
          taskNode(
            `n${layer}_${i}`,
            parents.map((taskId) => ({ taskId })),
          ),
        );
      }
    }
    return [
      ...nodes,
      taskNode(
        'join',
        nodes.slice(-6000).map(({ taskId }) => ({ taskId })),
      ),
    ];
  }
  const chain = (length: number, link: (i: number) => Dependency[]): NodeDefinition[] =>
    Array.from({ length }, (_, i) => taskNode(`n${i}`, i === 0 ? [] : link(i)));

  test('a layered graph of 10,000 tasks and 35,000 edges with a join of 6,000 is linear', () => {
    const nodes = layered();
    const plan = planOfNodes(nodes);
    expect(plan.nodes).toHaveLength(10_001);
    expect(plan.nodes.at(-1)!.groups).toHaveLength(6000);
    expect(steps(nodes)).toBeLessThanOrEqual(2 * edges(plan));
  });

  test('a chain of 20,000 does not overflow the stack', () => {
    expect(planOfNodes(chain(20_000, (i) => [{ taskId: `n${i - 1}` }])).leaves).toEqual([19_999]);
    expect(planOfNodes(chain(20_000, (i) => [{ taskId: `n${i - 1}` }]).reverse()).leaves).toEqual([19_999]);
  });

  function ifs(count: number): NodeDefinition[] {
    return Array.from({ length: count }, (_, i) => [
      taskNode(`c${i}`, i === 0 ? [] : [{ taskId: `a${i - 1}` }, { taskId: `b${i - 1}` }]),
      taskNode(`a${i}`, [{ taskId: `c${i}`, branch: 'yes' }]),
      taskNode(`b${i}`, [{ taskId: `c${i}`, branch: 'no' }]),
    ]).flat();
  }
  function nested(depth: number): NodeDefinition[] {
    const nodes = chain(depth, (i) => [{ taskId: `n${i - 1}`, branch: 'in' }]);
    const exits = nodes.map((node) => taskNode(`x_${node.taskId}`, [{ taskId: node.taskId, branch: 'out' }]));
    return [
      ...nodes,
      ...exits,
      taskNode(
        'end',
        exits.map(({ taskId }) => ({ taskId })),
      ),
    ];
  }
  function tries(count: number): NodeDefinition[] {
    return Array.from({ length: count }, (_, i) => [
      taskNode(`t${i}`, i === 0 ? [] : [{ taskId: `t${i - 1}` }]),
      taskNode(`h${i}`, [{ taskId: `t${i}`, on: 'failure' }]),
    ]).flat();
  }
  function dense(layers: number): NodeDefinition[] {
    return Array.from({ length: layers }, (_, layer) =>
      [0, 1, 2, 3].map((i) =>
        taskNode(
          `n${layer}_${i}`,
          layer === 0
            ? []
            : [0, 1, 2, 3].map((j) => ({ taskId: `n${layer - 1}_${j}`, branch: `w${(i + j) % 3}` })),
        ),
      ),
    ).flat();
  }
  function wide(count: number): NodeDefinition[] {
    const ways = Array.from({ length: count }, (_, i) =>
      taskNode(`w${i}`, [{ taskId: 'c', branch: `b${i}` }]),
    );
    return [
      taskNode('c'),
      ...ways,
      taskNode(
        'end',
        ways.map(({ taskId }) => ({ taskId })),
      ),
    ];
  }

  test.each([
    ['ifs one after the other', ifs, 1000],
    ['else-ifs nested in each other', nested, 1000],
    ['tries that do not rejoin', tries, 1000],
    ['a switch', wide, 1000],
    ['forks in forks in forks without structure', dense, 50],
  ])('doubling %s at most triples the steps', (_, make, size) => {
    const small = steps(make(size));
    expect(steps(make(2 * size))).toBeLessThan(3 * small);
  });

  test('6,667 sequential ifs, 6,600 nested else-ifs and a switch of 10,000 are planned', () => {
    for (const nodes of [ifs(6667), nested(6600), wide(10_000)]) expect(steps(nodes)).toBeLessThan(1_000_000);
    expect(planOfNodes(nested(6600)).nodes.at(-1)!.groups).toHaveLength(1);
  });

  test('a definition with a cycle, an unknown or a repeated task is a broken promise', () => {
    const plan = (nodes: NodeDefinition[]) => () => buildPlan({ workflowId: 'w', nodes });
    expect(plan([taskNode('a', [{ taskId: 'b' }]), taskNode('b', [{ taskId: 'a' }])])).toThrow('cycle: ');
    expect(plan([taskNode('a', [{ taskId: 'b' }])])).toThrow('"b", which does not exist');
    expect(plan([taskNode('a'), taskNode('a')])).toThrow('repeats a taskId');
  });
});
