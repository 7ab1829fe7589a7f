// A service in a run: a task that is sent away waits without a slot, and spends no attempt.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RetryableError } from '../../src/core/errors.ts';
import { findOpenTasks } from '../../src/db/executions/open-tasks.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { whyOpen } from '../../src/resources/why.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import type { TaskType } from '../../src/tasks/task-type.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';

/** Calls the service named by its config; what the call does is the test's. */
const bodies: Record<string, () => Promise<unknown>> = {};
let called: string[] = [];
const calling: TaskType = {
  type: 'calling',
  isPure: false,
  prepare: ({ taskId, config }) => ({
    mappings: [],
    run: async ({ outside, signal, tenantId }) => {
      const output = await outside.services.use(
        { serviceId: String(config.service), tenantId },
        signal,
        async () => {
          called.push(taskId);
          return (await bodies[taskId]?.()) ?? null;
        },
      );
      return { kind: 'completed', output };
    },
  }),
};
const node = (service: string) => ({ taskType: 'calling', config: { service } });

let engine: Engine;
beforeAll(async () => {
  const types = new Map<string, TaskType>([...createRegistry([]), ['calling', calling]]);
  engine = await openEngine({ types, concurrency: 4 });
  // Before the first call: limits are read once a second.
  await engine.query(`select dagwright.set_service_limit_v1('y', 1, null, null)`);
});
afterAll(() => engine.close());

async function whyOf(id: string) {
  const found = await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
    findOpenTasks(client, DEFAULT_TENANT_ID, id, 100),
  );
  return whyOpen(found!.execution, found!.tasks, 100).items;
}

test('`why` names a pause that a service asked for', async () => {
  bodies.asked = () => Promise.reject(new RetryableError('busy', { code: 'http_429', retryAfter: 60 }));
  await engine.run(graph('asked', { tasks: { asked: { ...node('p'), retry: { maxAttempts: 1 } } } }));
  const definition = graph('b', { tasks: { b: node('p') } });
  await engine.apply(definition);
  const id = await engine.start(definition.workflowId);
  const item = await until(async () =>
    (await whyOf(id)).find(({ waitsFor }) => 'heldBy' in waitsFor && waitsFor.heldBy?.by === 'pause'),
  );
  expect(item).toMatchObject({
    waitsFor: { heldBy: { service: 'p', by: 'pause' } },
    message: expect.stringMatching(/^b waits until .*: service "p" asked for a pause$/),
  });
  await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
});

test('an open breaker leaves the task waiting, its attempt unspent; it completes when the service is back', async () => {
  called = [];
  bodies.down = () => Promise.reject(new RetryableError('down', { code: 'http_503' }));
  const retry = { maxAttempts: 5, initialIntervalSeconds: 0.01, jitter: 'none' } as const;
  const failed = await engine.run(graph('down', { tasks: { down: { ...node('x'), retry } } }));
  expect(failed.execution.error).toMatchObject({ code: 'http_503', attempts: 5 });
  expect(called).toHaveLength(5);

  const definition = graph('a', { tasks: { a: node('x') } });
  await engine.apply(definition);
  const id = await engine.start(definition.workflowId);
  const [task] = await until(async () => {
    const rows = await engine.query<{ attempt: number; left: number }>(
      `select attempt_number as attempt, extract(epoch from wake_at - clock_timestamp())::float8 as left
       from dagwright.task_executions where workflow_execution_id = $1 and status = 'waiting'`,
      [id],
    );
    return rows.length > 0 && rows;
  });
  expect(task!.left).toBeGreaterThan(0);
  expect(await whyOf(id)).toMatchObject([
    {
      waitsFor: { kind: 'timer', heldBy: { service: 'x', by: 'breaker' } },
      message: expect.stringMatching(/^a waits until .*: the circuit breaker of service "x" is open/),
    },
  ]);
  expect(called).not.toContain('a');

  // The operator closes it; the task's time comes.
  await engine.query(`delete from dagwright.service_states where service_id like 'x@%'`);
  const run = await engine.ended(id);
  expect(run.task('a')).toMatchObject({ status: 'completed', attempt: 1, error: null });
  expect(called.filter((taskId) => taskId === 'a')).toHaveLength(1);
  expect(
    await engine.query('select from dagwright.task_attempts where workflow_execution_id = $1', [id]),
  ).toEqual([]);
  await engine.expectSound();
});

test('tasks beyond a limit wait for their turn, and other tasks go on meanwhile', async () => {
  called = [];
  const held = gate();
  const hog = graph('hog', { tasks: { hog: node('y') } });
  bodies.hog = () => held.opened;
  await engine.apply(hog);
  const hogId = await engine.start(hog.workflowId);
  await until(async () => called.includes('hog'));
  // Without a limit on how long they hold their slots, these would take all of the worker's.
  const many = graph('m1; m2; m3; m4; m5; m6', {
    tasks: Object.fromEntries(['m1', 'm2', 'm3', 'm4', 'm5', 'm6'].map((id) => [id, node('y')])),
  });
  await engine.apply(many);
  const manyId = await engine.start(many.workflowId);
  const other = await engine.run(graph('o', { tasks: { o: node('z') } }));
  expect(other.states).toBe('o completed');
  const sentAway = await until(async () =>
    (await whyOf(manyId)).find(({ waitsFor }) => 'heldBy' in waitsFor),
  );
  expect(sentAway).toMatchObject({
    waitsFor: { kind: 'timer', until: expect.any(String), heldBy: { service: 'y', by: 'limit' } },
    message: expect.stringMatching(/: service "y" has as many calls as its limits allow$/),
  });
  held.open();
  await engine.ended(hogId);
  const run = await engine.ended(manyId);
  expect(run.tasks.map(({ status, attempt }) => [status, attempt])).toEqual(
    Array.from({ length: 6 }, () => ['completed', 1]),
  );
  await until(async () => (await engine.query('select from dagwright.service_permits')).length === 0);
  await engine.expectSound();
});
