import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
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
import { startsByKey } from './support/trace.ts';

const SECONDS = 8;

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

test('connections that end at random, five a second, lose nothing and record nothing twice', async () => {
  const { supervisor, database } = scenario;
  await apply(scenario, mixedGraph('mixed', 20));
  await supervisor.startReady(2);
  const load = feed(scenario, 'mixed', 12);
  const admin = new pg.Client({ connectionString: scenario.url });
  await admin.connect();
  let ended = 0;
  for (let i = 0; i < SECONDS * 5; i++) {
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'crash test'
         order by (state = 'active') desc, random() limit 1) s`,
    );
    ended += rowCount ?? 0;
    await delay(200);
  }
  await admin.end();
  await load.stop();
  await drained(scenario);

  const { rows } = await database.engine.query(
    `select count(*)::int as tasks, count(*) filter (where attempt_number > 1)::int as spent, sum(recoveries)::int as recoveries,
       (select count(*)::int from dagwright.task_attempts) as attempts from dagwright.task_executions`,
  );
  const repeated = [...startsByKey(supervisor.readLedger()).values()].filter((n) => n > 1).length;
  console.log(
    `terminated connections: ${ended}; ${JSON.stringify(rows[0])}, ${repeated} bodies started again; ` +
      `executions ${JSON.stringify(await statuses(scenario))}; ${JSON.stringify(supervisor.complaints())}`,
  );
  expect(supervisor.workers.map(({ isAlive, stderr }) => (isAlive ? 'alive' : stderr))).toEqual([
    'alive',
    'alive',
  ]);
  expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
  expect(rows[0]).toMatchObject({ spent: 0, recoveries: 0, attempts: 0 });
  await expectSound(scenario);
});
