// What other services may call holds a row of a task only together with its execution, which it takes first. So whatever a caller's
// open transaction keeps is seen as a locked execution, which no batch waits for; no batch can meet a task that is locked alone.
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAnswer } from '../../src/db/protocol/answers.ts';
import { openSignalWait } from '../../src/db/protocol/signals.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { graph, until } from '../support/engine.ts';
import { pauseExecution } from '../support/executions.ts';
import { openProtocol, type Protocol, settleOf } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

/** By name: a call about an execution whose task `a` waits for the callback with the execution's id as its token. */
const CALLS: Record<
  string,
  {
    readonly sql: string;
    readonly isPaused?: boolean;
    readonly on?: 'signal' | 'review';
    readonly role?: string;
  }
> = {
  pause_execution: { sql: 'select dagwright.pause_execution($1::uuid)' },
  resume_execution: { sql: 'select dagwright.resume_execution($1::uuid)', isPaused: true },
  cancel_execution: { sql: 'select dagwright.cancel_execution($1::uuid)' },
  complete_callback: { sql: `select dagwright.complete_callback($1::text, '1')` },
  heartbeat_callback: { sql: 'select dagwright.heartbeat_callback($1::text)' },
  signal_execution: { sql: `select dagwright.signal_execution($1::uuid, 'go')`, on: 'signal' },
  decide_review: { sql: `select dagwright.decide_review($1::uuid, 'approved')`, on: 'review' },
  decide_review_v1: {
    sql: `select dagwright.decide_review_v1($1::uuid, 'approved', null, null, null, false)`,
    on: 'review',
    role: 'dagwright_tenant',
  },
  change_review_v1: {
    sql: `select dagwright.change_review_v1($1::uuid, 'update', '{"dueAt":"2040-01-01T00:00:00.000Z"}', true)`,
    on: 'review',
    role: 'dagwright_tenant',
  },
};

const REVIEW = {
  reviewType: 'approval',
  title: 'Pay?',
  shownHash: '00',
  priority: 5,
  assignees: [],
  requiredApprovals: 1,
  rejectAfter: 1,
  selfApproval: true,
  onExpire: 'expire',
  escalateTo: [],
  notifies: false,
};

/** An execution, and what the call names: itself, or the review that its task waits for. */
async function arrange({
  isPaused = false,
  on,
}: (typeof CALLS)[string]): Promise<{ id: string; named: string }> {
  const { id, claim } = await protocol.open(graph('a -> b; c'));
  const key = createHash('sha256').update(id).digest();
  const pool = protocol.engine.database.engine;
  if (on === 'review') {
    const end = { kind: 'inReview', reviewJson: JSON.stringify(REVIEW) } as const;
    await protocol.calls.settles.call(settleOf(id, { claim, end }));
    const { rows } = await pool.query(
      'select id from dagwright.human_tasks where workflow_execution_id = $1',
      [id],
    );
    return { id, named: rows[0].id };
  }
  const kind = on ?? 'callback';
  if (kind === 'signal')
    await openSignalWait(pool, id, claim, { key, names: ['go'], readsJson: null, timeoutMs: 60_000 });
  else await openAnswer(pool, id, claim, { kind, key, timeoutMs: 60_000, heartbeatMs: 30_000 });
  await protocol.calls.settles.call(
    settleOf(id, { claim, end: { kind: 'waiting', on: kind, delayMs: 60_000 } }),
  );
  if (isPaused) await pauseExecution(protocol.engine.database, DEFAULT_TENANT_ID, id);
  return { id, named: id };
}

/** A transaction of another service, and its process in the server. */
async function beginAs(
  role = 'dagwright_caller',
): Promise<{ readonly client: pg.PoolClient; readonly pid: number }> {
  const client = await protocol.engine.database.engine.connect();
  await client.query('begin');
  await client.query(`select set_config('app.current_tenant_id', $1, true)`, [DEFAULT_TENANT_ID]);
  await client.query(`set local role ${role}`);
  const { rows } = await client.query('select pg_backend_pid() as pid');
  return { client, pid: rows[0].pid };
}

/** Rows of this execution that nobody has locked now: itself, and its tasks. */
async function findFree(id: string): Promise<{ execution: number; tasks: number }> {
  const { rows } = await protocol.engine.database.engine.query(
    `select (select count(*) from (select from dagwright.workflow_executions where id = $1 for no key update skip locked) o)::int as execution,
      (select count(*) from (select from dagwright.task_executions where workflow_execution_id = $1 for no key update skip locked) t)::int as tasks`,
    [id],
  );
  return rows[0];
}

test.each(Object.entries(CALLS))(
  '%s takes the execution before its tasks, and keeps both',
  async (_, call) => {
    const { id, named } = await arrange(call);
    expect(await findFree(id)).toEqual({ execution: 1, tasks: 3 });
    const holder = await protocol.engine.database.engine.connect();
    await holder.query('begin');
    await holder.query('select from dagwright.workflow_executions where id = $1 for no key update', [id]);
    const caller = await beginAs(call.role);
    try {
      const called = caller.client.query(call.sql, [named]);
      await until(
        async () =>
          (
            await protocol.engine.query<{ n: number }>('select cardinality(pg_blocking_pids($1)) as n', [
              caller.pid,
            ])
          )[0]!.n,
      );
      expect(await findFree(id)).toEqual({ execution: 0, tasks: 3 });
      await holder.query('rollback');
      await called;
      const free = await findFree(id);
      expect(free.execution).toBe(0);
      // It does lock tasks, so that this test can fail.
      expect(free.tasks).toBeLessThan(3);
    } finally {
      holder.release();
      await caller.client.query('rollback');
      caller.client.release();
    }
  },
);

test('no other function that a caller or a tenant may call reaches a task, nor may they lock its row themselves', async () => {
  const functions = await protocol.engine.query<{ name: string; text: string; isPublic: boolean }>(
    `select proname as name, prosrc as text, has_function_privilege('dagwright_caller', oid, 'execute')
       or has_function_privilege('dagwright_tenant', oid, 'execute') as "isPublic"
     from pg_proc where pronamespace = 'dagwright'::regnamespace`,
  );
  const texts = new Map<string, string>();
  for (const { name, text } of functions)
    texts.set(name, `${texts.get(name) ?? ''}\n${text.replace(/--.*$/gm, '')}`);
  const reached = (name: string, seen = new Set<string>()): boolean => {
    if (seen.has(name)) return false;
    seen.add(name);
    const text = texts.get(name) ?? '';
    if (/\btask_executions\b/.test(text)) return true;
    return [...text.matchAll(/dagwright\.(\w+)\s*\(/g)].some(([, called]) => reached(called!, seen));
  };
  const reaching = functions
    .filter(({ name, isPublic }) => isPublic && reached(name))
    .map(({ name }) => name);
  expect(functions.filter(({ isPublic }) => isPublic).length).toBeGreaterThan(Object.keys(CALLS).length);
  expect([...new Set(reaching)].sort()).toEqual(Object.keys(CALLS).sort());
  const [rights] = await protocol.engine.query(
    `select bool_or(has_any_column_privilege(role, 'dagwright.task_executions', 'update')
       or has_table_privilege(role, 'dagwright.task_executions', 'delete')) as any
     from unnest(array['dagwright_caller', 'dagwright_tenant']) role`,
  );
  expect(rights).toEqual({ any: false });
});
