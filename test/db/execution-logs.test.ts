// The lines of executions in the database: who may read them, in which order, by which filter, at what cost.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIdSequence, firstIdAt, newId, timeOfId } from '../../src/core/id.ts';
import type { LogLineLevel } from '../../src/core/log-lines.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { type LogLine, writeLogLines } from '../../src/db/executions/execution-logs.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { findLoggedExecution, findLogLines, findLogPage } from '../support/executions.ts';

const OTHER_TENANT = newId();
let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
  await query('insert into dagwright.tenants (id, name) values ($1, $2)', [OTHER_TENANT, 'other']);
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const query = async <T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await database.engine.query(text, values)).rows;
const nextId = createIdSequence();

async function execution(tenantId = DEFAULT_TENANT_ID, status = 'running'): Promise<string> {
  const id = newId();
  await query(
    `insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at, completed_at)
     values ($1, $2, 'w', 1, $1, $3::dagwright.execution_status, 'manual', '{}', now(), case when $3 = 'completed' then now() - interval '3 seconds' end)`,
    [id, tenantId, status],
  );
  return id;
}

function line(executionId: string, message: string, more: Partial<LogLine> = {}): LogLine {
  const id = nextId(Date.now());
  return {
    id,
    executionId,
    taskId: 't',
    mapIndex: null,
    attempt: 1,
    at: new Date(timeOfId(id)).toISOString(),
    level: 'info',
    message,
    fieldsJson: null,
    ...more,
  };
}

const messagesOf = async (
  executionId: string,
  filter: Partial<Parameters<typeof findLogLines>[3]> = {},
  tenantId = DEFAULT_TENANT_ID,
) =>
  (await findLogLines(database, tenantId, executionId, { limit: 100, ...filter })).map(
    ({ message }) => message,
  );

describe('log lines', () => {
  test('are read as they were written, in the order of their time, whoever wrote first', async () => {
    const id = await execution();
    const [first, second, third] = [
      line(id, 'first', { mapIndex: 4, attempt: 2, level: 'warn', fieldsJson: '{"a":[1,"x"]}' }),
      line(id, 'second'),
      line(id, 'third', { taskId: null, attempt: null }),
    ];
    await writeLogLines(database.engine, [third]);
    await writeLogLines(database.engine, [second, first]);
    const { executionId: _, fieldsJson: __, ...expected } = first;
    const read = await findLogLines(database, DEFAULT_TENANT_ID, id, { limit: 10 });
    expect(read[0]).toEqual({ ...expected, fields: { a: [1, 'x'] } });
    expect(read.map(({ message }) => message)).toEqual(['first', 'second', 'third']);
  });

  test('are read by page, task and level, whichever are combined', async () => {
    const id = await execution();
    const levels: LogLineLevel[] = ['debug', 'info', 'warn', 'error'];
    const lines = levels.flatMap((level) =>
      ['t', 'u'].map((taskId) => line(id, `${level} ${taskId}`, { level, taskId })),
    );
    await writeLogLines(database.engine, lines);
    expect(await messagesOf(id, { level: 'warn' })).toEqual(['warn t', 'warn u', 'error t', 'error u']);
    expect(await messagesOf(id, { taskId: 'u', level: 'info' })).toEqual(['info u', 'warn u', 'error u']);
    expect(await messagesOf(id, { after: lines[2]!.id, limit: 2 })).toEqual(['info u', 'warn t']);
    expect(await messagesOf(id, { after: lines[2]!.id, limit: 2, taskId: 't' })).toEqual([
      'warn t',
      'error t',
    ]);
    expect(await messagesOf(id, { after: lines.at(-1)!.id })).toEqual([]);
  });

  test('of a page that more follow end where nothing can come late any more', async () => {
    const id = await execution();
    const [nowMs] = await query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    );
    const aged = (ageMs: number) => line(id, `${ageMs}`, { id: firstIdAt(nowMs!.ms - ageMs) });
    const page = async (after?: string) => {
      const found = await findLogPage(database, DEFAULT_TENANT_ID, id, {
        limit: 2,
        ...(after === undefined ? {} : { after }),
      });
      return [found!.lines.map(({ message }) => message), found!.nextAfter] as const;
    };
    await writeLogLines(database.engine, [aged(9_000), aged(8_500), aged(1_500), aged(1_000), aged(500)]);
    const [first, afterFirst] = await page();
    expect(first).toEqual(['9000', '8500']);
    // Three more are young: none is passed, so that what comes late among them is not lost.
    expect(await page(afterFirst!)).toEqual([[], afterFirst]);
    await writeLogLines(database.engine, [aged(1_200), aged(6_000)]);
    expect((await page(afterFirst!))[0]).toEqual(['6000']);
    // Over for long, nothing comes any more.
    await query(
      `update dagwright.workflow_executions set status = 'completed', completed_at = clock_timestamp() - interval '6 seconds' where id = $1`,
      [id],
    );
    const seen: string[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const [messages, next] = await page(after);
      seen.push(...messages);
      after = next;
    }
    expect(seen).toEqual(['9000', '8500', '6000', '1500', '1200', '1000', '500']);
  });

  test('of which the first page is young begin again from before all', async () => {
    const id = await execution();
    await writeLogLines(database.engine, [line(id, 'one'), line(id, 'two')]);
    const filter = { limit: 1 };
    const page = await findLogPage(database, DEFAULT_TENANT_ID, id, filter);
    expect(page).toEqual({ lines: [], nextAfter: expect.any(String) });
    await writeLogLines(database.engine, [line(id, 'late', { id: firstIdAt(Date.now() - 60_000) })]);
    const next = await findLogPage(database, DEFAULT_TENANT_ID, id, { ...filter, after: page!.nextAfter! });
    expect(next!.lines.map(({ message }) => message)).toEqual(['late']);
    // A page that holds all there is shows it at once.
    expect((await findLogPage(database, DEFAULT_TENANT_ID, id, { limit: 10 }))!.lines).toHaveLength(3);
    expect(await findLogPage(database, OTHER_TENANT, id, filter)).toBeNull();
  });

  test('are not stored twice when they are sent again', async () => {
    const id = await execution();
    const lines = [line(id, 'one'), line(id, 'two')];
    await writeLogLines(database.engine, lines);
    await writeLogLines(database.engine, [...lines, line(id, 'three')]);
    expect(await messagesOf(id)).toEqual(['one', 'two', 'three']);
  });

  test('take their tenant from their execution, and only that tenant sees them', async () => {
    const [mine, theirs] = [await execution(), await execution(OTHER_TENANT)];
    await writeLogLines(database.engine, [line(mine, 'mine'), line(theirs, 'theirs')]);
    expect(await messagesOf(mine)).toEqual(['mine']);
    expect(await messagesOf(theirs)).toEqual([]);
    expect(await messagesOf(theirs, {}, OTHER_TENANT)).toEqual(['theirs']);
    const seen = await database.withTenant(OTHER_TENANT, async (client) => {
      const { rows } = await client.query('select distinct tenant_id from dagwright.execution_logs');
      return rows;
    });
    expect(seen).toEqual([{ tenant_id: OTHER_TENANT }]);
    expect(await findLoggedExecution(database, DEFAULT_TENANT_ID, theirs)).toBeNull();
  });

  test('cannot be written or changed by a tenant', async () => {
    for (const statement of [
      `insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message) values (gen_random_uuid(), '${DEFAULT_TENANT_ID}', gen_random_uuid(), now(), 'info', 'x')`,
      `update dagwright.execution_logs set message = 'x'`,
      'delete from dagwright.execution_logs',
      'select from dagwright.retention_cleanup_logs',
    ])
      await expect(
        database.withTenant(DEFAULT_TENANT_ID, (client) => client.query(statement)),
        statement,
      ).rejects.toMatchObject({ code: '42501' });
  });

  test('are written and read without a scan, beside 20,000 executions with lines', async () => {
    await query(
      `with o as (insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at)
         select gen_random_uuid(), $1, 'w', 1, $1, 'completed', 'manual', '{}', now() from generate_series(1, 20000) returning id)
       insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message)
       select gen_random_uuid(), $1, id, now(), 'info', 'x' from o, generate_series(1, 3)`,
      [DEFAULT_TENANT_ID],
    );
    const id = await execution();
    const client = await database.engine.connect();
    const scans = async () => {
      await client.query('select pg_stat_force_next_flush()');
      const { rows } = await client.query(
        `select sum(seq_scan)::int as n from pg_stat_user_tables where schemaname = 'dagwright'`,
      );
      return rows[0].n;
    };
    try {
      for (const analyzed of [false, true]) {
        if (analyzed) await client.query('analyze dagwright.workflow_executions, dagwright.execution_logs');
        const before = await scans();
        await writeLogLines(
          client,
          Array.from({ length: 500 }, (_, i) => line(id, String(i))),
        );
        expect(await scans()).toBe(before);
      }
    } finally {
      client.release();
    }
    const plan = await database.withTenant(DEFAULT_TENANT_ID, async (tenant) => {
      const { rows } = await tenant.query(
        `explain select * from dagwright.execution_logs where tenant_id = $1 and workflow_execution_id = $2 and id > $3 order by id limit 100`,
        [DEFAULT_TENANT_ID, id, newId()],
      );
      return JSON.stringify(rows);
    });
    expect(plan).toMatch(/Index Scan (using|on) execution_logs_workflow_execution_id_id_pk/);
    expect(plan).not.toContain('Seq Scan');
  });
});

describe('what a reader learns of the execution', () => {
  test('its status, how long ago it ended, and whether it has the task', async () => {
    const [open, ended] = [await execution(), await execution(DEFAULT_TENANT_ID, 'completed')];
    await query(
      `insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type) values ($1, 'a', $2, 'probe')`,
      [open, DEFAULT_TENANT_ID],
    );
    const of = (id: string, taskId?: string) => findLoggedExecution(database, DEFAULT_TENANT_ID, id, taskId);
    expect(await of(open)).toEqual({ status: 'running', endedMsAgo: null, hasTask: true });
    expect(await of(open, 'a')).toMatchObject({ hasTask: true });
    expect(await of(open, 'b')).toMatchObject({ hasTask: false });
    const found = await of(ended);
    expect(found).toMatchObject({ status: 'completed' });
    expect(found!.endedMsAgo).toBeGreaterThanOrEqual(3_000);
    expect(await of(newId())).toBeNull();
  });
});

test('a take-over leaves a line with the task and the worker that died', async () => {
  const [id, sweeper, dead] = [await execution(), newId(), newId()];
  const minuteAgo = `clock_timestamp() - interval '60 seconds'`;
  await query(
    `insert into dagwright.workers (id, host, pid, concurrency, lease_seconds, started_at, heartbeat_at, beating_since)
     values ($1, 'h', 1, 1, 15, ${minuteAgo}, clock_timestamp() + interval '60 seconds', ${minuteAgo}), ($2, 'h', 2, 1, 15, ${minuteAgo}, ${minuteAgo}, ${minuteAgo})`,
    [sweeper, dead],
  );
  await query(
    `insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, fence, attempt_number, worker_id, started_at)
     values ($1, 'a', -1, $2, 'probe', 'running', 1, 1, $3, now()), ($1, 'p', 2, $2, 'probe', 'running', 1, 1, $3, now())`,
    [id, DEFAULT_TENANT_ID, dead],
  );
  // A server that has just been started declares nobody dead.
  await until(async () => {
    const [row] = await query<{ n: number }>('select dagwright.take_over_v1($1, 4, 10) as n', [sweeper]);
    return row!.n === 2;
  });
  const lines = await findLogLines(database, DEFAULT_TENANT_ID, id, { limit: 10 });
  expect(lines.map(({ taskId, mapIndex }) => [taskId, mapIndex]).sort()).toEqual([
    ['a', null],
    ['p', 2],
  ]);
  expect(lines[0]).toMatchObject({ level: 'warn', fields: { workerId: dead } });
});
