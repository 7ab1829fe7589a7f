// Fences (ARCHITECTURE: "an old one changes nothing"): whatever an attempt writes after another has got its task is refused,
// by each function that writes. The task is running again, under the next fence, so that the fence alone can tell.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAnswer } from '../../src/db/protocol/answers.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Settle } from '../../src/db/protocol/settlement.ts';
import { type Claim, markEntered, writeCheckpoint } from '../../src/db/protocol/transitions.ts';
import { graph } from '../support/engine.ts';
import { type GivenEnd, openProtocol, type Protocol, settleOf, toChild } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const settle = (...settles: Settle[]) => settleBatch(pool(), protocol.worker, settles);

/** An execution whose first task has been taken from the claim that is returned, and is running under the next one. */
async function openAndLose(): Promise<{ id: string; old: Claim; now: Claim }> {
  const { id, claim } = await protocol.open(graph('a -> b'));
  await protocol.engine.query(
    `update dagwright.task_executions set fence = fence + 1 where workflow_execution_id = $1 and task_id = 'a'`,
    [id],
  );
  return { id, old: claim, now: { ...claim, fence: claim.fence + 1 } };
}

const LOST = { outcome: 'lost', found: { fence: 2, status: 'running' }, next: null, extras: [] };
const FAN_OUT = {
  kind: 'fanOut',
  values: [1, 2],
  total: 2,
  maxConcurrency: 2,
  toleratedFailures: 0,
  neededSuccesses: 2,
} as const;
const error = { code: 'boom', message: 'it failed' };
const ENDS: readonly [string, GivenEnd | undefined, Partial<Settle>?][] = [
  ['completed, alone', undefined, { edges: [toChild('b')] }],
  ['completed, with what follows', undefined, { edges: [toChild('b')], further: [] }],
  ['completed, as the last task', undefined, { finishOutputJson: '"all"' }],
  [
    'failed, with the end of another',
    { kind: 'failed', error },
    {
      further: [
        {
          taskId: 'b',
          status: 'skipped',
          reason: 'upstream_failed',
          isFanOut: false,
          cancelRunningItems: false,
        },
      ],
    },
  ],
  [
    'skipped',
    { kind: 'skipped', reason: 'condition_false' },
    { edges: [{ ...toChild('b'), outcome: 'skipped' }] },
  ],
  ['cancelled', { kind: 'cancelled' }],
  ['retrying', { kind: 'retrying', error, retryInMs: 5 }],
  ['waiting', { kind: 'waiting', on: 'timer', delayMs: 5 }],
  ['released', { kind: 'released' }],
  ['a fan-out that opens', { kind: 'fanOut', fanOut: FAN_OUT, valuesJson: '[1,2]' }],
  ['the end of the execution', { kind: 'terminated', status: 'completed', outputJson: '1', error: null }],
];
const parts = { types: ['probe'], areNamed: false, arePure: false };

describe('a settle under an old fence is lost, and changes nothing', () => {
  test.each(ENDS)('%s', async (_, end, more) => {
    const { id, old, now } = await openAndLose();
    const before = await protocol.rowsOf(id);
    expect(await settle(settleOf(id, { claim: old, end, parts }, more))).toMatchObject([LOST]);
    expect(await protocol.rowsOf(id)).toEqual(before);
    expect(await settle(settleOf(id, { claim: now, end, parts }, more))).toMatchObject([
      { outcome: 'settled' },
    ]);
    expect(await protocol.rowsOf(id)).not.toEqual(before);
  });

  test('completed, in a batch with others that are not', async () => {
    const [lost, kept] = [await openAndLose(), await openAndLose()];
    const before = await protocol.rowsOf(lost.id);
    const edges = [toChild('b')];
    const results = await settle(
      settleOf(lost.id, { claim: lost.old }, { edges }),
      settleOf(kept.id, { claim: kept.now }, { edges }),
    );
    expect(results).toMatchObject([LOST, { outcome: 'settled', next: { taskId: 'b' } }]);
    expect(await protocol.rowsOf(lost.id)).toEqual(before);
  });
});

describe('what an attempt writes while it runs is refused under an old fence', () => {
  const writes: readonly [string, (id: string, claim: Claim) => Promise<unknown>][] = [
    [
      'a checkpoint and what was spent',
      (id, claim) => writeCheckpoint(pool(), id, claim, { json: '1', spentUsd: '0.5', usageJson: '{}' }),
    ],
    ['that its body is entered', (id, claim) => markEntered(pool(), id, claim, false)],
    [
      'a callback',
      (id, claim) =>
        openAnswer(pool(), id, claim, {
          kind: 'callback',
          key: Buffer.from(id),
          timeoutMs: 9,
          heartbeatMs: null,
        }),
    ],
  ];
  test.each(writes)('%s', async (_, write) => {
    const { id, old, now } = await openAndLose();
    const before = await protocol.rowsOf(id);
    expect(await write(id, old)).toBe(false);
    expect(await protocol.rowsOf(id)).toEqual(before);
    expect(await write(id, now)).toBe(true);
    expect(await protocol.rowsOf(id)).not.toEqual(before);
  });
});
