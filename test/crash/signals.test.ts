// Signals while their workers are killed: each is taken once, by the wait that it is for, and none is lost, whatever died between
// its sending and the task that runs with it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { apply, drained, expectSound, openScenario, type Scenario, start } from './support/scenario.ts';
import { until } from './support/supervisor.ts';

const EXECUTIONS = 15;
const ITEMS = 8;
const ROUNDS = 4;

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

/** Items that each wait for their own of the signals of one name; beside them a chain that takes the next of another. */
const DEFINITION = {
  workflowId: 'signalled',
  nodes: [
    {
      taskId: 'p',
      taskType: 'parallel',
      dependsOn: [],
      config: {
        items: Array.from({ length: ITEMS }, (_, item) => item),
        task: { taskType: 'wait', config: { signal: 'part', when: 'payload.item == item' } },
      },
    },
    ...Array.from({ length: ITEMS }, (_, n) => [
      {
        taskId: `w${n}`,
        taskType: 'wait',
        dependsOn: n === 0 ? [] : [{ taskId: `b${n - 1}` }],
        config: { signal: 'next' },
      },
      { taskId: `b${n}`, taskType: 'ledger', dependsOn: [{ taskId: `w${n}` }], config: { ms: 20 } },
    ]).flat(),
  ],
} as unknown as WorkflowDefinition;

/** All that is sent, in no order. */
function allSignals(ids: readonly string[]) {
  const signals = ids.flatMap((id) =>
    Array.from({ length: ITEMS }, (_, item) => [
      { id, name: 'part', payload: { item } },
      { id, name: 'next', payload: { n: item } },
    ]).flat(),
  );
  return signals
    .map((signal, i) => ({ signal, at: (i * 7919) % signals.length }))
    .sort((a, b) => a.at - b.at)
    .map(({ signal }) => signal);
}

test('kill -9 of workers between a signal and its task loses none and gives none twice', async () => {
  const { supervisor, database } = scenario;
  await apply(scenario, DEFINITION);
  await supervisor.startReady(2);
  const ids = await start(scenario, 'signalled', EXECUTIONS);
  const signals = allSignals(ids);
  for (let round = 0; round < ROUNDS; round++) {
    const share = signals.slice((round * signals.length) / ROUNDS, ((round + 1) * signals.length) / ROUNDS);
    const [victim] = supervisor.alive;
    const sending = (async () => {
      for (const { id, name, payload } of share)
        await database.withTenant(DEFAULT_TENANT_ID, (client) =>
          client.query('select dagwright.signal_execution($1, $2, $3)', [id, name, JSON.stringify(payload)]),
        );
    })();
    // In the middle of it, by what the victim has done.
    const before = supervisor.readLedger().length;
    await until('it works on them', () => supervisor.readLedger().length > before + EXECUTIONS / 3);
    victim!.signal('SIGKILL');
    await victim!.exited;
    await supervisor.startReady(1);
    await sending;
  }
  await drained(scenario, 150_000);

  const { rows } = await database.engine.query<{ what: string; n: number }>(
    `select t.task_id as what, count(*)::int as n from dagwright.task_executions t
     where t.task_id = 'p' and t.map_index >= 0 and (t.status <> 'completed' or (t.output->'payload'->>'item')::int <> t.map_index) group by 1
     union all
     select 'stored', count(*)::int from dagwright.execution_signals where taken_at is null having count(*) > 0
     union all
     select 'twice', count(*)::int from (
       select t.workflow_execution_id, t.output->'payload'->>'n' from dagwright.task_executions t where t.task_id like 'w%'
       group by 1, 2 having count(*) > 1) d having count(*) > 0`,
  );
  expect(rows).toEqual([]);
  await expectSound(scenario);
});
