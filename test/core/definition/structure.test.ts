import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { problemsOf, task, typed, valid, workflow } from './documents.ts';

const one = [task('a')];
const withRetry = (retry: unknown) => workflow([task('a', [], { retry })]);
const wait = (config: Record<string, unknown>) => workflow([typed('a', 'wait', config)]);
const parallel = (config: Record<string, unknown>) => workflow([typed('p', 'parallel', config)]);
const part = { taskType: 'transformation', config: { output: '{{ item }}' } };
const named = { taskType: 'transformation', config: { output: 1 } };
const aggregation = (config: Record<string, unknown>) => workflow([typed('a', 'aggregation', config)]);
const model = (config: Record<string, unknown>, modelId: unknown = 'simulated/x') =>
  workflow([typed('m', 'model_inference', config, { modelId })]);

describe('what is wrong, and where', () => {
  test.each<[string, unknown, string[]]>([
    ['a list', [], [' type']],
    ['null', null, [' type']],
    ['nothing', {}, ['/workflowId required', '/nodes required']],
    ['no nodes', workflow([]), ['/nodes range']],
    ['nodes that are no list', workflow({}), ['/nodes type']],
    ['a node that is no object', workflow([task('a'), 7]), ['/nodes/1 type']],
    ['a node without names', workflow([{}]), ['/nodes/0/taskId required', '/nodes/0/taskType required']],
    ['a workflowId that does not fit', { workflowId: '1a', nodes: one }, ['/workflowId pattern']],
    ['a taskId that does not fit', workflow([task('a:b')]), ['/nodes/0/taskId pattern']],
    [
      'a reserved taskId',
      workflow([task('finally'), task('onFailure')]),
      ['/nodes/0/taskId reserved_name', '/nodes/1/taskId reserved_name'],
    ],
    ['a taskId that reaches a prototype', workflow([task('__proto__')]), ['/nodes/0/taskId reserved_name']],
    ['an unknown field', workflow(one, { nme: 1 }), ['/nme unknown_field']],
    [
      'an unknown field of a node',
      workflow([task('a', [], { dependOn: [] })]),
      ['/nodes/0/dependOn unknown_field'],
    ],
    [
      'an unknown field of an edge',
      workflow([task('a'), task('b', [{ taskId: 'a', brnch: 'x' }])]),
      ['/nodes/1/dependsOn/0/brnch unknown_field'],
    ],
    ['a name with a slash', workflow(one, { 'a/b~c': 1 }), ['/a~1b~0c unknown_field']],
    ['an edge that is a number', workflow([task('a', [5])]), ['/nodes/0/dependsOn/0 type']],
    ['a version that is a number', workflow(one, { version: 1 }), ['/version type']],
    ['an unknown policy', workflow(one, { failurePolicy: 'stop' }), ['/failurePolicy invalid_value']],
    [
      'an unknown rule',
      workflow([task('a', [], { triggerRule: 'all_succes' })]),
      ['/nodes/0/triggerRule invalid_value'],
    ],
    ['a timeout of 0', workflow(one, { timeoutSeconds: 0 }), ['/timeoutSeconds range']],
    [
      'a timeout of more than ten years',
      workflow([task('a', [], { timeoutSeconds: 4e8 })]),
      ['/nodes/0/timeoutSeconds range'],
    ],
    ['maxRetries that is no whole number', workflow(one, { maxRetries: 1.5 }), ['/maxRetries type']],
    [
      'a config that is no object',
      workflow([task('a', [], { config: [] })]),
      ['/nodes/0/config type', '/nodes/0/config/output required'],
    ],
    ['0 attempts', withRetry({ maxAttempts: 0 }), ['/nodes/0/retry/maxAttempts range']],
    [
      'a shrinking backoff',
      withRetry({ backoffCoefficient: 0.5 }),
      ['/nodes/0/retry/backoffCoefficient range'],
    ],
    ['an unknown jitter', withRetry({ jitter: 'some' }), ['/nodes/0/retry/jitter invalid_value']],
    [
      'an error pattern that fits nothing',
      withRetry({ retryOn: ['http_9xx!', 'timeout'] }),
      ['/nodes/0/retry/retryOn/0 invalid_error_pattern'],
    ],
    [
      'a cache of what is done at once',
      workflow([task('a', [], { cache: { ttlSeconds: 1 } })]),
      ['/nodes/0/cache unknown_field'],
    ],
    [
      'a cache that lasts for ever, and one without a time',
      workflow([
        typed('a', 'external_api', { url: 'https://a.example' }, { cache: { ttlSeconds: 4e6 } }),
        typed('b', 'external_api', { url: 'https://a.example' }, { cache: { tll: 1 } }),
      ]),
      [
        '/nodes/0/cache/ttlSeconds range',
        '/nodes/1/cache/ttlSeconds required',
        '/nodes/1/cache/tll unknown_field',
      ],
    ],
    [
      'a cache without a key where not all is known that is asked',
      workflow([
        typed(
          'a',
          'external_api',
          { url: 'https://a.example', callback: { timeoutSeconds: 9 } },
          { cache: { ttlSeconds: 9 } },
        ),
      ]),
      ['/nodes/0/cache/key required'],
    ],
    [
      'secrets in the key of a cache',
      workflow([
        typed(
          'a',
          'external_api',
          { url: 'https://a.example' },
          { cache: { ttlSeconds: 9, key: '{{ secrets.A }}' } },
        ),
      ]),
      ['/nodes/0/cache/key out_of_scope'],
    ],
    ['an empty list of policies', withRetry([]), ['/nodes/0/retry range']],
    [
      'more policies than anyone needs',
      withRetry(Array.from({ length: 21 }, (_, i) => ({ retryOn: [`code${i}`] }))),
      ['/nodes/0/retry range'],
    ],
    [
      'what is wrong with one of several policies',
      withRetry([{ retryOn: ['timeout'], maxAttempts: 0 }, { retryOn: ['no!'], jiter: 'none' }, 7]),
      [
        '/nodes/0/retry/0/maxAttempts range',
        '/nodes/0/retry/1/jiter unknown_field',
        '/nodes/0/retry/2 type',
        '/nodes/0/retry/1/retryOn/0 invalid_error_pattern',
      ],
    ],
    [
      'a policy behind one that takes all',
      withRetry([{ retryOn: ['*'] }, { retryOn: ['timeout'] }]),
      ['/nodes/0/retry/1 conflict'],
    ],
    [
      'a policy whose codes are all taken',
      withRetry([
        { retryOn: ['http_5xx', 'timeout'] },
        { retryOn: ['http_503', 'timeout'] },
        { retryOn: [] },
      ]),
      ['/nodes/0/retry/1 conflict', '/nodes/0/retry/2 conflict'],
    ],
    [
      'a pattern of one of several policies in defaults',
      workflow(one, { defaults: { '*': { retry: [{ retryOn: ['no!'] }] } } }),
      ['/defaults/*/retry/0/retryOn/0 invalid_error_pattern'],
    ],
    ['an unknown type', workflow([typed('a', 'transfrmation', {})]), ['/nodes/0/taskType unknown_type']],
    [
      'defaults of an unknown type',
      workflow(one, { defaults: { transformatio: {} } }),
      ['/defaults/transformatio unknown_type'],
    ],
    [
      'an unknown field in defaults',
      workflow(one, { defaults: { '*': { dependsOn: [] } } }),
      ['/defaults/*/dependsOn unknown_field'],
    ],
    [
      'a default parameter that the input refuses',
      workflow(one, {
        inputSchema: { properties: { depth: {} }, additionalProperties: false },
        defaultParameters: { deph: 1 },
      }),
      ['/defaultParameters/deph excluded_path'],
    ],
    [
      'an inputSchema that is none',
      workflow(one, { inputSchema: { properties: { a: { type: 'strin' } } } }),
      expect.arrayContaining(['/inputSchema/properties/a/type invalid_schema']) as unknown as string[],
    ],
    [
      'a remote reference',
      workflow(one, { outputSchema: { $ref: 'https://example.com/s' } }),
      ['/outputSchema/$ref invalid_schema'],
    ],
    [
      'a broken expression',
      workflow([typed('a', 'transformation', { output: { x: ['{{ 1 + }}'] } })]),
      ['/nodes/0/config/output/x/0 expression'],
    ],
    [
      'a broken condition',
      workflow([task('a', [], { conditionExpression: '1 +' })]),
      ['/nodes/0/conditionExpression expression'],
    ],
  ])('%s', (_title, document, problems) => {
    expect(problemsOf(document)).toEqual(problems);
  });

  test('a node with one broken field is still checked for the others', () => {
    const broken = {
      taskId: 'b',
      taskType: 'wiat',
      dependOn: [],
      dependsOn: ['a', 5, 'q'],
      config: {},
      timeoutSeconds: 'x',
    };
    expect(problemsOf(workflow([task('a'), broken])).sort()).toEqual([
      '/nodes/1/dependOn unknown_field',
      '/nodes/1/dependsOn/1 type',
      '/nodes/1/dependsOn/2 unknown_task',
      '/nodes/1/taskType unknown_type',
      '/nodes/1/timeoutSeconds type',
    ]);
  });

  test.each(['tasks', 'steps', 'jobs'])('%s, as others call them, gets nodes as hint', (name) => {
    const result = validateDefinition({ workflowId: 'w', [name]: [] });
    const unknown = result.ok ? [] : result.problems.filter(({ code }) => code === 'unknown_field');
    expect(unknown.map(({ hint }) => hint)).toEqual(['did you mean "nodes"?']);
  });

  test('needs gets dependsOn as hint', () => {
    const result = validateDefinition(workflow([{ ...typed('a', 'wait', { seconds: 1 }), needs: [] }]));
    expect(result.ok ? [] : result.problems.map(({ hint }) => hint)).toEqual(['did you mean "dependsOn"?']);
  });

  test('a typo gets the nearest name as hint', () => {
    const result = validateDefinition(
      workflow([typed('a', 'transfrmation', {})], { faliurePolicy: 'fail_fast' }),
    );
    expect(result.ok ? [] : result.problems.map(({ hint }) => hint)).toEqual([
      'did you mean "failurePolicy"?',
      'did you mean "transformation"?',
    ]);
  });
});

describe('config of the types', () => {
  test.each<[string, unknown, string[]]>([
    [
      'transformation without output',
      workflow([typed('a', 'transformation', {})]),
      ['/nodes/0/config/output required'],
    ],
    [
      'an unknown config field',
      workflow([typed('a', 'transformation', { output: 1, oputput: 2 })]),
      ['/nodes/0/config/oputput unknown_field'],
    ],
    [
      'condition of two kinds',
      workflow([typed('a', 'condition', { value: 'input.a', expression: true })]),
      ['/nodes/0/config/expression conflict'],
    ],
    ['condition of no kind', workflow([typed('a', 'condition', {})]), ['/nodes/0/config/value required']],
    [
      'a case without a branch',
      workflow([typed('a', 'condition', { cases: [{ when: true }] })]),
      ['/nodes/0/config/cases/0/branch required'],
    ],
    [
      'a broken case',
      workflow([typed('a', 'condition', { cases: [{ when: '1 +', branch: 'x' }] })]),
      ['/nodes/0/config/cases/0/when expression'],
    ],
    ['a wait for nothing', wait({}), ['/nodes/0/config/seconds required']],
    [
      'a wait of two kinds',
      wait({ seconds: 1, until: '2030-01-31T09:00:00Z' }),
      ['/nodes/0/config/until conflict'],
    ],
    ['a negative wait', wait({ seconds: -1 }), ['/nodes/0/config/seconds range']],
    ['a wait until no date', wait({ until: 'tomorrow' }), ['/nodes/0/config/until format']],
    ['a wait longer than the definition', wait({ seconds: 3601 }), ['/nodes/0/config/seconds wait_too_long']],
    ['a parallel of nothing', parallel({}), ['/nodes/0/config/branches required']],
    ['items without a task', parallel({ items: [1] }), ['/nodes/0/config/task required']],
    [
      'branches and items',
      parallel({ branches: { x: named }, items: [1], task: part }),
      ['/nodes/0/config/items conflict', '/nodes/0/config/task conflict'],
    ],
    [
      '10,001 at a time',
      parallel({ items: [1], task: part, maxConcurrency: 10_001 }),
      ['/nodes/0/config/maxConcurrency range'],
    ],
    [
      'an edge in a part',
      parallel({ branches: { x: { ...named, dependsOn: ['a'] } } }),
      ['/nodes/0/config/branches/x/dependsOn unknown_field'],
    ],
    [
      'what only a node of the graph has, in the task of a parallel over items',
      parallel({ items: [1], task: { ...part, taskId: 'x', triggerRule: 'all_done' } }),
      ['/nodes/0/config/task/taskId unknown_field', '/nodes/0/config/task/triggerRule unknown_field'],
    ],
    [
      'batches of named branches',
      parallel({ branches: { x: named }, batchSize: 2 }),
      ['/nodes/0/config/batchSize conflict'],
    ],
    [
      'batches of nothing',
      parallel({ items: [1], task: part, batchSize: {} }),
      ['/nodes/0/config/batchSize range'],
    ],
    [
      'batches of too few',
      parallel({ items: [1], task: part, batchSize: { count: 0, byte: 1 } }),
      ['/nodes/0/config/batchSize/byte unknown_field', '/nodes/0/config/batchSize/count range'],
    ],
    ['a part that is no task', parallel({ branches: { x: 1 } }), ['/nodes/0/config/branches/x type']],
    [
      'an unknown type in a part',
      parallel({ items: [1], task: { taskType: 'nope' } }),
      ['/nodes/0/config/task/taskType unknown_type'],
    ],
    [
      'item in a named branch',
      parallel({ branches: { x: part } }),
      ['/nodes/0/config/branches/x/config/output out_of_scope'],
    ],
    ['an unknown strategy', aggregation({ strategy: 'total' }), ['/nodes/0/config/strategy invalid_value']],
    [
      'a strategy by template',
      aggregation({ strategy: '{{ input.s }}' }),
      ['/nodes/0/config/strategy invalid_value'],
    ],
    [
      'a broken element path',
      aggregation({ strategy: 'sum', path: '$.a[' }),
      ['/nodes/0/config/path expression'],
    ],
    [
      'an error code with spaces',
      workflow([typed('a', 'fail', { code: 'not good' })]),
      ['/nodes/0/config/code pattern'],
    ],
    [
      'an unknown end',
      workflow([typed('a', 'terminate', { status: 'done' })]),
      ['/nodes/0/config/status invalid_value'],
    ],
    ['a model that is missing', workflow([typed('a', 'model_inference', {})]), ['/nodes/0/modelId required']],
    ['a model without provider', model({}, 'gpt'), ['/nodes/0/modelId pattern']],
    ['a temperature of 3', model({ temperature: 3 }), ['/nodes/0/config/temperature range']],
    [
      'prompt and messages',
      model({ prompt: 'x', messages: [{ role: 'user', content: 'y' }] }),
      ['/nodes/0/config/messages conflict'],
    ],
    [
      'a model for a transformation',
      workflow([task('a', [], { modelId: 'simulated/x' })]),
      ['/nodes/0/modelId unknown_field'],
    ],
  ])('%s', (_title, document, problems) => {
    expect(problemsOf(document)).toEqual(problems);
  });

  test.each<[string, unknown]>([
    [
      'numbers as templates',
      parallel({ items: '{{ input.list }}', task: part, maxConcurrency: '{{ input.n }}' }),
    ],
    ['a wait by template', wait({ seconds: '$.input.s' })],
    ['a model by template', model({ prompt: 'x' }, 'simulated/{{ input.name }}')],
    ['fractions of a second', workflow([task('a', [], { timeoutSeconds: 0.5 })], { timeoutSeconds: 1.5 })],
    [
      'x- names anywhere',
      workflow([task('a', [], { 'x-a': 1, ui: { x: 1 }, config: { output: 1, 'x-note': '{{' } })], {
        'x-b': {},
      }),
    ],
    [
      'a long wait in a long workflow',
      workflow([typed('a', 'wait', { seconds: 7200 })], { timeoutSeconds: 9000 }),
    ],
    [
      'item and index in a part over items',
      parallel({
        items: [1],
        task: { taskType: 'transformation', config: { output: '{{ item }} {{ index }}' } },
      }),
    ],
    [
      'what each element of an aggregation has',
      aggregation({
        strategy: 'best',
        source: '$.input.list',
        path: 'item.name',
        by: '$.score',
        weights: '$.w',
      }),
    ],
    ['weights from the input', aggregation({ strategy: 'weighted_vote', weights: '$.input.weights' })],
    [
      'several retry policies, the widest last',
      withRetry([
        { retryOn: ['http_429'], maxAttempts: 9 },
        { maxAttempts: 2 },
        { retryOn: ['timeout', 'my_code'] },
        { retryOn: ['*'] },
      ]),
    ],
    [
      'defaults of a type',
      workflow([typed('m', 'model_inference', { prompt: 'x' }), task('a')], {
        defaults: {
          '*': { timeoutSeconds: 9 },
          model_inference: { modelId: 'simulated/x', config: { temperature: 0 } },
        },
      }),
    ],
  ])('accepted: %s', (_title, document) => {
    expect(problemsOf(document)).toEqual([]);
  });

  test('a problem of a default points at the default', () => {
    const document = workflow([typed('m', 'model_inference', { prompt: 'x' })], {
      defaults: { model_inference: { modelId: 'simulated/x', config: { temperature: 9 } } },
    });
    expect(problemsOf(document)).toEqual(['/defaults/model_inference/config/temperature range']);
  });

  test('defaults stay in the stored definition and are filled in on the plan', () => {
    const nodes = [typed('m', 'model_inference', { prompt: 'x' }, { timeoutSeconds: 5 })];
    const defaults = {
      '*': { timeoutSeconds: 9, retry: { maxAttempts: 2 } },
      model_inference: { modelId: 'simulated/x', config: { temperature: 0, prompt: 'y' } },
    };
    const { definition, plan } = valid(workflow(nodes, { defaults }));
    expect(definition.nodes[0]).toEqual({ ...nodes[0], dependsOn: [] });
    expect(plan.nodes[0]?.definition).toMatchObject({
      modelId: 'simulated/x',
      timeoutSeconds: 5,
      retry: { maxAttempts: 2 },
      config: { temperature: 0, prompt: 'x' },
    });
  });

  test('a type of the user is checked by its own schema', () => {
    const configSchema = {
      type: 'object',
      properties: { to: { type: 'string', format: 'email' }, n: { type: 'integer' } },
      required: ['to'],
    };
    const taskTypes = new Map([['mail', { type: 'mail', status: 'built' as const, configSchema }]]);
    expect(
      problemsOf(workflow([typed('a', 'mail', { to: 'x', n: '{{ input.n }}' })]), { taskTypes }),
    ).toEqual(['/nodes/0/config/to format']);
    expect(problemsOf(workflow([typed('a', 'mail', { to: 'a@b.co' })]), { taskTypes })).toEqual([]);
  });
});
