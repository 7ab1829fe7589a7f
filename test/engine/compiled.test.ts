// A plan is compiled beside everything else that a worker does.
import { expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { compilePlan } from '../../src/engine/memory/compiled.ts';
import { createRegistry } from '../../src/tasks/registry.ts';

const SCHEMAS = 300;

test('a revision with many schemas is compiled in turns of the event loop', async () => {
  const nodes = Array.from({ length: SCHEMAS }, (_, i) => ({
    taskId: `t${i}`,
    taskType: 'model_inference',
    modelId: 'simulated/fast',
    dependsOn: [],
    config: {
      prompt: 'x',
      responseSchema: { type: 'object', properties: { [`q${i}`]: { type: 'string', maxLength: i } } },
    },
  }));
  const definition = { workflowId: 'w', nodes, inputSchema: { maxProperties: 3 } } as WorkflowDefinition;
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const plan = await compilePlan(definition, createRegistry());
  isOver = true;
  // 20 ms each; compiling takes some hundred.
  expect(turns).toBeGreaterThan(3);
  expect(plan.nodes.map(({ plan: { taskId } }) => taskId)).toEqual(nodes.map(({ taskId }) => taskId));
  expect(plan.inputSchema!.validate({ a: 1, b: 2, c: 3, d: 4 })).toHaveLength(1);
  // Each node's schema was paid from the budget of the whole.
  expect(plan.weight).toBeGreaterThan(SCHEMAS * 200);
});
