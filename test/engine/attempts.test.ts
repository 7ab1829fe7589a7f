// Attempts of one task: retries, timeouts, checkpoints, what is the same in all of them, and what they cost.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

const soon = { maxAttempts: 3, initialIntervalSeconds: 0.01, jitter: 'none' } as const;

const attemptsOf = (id: string) =>
  engine.query(
    `select task_id as t, attempt_number as a, error->>'code' as code, cost_usd::text as cost, worker_id is not null as worked,
       completed_at >= started_at as ordered from dagwright.task_attempts where workflow_execution_id = $1 order by 1, 2`,
    [id],
  );

describe('retries', () => {
  test('a failed attempt is tried again by policy, and each failed one is kept', async () => {
    engine.bodies.a = ({ attempt }) => {
      if (attempt < 3) throw new Error('not yet');
      return attempt;
    };
    const run = await engine.run(graph('a', { tasks: { a: { retry: soon } } }));
    expect(run.task('a')).toMatchObject({ status: 'completed', attempt: 3, output: 3, error: null });
    const kept = { t: 'a', code: 'handler_error', cost: '0', worked: true, ordered: true };
    expect(await attemptsOf(run.execution.id)).toEqual([
      { ...kept, a: 1 },
      { ...kept, a: 2 },
    ]);
  });

  test('after maxAttempts the error stands, with the number of attempts', async () => {
    engine.bodies.a = ({ attempt }) => {
      throw new Error(`attempt ${attempt}`);
    };
    const run = await engine.run(graph('a', { tasks: { a: { retry: soon } } }));
    expect(run.execution.error).toEqual({
      taskId: 'a',
      code: 'handler_error',
      message: 'attempt 3',
      attempts: 3,
    });
    expect(await attemptsOf(run.execution.id)).toHaveLength(3);
  });

  test('several policies count their own tries, across attempts and wherever these ran', async () => {
    const codes = ['one', 'two', 'one', 'two', 'one'];
    engine.bodies.a = ({ attempt }) => {
      throw new TerminalError(codes[attempt - 1] ?? 'three', 'no');
    };
    engine.bodies.b = () => {
      throw new TerminalError('three', 'no');
    };
    const retry = [
      { ...soon, retryOn: ['one'], maxAttempts: 5 },
      { ...soon, retryOn: ['two'], maxAttempts: 2 },
    ];
    const run = await engine.run(
      graph('a; b', { failurePolicy: 'continue', tasks: { a: { retry }, b: { retry } } }),
    );
    expect(run.task('a').error).toMatchObject({ code: 'two', attempts: 4 });
    expect(run.task('b').error).toMatchObject({ code: 'three', attempts: 1 });
  });

  test('a TerminalError is not tried again unless retryOn names its code', async () => {
    engine.bodies.a = engine.bodies.b = () => {
      throw new TerminalError('http_404', 'gone');
    };
    const run = await engine.run(
      graph('a; b', {
        failurePolicy: 'continue',
        tasks: { a: { retry: soon }, b: { retry: { ...soon, retryOn: ['http_4xx'] } } },
      }),
    );
    expect([run.task('a').attempt, run.task('b').attempt]).toEqual([1, 3]);
  });

  test('maxRetries of the definition holds where a task has no policy', async () => {
    engine.bodies.a = () => {
      throw new RetryableError('again', { retryAfter: 0 });
    };
    const run = await engine.run(graph('a', { more: { maxRetries: 1 } }));
    expect(run.task('a')).toMatchObject({ status: 'failed', attempt: 2 });
  });
});

describe('timeouts', () => {
  test('an attempt past its timeoutSeconds is aborted and fails with timeout, which is retried', async () => {
    const never = gate();
    let aborted = 0;
    engine.bodies.a = async ({ attempt, signal }) => {
      if (attempt === 2) return 'in time';
      signal.addEventListener('abort', () => aborted++);
      return await never.opened;
    };
    const run = await engine.run(graph('a', { tasks: { a: { timeoutSeconds: 0.2, retry: soon } } }));
    never.open();
    expect(run.task('a')).toMatchObject({ status: 'completed', output: 'in time', attempt: 2 });
    expect(aborted).toBe(1);
    expect(await attemptsOf(run.execution.id)).toMatchObject([{ a: 1, code: 'timeout' }]);
  });

  test('the clock is that of the database', async () => {
    const never = gate();
    engine.bodies.a = () => never.opened;
    const one = graph('a', { tasks: { a: { timeoutSeconds: 300 } } });
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    await until(async () => engine.entered.at(-1) === 'a' && engine.worker.running === 1);
    await engine.query(
      `update dagwright.task_executions set started_at = started_at - interval '301 seconds' where workflow_execution_id = $1 and status = 'running'`,
      [id],
    );
    const run = await engine.ended(id);
    never.open();
    expect(run.task('a').error).toMatchObject({ code: 'timeout' });
  });
});

describe('what all attempts of a task share', () => {
  test('a checkpoint is what the next attempt finds', async () => {
    const seen: unknown[] = [];
    engine.bodies.a = async ({ attempt, checkpoint, lastCheckpoint }) => {
      seen.push(lastCheckpoint);
      if (attempt === 3) return 'done';
      await checkpoint({ page: attempt });
      throw new Error('again');
    };
    await engine.run(graph('a', { tasks: { a: { retry: soon } } }));
    expect(seen).toEqual([undefined, { page: 1 }, { page: 2 }]);
  });

  test('a checkpoint over 1 MB fails the task clearly', async () => {
    engine.bodies.a = async ({ checkpoint }) => await checkpoint('x'.repeat(1_000_001));
    const run = await engine.run(graph('a'));
    expect(run.task('a').error).toMatchObject({ code: 'payload_too_large' });
  });

  test('idempotencyKey, now() and uuid() are the same, on another worker too', async () => {
    const other = await openEngine();
    try {
      const seen: unknown[] = [];
      const first = gate();
      other.bodies.root = other.bodies.child = async ({ config, idempotencyKey, attempt, taskId }) => {
        seen.push({ taskId, at: config.at, id: config.id, idempotencyKey });
        if (taskId === 'root' && attempt === 1) {
          first.open();
          throw new RetryableError('elsewhere', { retryAfter: 2 });
        }
        if (attempt === 1) throw new Error('again');
      };
      const config = { at: '{{ now() }}', id: '{{ uuid() }}' };
      const retry = { ...soon, maxIntervalSeconds: 5 };
      const one = graph('root -> child', { tasks: { root: { config, retry }, child: { config, retry } } });
      await other.apply(one);
      const id = await other.start(one.workflowId);
      await first.opened;
      await until(
        async () =>
          (await other.query(`select from dagwright.task_executions where status = 'retrying'`)).length,
      );
      await other.addWorker();
      await other.worker.stop();
      await other.ended(id);
      expect(seen).toHaveLength(4);
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[3]).toEqual(seen[2]);
      expect(seen[2]).not.toEqual(seen[0]);
    } finally {
      await other.close();
    }
  });

  test('now() of a task with an early rule is the end of the parent that met it', async () => {
    const slow = gate();
    const seen: unknown[] = [];
    engine.bodies.slow = () => slow.opened;
    engine.bodies.quick = () => 'quick';
    engine.bodies.join = async ({ config, attempt, executionId }) => {
      seen.push(config.at);
      if (attempt > 1) return;
      slow.open();
      await until(
        async () =>
          (
            await engine.query(
              `select from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'slow' and status = 'completed'`,
              [executionId],
            )
          ).length,
      );
      throw new Error('again');
    };
    await engine.run(
      graph('quick -> join; slow -> join', {
        tasks: { join: { triggerRule: 'one_success', retry: soon, config: { at: '{{ now() }}' } } },
      }),
    );
    expect(seen).toHaveLength(2);
    expect(seen[1]).toBe(seen[0]);
  });

  test('$.task.input is the mapped input, recorded with the task', async () => {
    engine.bodies.a = ({ config, input }) => ({ config, input });
    const run = await engine.run(
      graph('a', { tasks: { a: { inputMapping: { q: '$.input.q' }, config: { again: '$.task.input.q' } } } }),
      { input: { q: 7 } },
    );
    expect(run.task('a').output).toEqual({ config: { again: 7 }, input: { q: 7 } });
    expect(
      await engine.query('select input from dagwright.task_executions where workflow_execution_id = $1', [
        run.execution.id,
      ]),
    ).toEqual([{ input: { q: 7 } }]);
  });

  test('without a mapping the input is that of the execution for a root, else the outputs of the completed parents', async () => {
    engine.bodies.a = engine.bodies.b = engine.bodies.d = ({ input }) => input;
    const run = await engine.run(
      graph('a -> b; c -> b; d', {
        tasks: {
          c: { taskType: 'transformation', conditionExpression: 'false' },
          b: { triggerRule: 'all_done' },
        },
      }),
      { input: { q: 1 } },
    );
    expect(run.task('a').output).toEqual({ q: 1 });
    expect(run.task('b').output).toEqual({ a: { q: 1 } });
  });
});

describe('money', () => {
  test('costs of all attempts add up exactly, those that failed included', async () => {
    engine.bodies.a = ({ attempt, addCost }) => {
      addCost('0.1');
      addCost('0.00000000000000000001');
      if (attempt < 3) throw new Error('again');
    };
    engine.bodies.p = ({ addCost }) => addCost('0.2', { provider: 'test', calls: 1 });
    const run = await engine.run(
      graph('a; p; none', {
        tasks: {
          a: { retry: soon },
          p: { taskType: 'parallel', config: { items: [1, 2, 3], task: { taskType: 'probe' } } },
        },
      }),
    );
    expect(run.execution.costUsd).toBe('0.90000000000000000003');
    expect(run.task('a').costUsd).toBe('0.30000000000000000003');
    expect(run.task('p', 1)).toMatchObject({ costUsd: '0.2', resourceUsage: { provider: 'test', calls: 1 } });
    expect(run.task('none').costUsd).toBe('0');
    expect((await attemptsOf(run.execution.id)).map(({ cost }) => cost)).toEqual([
      '0.10000000000000000001',
      '0.10000000000000000001',
    ]);
  });

  test('one unknown price makes the cost of the task and of the execution unknown', async () => {
    engine.bodies.a = ({ addCost }) => {
      addCost('1');
      addCost(null);
    };
    const run = await engine.run(graph('a; b'));
    expect([run.task('a').costUsd, run.task('b').costUsd, run.execution.costUsd]).toEqual([null, '0', null]);
  });

  test('the cost of an execution is the sum of what its model calls say', async () => {
    const ask = { taskType: 'model_inference', config: { prompt: 'How many? {{ input.q }}' } };
    const run = await engine.run(
      graph('a -> b; a -> c; p', {
        tasks: {
          a: { ...ask, modelId: 'simulated/fast' },
          b: { ...ask, modelId: 'simulated/flaky', retry: soon },
          c: { ...ask, modelId: 'simulated/other' },
          p: { taskType: 'parallel', config: { items: [1, 2], task: { ...ask, modelId: 'simulated/fast' } } },
        },
      }),
      { input: { q: 'x'.repeat(500) } },
    );
    expect(run.execution.status).toBe('completed');
    const [row] = await engine.query<{ sum: string; priced: number }>(
      `select sum(cost_usd) as sum, count(*) filter (where cost_usd > 0)::int as priced from dagwright.task_executions where workflow_execution_id = $1`,
      [run.execution.id],
    );
    expect(row).toEqual({ sum: run.execution.costUsd, priced: 5 });
  });
});
