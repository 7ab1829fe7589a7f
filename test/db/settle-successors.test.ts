// Pure successors are written with the settle that they follow from, by either function as by settles of their own; where one
// cannot be, nothing of them is, the settle goes alone, and its neighbours are not harmed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Completion } from '../../src/core/attempt-end.ts';
import type { Settle, SettleResult } from '../../src/db/protocol/settlement.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { graph } from '../support/engine.ts';
import { pauseExecution } from '../support/executions.ts';
import { claimOn, openProtocol, type Protocol, settleAll, settleOf, toChild } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const query = (text: string, values: unknown[] = []) => protocol.engine.query(text, values);
const open = async (text: string) => (await protocol.open(graph(text))).id;

async function settle(
  ...settles: readonly Settle[]
): Promise<{ readonly results: SettleResult[]; readonly called: string[] }> {
  const called: string[] = [];
  const db = {
    query(config: { name: string }) {
      called.push(config.name);
      return protocol.engine.database.engine.query(config as never);
    },
  };
  const results = await settleAll(db as never, protocol.worker, settles, protocol.engine.database.engine);
  return { results, called };
}

const given = (output: string, more: Partial<Completion> = {}): Completion => ({
  kind: 'completed',
  ...{ outputJson: JSON.stringify(output), output, durationMs: 0, ...more },
});
const CHOSEN = given('t', { branch: 'true', inputJson: '{"of":"t"}' });
const WON = given('c', { winner: 'a' });

/** Of `a`, behind which stand the pure tasks t and c, then b. */
const withTwo = (id: string, isOnly: boolean): Settle =>
  settleOf(
    id,
    { claim: claimOn('a') },
    {
      edges: [toChild('t')],
      successors: {
        ends: [
          { taskId: 't', end: CHOSEN },
          { taskId: 'c', end: WON },
        ],
        edges: [{ ...toChild('b'), isOnly }],
      },
    },
  );
const oneByOne = (id: string): Settle[] => [
  settleOf(id, { claim: claimOn('a') }, { edges: [toChild('t')] }),
  settleOf(id, { claim: claimOn('t'), end: { ...CHOSEN, costUsd: undefined } }, { edges: [toChild('c')] }),
  settleOf(id, { claim: claimOn('c'), end: { ...WON, costUsd: undefined } }, { edges: [toChild('b')] }),
];

/** What is stored, without ids and times. */
async function storedOf(id: string): Promise<unknown> {
  const text = JSON.stringify(await protocol.rowsOf(id), (key, value) =>
    /(^|_)id$|_at$|^workflow|^version|^duration_ms$/.test(key) && key !== 'task_id' && value !== null
      ? 'set'
      : value,
  );
  return JSON.parse(text);
}

test.each([
  ['settle_sequential_v2', true],
  ['settle_completed_v2', false],
])('%s writes them as settles of their own do', async (name, isOnly) => {
  const [together, apart] = [await open('a -> t -> c -> b -> e'), await open('a -> t -> c -> b -> e')];
  const { results, called } = await settle(withTwo(together, isOnly));
  expect(called).toEqual([name]);
  expect(results).toMatchObject([
    { outcome: 'settled', withSuccessors: true, next: claimOn('b'), extras: [], finished: false },
  ]);
  for (const one of oneByOne(apart)) await settle(one);
  expect(await storedOf(together)).toEqual(await storedOf(apart));
  expect(await protocol.taskOf(together, 'c')).toMatchObject({
    fence: 1,
    attempt_number: 1,
    completed_seq: 3,
  });
  expect(await query('select * from dagwright.v_orphans')).toEqual([]);
});

test('the last of them ends the execution', async () => {
  const [id, neighbour] = [await open('a -> t'), await open('a -> t -> b')];
  const successors = { ends: [{ taskId: 't', end: CHOSEN }], edges: [], finishOutputJson: '{"t":"t"}' };
  const { results, called } = await settle(
    settleOf(id, { claim: claimOn('a') }, { edges: [toChild('t')], successors }),
    settleOf(neighbour, { claim: claimOn('a') }, { edges: [toChild('t')] }),
  );
  expect(called).toEqual(['settle_sequential_v2']);
  expect(results).toMatchObject([
    { finished: true, withSuccessors: true, next: null },
    { finished: false, withSuccessors: false, next: claimOn('t') },
  ]);
  expect(
    await query('select status, output, open_tasks from dagwright.workflow_executions where id = $1', [id]),
  ).toEqual([{ status: 'completed', output: { t: 't' }, open_tasks: 0 }]);
});

test('two lanes of one execution bring theirs to the same join, which the last of them claims', async () => {
  const { id } = await protocol.open(graph('a -> t -> j; b -> u -> j'));
  await query(
    `update dagwright.task_executions set status = 'running', fence = 1, attempt_number = 1, ready_at = null, worker_id = $2
     where workflow_execution_id = $1 and task_id = 'b'`,
    [id, protocol.worker.id],
  );
  const toJoin = { ...toChild('j'), isOnly: false };
  const one = (taskId: string, child: string) =>
    settleOf(
      id,
      { claim: claimOn(taskId) },
      {
        edges: [toChild(child)],
        successors: { ends: [{ taskId: child, end: given(child) }], edges: [toJoin] },
      },
    );
  const { results, called } = await settle(one('a', 't'), one('b', 'u'));
  expect(called).toEqual(['settle_completed_v2']);
  expect(results.filter(({ next }) => next?.taskId === 'j')).toHaveLength(1);
  const seqs = await query(
    `select task_id, completed_seq::int as seq from dagwright.task_executions
     where workflow_execution_id = $1 and status = 'completed' order by completed_seq`,
    [id],
  );
  expect(seqs.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(seqs.map(({ task_id }) => task_id).join('')).toMatch(/^(atbu|buat)$/);
  expect(
    await query('select open_tasks, next_seq::int as next from dagwright.workflow_executions where id = $1', [
      id,
    ]),
  ).toEqual([{ open_tasks: 1, next: 5 }]);
});

describe.each([
  ['settle_sequential_v2', true],
  ['settle_completed_v2', false],
])('%s: where one of them cannot be written, none is', (name, isOnly) => {
  const spoil = (id: string, taskId: string, set: string) =>
    query(`update dagwright.task_executions set ${set} where workflow_execution_id = $1 and task_id = $2`, [
      id,
      taskId,
    ]);
  const cases: readonly [string, (id: string) => Promise<unknown>, Partial<SettleResult>, string | null][] = [
    [
      'the execution is paused',
      (id) => pauseExecution(protocol.engine.database, DEFAULT_TENANT_ID, id),
      { outcome: 'settled', next: null },
      'pending',
    ],
    ['the settle is lost', (id) => spoil(id, 'a', 'fence = 2'), { outcome: 'lost', next: null }, 'pending'],
    [
      'one was cancelled',
      (id) => spoil(id, 'c', `status = 'cancelled', completed_at = now()`),
      { outcome: 'settled', next: claimOn('t') },
      'running',
    ],
    [
      'one was begun before',
      (id) => spoil(id, 't', 'fence = 3, attempt_number = 1'),
      { outcome: 'settled', next: { ...claimOn('t'), fence: 4, attempt: 2 } },
      'running',
    ],
    [
      'one has a further edge',
      (id) => spoil(id, 't', 'pending_edges = 2'),
      { outcome: 'settled', next: null },
      'pending',
    ],
  ];
  test.each(cases)('%s', async (_, spoilRow, expected, becomes) => {
    const [id, neighbour] = [await open('a -> t -> c -> b'), await open('a -> t -> c -> b')];
    await spoilRow(id);
    const { results, called } = await settle(withTwo(id, isOnly), withTwo(neighbour, isOnly));
    expect(called).toEqual([name, 'settle_completed_v2', ...(isOnly ? ['settle_completed_v2'] : [])]);
    expect(results[0]).toMatchObject({ withSuccessors: false, ...expected });
    // The neighbour's successors have to wait as well; nothing of it is lost.
    expect(results[1]).toMatchObject({ outcome: 'settled', withSuccessors: false, next: claimOn('t') });
    expect(await protocol.taskOf(id, 't')).toMatchObject({ status: becomes });
    expect(await protocol.taskOf(id, 'b')).toMatchObject({ status: 'pending', pending_edges: 1 });
  });
});

test('settle_v2, which takes a batch with another kind of end, leaves them to run later', async () => {
  const { id } = await protocol.open(graph('a -> t -> c -> b; x'));
  await query(
    `update dagwright.task_executions set status = 'running', fence = 1, attempt_number = 1, ready_at = null, worker_id = $2
     where workflow_execution_id = $1 and task_id = 'x'`,
    [id, protocol.worker.id],
  );
  const { results, called } = await settle(
    withTwo(id, true),
    settleOf(
      id,
      { claim: claimOn('x'), end: { kind: 'waiting', on: 'timer', delayMs: 60_000 } },
      { wantsNext: false },
    ),
  );
  expect(called).toEqual(['settle_v2']);
  expect(results[0]).toMatchObject({ outcome: 'settled', withSuccessors: false, next: claimOn('t') });
});
