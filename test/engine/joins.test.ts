// Joins, failure policies and trigger rules through the whole engine: rows, counters, closures and lanes give what the
// pure planner says.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Dependency, NodeDefinition } from '../../src/core/definition/model.ts';
import { TRIGGER_RULES } from '../../src/core/definition/model.ts';
import { TerminalError } from '../../src/core/errors.ts';
import { buildPlan } from '../../src/core/plan/build-plan.ts';
import { compile, interpret, randomProgram, scriptsOf } from '../core/support/programs.ts';
import { baseSeed, below, pick, type Random, randomOf, shuffled } from '../core/support/random.ts';
import { type Script, simulate } from '../core/support/simulate.ts';
import { depth } from '../support/depth.ts';
import { definition, type Engine, failing, gate, graph, openEngine, type Run } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

/** A task that ends as the script says: now and then by a body, else as a pure task. */
function acting(node: NodeDefinition, script: Script['end'], random: Random): NodeDefinition {
  if (script.status === 'skipped') return { ...node, conditionExpression: 'false' };
  if (script.status === 'failed') {
    const code = script.errorCode!;
    if (random() < 0.5) return { ...node, ...failing(code) };
    return { ...node, taskType: 'probe', config: { code } };
  }
  if (script.branch != null)
    return {
      ...node,
      taskType: 'condition',
      config: { value: `'${script.branch}'`, default: script.branch },
    };
  return random() < 0.5 ? node : { ...node, taskType: 'probe' };
}

/** Failing bodies: the code is in the config. */
function fail(config: { code?: unknown }): string {
  if (typeof config.code === 'string') throw new TerminalError(config.code, 'as the script says');
  return 'ok';
}

const CASES = depth(300);
const AT_ONCE = 50;

async function runAll(definitions: readonly ReturnType<typeof definition>[]): Promise<Run[]> {
  for (const one of definitions) {
    for (const { taskId } of one.nodes) engine.bodies[taskId] ??= ({ config }) => fail(config);
  }
  const runs: Run[] = [];
  // All at once would wait for the few connections of a test for longer than a connection may be waited for.
  for (let i = 0; i < definitions.length; i += AT_ONCE)
    runs.push(...(await Promise.all(definitions.slice(i, i + AT_ONCE).map((one) => engine.run(one)))));
  return runs;
}

const POLICIES = ['continue', 'continue', 'finish_running', 'fail_fast'] as const;

test(`${CASES} structured programs end as the interpreter and the planner say`, async () => {
  const first = baseSeed('engine programs', 5_000_000);
  const cases = Array.from({ length: CASES }, (_, i) => {
    const random = randomOf(first + i);
    const program = randomProgram(random, 2 + below(random, 25), pick(random, [0, 0, 0.05, 0.2]));
    const scripts = scriptsOf(program);
    const endOf = (taskId: string): Script['end'] => {
      const { error, branch } = scripts.get(taskId)!;
      return error != null
        ? { status: 'failed', errorCode: error }
        : { status: 'completed', branch: branch ?? null };
    };
    const failurePolicy = pick(random, POLICIES);
    const nodes = compile(program, random).map((node) => acting(node, endOf(node.taskId), random));
    return { seed: first + i, program, failurePolicy, endOf, one: definition(nodes, { failurePolicy }) };
  });
  const runs = await runAll(cases.map(({ one }) => one));
  const wrong: string[] = [];
  cases.forEach(({ seed, program, failurePolicy, endOf, one }, i) => {
    const { execution, tasks } = runs[i]!;
    const expected = interpret(program);
    if ((execution.status === 'failed') !== expected.uncaught)
      wrong.push(`seed ${seed}: ${execution.status}`);
    // Where a failure stops the rest, what ended before it depends on the order.
    if (expected.uncaught && failurePolicy !== 'continue') return;
    const plan = buildPlan(one);
    const { states } = simulate({
      plan,
      random: randomOf(1),
      scriptOf: ({ taskId }) => ({ end: endOf(taskId) }),
    });
    for (const { taskId, status, reason } of tasks) {
      const state = states[plan.indexOf.get(taskId)!]!;
      if (state.status !== status || (state.reason ?? null) !== reason)
        wrong.push(`seed ${seed}: ${taskId} ${status} ${reason}, not ${state.status} ${state.reason}`);
    }
  });
  expect(wrong).toEqual([]);
});

const CODES = ['timeout', 'http_404', 'network'];

function randomEdge(random: Random, taskId: string): Dependency {
  const roll = random();
  if (roll < 0.5) return { taskId };
  if (roll < 0.7) return { taskId, branch: pick(random, ['x', 'y']) };
  if (roll < 0.8) return { taskId, on: 'failure' };
  if (roll < 0.9) return { taskId, on: 'failure', errors: [pick(random, CODES)] };
  return { taskId, on: 'any' };
}

/** Any edges, also several between the same two tasks; any rule; optional tasks. */
function randomGraph(random: Random): NodeDefinition[] {
  return Array.from({ length: 2 + below(random, 12) }, (_, i): NodeDefinition => {
    const parents = i === 0 ? 0 : below(random, 4);
    return {
      taskId: `n${i}`,
      taskType: 'transformation',
      dependsOn: Array.from({ length: parents }, () => randomEdge(random, `n${below(random, i)}`)),
      config: {},
      triggerRule: random() < 0.35 ? pick(random, TRIGGER_RULES) : undefined,
      optional: random() < 0.1,
    };
  });
}

function randomEnd(random: Random): Script['end'] {
  const roll = random();
  if (roll < 0.3) return { status: 'failed', errorCode: pick(random, CODES) };
  if (roll < 0.36) return { status: 'skipped', reason: 'condition_false' };
  return { status: 'completed', branch: pick(random, ['x', 'y', 'z', null]) };
}

test(`${CASES} graphs with any edges, trigger rules and optional tasks end as the planner says`, async () => {
  const first = baseSeed('engine graphs', 6_000_000);
  const cases = Array.from({ length: CASES }, (_, i) => {
    const random = randomOf(first + i);
    const nodes = randomGraph(random);
    const ends = new Map(nodes.map(({ taskId }) => [taskId, randomEnd(random)]));
    const acted = shuffled(
      random,
      nodes.map((node) => acting(node, ends.get(node.taskId)!, random)),
    );
    const failurePolicy = pick(random, POLICIES);
    return { seed: first + i, ends, failurePolicy, one: definition(acted, { failurePolicy }) };
  });
  const runs = await runAll(cases.map(({ one }) => one));
  const wrong: string[] = [];
  cases.forEach(({ seed, ends, failurePolicy, one }, i) => {
    const { execution, tasks } = runs[i]!;
    const plan = buildPlan(one);
    const { states, conclusion } = simulate({
      plan,
      random: randomOf(1),
      scriptOf: ({ taskId }) => ({ end: ends.get(taskId)! }),
    });
    if (
      execution.status !== conclusion!.status ||
      (failurePolicy === 'continue' && execution.completedWithErrors !== conclusion!.completedWithErrors)
    )
      wrong.push(`seed ${seed}: ${execution.status}, not ${conclusion!.status}`);
    if (failurePolicy !== 'continue' && conclusion!.status === 'failed') return;
    for (const { taskId, status, reason } of tasks) {
      const state = states[plan.indexOf.get(taskId)!]!;
      if (state.status !== status || (state.reason ?? null) !== reason)
        wrong.push(`seed ${seed}: ${taskId} ${status} ${reason}, not ${state.status} ${state.reason}`);
    }
  });
  expect(wrong).toEqual([]);
});

describe('one rule at a time', () => {
  test('a failure that an edge catches does not fail the execution', async () => {
    const run = await engine.run(
      graph('f -> next; f -!http_404-> missing; f -!timeout-> late; missing -> end', {
        tasks: { f: failing('http_404') },
      }),
    );
    expect(run.states).toBe(
      'f failed, next skipped branch_not_taken, missing completed, late skipped branch_not_taken, end completed',
    );
    expect(run.execution).toMatchObject({ status: 'completed', completedWithErrors: true, error: null });
  });

  test('a failure whose only catcher fails too is the failure of the execution', async () => {
    const run = await engine.run(graph('f -!-> h', { tasks: { f: failing('first'), h: failing('second') } }));
    expect(run.states).toBe('f failed, h failed');
    expect(run.execution).toMatchObject({ status: 'failed', error: { code: 'first', taskId: 'f' } });
  });

  test('an optional task that failed counts as completed with output null', async () => {
    const run = await engine.run(
      graph('f -> after; f -!-> never', {
        tasks: {
          f: { ...failing(), optional: true },
          after: { taskType: 'transformation', config: { output: '{{ tasks.f.output }}' } },
        },
      }),
    );
    expect(run.states).toBe('f failed, after completed, never skipped branch_not_taken');
    expect(run.task('after').output).toBeNull();
    expect(run.execution).toMatchObject({ status: 'completed', completedWithErrors: true });
  });

  test('a branch that is not taken is skipped, and the join after it runs', async () => {
    const run = await engine.run(
      graph('c -yes-> a -> join; c -no-> b -> join', {
        tasks: { c: { taskType: 'condition', config: { value: `'yes'` } } },
      }),
    );
    expect(run.states).toBe('c completed, a completed, join completed, b skipped branch_not_taken');
  });

  test('two edges between the same two tasks, for success and for failure, wake the child once', async () => {
    engine.entered.length = 0;
    const both = { dependsOn: [{ taskId: 'p' }, { taskId: 'p', on: 'failure' as const }] };
    const good = await engine.run(graph('p -> child', { tasks: { child: both } }));
    const bad = await engine.run(graph('p -> child', { tasks: { p: failing(), child: both } }));
    expect([good.states, bad.states]).toEqual(['p completed, child completed', 'p failed, child completed']);
    expect(engine.entered.filter((id) => id === 'child')).toHaveLength(2);
  });

  test.for([
    ['one_success', 'completed'],
    ['one_done', 'completed'],
    ['one_failed', 'failed'],
  ] as const)(
    '%s starts on the first match, while other parents still run, and once',
    async ([rule, first]) => {
      const { opened, open } = gate();
      const slow = gate();
      engine.bodies.slow = () => {
        slow.open();
        return opened;
      };
      engine.bodies.quick = async () => {
        await slow.opened;
        if (first === 'failed') throw new TerminalError('boom', 'no');
        return 'quick';
      };
      let sawSlow: unknown;
      engine.bodies.join = ({ config }) => {
        sawSlow = config.slow;
        open();
        return 'joined';
      };
      engine.entered.length = 0;
      const run = await engine.run(
        graph('quick -> join; slow -> join', {
          failurePolicy: 'continue',
          tasks: { join: { triggerRule: rule, config: { slow: '{{ tasks.slow.status }}' } } },
        }),
      );
      expect(run.task('join').status).toBe('completed');
      expect(run.task('slow').status).toBe('completed');
      expect(sawSlow).toBe('running');
      expect(engine.entered.filter((id) => id === 'join')).toHaveLength(1);
    },
  );

  test('a join starts once when its last parents end together, whichever worker has them', async () => {
    const other = await engine.addWorker();
    for (const width of [2, 3, 8, 16]) {
      for (let round = 0; round < depth(10); round++) {
        const parents = Array.from({ length: width }, (_, i) => `p${i}`);
        let arrived = 0;
        const barrier = gate();
        const atOnce = Math.min(width, 8);
        for (const parent of parents) {
          engine.bodies[parent] = async () => {
            if (++arrived >= atOnce) barrier.open();
            await barrier.opened;
          };
        }
        engine.entered.length = 0;
        const run = await engine.run(graph(parents.map((parent) => `${parent} -> only`).join('; ')));
        expect(run.execution.status).toBe('completed');
        expect(engine.entered.filter((id) => id === 'only')).toHaveLength(1);
        expect(engine.entered).toHaveLength(width + 1);
      }
    }
    await other.stop();
  });
});
