import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { cancelExecution } from '../support/executions.ts';
import { patience } from '../support/patience.ts';
import {
  apply,
  drained,
  expectSound,
  mixedGraph,
  openScenario,
  type Scenario,
  start,
  statuses,
} from './support/scenario.ts';
import { until } from './support/supervisor.ts';

const EXECUTIONS = 120;
/** A claim that committed before the cancel may still be on its way to the body. */
const ON_ITS_WAY_MS = patience(2_000);

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

test('nothing of an execution starts once its cancel has committed, under load', async () => {
  const { supervisor, database } = scenario;
  await apply(scenario, mixedGraph('mixed', 20));
  await supervisor.startReady(2);
  const ids = await start(scenario, 'mixed', EXECUTIONS);
  const cancelledAt = new Map<string, number>();
  // Each is cancelled as soon as it has begun; every third is left alone.
  await Promise.all(
    ids
      .filter((_, i) => i % 3 > 0)
      .map(async (id, i) => {
        await until(
          'it runs',
          () => supervisor.readLedger().filter(({ execution }) => execution === id).length > i % 12,
        );
        const status = await cancelExecution(database, DEFAULT_TENANT_ID, id);
        if (status === 'cancelled') cancelledAt.set(id, Date.now());
      }),
  );
  await drained(scenario);

  const { rows } = await database.engine.query(
    `with ends as (select x, min(seq) as seq from task_events where to_status = 'cancelled' group by x)
     select e.* from task_events e join ends on ends.x = e.x and e.seq > ends.seq where e.to_status = 'running'`,
  );
  const lateMs = supervisor
    .readLedger()
    .filter(
      ({ event, execution, at }) =>
        event === 'start' && at > (cancelledAt.get(execution) ?? Number.POSITIVE_INFINITY),
    )
    .map(({ execution, at }) => at - cancelledAt.get(execution)!);
  console.log(
    `cancel: ${cancelledAt.size} cancelled under load, ${rows.length} claims after it; ${lateMs.length} bodies already on their way, ` +
      `${Math.max(0, ...lateMs)} ms at most; executions ${JSON.stringify(await statuses(scenario))}; ${JSON.stringify(supervisor.complaints())}`,
  );
  expect(rows).toEqual([]);
  expect(cancelledAt.size).toBeGreaterThan(EXECUTIONS / 4);
  expect(Math.max(0, ...lateMs)).toBeLessThan(ON_ITS_WAY_MS);
  await expectSound(scenario);
});
