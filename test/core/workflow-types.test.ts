// `workflow()` compiles what fits only, and gives the plain document.
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../src/core/definition/validate.ts';
import { workflow } from '../../src/library/workflow.ts';
import { defineTask } from '../../src/tasks/custom-task.ts';

const greet = defineTask({
  type: 'greet',
  configSchema: Type.Object({ name: Type.String(), times: Type.Optional(Type.Integer()) }),
  run: () => null,
});

describe('workflow()', () => {
  test('gives the document that a file would hold', () => {
    const given = workflow({
      workflowId: 'w',
      inputSchema: Type.Object({ n: Type.Optional(Type.Number()) }),
      nodes: [
        { taskId: 'a', taskType: greet, config: { name: 'Ada', times: '{{ input.n }}' } },
        { taskId: 'b', taskType: 'wait', dependsOn: ['a', { taskId: 'a', on: 'failure' }], config: {} },
      ],
    });
    expect(given).toEqual({
      workflowId: 'w',
      inputSchema: { type: 'object', properties: { n: { type: 'number' } } },
      nodes: [
        { taskId: 'a', taskType: 'greet', config: { name: 'Ada', times: '{{ input.n }}' } },
        { taskId: 'b', taskType: 'wait', dependsOn: ['a', { taskId: 'a', on: 'failure' }], config: {} },
      ],
    });
    expect(Object.getOwnPropertySymbols(given)).toEqual([]);
  });

  test('compiles no config, edge or type that does not fit', () => {
    workflow({
      workflowId: 'w',
      // @ts-expect-error a misspelt field of config
      nodes: [{ taskId: 'a', taskType: greet, config: { nme: 'Ada' } }],
    });
    workflow({
      workflowId: 'w',
      // @ts-expect-error a number that is a text, and no template
      nodes: [{ taskId: 'a', taskType: greet, config: { name: 'Ada', times: 'three' } }],
    });
    workflow({
      workflowId: 'w',
      nodes: [
        { taskId: 'a', taskType: 'wait' },
        // @ts-expect-error there is no task "c"
        { taskId: 'b', taskType: 'wait', dependsOn: ['c'] },
      ],
    });
    workflow({
      workflowId: 'w',
      // @ts-expect-error a misspelt field of a node
      nodes: [{ taskId: 'a', taskType: 'wait', dependOn: [] }],
    });
    // @ts-expect-error a misspelt field
    const misspelt = () => workflow({ workflowId: 'w', node: [] });
    expect(misspelt).toThrow();
    expect(validateDefinition(workflow({ workflowId: 'w', nodes: [] })).ok).toBe(false);
  });
});
