import { describe, expect, test } from 'vitest';
import { problemsOf, valid, warningsOf } from './documents.ts';

describe('the seeds’ documents', () => {
  const seed = {
    nodes: [
      { id: 'start', type: 'webhook_trigger', position: { x: 0, y: 0 }, config: { path: 'in' } },
      { id: 'load', type: 'transform', position: { x: 1, y: 0 }, config: { output: '{{ input.body }}' } },
      { id: 'check', type: 'condition', config: { expression: '$.tasks.load.output.n > 1' } },
      {
        id: 'big',
        type: 'transform',
        config: { output: 1 },
        timeout_seconds: 5,
        condition_expression: '$.input.x == 1',
      },
      { id: 'small', type: 'transform', config: { output: 2 } },
      { id: 'rescue', type: 'transform', config: { output: 3 } },
    ],
    edges: [
      { id: 'e0', source: 'start', target: 'load' },
      { from: 'load', to: 'check' },
      { source: 'check', target: 'big', sourceHandle: 'true', animated: true },
      { source: 'check', target: 'small', condition: 'false' },
      { source: 'load', target: 'rescue', sourceHandle: 'error', targetHandle: null },
    ],
  };

  test('a bare { nodes, edges } is stored in our names', () => {
    expect(valid(seed).definition).toEqual({
      workflowId: 'workflow',
      nodes: [
        { taskId: 'load', taskType: 'transformation', config: { output: '{{ input.body }}' }, dependsOn: [] },
        {
          taskId: 'check',
          taskType: 'condition',
          config: { expression: '$.tasks.load.output.n > 1' },
          dependsOn: [{ taskId: 'load' }],
        },
        {
          taskId: 'big',
          taskType: 'transformation',
          config: { output: 1 },
          timeoutSeconds: 5,
          conditionExpression: '$.input.x == 1',
          dependsOn: [{ taskId: 'check', branch: 'true' }],
        },
        {
          taskId: 'small',
          taskType: 'transformation',
          config: { output: 2 },
          dependsOn: [{ taskId: 'check', branch: 'false' }],
        },
        {
          taskId: 'rescue',
          taskType: 'transformation',
          config: { output: 3 },
          dependsOn: [{ taskId: 'load', on: 'failure' }],
        },
      ],
    });
  });

  test('each rewrite is a warning at its place in the author’s document', () => {
    const warnings = warningsOf(seed);
    expect(new Set(warnings.map((warning) => warning.split(' ')[1]))).toEqual(new Set(['rewritten']));
    for (const pointer of [
      '/nodes/0',
      '/nodes/1/id',
      '/nodes/1/type',
      '/nodes/1/position',
      '/nodes/3/timeout_seconds',
      '/nodes/3/condition_expression',
      '/edges',
      '/workflowId',
    ])
      expect(warnings).toContain(`${pointer} rewritten`);
  });

  test('the caller’s workflowId is used where the document has none', () => {
    expect(valid(seed, { workflowId: 'mine' }).definition.workflowId).toBe('mine');
    expect(valid({ ...seed, workflowId: 'own' }, { workflowId: 'mine' }).definition.workflowId).toBe('own');
  });

  test.each<[string, unknown, string[]]>([
    [
      'an edge to nothing',
      { ...seed, edges: [{ source: 'load', target: 'chek' }] },
      ['/edges/0/target unknown_task'],
    ],
    [
      'an edge from nothing',
      { ...seed, edges: [{ from: 'lod', to: 'check' }] },
      ['/edges/0/from unknown_task'],
    ],
    [
      'an edge without an end',
      { ...seed, edges: [{ source: 'load' }, 5] },
      ['/edges/0/target required', '/edges/1 type'],
    ],
    [
      'a branch that does not exist',
      {
        ...seed,
        edges: [
          { from: 'load', to: 'check' },
          { source: 'check', target: 'big', sourceHandle: 'yes' },
        ],
      },
      ['/edges/1/sourceHandle unknown_branch'],
    ],
    [
      'an unknown field of an edge',
      { ...seed, edges: [{ source: 'load', target: 'check', weight: 1 }] },
      ['/edges/0/weight unknown_field'],
    ],
    [
      'a broken template in a node behind a trigger',
      { nodes: [seed.nodes[0], { id: 'a', type: 'transform', config: { output: '{{ 1 +' } }], edges: [] },
      ['/nodes/1/config/output expression'],
    ],
    [
      'a cycle of edges',
      {
        nodes: seed.nodes.slice(1, 3),
        edges: [
          { from: 'load', to: 'check' },
          { from: 'check', to: 'load' },
        ],
      },
      ['/edges/0 cycle'],
    ],
    [
      'http_request without a URL',
      { nodes: [{ id: 'a', type: 'http_request', config: {} }], edges: [] },
      ['/nodes/0/config/url required'],
    ],
  ])('problems point into the author’s document: %s', (_title, document, problems) => {
    // The nodes of these documents lean on edges that some cases leave out.
    expect(problemsOf(document).filter((problem) => !problem.includes('not_an_ancestor'))).toEqual(problems);
  });

  test('snake_case names are ours in another spelling, also within config and retry', () => {
    const document = {
      workflow_id: 'w',
      timeout_seconds: 60,
      failure_policy: 'continue',
      nodes: [
        {
          task_id: 'a',
          task_type: 'transform',
          depends_on: [],
          config: { output: 1 },
          retry: { max_attempts: 2 },
        },
        {
          task_id: 'p',
          task_type: 'parallel',
          depends_on: ['a', { task_id: 'a', on: 'failure' }],
          config: { items: [1], max_concurrency: 2, task: { type: 'transform', config: { output: 1 } } },
        },
      ],
    };
    const { definition } = valid(document);
    expect(definition).toMatchObject({ workflowId: 'w', timeoutSeconds: 60, failurePolicy: 'continue' });
    expect(definition.nodes[0]).toMatchObject({ taskId: 'a', retry: { maxAttempts: 2 } });
    expect(definition.nodes[1]).toMatchObject({
      dependsOn: [{ taskId: 'a' }, { taskId: 'a', on: 'failure' }],
      config: { maxConcurrency: 2, task: { taskType: 'transformation' } },
    });
    expect(problemsOf({ ...document, timeout_seconds: -1 })).toEqual(['/timeout_seconds range']);
  });

  test('our own spelling next to theirs is an unknown field, not a silent choice', () => {
    const nodes = [{ taskId: 'a', id: 'b', taskType: 'transformation', config: { output: 1 } }];
    expect(problemsOf({ workflowId: 'w', nodes })).toEqual(['/nodes/0/id unknown_field']);
  });

  test('x- names and ui are kept as they are', () => {
    const nodes = [
      {
        taskId: 'a',
        taskType: 'transformation',
        config: { output: 1 },
        ui: { x: 1 },
        'x-note': '{{ not read',
      },
    ];
    const document = { workflowId: 'w', 'x-owner': 'me', nodes };
    expect(valid(document).definition).toMatchObject(document);
    expect(warningsOf(document)).toEqual([]);
  });
});
