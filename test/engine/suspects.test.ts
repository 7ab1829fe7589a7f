// A task that has crashed workers twice runs alone in its worker for a while, and what that costs its neighbours is bounded.
import { afterAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { giveSuspectTurnBack, registerWorker, takeSuspectTurn } from '../../src/db/protocol/workers.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';

const engine: Engine = await openEngine({ concurrency: 4, faults: false });
beforeEach(() => {
  for (const name of Object.keys(engine.bodies)) delete engine.bodies[name];
  engine.entered.length = 0;
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

/** A suspect that stands in its body, alone, until `open` is called. */
async function standingSuspect(): Promise<{ readonly id: string; open(): void }> {
  const definition = graph('suspect', {
    tasks: { suspect: { retry: { maxAttempts: 2, initialIntervalSeconds: 1 } } },
  });
  const [entered, held] = [gate(), gate()];
  engine.bodies.suspect = async ({ attempt }) => {
    if (attempt === 1) throw new Error('again');
    entered.open();
    await held.opened;
  };
  await engine.apply(definition);
  const id = await engine.start(definition.workflowId);
  // As if workers had died with it.
  await until(
    async () =>
      (
        await engine.query(
          `update dagwright.task_executions set recoveries = 2 where workflow_execution_id = $1 and status = 'retrying' returning 1`,
          [id],
        )
      ).length,
  );
  await entered.opened;
  return { id, open: held.open };
}

const turnsTaken = async () =>
  (await engine.query('select id from dagwright.workers where suspects_until > now()')).map(({ id }) => id);

test('pure tasks of others go on beside it, and the rest when it has ended', async () => {
  const suspect = await standingSuspect();
  expect(await turnsTaken()).toEqual([engine.worker.id]);
  const pure = graph('p -> q', {
    tasks: {
      p: { taskType: 'transformation', config: { output: 1 } },
      q: { taskType: 'condition', config: { cases: [], default: 'other' } },
    },
  });
  expect((await engine.run(pure)).execution.status).toBe('completed');
  const other = graph('n');
  await engine.apply(other);
  const id = await engine.start(other.workflowId);
  await until(
    async () =>
      (
        await engine.query(
          `select from dagwright.task_executions where workflow_execution_id = $1 and status = 'running' and started_at is null`,
          [id],
        )
      ).length,
  );
  expect(engine.entered).not.toContain('n');
  suspect.open();
  expect((await engine.ended(id)).execution.status).toBe('completed');
  expect((await engine.ended(suspect.id)).execution.status).toBe('completed');
  await until(async () => (await turnsTaken()).length === 0);
});

test('where there is another worker, it takes what would be held back here', async () => {
  const neighbour = await engine.addWorker();
  // They know of each other by their next beat.
  await until(
    async () =>
      (
        await engine.query(
          'select from dagwright.workers where heartbeat_at > (select max(started_at) from dagwright.workers)',
        )
      ).length === 2,
  );
  const suspect = await standingSuspect();
  const runs = await Promise.all(Array.from({ length: 6 }, () => engine.run(graph('n -> m'))));
  expect(runs.map(({ execution }) => execution.status)).toEqual(Array(6).fill('completed'));
  // All of it while the suspect, in whichever worker, still holds others back: nothing has waited for that to end.
  expect(await turnsTaken()).toHaveLength(1);
  expect(engine.entered.filter((taskId) => taskId === 'suspect')).toHaveLength(2);
  suspect.open();
  expect((await engine.ended(suspect.id)).execution.status).toBe('completed');
  await neighbour.stop();
});

test('one worker at a time has the turn, until it gives it back or its time is over', async () => {
  const { engine: pool } = engine.database;
  const [a, b] = [newId(), newId()] as const;
  for (const id of [a, b])
    await registerWorker(pool, { id, host: 'here', pid: 1, concurrency: 1, leaseSeconds: 60, types: [] });
  expect(await takeSuspectTurn(pool, a, 60_000)).toBe(true);
  expect(await takeSuspectTurn(pool, b, 60_000)).toBe(false);
  expect(await takeSuspectTurn(pool, a, 60_000)).toBe(true);
  await giveSuspectTurnBack(pool, a);
  expect(await takeSuspectTurn(pool, b, 0)).toBe(true);
  expect(await takeSuspectTurn(pool, a, 60_000)).toBe(true);
  expect(await takeSuspectTurn(pool, newId(), 60_000)).toBe(false);
  await pool.query('delete from dagwright.workers where id = any($1)', [[a, b]]);
});
