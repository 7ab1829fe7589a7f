// What the engine asks of the database: when idle, per step, and beside 100,000 tasks that wait. It counts statements, so
// none of them fails by intent.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Engine, failing, graph, openEngine, until } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ faults: false });
});
afterAll(() => engine.close());

/** Statements that this process sends while `work` runs, by name or beginning. The heartbeat's thread is not among them. */
async function statementsOf(work: () => Promise<unknown>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...args: unknown[]
  ) {
    const [first] = args as [string | { name?: string; text?: string }];
    const name = typeof first === 'string' ? first : (first.name ?? first.text ?? '');
    counts.set(name.slice(0, 40), (counts.get(name.slice(0, 40)) ?? 0) + 1);
    return (original as (...all: unknown[]) => unknown).apply(this, args) as never;
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return counts;
}
const original = pg.Client.prototype.query;
const totalOf = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, n) => sum + n, 0);

test('an idle worker sends fewer than 2.5 statements a second, heartbeats included', async () => {
  await pause(500);
  const seconds = 6;
  const counts = await statementsOf(() => pause(seconds * 1000));
  const beats = Math.ceil(seconds / 3);
  expect((totalOf(counts) + beats) / seconds, JSON.stringify([...counts])).toBeLessThan(2.5);
});

test('a chain of 50 steps costs one settle a step, and hardly anything else', async () => {
  const chain = graph(Array.from({ length: 50 }, (_, i) => `s${i}`).join(' -> '));
  await engine.run(chain);
  const counts = await statementsOf(async () => {
    const run = await engine.ended(await engine.start(chain.workflowId));
    expect(run.execution.status).toBe('completed');
  });
  const settles = [...counts]
    .filter(([name]) => name.startsWith('settle_'))
    .reduce((sum, [, n]) => sum + n, 0);
  expect(settles).toBe(50);
  // Besides: start, open, what the test itself reads; a claim where the chain outlasted its lane, a tick now and then.
  expect(totalOf(counts), JSON.stringify([...counts])).toBeLessThan(50 + 40);
});

/** Rows of our two hot tables that were read, and sequential scans of them, as far as backends have reported. */
async function readsOf(admin: pg.Client): Promise<{ rows: number; scans: number }> {
  const { rows } = await admin.query(
    `select sum(seq_tup_read + idx_tup_fetch)::int as rows, sum(seq_scan)::int as scans from pg_stat_user_tables
     where schemaname = 'dagwright' and relname in ('task_executions', 'workflow_executions')`,
  );
  return rows[0];
}

test('beside 100,000 waiting tasks no slot is held, ticks read next to nothing, and no statement scans a table', async () => {
  const loaded = await openEngine({ faults: false });
  const admin = new pg.Client({ connectionString: loaded.database.url });
  await admin.connect();
  try {
    const waits = graph('p', {
      tasks: {
        p: {
          taskType: 'parallel',
          config: { items: [1], task: { taskType: 'wait', config: { seconds: 86_400 } } },
        },
      },
      more: { timeoutSeconds: 1_000_000 },
    });
    await loaded.apply(waits);
    const id = await loaded.start(waits.workflowId);
    const isWaiting = () =>
      loaded.query(
        `select 1 from dagwright.task_executions where workflow_execution_id = $1 and map_index = 0 and status = 'waiting'`,
        [id],
      );
    await until(async () => (await isWaiting()).length);
    await loaded.query(
      `insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, fence, attempt_number, waiting_on, wake_at, started_at)
       select workflow_execution_id, task_id, g, tenant_id, task_type, status, fence, attempt_number, waiting_on, wake_at + g * interval '1 second', started_at
       from dagwright.task_executions, generate_series(1, 99999) g where workflow_execution_id = $1 and map_index = 0`,
      [id],
    );
    await loaded.query(
      `update dagwright.task_executions set items_total = 100000, items_issued = 100000, items_open = 100000, items_needed = 100000 where workflow_execution_id = $1 and map_index = -1`,
      [id],
    );
    expect(loaded.worker.running).toBe(0);

    // Reports of what was inserted have to be in before it is measured: a backend reports once a second.
    await pause(1500);
    const before = await readsOf(admin);
    await pause(3000);
    const idle = await readsOf(admin);
    expect(idle.rows - before.rows).toBeLessThan(2_000);

    const runs = await Promise.all([
      loaded.run(graph(Array.from({ length: 50 }, (_, i) => `s${i}`).join(' -> '))),
      loaded.run(graph('f -> a -> b; f -!-> c; d -> e', { tasks: { f: failing() } })),
      loaded.run(graph('x; y -> z', { failurePolicy: 'fail_fast', tasks: { x: failing() } })),
      loaded.run(
        graph('q -> r', {
          tasks: {
            q: {
              taskType: 'parallel',
              config: { items: [1, 2, 3, 4, 5, 6], task: { taskType: 'probe' }, maxConcurrency: 2 },
            },
          },
        }),
      ),
      loaded.run(graph('v', { tasks: { v: { taskType: 'wait', config: { seconds: 0.2 } } } })),
    ]);
    expect(runs.map(({ execution }) => execution.status)).toEqual([
      'completed',
      'completed',
      'failed',
      'completed',
      'completed',
    ]);

    expect(await loaded.query('select dagwright.reconcile_v1(8) as repaired')).toEqual([{ repaired: 0 }]);

    // 300 timers become due: only they are read.
    await loaded.query(
      `update dagwright.task_executions set wake_at = clock_timestamp() where workflow_execution_id = $1 and task_id = 'p' and map_index between 500 and 799`,
      [id],
    );
    await until(
      async () =>
        (
          await loaded.query(
            `select 1 from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'p' and map_index = -1 and items_open <= 99700`,
            [id],
          )
        ).length,
    );
    await loaded.worker.stop();
    await loaded.database.close();
    // A backend reports when it ends, and this is the only one left.
    await until(async () => {
      const { rows } = await admin.query(`select from pg_stat_activity where datname = current_database()`);
      return rows.length === 1;
    });
    const after = await readsOf(admin);

    expect(after.scans - before.scans).toBe(0);
    expect(after.rows - idle.rows).toBeLessThan(20_000);
  } finally {
    await admin.end();
    await loaded.close();
  }
});
