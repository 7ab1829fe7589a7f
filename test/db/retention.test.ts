// Retention: what it deletes, what it never touches, what it costs, and that its log is exact.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { countDue, deleteBatch, FIRST_ID } from '../../src/db/operations/retention.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { RetentionLoop, runRetentionPass } from '../../src/engine/worker/retention.ts';
import { BEGIN } from '../support/begin.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { depth } from '../support/depth.ts';
import { until } from '../support/engine.ts';

let own: TestDatabase;
let database: Database;
beforeEach(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
afterEach(async () => {
  await database.close();
  await own.drop();
});

/** Tables whose rows belong to an execution and go with it: all that name one. A new table belongs in retention.sql. */
const BELONGING = [
  'execution_logs',
  'execution_signals',
  'human_tasks',
  'idempotency_keys',
  'signal_waits',
  'task_attempts',
  'task_callbacks',
  'task_executions',
] as const;

const query = async <T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await database.engine.query(text, values)).rows;
const countOf = async (table: string): Promise<number> =>
  (await query<{ n: number }>(`select count(*) as n from dagwright.${table}`))[0]!.n;
const logged = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await query<{ name: string; n: number }>(
        'select table_name as name, sum(deleted_rows)::int as n from dagwright.retention_cleanup_logs group by 1 order by 1',
      )
    ).map(({ name, n }) => [name, n]),
  );

/** Executions that began `daysAgo`, one second apart, with `tasks` rows of each kind but one key. `ended` days ago, or never. */
async function seed(options: {
  readonly count: number;
  readonly daysAgo: number;
  readonly status: string;
  readonly endedDaysAgo?: number;
  readonly tasks?: number;
}): Promise<void> {
  const { count, daysAgo, status, endedDaysAgo = null, tasks = 2 } = options;
  await query(
    `with made as (
       insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at, completed_at)
       select (lpad(to_hex((extract(epoch from t.at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
         $1, 'kept', 1, $1, $2::dagwright.execution_status, 'manual', '{}', t.at, now() - $5::float8 * interval '1 day'
       from (select now() - $3::float8 * interval '1 day' + g * interval '1 second' as at from generate_series(1, $4::int) g) t
       returning id, created_at),
     rows as (select id, created_at, 't' || g as task from made, generate_series(1, $6::int) g),
     a as (insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, status)
       select id, task, $1, 'probe', 'completed' from rows),
     b as (insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id, error, completed_at)
       select id, task, -1, 1, 1, $1, '{}', created_at from rows),
     c as (insert into dagwright.task_callbacks (token_hash, tenant_id, workflow_execution_id, task_id, map_index, created_at, times_out_at, expires_at)
       select sha256((id::text || task)::bytea), $1, id, task, -1, created_at, created_at, created_at from rows),
     h as (insert into dagwright.human_tasks (id, tenant_id, workflow_execution_id, task_id, map_index, workflow_id, fence, review_type, title,
         payload, shown_hash, opened_at, on_expire)
       select gen_random_uuid(), $1, id, task, -1, 'w', 1, 'approval', 'x', 'null', '', created_at, 'fail' from rows returning id),
     d as (insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message)
       select gen_random_uuid(), $1, id, created_at, 'info', 'line' from rows),
     e as (insert into dagwright.execution_signals (workflow_execution_id, position, tenant_id, name, sender, created_at, is_judged)
       select id, row_number() over (), $1, 'go', 'test', created_at, true from rows),
     f as (insert into dagwright.signal_waits (workflow_execution_id, name, opened_at, task_id, map_index, tenant_id, answer_key)
       select id, 'go', created_at, task, -1, $1, '' from rows)
     insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, created_at)
     select $1, 'start', id::text, id, created_at from made`,
    [DEFAULT_TENANT_ID, status, daysAgo, count, endedDaysAgo, tasks],
  );
}

async function expectNoOrphans(): Promise<void> {
  for (const table of BELONGING)
    expect(
      await query(
        `select 1 from dagwright.${table} c where not exists (select from dagwright.workflow_executions o where o.id = c.workflow_execution_id) limit 1`,
      ),
      table,
    ).toEqual([]);
}

describe('what is deleted', () => {
  test('every table that names an execution is one that retention empties', async () => {
    const named = await query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'dagwright'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'workflow_execution_id' order by 1`,
    );
    // What outlives what it names: ledgers, since a tick or a delivery never happens twice, and outputs kept for others
    // (housekeeping.sql).
    const ledgers = ['schedule_ticks', 'task_cache', 'webhook_events'];
    expect(named.map(({ name }) => name).filter((name) => !ledgers.includes(name))).toEqual([...BELONGING]);
  });

  test('what ended long ago goes with all that belongs to it; what has not ended, or not long ago, stays', async () => {
    for (const status of ['completed', 'failed', 'cancelled'])
      await seed({ count: 10, daysAgo: 40, status, endedDaysAgo: 31 });
    for (const status of ['pending', 'running', 'paused']) await seed({ count: 10, daysAgo: 400, status });
    await seed({ count: 10, daysAgo: 400, status: 'completed', endedDaysAgo: 29 });
    await seed({ count: 10, daysAgo: 1, status: 'completed', endedDaysAgo: 0 });
    expect(await countDue(database.engine, 30)).toBe(30);

    const pass = await runRetentionPass({ db: database.engine, days: 30 });

    expect(pass).toEqual({
      state: 'done',
      deleted: {
        execution_logs: 60,
        execution_signals: 60,
        signal_waits: 60,
        human_tasks: 60,
        task_attempts: 60,
        task_callbacks: 60,
        task_executions: 60,
        idempotency_keys: 30,
        workflow_executions: 30,
      },
    });
    expect(
      await query(
        'select status, count(*)::int as n from dagwright.workflow_executions group by 1 order by 1',
      ),
    ).toEqual([
      { status: 'pending', n: 10 },
      { status: 'running', n: 10 },
      { status: 'paused', n: 10 },
      { status: 'completed', n: 20 },
    ]);
    for (const table of BELONGING)
      expect(await countOf(table), table).toBe(table === 'idempotency_keys' ? 50 : 100);
    await expectNoOrphans();
    expect(await logged()).toEqual(pass.deleted);
  });

  test('with a review goes what people said to it, and its links', async () => {
    await seed({ count: 2, daysAgo: 40, status: 'completed', endedDaysAgo: 31 });
    await query(
      `insert into dagwright.review_responses (id, tenant_id, review_id, by, subject, decision, at)
       select gen_random_uuid(), tenant_id, id, 'b', 'b', 'approved', now() from dagwright.human_tasks`,
    );
    await query(
      `insert into dagwright.review_links (token_hash, tenant_id, review_id, created_at, created_by, expires_at)
       select sha256(id::text::bytea), tenant_id, id, now(), 'x', now() from dagwright.human_tasks`,
    );
    const pass = await runRetentionPass({ db: database.engine, days: 30 });
    expect(pass.deleted).toMatchObject({ human_tasks: 4, review_responses: 4 });
    for (const table of ['human_tasks', 'review_responses', 'review_links', 'review_assignees'])
      expect(await countOf(table), table).toBe(0);
  });

  test('a pass that finds nothing writes nothing', async () => {
    await seed({ count: 3, daysAgo: 10, status: 'completed', endedDaysAgo: 9 });
    expect(await runRetentionPass({ db: database.engine, days: 30 })).toEqual({ state: 'done', deleted: {} });
    expect(await logged()).toEqual({});
  });

  test('an execution that another transaction holds is left to the next pass', async () => {
    await seed({ count: 3, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
    const holder = await database.engine.connect();
    try {
      await holder.query(BEGIN);
      await holder.query('select from dagwright.workflow_executions order by id limit 1 for update');
      expect((await runRetentionPass({ db: database.engine, days: 30 })).deleted.workflow_executions).toBe(2);
      await holder.query('commit');
    } finally {
      holder.release();
    }
    expect((await runRetentionPass({ db: database.engine, days: 30 })).deleted.workflow_executions).toBe(1);
    await expectNoOrphans();
  });
});

describe('batches', () => {
  const batch = (more: Partial<Parameters<typeof deleteBatch>[1]> = {}) =>
    deleteBatch(database.engine, {
      passId: newId(),
      days: 30,
      after: FIRST_ID,
      maxExecutions: 500,
      maxRows: 5_000,
      ...more,
    });

  test('a batch holds at most so many executions, and about so many rows', async () => {
    await seed({ count: 20, daysAgo: 40, status: 'completed', endedDaysAgo: 39, tasks: 5 });
    const byCount = await batch({ maxExecutions: 7 });
    expect([byCount.state, byCount.deleted.workflow_executions]).toEqual(['more', 7]);
    const byRows = await batch({ maxRows: 80 });
    expect([byRows.state, byRows.deleted.workflow_executions]).toEqual(['more', 3]);
    await expectNoOrphans();
  });

  test('one execution with more rows than a batch goes in several, its own row last', async () => {
    await seed({ count: 1, daysAgo: 40, status: 'completed', endedDaysAgo: 39, tasks: 250 });
    let steps = 0;
    for (let after = FIRST_ID; ; steps++) {
      const { state, nextAfter, deleted } = await batch({ maxRows: 100, after });
      for (const rows of Object.values(deleted)) expect(rows).toBeLessThanOrEqual(100);
      after = nextAfter;
      if (state === 'done') break;
    }
    expect(steps).toBeGreaterThanOrEqual(8);
    expect(await countOf('workflow_executions')).toBe(0);
    await expectNoOrphans();
    expect(await logged()).toMatchObject({
      execution_logs: 250,
      task_executions: 250,
      workflow_executions: 1,
    });
  });

  test('a pass that was stopped in the middle is finished by the next, and the log holds both', async () => {
    await seed({ count: 30, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
    const stop = new AbortController();
    const first = await runRetentionPass({
      db: database.engine,
      days: 30,
      maxExecutions: 4,
      signal: stop.signal,
      onBatch: ({ workflow_executions = 0 }) => workflow_executions >= 8 && stop.abort(),
    });
    expect([first.state, first.deleted.workflow_executions]).toEqual(['stopped', 8]);
    await expectNoOrphans();
    const second = await runRetentionPass({ db: database.engine, days: 30 });
    expect([second.state, second.deleted.workflow_executions]).toEqual(['done', 22]);
    expect(await logged()).toMatchObject({
      workflow_executions: 30,
      task_executions: 60,
      idempotency_keys: 30,
    });
  });

  test('a batch that is rolled back has deleted and logged nothing', async () => {
    await seed({ count: 5, daysAgo: 40, status: 'failed', endedDaysAgo: 39 });
    const client = await database.engine.connect();
    try {
      await client.query(BEGIN);
      const { deleted } = await deleteBatch(client, {
        passId: newId(),
        days: 30,
        after: FIRST_ID,
        maxExecutions: 500,
        maxRows: 5_000,
      });
      expect(deleted.workflow_executions).toBe(5);
      await client.query('rollback');
    } finally {
      client.release();
    }
    expect([await countOf('workflow_executions'), await logged()]).toEqual([5, {}]);
  });

  test('while one batch is under way another process is told so, and does nothing', async () => {
    await seed({ count: 5, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
    const client = await database.engine.connect();
    try {
      await client.query(BEGIN);
      await client.query('select pg_advisory_xact_lock(1148, 0)');
      expect(await runRetentionPass({ db: database.engine, days: 30 })).toEqual({
        state: 'busy',
        deleted: {},
      });
      await client.query('commit');
    } finally {
      client.release();
    }
    expect(await countOf('workflow_executions')).toBe(5);
  });

  test('eight passes at once delete everything once, and the log says exactly what went', async () => {
    await seed({ count: 200, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
    const sums: Record<string, number> = {};
    while ((await countDue(database.engine, 30)) > 0) {
      const passes = await Promise.all(
        Array.from({ length: 8 }, () =>
          runRetentionPass({ db: database.engine, days: 30, maxExecutions: 5 }),
        ),
      );
      for (const { deleted } of passes)
        for (const [table, rows] of Object.entries(deleted)) sums[table] = (sums[table] ?? 0) + rows;
    }
    expect(sums).toMatchObject({ workflow_executions: 200, task_executions: 400, idempotency_keys: 200 });
    expect(await logged()).toEqual(sums);
    await expectNoOrphans();
  });
});

test('beside many rows no batch scans a table, and a batch that finds nothing reads one page of ids', async () => {
  await seed({ count: depth(20_000), daysAgo: 10, status: 'completed', endedDaysAgo: 9, tasks: 3 });
  await seed({ count: depth(5_000), daysAgo: 60, status: 'running', tasks: 1 });
  await seed({ count: 1_000, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
  // One connection, so that what it has read is counted before it is asked; without statistics of the tables.
  const client = await database.engine.connect();
  const reads = async () => {
    await client.query('select pg_stat_force_next_flush()');
    const { rows } = await client.query<{ scans: number; fetched: number }>(
      `select sum(seq_scan)::int as scans, sum(idx_tup_fetch + seq_tup_read)::int as fetched from pg_stat_user_tables where schemaname = 'dagwright'`,
    );
    return rows[0]!;
  };
  try {
    const before = await reads();
    const pass = await runRetentionPass({ db: client, days: 30 });
    expect(pass.deleted.workflow_executions).toBe(1_000);
    const after = await reads();
    expect(after.scans - before.scans).toBe(0);
    // 14,000 rows go (each found, some locked and checked too); 5,000 ids of open ones are passed over.
    expect(after.fetched - before.fetched).toBeLessThan(80_000);
    await runRetentionPass({ db: client, days: 90 });
    const idle = await reads();
    expect(idle.scans - after.scans).toBe(0);
    expect(idle.fetched - after.fetched).toBeLessThan(10);
  } finally {
    client.release();
  }
});

describe('the loop of a worker', () => {
  /** A loop with short waits; `isBusy` is asked before each pass and told how many statements were sent by then. */
  async function loopUntilEmpty(isBusy: (asked: number) => boolean, failures = 0) {
    const lines: string[] = [];
    const line = (message: string) => void lines.push(message);
    const sentWhenAsked: number[] = [];
    let sent = 0;
    const send = database.engine.query.bind(database.engine) as (...all: unknown[]) => unknown;
    const loop = new RetentionLoop({
      db: {
        query: ((...args: unknown[]) =>
          ++sent <= failures
            ? Promise.reject(new Error('away'))
            : send(...args)) as typeof database.engine.query,
      },
      days: 30,
      log: { debug: line, info: line, warn: line, error: line },
      isBusy: () => isBusy(sentWhenAsked.push(sent)),
      everyMs: 20,
    });
    loop.start();
    await until(async () => lines.includes('retention deleted what had ended long ago'));
    await loop.stop();
    expect(await countOf('workflow_executions')).toBe(0);
    return { lines, sentWhenAsked };
  }

  test('makes passes, waits while the worker is busy, and outlives errors', async () => {
    await seed({ count: 12, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
    const { lines, sentWhenAsked } = await loopUntilEmpty((asked) => asked <= 3, 1);
    expect(sentWhenAsked.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(lines).toEqual([
      'retention could not finish its pass',
      'retention deleted what had ended long ago',
    ]);
  });

  test('does not wait for ever: a worker that is always busy deletes too', async () => {
    await seed({ count: 12, daysAgo: 40, status: 'completed', endedDaysAgo: 39 });
    const { sentWhenAsked } = await loopUntilEmpty(() => true);
    expect(sentWhenAsked.slice(0, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});
