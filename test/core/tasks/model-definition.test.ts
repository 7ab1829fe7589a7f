import { describe, expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../../src/core/definition/model.ts';
import { withDefaults } from '../../../src/core/definition/reading/defaults.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { problemsOf, reads, typed, workflow } from '../definition/documents.ts';

const model = (config: JsonObject, modelId = 'openai/gpt-x') =>
  typed('m', 'model_inference', config, { modelId });
const problems = (config: JsonObject, modelId?: string) => [
  ...new Set(problemsOf(workflow([model(config, modelId)]))),
];
const task = { taskType: 'transformation', config: { output: '{{ task.input.city }}' } };
const withTool = (tool: JsonObject) => problems({ prompt: 'x', tools: [{ name: 't', task, ...tool }] });

describe('a model_inference is accepted', () => {
  test.each<[string, JsonObject]>([
    [
      'with everything',
      {
        prompt: 'x',
        systemPrompt: 'y',
        history: '$.input.history',
        temperature: 0,
        maxOutputTokens: 1,
        responseSchema: { type: 'object', properties: { $x: { pattern: '^{{ $' } } },
        fallbackModels: ['anthropic/claude-x', 'simulated/fast'],
        tools: [{ name: 't', description: 'for {{ input.name }}', inputSchema: { type: 'object' }, task }],
        maxSteps: 3,
        credential: 'MINE',
        baseUrl: 'https://proxy.example/v1',
        providerOptions: { openai: { store: true } },
      },
    ],
    ['for an embedding', { prompt: 'x', mode: 'embedding' }],
    ['with a secret in its config', { prompt: 'x', baseUrl: 'https://{{ secrets.HOST }}/v1' }],
  ])('%s', (_what, config) => {
    expect(problems(config)).toEqual([]);
  });

  test.each(['anthropic/claude-x', 'google/gemini-x', 'simulated/any', '{{ input.model }}'])(
    'with %s',
    (modelId) => {
      expect(problems({ prompt: 'x' }, modelId)).toEqual([]);
    },
  );

  test('with any provider name at a base URL', () => {
    expect(problems({ prompt: 'x', baseUrl: 'http://ollama:11434/v1' }, 'ollama/llama')).toEqual([]);
  });
});

describe('a model_inference is refused', () => {
  test('with a modelId that is too long', () => {
    expect(problems({ prompt: 'x' }, `openai/${'m'.repeat(395)}`)).toEqual(['/nodes/0/modelId too_long']);
    expect(problems({ prompt: 'x' }, `openai/${'m'.repeat(394)}`)).toEqual([]);
  });

  test.each<[string, JsonObject, string[]]>([
    [
      'with a schema that is none',
      { responseSchema: { type: 'wrong' } },
      ['/nodes/0/config/responseSchema/type invalid_schema'],
    ],
    [
      'with a template for a schema',
      { responseSchema: '{{ input.schema }}' },
      ['/nodes/0/config/responseSchema type'],
    ],
    ['with a template for tools', { tools: '{{ input.tools }}' }, ['/nodes/0/config/tools type']],
    [
      'with two tools of one name',
      {
        tools: [
          { name: 't', task },
          { name: 't', task },
        ],
      },
      ['/nodes/0/config/tools/1/name duplicate_tool'],
    ],
    ['with an unknown mode', { mode: 'song' }, ['/nodes/0/config/mode invalid_value']],
    [
      'for an embedding with tools',
      { mode: 'embedding', tools: [{ name: 't', task }] },
      ['/nodes/0/config/tools conflict'],
    ],
    ['with 101 steps', { maxSteps: 101 }, ['/nodes/0/config/maxSteps range']],
    [
      'with a credential that is a value',
      { credential: 'sk-123 456' },
      ['/nodes/0/config/credential pattern'],
    ],
  ])('%s', (_what, config, wanted) => {
    expect(problems({ prompt: 'x', ...config })).toEqual(wanted);
  });

  test.each([
    ['opanai/gpt-x', 'unknown_provider'],
    ['gpt-x', 'pattern'],
    ['auto', 'not_supported'],
  ])('with the modelId %s', (modelId, code) => {
    expect(problems({ prompt: 'x' }, modelId)).toEqual([`/nodes/0/modelId ${code}`]);
  });
});

describe('a tool is refused', () => {
  const at = '/nodes/0/config/tools/0';
  test.each<[string, JsonObject, string[]]>([
    [
      'of a type that does not complete at once',
      { task: { taskType: 'wait', config: { seconds: 1 } } },
      [`${at}/task/taskType not_a_tool`],
    ],
    [
      'that is a parallel',
      { task: { taskType: 'parallel', config: { items: [1], task } } },
      [`${at}/task/taskType not_a_tool`],
    ],
    ['that is an unknown type', { task: { taskType: 'nope' } }, [`${at}/task/taskType unknown_type`]],
    ['that is no task', { task: { config: {} } }, [`${at}/task/taskType required`]],
    ['with a taskId', { task: { ...task, taskId: 'x' } }, [`${at}/task/taskId unknown_field`]],
    ['with retries', { task: { ...task, retry: { maxAttempts: 2 } } }, [`${at}/task/retry not_a_tool`]],
    [
      'with a condition',
      { task: { ...task, conditionExpression: 'true' } },
      [`${at}/task/conditionExpression not_a_tool`],
    ],
    [
      'with tools',
      {
        task: {
          taskType: 'model_inference',
          modelId: 'simulated/x',
          config: { prompt: 'x', tools: [{ name: 'u', task }] },
        },
      },
      [`${at}/task/config/tools not_a_tool`],
    ],
    [
      'without a model',
      { task: { taskType: 'model_inference', config: { prompt: 'x' } } },
      [`${at}/task/modelId required`],
    ],
    [
      'with a schema that is none',
      { inputSchema: { type: 'wrong' } },
      [`${at}/inputSchema/type invalid_schema`],
    ],
    ['with a name that models do not take', { name: 'two words' }, [`${at}/name pattern`]],
    [
      'with an expression that does not compile',
      { task: { taskType: 'transformation', config: { output: '{{ ( }}' } } },
      [`${at}/task/config/output expression`],
    ],
    [
      'that reads an item where there is none',
      { task: { taskType: 'transformation', config: { output: '{{ item }}' } } },
      [`${at}/task/config/output out_of_scope`],
    ],
  ])('%s', (_what, tool, wanted) => {
    expect(withTool(tool)).toEqual(wanted);
  });

  test('that reads a task which is no ancestor', () => {
    const tools = [
      { name: 't', task: { taskType: 'transformation', config: { output: '{{ tasks.b.output }}' } } },
    ];
    expect(problemsOf(workflow([model({ prompt: 'x', tools }), reads('b', '1')]))).toEqual([
      '/nodes/0/config/tools/0/task/config/output not_an_ancestor',
    ]);
  });

  test('inside a parallel over items it sees the item', () => {
    const part = {
      taskType: 'model_inference',
      modelId: 'simulated/x',
      config: {
        prompt: 'x',
        tools: [{ name: 't', task: { taskType: 'transformation', config: { output: '{{ item }}' } } }],
      },
    };
    expect(problemsOf(workflow([typed('p', 'parallel', { items: [1], task: part })]))).toEqual([]);
    part.config.tools[0]!.task = { taskType: 'wait', config: { output: 'x' } };
    expect(problemsOf(workflow([typed('p', 'parallel', { items: [1], task: part })]))).toContain(
      '/nodes/0/config/task/config/tools/0/task/taskType not_a_tool',
    );
  });
});

describe('what is known of the output', () => {
  const after = (config: JsonObject, expression: string) =>
    problemsOf(workflow([model({ prompt: 'x', ...config }), reads('b', `{{ ${expression} }}`, 'm')]));
  const responseSchema = {
    type: 'object',
    properties: { name: { type: 'string' } },
    additionalProperties: false,
  };

  test.each<[string, JsonObject, string, string[]]>([
    ['a field of the schema', { responseSchema }, 'tasks.m.output.object.name', []],
    [
      'a field that it excludes',
      { responseSchema },
      'tasks.m.output.object.nmae',
      ['/nodes/1/config/output excluded_path'],
    ],
    ['object without a schema', {}, 'tasks.m.output.object', ['/nodes/1/config/output excluded_path']],
    ['embedding in text mode', {}, 'tasks.m.output.embedding', ['/nodes/1/config/output excluded_path']],
    ['embedding', { mode: 'embedding' }, 'tasks.m.output.embedding[0]', []],
    ['usage', {}, 'tasks.m.output.usage.reasoningTokens', []],
  ])('%s', (_what, config, expression, wanted) => {
    expect(after(config, expression)).toEqual(wanted);
  });

  test('secrets exist in the config of a model and nowhere else', () => {
    expect(problemsOf(workflow([reads('a', '{{ secrets.X }}')]))).toEqual([
      '/nodes/0/config/output out_of_scope',
    ]);
    expect(problems({ prompt: '{{ secrets }}' })).toEqual(['/nodes/0/config/prompt out_of_scope']);
  });
});

describe('defaults', () => {
  test('reach the tasks of tools, without timeouts, retries and tools of their own', () => {
    const inner = { taskType: 'model_inference', config: { prompt: 'x' } };
    const definition = workflow([model({ prompt: 'x' })], {
      defaults: {
        '*': { timeoutSeconds: 9, retry: { maxAttempts: 1 } },
        model_inference: {
          modelId: 'simulated/x',
          config: { temperature: 0, tools: [{ name: 't', task: inner }] },
        },
      },
    });
    expect(problemsOf(definition)).toEqual([]);
    const [node] = withDefaults(definition as unknown as WorkflowDefinition).nodes;
    expect(node?.config.tools).toEqual([
      { name: 't', task: { ...inner, modelId: 'simulated/x', config: { temperature: 0, prompt: 'x' } } },
    ]);
  });
});
