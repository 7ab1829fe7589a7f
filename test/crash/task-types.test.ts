// Task types belong to workers: real processes of which some lack a type, as in a rolling deploy that adds one.
import { expect, test } from 'vitest';
import {
  apply,
  drained,
  expectSound,
  ledgerGraph,
  mixedGraph,
  openScenario,
  start,
  statuses,
} from './support/scenario.ts';
import { until } from './support/supervisor.ts';

const LACKING = { lacks: ['ledger'] };

test('of two workers one lacks the type: twenty executions complete, and the other does what it can', async () => {
  await using scenario = await openScenario();
  const { supervisor } = scenario;
  const [lacking] = await supervisor.startReady(1, LACKING);
  await supervisor.startReady(1);
  await apply(scenario, mixedGraph('mixed', 20));
  await start(scenario, 'mixed', 20);
  await drained(scenario);
  expect(await statuses(scenario)).toEqual({ completed: 20 });
  expect(supervisor.readLedger().filter(({ pid }) => pid === lacking!.pid)).toEqual([]);
  await expectSound(scenario);
});

test('a rolling deploy that adds a type fails nothing, whichever worker comes or goes first', async () => {
  await using scenario = await openScenario();
  const { supervisor } = scenario;
  await supervisor.startReady(2, LACKING);
  await apply(scenario, ledgerGraph('added', 'a -> b -> c; a -> d', { ms: 20 }));
  await start(scenario, 'added', 10);
  for (const old of [...supervisor.alive]) {
    await supervisor.startReady(1);
    await start(scenario, 'added', 5);
    old.signal('SIGTERM');
    await old.exited;
  }
  await drained(scenario);
  expect(await statuses(scenario)).toEqual({ completed: 20 });
  await expectSound(scenario);
});

test('what a dead worker ran is taken over by one that has its type, however many lack it', async () => {
  await using scenario = await openScenario();
  const { supervisor } = scenario;
  await supervisor.startReady(1, LACKING);
  const [victim] = await supervisor.startReady(1);
  await apply(scenario, ledgerGraph('long', 'a -> b', { ms: 500 }));
  await start(scenario, 'long', 4);
  await until('the victim runs tasks', () => supervisor.readLedger().length > 0);
  victim!.signal('SIGKILL');
  await victim!.exited;
  const [heir] = await supervisor.startReady(1);
  await drained(scenario);
  expect(await statuses(scenario)).toEqual({ completed: 4 });
  const pids = new Set(supervisor.readLedger().map(({ pid }) => pid));
  expect([...pids].sort()).toEqual([victim!.pid, heir!.pid].sort());
  await expectSound(scenario);
});
