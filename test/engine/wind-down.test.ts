// A wait that winds down at the first uncaught failure (core/wait.ts; none of today's does, so timers do here): its task is
// woken with the settle of that failure, and the execution does not wait for what nobody has told to end.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { NotNow, TerminalError } from '../../src/core/errors.ts';
import { WAITS, type WaitRule } from '../../src/core/wait.ts';
import { type Engine, graph, openEngine, until, waiting } from '../support/engine.ts';

// Files share their modules: the table is as it was afterwards.
const timer = WAITS.timer.onFailure as { finish_running: WaitRule['onFailure']['finish_running'] };

let engine: Engine;
beforeAll(async () => {
  timer.finish_running = 'wind_down';
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(async () => {
  timer.finish_running = 'cancel';
  await engine.close();
});

const waitingTasks = async (executionId: string) => {
  const [row] = await engine.query<{ n: number }>(
    `select count(*)::int as n from dagwright.task_executions where workflow_execution_id = $1 and status = 'waiting'`,
    [executionId],
  );
  return row!.n;
};

/** Makes `f` fail once the other task waits. */
function failWhenWaiting(): void {
  engine.bodies.f = async ({ executionId }) => {
    await until(() => waitingTasks(executionId));
    throw new TerminalError('boom', 'no');
  };
}

test('its task is woken at once, and ends as its type says', async () => {
  failWhenWaiting();
  const run = await engine.run(graph('f; w -> x', { tasks: { w: waiting(86_400) } }));
  expect(run.states).toBe('f failed, w completed, x skipped execution_failed');
});

test('a task that would go on waiting is cancelled', async () => {
  failWhenWaiting();
  engine.bodies.w = () => {
    throw new NotNow('not today', 86_400_000);
  };
  const run = await engine.run(graph('f; w -> x'));
  expect(run.states).toBe('f failed, w cancelled, x skipped execution_failed');
  expect(engine.entered.filter((taskId) => taskId === 'w')).toHaveLength(2);
});
