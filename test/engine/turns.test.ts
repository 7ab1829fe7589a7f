// Neighbours at the workers' doors: a tenant's flood, its priorities and its limits hold no other tenant up. What is measured is how
// much of the one began before the other, not how long it took.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { type StartRequest, startExecutions } from '../../src/db/executions/execution-starts.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';

const SLOTS = 4;
let engine: Engine;
let flooding: string;
let neighbour: string;

beforeEach(async () => {
  engine = await openEngine({ concurrency: SLOTS });
  flooding = await addTenant('flooding');
  neighbour = await addTenant('neighbour');
});
afterEach(async () => {
  await engine.expectSound();
  await engine.close();
});

async function addTenant(name: string): Promise<string> {
  const id = newId();
  await engine.query('insert into dagwright.tenants (id, name) values ($1, $2)', [id, name]);
  await applyDefinition(engine.database, id, { ...graph('step'), workflowId: name }, 'test');
  return id;
}

async function start(tenantId: string, n: number, request: Partial<StartRequest> = {}): Promise<string[]> {
  const workflowId = tenantId === flooding ? 'flooding' : 'neighbour';
  const requests = Array.from({ length: n }, () => ({
    workflowId,
    triggerType: 'manual' as const,
    input: workflowId,
    ...request,
  }));
  const started = await startExecutions(engine.database.engine, tenantId, requests);
  return started.map((one) => (one.ok ? one.id : one.problem));
}

const open = async (tenantId: string) =>
  (
    await engine.query<{ n: number }>(
      `select count(*)::int as n from dagwright.workflow_executions where tenant_id = $1 and status in ('pending', 'running')`,
      [tenantId],
    )
  )[0]!.n;
const drained = () => until(async () => (await open(flooding)) + (await open(neighbour)) === 0);

describe('a flood', () => {
  test('holds up a neighbour by no more than what is under way and was fetched', async () => {
    let begun = 0;
    let isMeasured = false;
    const before: number[] = [];
    engine.bodies.step = async ({ input }) => {
      if (input === 'flooding') begun++;
      else before.push(begun);
      if (!isMeasured) await pause(150);
    };
    await start(flooding, 160, { priority: 10 });
    await until(async () => begun > 2 * SLOTS);
    const late: number[] = [];
    for (let k = 0; k < 4; k++) {
      const at = begun;
      const [id] = await start(neighbour, 1, { priority: 1 });
      await until(async () => before.length > k);
      late.push(before[k]! - at);
      expect(id).toMatch(/-/);
    }
    // Slots and as many jobs that a worker has fetched ahead, for each time a pass may come late.
    expect(Math.max(...late)).toBeLessThanOrEqual(10 * SLOTS);
    expect(begun).toBeLessThan(160);
    isMeasured = true;
    await drained();
  });

  test('of tasks that do not end keeps no neighbour out: each has a slot of the reserve, and no more', async () => {
    const held = gate();
    const running = { flooding: 0, neighbour: 0 };
    engine.bodies.step = async ({ input }) => {
      running[input as keyof typeof running]++;
      if (input !== 'quick') await held.opened;
    };
    await start(flooding, 5 * SLOTS, { priority: 10 });
    await until(async () => running.flooding === SLOTS);
    const [id] = await start(neighbour, 1, { input: 'quick' });
    await until(async () => (await open(neighbour)) === 0);
    expect(id).toMatch(/-/);
    await start(neighbour, 3);
    await until(async () => running.neighbour === 1);
    await pause(300);
    expect(running).toMatchObject({ flooding: SLOTS, neighbour: 1 });
    held.open();
    await drained();
  });

  test('of starts in a transaction that its caller keeps open stops nobody', async () => {
    engine.bodies.step = () => pause(5);
    const caller = new pg.Client({ connectionString: engine.database.directUrl });
    await caller.connect();
    try {
      await caller.query('begin');
      await caller.query(`select set_config('app.current_tenant_id', $1, true)`, [flooding]);
      for (let k = 0; k < 20; k++) await caller.query(`select dagwright.start_workflow('flooding')`);
      await start(flooding, 20);
      await start(neighbour, 5);
      await drained();
      await caller.query('commit');
    } finally {
      await caller.end();
    }
    await drained();
  });
});

describe('max_running_tasks', () => {
  const limit = (max: number | null) =>
    engine.query('update dagwright.tenants set max_running_tasks = $2 where id = $1', [flooding, max]);

  test('holds for executions and for the parts of one, and leaves the slots to others', async () => {
    await limit(2);
    let running = 0;
    let most = 0;
    const held = gate();
    engine.bodies.step = async ({ input }) => {
      if (input === 'neighbour') return;
      most = Math.max(most, ++running);
      await held.opened;
      await pause(10);
      running--;
    };
    await start(flooding, 12);
    await until(async () => running === 2);
    await start(neighbour, 6);
    await until(async () => (await open(neighbour)) === 0);
    expect(running).toBe(2);
    held.open();
    await drained();
    expect(most).toBe(2);
  });

  test('that is lifted lets all go on', async () => {
    await limit(1);
    const held = gate();
    let running = 0;
    engine.bodies.step = async () => {
      running++;
      await held.opened;
    };
    await start(flooding, 4);
    await until(async () => running === 1);
    await limit(null);
    await until(async () => running === 4);
    held.open();
    await drained();
  });
});

describe('limits of starts', () => {
  const limits = (perMinute: number | null, waiting: number | null) =>
    engine.query(
      'update dagwright.tenants set max_starts_per_minute = $2, max_waiting_executions = $3 where id = $1',
      [flooding, perMinute, waiting],
    );

  test('starts a minute: what is beyond is refused, others are not, and a key keeps its answer', async () => {
    await limits(3, null);
    const [first] = await start(flooding, 1, { idempotencyKey: 'k' });
    const more = await start(flooding, 4);
    expect(more.filter((one) => one === 'too_many_starts')).toHaveLength(2);
    expect(await start(flooding, 1)).toEqual(['too_many_starts']);
    expect(await start(flooding, 1, { idempotencyKey: 'k' })).toEqual([first]);
    expect(await start(flooding, 1, { idempotencyKey: 'new' })).toEqual(['too_many_starts']);
    expect((await start(neighbour, 5)).join()).not.toContain('too_many');
    await limits(4, null);
    expect((await start(flooding, 1, { idempotencyKey: 'new' }))[0]).toMatch(/-/);
    await drained();
  });

  test('waiting executions, also from SQL in one transaction', async () => {
    const held = gate();
    engine.bodies.step = () => held.opened;
    await start(flooding, SLOTS);
    await until(async () => engine.entered.length === SLOTS);
    await limits(null, 3);
    expect(await start(flooding, 2)).not.toContain('too_many_waiting');
    const caller = new pg.Client({ connectionString: engine.database.directUrl });
    await caller.connect();
    try {
      await caller.query('begin');
      await caller.query(`select set_config('app.current_tenant_id', $1, true)`, [flooding]);
      await caller.query(`select dagwright.start_workflow('flooding')`);
      await expect(caller.query(`select dagwright.start_workflow('flooding')`)).rejects.toMatchObject({
        code: '53400',
        message: 'the tenant has as many executions waiting as it may',
      });
      await caller.query('rollback');
    } finally {
      await caller.end();
    }
    held.open();
    await drained();
  });
});
