// Pause and resume: nothing begins between them, and nothing is lost by them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { type Engine, gate, graph, openEngine, until, waiting } from '../support/engine.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../support/executions.ts';

let engine: Engine;
const pause = (id: string) => pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
const resume = (id: string) => resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
const states = async (id: string) =>
  (
    await engine.query<{ s: string }>(
      `select task_id || ' ' || status as s from dagwright.task_executions where workflow_execution_id = $1 and map_index < 0 order by 1`,
      [id],
    )
  ).map(({ s }) => s);

beforeAll(async () => {
  engine = await openEngine();
});
beforeEach(() => {
  for (const name of Object.keys(engine.bodies)) delete engine.bodies[name];
  engine.entered.length = 0;
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

// Starts, holds `a` in its body, pauses, lets `a` end, and waits until that is recorded.
async function pausedAfterA(definition: ReturnType<typeof graph>): Promise<string> {
  const [entered, held] = [gate(), gate()];
  engine.bodies.a = async () => {
    entered.open();
    await held.opened;
  };
  await engine.apply(definition);
  const id = await engine.start(definition.workflowId);
  await entered.opened;
  expect(await pause(id)).toBe('paused');
  held.open();
  await until(async () => (await states(id)).includes('a completed'));
  return id;
}

describe('a paused execution', () => {
  it.each([
    ['a chain', 'a -> b -> c'],
    ['a fork and its join', 'a -> b -> d; a -> c -> d'],
    ['its last task', 'a'],
  ])('begins nothing after %s pauses, and goes on when it is resumed', async (_, text) => {
    const id = await pausedAfterA(graph(text));
    expect(await engine.query('select * from dagwright.v_orphans')).toEqual([]);
    expect(engine.entered).toEqual(['a']);
    expect(await resume(id)).toBe('running');
    const run = await engine.ended(id);
    expect(run.execution.status).toBe('completed');
    expect(engine.entered.sort()).toEqual(run.tasks.map(({ taskId }) => taskId).sort());
  });

  it('does not open what had not begun, and opens it when it is resumed', async () => {
    const idle = await openEngine({ idle: true });
    try {
      const definition = graph('a -> b');
      await idle.apply(definition);
      const id = await idle.start(definition.workflowId);
      expect(await pauseExecution(idle.database, DEFAULT_TENANT_ID, id)).toBe('paused');
      await idle.worker.start();
      await until(async () => (await idle.query('select from dagwright.jobs_v1()')).length === 0);
      expect(idle.entered).toEqual([]);
      expect(await resumeExecution(idle.database, DEFAULT_TENANT_ID, id)).toBe('pending');
      expect((await idle.ended(id)).states).toBe('a completed, b completed');
    } finally {
      await idle.close();
    }
  });

  it('keeps its timers still, also those that are set meanwhile, and fires what came due when it is resumed', async () => {
    const definition = graph('a -> t -> b; u -> c', { tasks: { t: waiting(0.05), u: waiting(0.3) } });
    const id = await pausedAfterA(definition);
    const [held] = await engine.query<{ wake: string | null; held: string | null }>(
      `select wake_at as wake, held_wake_at as held from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'u'`,
      [id],
    );
    expect(held).toMatchObject({ wake: null, held: expect.any(String) });
    expect(engine.entered).toEqual(['a']);
    await resume(id);
    expect((await engine.ended(id)).execution.status).toBe('completed');
  });

  it('retries nothing while it stands, and keeps the retry', async () => {
    const [entered, held] = [gate(), gate()];
    let tries = 0;
    engine.bodies.a = async () => {
      tries++;
      entered.open();
      await held.opened;
      if (tries === 1) throw new Error('once');
    };
    const definition = graph('a -> b', {
      tasks: { a: { retry: { maxAttempts: 2, initialIntervalSeconds: 0 } } },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await entered.opened;
    await pause(id);
    held.open();
    await until(async () => (await states(id)).includes('a retrying'));
    expect(tries).toBe(1);
    await resume(id);
    expect((await engine.ended(id)).states).toBe('a completed, b completed');
    expect(tries).toBe(2);
  });

  it('does not run past its deadline while it stands', async () => {
    const id = await pausedAfterA(graph('a -> b', { more: { timeoutSeconds: 60 } }));
    const deadline = async () =>
      (
        await engine.query<{ left: number }>(
          'select extract(epoch from deadline_at - clock_timestamp())::float8 as left from dagwright.workflow_executions where id = $1',
          [id],
        )
      )[0]!.left;
    // As if it had stood for an hour.
    await engine.query(
      `update dagwright.workflow_executions set deadline_at = deadline_at - interval '1 hour', paused_at = paused_at - interval '1 hour' where id = $1`,
      [id],
    );
    expect(await deadline()).toBeLessThan(0);
    // Another one that is late shows that the timers were looked at meanwhile.
    const other = graph('w', { tasks: { w: waiting(30) }, more: { timeoutSeconds: 31 } });
    await engine.apply(other);
    const late = await engine.start(other.workflowId);
    await until(async () => (await states(late)).includes('w waiting'));
    await engine.query(
      'update dagwright.workflow_executions set deadline_at = clock_timestamp() where id = $1',
      [late],
    );
    expect((await engine.ended(late)).execution.error?.code).toBe('timeout');
    expect(await states(id)).toContain('b pending');
    await resume(id);
    expect(await engine.ended(id)).toMatchObject({ execution: { status: 'completed' } });
  });

  it('can be cancelled, and says what it is when it has ended', async () => {
    const id = await pausedAfterA(graph('a -> b'));
    expect(await cancelExecution(engine.database, DEFAULT_TENANT_ID, id)).toBe('cancelled');
    expect(await pause(id)).toBe('cancelled');
    expect(await resume(id)).toBe('cancelled');
  });

  it('is lost by no interleaving of pauses, resumes and settles', async () => {
    const definition = graph(
      'a -> b -> c -> d -> z; a -> e -> f -> z; a -> g -> z; a -> h -> i -> j -> k -> z',
    );
    await engine.apply(definition);
    const ids = await Promise.all(Array.from({ length: 30 }, () => engine.start(definition.workflowId)));
    await Promise.all(
      ids.map(async (id) => {
        for (let i = 0; i < 4; i++) {
          await pause(id);
          await resume(id);
        }
      }),
    );
    for (const id of ids) expect((await engine.ended(id)).execution.status).toBe('completed');
    expect(engine.entered).toHaveLength(30 * 12);
  });
});
