import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
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

const RUNS = 40;
const KILLS = 4;

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
});
afterAll(() => scenario.close());

/** A body, two reviews beside each other (one of which expires by itself), and a body behind both. */
function asking(): WorkflowDefinition {
  const bodies = ledgerGraph('asking', 'a -> z', { ms: 20 });
  const review = (taskId: string, config: object) => ({
    ...{ taskId, taskType: 'human_review', dependsOn: [{ taskId: 'a' }], config },
  });
  const [first, last] = bodies.nodes;
  const behind = ['asked', 'late'].map((taskId) => ({ taskId, branch: 'approved' }));
  return {
    ...bodies,
    nodes: [
      first,
      review('asked', { requiredApprovals: 2 }),
      review('late', { dueInSeconds: 2, remindBeforeSeconds: 1, onExpire: 'approve' }),
      { ...last, dependsOn: behind },
    ],
  } as unknown as WorkflowDefinition;
}

test('workers are killed while reviews open, are decided and fall due: each is decided once, and none is forgotten', async () => {
  const { supervisor, database } = scenario;
  const decide = (id: string, actor: string) =>
    database.withTenant({ tenantId: DEFAULT_TENANT_ID, actor }, async (client) => {
      const { rows } = await client.query(
        `select dagwright.decide_review_v1($1, 'approved', null, null, null, false)->>'outcome' as outcome`,
        [id],
      );
      return rows[0].outcome as string;
    });
  await apply(scenario, asking());
  await supervisor.startReady(2);
  await start(scenario, 'asking', RUNS);

  let isOver = false;
  let decided = 0;
  const people = (async () => {
    while (!isOver) {
      const { rows } = await database.engine.query(
        `select id from dagwright.human_tasks where status = 'open' and task_id = 'asked' order by random() limit 4`,
      );
      for (const { id } of rows)
        for (const actor of ['user:bob', 'user:carol'])
          if ((await decide(id, actor)) === 'decided') decided++;
      await delay(100);
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    const [victim] = supervisor.alive;
    await delay(700);
    victim!.signal('SIGKILL');
    await victim!.exited;
    await supervisor.start().ready;
  }
  await drained(scenario);
  isOver = true;
  await people;

  expect(await statuses(scenario)).toEqual({ completed: RUNS });
  const { rows } = await database.engine.query(
    `select task_id, status, count(*)::int as n from dagwright.human_tasks group by 1, 2 order by 1, 2`,
  );
  expect(rows).toEqual([
    { task_id: 'asked', status: 'approved', n: RUNS },
    { task_id: 'late', status: 'approved', n: RUNS },
  ]);
  expect(decided).toBe(RUNS);
  await expectSound(scenario);
});
