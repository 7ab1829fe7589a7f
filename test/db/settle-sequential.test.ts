// settle_sequential_v1 writes what settle_completed_v2 writes, refuses whatever is not as it has to be without changing
// anything, and reads as many rows as it settles, in empty tables as in large ones.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Queryable } from '../../src/db/connection/connection.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Settle, SettleResult } from '../../src/db/protocol/settlement.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { BEGIN } from '../support/begin.ts';
import { depth } from '../support/depth.ts';
import { graph } from '../support/engine.ts';
import { pauseExecution } from '../support/executions.ts';
import {
  claimOn,
  openProtocol,
  type Protocol,
  settleAll,
  settleOf,
  toChild,
  unlocked,
} from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const pool = () => protocol.engine.database.engine;
const query = (text: string, values: unknown[] = []) => protocol.engine.query(text, values);
const open = async (text: string) => (await protocol.open(graph(text))).id;

/** Settles in one batch; also the names of the functions that were called, in order. */
async function settle(settles: readonly Settle[]): Promise<{ results: SettleResult[]; called: string[] }> {
  const called: string[] = [];
  const db = {
    query(config: { name: string }) {
      called.push(config.name);
      return pool().query(config as never);
    },
  };
  const results = await settleAll(db as never, protocol.worker, settles, protocol.engine.database.engine);
  return { results, called };
}

const step = (id: string, isOnly = true, inputJson = '{"of":"a"}'): Settle =>
  settleOf(
    id,
    {
      claim: claimOn('a'),
      end: {
        kind: 'completed',
        ...{ outputJson: '{"n":[1,"\\"x\\",{}"]}', output: null, inputJson },
        usage: { inputTokens: 3 } as never,
      },
    },
    { edges: [{ ...toChild('b'), isOnly }] },
  );
/** By settle_sequential_v2, and by settle_completed_v2. */
const withSuccessor = (id: string): Settle => ({ ...step(id), successors: successorsOf(true) });
const joining = (id: string): Settle => ({ ...step(id), successors: successorsOf(false) });
const successorsOf = (isOnly: boolean) => ({
  ends: [{ taskId: 'b', end: { kind: 'completed', outputJson: '1', output: 1, durationMs: 0 } as const }],
  edges: [{ ...toChild('c'), isOnly }],
});
const last = (id: string): Settle =>
  settleOf(
    id,
    { claim: claimOn('a'), end: { kind: 'completed', outputJson: 'null', output: null } },
    { finishOutputJson: '{"all":null}' },
  );

/** What is stored, without ids and times. */
async function storedOf(id: string): Promise<unknown> {
  const text = JSON.stringify(await protocol.rowsOf(id), (key, value) =>
    /(^|_)id$|_at$|^workflow|^version|^duration_ms$/.test(key) && key !== 'task_id' && value !== null
      ? 'set'
      : value,
  );
  return JSON.parse(text);
}

test('it writes what settle_completed_v2 writes, and answers the same', async () => {
  const [first, second, ended, alsoEnded] = [
    await open('a -> b -> c'),
    await open('a -> b -> c'),
    await open('a'),
    await open('a'),
  ];
  const lean = await settle([step(first!), last(ended!)]);
  expect(lean.called).toEqual(['settle_sequential_v1']);
  // A join goes the other way, and so does what shares its batch where it is in the minority.
  const old = await settle([step(second!, false), step(await open('a -> b'), false), last(alsoEnded!)]);
  expect(old.called).toEqual(['settle_completed_v2']);
  expect(await storedOf(first!)).toEqual(await storedOf(second!));
  expect(await storedOf(ended!)).toEqual(await storedOf(alsoEnded!));
  const { atMs } = lean.results[0]!;
  const answers = (results: readonly SettleResult[]) => results.map((result) => ({ ...result, atMs }));
  expect(answers(lean.results)).toEqual(answers([old.results[0]!, old.results[2]!]));
  const rows = await query(
    `select t.completed_at = c.started_at as follows, extract(epoch from t.completed_at) * 1000 as at
     from dagwright.task_executions t join dagwright.task_executions c using (workflow_execution_id)
     where workflow_execution_id = $1 and t.task_id = 'a' and c.task_id = 'b'`,
    [first],
  );
  expect(rows).toMatchObject([{ follows: true }]);
  expect(Number(rows[0]!.at)).toBeCloseTo(atMs, 1);
  expect(await query('select * from dagwright.v_orphans')).toEqual([]);
});

test('an input that is null is stored the same way by all', async () => {
  const ids = [await open('a -> b'), await open('a -> b'), await open('a -> b'), await open('a -> b')];
  const stepOf = (i: number, isOnly: boolean) => step(ids[i]!, isOnly, 'null');
  await settle([stepOf(0, true)]);
  await settle([stepOf(1, true), step(await open('a -> b'))]);
  await settle([stepOf(2, false), step(await open('a -> b'), false)]);
  await settle([{ ...stepOf(3, true), further: [] }]);
  const rows = await query(
    `select distinct input is null as is_null, jsonb_typeof(input) as type from dagwright.task_executions
     where workflow_execution_id = any($1) and task_id = 'a'`,
    [ids],
  );
  expect(rows).toHaveLength(1);
});

describe('what is not as it has to be changes nothing, and goes another way with its batch', () => {
  const spoiled: readonly [string, (id: string) => Promise<unknown>, Partial<SettleResult>][] = [
    [
      'a paused execution',
      (id) => pauseExecution(protocol.engine.database, DEFAULT_TENANT_ID, id),
      { outcome: 'settled', next: null },
    ],
    [
      'a task in other hands',
      (id) =>
        query(
          `update dagwright.task_executions set fence = 2 where workflow_execution_id = $1 and task_id = 'a'`,
          [id],
        ),
      { outcome: 'lost', next: null },
    ],
    [
      'a child with further edges',
      (id) =>
        query(
          `update dagwright.task_executions set pending_edges = 2 where workflow_execution_id = $1 and task_id = 'b'`,
          [id],
        ),
      { outcome: 'settled', next: null },
    ],
    [
      'a child that was tried before',
      (id) =>
        query(
          `update dagwright.task_executions set fence = 4, attempt_number = 2 where workflow_execution_id = $1 and task_id = 'b'`,
          [id],
        ),
      { outcome: 'settled', next: { ...claimOn('b'), fence: 5, attempt: 3 } },
    ],
    [
      'a child that has ended',
      (id) =>
        query(
          `update dagwright.task_executions set status = 'cancelled', completed_at = now() where workflow_execution_id = $1 and task_id = 'b'`,
          [id],
        ),
      { outcome: 'settled', next: null },
    ],
  ];
  test.each(spoiled)('%s', async (_, spoil, expected) => {
    const [id, neighbour] = [await open('a -> b -> c'), await open('a -> b -> c')];
    await spoil(id);
    const { results, called } = await settle([step(id), step(neighbour)]);
    expect(called).toEqual(['settle_sequential_v1', 'settle_completed_v2']);
    expect(results[0]).toMatchObject(expected);
    expect(results[1]).toMatchObject({ outcome: 'settled', next: claimOn('b') });
    expect(await protocol.taskOf(neighbour, 'a')).toMatchObject({ status: 'completed', completed_seq: 1 });
  });

  test('the last step of an execution of which a task failed', async () => {
    const [id, neighbour] = [await open('a'), await open('a')];
    await query('update dagwright.workflow_executions set failed_tasks = 1 where id = $1', [id]);
    const { results, called } = await settle([last(id), last(neighbour)]);
    expect(called).toEqual(['settle_sequential_v1', 'settle_completed_v2']);
    expect(results).toMatchObject([
      { outcome: 'settled', drained: true, finished: false },
      { outcome: 'settled', finished: true },
    ]);
  });
});

describe('what a settle waited for is what it judges by, and its neighbour does not wait', () => {
  const send = (...settles: Settle[]) => Promise.all(settles.map((one) => protocol.calls.settles.call(one)));
  const holdFor = (ms: number) => async (client: Queryable) =>
    void (await client.query('select pg_sleep($1)', [ms / 1_000]));
  const pause = (id: string) => async (client: Queryable) => {
    await client.query(`select set_config('app.current_tenant_id', $1, true)`, [DEFAULT_TENANT_ID]);
    await client.query('select dagwright.pause_execution($1)', [id]);
  };

  test('a pause: the step is settled, and nothing begins', async () => {
    const [id, neighbour] = [await open('a -> b -> c'), await open('a -> b -> c')];
    const results = await protocol.meanwhile(id, pause(id), () => send(step(id), step(neighbour)));
    expect(results).toMatchObject([{ outcome: 'settled', next: null }, { next: claimOn('b') }]);
    expect(await protocol.taskOf(id, 'b')).toMatchObject({
      status: 'pending',
      fence: 0,
      ready_at: expect.anything(),
    });
  });

  test('a pause: the last step does not end its execution', async () => {
    const [id, neighbour] = [await open('a'), await open('a')];
    const results = await protocol.meanwhile(id, pause(id), () => send(last(id), last(neighbour)));
    expect(results).toMatchObject([{ finished: false }, { finished: true }]);
    expect(
      await query('select status, open_tasks from dagwright.workflow_executions where id = $1', [id]),
    ).toEqual([{ status: 'paused', open_tasks: 0 }]);
  });

  test('its times are of after the wait', async () => {
    const [id, neighbour] = [await open('a'), await open('a')];
    await protocol.meanwhile(id, holdFor(300), () => send(last(id), last(neighbour)));
    const rows = await query(
      `select o.completed_at = t.completed_at as same, o.completed_at - o.started_at >= interval '300 ms' as after
       from dagwright.workflow_executions o join dagwright.task_executions t on t.workflow_execution_id = o.id where o.id = any($1)
       order by array_position($1, o.id)`,
      [[id, neighbour]],
    );
    expect(rows).toEqual([
      { same: true, after: true },
      { same: true, after: false },
    ]);
  });
});

// With 70 the last write of every fifth row of a chain went to another page, with all indexes: docs/performance.md has the figures.
test('the pages of both hot tables have room for what a run writes into them', async () => {
  const rows = await query(
    `select c.relname as name, c.reloptions from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'dagwright' and c.relname in ('task_executions', 'workflow_executions')`,
    [],
  );
  for (const { name, reloptions } of rows)
    expect([name, reloptions]).toEqual([name, expect.arrayContaining(['fillfactor=60'])]);
  expect(rows).toHaveLength(2);
});

test('a batch reads some rows for each that it settles, in empty tables and among a million tasks', {
  timeout: 240_000,
}, async () => {
  const url = new URL(protocol.engine.database.directUrl);
  const readsOf = async (count: number, make: (id: string) => Settle) => {
    const ids = await Promise.all(Array.from({ length: count }, () => open('a -> b -> c')));
    // A session of its own, so that plans are made now.
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      await client.query(BEGIN);
      await client.query('set local role dagwright_engine');
      const results = await settleBatch(
        client,
        protocol.worker,
        ids.map((id) => make(id)),
      );
      expect(results.every((result) => unlocked(result).next !== null)).toBe(true);
      const { rows } = await client.query(
        `select sum(seq_tup_read)::int as scanned, sum(idx_tup_fetch)::int as fetched from pg_stat_xact_user_tables
         where schemaname = 'dagwright' and relname in ('workflow_executions', 'task_executions')`,
      );
      return rows[0];
    } finally {
      await client.query('rollback');
      await client.end();
    }
  };
  const count = 40;
  const bounded = { scanned: 0, fetched: expect.toSatisfy((n: number) => n >= count * 3 && n <= count * 10) };
  for (const make of [step, withSuccessor, joining]) expect(await readsOf(count, make)).toEqual(bounded);
  const wide = await open('a -> b -> c');
  // In parts: no statement may take long.
  const part = 50_000;
  for (let from = 0; from < depth(1_000_000); from += part)
    await query(
      `insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, status, pending_edges)
       select case when n % 2 = 0 then $1::uuid else dagwright.uuid_v7() end, 'x' || n, $2, 'probe', 'pending', 1
       from generate_series($3::int + 1, $3 + $4::int) n`,
      [wide, DEFAULT_TENANT_ID, from, part],
    );
  await query('analyze dagwright.task_executions, dagwright.workflow_executions');
  for (const make of [step, withSuccessor, joining]) expect(await readsOf(count, make)).toEqual(bounded);
});
