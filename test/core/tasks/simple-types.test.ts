import { describe, expect, test } from 'vitest';
import { BUILTIN_TASK_TYPES } from '../../../src/core/definition/schema/builtin-types.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { createRegistry } from '../../../src/tasks/registry.ts';
import { context, NOW, node, registry, runPure, taskTypeOf } from './run-task.ts';

describe('the registry', () => {
  test('has every type that validation calls built, and no other', () => {
    const built = [...BUILTIN_TASK_TYPES.values()]
      .filter(({ status }) => status === 'built')
      .map(({ type }) => type);
    expect([...createRegistry().keys()].sort()).toEqual(built.sort());
  });

  test('takes custom types, and refuses two of one name', () => {
    const mine = { ...taskTypeOf('wait'), type: 'mine' };
    expect(createRegistry([mine]).get('mine')).toBe(mine);
    expect(() => createRegistry([mine, mine])).toThrow('"mine" is defined twice');
    expect(() => createRegistry([{ ...mine, type: 'wait' }])).toThrow('"wait" is defined twice');
  });

  test('a config that does not compile is refused when it is prepared', () => {
    expect(() =>
      taskTypeOf('transformation').prepare(node('transformation', { output: '{{ nope( }}' }), registry),
    ).toThrow(/Task "it": \/config\/output/);
  });
});

describe('transformation', () => {
  test('evaluates its mapping, and lists what it reads', () => {
    const definition = node('transformation', {
      output: { name: '$.input.name', twice: '{{ input.n * 2 }}' },
    });
    expect(runPure(definition, { scope: { input: { name: 'a', n: 2 } } })).toEqual({
      kind: 'completed',
      output: { name: 'a', twice: 4 },
    });
    const { mappings } = taskTypeOf('transformation').prepare(definition, registry);
    expect(mappings.flatMap((mapping) => mapping.references.map(({ root }) => root))).toEqual([
      'input',
      'input',
    ]);
  });

  test('without an output it passes its input on', () => {
    expect(runPure(node('transformation', {}), { input: [1] })).toEqual({ kind: 'completed', output: [1] });
  });

  test('a missing path is missing_path', () => {
    expect(() =>
      runPure(node('transformation', { output: '$.input.gone' }), { scope: { input: {} } }),
    ).toThrow(expect.objectContaining({ code: 'missing_path' }));
  });
});

describe('wait', () => {
  const wait = (config: JsonObject, input: Json = null) =>
    runPure(node('wait', config), { scope: { input } });
  const fired = { kind: 'completed', output: { firedAt: NOW } };

  test.each<[JsonObject, number]>([
    [{ seconds: 1.5 }, 1500],
    [{ seconds: 0.0001 }, 1],
    [{ seconds: '{{ input }}' }, 20_000],
    [{ until: '2030-01-01T00:00:10Z' }, 10_000],
    [{ until: '2030-01-01T02:00:10.250+02:00' }, 10_250],
    [{ until: '2030-01-01t01:00z' }, 3_600_000],
  ])('%j waits %d ms', (config, delayMs) => {
    expect(wait(config, 20)).toEqual({ kind: 'wait', delayMs });
  });

  test.each<JsonObject>([{ seconds: 0 }, { until: NOW }, { until: '1999-12-31T23:59:59Z' }])(
    '%j completes at once',
    (config) => expect(wait(config)).toEqual(fired),
  );

  test('its timer completes it', () => {
    expect(runPure(node('wait', { seconds: 5 }), { phase: 'timer' })).toEqual(fired);
  });

  test.each<JsonObject>([
    { seconds: -1 },
    { seconds: Number.NaN },
    { seconds: Number.POSITIVE_INFINITY },
    { seconds: 1e300 },
    { seconds: '5' },
    {},
    { until: 'tomorrow' },
    { until: '2030-02-30T00:00:00Z' },
    { until: '2030-01-01T25:00:00Z' },
    { until: '2030-01-01T00:00:00' },
    { until: '2030-01-01' },
    { until: 1893456000 },
    { until: '9999-01-01T00:00:00Z' },
  ])('%j is refused', (config) => {
    expect(() => wait(config)).toThrow(
      expect.objectContaining({
        code: 'validation',
        message: expect.stringMatching(/^Task "it": wait needs /),
      }),
    );
  });
});

describe('fail and terminate', () => {
  const scope = { input: { code: 'too_late', why: [1] } };

  test('fail throws the error of its config', () => {
    const config = { code: '$.input.code', message: 'late: {{ input.code }}', details: '$.input.why' };
    expect(() => runPure(node('fail', config), { scope })).toThrow(
      expect.objectContaining({
        name: 'TerminalError',
        code: 'too_late',
        message: 'late: too_late',
        details: [1],
      }),
    );
  });

  test('fail without a config is a handler_error that names the task', () => {
    expect(() => runPure(node('fail', {}))).toThrow(
      expect.objectContaining({ code: 'handler_error', message: 'ended by the fail task "it"' }),
    );
  });

  test.each<Json>(['', 'a b', '1x', 'x'.repeat(101), 7, null])('a code of %j is refused', (code) => {
    expect(() => runPure(node('fail', { code: '{{ input }}' }), { scope: { input: code } })).toThrow(
      expect.objectContaining({ code: 'validation' }),
    );
  });

  test('terminate completes the execution by default', () => {
    expect(runPure(node('terminate', { output: '$.input.why' }), { scope })).toEqual({
      kind: 'terminate',
      status: 'completed',
      output: [1],
      error: null,
    });
  });

  test('terminate as failed has an error', () => {
    const config = { status: 'failed', code: '$.input.code', message: 'stop' };
    expect(runPure(node('terminate', config), { scope })).toEqual({
      kind: 'terminate',
      status: 'failed',
      output: null,
      error: { taskId: 'it', code: 'too_late', message: 'stop' },
    });
  });

  test('a status that is none is refused', () => {
    expect(() => runPure(node('terminate', { status: 'done' }))).toThrow(
      expect.objectContaining({ code: 'validation' }),
    );
  });

  test('pure types answer without a promise', () => {
    for (const [type, config] of [
      ['wait', { seconds: 1 }],
      ['terminate', {}],
    ] as const) {
      expect(taskTypeOf(type).isPure).toBe(true);
      expect(taskTypeOf(type).prepare(node(type, config), registry).run(context())).not.toBeInstanceOf(
        Promise,
      );
    }
  });
});
