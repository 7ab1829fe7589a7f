// Take-over: who is dead, what is given back, what it costs the task, and that no task goes on killing workers.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import { claimBatch, markEntered } from '../../src/db/protocol/transitions.ts';
import { WORKER_LOCK } from '../../src/db/protocol/workers.ts';
import { BEGIN } from '../support/begin.ts';
import { graph, until } from '../support/engine.ts';
import { claimOn, openProtocol, type Protocol, settleOf, unlocked } from '../support/protocol.ts';

let protocol: Protocol;
let sweeper: string;
beforeAll(async () => {
  protocol = await openProtocol();
  sweeper = await workerThatBeat({ secondsAgo: -3600 });
  // Nobody is dead on a server that has just been started.
  const dead = await workerThatBeat({ secondsAgo: 60 });
  await until(async () => {
    await sweep();
    return (await query('select from dagwright.workers where id = $1', [dead])).length === 0;
  });
});
afterAll(() => protocol.engine.close());

const HELD = { status: 'running', fence: 1 };
const TAKEN = { status: 'pending', fence: 2 };

const pool = () => protocol.engine.database.engine;
const query = <T = Record<string, unknown>>(text: string, values: unknown[] = []) =>
  protocol.engine.query<T>(text, values);

const sweep = () => query('select dagwright.take_over_v1($1, 4, 100)', [sweeper]);

/** The row of a worker that has run for an hour and holds no lock. */
async function workerThatBeat(beat: { secondsAgo: number; leaseSeconds?: number }): Promise<string> {
  const { secondsAgo, leaseSeconds = 15 } = beat;
  const id = newId();
  await query(
    `insert into dagwright.workers (id, host, pid, concurrency, lease_seconds, started_at, heartbeat_at, beating_since)
     values ($1, 'h', 1, 1, $3, now() - interval '1 hour', clock_timestamp() - $2::float8 * interval '1 second', now() - interval '1 hour')`,
    [id, secondsAgo, leaseSeconds],
  );
  return id;
}

const giveTo = (worker: string, id: string) =>
  query(
    `update dagwright.task_executions set worker_id = $2 where workflow_execution_id = $1 and status = 'running'`,
    [id, worker],
  );

describe('what a dead worker held', () => {
  test('is ready again under a new fence, with a job; only a body that was entered is charged and kept', async () => {
    const { id } = await protocol.open(graph('a; b'));
    const [other] = await claimBatch(pool(), protocol.worker.id, [{ executionId: id, list: [['b', -1]] }]);
    await markEntered(pool(), id, unlocked(other!)!.claim, false);
    await giveTo(await workerThatBeat({ secondsAgo: 60 }), id);
    const jobs = [await protocol.jobsFor(id, 'a'), await protocol.jobsFor(id, 'b')];
    await sweep();
    const ready = { status: 'pending', fence: 2, ready_at: expect.anything() };
    expect(await protocol.taskOf(id, 'a')).toMatchObject({ ...ready, attempt_number: 1, recoveries: 1 });
    expect(await protocol.taskOf(id, 'b')).toMatchObject({ ...ready, attempt_number: 0, recoveries: 0 });
    expect([await protocol.jobsFor(id, 'a'), await protocol.jobsFor(id, 'b')]).toEqual(
      jobs.map((n) => n + 1),
    );
    expect(
      await query(
        `select task_id, attempt_number, fence, error->>'code' as code from dagwright.task_attempts where workflow_execution_id = $1`,
        [id],
      ),
    ).toEqual([{ task_id: 'a', attempt_number: 1, fence: 1, code: 'worker_lost' }]);
  });

  test('waits for the next pass while a transition holds its execution', async () => {
    const { id } = await protocol.open(graph('a'));
    const dead = await workerThatBeat({ secondsAgo: 60 });
    await giveTo(dead, id);
    const client = await pool().connect();
    try {
      await client.query(BEGIN);
      await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [id]);
      await sweep();
      expect(await protocol.taskOf(id, 'a')).toMatchObject({ status: 'running', fence: 1, worker_id: dead });
    } finally {
      await client.query('rollback');
      client.release();
    }
    await sweep();
    expect(await protocol.taskOf(id, 'a')).toMatchObject(TAKEN);
  });

  test('to conclude goes to another', async () => {
    const { id } = await protocol.open(graph('a'));
    const dead = await workerThatBeat({ secondsAgo: 60 });
    const [settled] = await settleBatch(pool(), { id: dead, slots: 4 }, [
      settleOf(id, { claim: claimOn('a') }),
    ]);
    expect(settled).toMatchObject({ drained: true });
    const jobs = await protocol.jobsFor(id, null);
    await sweep();
    expect(await protocol.jobsFor(id, null)).toBe(jobs + 1);
    expect(await query('select concluded_by from dagwright.workflow_executions where id = $1', [id])).toEqual(
      [{ concluded_by: sweeper }],
    );
  });
});

describe('a worker', () => {
  test('that beats is not dead, though it holds no lock', async () => {
    const { id } = await protocol.open(graph('a'));
    await giveTo(await workerThatBeat({ secondsAgo: -60 }), id);
    await sweep();
    expect(await protocol.taskOf(id, 'a')).toMatchObject(HELD);
  });

  test('that missed two beats is dead when its lock is free', async () => {
    const { id } = await protocol.open(graph('a'));
    const silent = await workerThatBeat({ secondsAgo: 8, leaseSeconds: 3600 });
    await giveTo(silent, id);
    await locked(silent, sweep);
    expect(await protocol.taskOf(id, 'a')).toMatchObject(HELD);
    await sweep();
    expect(await protocol.taskOf(id, 'a')).toMatchObject(TAKEN);
  });

  test('that missed its lease is dead, whatever it holds', async () => {
    const { id } = await protocol.open(graph('a'));
    const silent = await workerThatBeat({ secondsAgo: 60 });
    await giveTo(silent, id);
    // Not before the server itself has run for a lease.
    await locked(silent, () =>
      until(async () => {
        await sweep();
        return (await protocol.taskOf(id, 'a')).status === 'pending';
      }),
    );
  });

  async function locked(worker: string, work: () => Promise<unknown>): Promise<void> {
    const client = await pool().connect();
    try {
      await client.query('select pg_advisory_lock($1, lock_key) from dagwright.workers where id = $2', [
        WORKER_LOCK,
        worker,
      ]);
      await work();
    } finally {
      await client.query('select pg_advisory_unlock_all()');
      client.release();
    }
  }
});

// CONTRACT P2: one try and three recoveries.
test.each([
  { deaths: 3, entered: ['fated'], end: { status: 'completed', attempt: 4, error: null } },
  {
    deaths: 4,
    entered: [],
    end: { status: 'failed', attempt: 4, error: { code: 'worker_lost', attempts: 4 } },
  },
])('a task whose worker died $deaths times is $end.status', async ({ deaths, entered, end }) => {
  const { engine } = protocol;
  const { id } = await protocol.open(graph('fated'));
  for (let death = 1; death <= deaths; death++) {
    const dead = await workerThatBeat({ secondsAgo: 60 });
    if (death === 1) await giveTo(dead, id);
    else {
      const [claimed] = await claimBatch(pool(), dead, [{ executionId: id, list: [['fated', -1]] }]);
      await markEntered(pool(), id, unlocked(claimed!)!.claim, true);
    }
    await sweep();
    expect(await protocol.taskOf(id, 'fated')).toMatchObject({ status: 'pending', recoveries: death });
  }
  engine.entered.length = 0;
  const worker = await engine.addWorker();
  expect((await engine.ended(id)).task('fated')).toMatchObject(end);
  expect(engine.entered.filter((taskId) => taskId === 'fated')).toEqual(entered);
  await worker.stop();
});
