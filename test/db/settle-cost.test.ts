// What attempts spend reaches task and execution to the last digit, by whichever function it is written.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Settle } from '../../src/db/protocol/settlement.ts';
import { writeCheckpoint } from '../../src/db/protocol/transitions.ts';
import { graph } from '../support/engine.ts';
import { claimOn, openProtocol, type Protocol, settleOf } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const settle = (...settles: Settle[]) => settleBatch(pool(), protocol.worker, settles);

/** More digits than a float has, and than prices have. */
const COST_USD = '12345678901.00000000000000000000000000000213';
const claim = claimOn('a');
const COMPLETION = {
  claim,
  end: { kind: 'completed', outputJson: '1', output: 1, costUsd: COST_USD },
} as const;
const error = { code: 'boom', message: 'it failed' };

test.each<[string, (id: string) => Promise<unknown>]>([
  ['a completion alone', (id) => settle(settleOf(id, COMPLETION))],
  [
    'a completion in a batch',
    async (id) =>
      settle(settleOf(id, COMPLETION), settleOf((await protocol.open(graph('a'))).id, COMPLETION)),
  ],
  ['a completion with what follows', (id) => settle(settleOf(id, COMPLETION, { further: [] }))],
  [
    'a completion that ends the execution',
    (id) => settle(settleOf(id, COMPLETION, { finishOutputJson: '1', further: [] })),
  ],
  ['a failure', (id) => settle(settleOf(id, { claim, end: { kind: 'failed', error, costUsd: COST_USD } }))],
  [
    'a retry',
    (id) =>
      settle(settleOf(id, { claim, end: { kind: 'retrying', error, retryInMs: 60_000, costUsd: COST_USD } })),
  ],
  [
    'a checkpoint',
    (id) => writeCheckpoint(pool(), id, claimOn('a'), { json: '1', spentUsd: COST_USD, usageJson: null }),
  ],
  [
    'a checkpoint sent twice',
    async (id) => {
      for (let i = 0; i < 2; i++)
        await writeCheckpoint(pool(), id, claimOn('a'), { json: '1', spentUsd: COST_USD, usageJson: null });
    },
  ],
])('%s', async (_, spend) => {
  const { id } = await protocol.open(graph('a'));
  await spend(id);
  expect(
    await protocol.engine.query(
      `select trim_scale(o.actual_cost_usd)::text as execution, trim_scale(t.cost_usd)::text as task
       from dagwright.workflow_executions o join dagwright.task_executions t on t.workflow_execution_id = o.id where o.id = $1`,
      [id],
    ),
  ).toEqual([{ execution: COST_USD, task: COST_USD }]);
});
