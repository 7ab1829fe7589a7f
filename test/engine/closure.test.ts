// C1: what follows from the end of a task is judged under the execution's lock, so that two ends at the same moment do not
// both count what follows from either.
import { expect, test } from 'vitest';
import { TerminalError } from '../../src/core/errors.ts';
import { BEGIN } from '../support/begin.ts';
import { gate, graph, openEngine, until } from '../support/engine.ts';

test('of two failures at the same moment one acts: what follows from it is counted once', async () => {
  const engine = await openEngine({ faults: false });
  const [failing, slow] = [gate(), gate()];
  engine.bodies.a = engine.bodies.b = async () => {
    await failing.opened;
    throw new TerminalError('boom', 'both at once');
  };
  engine.bodies.s = () => slow.opened;
  // The first failure ends x (finish_running), and y has then one edge less to wait for.
  const definition = graph('a; b; s -> x -> y; s -> y', {
    tasks: {
      y: {
        dependsOn: [
          { taskId: 'x', on: 'any' },
          { taskId: 's', on: 'success' },
        ],
      },
    },
  });
  const client = await engine.database.engine.connect();
  try {
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await until(async () => engine.entered.length === 3);
    await client.query(BEGIN);
    await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [id]);
    failing.open();
    await until(async () => {
      const [row] = await engine.query<{ n: number }>(
        `select count(*)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
         where a.datname = current_database() and not l.granted`,
      );
      // One waits for the execution, the other for its turn (locked-executions.ts, X3).
      return row!.n === 1;
    });
    await client.query('commit');
    const states = () =>
      engine.query(
        `select task_id, status, pending_edges from dagwright.task_executions where workflow_execution_id = $1 order by 1`,
        [id],
      );
    await until(async () => (await states()).filter(({ status }) => status === 'failed').length === 2);
    expect(await states()).toMatchObject([
      { task_id: 'a', status: 'failed' },
      { task_id: 'b', status: 'failed' },
      { task_id: 's', status: 'running' },
      { task_id: 'x', status: 'skipped' },
      { task_id: 'y', status: 'pending', pending_edges: 1 },
    ]);
    slow.open();
    const run = await engine.ended(id);
    expect(run.states).toBe('a failed, b failed, s completed, x skipped execution_failed, y completed');
    await engine.expectSound();
  } finally {
    await client.query('rollback');
    client.release();
    for (const { open } of [failing, slow]) open();
    await engine.close();
  }
});
