import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { type CustomTaskContext, defineTask } from '../../../src/tasks/custom-task.ts';
import type { TaskContext } from '../../../src/tasks/task-type.ts';
import { closedOutside } from '../../support/outside.ts';
import { context, node, registry } from './run-task.ts';

const run = async (
  body: (ctx: CustomTaskContext) => unknown,
  config: JsonObject = {},
  more: Partial<TaskContext> = {},
) => defineTask({ type: 'mine', run: body }).prepare(node('mine', config), registry).run(context(more));

describe('defineTask', () => {
  test('what run returns is the output', async () => {
    expect(await run(() => ({ a: 1 }))).toEqual({ kind: 'completed', output: { a: 1 } });
    expect(await run(async () => undefined)).toEqual({ kind: 'completed', output: undefined });
  });

  test('run sees its input, and its config with templates evaluated', async () => {
    const more = { input: [1], attempt: 2, lastCheckpoint: { at: 3 }, scope: { input: { n: 5 } } };
    const seen = await run((ctx) => ({ ...ctx }), { n: '{{ input.n }}' }, more);
    expect(seen).toMatchObject({
      output: {
        executionId: 'execution-1',
        taskId: 'it',
        attempt: 2,
        input: [1],
        config: { n: 5 },
        lastCheckpoint: { at: 3 },
        idempotencyKey: 'execution-1:it',
      },
    });
  });

  test('errors of run are not changed', async () => {
    const error = new Error('mine');
    await expect(run(() => Promise.reject(error))).rejects.toBe(error);
  });

  test('costs are made canonical; null is an unknown price', async () => {
    const costs: unknown[] = [];
    const add = (ctx: CustomTaskContext): void => {
      ctx.addCost(2.13e-6, { calls: 1 });
      ctx.addCost(null);
    };
    await run(add, {}, { addCost: (usd, usage) => costs.push([usd, usage]) });
    expect(costs).toEqual([
      ['0.00000213', { calls: 1 }],
      [null, undefined],
    ]);
  });

  test.each([-1, '-0.1', 'free', Number.NaN])('a cost of %s is refused', async (usd) => {
    await expect(run((ctx) => ctx.addCost(usd))).rejects.toThrow(RangeError);
  });

  test('checkpoints reach the engine', async () => {
    const states: unknown[] = [];
    const checkpoint = async (state: unknown): Promise<void> => void states.push(state);
    await run((ctx) => ctx.checkpoint({ page: 2 }), {}, { checkpoint });
    expect(states).toEqual([{ page: 2 }]);
  });

  test('fetch is the guarded one, and ends with the attempt or with its own signal', async () => {
    const asked: { url: unknown; signal: AbortSignal }[] = [];
    const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
      asked.push({ url: input, signal: init!.signal as AbortSignal });
      return new Response('ok');
    };
    const outside = closedOutside({
      http: { ...closedOutside().http, fetch: fetch as typeof globalThis.fetch },
    });
    const attempt = new AbortController();
    const own = new AbortController();
    const more = { outside, signal: attempt.signal };
    const body = async (ctx: CustomTaskContext) => {
      await ctx.fetch('https://api.example/', { signal: own.signal });
      await ctx.fetch(new Request('https://api.example/', { signal: own.signal }));
      return await (await ctx.fetch('https://api.example/')).text();
    };
    expect(await run(body, {}, more)).toEqual({ kind: 'completed', output: 'ok' });
    own.abort();
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    attempt.abort();
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
  });

  test('the rule for validation holds the schema', () => {
    const configSchema = { type: 'object' };
    expect(defineTask({ type: 'acme.send-mail', configSchema, run: () => null })).toMatchObject({
      type: 'acme.send-mail',
      isPure: false,
      rule: { type: 'acme.send-mail', status: 'built', configSchema },
    });
  });

  test.each(['', 'Mine', '1st', 'a b', 'a/b', 'x'.repeat(101), null])('the type %j is refused', (type) => {
    expect(() => defineTask({ type: type as string, run: () => null })).toThrow(/type must be/);
  });

  test.each(['wait', 'external_api', 'human_review'])('%s is taken by a built-in type', (type) => {
    expect(() => defineTask({ type, run: () => null })).toThrow('is a built-in task type');
  });

  test('run must be a function, and configSchema an object', () => {
    expect(() => defineTask({ type: 'mine', run: null as unknown as () => null })).toThrow(
      /must be a function/,
    );
    const configSchema = [] as unknown as JsonObject;
    expect(() => defineTask({ type: 'mine', configSchema, run: () => null })).toThrow(
      /must be a JSON Schema/,
    );
  });
});
