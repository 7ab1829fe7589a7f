import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  apply,
  drained,
  expectSound,
  ledgerGraph,
  openScenario,
  type Scenario,
  start,
  statuses,
} from './support/scenario.ts';

/** Parents of the join -> rounds: 1,000 in all. */
const ROUNDS = { 2: 400, 3: 200, 5: 150, 8: 120, 16: 80, 32: 30, 64: 20 };

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

test('a join starts exactly once when its 2 to 64 parents finish together, in 1,000 rounds', async () => {
  const { supervisor, database } = scenario;
  for (const parents of Object.keys(ROUNDS).map(Number)) {
    const graph = Array.from({ length: parents }, (_, i) => `p${i} -> join`).join('; ');
    await apply(
      scenario,
      ledgerGraph(`join${parents}`, graph, (id) => ({ alignMs: id === 'join' ? 0 : 20 })),
    );
  }
  await supervisor.startReady(2, { concurrency: 32 });
  const startedAt = performance.now();
  for (const [parents, rounds] of Object.entries(ROUNDS)) await start(scenario, `join${parents}`, rounds);
  await drained(scenario);

  const { rows } = await database.engine.query(
    `select count(*)::int as joins, count(*) filter (where n <> 1)::int as wrong, sum(workers) as workers from (
       select x, count(*) filter (where t = 'join' and to_status = 'running') as n,
         count(distinct worker_id) filter (where to_status = 'running') as workers
       from task_events group by x) s`,
  );
  const joinStarts = supervisor
    .readLedger()
    .filter(({ event, task }) => event === 'start' && task === 'join');
  console.log(
    `joins: ${joinStarts.length} started of ${rows[0].joins} in ${Math.round(performance.now() - startedAt)} ms, ` +
      `${rows[0].wrong} not exactly once; ${(rows[0].workers / rows[0].joins).toFixed(2)} workers per round`,
  );
  expect(rows[0]).toMatchObject({ joins: 1000, wrong: 0 });
  expect(new Set(joinStarts.map(({ key }) => key)).size).toBe(1000);
  expect(joinStarts.length).toBe(1000);
  expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
  await expectSound(scenario);
});
