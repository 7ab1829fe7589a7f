// Signals by hand: each step of two that meet, in the order that is the hardest.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import { matchSignals, type OpenedWait, openSignalWait } from '../../src/db/protocol/signals.ts';
import { type Claim, firstClaim } from '../../src/db/protocol/transitions.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { graph } from '../support/engine.ts';
import { openProtocol, type Protocol, settleOf, unlocked } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const CONDITION = '{}';

interface Opening {
  readonly reads?: string | null;
  readonly timeoutMs?: number;
  readonly names?: readonly string[];
}
const open = async (id: string, claim: Claim, opening: Opening = {}): Promise<OpenedWait> => {
  const { reads = null, timeoutMs = 60_000, names = ['go'] } = opening;
  return unlocked(
    await openSignalWait(pool(), id, claim, { key: randomBytes(32), names, readsJson: reads, timeoutMs }),
  );
};
const wait = (id: string, claim: Claim) =>
  settleBatch(pool(), protocol.worker, [
    settleOf(id, { claim, end: { kind: 'waiting', on: 'signal', delayMs: 60_000 } }, { wantsNext: false }),
  ]);
const send = async (id: string, payload: number, broadcast = false): Promise<string> =>
  await protocol.engine.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
    const { rows } = await client.query(
      `select dagwright.signal_execution($1, 'go', to_jsonb($2::int), broadcast => $3) as status`,
      [id, payload, broadcast],
    );
    return rows[0].status;
  });
/** Claims a task that is ready. */
async function claim(id: string, taskId: string): Promise<Claim> {
  const list = { w: protocol.worker.id, c: [{ i: 0, e: id, l: [[taskId, -1]] }] };
  const [row] = await protocol.engine.query<{ fence: number }>(
    'select fence::int from dagwright.claim_v2($1)',
    [JSON.stringify(list)],
  );
  return { ...firstClaim(taskId), fence: row!.fence };
}
const answerOf = async (id: string, taskId: string) => {
  const [row] = await protocol.engine.query<{ output: { payload: unknown } | null }>(
    'select output from dagwright.task_callbacks where workflow_execution_id = $1 and task_id = $2',
    [id, taskId],
  );
  return row?.output?.payload ?? null;
};
/** Two tasks that wait, `a` for longer. */
async function twoWaits(a: Opening = {}, b: Opening = {}) {
  const { id, claim: first } = await protocol.open(graph('a; b'));
  expect(await open(id, first, a)).toBe('open');
  await wait(id, first);
  const second = await claim(id, 'b');
  expect(await open(id, second, b)).toBe('open');
  await wait(id, second);
  const before = await protocol.jobsFor(id, 'b');
  return {
    id,
    wokenTimes: async (taskId: string) =>
      (await protocol.jobsFor(id, taskId)) - (taskId === 'b' ? before : 0),
  };
}

describe('one that comes between the opening of a wait and its settle', () => {
  test('is its answer, and wakes it when it waits', async () => {
    const { id, claim: own } = await protocol.open(graph('a'));
    await open(id, own);
    expect(await send(id, 1)).toBe('delivered');
    expect(await protocol.jobsFor(id, 'a')).toBe(0);
    await wait(id, own);
    expect(await protocol.jobsFor(id, 'a')).toBe(1);
    expect(await answerOf(id, 'a')).toBe(1);
  });

  test('is judged when it waits, where it has a condition', async () => {
    const { id, claim: own } = await protocol.open(graph('a'));
    await open(id, own, { reads: CONDITION });
    expect(await send(id, 1)).toBe('stored');
    expect(await protocol.jobsFor(id, 'a')).toBe(0);
    await wait(id, own);
    expect(await protocol.jobsFor(id, 'a')).toBe(1);
    expect(await answerOf(id, 'a')).toBeNull();
  });

  test('is found by the attempt after one that died there', async () => {
    const { id, claim: own } = await protocol.open(graph('a'));
    await open(id, own);
    expect(await send(id, 1)).toBe('delivered');
    await protocol.engine.query(
      `update dagwright.task_executions set status = 'pending', fence = fence + 1, ready_at = now() where workflow_execution_id = $1`,
      [id],
    );
    expect(await open(id, own)).toBe('lost');
    expect(await open(id, await claim(id, 'a'))).toBe('answered');
    expect(await send(id, 2)).toBe('stored');
  });
});

describe('while a judge is at work', () => {
  test('what comes counts on it, and is handed on where it takes its own', async () => {
    const { id, wokenTimes } = await twoWaits({ reads: CONDITION }, { reads: CONDITION });
    expect(await send(id, 1)).toBe('stored');
    expect([await wokenTimes('a'), await wokenTimes('b')]).toEqual([1, 0]);
    await claim(id, 'a');
    expect(await send(id, 2)).toBe('stored');
    expect(await wokenTimes('b')).toBe(0);
    const judgement = { matches: [{ position: 1, taskId: 'a', mapIndex: -1 }], refused: [] };
    expect(await matchSignals(pool(), id, judgement)).toBe(true);
    expect(await answerOf(id, 'a')).toBe(1);
    expect(await wokenTimes('b')).toBe(1);
  });

  test('a signal for a wait that has gone meanwhile is judged again', async () => {
    const { id } = await twoWaits({ reads: CONDITION }, { reads: CONDITION });
    await send(id, 1);
    await protocol.engine.query(
      `update dagwright.task_executions set status = 'cancelled' where workflow_execution_id = $1 and task_id = 'a'`,
      [id],
    );
    const judgement = { matches: [{ position: 1, taskId: 'a', mapIndex: -1 }], refused: [] };
    expect(await matchSignals(pool(), id, judgement)).toBe(false);
    const other = { matches: [{ position: 1, taskId: 'b', mapIndex: -1 }], refused: [] };
    expect(await matchSignals(pool(), id, other)).toBe(true);
    expect(await answerOf(id, 'b')).toBe(1);
  });

  test('two judges that come to the same give it once', async () => {
    const { id } = await twoWaits({ reads: CONDITION }, { reads: CONDITION });
    await send(id, 1);
    const judgement = (taskId: string) => ({ matches: [{ position: 1, taskId, mapIndex: -1 }], refused: [] });
    expect(await matchSignals(pool(), id, judgement('a'))).toBe(true);
    expect(await matchSignals(pool(), id, judgement('b'))).toBe(true);
    expect([await answerOf(id, 'a'), await answerOf(id, 'b')]).toEqual([1, null]);
  });
});

describe('nothing overtakes', () => {
  test('a wait that opens while an older one has not judged stands behind it', async () => {
    const { id, claim: first } = await protocol.open(graph('a; b'));
    await open(id, first, { reads: CONDITION });
    await wait(id, first);
    expect(await send(id, 1)).toBe('stored');
    expect(await open(id, await claim(id, 'b'))).toBe('judge');
    expect(await answerOf(id, 'b')).toBeNull();
  });

  test('a signal that comes while an earlier one is not judged stands behind it', async () => {
    const { id, claim: first } = await protocol.open(graph('a; b'));
    await open(id, first, { reads: CONDITION });
    await wait(id, first);
    await send(id, 1);
    // Whoever takes any is the only one left.
    const second = await claim(id, 'b');
    await open(id, second);
    await wait(id, second);
    await protocol.engine.query(
      `update dagwright.task_executions set status = 'cancelled' where workflow_execution_id = $1 and task_id = 'a'`,
      [id],
    );
    expect(await send(id, 2)).toBe('stored');
    expect(await answerOf(id, 'b')).toBeNull();
  });
});

describe('a wait whose time is over', () => {
  test('takes nothing, although it has not been ended yet', async () => {
    const { id, claim: own } = await protocol.open(graph('a'));
    await open(id, own, { timeoutMs: 0 });
    await wait(id, own);
    expect(await send(id, 1)).toBe('stored');
    expect(await answerOf(id, 'a')).toBeNull();
  });

  test('does not keep the next from its signal, nor is it made to judge', async () => {
    const { id, wokenTimes } = await twoWaits({ timeoutMs: 0, reads: CONDITION }, { reads: CONDITION });
    expect(await send(id, 1)).toBe('stored');
    expect([await wokenTimes('a'), await wokenTimes('b')]).toEqual([0, 1]);
  });
});
