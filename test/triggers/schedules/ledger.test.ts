// Ticks in the database: each policy over an outage, exactly; and what a call that comes late, twice or alone does.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { newId } from '../../../src/core/id.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { setDefinitionStatus } from '../../../src/db/resources/definitions.ts';
import { findSchedule } from '../../../src/db/resources/schedules.ts';
import { applyTicks, readSchedules } from '../../../src/db/triggers/schedule-ledger.ts';
import { resumeSchedule } from '../../../src/resources/schedules/schedules.ts';
import { BEGIN } from '../../support/begin.ts';
import { definition } from '../../support/engine.ts';
import { patience } from '../../support/patience.ts';
import { type Bench, clock, HOUR, makeSchedule, moveTo, openBench, WORKFLOW } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const found = (id: string) =>
  bench.engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
    findSchedule(client, DEFAULT_TENANT_ID, id),
  );

describe('an outage over six slots', () => {
  test('none: all are missed, and the next one comes', async () => {
    const schedule = await bench.overdue(6, { catchupPolicy: 'none' });
    await bench.work();
    expect(await bench.summary(schedule.id)).toBe('missed 6');
    expect(await bench.executions(schedule.id)).toEqual([]);
    expect(Date.parse((await found(schedule.id))!.nextRunAt!)).toBe(schedule.times.at(-1)! + HOUR);
  });

  test('last: the latest fires, the others are missed', async () => {
    const schedule = await bench.overdue(6);
    await bench.work();
    expect(await bench.summary(schedule.id)).toBe('missed 5, fired 1');
    const [execution, ...others] = await bench.executions(schedule.id);
    expect(others).toEqual([]);
    expect(execution!.scheduledAt).toBe(new Date(schedule.times[5]!).toISOString());
    expect(await found(schedule.id)).toMatchObject({
      lastRunAt: execution!.scheduledAt,
      lastExecutionId: execution!.id,
    });
  });

  test('all: each within the window fires, older ones are missed', async () => {
    const schedule = await bench.overdue(6, {
      catchupPolicy: 'all',
      overlapPolicy: 'allow_all',
      catchupWindowSeconds: 3 * 3600 + 60,
    });
    await bench.work();
    expect(await bench.summary(schedule.id)).toBe('missed 3, fired 3');
    expect((await bench.executions(schedule.id)).map(({ scheduledAt }) => Date.parse(scheduledAt))).toEqual(
      schedule.times.slice(3),
    );
  });

  test.each(['skip', 'buffer_one'] as const)(
    'all under %s: one runs at a time, each in its turn, in order',
    async (overlapPolicy) => {
      const schedule = await bench.overdue(4, { catchupPolicy: 'all', overlapPolicy });
      const ran: number[] = [];
      for (const [i] of schedule.times.entries()) {
        await bench.work();
        expect(await bench.summary(schedule.id)).toBe(
          i === 3 ? 'fired 4' : `fired ${i + 1}, buffered ${3 - i}`,
        );
        const open = (await bench.executions(schedule.id)).filter(({ status }) => status === 'pending');
        expect(open).toHaveLength(1);
        ran.push(Date.parse(open[0]!.scheduledAt));
        await bench.end([open[0]!.id]);
      }
      await bench.work();
      expect(ran).toEqual(schedule.times);
      expect(await bench.executions(schedule.id)).toHaveLength(4);
    },
  );

  test('all under cancel_other: only the latest fires', async () => {
    const schedule = await bench.overdue(4, { catchupPolicy: 'all', overlapPolicy: 'cancel_other' });
    await bench.work();
    expect(await bench.summary(schedule.id)).toBe('skipped_overlap 3, fired 1');
  });

  test('a month of them is told row by row, in bounded steps', async () => {
    const schedule = await bench.overdue(720, { catchupPolicy: 'last' });
    const decisions = await bench.work();
    expect(await bench.summary(schedule.id)).toBe('missed 719, fired 1');
    expect(decisions).toBe(4);
  });
});

describe('a tick that is on time', () => {
  test('fires under catchupPolicy none', async () => {
    const schedule = await makeSchedule(bench.engine, { catchupPolicy: 'none', cronExpression: '0 0 1 1 *' });
    await bench.dueNow(schedule.id);
    expect(await bench.summary(schedule.id)).toBe('fired 1');
  });

  test('skip: is skipped while its predecessor is open, and fires after', async () => {
    const schedule = await makeSchedule(bench.engine, { cronExpression: '0 0 1 1 *' });
    await bench.dueNow(schedule.id);
    await bench.dueNow(schedule.id);
    expect(await bench.summary(schedule.id)).toBe('fired 1, skipped_overlap 1');
    await bench.end((await bench.executions(schedule.id)).map(({ id }) => id));
    await bench.dueNow(schedule.id);
    expect(await bench.summary(schedule.id)).toBe('fired 1, skipped_overlap 1, fired 1');
  });

  test('buffer_one: one waits, the next is skipped; the one that waited fires when the first has ended', async () => {
    const schedule = await makeSchedule(bench.engine, {
      cronExpression: '0 0 1 1 *',
      overlapPolicy: 'buffer_one',
    });
    await bench.dueNow(schedule.id);
    const second = await bench.dueNow(schedule.id);
    await bench.dueNow(schedule.id);
    expect(await bench.summary(schedule.id)).toBe('fired 1, buffered 1, skipped_overlap 1');
    await bench.work();
    expect(await bench.executions(schedule.id)).toHaveLength(1);
    await bench.end((await bench.executions(schedule.id)).map(({ id }) => id));
    await bench.work();
    expect(await bench.summary(schedule.id)).toBe('fired 2, skipped_overlap 1');
    expect(Date.parse((await bench.executions(schedule.id))[1]!.scheduledAt)).toBe(second);
  });

  test('allow_all: all run at once', async () => {
    const schedule = await makeSchedule(bench.engine, {
      cronExpression: '0 0 1 1 *',
      overlapPolicy: 'allow_all',
    });
    for (let i = 0; i < 3; i++) await bench.dueNow(schedule.id);
    expect(await bench.summary(schedule.id)).toBe('fired 3');
    expect((await bench.executions(schedule.id)).map(({ status }) => status)).toEqual(
      Array(3).fill('pending'),
    );
  });

  test('cancel_other: the open one is cancelled in the same commit, and that is audited', async () => {
    const schedule = await makeSchedule(bench.engine, {
      cronExpression: '0 0 1 1 *',
      overlapPolicy: 'cancel_other',
    });
    await bench.dueNow(schedule.id);
    await bench.dueNow(schedule.id);
    const [first, second] = await bench.executions(schedule.id);
    expect([first!.status, second!.status]).toEqual(['cancelled', 'pending']);
    expect(
      await bench.engine.query(
        `select action, actor from dagwright.audit_logs where resource_id = $1 and action = 'executions.cancel'`,
        [first!.id],
      ),
    ).toEqual([{ action: 'executions.cancel', actor: 'system' }]);
  });
});

describe('what a schedule starts', () => {
  test('is an execution that knows its schedule and its nominal time', async () => {
    const schedule = await makeSchedule(bench.engine, {
      cronExpression: '0 0 1 1 *',
      input: { q: 1 },
      priority: 8,
      name: 'daily news',
    });
    const at = await bench.dueNow(schedule.id);
    expect(
      await bench.engine.query(
        `select trigger_type, trigger, input, priority, created_by from dagwright.workflow_executions where trigger->>'scheduleId' = $1`,
        [schedule.id],
      ),
    ).toEqual([
      {
        trigger_type: 'schedule',
        trigger: {
          scheduledAt: new Date(at).toISOString(),
          scheduleId: schedule.id,
          scheduleName: 'daily news',
        },
        input: { q: 1 },
        priority: 8,
        created_by: 'schedule:daily news',
      },
    ]);
  });
});

describe('one bad schedule spoils no other', () => {
  test('a workflow that is not active, a suspended tenant, an input that does not fit any more: missed, with the reason', async () => {
    const { engine } = bench;
    const strict = definition(WORKFLOW.nodes, {
      inputSchema: { type: 'object', required: ['q'], properties: { q: { type: 'integer' } } },
    });
    const archived = definition(WORKFLOW.nodes);
    await engine.apply(strict);
    await engine.apply(archived);
    const good = await bench.overdue(1);
    const unfit = await bench.overdue(1, { workflowId: strict.workflowId });
    const inactive = await bench.overdue(1, { workflowId: archived.workflowId });
    const nowhere = await bench.overdue(1, { workflowId: 'no-such-workflow' });
    await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      setDefinitionStatus(client, DEFAULT_TENANT_ID, archived.workflowId, 'archived'),
    );
    await bench.work();
    const tick = async (id: string) => (await bench.ticks(id))[0];
    expect(await tick(good.id)).toMatchObject({ status: 'fired', reason: null });
    expect(await tick(inactive.id)).toMatchObject({ status: 'missed', reason: 'the workflow is not active' });
    expect(await tick(nowhere.id)).toMatchObject({ status: 'missed', reason: 'the workflow does not exist' });
    const refused = await tick(unfit.id);
    expect(refused).toMatchObject({ status: 'missed', executionId: null });
    expect(refused!.reason).toMatch(/^validation: \/input.*q/);
    expect(await bench.executions(unfit.id)).toEqual([]);
  });

  test('what the limits of the tenant refuse: missed, with the reason, and the next time fires again', async () => {
    const { engine } = bench;
    const first = await bench.overdue(1);
    const second = await bench.overdue(1);
    const limit = (room: string) =>
      engine.query(
        `update dagwright.tenants set max_starts_per_minute = ${room} + (select count(*)::int from dagwright.workflow_executions
           where tenant_id = $1 and id > dagwright.first_id_v1(clock_timestamp() - interval '1 minute')) where id = $1`,
        [DEFAULT_TENANT_ID],
      );
    await limit('1');
    await bench.work();
    const ticks = [...(await bench.ticks(first.id)), ...(await bench.ticks(second.id))];
    expect(ticks.map(({ status, reason }) => [status, reason]).sort()).toEqual([
      ['fired', null],
      ['missed', 'the tenant has started as many executions within a minute as it may'],
    ]);
    await engine.query('update dagwright.tenants set max_starts_per_minute = null');
    const missed = ticks[0]!.status === 'missed' ? first : second;
    await bench.dueNow(missed.id);
    expect(await bench.summary(missed.id)).toBe('missed 1, fired 1');
  });

  test('an input that takes too many steps to validate: missed, with the reason, at once when it comes again', async () => {
    const { engine } = bench;
    const costly = definition(WORKFLOW.nodes, {
      inputSchema: { properties: { text: { pattern: '(?:a|b|ab){1,300}c$' } } },
    });
    await engine.apply(costly);
    const schedule = await bench.overdue(2, {
      workflowId: costly.workflowId,
      input: { text: 'ab'.repeat(200_000) },
      catchupPolicy: 'all',
    });
    const good = await bench.overdue(1);
    await bench.work();
    expect(await bench.summary(good.id)).toBe('fired 1');
    const reason = 'validation: /input the schema needs too many steps for this value';
    expect(await bench.ticks(schedule.id)).toMatchObject([
      { status: 'missed', reason },
      { status: 'missed', reason },
    ]);
    const before = process.threadCpuUsage().user;
    await bench.dueNow(schedule.id);
    expect(process.threadCpuUsage().user - before).toBeLessThan(1000 * patience(300));
    expect((await bench.ticks(schedule.id)).at(-1)).toMatchObject({ status: 'missed', reason });
    expect(await bench.executions(schedule.id)).toEqual([]);
  });

  test('one that this runtime cannot read is put off and told; the others fire', async () => {
    const broken = await bench.overdue(1);
    const good = await bench.overdue(1);
    await bench.engine.query(`update dagwright.schedules set timezone = 'Mars/Olympus' where id = $1`, [
      broken.id,
    ]);
    await bench.work();
    expect(await bench.summary(good.id)).toBe('fired 1');
    expect(await bench.ticks(broken.id)).toEqual([]);
    expect(bench.logged.join('\n')).toContain(broken.id);
  });

  test('one whose application fails in the database is isolated from its batch', async () => {
    const schedules = [await bench.overdue(1), await bench.overdue(1), await bench.overdue(1)];
    const bad = schedules[1]!.id;
    // The plain SQL of a fault: nothing in src/ knows it.
    const admin = await import('pg').then(({ default: pg }) => new pg.Client(bench.engine.database.url));
    await admin.connect();
    await admin.query(`create function refuse_tick() returns trigger language plpgsql as $$ begin
      if new.schedule_id = '${bad}' then raise exception 'planted'; end if; return new; end $$`);
    await admin.query(
      'create trigger planted before insert on dagwright.schedule_ticks for each row execute function refuse_tick()',
    );
    await bench.work();
    await admin.query('drop trigger planted on dagwright.schedule_ticks');
    await admin.end();
    expect(await bench.summary(schedules[0]!.id)).toBe('fired 1');
    expect(await bench.summary(schedules[2]!.id)).toBe('fired 1');
    expect(await bench.ticks(bad)).toEqual([]);
    expect(bench.logged.join('\n')).toContain('planted');
  });
});

describe('pauseOnFailure', () => {
  test('pauses with the execution that failed, before the next tick fires', async () => {
    const schedule = await makeSchedule(bench.engine, {
      cronExpression: '0 0 1 1 *',
      overlapPolicy: 'allow_all',
      pauseOnFailure: true,
    });
    await bench.dueNow(schedule.id);
    const [execution] = await bench.executions(schedule.id);
    await bench.end([execution!.id], 'failed');
    // Due and failed at the same moment.
    await bench.dueNow(schedule.id);
    expect(await found(schedule.id)).toMatchObject({
      status: 'paused',
      pausedReason: `execution ${execution!.id} failed`,
      nextRunAt: null,
    });
    expect(await bench.executions(schedule.id)).toHaveLength(1);
    expect(await bench.summary(schedule.id)).toBe('fired 1, missed 1');
  });

  test('pauses when nothing is due, gives up what is buffered, and an old failure does not pause it again', async () => {
    const schedule = await bench.overdue(3, { catchupPolicy: 'all', pauseOnFailure: true });
    await bench.work();
    await bench.end(
      (await bench.executions(schedule.id)).map(({ id }) => id),
      'failed',
    );
    await bench.work();
    expect(await bench.summary(schedule.id)).toBe('fired 1, missed 2');
    await bench.engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      resumeSchedule(client, { tenantId: DEFAULT_TENANT_ID, actor: 'test' }, schedule.id),
    );
    await bench.work();
    expect((await found(schedule.id))!.status).toBe('active');
    await bench.dueNow(schedule.id);
    expect(await bench.summary(schedule.id)).toBe('fired 1, missed 2, fired 1');
  });
});

describe('exactly once', () => {
  const decision = async (id: string, at: number) => {
    const [snapshot] = await readSchedules(bench.engine.database.engine, [id]);
    return {
      id,
      fence: snapshot!.fence,
      revision: null,
      moves: true,
      nextRunAt: new Date(at + HOUR).toISOString(),
      dueAt: new Date(at + HOUR).toISOString(),
      promote: null,
      refusal: null,
      ticks: [{ at: new Date(at).toISOString(), status: 'fired' as const, reason: null, execution: newId() }],
    };
  };

  test('a decision under an older fence does nothing: sent twice, it is applied once', async () => {
    const schedule = await makeSchedule(bench.engine);
    const at = await clock(bench.engine);
    const once = await decision(schedule.id, at);
    const stale = {
      ...once,
      ticks: [{ ...once.ticks[0]!, at: new Date(at + 1).toISOString(), execution: newId() }],
    };
    expect(await applyTicks(bench.engine.database.engine, [once])).toEqual({ applied: 1, fired: 1 });
    expect(await applyTicks(bench.engine.database.engine, [once])).toEqual({ applied: 0, fired: 0 });
    expect(await applyTicks(bench.engine.database.engine, [stale])).toEqual({ applied: 0, fired: 0 });
    expect(await bench.executions(schedule.id)).toHaveLength(1);
  });

  test('a nominal time that has its row starts nothing, whoever decides it again', async () => {
    const schedule = await makeSchedule(bench.engine);
    const at = await clock(bench.engine);
    await applyTicks(bench.engine.database.engine, [await decision(schedule.id, at)]);
    // As if the clock had been set back: a new fence, the same nominal time.
    await bench.engine.query(`delete from dagwright.idempotency_keys where scope = 'schedule'`);
    expect(await applyTicks(bench.engine.database.engine, [await decision(schedule.id, at)])).toEqual({
      applied: 1,
      fired: 0,
    });
    expect(await bench.executions(schedule.id)).toHaveLength(1);
    expect(await bench.ticks(schedule.id)).toHaveLength(1);
  });

  test('two decisions at the same moment: one is applied', async () => {
    const schedule = await makeSchedule(bench.engine);
    const at = await clock(bench.engine);
    const both = [await decision(schedule.id, at), await decision(schedule.id, at)];
    const done = await Promise.all(both.map((one) => applyTicks(bench.engine.database.engine, [one])));
    expect(done.map(({ applied }) => applied).sort()).toEqual([0, 1]);
    expect(await bench.executions(schedule.id)).toHaveLength(1);
  });

  test('a schedule that is locked is left to the next pass, the others of its batch are not', async () => {
    const locked = await bench.overdue(1);
    const free = await bench.overdue(1);
    const client = await bench.engine.database.engine.connect();
    await client.query(BEGIN);
    await client.query('select from dagwright.schedules where id = $1 for update', [locked.id]);
    try {
      await bench.work();
    } finally {
      await client.query('rollback');
      client.release();
    }
    expect(await bench.summary(locked.id)).toBe('');
    expect(await bench.summary(free.id)).toBe('fired 1');
    await bench.work();
    expect(await bench.summary(locked.id)).toBe('fired 1');
  });

  test('a tenant whose transaction makes missed rows and stays open holds up its own schedule, and no other', async () => {
    const [held, free] = [await bench.overdue(1), await bench.overdue(1)];
    const times = held.times.map((ms) => new Date(ms).toISOString());
    const isWaiting = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const open = bench.engine.database
      .withTenant(DEFAULT_TENANT_ID, async (client) => {
        await client.query(`select dagwright.miss_ticks_v1($1, $2, 'by hand', false)`, [held.id, times]);
        isWaiting.resolve();
        await mayEnd.promise;
        throw new Error('given up');
      })
      .catch(() => {});
    await isWaiting.promise;
    try {
      await bench.work();
      expect(await bench.summary(free.id)).toBe('fired 1');
    } finally {
      mayEnd.resolve();
      await open;
    }
    await bench.work();
    expect(await bench.summary(held.id)).toBe('fired 1');
  });

  test('one that was deleted, paused or moved between the read and the decision fires nothing', async () => {
    const schedule = await bench.overdue(1);
    const read = await decision(schedule.id, schedule.times[0]!);
    await bench.engine.query('update dagwright.schedules set fence = fence + 1 where id = $1', [schedule.id]);
    expect(await applyTicks(bench.engine.database.engine, [read])).toEqual({ applied: 0, fired: 0 });
    await bench.engine.query('delete from dagwright.schedules where id = $1', [schedule.id]);
    expect(await applyTicks(bench.engine.database.engine, [read])).toEqual({ applied: 0, fired: 0 });
    expect(await bench.executions(schedule.id)).toEqual([]);
  });

  test('is by the clock of the database, whatever that of the process says', async () => {
    const later = await makeSchedule(bench.engine);
    await moveTo(bench.engine, later.id, (await clock(bench.engine)) + 30_000);
    const onTime = await makeSchedule(bench.engine, { catchupPolicy: 'none', overlapPolicy: 'allow_all' });
    for (const offset of [HOUR, -HOUR]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offset });
      try {
        await bench.dueNow(onTime.id);
      } finally {
        vi.useRealTimers();
      }
    }
    expect(await bench.summary(onTime.id)).toBe('fired 2');
    expect(await bench.ticks(later.id)).toEqual([]);
  });
});
