// What validation claims about plans is compared with what the planner does: random graphs, run to the end by `decide`.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { surelyCompleted } from '../../../src/core/definition/checks/guarantees.ts';
import { findNeverRuns } from '../../../src/core/definition/checks/never-runs.ts';
import { type Dependency, type NodeDefinition, TRIGGER_RULES } from '../../../src/core/definition/model.ts';
import { buildPlan } from '../../../src/core/plan/build-plan.ts';
import { decide, edgeOutcome, type TaskState } from '../../../src/core/plan/decide.ts';
import { topologicalOrder } from '../../../src/core/plan/graph.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { depth } from '../../support/depth.ts';

const EDGES: readonly Partial<Dependency>[] = [
  {},
  {},
  {},
  { branch: 'a' },
  { branch: 'b' },
  { on: 'failure' },
  { on: 'any' },
];

const graph = fc.array(
  fc.record({
    edges: fc.array(fc.record({ from: fc.nat(30), kind: fc.nat(EDGES.length - 1) }), { maxLength: 3 }),
    rule: fc.nat(60),
    optional: fc.nat(9),
    isFail: fc.nat(9),
    conditional: fc.nat(5),
  }),
  { minLength: 3, maxLength: 12 },
);
type Drawn = typeof graph extends fc.Arbitrary<infer T> ? T : never;
const fates = fc.array(fc.nat(5), { minLength: 12, maxLength: 12 });

function planOf(drawn: Drawn): Plan {
  const nodes = drawn.map((node, i): NodeDefinition => {
    const dependsOn = new Map<string, Dependency>();
    for (const { from, kind } of i === 0 ? [] : node.edges) {
      const edge = { taskId: `t${from % i}`, ...EDGES[kind] };
      dependsOn.set(JSON.stringify(edge), edge);
    }
    const rule = TRIGGER_RULES[node.rule];
    return {
      taskId: `t${i}`,
      taskType: node.isFail === 0 ? 'fail' : 'condition',
      dependsOn: [...dependsOn.values()],
      config: {},
      ...(rule !== undefined && { triggerRule: rule }),
      ...(node.optional === 0 && { optional: true }),
      ...(node.conditional === 0 && { conditionExpression: 'input.x' }),
    };
  });
  expect(topologicalOrder(nodes).ok).toBe(true);
  return buildPlan({ workflowId: 'w', nodes });
}

/** Runs all tasks in order; each fate decides how a task that runs ends. */
function play(plan: Plan, fate: readonly number[]): { states: TaskState[]; ran: boolean[] } {
  const states: TaskState[] = [];
  const ran: boolean[] = [];
  for (const node of plan.nodes) {
    const parents = node.inEdges.map((edge) => states[edge.from]!);
    const outcomes = node.inEdges.map((edge, at) => edgeOutcome(edge, plan.nodes[edge.from]!, parents[at]!));
    const decision = decide(node, outcomes, parents);
    const how = fate[node.index % fate.length]!;
    const isSkipped =
      decision.kind !== 'run' || (node.definition.conditionExpression !== undefined && how === 5);
    ran.push(!isSkipped);
    if (decision.kind === 'skip') states.push({ status: 'skipped', reason: decision.reason });
    else if (isSkipped) states.push({ status: 'skipped', reason: 'condition_false' });
    else if (how === 4 || node.definition.taskType === 'fail')
      states.push({ status: 'failed', errorCode: 'timeout' });
    else states.push({ status: 'completed', branch: ['a', 'b', null, 'c'][how % 4] ?? null });
  }
  return { states, ran };
}

test('a task that is said to have surely completed has completed whenever its reader runs', () => {
  fc.assert(
    fc.property(graph, fc.array(fates, { minLength: 5, maxLength: 5 }), (drawn, all) => {
      const plan = planOf(drawn);
      const questions = plan.nodes.flatMap((reader) =>
        plan.nodes.slice(0, reader.index).flatMap((read) => [
          { reader: reader.index, anyOf: [read.index] },
          { reader: reader.index, anyOf: [read.index, 0] },
        ]),
      );
      const sure = surelyCompleted(plan, questions);
      for (const fate of all) {
        const { states, ran } = play(plan, fate);
        questions.forEach(({ reader, anyOf }, i) => {
          if (sure[i] && ran[reader])
            expect(anyOf.some((read) => states[read]?.status === 'completed')).toBe(true);
        });
      }
    }),
    { numRuns: depth(600) },
  );
});

test('a task that is said never to run never runs', () => {
  fc.assert(
    fc.property(graph, fc.array(fates, { minLength: 10, maxLength: 10 }), (drawn, all) => {
      const plan = planOf(drawn);
      const never = findNeverRuns(plan, (node) => node.definition.taskType === 'fail');
      for (const fate of never.length === 0 ? [] : all) {
        const { ran } = play(plan, fate);
        for (const { index } of never) expect(ran[index], JSON.stringify(plan.definition.nodes)).toBe(false);
      }
    }),
    { numRuns: depth(1500) },
  );
});
