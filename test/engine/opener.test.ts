// Executions that the process of a worker starts: opened in the commit of the start where a slot is free, without a job.
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { startAndOpen } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import type { Worker } from '../../src/engine/worker/worker.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';

const SLOTS = 4;
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ concurrency: SLOTS, faults: false });
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

// A program: what a person starts leaves a row of the audit trail besides.
const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'key:01a1fa0b-a5f8-786d-8779-39134096f0eb' };
const startsOf = (worker: Worker) =>
  createStarts({
    database: engine.database,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    opener: () => worker.opener,
  });
async function start(
  workflowId: string,
  {
    worker = engine.worker,
    idempotencyKey,
    actor = acting.actor,
  }: { worker?: Worker; idempotencyKey?: string; actor?: string } = {},
): Promise<string> {
  const request = { workflowId, triggerType: 'manual' as const, idempotencyKey };
  const started = await startsOf(worker).start({ ...acting, actor }, request);
  if (!started.ok) throw new Error(started.problems[0]!.message);
  return started.id;
}
const jobs = async () =>
  (await engine.query<{ n: number }>('select count(*)::int as n from dagwright.jobs_v1()'))[0]!.n;

/** Names of the statements that this process sends meanwhile. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  const original = pg.Client.prototype.query as unknown as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...args: unknown[]
  ) {
    const [first] = args as [string | { name?: string }];
    if (typeof first === 'object' && first.name !== undefined) names.push(first.name);
    return original.apply(this, args) as never;
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return names;
}
const ENGINE = /^(start|open|claim|settle|load_executions|finish)/;

test('what a worker knows is opened with its start: no job, and each task begun once', async () => {
  const flow = graph('a -> b; a -> c; b -> d; c -> d');
  await engine.run(flow);
  let id = '';
  const names = await statementsOf(async () => {
    id = await start(flow.workflowId);
    await engine.ended(id);
  });
  expect(names.filter((name) => ENGINE.test(name))).not.toContain('start_executions_v1');
  expect(names.filter((name) => /^(start|open)/.test(name))).toEqual(['start_and_open_v3']);
  expect((await engine.ended(id)).states).toBe('a completed, b completed, c completed, d completed');
  expect(
    await engine.query(
      `select distinct fence::int, attempt_number from dagwright.task_executions where workflow_execution_id = $1`,
      [id],
    ),
  ).toEqual([{ fence: 1, attempt_number: 1 }]);
});

test('of several roots the worker takes one, and the others are found', async () => {
  const flow = graph('a; b; c; a -> d; b -> d');
  await engine.run(flow);
  const run = await engine.ended(await start(flow.workflowId));
  expect(run.states).toBe('a completed, b completed, c completed, d completed');
});

test('a start by hand is opened in its commit as well, with its row of the audit trail', async () => {
  const flow = graph('a');
  await engine.apply(flow);
  await engine.ended(await start(flow.workflowId));
  let id = '';
  const names = await statementsOf(async () => {
    id = await start(flow.workflowId, { actor: 'user:alice', idempotencyKey: 'by hand' });
    await engine.ended(id);
  });
  expect(names.filter((name) => /^(start|open)/.test(name))).toEqual(['start_and_open_v3 by hand']);
  expect(await start(flow.workflowId, { actor: 'user:alice', idempotencyKey: 'by hand' })).toBe(id);
  const rows = await engine.query(
    `select actor, action, new_values as values from dagwright.audit_logs where resource_id = $1`,
    [id],
  );
  expect(rows).toEqual([
    {
      ...{ actor: 'user:alice', action: 'executions.start' },
      values: { workflowId: flow.workflowId, revision: 1, triggerType: 'manual' },
    },
  ]);
});

test('a revision that the worker has not seen goes by the queue', async () => {
  const flow = graph('new -> newer');
  await engine.apply(flow);
  const names = await statementsOf(async () => void (await engine.ended(await start(flow.workflowId))));
  expect(names).toContain('start_executions_v1');
  expect(names).not.toContain('start_and_open_v3');
});

test('never more attempts at once than slots: what finds none waits in the queue, or goes to another worker', async () => {
  const flow = graph('held -> after');
  await engine.run(flow);
  const opened = gate();
  let underWay = 0;
  engine.bodies.held = async () => {
    underWay++;
    await opened.opened;
  };
  const ids = await Promise.all(Array.from({ length: SLOTS * 2 }, () => start(flow.workflowId)));
  await until(async () => underWay === SLOTS);
  expect(await until(jobs)).toBeGreaterThan(0);
  // The jobs that the full worker has fetched are given back, and found by whoever has room.
  const other = await engine.addWorker({ concurrency: SLOTS });
  await until(async () => underWay === SLOTS * 2);
  expect([engine.worker.running, other.running]).toEqual([SLOTS, SLOTS]);
  opened.open();
  const runs = await Promise.all(ids.map((id) => engine.ended(id)));
  delete engine.bodies.held;
  expect(new Set(runs.map(({ states }) => states))).toEqual(new Set(['held completed, after completed']));
  await other.stop();
});

test('a draining worker opens nothing', async () => {
  const flow = graph('a');
  await engine.run(flow);
  const leaving = await engine.addWorker({ concurrency: SLOTS });
  await engine.ended(await start(flow.workflowId, { worker: leaving }));
  const stopped = leaving.stop();
  expect(leaving.opener.offer(newId(), 9)).toBeNull();
  const names = await statementsOf(async () => {
    await engine.ended(await start(flow.workflowId, { worker: leaving }));
  });
  expect(names).toContain('start_executions_v1');
  await stopped;
});

test('a worker does not end before a start that it offered to open is decided, and drains what it opened', async () => {
  const flow = graph('a -> b');
  await engine.run(flow);
  const leaving = await engine.addWorker({ concurrency: SLOTS });
  const [version] = await engine.query<{ id: string }>(
    'select id from dagwright.workflow_versions where workflow_id = $1',
    [flow.workflowId],
  );
  const { opener } = leaving;
  // It learns the plan from a job, and jobs go to whoever is first.
  const offer = await until(async () => {
    await engine.ended(await start(flow.workflowId, { worker: leaving }));
    return opener.offer(version!.id, 9);
  });
  const [mayCommit, mayEnd] = [gate(), gate()];
  engine.bodies.a = () => mayEnd.opened;
  const request = { id: newId(), workflowId: flow.workflowId, revision: 1, triggerType: 'manual' as const };
  const db = {
    async query(config: never) {
      await mayCommit.opened;
      return await engine.database.engine.query(config);
    },
  };
  const starting = startAndOpen(db as never, DEFAULT_TENANT_ID, opener.worker, [
    { request, versionId: version!.id, offer },
  ]);
  let hasStopped = false;
  const stopping = leaving.stop().finally(() => {
    hasStopped = true;
  });
  mayCommit.open();
  await starting;
  expect([hasStopped, leaving.running]).toEqual([false, 1]);
  mayEnd.open();
  await stopping;
  delete engine.bodies.a;
  expect((await engine.ended(request.id)).states).toBe('a completed, b completed');
});

test('a job of a revision that the worker knows is opened before it is read; where a schema judges its input, after', async () => {
  const flow = graph('a');
  const judged = graph('a', { more: { inputSchema: { type: 'object', required: ['n'] } } });
  await engine.run(flow);
  await engine.run(judged, { input: { n: 1 } });
  const statements = (workflowId: string, input: { n?: number }) =>
    statementsOf(async () => void (await engine.ended(await engine.start(workflowId, { input }))));
  expect((await statements(flow.workflowId, {})).filter((name) => ENGINE.test(name))).toEqual([
    'start_executions_v1 within',
    'open_v3',
    'settle_one_v1',
  ]);
  expect((await statements(judged.workflowId, { n: 1 })).filter((name) => ENGINE.test(name))).toEqual([
    'start_executions_v1 within',
    'load_executions',
    'open_v3',
    'settle_one_v1',
  ]);
});

test('what is too large to be opened while others wait goes by the queue', async () => {
  const large = graph(Array.from({ length: 1_001 }, (_, i) => `n${i}`).join('; '), {
    more: { maxRetries: 0 },
  });
  const middle = graph(Array.from({ length: 600 }, (_, i) => `n${i}`).join(' -> '));
  for (const flow of [large, middle]) await engine.run(flow);
  const names = await statementsOf(async () => void (await engine.ended(await start(large.workflowId))));
  expect(names).not.toContain('start_and_open_v3');
  // Of two that share a commit the second finds no room in it.
  const starts = startsOf(engine.worker);
  const request = { workflowId: middle.workflowId, triggerType: 'manual' as const };
  const both = await statementsOf(async () => {
    const started = await Promise.all([starts.start(acting, request), starts.start(acting, request)]);
    for (const one of started) await engine.ended(one.ok ? one.id : '');
  });
  expect(both.filter((name) => /^(start|open)/.test(name))).toEqual(['start_and_open_v3', 'open_v3']);
});

test('a start that is refused, repeated or sent twice gives its slot back', async () => {
  const flow = graph('a');
  await engine.run(flow);
  const key = { idempotencyKey: 'once' };
  const first = await start(flow.workflowId, key);
  for (let i = 0; i < SLOTS * 2; i++) expect(await start(flow.workflowId, key)).toBe(first);
  const become = (status: string) =>
    engine.query('update dagwright.workflow_definitions set status = $2 where workflow_id = $1', [
      flow.workflowId,
      status,
    ]);
  await become('draft');
  for (let i = 0; i < SLOTS * 2; i++) await expect(start(flow.workflowId)).rejects.toThrow(/not active/);
  await become('active');
  await until(async () => engine.worker.running === 0);
  const names = await statementsOf(async () => void (await engine.ended(await start(flow.workflowId))));
  expect(names).toContain('start_and_open_v3');
});

test('an answer that is lost after the commit: the start is sent again, and the claim comes back to a lane', async () => {
  const flow = graph('a -> b');
  await engine.run(flow);
  const [version] = await engine.query<{ id: string }>(
    'select id from dagwright.workflow_versions where workflow_id = $1',
    [flow.workflowId],
  );
  const { worker } = engine.worker.opener;
  const request = { id: newId(), workflowId: flow.workflowId, revision: 1, triggerType: 'manual' as const };
  const versionId = version!.id;
  const offer = engine.worker.opener.offer(versionId, 9)!;
  const lost = Object.assign(new Error('Connection terminated'), { code: '08006' });
  const db = {
    async query(config: never) {
      await engine.database.engine.query(config);
      throw lost;
    },
  };
  await expect(
    startAndOpen(db as never, DEFAULT_TENANT_ID, worker, [{ request, versionId, offer }]),
  ).rejects.toBe(lost);
  const again = engine.worker.opener.offer(versionId, 9)!;
  expect(
    await startAndOpen(engine.database.engine, DEFAULT_TENANT_ID, worker, [
      { request, versionId, offer: again },
    ]),
  ).toEqual([{ ok: true, id: request.id, existing: false }]);
  const run = await engine.ended(request.id);
  expect(run.states).toBe('a completed, b completed');
  expect(run.task('a').attempt).toBe(1);
});
