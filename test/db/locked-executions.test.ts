// What waits for executions that somebody has locked: when it goes on, how many connections that takes, and what it leaves behind.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOCKED } from '../../src/db/connection/locked.ts';
import { LockedExecutions } from '../../src/db/protocol/locked-executions.ts';
import { writeCheckpoint } from '../../src/db/protocol/transitions.ts';
import { BEGIN } from '../support/begin.ts';
import { graph, until } from '../support/engine.ts';
import { openProtocol, type Protocol } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const told: string[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (text: string) => void told.push(text),
  error: () => {},
};
const open = async () => (await protocol.open(graph('a'))).id;

async function hold(ids: readonly string[]): Promise<() => Promise<void>> {
  const client = await pool().connect();
  await client.query('begin; set local idle_in_transaction_session_timeout = 0');
  await client.query('select from dagwright.workflow_executions where id = any($1) for update', [ids]);
  return async () => {
    await client.query('rollback');
    client.release();
  };
}

const waitingConnections = async () =>
  (
    await protocol.engine.query<{ n: number }>(
      `select count(distinct l.pid)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where a.datname = current_database() and not l.granted`,
    )
  )[0]!.n;

test('two connections wait at most, whatever is locked, and all go on when it is free', async () => {
  const locked = new LockedExecutions({ db: pool(), log, waitMs: 2_000 });
  const ids = await Promise.all(Array.from({ length: 10 }, open));
  const free = await hold(ids);
  let freed = 0;
  const waits = ids.map((id) => locked.untilFree(id).then(() => freed++));
  await until(async () => (await waitingConnections()) === 2);
  // What waited in vain makes room.
  await until(async () => (await waitingConnections()) === 0);
  expect(freed).toBe(0);
  await until(async () => ids.every((id) => locked.isStuck(id)));
  expect(freed).toBe(0);
  await free();
  await Promise.all(waits);
  expect(ids.some((id) => locked.isStuck(id))).toBe(false);
  locked.close();
});

test('a look holds nothing afterwards, nor does a wait', async () => {
  const ids = [await open(), await open()];
  const client = await pool().connect();
  try {
    await client.query(BEGIN);
    const { rows } = await client.query(
      'select dagwright.locked_executions_v1($1) as locked, dagwright.await_execution_v1($2, 1000) as free',
      [ids, ids[0]],
    );
    expect(rows).toEqual([{ locked: [], free: true }]);
    const free = await hold(ids);
    const { rows: now } = await client.query(
      'select dagwright.locked_executions_v1($1) as locked, dagwright.await_execution_v1($2, 20) as free',
      [ids, ids[0]],
    );
    expect(now).toEqual([{ locked: expect.toSatisfy((found) => found.length === 2), free: false }]);
    await free();
  } finally {
    await client.query('rollback');
    client.release();
  }
});

test('calls of one execution go one after the other, and a lock fails none of them', async () => {
  const { id, claim } = await protocol.open(graph('a'));
  const free = await hold([id]);
  let underWay = 0;
  let tries = 0;
  const write = async (n: number) => {
    expect(++underWay).toBe(1);
    tries++;
    const kept = await writeCheckpoint(pool(), id, claim, { json: `${n}`, spentUsd: '0', usageJson: null });
    underWay--;
    return kept;
  };
  const writes = Array.from({ length: 5 }, (_, n) => protocol.locked.run(id, () => write(n)));
  await until(async () => tries > 0);
  await free();
  expect(await Promise.all(writes)).toEqual([true, true, true, true, true]);
  expect(await protocol.taskOf(id, 'a')).toMatchObject({ checkpoint: 4 });
});

test('a call that fails for another reason is refused, and the next of its execution goes on', async () => {
  const id = await open();
  const refused = protocol.locked.run(id, async () => {
    throw new Error('a bad value');
  });
  const next = protocol.locked.run(id, async () => 'done');
  await expect(refused).rejects.toThrow('a bad value');
  expect(await next).toBe('done');
});

test('whoever watches an execution hears that it is stuck, until it does not watch any more', async () => {
  const locked = new LockedExecutions({ db: pool(), log, waitMs: 50 });
  const id = await open();
  const free = await hold([id]);
  let heard = 0;
  const leave = locked.watch(id, () => heard++);
  const freed = locked.untilFree(id);
  await until(async () => heard > 0);
  leave();
  const before = heard;
  await free();
  await freed;
  expect(heard).toBe(before);
  locked.close();
});

test('an outage is no end of a wait', async () => {
  const id = await open();
  let asked = 0;
  const db = {
    query: (config: never) => {
      if (++asked < 4) throw Object.assign(new Error('terminating connection'), { code: '57P01' });
      return pool().query(config);
    },
  };
  const locked = new LockedExecutions({ db: db as never, log });
  let tries = 0;
  const answer = await locked.run(id, async () => (++tries === 1 ? LOCKED : 'done'));
  expect([answer, tries, asked]).toEqual(['done', 2, 4]);
  locked.close();
});
