// A mixed load whose workers' database fails in one statement of eight: connections lost before and after the statement
// was executed (commits too), conflicts. Starts carry a key and are sent until they are answered, as careful clients do.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilAnswered } from '../../src/db/connection/connection.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { depth } from '../support/depth.ts';
import { type Engine, failing, graph, openEngine, until, waiting } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';
import type { FaultyDatabase } from '../support/faulty-pg.ts';

const SEED = 4711;
const EACH = depth(60);

const items = {
  taskType: 'parallel',
  config: { items: [1, 2, 3, 4], maxConcurrency: 3, task: { taskType: 'probe', config: {} } },
};

/** Definitions, how their tasks end, and how many bodies a run enters. */
const KINDS = [
  {
    made: graph('a -> b -> c -> d -> e'),
    states: 'a completed, b completed, c completed, d completed, e completed',
    bodies: 5,
  },
  {
    made: graph('a -> b -> d; a -> c -> d'),
    states: 'a completed, b completed, d completed, c completed',
    bodies: 4,
  },
  { made: graph('p -> z', { tasks: { p: items } }), states: 'p completed, z completed', bodies: 5 },
  {
    made: graph('f -> x -> y; f -!-> caught', { tasks: { f: failing() } }),
    states: 'f failed, x skipped branch_not_taken, y skipped upstream_skipped, caught completed',
    bodies: 1,
  },
  {
    made: graph('a -> w -> b', { tasks: { w: waiting(3600) } }),
    states: 'a completed, w cancelled, b cancelled',
    bodies: 1,
    isCancelled: true,
  },
];

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ faults: SEED, concurrency: 16 });
  await engine.addWorker();
});
afterAll(() => engine.close());

async function start(workflowId: string, idempotencyKey: string): Promise<string> {
  const request = { workflowId, idempotencyKey, triggerType: 'manual' as const };
  const [started] = await untilAnswered(() =>
    startExecutions(engine.workersDatabase.engine, DEFAULT_TENANT_ID, [request]),
  );
  if (!started?.ok) throw new Error(`not started: ${JSON.stringify(started)}`);
  return started.id;
}

/** Nothing is left to do but what waits for an hour. */
const AT_REST = `select count(*) = $1 as "isAtRest" from dagwright.workflow_executions o where status in ('pending', 'running')
  having bool_and(exists (select from dagwright.task_executions t
    where t.workflow_execution_id = o.id and t.task_id = 'w' and t.status = 'waiting'))`;

test(`${KINDS.length * EACH} executions over a database that loses connections end once each, and no body runs twice`, async () => {
  for (const { made } of KINDS) await engine.apply(made);
  const started = await Promise.all(
    KINDS.flatMap((kind) =>
      Array.from({ length: EACH }, async (_, i) => ({
        kind,
        id: await start(kind.made.workflowId, `${kind.made.workflowId} ${i}`),
      })),
    ),
  );
  await until(async () => (await engine.query<{ isAtRest: boolean }>(AT_REST, [EACH]))[0]?.isAtRest);
  for (const { kind, id } of started)
    if (kind.isCancelled) await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
  for (const { kind, id } of started) expect((await engine.ended(id)).states).toBe(kind.states);
  expect(engine.entered).toHaveLength(KINDS.reduce((sum, { bodies }) => sum + bodies * EACH, 0));

  const { met } = engine.workersDatabase as FaultyDatabase;
  for (const fault of ['lostBefore', 'lostAfter', 'conflict'] as const)
    expect(met[fault], fault).toBeGreaterThan(depth(10));
  // One attempt is kept of each task that failed, none of the others.
  expect(
    await engine.query(
      `select (select count(*)::int from dagwright.workflow_executions) as executions,
         count(*) filter (where attempt_number > 1)::int as spent, sum(recoveries)::int as recoveries,
         (select count(*)::int from dagwright.task_attempts) as attempts from dagwright.task_executions`,
    ),
  ).toEqual([{ executions: KINDS.length * EACH, spent: 0, recoveries: 0, attempts: EACH }]);
  await engine.expectSound();
});
