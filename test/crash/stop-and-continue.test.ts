import { afterAll, beforeAll, expect, test } from 'vitest';
import { apply, drained, expectSound, feed, ledgerGraph, openScenario, type Scenario, start, statuses } from './support/scenario.ts';
import { until } from './support/supervisor.ts';

const LEASE_SECONDS = 9;

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

test('a worker that stood still beyond its lease writes nothing when it goes on, and then works again', async () => {
  const { supervisor, database } = scenario;
  await apply(scenario, ledgerGraph('slow', 'a -> b', { ms: 2_000, isDeaf: true }));
  await apply(scenario, ledgerGraph('quick', 'a -> b -> c; a -> d -> c', { ms: 50 }));
  const [frozen] = await supervisor.startReady(1, { leaseSeconds: LEASE_SECONDS });
  const slow = await start(scenario, 'slow', 4);
  const isRunning = () => supervisor.readLedger().filter(({ event }) => event === 'start').length === slow.length;
  await until('the slow bodies run', isRunning);
  frozen!.signal('SIGSTOP');
  const stoppedAt = Date.now();
  await supervisor.startReady(1, { leaseSeconds: LEASE_SECONDS });
  const load = feed(scenario, 'quick', 4);
  const tookOver = () => supervisor.readLedger().filter(({ event, task, pid }) => event === 'start' && task === 'a' && pid !== frozen!.pid);
  await until('another worker took all over', () => slow.every((id) => tookOver().some(({ execution }) => execution === id)));
  const tookOverMs = Date.now() - stoppedAt;
  await until('and ended them', async () => {
    const { rows } = await database.engine.query(
      `select count(*)::int as n from dagwright.task_executions where workflow_execution_id = any($1) and task_id = 'a' and status = 'completed'`,
      [slow],
    );
    return rows[0].n === slow.length;
  });

  frozen!.signal('SIGCONT');
  const continuedAt = Date.now();
  const refused = () => frozen!.lines.filter(({ message }) => message === 'a stale write was refused').length;
  await until('its stale writes are refused', () => refused() === slow.length);
  await until('it works again', () => supervisor.readLedger().some(({ pid, at, event }) => pid === frozen!.pid && event === 'start' && at > continuedAt));
  const worksAgainMs = Date.now() - continuedAt;
  await load.stop();
  await drained(scenario);

  const ends = supervisor.readLedger().filter(({ event, task, pid, execution }) => event === 'end' && task === 'a' && pid === frozen!.pid && slow.includes(execution));
  console.log(
    `SIGSTOP: taken over after ${tookOverMs} ms (lease ${LEASE_SECONDS} s); of ${ends.length} stale results ${refused()} refused; ` +
      `works again ${worksAgainMs} ms after SIGCONT; executions ${JSON.stringify(await statuses(scenario))}`,
  );
  expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
  await expectSound(scenario);
});
