// The execution's lock: of two transitions of one execution the second waits, and then judges by what the first has done.
// The first holds its transaction open until the second stands before the lock; no timing decides.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import type { Queryable } from '../../src/db/connection/connection.ts';
import { LOCKED, type Locked } from '../../src/db/connection/locked.ts';
import { openAnswer, redactAnswer } from '../../src/db/protocol/answers.ts';
import { openBatch } from '../../src/db/protocol/openings.ts';
import { lockExecution } from '../../src/db/protocol/reads.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Settle } from '../../src/db/protocol/settlement.ts';
import {
  claimBatch,
  finishBatch,
  markEntered,
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
/** As a worker does. */
const settle = (...settles: Settle[]) => Promise.all(settles.map((one) => protocol.calls.settles.call(one)));
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
      protocol.calls.claims.call({ executionId: id, list: [['b', -1]] }),
    );
    expect(claims).toBeNull();
    expect(await protocol.taskOf(id, 'b')).toMatchObject({ status: 'pending', fence: 0 });
  });

  test('an opening', async () => {
    const definition = graph('a');
    await protocol.engine.apply(definition);
    const id = await protocol.engine.start(definition.workflowId);
    const rowsJson = '[{"t":"a","ty":"probe","p":0,"c":1}]';
    const plan = { deadlineSeconds: null, rowsJson, rowCount: 1, hasReady: false };
    const opening = { executionId: id, plan, isUnread: false };
    const opened = await protocol.meanwhile(id, call('pause_execution', id), () =>
      protocol.calls.openings.call(opening),
    );
    expect([opened, await statusOf(id)]).toEqual([null, 'paused']);
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

  test.each<[string, (id: string) => Promise<boolean | Locked>]>([
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
    const writes = () => protocol.locked.run(id, () => write(id));
    expect(await protocol.meanwhile(id, call('cancel_execution', id), writes)).toBe(false);
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

/** Works while a client holds these executions: as a caller that has paused them, or by an operator's lock. */
async function whileHeld<T>(
  ids: readonly string[],
  how: 'pause' | 'for update',
  work: () => Promise<T>,
): Promise<T> {
  const client = await pool().connect();
  try {
    await client.query(BEGIN);
    if (how === 'pause') for (const id of ids) await call('pause_execution', id)(client);
    else await client.query('select from dagwright.workflow_executions where id = any($1) for update', [ids]);
    return await work();
  } finally {
    await client.query('rollback');
    client.release();
  }
}

describe('a batch passes by what is locked, does the others at once, and the first when it is free', () => {
  const pending = async () => {
    const definition = graph('a');
    await protocol.engine.apply(definition);
    return await protocol.engine.start(definition.workflowId);
  };
  const opened = async (text: string) => (await protocol.open(graph(text))).id;
  const complete = (executionId: string, more: Partial<Settle> = {}) =>
    settleOf(executionId, { claim: claimOn('a') }, more);
  const settleAll = async (ids: readonly string[], more: Partial<Settle> = {}) => {
    const results = await settleBatch(
      pool(),
      protocol.worker,
      ids.map((id) => complete(id, more)),
    );
    return results.map((result) => (result === LOCKED ? LOCKED : result.outcome));
  };
  const rowsJson = '[{"t":"a","ty":"probe","p":0,"c":1}]';
  const opening = {
    plan: { deadlineSeconds: null, rowsJson, rowCount: 1, hasReady: false },
    isUnread: false,
  };
  const drained = async () => {
    const id = await opened('a');
    await settleAll([id]);
    return id;
  };
  // A batch that goes one way is refused and goes another: PostgreSQL tells of the refusal before it has let its locks go, so for
  // a moment others than the one that is held may be found locked. Such a call goes again, as a worker's does.
  const workThrough = async (
    work: (ids: readonly string[]) => Promise<unknown[]>,
    ids: readonly string[],
    held: string,
  ) => {
    const answers = await work(ids);
    for (const [i, id] of ids.entries())
      while (id !== held && answers[i] === LOCKED) [answers[i]] = await work([id]);
    return answers;
  };
  const done = expect.toSatisfy((answer) => answer !== LOCKED && answer !== null && answer !== 'lost');

  const batches: readonly [string, () => Promise<string>, (ids: readonly string[]) => Promise<unknown[]>][] =
    [
      [
        'to open',
        pending,
        async (ids) => {
          const answers = await openBatch(
            pool(),
            protocol.worker,
            ids.map((executionId) => ({ executionId, ...opening })),
          );
          return ids.map((id) => answers.get(id) ?? null);
        },
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
      ['to settle', () => opened('a -> b'), (ids) => settleAll(ids)],
      [
        'to settle steps of sequential runs',
        () => opened('a -> b'),
        (ids) => settleAll(ids, { edges: [toChild('b')] }),
      ],
      ['to settle with what follows', () => opened('a -> b'), (ids) => settleAll(ids, { further: [] })],
      [
        'to finish',
        drained,
        (ids) =>
          finishBatch(
            pool(),
            ids.map((executionId) => ({
              ...{ executionId, from: 'running', status: 'completed' },
              ...{ outputJson: '1', errorJson: 'null', completedWithErrors: false },
            })),
          ),
      ],
    ];
  describe.each(['pause', 'for update'] as const)('by %s', (how) => {
    test.each(batches)('%s', async (_, make, work) => {
      const ids = [await make(), await make(), await make()];
      const [, held] = ids;
      const before = await protocol.rowsOf(held!);
      expect(await whileHeld([held!], how, () => workThrough(work, ids, held!))).toEqual([
        done,
        LOCKED,
        done,
      ]);
      expect(await protocol.rowsOf(held!)).toEqual(before);
      expect(await work([held!])).toEqual([done]);
    });
  });

  test('a lone settle', async () => {
    const id = await opened('a -> b');
    const alone = () => settleAll([id], { edges: [toChild('b')] });
    expect(await whileHeld([id], 'pause', alone)).toEqual([LOCKED]);
    expect(await alone()).toEqual(['settled']);
  });

  test('what one attempt writes', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const key = createHash('sha256').update(id).digest();
    const writes = () =>
      Promise.all([
        writeCheckpoint(pool(), id, claim, { json: '1', spentUsd: '0', usageJson: null }),
        markEntered(pool(), id, claim, true),
        openAnswer(pool(), id, claim, { kind: 'callback', key, timeoutMs: 9_000, heartbeatMs: null }),
        redactAnswer(pool(), id, { key, output: null, error: null }),
        lockExecution(pool(), id),
      ]);
    expect(await whileHeld([id], 'for update', writes)).toEqual([LOCKED, LOCKED, LOCKED, LOCKED, LOCKED]);
  });

  test('of what is gone nothing is locked', async () => {
    const id = newId();
    const claim = claimOn('a');
    expect(await settleAll([id])).toEqual(['lost']);
    expect(await settleAll([id], { edges: [toChild('b')] })).toEqual(['lost']);
    expect(await settleAll([id], { further: [] })).toEqual(['lost']);
    expect(await claimBatch(pool(), protocol.worker.id, [{ executionId: id, list: [['b', -1]] }])).toEqual([
      null,
    ]);
    expect(await writeCheckpoint(pool(), id, claim, { json: '1', spentUsd: '0', usageJson: null })).toBe(
      false,
    );
    expect(await markEntered(pool(), id, claim, true)).toBe(false);
    expect(await lockExecution(pool(), id)).toBeNull();
    await protocol.locked.untilFree(id);
  });
});

describe('the batches of the release before wait, as it expects', () => {
  test.each<[string, () => Promise<string>, (id: string) => Promise<{ rows: unknown[] }>]>([
    [
      'settle_v1',
      async () => (await protocol.open(graph('a'))).id,
      (id) =>
        pool().query('select kind from dagwright.settle_v1($1)', [
          JSON.stringify({
            ...{ w: protocol.worker.id, slots: 4 },
            x: [{ e: id, lanes: [], extra: 0, s: [{ i: 0, t: 'a', m: -1, f: 1, to: 'completed', dur: 1 }] }],
          }),
        ]),
    ],
    [
      'settle_completed_v1',
      async () => (await protocol.open(graph('a'))).id,
      (id) =>
        pool().query(`select kind from dagwright.settle_completed_v1($1, 4, $2, $3, '[]', '{}', 0)`, [
          ...[protocol.worker.id, [id]],
          JSON.stringify([{ i: 0, x: 1, t: 'a', f: 1, dur: 1 }]),
        ]),
    ],
    [
      'claim_v1',
      async () => (await protocol.open(graph('a; b'))).id,
      (id) =>
        pool().query('select t from dagwright.claim_v1($1)', [
          JSON.stringify({ w: protocol.worker.id, c: [{ i: 0, e: id, l: [['b', -1]] }] }),
        ]),
    ],
  ])('%s', async (_, make, work) => {
    const id = await make();
    const { rows } = await protocol.meanwhile(
      id,
      async () => {},
      () => work(id),
    );
    expect(rows).not.toEqual([]);
    expect(rows).not.toContainEqual({ kind: 'locked' });
    expect(rows).not.toContainEqual({ t: null });
  });
});

describe('loops leave an execution alone that a transition holds, and come back', () => {
  const held = (id: string, work: () => Promise<unknown>) => whileHeld([id], 'for update', work);
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

  test('however many timers of theirs are due, those of others fire', async () => {
    const { id } = await protocol.open(graph('a'));
    const { id: other, claim } = await protocol.open(graph('a'));
    await query(
      `insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, waiting_on, wake_at)
       select $1, 'a', item, $2, 'probe', 'waiting', 'timer', now() - interval '1 hour' from generate_series(0, 999) item`,
      [id, DEFAULT_TENANT_ID],
    );
    await settle(settleOf(other, { claim, end: { kind: 'waiting', on: 'timer', delayMs: 0 } }));
    await held(id, async () => expect(await pass()).toMatchObject({ woken: 1 }));
    expect(await protocol.jobsFor(other, 'a')).toBe(1);
    let woken = 0;
    for (let n = -1; n !== 0; woken += n) ({ woken: n } = await pass());
    expect(woken).toBe(1_000);
  });

  test('however many are past their deadline, those of others are ended', async () => {
    const ids = await Promise.all(
      Array.from({ length: 40 }, async () => (await protocol.open(graph('a'))).id),
    );
    const late = (which: readonly string[], ago: string) =>
      query(
        'update dagwright.workflow_executions set deadline_at = clock_timestamp() - $2::interval where id = any($1)',
        [which, ago],
      );
    const [other, ...locked] = ids;
    await late(locked, '1 hour');
    await late([other!], '1 second');
    await whileHeld(locked, 'for update', async () => expect(await pass()).toMatchObject({ ended: 1 }));
    expect(await statusOf(other!)).toBe('failed');
    expect(await pass()).toMatchObject({ ended: 32 });
    expect(await pass()).toMatchObject({ ended: 7 });
  });

  test('however many a dead worker ran, those of others are taken over', async () => {
    const dead = newId();
    await query(
      `insert into dagwright.workers (id, host, pid, concurrency, lease_seconds, started_at, heartbeat_at, beating_since)
       values ($1, 'h', 1, 1, 15, now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour')`,
      [dead],
    );
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () => (await protocol.open(graph('a'))).id),
    );
    await query('update dagwright.task_executions set worker_id = $2 where workflow_execution_id = any($1)', [
      ...[ids, dead],
    ]);
    await query(
      `update dagwright.workers set heartbeat_at = clock_timestamp(), beating_since = now() - interval '1 hour' where id = $1`,
      [protocol.worker.id],
    );
    const sweep = async () =>
      (await query('select dagwright.take_over_v1($1, 4, 4) as n', [protocol.worker.id]))[0]!.n;
    const [first, ...others] = ids.toSorted().reverse();
    expect(await whileHeld(others, 'pause', sweep)).toBe(1);
    expect(await protocol.taskOf(first!, 'a')).toMatchObject({ status: 'pending', recoveries: 1 });
    expect(await sweep()).toBe(4);
  });
});
