// An execution is opened the same way by whatever opens it: from the queue, with its start, and as a worker of the release before does.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { startAndOpen } from '../../src/db/executions/execution-starts.ts';
import { openBatch } from '../../src/db/protocol/openings.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { graph } from '../support/engine.ts';
import { openProtocol, type Protocol } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const flow = graph('a -> c; b -> c');
const rows = [
  { t: 'a', ty: 'probe', p: 0, c: 1 },
  { t: 'b', ty: 'probe', p: 0, c: 2 },
  { t: 'c', ty: 'probe', p: 2, ea: 1, st: true },
];
const plan = { deadlineSeconds: 60, rowsJson: JSON.stringify(rows), rowCount: 3, hasReady: true };
const pool = () => protocol.engine.database.engine;

async function pending(): Promise<string> {
  await protocol.engine.apply(flow);
  return await protocol.engine.start(flow.workflowId);
}

/** What is stored, without what differs from one execution to the next; moments as their distance from the start. */
async function storedOf(id: string) {
  const [stored] = await protocol.engine.query(
    `select o.status, o.open_tasks, o.failed_tasks, o.input, extract(epoch from o.deadline_at - o.started_at)::int as seconds,
       o.started_at >= o.created_at as "startedAfter",
       (select json_agg(json_build_array(t.task_id, t.task_type, t.status, t.pending_edges, t.early, t.stays_after_failure, t.fence,
          t.attempt_number, t.worker_id, t.queued_ms, t.started_at = o.started_at, t.ready_at = o.started_at) order by t.task_id)
        from dagwright.task_executions t where t.workflow_execution_id = o.id) as tasks
     from dagwright.workflow_executions o where o.id = $1`,
    [id],
  );
  return { ...stored, readyJobs: await protocol.jobsFor(id, 'b') };
}

const EXPECTED = () => ({
  ...{ status: 'running', open_tasks: 3, failed_tasks: 0, input: {}, seconds: 60, startedAfter: true },
  tasks: [
    ['a', 'probe', 'running', 0, 0, false, 1, 1, protocol.worker.id, 0, true, null],
    ['b', 'probe', 'pending', 0, 0, false, 0, 0, null, null, null, true],
    ['c', 'probe', 'pending', 2, 1, true, 0, 0, null, null, null, null],
  ],
  readyJobs: 1,
});

async function startOpened(id = newId(), workflowId = flow.workflowId) {
  await protocol.engine.apply(flow);
  const accepted: unknown[] = [];
  const offer = {
    plan,
    accept: (execution: unknown, atMs: number) => void accepted.push([execution, atMs]),
    withdraw: () => void accepted.push('withdrawn'),
    lose: () => void accepted.push('lost'),
  };
  const request = { id, workflowId, revision: 1, triggerType: 'manual' as const };
  const answers = await startAndOpen(pool(), DEFAULT_TENANT_ID, protocol.worker, [
    { request, versionId: newId(), offer },
  ]);
  return { id, answers, accepted };
}

test.each<[string, () => Promise<string>]>([
  [
    'from the queue',
    async () => {
      const executionId = await pending();
      await openBatch(pool(), protocol.worker, [{ executionId, plan, isUnread: false }]);
      return executionId;
    },
  ],
  ['with its start', async () => (await startOpened()).id],
  [
    'by a worker of the release before',
    async () => {
      const e = await pending();
      const x = JSON.stringify([{ e, deadline: 60, n: 3, ready: true, rows }]);
      const { rows: opened } = await pool().query('select e from dagwright.open_v2($1, $2, $3)', [
        protocol.worker.id,
        protocol.worker.slots,
        x,
      ]);
      expect(opened).toEqual([{ e }]);
      return e;
    },
  ],
  [
    'with its start, by a worker of the release before',
    async () => {
      await protocol.engine.apply(flow);
      const e = newId();
      const p = [{ i: 0, id: e, workflowId: flow.workflowId, triggerType: 'manual', input: {}, open: true }];
      const openings = [{ e, deadline: 60, n: 3, ready: true, rows }];
      const { rows: answers } = await pool().query(
        'select i, id from dagwright.start_and_open_v2($1, $2, $3, $4, $5)',
        [
          DEFAULT_TENANT_ID,
          JSON.stringify(p),
          protocol.worker.id,
          protocol.worker.slots,
          JSON.stringify(openings),
        ],
      );
      expect(answers).toEqual([
        { i: 0, id: e },
        { i: null, id: e },
      ]);
      return e;
    },
  ],
])('%s', async (_, open) => {
  const id = await open();
  expect(await storedOf(id)).toEqual(EXPECTED());
});

test('what was opened is no job to open, and opened again it stays as it is', async () => {
  const { id, accepted } = await startOpened();
  expect(accepted).toHaveLength(1);
  expect(await protocol.jobsFor(id, null)).toBe(0);
  const before = await protocol.rowsOf(id);
  expect(await startOpened(id)).toMatchObject({
    answers: [{ ok: true, id, existing: false }],
    accepted: ['withdrawn'],
  });
  expect(await openBatch(pool(), protocol.worker, [{ executionId: id, plan, isUnread: true }])).toEqual(
    new Map(),
  );
  expect(await protocol.rowsOf(id)).toEqual(before);
});

test('where tasks need permits nothing is opened with its start, and there is a job', async () => {
  const permits = (most: number | null) =>
    protocol.engine.query('update dagwright.tenants set max_running_tasks = $2 where id = $1', [
      DEFAULT_TENANT_ID,
      most,
    ]);
  await permits(5);
  try {
    const { id, accepted } = await startOpened();
    expect(accepted).toEqual(['withdrawn']);
    expect(await storedOf(id)).toMatchObject({
      status: 'pending',
      open_tasks: 0,
      seconds: null,
      tasks: null,
    });
    expect(await protocol.jobsFor(id, null)).toBe(1);
  } finally {
    await permits(null);
  }
});

test('a batch sends the rows of a revision once, and tells what each execution is that nobody has read', async () => {
  const ids = [await pending(), await pending(), await pending()];
  const sent: string[] = [];
  const db = {
    query: (config: { text: string; values: string[] }) => {
      sent.push(config.values.join());
      return pool().query(config);
    },
  };
  const opened = await openBatch(
    db as never,
    protocol.worker,
    ids.map((executionId, i) => ({ executionId, plan, isUnread: i === 1 })),
  );
  expect(sent.join().split(plan.rowsJson)).toHaveLength(2);
  expect([opened.get(ids[0]!), opened.get(ids[1]!)]).toMatchObject([
    { row: null },
    {
      row: {
        ...{ id: ids[1], tenantId: DEFAULT_TENANT_ID, workflowId: flow.workflowId, revision: 1, input: {} },
        ...{ status: 'running', openTasks: 3, failedTasks: 0, triggerType: 'manual', trigger: null },
      },
    },
  ]);
});
