// A client's open transaction holds executions while their workers are asked to end, and are killed.
import pg from 'pg';
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
import { until } from './support/supervisor.ts';

const HELD = 6;
const GRACE_MS = 2_000;
/** Of a loaded machine, beyond the grace and the 5 s for what is aborted. */
const END_MS = 60_000;

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a worker whose results wait for a lock gets %s: nothing is lost or taken for a failure',
  async (signal) => {
    const { supervisor, database, url } = scenario;
    const before = supervisor.readLedger().length;
    await apply(scenario, ledgerGraph(`held-${signal}`, 'a -> b', { ms: 1_500 }));
    await apply(scenario, ledgerGraph(`free-${signal}`, 'a -> b', { ms: 10 }));
    await supervisor.startReady(1, { graceMs: GRACE_MS });
    const ids = await start(scenario, `held-${signal}`, HELD);
    const lines = (event: 'start' | 'end', which: readonly string[]) =>
      supervisor
        .readLedger()
        .slice(before)
        .filter((line) => line.event === event && which.includes(line.execution)).length;
    await until('the bodies run', () => lines('start', ids) === HELD);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('begin');
    await client.query('select from dagwright.workflow_executions where id = any($1) for update', [ids]);
    await until('they have ended, and their results wait', () => lines('end', ids) === HELD);

    const [victim] = supervisor.alive;
    const signalledAt = performance.now();
    victim!.signal(signal);
    const code = await victim!.exited;
    if (signal === 'SIGTERM') expect(code).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(END_MS);
    await supervisor.startReady(1);
    const free = await start(scenario, `free-${signal}`, HELD);
    await until('others go on meanwhile', () => lines('end', free) === 2 * HELD);

    await client.query('rollback');
    await client.end();
    await drained(scenario);
    expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
    const { rows } = await database.engine.query(
      `select max(recoveries) as n from dagwright.task_executions where workflow_execution_id = any($1)`,
      [ids],
    );
    expect(rows[0].n).toBe(1);
    await expectSound(scenario);
    for (const worker of supervisor.alive) {
      worker.signal('SIGTERM');
      await worker.exited;
    }
  },
);
