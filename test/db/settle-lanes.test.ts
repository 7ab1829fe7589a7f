// What the lanes of a batch go on with: any task of their execution that the batch makes ready, one for each lane.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Settle } from '../../src/db/protocol/settlement.ts';
import { claimBatch } from '../../src/db/protocol/transitions.ts';
import { graph } from '../support/engine.ts';
import { claimOn, openProtocol, type Protocol, settleOf, toChild, unlocked } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const settle = async (...settles: Settle[]) =>
  (await settleBatch(pool(), protocol.worker, settles)).map(unlocked);
const edgesTo = (...taskIds: string[]) => ({ edges: taskIds.map(toChild) });

async function openTwo(text: string): Promise<string> {
  const { id } = await protocol.open(graph(text));
  const [claimed] = await claimBatch(pool(), protocol.worker.id, [{ executionId: id, list: [['b', -1]] }]);
  expect(unlocked(claimed!)?.claim).toMatchObject({ taskId: 'b', fence: 1 });
  return id;
}

test('a lane that released nothing goes on with what another released', async () => {
  const id = await openTwo('a -> c; a -> d; a -> e; b -> z; y -> z');
  const results = await settle(
    settleOf(id, { claim: claimOn('a') }, edgesTo('c', 'd', 'e')),
    settleOf(id, { claim: claimOn('b') }, { edges: [{ ...toChild('z'), isOnly: false }] }),
  );
  const taken = results.map(({ next }) => next?.taskId);
  expect(new Set(taken).size).toBe(2);
  expect([...taken].sort()).toEqual(['c', 'd']);
  // The third has a job, and nobody has claimed it.
  expect(await protocol.taskOf(id, 'e')).toMatchObject({ status: 'pending', fence: 0 });
  expect(await protocol.jobsFor(id, 'e')).toBe(1);
  expect(await protocol.jobsFor(id, 'c')).toBe(0);
  expect(await protocol.engine.query('select * from dagwright.v_orphans')).toEqual([]);
});

test('not one whose lane ends, nor one whose settle is lost, nor one of another execution', async () => {
  const [id, other] = [await openTwo('a -> c; a -> d; b -> d'), await openTwo('a -> c; b -> c')];
  const results = await settle(
    settleOf(id, { claim: claimOn('a') }, { ...edgesTo('c', 'd'), wantsNext: false }),
    settleOf(id, { claim: { ...claimOn('b'), fence: 9 } }, edgesTo('d')),
    settleOf(other, { claim: claimOn('a') }, edgesTo('c')),
  );
  expect(results.map(({ outcome, next }) => [outcome, next])).toEqual([
    ['settled', null],
    ['lost', null],
    ['settled', null],
  ]);
  expect(await protocol.jobsFor(id, 'c')).toBe(1);
  expect(await protocol.taskOf(id, 'd')).toMatchObject({ status: 'pending', pending_edges: 1 });
});
