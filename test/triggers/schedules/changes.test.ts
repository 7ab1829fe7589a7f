// Schedules that are changed, paused, backfilled and deleted while they fire.

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import type { TaskLog } from '../../../src/core/log-lines.ts';
import { OVERLAP_POLICIES } from '../../../src/core/schedule/words.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { findSchedule } from '../../../src/db/resources/schedules.ts';
import {
  changeSchedule,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
} from '../../../src/resources/schedules/schedules.ts';
import { backfillSchedule } from '../../../src/resources/schedules/ticks.ts';
import { createSchedulePass } from '../../../src/triggers/schedules/pass.ts';
import { below, randomOf } from '../../core/support/random.ts';
import { BEGIN } from '../../support/begin.ts';
import { type Bench, clock, HOUR, makeSchedule, moveTo, openBench, WORKFLOW } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const ACTING = { tenantId: DEFAULT_TENANT_ID, actor: 'test' };
const SCHEDULES = 12;
const ROUNDS = 60;

test('no nominal time starts twice, nothing waits for itself, and each execution has its tick', async () => {
  const { database } = bench.engine;
  const complaints: string[] = [];
  const note = (message: string, fields?: unknown) =>
    void complaints.push(`${message} ${JSON.stringify(fields)}`);
  const log: TaskLog = { debug: () => {}, info: () => {}, warn: note, error: note };
  const schedules = await Promise.all(
    Array.from({ length: SCHEDULES }, (_, i) =>
      bench.overdue(30, { catchupPolicy: 'all', overlapPolicy: OVERLAP_POLICIES[i % 4]! }),
    ),
  );
  const change = async (random: () => number): Promise<void> => {
    const { id, times } = schedules[below(random, SCHEDULES)]!;
    await database.withTenant(ACTING, async (client) => {
      const found = await findSchedule(client, DEFAULT_TENANT_ID, id);
      if (found === null) return;
      const what = below(random, 6);
      if (what === 0) await pauseSchedule(client, ACTING, { id, reason: 'test' });
      if (what === 1) await resumeSchedule(client, ACTING, id);
      if (what === 2) {
        const settings = {
          ...{ name: found.name, cronExpression: found.cronExpression },
          overlapPolicy: OVERLAP_POLICIES[below(random, 4)]!,
          catchupPolicy: 'all' as const,
          priority: 1 + below(random, 10),
        };
        await changeSchedule(client, ACTING, { id, change: settings, isWhole: true });
      }
      if (what === 3) await backfillSchedule(client, ACTING, { id, ...rangeOf(times) });
      if (what === 4 && below(random, 8) === 0) await deleteSchedule(client, ACTING, id);
      // As if the scheduler's clock had been set back: all of it is due once more.
      if (what === 5)
        await client.query(
          'update dagwright.schedules set next_run_at = $2, due_at = $2, fence = fence + 1 where id = $1 and due_at is not null',
          [id, new Date(times[0]!)],
        );
    });
  };
  const changing = [1, 2].map(async (seed) => {
    const random = randomOf(seed);
    for (let round = 0; round < ROUNDS; round++) await change(random);
  });
  let isOver = false;
  const passing = [1, 2].map(async () => {
    const pass = createSchedulePass({ database, log });
    while (!isOver) {
      await pass.run();
      const open = await bench.engine.query<{ id: string }>(
        `select id from dagwright.workflow_executions where status = 'pending' order by random() limit 5`,
      );
      await bench.end(open.map(({ id }) => id));
    }
  });
  await Promise.all(changing);
  isOver = true;
  await Promise.all(passing);
  expect(complaints).toEqual([]);
  expect(
    await bench.engine.query(
      `select trigger->>'scheduleId' as id, trigger->>'scheduledAt' as at from dagwright.workflow_executions group by 1, 2 having count(*) > 1`,
    ),
  ).toEqual([]);
  expect(
    await bench.engine.query(
      `select o.id from dagwright.workflow_executions o join dagwright.schedules s on s.id::text = o.trigger->>'scheduleId'
       where not exists (select from dagwright.schedule_ticks t where t.workflow_execution_id = o.id and t.status in ('fired', 'backfilled'))`,
    ),
  ).toEqual([]);
  expect(
    await bench.engine.query(
      `select t.* from dagwright.schedule_ticks t where (t.status in ('fired', 'backfilled')) <> exists (
         select from dagwright.workflow_executions o where o.id = t.workflow_execution_id)`,
    ),
  ).toEqual([]);
  expect(
    await bench.engine.query('select deadlocks from pg_stat_database where datname = current_database()'),
  ).toEqual([{ deadlocks: 0 }]);
});

const rangeOf = (times: readonly number[]) => ({
  from: new Date(times[0]!).toISOString(),
  to: new Date(times[0]! + 10 * HOUR).toISOString(),
});

test('an execution that somebody holds in an open transaction holds up no other schedule', async () => {
  const held = await makeSchedule(bench.engine, { overlapPolicy: 'cancel_other' });
  const other = await makeSchedule(bench.engine);
  await bench.dueNow(held.id);
  const [first] = await bench.executions(held.id);
  const client = new pg.Client({ connectionString: bench.engine.database.url });
  await client.connect();
  try {
    await client.query(BEGIN);
    await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [
      first!.id,
    ]);
    const now = await clock(bench.engine);
    for (const { id } of [held, other]) await moveTo(bench.engine, id, now);
    await bench.work();
    expect(await bench.summary(held.id)).toBe('fired 1');
    expect(await bench.summary(other.id)).toBe('fired 1');
    await client.query('rollback');
    await bench.work();
    expect((await bench.executions(held.id)).map(({ status }) => status)).toEqual(['cancelled', 'pending']);
  } finally {
    await client.end();
  }
});

test('however many schedules of one tenant are locked, those of others fire', async () => {
  const [first, other] = [await bench.overdue(1), await bench.overdue(1)];
  const moved = await bench.engine.query<{ due: string }>(
    'select due_at::text as due from dagwright.schedules where id = $1',
    [other.id],
  );
  // Copies of the first, all due before the other; as many as a pass takes, and more.
  const ids = await bench.engine.query<{ id: string }>(
    `insert into dagwright.schedules select (jsonb_populate_record(s, jsonb_build_object('id', dagwright.uuid_v7(), 'name', 'copy ' || n,
       'due_at', $2::timestamptz - interval '1 minute'))).* from dagwright.schedules s, generate_series(1, 1200) n where s.id = $1 returning id`,
    [first.id, moved[0]!.due],
  );
  const client = new pg.Client({ connectionString: bench.engine.database.url });
  await client.connect();
  try {
    await client.query(BEGIN);
    await client.query('select from dagwright.schedules where id = any($1) for update', [
      ids.map(({ id }) => id),
    ]);
    for (let passes = 0; passes < 5; passes++) await bench.work();
    expect(await bench.summary(other.id)).toBe('fired 1');
  } finally {
    await client.end();
    await bench.engine.query('delete from dagwright.schedules where id = any($1)', [ids.map(({ id }) => id)]);
  }
});

test('a large input is checked and started as any other', async () => {
  await bench.engine.apply({ ...WORKFLOW, workflowId: 'large', inputSchema: { required: ['q'] } });
  const text = Array.from({ length: 50_000 }, (_, i) => i).join(' ');
  const make = (input: Json) => makeSchedule(bench.engine, { workflowId: 'large', input });
  const [fits, misses] = [await make({ q: 1, text }), await make({ text })];
  for (const { id } of [fits, misses]) await bench.dueNow(id);
  expect(await bench.executions(fits.id)).toMatchObject([{ input: { q: 1, text } }]);
  expect(await bench.ticks(misses.id)).toMatchObject([
    { status: 'missed', reason: expect.stringMatching(/^validation: .*q/) },
  ]);
});
