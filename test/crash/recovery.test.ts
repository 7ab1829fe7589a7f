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

// A worker that goes on hears that it is dead from its heartbeat, and aborts what it runs; what ends before it has heard
// is refused. Which of the two comes first is luck, except for the body that holds up the loop that would hear it.
test.concurrent('a worker that stood still beyond its lease writes nothing when it goes on, and then works again', async () => {
  await using scenario = await openScenario();
  const { supervisor, database } = scenario;
  await apply(scenario, ledgerGraph('deaf', 'a -> b', { ms: 5_000, isDeaf: true }));
  await apply(scenario, ledgerGraph('blocking', 'a -> b', { ms: 5_000, isBlocking: true }));
  await apply(scenario, ledgerGraph('quick', 'a -> b -> c; a -> d -> c', { ms: 50 }));
  const [frozen] = await supervisor.startReady(1, { leaseSeconds: LEASE_SECONDS });
  const ofFrozen = (event: 'start' | 'end') =>
    supervisor
      .readLedger()
      .filter((line) => line.event === event && line.task === 'a' && line.pid === frozen!.pid);
  const deaf = await start(scenario, 'deaf', 3);
  await until('the deaf bodies run', () => ofFrozen('start').length === deaf.length);
  const stopped = [...deaf, ...(await start(scenario, 'blocking', 1))];
  await until('the blocking one runs', () => ofFrozen('start').length === stopped.length);
  frozen!.signal('SIGSTOP');
  const stoppedAt = Date.now();
  await supervisor.startReady(1, { leaseSeconds: LEASE_SECONDS });
  const load = feed(scenario, 'quick', 4);
  const tookOver = () =>
    supervisor
      .readLedger()
      .filter(({ event, task, pid }) => event === 'start' && task === 'a' && pid !== frozen!.pid);
  await until('another worker took all over', () =>
    stopped.every((id) => tookOver().some(({ execution }) => execution === id)),
  );
  const tookOverMs = Date.now() - stoppedAt;
  const records = async () => {
    const { rows } = await database.engine.query(
      `select workflow_execution_id, status, fence, attempt_number, completed_at, completed_seq, output
         from dagwright.task_executions where workflow_execution_id = any($1) and task_id = 'a' order by 1`,
      [stopped],
    );
    return rows;
  };
  await until('and ended them', async () => (await records()).every(({ status }) => status === 'completed'));
  const recorded = await records();
  expect(ofFrozen('end')).toEqual([]);

  frozen!.signal('SIGCONT');
  const continuedAt = Date.now();
  await until('its bodies end', () => ofFrozen('end').length === stopped.length);
  const refused = () =>
    frozen!.lines
      .filter(({ message }) => message === 'a stale write was refused')
      .map((line) => line.executionId);
  await until('the stale write of the blocking one is refused', () => refused().includes(stopped.at(-1)));
  await until('it works again', () =>
    supervisor
      .readLedger()
      .some(
        ({ pid, at, event, execution }) =>
          pid === frozen!.pid && event === 'start' && at > continuedAt && !stopped.includes(execution),
      ),
  );
  const worksAgainMs = Date.now() - continuedAt;
  await load.stop();
  await drained(scenario);

  console.log(
    `SIGSTOP: taken over after ${tookOverMs} ms (lease ${LEASE_SECONDS} s); of ${stopped.length} stale results ${refused().length} refused, ` +
      `the rest dropped; works again ${worksAgainMs} ms after SIGCONT; executions ${JSON.stringify(await statuses(scenario))}`,
  );
  expect(await records()).toEqual(recorded);
  expect(stopped).toEqual(expect.arrayContaining(refused()));
  expect(Object.keys(await statuses(scenario))).toEqual(['completed']);
  await expectSound(scenario);
});
