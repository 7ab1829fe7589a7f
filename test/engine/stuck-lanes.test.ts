// How much may wait in one worker for executions that somebody else has locked.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import type { OwnAttempt } from '../../src/engine/attempt/own-attempt.ts';
import { StuckLanes } from '../../src/engine/worker/stuck-lanes.ts';
import { isFullDepth } from '../support/depth.ts';
import { graph, openEngine, until } from '../support/engine.ts';

const SLOTS = 2;
const MOST = 8;

/** Lanes that are stuck as soon as they wait, unless a body of theirs runs. */
function arrange() {
  const attempts: Partial<OwnAttempt>[] = [];
  const performing = new Set<string>();
  const watchers = new Map<string, Set<() => void>>();
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const stuck = new StuckLanes({
    slots: SLOTS,
    log: { debug: note, info: note, warn: note, error: note },
    attempts: { all: () => attempts as OwnAttempt[], isPerforming: (id) => performing.has(id) },
    locked: {
      watch(id, onStuck) {
        const all = watchers.get(id) ?? new Set();
        watchers.set(id, all.add(onStuck));
        return () => void all.delete(onStuck);
      },
    },
  });
  const seeStuck = (id: string) => {
    for (const onStuck of watchers.get(id) ?? []) onStuck();
  };
  /** A lane of this tenant that gets stuck; `outcome` while it keeps its slot: 'waits'. */
  const addLane = async (tenantId: string, executionId: string = randomUUID()) => {
    const lane = Promise.withResolvers<void>();
    const waiting = stuck.untilEnded({ executionId, tenantId }, lane.promise);
    seeStuck(executionId);
    const soon = new Promise<'waits'>((resolve) => setImmediate(() => resolve('waits')));
    return { executionId, end: lane.resolve, outcome: await Promise.race([waiting, soon]) };
  };
  return { stuck, attempts, performing, logged, seeStuck, addLane };
}

test('a tenant whose lanes are stuck in number is put off, once and aloud, until one of them has ended', async () => {
  const { stuck, addLane, logged } = arrange();
  const lanes = [];
  for (let n = 0; n < MOST; n++) {
    expect(stuck.holdsBack('a')).toBe(false);
    lanes.push(await addLane('a'));
  }
  expect(lanes.map(({ outcome }) => outcome)).toEqual(lanes.map(() => 'stuck'));
  expect([stuck.holdsBack('a'), stuck.holdsBack('a'), stuck.holdsBack('b'), stuck.isFull]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect(logged).toHaveLength(1);
  lanes[0]!.end();
  await new Promise(setImmediate);
  expect([stuck.holdsBack('a'), stuck.isFull]).toEqual([false, false]);
});

test('results that wait weigh by their megabytes', async () => {
  const { stuck, addLane, attempts } = arrange();
  const { executionId } = await addLane('a');
  attempts.push({ executionId, endBytes: 6_900_000 }, { executionId: 'another', endBytes: 50_000_000 });
  expect(stuck.holdsBack('a')).toBe(false);
  attempts.push({ executionId, endBytes: 100_000 });
  expect(stuck.holdsBack('a')).toBe(true);
});

test('a tenant with less than its share of what waits is not put off for another', async () => {
  const { stuck, addLane } = arrange();
  for (let n = 0; n < MOST; n++) await addLane('a');
  for (let n = 0; n < MOST / 2; n++) {
    expect(stuck.holdsBack('b')).toBe(false);
    await addLane('b');
  }
  expect([stuck.holdsBack('a'), stuck.holdsBack('b'), stuck.holdsBack('c')]).toEqual([true, true, false]);
});

test('however many tenants there are, lanes keep their slots from four times as many on', async () => {
  const { addLane } = arrange();
  const outcomes: string[] = [];
  for (let n = 0; n < 4 * MOST + SLOTS; n++) outcomes.push((await addLane(`tenant ${n}`)).outcome);
  expect(outcomes).toEqual([...Array(4 * MOST).fill('stuck'), ...Array(SLOTS).fill('waits')]);
});

test('a lane is not stuck while a body of its execution runs', async () => {
  const { addLane, performing, seeStuck, stuck } = arrange();
  performing.add('x');
  expect((await addLane('a', 'x')).outcome).toBe('waits');
  performing.delete('x');
  seeStuck('x');
  await new Promise(setImmediate);
  expect(stuck.holdsBack('a')).toBe(false);
  for (let n = 1; n < MOST; n++) await addLane('a');
  expect(stuck.holdsBack('a')).toBe(true);
});

// Lanes are stuck after a second, and jobs are put off for five at least.
test.runIf(isFullDepth)(
  'a client that holds many executions gets four lanes per slot of a worker, and another tenant goes on',
  async () => {
    const engine = await openEngine({ concurrency: 1, faults: false });
    try {
      const other = randomUUID();
      await engine.query(`insert into dagwright.tenants (id, name, status) values ($1, 'other', 'active')`, [
        other,
      ]);
      const definition = graph('a -> b');
      await engine.apply(definition);
      await applyDefinition(engine.database, other, definition, 'test');
      let mostWaiting = 0;
      const original = pg.Client.prototype.query as unknown as (...args: unknown[]) => unknown;
      const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
        this: pg.Client,
        ...args: unknown[]
      ) {
        const [first] = args as [string | { name?: string; values?: unknown[][] }];
        if (typeof first === 'object' && first.name === 'locked_executions_v1')
          mostWaiting = Math.max(mostWaiting, first.values![0]!.length);
        return original.apply(this, args) as never;
      });
      const holder = await engine.database.engine.connect();
      try {
        await holder.query('begin; set local idle_in_transaction_session_timeout = 0');
        const ids: string[] = [];
        for (let n = 0; n < 12; n++) {
          const id = await engine.start(definition.workflowId);
          ids.push(id);
          await holder.query('select from dagwright.workflow_executions where id = $1 for update', [id]);
        }
        await until(async () =>
          engine.logged.some((line) => line.includes('jobs of their tenant are put off')),
        );
        const [started] = await startExecutions(engine.database.engine, other, [
          { workflowId: definition.workflowId, triggerType: 'manual' },
        ]);
        const id = started!.ok ? started!.id : '';
        await until(
          async () =>
            (
              await engine.query(
                `select from dagwright.workflow_executions where id = $1 and status = 'completed'`,
                [id],
              )
            ).length,
        );
        expect(mostWaiting).toBeLessThanOrEqual(MOST / SLOTS + 1);
        await holder.query('rollback');
        for (const held of ids) expect((await engine.ended(held)).execution.status).toBe('completed');
        await engine.expectSound();
      } finally {
        spy.mockRestore();
        holder.release();
      }
    } finally {
      await engine.close();
    }
  },
);
