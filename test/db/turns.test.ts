// The order of the queue between tenants: passes of give_turns_v1 over jobs that nobody takes but the test.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { giveTurns } from '../../src/db/protocol/turns.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

let own: TestDatabase;
let client: pg.Client;
const tenants = new Map<string, string>();

beforeAll(async () => {
  own = await createDatabase();
  client = new pg.Client({ connectionString: own.url });
  await client.connect();
});
afterEach(async () => {
  await client.query('delete from graphile_worker._private_jobs');
  await client.query(`delete from dagwright.tenants where name <> 'default'`);
  tenants.clear();
});
afterAll(async () => {
  await client.end();
  await own.drop();
});

async function tenant(
  name: string,
  more: { readonly weight?: number; readonly maxRunningTasks?: number | null } = {},
): Promise<void> {
  const id = tenants.get(name) ?? newId();
  tenants.set(name, id);
  await client.query(
    `insert into dagwright.tenants as t (id, name, weight, max_running_tasks) values ($1, $2, $3, $4)
     on conflict (id) do update set weight = excluded.weight, max_running_tasks = excluded.max_running_tasks`,
    [id, name, more.weight ?? 1, more.maxRunningTasks ?? null],
  );
}

/** Adds `n` jobs, each a commit of its own: `<name><number>`. */
async function add(name: string, n: number, { priority = 5, from = 1, ageMinutes = 0 } = {}): Promise<void> {
  for (let k = from; k < from + n; k++)
    await client.query(
      `select dagwright.add_jobs_v2(array[json_build_object('e', $1::text, 'o', $2::uuid)], $3,
         (select max_running_tasks is not null from dagwright.tenants where id = $2))`,
      [`${name}${k}`, tenants.get(name), priority],
    );
  if (ageMinutes > 0)
    await client.query(
      `update graphile_worker._private_jobs set run_at = run_at - $2 * interval '1 minute' where payload->>'e' like $1`,
      [`${name}%`, ageMinutes],
    );
}

const pass = (slots = 1, kinds = ['dagwright']) => giveTurns(client, { slots, kinds, limitMs: 5_000 });

/** Takes jobs in the order in which graphile-worker does; they have ended then, unless they are `held`. */
async function take(n: number, { held = false } = {}): Promise<string[]> {
  const { rows } = await client.query<{ id: string; e: string }>(
    `select id, payload->>'e' as e from graphile_worker._private_jobs where is_available and run_at <= now()
     order by priority, run_at limit $1`,
    [n],
  );
  const ids = rows.map(({ id }) => id);
  await client.query(
    held
      ? `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'test' where id = any($1::bigint[])`
      : 'delete from graphile_worker._private_jobs where id = any($1::bigint[])',
    [ids],
  );
  return rows.map(({ e }) => e);
}

const countOf = (jobs: readonly string[], name: string) => jobs.filter((e) => e.startsWith(name)).length;

describe('turns', () => {
  test('who comes behind the backlog of another is next, and takes turns with it', async () => {
    await tenant('a');
    await tenant('b');
    await add('a', 60);
    await add('b', 3);
    expect(await pass()).toMatchObject({ tenants: { length: 2 } });
    const order = await take(8);
    expect(order.indexOf('b1')).toBeLessThan(2);
    expect(order.filter((e) => e.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
    expect(countOf(order.slice(0, 6), 'b')).toBe(3);
    expect(order.filter((e) => e.startsWith('a'))).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  });

  test('who comes late begins where the others are: it is owed nothing, and owes nothing', async () => {
    await tenant('a');
    await tenant('b');
    await tenant('c');
    await add('a', 200);
    await add('b', 200);
    let taken: string[] = [];
    for (let k = 0; k < 10; k++) {
      await pass();
      taken = [...taken, ...(await take(10))];
    }
    expect([countOf(taken, 'a'), countOf(taken, 'b')]).toEqual([50, 50]);
    await add('c', 100);
    await pass();
    const after = await take(30);
    for (const name of ['a', 'b', 'c']) expect(countOf(after, name)).toBeGreaterThanOrEqual(9);
  });

  test('so it does behind turns that wait for other workers', async () => {
    for (const name of ['a', 'b', 'c', 'rare']) await tenant(name);
    await client.query(
      `select dagwright.add_jobs_v3(array[json_build_object('e', 'rare1', 'o', $1::uuid)], 5, false, 'dagwright:rare')`,
      [tenants.get('rare')],
    );
    await add('a', 200);
    await add('b', 200);
    // Its turn is the first of all, and nobody takes it.
    await pass(1, ['dagwright', 'dagwright:rare']);
    await client.query(
      `update graphile_worker._private_jobs set run_at = run_at - interval '1 s' where payload->>'e' = 'rare1' and priority = -1`,
    );
    const takeCommon = async (n: number) => {
      const { rows } = await client.query<{ e: string }>(
        `delete from graphile_worker._private_jobs where id in (select id from graphile_worker._private_jobs
           where is_available and run_at <= now() and payload->>'e' <> 'rare1' order by priority, run_at limit $1)
         returning payload->>'e' as e`,
        [n],
      );
      return rows.map(({ e }) => e);
    };
    for (let k = 0; k < 10; k++) {
      await pass();
      await takeCommon(10);
    }
    await add('c', 100);
    await pass();
    const after = await takeCommon(30);
    for (const name of ['a', 'b', 'c']) expect(countOf(after, name)).toBeGreaterThanOrEqual(9);
  });

  test('a tenant of weight 3 has three turns for one', async () => {
    await tenant('heavy', { weight: 3 });
    await tenant('light');
    await add('light', 40);
    await add('heavy', 80);
    await pass();
    const order = await take(40);
    expect(countOf(order, 'heavy')).toBe(30);
  });

  test('priority orders the jobs of a tenant, and takes nothing from another', async () => {
    await tenant('a');
    await tenant('b');
    await add('b', 10, { priority: 1 });
    await add('a', 10, { priority: 2 });
    await add('a', 30, { priority: 10, from: 11 });
    await pass();
    const order = await take(20);
    expect(countOf(order, 'b')).toBe(10);
    expect(order.filter((e) => e.startsWith('a'))[0]).toBe('a11');
    expect(order).not.toContain('a1');
  });

  test('a step of priority is worth a minute of waiting: nothing starves behind the same tenant', async () => {
    await tenant('a');
    await add('a', 1, { priority: 1, ageMinutes: 10 });
    await add('a', 40, { priority: 10, from: 2 });
    expect((await take(1, { held: true }))[0]).toBe('a2');
    await pass();
    expect((await take(1))[0]).toBe('a1');
  });

  test('nor does the tenant behind another that keeps the queue full', async () => {
    await tenant('a');
    await tenant('b');
    await add('b', 5, { priority: 1 });
    let seen = 0;
    for (let k = 0; k < 5; k++) {
      await add('a', 10, { priority: 10, from: k * 10 + 1 });
      await pass();
      seen += countOf(await take(4), 'b');
    }
    expect(seen).toBe(5);
  });

  test('jobs of a release that names no tenant have their turns too', async () => {
    await tenant('a');
    await add('a', 60);
    await client.query(`select dagwright.add_jobs_v1(array['{"e":"old"}'::json], 5)`);
    await pass();
    expect((await take(4)).filter((e) => e === 'old')).toHaveLength(1);
  });

  test('one tenant alone costs no write, whatever it has waiting', async () => {
    await tenant('a');
    await add('a', 20);
    const before = await client.query(
      'select id, priority, run_at, xmin from graphile_worker._private_jobs order by id',
    );
    expect(await pass()).toEqual({ tenants: [tenants.get('a')], isHeld: false, isLimited: false });
    const after = await client.query(
      'select id, priority, run_at, xmin from graphile_worker._private_jobs order by id',
    );
    expect(after.rows).toEqual(before.rows);
  });

  test('a pass waits for no job that is being taken, and for no other pass', async () => {
    await tenant('a');
    await tenant('b');
    await add('a', 3);
    await add('b', 1);
    const other = new pg.Client({ connectionString: own.url });
    await other.connect();
    try {
      await other.query('begin');
      await other.query(
        `select from graphile_worker._private_jobs where payload->>'e' in ('a1', 'b1') for update`,
      );
      await client.query(`set statement_timeout = 2000`);
      expect(await pass()).toMatchObject({ tenants: { length: 2 } });
      await other.query('rollback; begin');
      await other.query('select dagwright.give_turns_v1(1)');
      expect(await pass()).toBeNull();
    } finally {
      await client.query(`reset statement_timeout`);
      await other.end();
    }
  });
});

describe('permits', () => {
  test('no more of a tenant is taken than may run, and the rest as those end', async () => {
    await tenant('a', { maxRunningTasks: 2 });
    await add('a', 5);
    expect(await take(5)).toEqual([]);
    expect(await pass()).toMatchObject({ isHeld: true, isLimited: true });
    expect(await take(5, { held: true })).toEqual(['a1', 'a2']);
    // Nothing could be given: no further pass is due at once.
    expect(await pass()).toMatchObject({ isHeld: false, isLimited: true });
    expect(await take(5)).toEqual([]);
    await client.query(`delete from graphile_worker._private_jobs where payload->>'e' = 'a1'`);
    await pass();
    expect(await take(5, { held: true })).toEqual(['a3']);
  });

  test('what waits for another worker holds no permit that this one has work for', async () => {
    await tenant('a', { maxRunningTasks: 2 });
    const rare = ['dagwright', 'dagwright:rare'];
    await client.query(
      `select dagwright.add_jobs_v3(array(select json_build_object('e', 'r' || n, 'o', $1::uuid) from generate_series(1, 3) n), 5, true, 'dagwright:rare')`,
      [tenants.get('a')],
    );
    await pass(1, rare);
    await add('a', 2);
    await pass();
    const { rows } = await client.query(
      `select payload->>'e' as e from graphile_worker._private_jobs where priority = -1 order by run_at`,
    );
    expect(rows.map(({ e }) => e)).toEqual(['a1', 'a2']);
    expect(await take(5)).toEqual(['a1', 'a2']);
    await pass(1, rare);
    expect(await take(5)).toEqual(['r1', 'r2']);
  });

  test('what was put off waits for its time', async () => {
    await tenant('a', { maxRunningTasks: 2 });
    await client.query(
      `select dagwright.add_later_job_v2(json_build_object('e', 'later', 'o', $1::uuid), 5, 60000, 'dagwright')`,
      [tenants.get('a')],
    );
    for (let n = 0; n < 3; n++) await pass();
    expect(await take(5)).toEqual([]);
    await client.query(`update graphile_worker._private_jobs set run_at = run_at - interval '61 s'`);
    await pass();
    expect(await take(5)).toEqual(['later']);
  });

  test('what waits when a limit comes needs permits too, and none when it goes', async () => {
    await tenant('a');
    await add('a', 4);
    await tenant('a', { maxRunningTasks: 1 });
    await pass();
    await pass();
    expect(await take(4, { held: true })).toEqual(['a1']);
    await tenant('a');
    await pass();
    expect(await take(4)).toEqual(['a2', 'a3', 'a4']);
    expect(await pass()).toMatchObject({ isHeld: false, isLimited: false });
  });

  test('its higher priorities go first, and others have their turns between', async () => {
    await tenant('a', { maxRunningTasks: 3 });
    await tenant('b');
    await add('a', 5);
    await add('a', 1, { priority: 9, from: 6 });
    await add('b', 2);
    await pass();
    const order = await take(10);
    expect(order.filter((e) => e.startsWith('a'))).toEqual(['a6', 'a1', 'a2']);
    expect(order.slice(0, 4).filter((e) => e.startsWith('b'))).toEqual(['b1', 'b2']);
  });

  test('a limit of one tenant makes no other wait', async () => {
    await tenant('a', { maxRunningTasks: 1 });
    await tenant('b');
    await add('a', 3);
    await add('b', 3);
    expect(countOf(await take(10), 'b')).toBe(3);
  });
});
