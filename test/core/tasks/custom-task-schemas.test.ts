// What a task type declares is what its author's code is compiled against, and what is checked when it runs.
import { Type } from 'typebox';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { NodeDefinition, WorkflowDefinition } from '../../../src/core/definition/model.ts';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { compilePlan } from '../../../src/engine/memory/compiled.ts';
import { defineTask } from '../../../src/tasks/custom-task.ts';
import { createRegistry } from '../../../src/tasks/registry.ts';
import type { TaskContext } from '../../../src/tasks/task-type.ts';
import { closedOutside, secretsOf } from '../../support/outside.ts';
import { context, node, registry } from './run-task.ts';

const greet = defineTask({
  type: 'greet',
  configSchema: {
    type: 'object',
    properties: { name: { type: 'string' }, times: { type: 'integer' } },
    required: ['name'],
  },
  inputSchema: { type: 'object', properties: { mood: { enum: ['good', 'bad'] } }, required: ['mood'] },
  outputSchema: Type.Object({ text: Type.String() }),
  secrets: ['SHOP'],
  timeoutSeconds: 7,
  retry: { maxAttempts: 9 },
  async run({ config, input, secrets }) {
    expectTypeOf(config.name).toEqualTypeOf<string>();
    expectTypeOf(config.times).toEqualTypeOf<number | undefined>();
    expectTypeOf(input.mood).toEqualTypeOf<'good' | 'bad'>();
    expectTypeOf(secrets.SHOP).toEqualTypeOf<string>();
    // @ts-expect-error a misspelt field of config
    expectTypeOf(config.nme).toBeAny();
    // @ts-expect-error a secret that is not declared
    expectTypeOf(secrets.SHOPP).toBeAny();
    return { text: `${config.name}, ${input.mood}, ${secrets.SHOP}` };
  },
});
const run = async (
  type: ReturnType<typeof defineTask>,
  config: JsonObject,
  more: Partial<TaskContext> = {},
) => await type.prepare(node(type.type, config), registry).run(context(more));
const shop = { outside: closedOutside({ secrets: secretsOf({ SHOP: 's3cret' }) }) };

describe('the types of a task of an author', () => {
  test('come from TypeBox as well', () => {
    defineTask({
      type: 'typed',
      configSchema: Type.Object({ size: Type.Optional(Type.Number()) }),
      run({ config, secrets }) {
        expectTypeOf(config.size).toEqualTypeOf<number | undefined>();
        // @ts-expect-error none is declared
        expectTypeOf(secrets.SHOP).toBeAny();
      },
    });
  });

  test('are JSON where nothing is declared', () => {
    const schema: JsonObject = { type: 'object' };
    defineTask({
      type: 'untyped',
      configSchema: schema,
      run({ config, input }) {
        expectTypeOf(config).toEqualTypeOf<JsonObject>();
        expectTypeOf(input).toEqualTypeOf<Json>();
      },
    });
  });

  test('refuse a result that does not fit the outputSchema', () => {
    const outputSchema = Type.Object({ text: Type.String() });
    // @ts-expect-error the text is a number
    defineTask({ type: 'wrong', outputSchema, run: () => ({ text: 1 }) });
    // @ts-expect-error the text is missing
    defineTask({ type: 'wrong', outputSchema, run: async () => ({}) });
  });
});

describe('what a task of an author declares acts', () => {
  test('config, input and result that fit go through', async () => {
    const input = { mood: 'good' };
    const more = { ...shop, input, scope: { input: { who: 'Ada' } } };
    expect(await run(greet, { name: '{{ input.who }}' }, more)).toEqual({
      kind: 'completed',
      output: { text: 'Ada, good, s3cret' },
    });
  });

  test.each([
    [
      'config',
      { name: '{{ input.who }}' },
      { mood: 'good' },
      'the config does not fit the configSchema of "greet": /name',
    ],
    ['input', { name: 'Ada' }, { mood: 'so-so' }, 'the input does not fit the inputSchema of "greet": /mood'],
  ])('%s that does not fit fails the task before run', async (_what, config, input, message) => {
    const more = { ...shop, input, scope: { input: { who: 7 } } };
    await expect(run(greet, config, more)).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'validation',
      message: expect.stringContaining(message),
    });
  });

  test('a result that does not fit fails the task and is not repeated by itself', async () => {
    const wrong = defineTask({
      type: 'wrong',
      outputSchema: { type: 'object', required: ['text'] } as JsonObject,
      run: () => ({}),
    });
    await expect(run(wrong, {})).rejects.toMatchObject({ name: 'TerminalError', code: 'output_invalid' });
  });

  test('a secret that is not set fails the task and names its variable', async () => {
    await expect(run(greet, { name: 'Ada' }, { input: { mood: 'bad' } })).rejects.toMatchObject({
      code: 'validation',
      message: 'Task "it": there is no secret "SHOP"; set DAGWRIGHT_SECRET_SHOP on the worker',
    });
  });

  test('its time limit and retries are those of nodes that say nothing', async () => {
    const compile = async (more: Partial<NodeDefinition>, defaults?: JsonObject) => {
      const definition = {
        workflowId: 'w',
        nodes: [{ ...node('greet', { name: 'Ada' }), ...more }],
        defaults,
      };
      const { nodes } = await compilePlan(definition as WorkflowDefinition, createRegistry([greet]));
      return nodes[0];
    };
    expect(await compile({})).toMatchObject({ timeoutSeconds: 7, retry: [{ maxAttempts: 9 }] });
    const own = { timeoutSeconds: 8, retry: { maxAttempts: 2 } };
    const compiled = { ...own, retry: [own.retry] };
    expect(await compile(own)).toMatchObject(compiled);
    expect(await compile({}, { '*': own })).toMatchObject(compiled);
  });

  test('a reader of an output that cannot be there is refused', () => {
    const read = (field: string) =>
      validateDefinition(
        {
          workflowId: 'w',
          nodes: [{ taskId: 'hi', taskType: 'closed', config: {} }],
          output: `{{ tasks.hi.output.${field} }}`,
        },
        { taskTypes: new Map([['closed', closed.rule]]) },
      );
    const closed = defineTask({
      type: 'closed',
      outputSchema: Type.Object({ text: Type.String() }, { additionalProperties: false }),
      run: () => ({ text: '' }),
    });
    expect(read('text').ok).toBe(true);
    expect(read('txt')).toMatchObject({ ok: false, problems: [{ code: 'excluded_path' }] });
  });

  test.each([
    [{ timeoutSeconds: 0 }, 'timeoutSeconds of "bad"'],
    [{ retry: { maxAttempts: 0 } }, 'retry/maxAttempts of "bad"'],
    [{ retry: { retryOn: ['?'] } }, 'retry/retryOn/0 of "bad"'],
    [{ outputSchema: { type: 'objct' } }, 'outputSchema of "bad"'],
    [{ inputSchema: 'text' as unknown as object }, 'inputSchema of "bad" must be a JSON Schema object'],
    [{ secrets: 'SHOP' as unknown as [] }, 'secrets of "bad" must be a list of names'],
  ])('%j is refused when the type is defined', (declared, message) => {
    expect(() => defineTask({ type: 'bad', run: () => null, ...declared })).toThrow(message);
  });
});
