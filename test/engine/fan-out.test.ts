// Fan-outs: the window over the items, tolerated failures, early ends, what is collected.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import { TerminalError } from '../../src/core/errors.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { depth } from '../support/depth.ts';
import { type Engine, gate, graph, openEngine, type Run, until } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

type Config = NodeDefinition['config'];

/** `p` over the items, its output in `after`. */
async function runItems(items: unknown, task: unknown, more: Record<string, unknown> = {}): Promise<Run> {
  return await engine.run(
    graph('p -> after', {
      tasks: {
        p: { taskType: 'parallel', config: { items, task, ...more } as Config },
        after: {
          taskType: 'transformation',
          config: {
            output: {
              output: '{{ tasks.p.output }}',
              errors: '{{ tasks.p.errors }}',
              winner: '{{ tasks.p.winner ?? null }}',
              branch: '{{ tasks.p.branch ?? null }}',
            },
          },
        },
      },
    }),
  );
}

const outputOf = (run: Run) => run.task('after').output as Record<string, unknown>;
const probe = { taskType: 'probe' };

test('outputs stand in item order, whatever the order of completion', async () => {
  const turns = [gate(), gate(), gate(), gate()];
  engine.bodies.p = async ({ input }) => {
    await turns[input as number]!.opened;
    if (input !== 0) turns[(input as number) - 1]!.open();
    return `item ${input}`;
  };
  turns[3]!.open();
  const run = await runItems([0, 1, 2, 3], probe);
  expect(outputOf(run).output).toEqual(['item 0', 'item 1', 'item 2', 'item 3']);
  expect(outputOf(run).winner).toBe('3');
});

test('no more than maxConcurrency items are open at once', async () => {
  let open = 0;
  let most = 0;
  engine.bodies.p = async () => {
    most = Math.max(most, ++open);
    await engine.query('select pg_sleep(0.005)');
    open--;
  };
  const run = await runItems([...Array(40).keys()], probe, { maxConcurrency: 3 });
  expect(run.execution.status).toBe('completed');
  expect(most).toBe(3);
});

test.for([
  ['items', { items: [], task: probe }, []],
  ['items with minSuccesses absent', { items: '{{ input.none ?? [] }}', task: probe }, []],
])('a fan-out over no %s completes at once', async ([, config, expected]) => {
  const run = await engine.run(
    graph('p -> after', { tasks: { p: { taskType: 'parallel', config: config as Config } } }),
  );
  expect(run.states).toBe('p completed, after completed');
  expect(run.task('p').output).toEqual(expected);
});

test('with a batchSize a part gets several items, and one that fails is tried again as a whole', async () => {
  const seen: unknown[] = [];
  engine.bodies.p = ({ input, attempt, idempotencyKey }) => {
    const index = idempotencyKey.split(':').at(-1);
    seen.push([index, attempt]);
    if (index === '1' && attempt === 1) throw new Error('once');
    return (input as number[]).map((n) => n * 10);
  };
  const retry = { maxAttempts: 2, initialIntervalSeconds: 0.01, jitter: 'none' };
  const run = await runItems([1, 2, 3, 4, 5], { ...probe, retry }, { batchSize: 2, maxConcurrency: 1 });
  expect(outputOf(run).output).toEqual([[10, 20], [30, 40], [50]]);
  expect(seen).toHaveLength(4);
});

test('tolerated failures leave null in the output and their errors beside it', async () => {
  engine.bodies.p = ({ input }) => {
    if ((input as number) % 3 === 1) throw new TerminalError('odd', `no ${input}`, { details: { input } });
    return input;
  };
  const run = await runItems([0, 1, 2, 3, 4], probe, { toleratedFailureCount: 2, maxConcurrency: 2 });
  expect(outputOf(run).output).toEqual([0, null, 2, 3, null]);
  expect(outputOf(run).errors).toEqual([
    { index: 1, code: 'odd', message: 'no 1', details: { input: 1 }, attempts: 1 },
    { index: 4, code: 'odd', message: 'no 4', details: { input: 4 }, attempts: 1 },
  ]);
  expect(run.execution).toMatchObject({ status: 'completed' });
});

test('beyond the tolerance the rest is cancelled, and it fails with the error of the first failed item', async () => {
  const first = gate();
  engine.bodies.p = async ({ input, signal }) => {
    if (input === 0) {
      await first.opened;
      throw new TerminalError('zero', 'the lowest index');
    }
    if (input === 1) throw new TerminalError('one', 'earlier in time');
    // Not the first failure is one too many but the second; what is open then ends with it.
    await until(
      async () =>
        (
          await engine.query(
            `select from dagwright.task_executions where task_id = 'p' and error->>'code' = 'one'`,
          )
        ).length,
    );
    first.open();
    return await new Promise((_, reject) => signal.addEventListener('abort', reject));
  };
  const run = await runItems([0, 1, 2, 3, 4], probe, { toleratedFailurePercentage: 20, maxConcurrency: 3 });
  expect(run.states).toBe('p failed, after skipped upstream_failed');
  expect(run.task('p').error).toMatchObject({
    code: 'zero',
    message: 'item 0, after 1 attempt: the lowest index',
    taskId: 'p',
  });
  expect(run.execution.error).toMatchObject({ code: 'zero', taskId: 'p' });
  expect(run.items('p')).toBe('failed, failed, cancelled, cancelled, cancelled');
});

test('minSuccesses completes it at so many, and cancels what still runs and what has not begun', async () => {
  const never = gate();
  engine.bodies.p = async ({ input, signal }) => {
    if (input === 'slow')
      await Promise.race([
        never.opened,
        new Promise((_, reject) => signal.addEventListener('abort', reject)),
      ]);
    return input;
  };
  const run = await runItems(['slow', 'a', 'b', 'c', 'd'], probe, { minSuccesses: 2, maxConcurrency: 2 });
  never.open();
  expect(run.items('p')).toBe('cancelled, completed, completed, cancelled, cancelled');
  expect(outputOf(run).output).toEqual([null, 'a', 'b', null, null]);
});

test('what the loser of a race had spent is its cost, and counted as wasted', async () => {
  const spent = gate();
  engine.bodies.p = async ({ input, addCost, checkpoint, signal }) => {
    addCost(input === 'slow' ? '0.3' : '0.1');
    if (input === 'fast') return await spent.opened;
    await checkpoint(1);
    spent.open();
    return await new Promise((_, reject) => signal.addEventListener('abort', reject));
  };
  const run = await runItems(['slow', 'fast'], probe, { minSuccesses: 1 });
  expect([run.items('p'), run.task('p', 0).costUsd, run.execution.costUsd]).toEqual([
    'cancelled, completed',
    '0.3',
    '0.4',
  ]);
  const [stats] = await engine.query(
    `select trim_scale(s.wasted_usd) as wasted, s.cache_hits::int as hits, s.saved_usd as saved from dagwright.v_task_stats s
     join dagwright.workflow_executions o on o.workflow_id = s.workflow_id and o.id = $1 where s.task_id = 'p' and s.is_item`,
    [run.execution.id],
  );
  expect(stats).toEqual({ wasted: '0.3', hits: 0, saved: '0' });
});

test('an optional item that failed is no success: minSuccesses waits for a real one', async () => {
  engine.bodies.p = ({ input }) => {
    if (input === 'bad') throw new TerminalError('bad', 'no');
    return input;
  };
  const run = await runItems(
    ['bad', 'good', 'more'],
    { ...probe, optional: true },
    { minSuccesses: 1, maxConcurrency: 1 },
  );
  expect(run.execution.status).toBe('completed');
  expect(outputOf(run).output).toEqual([null, 'good', null]);
});

test('minSuccesses that cannot be met any more fails it', async () => {
  engine.bodies.p = ({ input }) => {
    if (input !== 1) throw new TerminalError(`no${input}`, 'no');
    return input;
  };
  const run = await runItems([0, 1, 2], probe, { minSuccesses: 2 });
  expect(run.task('p').error).toMatchObject({ code: 'no0' });
});

describe('named branches', () => {
  const branches = async (config: Record<string, unknown>, text = 'p -> after') =>
    await engine.run(
      graph(text, {
        tasks: {
          p: { taskType: 'parallel', config: config as Config },
          after: {
            taskType: 'transformation',
            config: { output: { output: '{{ tasks.p.output }}', winner: '{{ tasks.p.winner }}' } },
          },
        },
      }),
    );

  test('give an object by name, each with the type and the config of its own', async () => {
    engine.bodies.p = () => 'probed';
    const run = await branches({
      branches: {
        z: { taskType: 'transformation', config: { output: '{{ 1 + 1 }}' } },
        a: probe,
        m: { taskType: 'wait', config: { seconds: 0 } },
      },
      maxConcurrency: 1,
    });
    expect(outputOf(run).output).toMatchObject({ z: 2, a: 'probed', m: { firedAt: expect.any(String) } });
    expect(Object.keys(run.task('p').output as object).toSorted()).toEqual(['a', 'm', 'z']);
    expect(run.tasks.filter(({ mapIndex }) => mapIndex !== null).map(({ taskType }) => taskType)).toEqual([
      'transformation',
      'probe',
      'wait',
    ]);
  });

  test('with minSuccesses 1 the winner is the branch that edges take', async () => {
    const never = gate();
    engine.bodies.p = () => never.opened;
    const run = await branches(
      {
        branches: { slow: probe, quick: { taskType: 'transformation', config: { output: 'q' } } },
        minSuccesses: 1,
      },
      'p -quick-> after; p -slow-> other',
    );
    never.open();
    expect(run.states).toBe('p completed, after completed, other skipped branch_not_taken');
    expect(outputOf(run)).toEqual({ output: { slow: null, quick: 'q' }, winner: 'quick' });
  });
});

test('an item is retried by its own policy, and may wait', async () => {
  engine.bodies.p = ({ input, attempt }) => {
    if (attempt < 3) throw new Error(`attempt ${attempt}`);
    return `${input} at ${attempt}`;
  };
  const retry = { maxAttempts: 3, initialIntervalSeconds: 0.01, jitter: 'none' };
  const run = await runItems(['a', 'b'], { ...probe, retry });
  expect(outputOf(run).output).toEqual(['a at 3', 'b at 3']);
  expect(
    await engine.query(
      `select map_index as m, attempt_number as a, error->>'message' as e from dagwright.task_attempts where workflow_execution_id = $1 order by 1, 2`,
      [run.execution.id],
    ),
  ).toEqual([
    { m: 0, a: 1, e: 'attempt 1' },
    { m: 0, a: 2, e: 'attempt 2' },
    { m: 1, a: 1, e: 'attempt 1' },
    { m: 1, a: 2, e: 'attempt 2' },
  ]);
  const waits = await runItems([0.05, 0, 0.1], { taskType: 'wait', config: { seconds: '{{ item }}' } });
  expect(waits.items('p')).toBe('completed, completed, completed');
});

test('expressions of an item see item and index, and its own idempotency key', async () => {
  const keys: string[] = [];
  engine.bodies.p = ({ config, idempotencyKey, input }) => {
    keys.push(idempotencyKey.split(':').slice(1).join(':'));
    return [config.of, input];
  };
  const run = await runItems(['x', 'y'], {
    ...probe,
    config: { of: '{{ item }}{{ index }}' },
    inputMapping: { was: '{{ item }}' },
  });
  expect(outputOf(run).output).toEqual([
    ['x0', { was: 'x' }],
    ['y1', { was: 'y' }],
  ]);
  expect(keys.toSorted()).toEqual(['p:0', 'p:1']);
});

const MANY = depth(10_000);

test(`${MANY.toLocaleString('en')} items`, async () => {
  const run = await engine.run(
    graph('p -> sum', {
      tasks: {
        p: {
          taskType: 'parallel',
          config: {
            items: `{{ range(0, ${MANY}) }}`,
            maxConcurrency: 100,
            task: { taskType: 'transformation', config: { output: '{{ item * 2 }}' } },
          },
        },
        sum: { taskType: 'transformation', config: { output: '{{ sum(tasks.p.output) }}' } },
      },
    }),
  );
  expect(run.states).toBe('p completed, sum completed');
  expect(run.task('sum').output).toBe(MANY * (MANY - 1));
  expect(run.tasks).toHaveLength(MANY + 2);
});

test('a cancelled fan-out starts no more items', async () => {
  const never = gate();
  let begun = 0;
  let aborted = 0;
  engine.bodies.p = ({ signal }) => {
    begun++;
    signal.addEventListener('abort', () => aborted++);
    return never.opened;
  };
  const one = graph('p -> after', {
    tasks: {
      p: {
        taskType: 'parallel',
        config: { items: [...Array(50).keys()], maxConcurrency: 4, task: probe } as Config,
      },
    },
  });
  await engine.apply(one);
  const id = await engine.start(one.workflowId);
  await until(async () => begun === 4);
  expect(await cancelExecution(engine.database, DEFAULT_TENANT_ID, id)).toBe('cancelled');
  await until(async () => aborted === 4);
  never.open();
  const run = await engine.ended(id);
  expect(run.states).toBe('p cancelled, after cancelled');
  expect(run.items('p')).toBe('cancelled, cancelled, cancelled, cancelled');
  expect(begun).toBe(4);
});

test('parts that are too much to gather fail it, and say how they can be less', async () => {
  engine.bodies.p = () => 'x'.repeat(900_000);
  const gathering = graph('p', {
    tasks: {
      p: {
        taskType: 'parallel',
        config: { items: '{{ range(20) }}', task: probe },
        outputMapping: '{{ count(output) }}',
      },
    },
  });
  const run = await engine.run(gathering);
  expect(run.task('p').error).toMatchObject({
    code: 'payload_too_large',
    message: expect.stringContaining('give each an outputMapping'),
  });
  engine.bodies.p = () => 'x'.repeat(700_000);
  expect((await engine.run(gathering)).task('p').output).toBe(20);
});

describe('a condition of a part', () => {
  test('is evaluated for each item: those where it does not hold are skipped, null in the output, and no failures', async () => {
    const seen: unknown[] = [];
    engine.bodies.p = async ({ input }) => void seen.push(input);
    const task = { ...probe, conditionExpression: 'item.go && index < 3' };
    const items = [{ go: true }, { go: false }, { go: true }, { go: true }];
    const run = await runItems(items, { ...task, outputMapping: 'done' }, { maxConcurrency: 2 });
    expect(run.items('p')).toBe('completed, skipped condition_false, completed, skipped condition_false');
    expect(outputOf(run)).toMatchObject({ output: ['done', null, 'done', null], errors: [], winner: '0' });
    expect(seen).toHaveLength(2);
  });

  test('of named branches may read other tasks; where all are skipped the parallel completes', async () => {
    const branches = {
      a: {
        taskType: 'transformation',
        conditionExpression: 'tasks.first.output == 1',
        config: { output: 'A' },
      },
      b: {
        taskType: 'transformation',
        conditionExpression: 'tasks.first.output == 2',
        config: { output: 'B' },
      },
    };
    const ran = async (first: number) =>
      (
        await engine.run(
          graph('first -> p', {
            tasks: {
              first: { taskType: 'transformation', config: { output: first } },
              p: { taskType: 'parallel', config: { branches } },
            },
          }),
        )
      ).task('p').output;
    expect(await ran(1)).toEqual({ a: 'A', b: null });
    expect(await ran(2)).toEqual({ a: null, b: 'B' });
    expect(await ran(3)).toEqual({ a: null, b: null });
  });

  test('skipped parts are no successes: fewer than minSuccesses is not_enough_values', async () => {
    const task = {
      taskType: 'transformation',
      conditionExpression: 'item > 1',
      config: { output: '{{ item }}' },
    };
    const run = await runItems([1, 2, 1], task, { minSuccesses: 2 });
    expect(run.task('p')).toMatchObject({ status: 'failed', error: { code: 'not_enough_values' } });
    expect(outputOf(await runItems([1, 2, 3], task, { minSuccesses: 2 })).output).toEqual([null, 2, 3]);
  });

  test('that cannot be evaluated fails its part alone', async () => {
    const task = { taskType: 'transformation', conditionExpression: 'item.a.b', config: { output: 1 } };
    const run = await runItems([{ a: { b: true } }, { a: { b: 7 } }], task, { toleratedFailureCount: 1 });
    expect(outputOf(run)).toMatchObject({ output: [1, null], errors: [{ index: 1, code: 'expression' }] });
  });
});
