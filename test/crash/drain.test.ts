import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  apply,
  drained,
  expectSound,
  feed,
  mixedGraph,
  openScenario,
  type Scenario,
  statuses,
} from './support/scenario.ts';

const CYCLES = 20;

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

test('twenty SIGTERMs under load spend no attempt, and nothing that has ended runs again', async () => {
  const { supervisor, database } = scenario;
  await apply(scenario, mixedGraph('mixed', 60));
  // Every other worker has a grace period shorter than its tasks, so that some are released.
  await supervisor.startReady(2, { graceMs: 20 });
  const load = feed(scenario, 'mixed', 8);
  const drainMs: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    // The next one starts while this one works and the oldest drains.
    const [oldest, ...others] = supervisor.alive;
    supervisor.start({ graceMs: cycle % 2 === 0 ? 25_000 : 20 });
    await others[0]!.ready;
    const signalledAt = performance.now();
    oldest!.signal('SIGTERM');
    expect(await oldest!.exited).toBe(0);
    drainMs.push(performance.now() - signalledAt);
  }
  await load.stop();
  await drained(scenario);

  const { rows } = await database.engine.query(
    `select count(*)::int as tasks, count(*) filter (where attempt_number > 1)::int as spent, coalesce(sum(recoveries), 0)::int as recoveries,
       (select count(*)::int from dagwright.task_attempts) as attempts,
       (select count(*)::int from task_events where from_status = 'running' and to_status = 'pending') as released
     from dagwright.task_executions`,
  );
  console.log(
    `SIGTERM: ${CYCLES} cycles, drained after ${Math.round(Math.max(...drainMs))} ms at most; ${JSON.stringify(rows[0])}; ` +
      `executions ${JSON.stringify(await statuses(scenario))}`,
  );
  expect(rows[0]).toMatchObject({ spent: 0, recoveries: 0, attempts: 0 });
  expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
  await expectSound(scenario);
});
