// An execution from its start to its end: idempotent starts, priorities, waits, timeouts, terminate, cancel, drain.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import { RetryableError } from '../../src/core/errors.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { depth } from '../support/depth.ts';
import { type Engine, gate, graph, openEngine, until, waiting } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

const cancel = (id: string, of = engine) => cancelExecution(of.database, DEFAULT_TENANT_ID, id);
const statusIs = async (id: string, taskId: string, status: string, of = engine) =>
  (
    await of.query(
      `select 1 from dagwright.task_executions where workflow_execution_id = $1 and task_id = $2 and status = $3`,
      [id, taskId, status],
    )
  ).length;

async function begin(one: ReturnType<typeof graph>, of = engine): Promise<string> {
  await of.apply(one);
  return await of.start(one.workflowId);
}

describe('starts', () => {
  test('the same idempotency key starts one execution, also 50 times at once', async () => {
    const one = graph('a');
    await engine.apply(one);
    const request = { workflowId: one.workflowId, triggerType: 'manual', idempotencyKey: 'once' } as const;
    const answers = (
      await Promise.all(
        Array.from({ length: 50 }, () =>
          startExecutions(engine.database.engine, DEFAULT_TENANT_ID, [request]),
        ),
      )
    ).flat();
    const again = await startExecutions(engine.database.engine, DEFAULT_TENANT_ID, [request, request]);
    const ids = new Set([...answers, ...again].map((started) => (started.ok ? started.id : started.problem)));
    expect(ids.size).toBe(1);
    expect(answers.filter((started) => started.ok && !started.existing)).toHaveLength(1);
    expect(again.every((started) => started.ok && started.existing)).toBe(true);
    expect((await engine.ended([...ids][0]!)).states).toBe('a completed');
    expect(
      await engine.query('select 1 from dagwright.workflow_executions where workflow_id = $1', [
        one.workflowId,
      ]),
    ).toHaveLength(1);
  });

  test('an unknown workflow is a problem of its request, not of the others in the call', async () => {
    const one = graph('a');
    await engine.apply(one);
    const started = await startExecutions(engine.database.engine, DEFAULT_TENANT_ID, [
      { workflowId: 'nobody', triggerType: 'manual' },
      { workflowId: one.workflowId, triggerType: 'manual', priority: 9 },
      { workflowId: one.workflowId, triggerType: 'manual', revision: 7 },
    ]);
    expect(started).toMatchObject([
      { ok: false, problem: 'not_found' },
      { ok: true, existing: false },
      { ok: false, problem: 'not_found' },
    ]);
    await engine.ended((started[1] as { id: string }).id);
  });

  test('an input that does not fit its schema ends the execution as failed when a worker opens it', async () => {
    const run = await engine.run(
      graph('a', {
        more: { inputSchema: { type: 'object', required: ['q'], properties: { q: { type: 'number' } } } },
      }),
      { input: { q: 'text' } },
    );
    expect(run.execution).toMatchObject({ status: 'failed', error: { code: 'validation' } });
    expect(run.tasks).toEqual([]);
  });

  test('higher priorities go first', async () => {
    const one = await openEngine({ concurrency: 1, idle: true });
    try {
      const seen: number[] = [];
      one.bodies.a = async ({ input }) => void seen.push(input as number);
      const simple = graph('a');
      await one.apply(simple);
      const priorities = [5, 1, 10, 3, 5, 10, 1, 8];
      const ids = [];
      for (const priority of priorities)
        ids.push(await one.start(simple.workflowId, { priority, input: priority }));
      await one.worker.start();
      for (const id of ids) await one.ended(id);
      expect(seen).toEqual(priorities.toSorted((a, b) => b - a));
    } finally {
      await one.close();
    }
  });
});

describe('waits', () => {
  test('for seconds: it holds no slot and ends not before its time', async () => {
    const id = await begin(graph('w -> after', { tasks: { w: waiting(1.2) } }));
    await until(() => statusIs(id, 'w', 'waiting'));
    expect(engine.worker.running).toBe(0);
    const run = await engine.ended(id);
    expect(run.states).toBe('w completed, after completed');
    expect(run.execution.durationMs).toBeGreaterThanOrEqual(1200);
    expect(run.task('w')).toMatchObject({ attempt: 1, output: { firedAt: expect.any(String) } });
  });

  test('until an instant, at once where it has passed', async () => {
    const soon = new Date(Date.now() + 700).toISOString();
    const run = await engine.run(
      graph('past; soon', {
        tasks: {
          past: { taskType: 'wait', config: { until: '2020-01-01T00:00:00Z' } },
          soon: { taskType: 'wait', config: { until: '{{ input.soon }}' } },
        },
      }),
      { input: { soon } },
    );
    expect(run.execution.status).toBe('completed');
    expect((run.task('soon').output as { firedAt: string }).firedAt >= soon).toBe(true);
  });
});

describe('ends from outside', () => {
  test('an execution past its timeoutSeconds fails with timeout; what runs is aborted, what has not begun is skipped', async () => {
    const never = gate();
    let aborted = false;
    engine.bodies.a = ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return never.opened;
    };
    const run = await engine.run(
      graph('a -> b; w', { tasks: { w: waiting(3000) }, more: { timeoutSeconds: 1 } }),
    );
    expect(run.execution).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    expect(run.states).toBe('a cancelled, b skipped execution_failed, w cancelled');
    await until(async () => aborted);
    never.open();
  });

  test('terminate ends it now with its status and output, and cancels the rest', async () => {
    const never = gate();
    const entered = gate();
    engine.bodies.a = () => {
      entered.open();
      return never.opened;
    };
    engine.bodies.b = () => entered.opened;
    const terminate = (config: NodeDefinition['config']): Partial<NodeDefinition> => ({
      taskType: 'terminate',
      config,
    });
    const run = await engine.run(
      graph('a -> later; b -> t -> below; w', {
        tasks: { t: terminate({ output: { enough: true } }), w: waiting(3000) },
      }),
    );
    expect(run.execution).toMatchObject({ status: 'completed', output: { enough: true }, error: null });
    expect(run.states).toBe(
      'a cancelled, later skipped terminated, b completed, t completed, below skipped terminated, w cancelled',
    );
    const failed = await engine.run(
      graph('t', { tasks: { t: terminate({ status: 'failed', code: 'enough', message: 'no more' }) } }),
    );
    never.open();
    expect(failed.execution).toMatchObject({
      status: 'failed',
      error: { code: 'enough', message: 'no more', taskId: 't' },
    });
  });

  test('after a terminate in a part of a fan-out nothing else of it starts', async () => {
    engine.entered.length = 0;
    const run = await engine.run(
      graph('p', {
        tasks: {
          p: {
            taskType: 'parallel',
            config: {
              branches: { t: { taskType: 'terminate', config: { output: 1 } }, other: { taskType: 'probe' } },
              maxConcurrency: 1,
            },
          },
        },
      }),
    );
    await pause(100);
    expect(run.execution).toMatchObject({ status: 'completed', output: 1 });
    expect(engine.entered).toEqual([]);
  });

  test('a cancel ends what waits, what runs and what is to be retried, and is told once', async () => {
    const never = gate();
    let aborted = false;
    engine.bodies.a = ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return never.opened;
    };
    engine.bodies.r = () => {
      throw new RetryableError('later', { retryAfter: 3000 });
    };
    const id = await begin(
      graph('a -> b; w; r', { tasks: { w: waiting(3000), r: { retry: { maxAttempts: 2 } } } }),
    );
    await until(
      async () =>
        (await statusIs(id, 'w', 'waiting')) &&
        (await statusIs(id, 'r', 'retrying')) &&
        (await statusIs(id, 'a', 'running')),
    );
    expect(await cancel(id)).toBe('cancelled');
    const run = await engine.ended(id);
    expect(run.states).toBe('a cancelled, b cancelled, w cancelled, r cancelled');
    expect(run.execution).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
    await until(async () => aborted);
    never.open();
    await until(async () => engine.worker.running === 0);
    expect(await cancel(id)).toBe('cancelled');
    expect((await engine.ended(id)).states).toBe(run.states);
  });

  test('a cancelled execution that had not been opened starts nothing', async () => {
    const idle = await openEngine({ idle: true });
    try {
      const id = await begin(graph('a'), idle);
      expect(await cancel(id, idle)).toBe('cancelled');
      await idle.worker.start();
      await idle.run(graph('other'));
      expect(idle.entered).toEqual(['other']);
      expect((await idle.ended(id)).tasks).toEqual([]);
      await idle.expectSound();
    } finally {
      await idle.close();
    }
  });

  test('a cancel of what has ended says how it ended, of what is not there null', async () => {
    const run = await engine.run(graph('a'));
    expect(await cancel(run.execution.id)).toBe('completed');
    expect(await cancel('01890000-0000-7000-8000-000000000000')).toBeNull();
  });

  test('of a cancel and a completion at the same moment one wins, and nothing starts after the cancel', async () => {
    const one = graph('a -> b -> c', { tasks: {} });
    await engine.apply(one);
    engine.bodies.a = engine.bodies.b = engine.bodies.c = () => 'x';
    const outcomes = new Map<string, number>();
    for (let round = 0; round < depth(60); round++) {
      const ids = await Promise.all(Array.from({ length: 4 }, () => engine.start(one.workflowId)));
      const told = await Promise.all(
        ids.map(async (id, i) => {
          await pause((round % 6) + i);
          return await cancel(id);
        }),
      );
      for (const [i, id] of ids.entries()) {
        const run = await engine.ended(id);
        expect(run.execution.status).toBe(told[i]);
        const open = run.tasks.filter(({ status }) => status !== 'completed' && status !== 'cancelled');
        expect(open).toEqual([]);
        outcomes.set(told[i]!, (outcomes.get(told[i]!) ?? 0) + 1);
      }
    }
    expect([...outcomes.keys()].every((status) => status === 'cancelled' || status === 'completed')).toBe(
      true,
    );
  });
});

describe('a graceful stop', () => {
  test('lets short tasks end, releases the rest under the same attempt, which another worker takes on', async () => {
    const drained = await openEngine({ graceMs: 1000 });
    try {
      const [held, begun] = [gate(), gate()];
      const seen: unknown[] = [];
      drained.bodies.long = async ({ attempt, lastCheckpoint, checkpoint, signal }) => {
        seen.push([attempt, lastCheckpoint]);
        if (seen.length > 1) return 'ended';
        await checkpoint({ at: 'half' });
        held.open();
        return await new Promise((_, reject) => signal.addEventListener('abort', reject));
      };
      drained.bodies.short = async () => {
        begun.open();
        await held.opened;
        await pause(100);
      };
      const id = await begin(graph('long -> end; short -> next'), drained);
      await Promise.all([held.opened, begun.opened]);
      await drained.worker.stop();
      expect(
        await drained.query(
          `select task_id as t, status, attempt_number as a from dagwright.task_executions where workflow_execution_id = $1 order by 1`,
          [id],
        ),
      ).toEqual([
        { t: 'end', status: 'pending', a: 0 },
        { t: 'long', status: 'pending', a: 0 },
        { t: 'next', status: 'pending', a: 0 },
        { t: 'short', status: 'completed', a: 1 },
      ]);
      await drained.expectSound();
      await drained.addWorker();
      const run = await drained.ended(id);
      expect(run.states).toBe('long completed, end completed, short completed, next completed');
      expect(seen).toEqual([
        [1, undefined],
        [1, { at: 'half' }],
      ]);
      expect(await drained.query('select * from dagwright.task_attempts')).toEqual([]);
      expect(await drained.query(`select id from dagwright.workers`)).toHaveLength(1);
    } finally {
      await drained.close();
    }
  });
});
