// Loops through the whole engine: each round is a row of its own, and what it gave decides whether there is another.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeDefinition, RepeatPolicy } from '../../src/core/definition/model.ts';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { depth } from '../support/depth.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../support/executions.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

/** A probe in rounds. */
const rounds = (repeat: RepeatPolicy, more: Partial<NodeDefinition> = {}): Partial<NodeDefinition> => ({
  repeat,
  ...more,
});
/** What a body gives in its nth round, from 0. */
function eachRound<T>(give: (round: number) => T): () => T {
  let round = 0;
  return () => give(round++);
}
const run = (text: string, tasks: { [taskId: string]: Partial<NodeDefinition> }, input = {}) =>
  engine.run(graph(text, { tasks }), { input });
const enteredOf = (taskId: string) => engine.entered.filter((key) => key.startsWith(`${taskId}:`));

describe('a task with repeat', () => {
  it('runs until its condition holds, each round under a key of its own; its output is the last', async () => {
    engine.bodies.l1 = eachRound((n) => ({ n }));
    const result = await run('l1 -> after', { l1: rounds({ until: '$.output.n >= 2' }) });
    expect(result.states).toBe('l1 completed, after completed');
    expect(result.task('l1').output).toEqual({ n: 2 });
    expect(result.items('l1')).toBe('completed, completed, completed');
    expect([0, 1, 2].map((n) => result.task('l1', n).output)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(enteredOf('l1')).toEqual(['l1:0', 'l1:1', 'l1:2']);
  });

  it('collects what each round adds, lists joined, and sees its index and what was before', async () => {
    const result = await run(
      'l2 -> sum',
      {
        l2: {
          taskType: 'transformation',
          config: {
            output: {
              rows: '{{ slice(input.rows, loop.index * 2, loop.index * 2 + 2) }}',
              before: '{{ loop.previous.rows ?? null }}',
            },
          },
          repeat: { until: 'length(output.rows) < 2', collect: '$.output.rows' },
        },
        sum: { taskType: 'aggregation', config: { strategy: 'sum', source: '$.tasks.l2.output' } },
      },
      { rows: [1, 2, 3, 4, 5] },
    );
    expect(result.task('l2').output).toEqual([1, 2, 3, 4, 5]);
    expect(result.task('l2', 2).output).toEqual({ rows: [5], before: [3, 4] });
    expect(result.task('sum').output).toBe(15);
  });

  it('sees what its outputMapping stores, and maps each round', async () => {
    engine.bodies.l3 = eachRound((n) => ({ body: { n } }));
    const result = await run('l3', {
      l3: rounds({ until: 'output == 1', collect: '$.output' }, { outputMapping: '$.output.body.n' }),
    });
    expect(result.task('l3').output).toEqual([0, 1]);
  });

  it.each<[string, RepeatPolicy, unknown]>([
    [
      'fails',
      { until: 'false', maxIterations: 3 },
      { error: { code: 'loop_limit', message: expect.stringContaining('after 3 rounds') } },
    ],
    [
      'completes where it may',
      { until: 'false', maxIterations: 3, onLimit: 'complete' },
      { status: 'completed', output: 'l4' },
    ],
    [
      'fails where rounds repeat themselves',
      { until: 'false', stopWhenSame: 2 },
      { error: { code: 'loop_limit', message: expect.stringContaining('the last 2 gave the same') } },
    ],
  ])('%s at its limit', async (_what, repeat, wanted) => {
    const result = await run('l4', { l4: rounds(repeat) });
    expect(result.task('l4')).toMatchObject(wanted as object);
    expect(result.items('l4').split(', ').length).toBe(repeat.maxIterations ?? repeat.stopWhenSame);
  });

  it('ends at its limit where the condition holds in the last round', async () => {
    engine.bodies.l5 = eachRound((n) => n);
    expect(
      (await run('l5', { l5: rounds({ until: 'output == 2', maxIterations: 3 }) })).task('l5').output,
    ).toBe(2);
  });

  it('waits between its rounds without a slot', async () => {
    engine.bodies.l6 = eachRound((n) => n);
    const definition = graph('l6', { tasks: { l6: rounds({ until: 'output == 1', delaySeconds: 0.4 }) } });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await until(async () => {
      const rows = await engine.query(
        `select from dagwright.task_executions where workflow_execution_id = $1 and map_index = 1 and wake_at is not null`,
        [id],
      );
      return rows.length;
    });
    expect(engine.worker.running).toBe(0);
    const result = await engine.ended(id);
    const [first, second] = [result.task('l6', 0), result.task('l6', 1)];
    expect(Date.parse(second.startedAt!) - Date.parse(first.completedAt!)).toBeGreaterThanOrEqual(400);
    expect([first.attempt, second.attempt]).toEqual([1, 1]);
  });

  it('tries each round by its own policy; one that fails fails the loop, and says which', async () => {
    engine.bodies.l7 = eachRound((n) => {
      if (n % 2 === 0) throw new RetryableError('again', { code: 'network' });
      return n;
    });
    const retry = { maxAttempts: 2, initialIntervalSeconds: 0 };
    const good = await run('l7', { l7: rounds({ until: 'output == 5' }, { retry }) });
    expect([0, 1, 2].map((n) => good.task('l7', n).attempt)).toEqual([2, 2, 2]);
    engine.bodies.l8 = eachRound((n) => {
      if (n === 1) throw new TerminalError('boom', 'no');
      return n;
    });
    const bad = await run('l8', { l8: rounds({ until: 'output == 5' }) });
    expect(bad.task('l8').error).toMatchObject({ code: 'boom', message: 'round 1, after 1 attempt: no' });
    expect(bad.items('l8')).toBe('completed, failed');
  });

  it('is skipped as a whole, and may be optional', async () => {
    const result = await run('l9; l10', {
      l9: rounds({ until: 'true' }, { conditionExpression: 'false' }),
      l10: rounds({ until: 'false', maxIterations: 1 }, { optional: true }),
    });
    expect(result.states).toBe('l9 skipped condition_false, l10 failed');
    expect(result.execution.status).toBe('completed');
  });

  it('fails where its condition cannot be evaluated', async () => {
    const result = await run('l11', { l11: rounds({ until: 'output * 2' }) });
    expect(result.task('l11').error).toMatchObject({
      code: 'expression',
      message: expect.stringMatching(/^round 0/),
    });
  });

  it('may wait for a signal in each round', async () => {
    const definition = graph('l12', {
      tasks: {
        l12: {
          taskType: 'wait',
          config: { signal: 'next' },
          repeat: { until: "output.payload == 'last'", collect: '$.output.payload' },
        },
      },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    for (const payload of ['a', 'b', 'last'])
      await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
        client.query(`select dagwright.signal_execution($1, 'next', $2)`, [id, JSON.stringify(payload)]),
      );
    expect((await engine.ended(id)).task('l12').output).toEqual(['a', 'b', 'last']);
  });

  it(`makes ${depth(1000)} rounds`, async () => {
    engine.bodies.l13 = eachRound((n) => n);
    const last = depth(1000) - 1;
    const result = await run('l13', { l13: rounds({ until: `output == ${last}`, maxIterations: 2000 }) });
    expect(result.task('l13').output).toBe(last);
    // One after the other.
    expect(enteredOf('l13')).toEqual(Array.from({ length: last + 1 }, (_, n) => `l13:${n}`));
  });
});

describe('between its rounds a loop', () => {
  async function startEndless(taskId: string, repeat: Partial<RepeatPolicy> = {}): Promise<string> {
    engine.bodies[taskId] = eachRound((n) => n);
    const definition = graph(taskId, {
      tasks: {
        [taskId]: rounds({
          until: 'output == 1000000',
          maxIterations: 100_000,
          delaySeconds: 0.05,
          ...repeat,
        }),
      },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await until(async () => enteredOf(taskId).length > 1);
    return id;
  }

  it('stands still while its execution is paused', async () => {
    const id = await startEndless('p1', { until: 'output >= 3' });
    await pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
    await until(async () => engine.worker.running === 0);
    const before = enteredOf('p1').length;
    expect((await engine.query('select from dagwright.jobs_v1() where execution_id = $1', [id])).length).toBe(
      0,
    );
    await resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).task('p1').output).toBe(3);
    expect(before).toBeLessThanOrEqual(4);
  });

  it('ends with a cancel', async () => {
    const id = await startEndless('p2');
    await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
    const result = await engine.ended(id);
    expect(result.task('p2').status).toBe('cancelled');
    expect(result.items('p2')).toMatch(/^completed.*cancelled$/);
  });

  it('leaves no rows of rounds that never began where its execution fails beside it', async () => {
    const fails = gate();
    engine.bodies.p3bad = () =>
      fails.opened.then(() => {
        throw new TerminalError('boom', 'no');
      });
    const definition = graph('p3; p3bad', { tasks: { p3: rounds({ until: 'false', delaySeconds: 60 }) } });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await until(async () => {
      const rows = await engine.query(
        `select from dagwright.task_executions where workflow_execution_id = $1 and wake_at is not null`,
        [id],
      );
      return rows.length;
    });
    fails.open();
    const result = await engine.ended(id);
    expect(result.states).toBe('p3 cancelled, p3bad failed');
    expect(result.items('p3')).toBe('completed, cancelled');
  });

  it('goes on with the round that it was at where another worker takes over', async () => {
    const held = gate();
    let tries = 0;
    engine.bodies.p4 = async ({ idempotencyKey }) => {
      const round = Number(idempotencyKey.split(':').at(-1));
      if (round === 1 && tries++ === 0) await held.opened;
      return round;
    };
    const definition = graph('p4', { tasks: { p4: rounds({ until: 'output == 2' }) } });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await until(async () => engine.entered.includes('p4:1'));
    // As take_over_v1 does it.
    await engine.query(
      `update dagwright.task_executions set status = 'pending', fence = fence + 1, recoveries = recoveries + 1, ready_at = now()
       where workflow_execution_id = $1 and map_index = 1`,
      [id],
    );
    await engine.query(`select dagwright.enqueue_v1($1, array['p4'], array[1], 1, 5)`, [id]);
    const result = await engine.ended(id);
    held.open();
    expect(enteredOf('p4')).toEqual(['p4:0', 'p4:1', 'p4:1', 'p4:2']);
    expect(result.task('p4').output).toBe(2);
  });
});
