// The execution's lock: of two transitions of one execution the second waits, and then judges by what the first has done.
// The first holds its transaction open until the second stands before the lock; no timing decides.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Queryable } from '../../src/db/connection/connection.ts';
import { openAnswer } from '../../src/db/protocol/answers.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Settle } from '../../src/db/protocol/settlement.ts';
import {
  claimBatch,
  markEntered,
  openBatch,
  tick,
  writeCheckpoint,
} from '../../src/db/protocol/transitions.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { BEGIN } from '../support/begin.ts';
import { graph } from '../support/engine.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../support/executions.ts';
import { claimOn, openProtocol, type Protocol, settleOf, toChild } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const settle = (...settles: Settle[]) => settleBatch(pool(), protocol.worker, settles);
const query = (text: string, values: unknown[] = []) => protocol.engine.query(text, values);

/** One of the tenant's functions, within a transaction. */
const call = (name: 'pause_execution' | 'cancel_execution', id: string) => async (client: Queryable) => {
  await client.query(`select set_config('app.current_tenant_id', $1, true)`, [DEFAULT_TENANT_ID]);
  await client.query(`select dagwright.${name}($1)`, [id]);
};
const pause = (id: string) => pauseExecution(protocol.engine.database, DEFAULT_TENANT_ID, id);
const resume = (id: string) => resumeExecution(protocol.engine.database, DEFAULT_TENANT_ID, id);
const cancel = (id: string) => cancelExecution(protocol.engine.database, DEFAULT_TENANT_ID, id);
const statusOf = async (id: string) =>
  (await query('select status from dagwright.workflow_executions where id = $1', [id]))[0]!.status;

describe('what waits for a pause begins nothing', () => {
  const edges = [toChild('b')];
  test.each<[string, (id: string) => Promise<Settle[]>]>([
    ['a settle alone', async (id) => [settleOf(id, { claim: claimOn('a') }, { edges })]],
    [
      'a settle with what follows',
      async (id) => [settleOf(id, { claim: claimOn('a') }, { edges, further: [] })],
    ],
    [
      'a settle in a batch',
      async (id) => {
        const other = await protocol.open(graph('a -> b'));
        return [id, other.id].map((executionId) => settleOf(executionId, { claim: claimOn('a') }, { edges }));
      },
    ],
  ])('%s', async (_, settles) => {
    const { id } = await protocol.open(graph('a -> b'));
    const batch = await settles(id);
    const [result] = await protocol.meanwhile(id, call('pause_execution', id), () => settle(...batch));
    expect(result).toMatchObject({ outcome: 'settled', next: null, extras: [] });
    expect(await protocol.taskOf(id, 'b')).toMatchObject({ status: 'pending', pending_edges: 0 });
    expect(await protocol.jobsFor(id, 'b')).toBe(0);
    // Nothing is lost by it.
    expect(await resume(id)).toBe('running');
    expect(await protocol.jobsFor(id, 'b')).toBe(1);
  });

  test('a claim', async () => {
    const { id } = await protocol.open(graph('a; b'));
    const claims = await protocol.meanwhile(id, call('pause_execution', id), () =>
      claimBatch(pool(), protocol.worker.id, [{ executionId: id, list: [['b', -1]] }]),
    );
    expect(claims).toEqual([null]);
    expect(await protocol.taskOf(id, 'b')).toMatchObject({ status: 'pending', fence: 0 });
  });

  test('an opening', async () => {
    const definition = graph('a');
    await protocol.engine.apply(definition);
    const id = await protocol.engine.start(definition.workflowId);
    const rowsJson = '[{"t":"a","ty":"probe","p":0,"c":1}]';
    const opening = { executionId: id, deadlineSeconds: null, rowsJson, rowCount: 1, hasReady: false };
    const opened = await protocol.meanwhile(id, call('pause_execution', id), () =>
      openBatch(pool(), protocol.worker, [opening]),
    );
    expect([opened.size, await statusOf(id)]).toEqual([0, 'paused']);
  });

  test('an answer to a callback wakes nobody, and resume does', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const key = createHash('sha256').update(id).digest();
    await openAnswer(pool(), id, claim, {
      kind: 'callback',
      key,
      timeoutMs: 60_000,
      heartbeatMs: null,
    });
    await settle(settleOf(id, { claim, end: { kind: 'waiting', on: 'callback', delayMs: 60_000 } }));
    const answer = () =>
      protocol.engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
        client.query(`select dagwright.complete_callback($1, '1')`, [id]),
      );
    await protocol.meanwhile(id, call('pause_execution', id), answer);
    expect(await protocol.jobsFor(id, 'a')).toBe(0);
    expect(await resume(id)).toBe('running');
    expect(await protocol.jobsFor(id, 'a')).toBe(1);
  });
});

describe('what waits for a cancel finds it', () => {
  test('a resume', async () => {
    const { id } = await protocol.open(graph('a -> b'));
    await pause(id);
    expect(await protocol.meanwhile(id, call('cancel_execution', id), () => resume(id))).toBe('cancelled');
    expect(await statusOf(id)).toBe('cancelled');
  });

  test.each<[string, (id: string) => Promise<boolean>]>([
    [
      'a checkpoint, whose spending is not counted',
      (id) => writeCheckpoint(pool(), id, claimOn('a'), { json: '1', spentUsd: '0.5', usageJson: null }),
    ],
    ['a body that is entered', (id) => markEntered(pool(), id, claimOn('a'), true)],
    [
      'a callback that is opened',
      (id) =>
        openAnswer(pool(), id, claimOn('a'), {
          kind: 'callback',
          key: Buffer.from(id),
          timeoutMs: 9,
          heartbeatMs: null,
        }),
    ],
  ])('%s', async (_, write) => {
    const { id } = await protocol.open(graph('a -> b'));
    expect(await protocol.meanwhile(id, call('cancel_execution', id), () => write(id))).toBe(false);
    const [row] = await query(
      'select actual_cost_usd::text as cost from dagwright.workflow_executions where id = $1',
      [id],
    );
    expect(row).toEqual({ cost: '0' });
    expect(await protocol.taskOf(id, 'a')).toMatchObject({ status: 'cancelled', checkpoint: null });
  });
});

describe('what waits for a settle finds it', () => {
  const settleWithin = (one: Settle) => (client: Queryable) => settleBatch(client, protocol.worker, [one]);

  test('a cancel of what has just completed', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const last = settleOf(id, { claim }, { finishOutputJson: '1' });
    expect(await protocol.meanwhile(id, settleWithin(last), () => cancel(id))).toBe('completed');
    expect(await statusOf(id)).toBe('completed');
  });

  test('a pause stops the timer that was just set', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const wait = settleOf(id, { claim, end: { kind: 'waiting', on: 'timer', delayMs: 60_000 } });
    expect(await protocol.meanwhile(id, settleWithin(wait), () => pause(id))).toBe('paused');
    expect(await protocol.taskOf(id, 'a')).toMatchObject({ wake_at: null, held_wake_at: expect.anything() });
  });

  test('a resume concludes what had its last end meanwhile', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    await pause(id);
    const before = await protocol.jobsFor(id, null);
    const last = settleOf(id, { claim });
    expect(await protocol.meanwhile(id, settleWithin(last), () => resume(id))).toBe('running');
    expect(await protocol.jobsFor(id, null)).toBe(before + 1);
  });
});

describe('a batch takes executions in the order of their ids: it holds none while it waits for the first', () => {
  const pending = async () => {
    const definition = graph('a');
    await protocol.engine.apply(definition);
    return await protocol.engine.start(definition.workflowId);
  };
  const opened = async (text: string) => (await protocol.open(graph(text))).id;
  const complete = (executionId: string) => settleOf(executionId, { claim: claimOn('a') });
  const rowsJson = '[{"t":"a","ty":"probe","p":0,"c":1}]';

  test.each<[string, () => Promise<string>, (ids: readonly string[]) => Promise<unknown>]>([
    [
      'to open',
      pending,
      (ids) =>
        openBatch(
          pool(),
          protocol.worker,
          ids.map((executionId) => ({
            executionId,
            deadlineSeconds: null,
            rowsJson,
            rowCount: 1,
            hasReady: false,
          })),
        ),
    ],
    [
      'to claim',
      () => opened('a; b'),
      (ids) =>
        claimBatch(
          pool(),
          protocol.worker.id,
          ids.map((executionId) => ({ executionId, list: [['b', -1]] })),
        ),
    ],
    ['to settle', () => opened('a -> b'), (ids) => settle(...ids.map(complete))],
    [
      'to settle with what follows',
      () => opened('a -> b'),
      (ids) => settle(...ids.map((id) => ({ ...complete(id), further: [] }))),
    ],
  ])('%s', async (_, make, work) => {
    const ids = [await make(), await make(), await make()];
    const [first, ...others] = ids.toSorted();
    let free: unknown;
    await protocol.meanwhile(
      first!,
      async () => {
        free = await query(
          'select id from dagwright.workflow_executions where id = any($1) order by id for no key update skip locked',
          [others],
        );
      },
      () => work(ids.toSorted().reverse()),
    );
    expect(free).toEqual(others.map((id) => ({ id })));
  });
});

describe('loops leave an execution alone that a transition holds, and come back', () => {
  const held = async (id: string, work: () => Promise<unknown>): Promise<void> => {
    const client = await pool().connect();
    try {
      await client.query(BEGIN);
      await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [id]);
      await work();
      await client.query('rollback');
    } finally {
      client.release();
    }
  };
  const pass = () => tick(pool(), protocol.worker, [], { sweep: false, limitMs: 10_000 });

  test('timers', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    await settle(settleOf(id, { claim, end: { kind: 'waiting', on: 'timer', delayMs: 0 } }));
    await held(id, async () => expect(await pass()).toMatchObject({ woken: 0 }));
    expect(await pass()).toMatchObject({ woken: 1 });
    expect(await protocol.jobsFor(id, 'a')).toBe(1);
  });

  test('deadlines', async () => {
    const { id } = await protocol.open(graph('a'));
    await query('update dagwright.workflow_executions set deadline_at = clock_timestamp() where id = $1', [
      id,
    ]);
    await held(id, async () => expect(await pass()).toMatchObject({ ended: 0 }));
    expect(await pass()).toMatchObject({ ended: 1 });
    expect(await statusOf(id)).toBe('failed');
  });
});
