// The failure policy, row by row of CONTRACT 2.1: what becomes of every other task when a failure is uncaught.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FailurePolicy, NodeDefinition } from '../../src/core/definition/model.ts';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { type Engine, failing, gate, graph, openEngine, until, waiting } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

const fanOut = (
  items: unknown[],
  task: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Partial<NodeDefinition> => ({
  taskType: 'parallel',
  config: { items, task, ...more } as NodeDefinition['config'],
});

/** Makes `f` fail once the database says so. */
function failWhen(condition: string): void {
  engine.bodies.f = async ({ executionId }) => {
    await until(async () => {
      const [row] = await engine.query<{ now: boolean }>(`select (${condition}) as now`, [executionId]);
      return row!.now;
    });
    throw new TerminalError('boom', 'no');
  };
}

const tasksWith = (where: string) =>
  `select count(*)::int as n from dagwright.task_executions where workflow_execution_id = $1 and ${where}`;

describe('every kind of task at the moment of the failure', () => {
  async function runAll(failurePolicy: FailurePolicy) {
    const running = gate();
    let aborted = false;
    engine.bodies.running = async ({ signal, executionId }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      await Promise.race([
        running.opened,
        until(async () => {
          const [row] = await engine.query<{ n: number }>(tasksWith(`task_id = 'f' and status = 'failed'`), [
            executionId,
          ]);
          return row!.n > 0;
        }),
      ]);
      if (failurePolicy === 'fail_fast') await running.opened;
      return 'ended';
    };
    engine.bodies.again = ({ attempt }) => {
      if (attempt === 1)
        throw new RetryableError('try again', { retryAfter: failurePolicy === 'continue' ? 1 : 3000 });
      return 'second';
    };
    failWhen(
      `(${tasksWith(`task_id = 'again' and status = 'retrying'`)}) + (${tasksWith(`task_id = 'timer' and status = 'waiting'`)}) = 2`,
    );
    const run = await engine.run(
      graph(
        's -> f -> below; s -> running -> pending; s -> again; s -> timer -> later; running -> cleanup; f -> cleanup; cleanup -> last',
        {
          failurePolicy,
          tasks: {
            timer: waiting(failurePolicy === 'continue' ? 1 : 3000),
            again: { retry: { maxAttempts: 2, jitter: 'none', maxIntervalSeconds: 1 } },
            cleanup: { triggerRule: 'all_done' },
          },
        },
      ),
    );
    if (failurePolicy === 'fail_fast') await until(async () => aborted);
    running.open();
    expect(run.execution).toMatchObject({ status: 'failed', error: { code: 'boom', taskId: 'f' } });
    return { run, aborted };
  }

  test('finish_running lets running tasks end, and what asks for failures', async () => {
    const { run, aborted } = await runAll('finish_running');
    expect(run.states.split(', ')).toEqual([
      's completed',
      'f failed',
      'below skipped upstream_failed',
      'running completed',
      'pending skipped execution_failed',
      'again failed',
      'timer cancelled',
      'later skipped execution_failed',
      'cleanup completed',
      'last completed',
    ]);
    expect(run.task('again').error).toMatchObject({ code: 'handler_error', message: 'try again' });
    expect(aborted).toBe(false);
  });

  test('fail_fast cancels running tasks, too', async () => {
    const { run } = await runAll('fail_fast');
    expect(run.states.split(', ')).toEqual([
      's completed',
      'f failed',
      'below skipped upstream_failed',
      'running cancelled',
      'pending skipped execution_failed',
      'again failed',
      'timer cancelled',
      'later skipped execution_failed',
      'cleanup completed',
      'last completed',
    ]);
  });

  test('continue leaves all that does not descend from the failure alone', async () => {
    const { run } = await runAll('continue');
    expect(run.states.split(', ')).toEqual([
      's completed',
      'f failed',
      'below skipped upstream_failed',
      'running completed',
      'pending completed',
      'again completed',
      'timer completed',
      'later completed',
      'cleanup completed',
      'last completed',
    ]);
  });
});

describe('an open parallel', () => {
  test('under finish_running issues no more; its running items end, and the execution waits for them', async () => {
    const items = gate();
    engine.bodies.p = async () => {
      await items.opened;
      return 'done';
    };
    failWhen(`(${tasksWith(`task_id = 'p' and map_index >= 0 and status = 'running'`)}) = 2`);
    const one = graph('f; p -> after', {
      tasks: { p: fanOut([1, 2, 3, 4, 5, 6], { taskType: 'probe' }, { maxConcurrency: 2 }) },
    });
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    await until(
      async () =>
        (await engine.query(tasksWith(`task_id = 'p' and map_index = -1 and status = 'cancelled'`), [id]))[0]
          ?.n,
    );
    await pause(50);
    const [row] = await engine.query<{ status: string; open: number }>(
      'select status, open_tasks as open from dagwright.workflow_executions where id = $1',
      [id],
    );
    items.open();
    const run = await engine.ended(id);
    expect(run.states).toBe('f failed, p cancelled, after skipped execution_failed');
    expect(run.items('p')).toBe(`completed, completed${', skipped execution_failed'.repeat(4)}`);
    expect(row).toMatchObject({ status: 'running' });
  });

  test('under finish_running ends its waiting and retrying items; a running one gets no retry', async () => {
    const running = gate();
    engine.bodies.p = async ({ input, attempt }) => {
      if (input === 'retry' && attempt === 1) throw new RetryableError('later', { retryAfter: 3000 });
      await running.opened;
      throw new RetryableError('once more');
    };
    const itemsThatAre = (status: string) => tasksWith(`map_index >= 0 and status = '${status}'`);
    failWhen(`(${itemsThatAre('retrying')}) = 1 and (${itemsThatAre('running')}) = 1`);
    const one = graph('f; p', {
      tasks: {
        p: fanOut(
          ['retry', 'run', 'rest'],
          { taskType: 'probe', retry: { maxAttempts: 5 } },
          { maxConcurrency: 2 },
        ),
      },
    });
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    await until(
      async () =>
        (
          await engine.query(
            `select from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'f' and status = 'failed'`,
            [id],
          )
        ).length,
    );
    running.open();
    const run = await engine.ended(id);
    expect(run.states).toBe('f failed, p cancelled');
    expect(run.items('p')).toBe('cancelled, failed, skipped execution_failed');
  });

  test('under finish_running cancels items that wait for a timer', async () => {
    failWhen(`(${tasksWith(`map_index >= 0 and status = 'waiting'`)}) = 3`);
    const run = await engine.run(
      graph('f; p', { tasks: { p: fanOut([1, 2, 3], { taskType: 'wait', config: { seconds: 3000 } }) } }),
    );
    expect(run.states).toBe('f failed, p cancelled');
    expect(run.items('p')).toBe('cancelled, cancelled, cancelled');
  });

  test('under fail_fast its running items are cancelled', async () => {
    const never = gate();
    engine.bodies.p = () => never.opened;
    failWhen(`(${tasksWith(`map_index >= 0 and status = 'running'`)}) = 2`);
    const run = await engine.run(
      graph('f; p', {
        failurePolicy: 'fail_fast',
        tasks: { p: fanOut([1, 2, 3], { taskType: 'probe' }, { maxConcurrency: 2 }) },
      }),
    );
    never.open();
    expect(run.states).toBe('f failed, p cancelled');
    expect(run.items('p')).toBe('cancelled, cancelled, skipped execution_failed');
  });

  test('under continue goes on', async () => {
    engine.bodies.p = () => 'x';
    const run = await engine.run(
      graph('f; p', {
        failurePolicy: 'continue',
        tasks: {
          f: failing(),
          p: fanOut([...Array(30).keys()], { taskType: 'probe' }, { maxConcurrency: 3 }),
        },
      }),
    );
    expect(run.states).toBe('f failed, p completed');
  });
});

describe('after the failure', () => {
  test('a task that would begin to wait is cancelled: the failed execution ends now, not when a timer fires', async () => {
    for (let round = 0; round < 10; round++) {
      const run = await engine.run(
        graph('f; w -> after; p', {
          tasks: {
            f: failing(),
            w: waiting(3000),
            p: fanOut([1, 2, 3], { taskType: 'wait', config: { seconds: 3000 } }, { maxConcurrency: 2 }),
          },
        }),
      );
      expect(run.execution.error).toMatchObject({ code: 'boom' });
      expect(run.states).toBe('f failed, w cancelled, after skipped execution_failed, p cancelled');
    }
  });

  test('a fan-out that asks for failures opens afterwards and issues all its items', async () => {
    engine.bodies.cleanup = () => 'clean';
    const run = await engine.run(
      graph('f -> cleanup', {
        tasks: {
          f: failing(),
          cleanup: {
            ...fanOut([...Array(25).keys()], { taskType: 'probe' }, { maxConcurrency: 4 }),
            triggerRule: 'all_done',
          },
        },
      }),
    );
    expect(run.states).toBe('f failed, cleanup completed');
  });

  test('a task that asks for failures is retried by its policy, and may wait', async () => {
    engine.bodies.cleanup = ({ attempt }) => {
      if (attempt === 1) throw new Error('not yet');
      return 'clean';
    };
    const run = await engine.run(
      graph('f -> cleanup -> w', {
        tasks: {
          f: failing(),
          cleanup: {
            triggerRule: 'all_done',
            retry: { maxAttempts: 2, initialIntervalSeconds: 0.01, jitter: 'none' },
          },
          w: waiting(0.1),
        },
      }),
    );
    expect(run.states).toBe('f failed, cleanup completed, w completed');
    expect(run.task('cleanup').attempt).toBe(2);
  });

  test('a running task that fails gets no retry, and the first failure stays the error of the execution', async () => {
    const begun = gate();
    engine.bodies.f = async () => {
      await begun.opened;
      throw new TerminalError('boom', 'no');
    };
    engine.bodies.late = async ({ executionId }) => {
      begun.open();
      await until(
        async () =>
          (
            await engine.query(
              `select from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'f' and status = 'failed'`,
              [executionId],
            )
          ).length,
      );
      throw new Error('refused');
    };
    const run = await engine.run(graph('f; late', { tasks: { late: { retry: { maxAttempts: 5 } } } }));
    expect(run.states).toBe('f failed, late failed');
    expect(run.task('late').error).toMatchObject({ code: 'handler_error', attempts: 1 });
    expect(run.execution.error).toMatchObject({ code: 'boom', taskId: 'f' });
  });
});

test('a fan-out that has ended early, not yet collected, is cancelled once by the failure policy', async () => {
  const small = await openEngine({ concurrency: 2 });
  try {
    // The item outlasts its lane, so the fan-out is collected by a job; a more urgent execution takes the free slot.
    const urgent = gate();
    const entered = gate();
    small.bodies.p = async () => {
      entered.open();
      await pause(1100);
    };
    small.bodies.urgent = () => urgent.opened;
    small.bodies.f = async ({ executionId }) => {
      await until(
        async () =>
          (
            await small.query(
              `select from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'p' and map_index = -1 and ready_at is not null and status = 'waiting'`,
              [executionId],
            )
          ).length,
      );
      throw new TerminalError('boom', 'no');
    };
    const first = graph('f; p', {
      tasks: { p: fanOut([1, 2, 3], { taskType: 'probe' }, { maxConcurrency: 1, minSuccesses: 1 }) },
    });
    const second = graph('urgent');
    await small.apply(first);
    await small.apply(second);
    const id = await small.start(first.workflowId);
    await entered.opened;
    const other = await small.start(second.workflowId, { priority: 10 });
    const run = await small.ended(id);
    urgent.open();
    await small.ended(other);
    expect(run.states).toBe('f failed, p cancelled');
    expect(run.items('p')).toBe('completed, cancelled, cancelled');
    await small.expectSound();
  } finally {
    await small.close();
  }
});
