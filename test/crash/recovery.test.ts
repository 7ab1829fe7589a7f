// Two scenarios that mostly wait for leases to run out, side by side, each on a database of its own.
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import {
  apply,
  drained,
  expectSound,
  feed,
  ledgerGraph,
  openScenario,
  start,
  statuses,
} from './support/scenario.ts';
import { until } from './support/supervisor.ts';

/** CONTRACT P2: one try and three recoveries. */
const MOST_STARTS = 4;
const LEASE_SECONDS = 9;

test.concurrent('a task that kills its worker is started four times at most, fails as worker_lost, and its neighbours complete', async () => {
  await using scenario = await openScenario();
  const { supervisor, database } = scenario;
  // The neighbours run when the poison strikes: beside it in its execution, after it, and in other executions.
  const graph = 'a -> poison -> after; a -> n1 -> n2 -> n3; a -> n4';
  const bodies = (id: string): JsonObject => (id === 'poison' ? { abortsAfterMs: 300 } : { ms: 400 });
  await apply(scenario, { ...ledgerGraph('poisoned', graph, bodies), failurePolicy: 'continue' });
  await apply(scenario, ledgerGraph('quiet', 'a -> b -> c; a -> d -> c', { ms: 400 }));
  await supervisor.startReady(2, { concurrency: 6 });
  const startedAt = performance.now();
  const [poisoned] = await start(scenario, 'poisoned', 1);
  const quiet = await start(scenario, 'quiet', 8);
  let crashes = 0;
  // What process managers do: a worker that ended is replaced.
  const replacing = setInterval(() => {
    const gone = supervisor.workers.filter(({ isAlive }) => !isAlive).length;
    for (; crashes < gone; crashes++) supervisor.start({ concurrency: 6 });
  }, 100);
  const quietMs = until(
    'the neighbours in other executions have ended',
    async () => {
      const { rows } = await database.engine.query(
        `select count(*)::int as n from dagwright.workflow_executions where id = any($1) and status = 'completed'`,
        [quiet],
      );
      return rows[0].n === quiet.length;
    },
    120_000,
  ).then(() => Math.round(performance.now() - startedAt));
  quietMs.catch(() => {});
  await drained(scenario, 120_000).finally(() => clearInterval(replacing));

  const poisonStarts = supervisor
    .readLedger()
    .filter(({ event, task }) => event === 'start' && task === 'poison').length;
  const { rows } = await database.engine.query(
    `select task_id, status, reason, recoveries, attempt_number, error from dagwright.task_executions where workflow_execution_id = $1`,
    [poisoned],
  );
  const byId = Object.fromEntries(rows.map((row) => [row.task_id, row]));
  const { rows: attempts } = await database.engine.query(
    `select error->>'code' as code from dagwright.task_attempts where workflow_execution_id = $1 and task_id = 'poison'`,
    [poisoned],
  );
  expect(attempts).toEqual(Array.from({ length: poisonStarts }, () => ({ code: 'worker_lost' })));
  const { rows: most } = await database.engine.query(
    `select max(recoveries) as n from dagwright.task_executions where task_id <> 'poison'`,
  );
  console.log(
    `poison: started ${poisonStarts} times, ${crashes} workers died, ended after ${Math.round(performance.now() - startedAt)} ms; neighbours in other ` +
      `executions ended after ${await quietMs} ms, with ${most[0].n} recoveries at most; ${JSON.stringify(byId.poison)}`,
  );
  expect(poisonStarts).toBeLessThanOrEqual(MOST_STARTS);
  expect(byId.poison).toMatchObject({
    status: 'failed',
    attempt_number: poisonStarts,
    error: { code: 'worker_lost', attempts: poisonStarts },
  });
  for (const id of ['n1', 'n2', 'n3', 'n4']) expect(byId[id]).toMatchObject({ status: 'completed' });
  expect(byId.after).toMatchObject({ status: 'skipped', reason: 'upstream_failed' });
  expect(await statuses(scenario)).toEqual({ completed: quiet.length, failed: 1 });
  expect(most[0].n).toBeLessThanOrEqual(2);
  await expectSound(scenario);
});

test.concurrent('a worker that stood still beyond its lease writes nothing when it goes on, and then works again', async () => {
  await using scenario = await openScenario();
  const { supervisor, database } = scenario;
  await apply(scenario, ledgerGraph('slow', 'a -> b', { ms: 2_000, isDeaf: true }));
  await apply(scenario, ledgerGraph('quick', 'a -> b -> c; a -> d -> c', { ms: 50 }));
  const [frozen] = await supervisor.startReady(1, { leaseSeconds: LEASE_SECONDS });
  const slow = await start(scenario, 'slow', 4);
  const isRunning = () =>
    supervisor.readLedger().filter(({ event }) => event === 'start').length === slow.length;
  await until('the slow bodies run', isRunning);
  frozen!.signal('SIGSTOP');
  const stoppedAt = Date.now();
  await supervisor.startReady(1, { leaseSeconds: LEASE_SECONDS });
  const load = feed(scenario, 'quick', 4);
  const tookOver = () =>
    supervisor
      .readLedger()
      .filter(({ event, task, pid }) => event === 'start' && task === 'a' && pid !== frozen!.pid);
  await until('another worker took all over', () =>
    slow.every((id) => tookOver().some(({ execution }) => execution === id)),
  );
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
  await until('it works again', () =>
    supervisor
      .readLedger()
      .some(({ pid, at, event }) => pid === frozen!.pid && event === 'start' && at > continuedAt),
  );
  const worksAgainMs = Date.now() - continuedAt;
  await load.stop();
  await drained(scenario);

  const ends = supervisor
    .readLedger()
    .filter(
      ({ event, task, pid, execution }) =>
        event === 'end' && task === 'a' && pid === frozen!.pid && slow.includes(execution),
    );
  console.log(
    `SIGSTOP: taken over after ${tookOverMs} ms (lease ${LEASE_SECONDS} s); of ${ends.length} stale results ${refused()} refused; ` +
      `works again ${worksAgainMs} ms after SIGCONT; executions ${JSON.stringify(await statuses(scenario))}`,
  );
  expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
  await expectSound(scenario);
});
