// Signals through the whole engine: sent before, while and after their wait; several names, waits and conditions; none in time.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import { TerminalError } from '../../src/core/errors.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../support/executions.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

interface Sending {
  readonly key?: string;
  readonly broadcast?: boolean;
  readonly tenantId?: string;
  readonly actor?: string;
}

/** Sends one as other services do: in a transaction of the tenant's role. */
async function send(id: string, name: string, payload: Json = null, more: Sending = {}): Promise<unknown> {
  const { key = null, broadcast = false, tenantId = DEFAULT_TENANT_ID, actor = 'sender' } = more;
  return await engine.database.withTenant({ tenantId, actor }, async (client) => {
    const { rows } = await client.query('select dagwright.signal_execution($1, $2, $3, $4, $5) as status', [
      id,
      name,
      JSON.stringify(payload),
      key,
      broadcast,
    ]);
    return rows[0].status;
  });
}

const signalled = (config: JsonObject): Partial<NodeDefinition> => ({ taskType: 'wait', config });
const got = (signal: string, payload: Json) => ({ firedAt: expect.any(String), signal, payload });

async function start(text: string, options: Parameters<typeof graph>[1]): Promise<string> {
  const definition = graph(text, options);
  await engine.apply(definition);
  return await engine.start(definition.workflowId);
}

/** Waits until so many tasks of the execution wait. */
const waits = (id: string, count = 1) =>
  until(async () => {
    const rows = await engine.query(
      `select from dagwright.task_executions where workflow_execution_id = $1 and status = 'waiting' and waiting_on = 'signal' and ready_at is null`,
      [id],
    );
    return rows.length === count;
  });
const storedIn = async (id: string) =>
  await engine.query<{ name: string; payload: Json; isJudged: boolean }>(
    `select name, payload, is_judged as "isJudged" from dagwright.execution_signals
     where workflow_execution_id = $1 and taken_at is null order by position`,
    [id],
  );

describe('a wait for a signal', () => {
  it('ends with the first that comes, and holds no slot meanwhile', async () => {
    const id = await start('w -> after', { tasks: { w: signalled({ signal: 'go' }) } });
    await waits(id);
    expect(engine.worker.running).toBe(0);
    expect(await send(id, 'other', 1)).toBe('stored');
    expect(await send(id, 'go', { n: 1 })).toBe('delivered');
    const run = await engine.ended(id);
    expect(run.states).toBe('w completed, after completed');
    expect(run.task('w')).toMatchObject({ attempt: 1, output: got('go', { n: 1 }) });
    expect(await storedIn(id)).toMatchObject([{ name: 'other' }]);
  });

  it('finds what came before it, the earliest first, also before the execution was opened', async () => {
    const held = gate();
    engine.bodies.a = () => held.opened;
    const id = await start('a -> w -> v', {
      tasks: { w: signalled({ signal: ['x', 'y'] }), v: signalled({ signal: ['x', 'y'] }) },
    });
    expect(await send(id, 'y', 'first')).toBe('stored');
    expect(await send(id, 'x', 'second')).toBe('stored');
    held.open();
    const run = await engine.ended(id);
    expect(run.task('w').output).toEqual(got('y', 'first'));
    expect(run.task('v').output).toEqual(got('x', 'second'));
    expect(await storedIn(id)).toEqual([]);
  });

  it('takes one of several names; one of another that comes after it is stored', async () => {
    const id = await start('w', { tasks: { w: signalled({ signal: ['yes', 'no'] }) } });
    await waits(id);
    // Both in one transaction: the task has not run meanwhile.
    const statuses = await engine.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
      const { rows } = await client.query(
        `select dagwright.signal_execution($1, 'no') as a, dagwright.signal_execution($1, 'yes') as b`,
        [id],
      );
      return rows[0];
    });
    expect(statuses).toEqual({ a: 'delivered', b: 'stored' });
    expect((await engine.ended(id)).task('w').output).toEqual(got('no', null));
    expect(
      await engine.query('select from dagwright.signal_waits where workflow_execution_id = $1', [id]),
    ).toEqual([]);
  });

  it('gets its names and its limit from the scope', async () => {
    const definition = graph('w', {
      tasks: { w: signalled({ signal: 'paid-{{ input.order }}', timeoutSeconds: '{{ input.limit }}' }) },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId, { input: { order: 7, limit: 60 } });
    await waits(id);
    expect(await send(id, 'paid-7')).toBe('delivered');
    expect((await engine.ended(id)).execution.status).toBe('completed');
  });

  it.each<[string, JsonObject, string]>([
    ['a name', { signal: '{{ input.x }}' }, 'config.signal'],
    ['a limit', { signal: 'go', timeoutSeconds: '{{ input.x }}' }, 'config.timeoutSeconds'],
  ])('fails where %s is none', async (_what, config, place) => {
    const definition = graph('w', { tasks: { w: signalled(config) } });
    await engine.apply(definition);
    const run = await engine.ended(await engine.start(definition.workflowId, { input: { x: '1 2' } }));
    expect(run.task('w').error).toMatchObject({
      code: 'validation',
      message: expect.stringContaining(place),
    });
  });

  it('times out, which an edge may catch; what comes after it is stored', async () => {
    const held = gate();
    engine.bodies.late = () => held.opened;
    const definition = graph('w -> late', {
      tasks: {
        w: signalled({ signal: 'go', timeoutSeconds: 0.05 }),
        late: { dependsOn: [{ taskId: 'w', on: 'failure', errors: ['timeout'] }] },
      },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await until(async () => engine.entered.includes('late'));
    expect(await send(id, 'go')).toBe('stored');
    held.open();
    const run = await engine.ended(id);
    expect(run.execution.status).toBe('completed');
    expect(run.task('w')).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'timeout' } });
  });

  it('waits anew in the next attempt where its time-out is retried', async () => {
    const id = await start('w', {
      tasks: {
        w: {
          ...signalled({ signal: 'go', timeoutSeconds: 0.05 }),
          retry: { maxAttempts: 1_000, initialIntervalSeconds: 0, retryOn: ['timeout'] },
        },
      },
    });
    await until(async () => {
      const [row] = await engine.query<{ n: number }>(
        'select attempt_number as n from dagwright.task_executions where workflow_execution_id = $1',
        [id],
      );
      return (row?.n ?? 0) > 2;
    });
    await send(id, 'go', 1);
    const { output, attempt } = (await engine.ended(id)).task('w');
    expect(output).toEqual(got('go', 1));
    expect(attempt).toBeGreaterThan(2);
  });

  it('keeps its signal where its attempt fails after it came', async () => {
    const id = await start('w', {
      tasks: {
        w: {
          ...signalled({ signal: 'go' }),
          outputMapping: '{{ task.attempt == 1 ? output.payload.missing : output.payload.n }}',
          retry: { maxAttempts: 2, initialIntervalSeconds: 0, retryOn: ['missing_path'] },
        },
      },
    });
    await waits(id);
    await send(id, 'go', { n: 5 });
    expect((await engine.ended(id)).task('w')).toMatchObject({ attempt: 2, output: 5 });
  });

  it('has its time while its execution is paused, and goes on at the resume', async () => {
    const id = await start('w', { tasks: { w: signalled({ signal: 'go', timeoutSeconds: 30 }) } });
    await waits(id);
    await pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
    // As if it stood for an hour.
    for (const [table, columns] of [
      ['workflow_executions', ['paused_at']],
      ['task_callbacks', ['expires_at', 'times_out_at']],
    ] as const)
      await engine.query(
        `update dagwright.${table} set ${columns.map((column) => `${column} = ${column} - interval '1 hour'`)} where ${table === 'task_callbacks' ? 'workflow_execution_id' : 'id'} = $1`,
        [id],
      );
    expect(await send(id, 'go', 1)).toBe('delivered');
    expect((await engine.query(`select from dagwright.jobs_v1() where execution_id = $1`, [id])).length).toBe(
      0,
    );
    await resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).task('w').output).toEqual(got('go', 1));
  });

  it('is cancelled by a failure beside it, and takes nothing then', async () => {
    const [held, entered] = [gate(), gate()];
    engine.bodies.slow = () => {
      entered.open();
      return held.opened;
    };
    engine.bodies.bad = async () => {
      await entered.opened;
      throw new TerminalError('boom', 'no');
    };
    const id = await start('w; bad; slow', { tasks: { w: signalled({ signal: 'go' }) } });
    await until(async () => {
      const [row] = await engine.query<{ status: string }>(
        `select status from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'w'`,
        [id],
      );
      return row?.status === 'cancelled';
    });
    expect(await send(id, 'go')).toBe('stored');
    held.open();
    expect((await engine.ended(id)).states).toBe('w cancelled, bad failed, slow completed');
  });

  it('is told by why', async () => {
    const id = await start('w', { tasks: { w: signalled({ signal: ['b', 'a'], timeoutSeconds: 60 }) } });
    await waits(id);
    const { findOpenTasks } = await import('../../src/db/executions/open-tasks.ts');
    const { whyOpen } = await import('../../src/resources/why.ts');
    const found = await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      findOpenTasks(client, DEFAULT_TENANT_ID, id, 10),
    );
    expect(whyOpen(found!.execution, found!.tasks, 10).items).toMatchObject([
      {
        taskId: 'w',
        waitsFor: { kind: 'signal', signals: ['a', 'b'], until: expect.any(String) },
        message: expect.stringMatching(/^w waits for the signal "a" or "b" until 2/),
      },
    ]);
    await send(id, 'a');
    await engine.ended(id);
  });
});

describe('of several waits for one name', () => {
  const three = (config: JsonObject) => ({
    p: { taskType: 'parallel', config: { items: [0, 1, 2], task: { taskType: 'wait', config } } },
  });

  it('the oldest gets a signal, the next the next', async () => {
    const id = await start('p', {
      tasks: {
        p: {
          ...three({ signal: 'go' }).p,
          config: { ...three({ signal: 'go' }).p.config, maxConcurrency: 1 },
        },
      },
    });
    for (const n of [0, 1, 2]) {
      await waits(id, 1);
      expect(await send(id, 'go', n)).toBe('delivered');
      await until(async () => {
        const rows = await engine.query(
          `select from dagwright.task_executions where workflow_execution_id = $1 and map_index >= 0 and status = 'completed'`,
          [id],
        );
        return rows.length > n;
      });
    }
    const run = await engine.ended(id);
    expect(run.task('p').output).toEqual([0, 1, 2].map((n) => got('go', n)));
  });

  it('all get a broadcast, and one that nobody waits for is stored as any other', async () => {
    const id = await start('p -> w', {
      tasks: { ...three({ signal: 'go' }), w: signalled({ signal: 'next' }) },
    });
    await waits(id, 3);
    expect(await send(id, 'next', 'kept', { broadcast: true })).toBe('stored');
    expect(await send(id, 'go', 'all', { broadcast: true })).toBe('delivered');
    const run = await engine.ended(id);
    expect(run.task('p').output).toEqual([0, 1, 2].map(() => got('go', 'all')));
    expect(run.task('w').output).toEqual(got('next', 'kept'));
  });

  it('each gets the one that its condition lets in, whatever the order; what none wants is stored', async () => {
    const id = await start('p', { tasks: three({ signal: 'go', when: 'payload.item == item' }) });
    await waits(id, 3);
    for (const item of [2, 9, 0, 1]) await send(id, 'go', { item });
    const run = await engine.ended(id);
    expect(run.task('p').output).toEqual([0, 1, 2].map((item) => got('go', { item })));
    expect(await storedIn(id)).toEqual([{ name: 'go', payload: { item: 9 }, isJudged: true }]);
  });

  it('those with a condition are asked about what was stored before them', async () => {
    const held = gate();
    engine.bodies.a = () => held.opened;
    const id = await start('a -> p', { tasks: three({ signal: 'go', when: '$.payload.item == $.item' }) });
    for (const item of [7, 2, 1, 0]) expect(await send(id, 'go', { item })).toBe('stored');
    held.open();
    const run = await engine.ended(id);
    expect(run.task('p').output).toEqual([0, 1, 2].map((item) => got('go', { item })));
    expect((await storedIn(id)).map(({ payload }) => payload)).toEqual([{ item: 7 }]);
  });

  it('those that take any and those with a condition stand in one line', async () => {
    const id = await start('choosy; any', {
      tasks: {
        choosy: signalled({ signal: 'go', when: "payload == 'red'" }),
        any: { ...signalled({ signal: 'go' }) },
      },
    });
    await waits(id, 2);
    // Whichever is older: blue is for `any`, and red for who is left.
    expect(await send(id, 'go', 'blue')).toMatch(/delivered|stored/);
    expect(await send(id, 'go', 'red')).toMatch(/delivered|stored/);
    const run = await engine.ended(id);
    expect(run.task('any').output).toEqual(got('go', 'blue'));
    expect(run.task('choosy').output).toEqual(got('go', 'red'));
  });

  it('all that want a broadcast get it', async () => {
    const id = await start('p', {
      tasks: three({ signal: 'go', when: 'item < payload.below || payload.all' }),
    });
    await waits(id, 3);
    await send(id, 'go', { below: 2, all: false }, { broadcast: true });
    await waits(id, 1);
    await send(id, 'go', { below: 0, all: true }, { broadcast: true });
    const run = await engine.ended(id);
    expect(run.task('p').output).toEqual([
      ...[0, 1].map(() => got('go', { below: 2, all: false })),
      got('go', { below: 0, all: true }),
    ]);
    expect(await storedIn(id)).toEqual([]);
  });

  it('a condition sees the scope as it was, and one that fails on a payload lets it pass and says so', async () => {
    const definition = graph('a -> w', {
      tasks: {
        a: { taskType: 'transformation', config: { output: { limits: [{ least: 10 }] } } },
        w: signalled({
          signal: ['pay', 'tip'],
          when: "payload.amount * 1 >= tasks.a.output.limits[0].least && signal == 'pay' && input.on",
        }),
      },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId, { input: { on: true } });
    await waits(id);
    await send(id, 'pay', { amount: 'much' });
    await send(id, 'pay', { amount: 9 });
    await send(id, 'tip', { amount: 11 });
    await send(id, 'pay', { amount: 10 });
    expect((await engine.ended(id)).task('w').output).toEqual(got('pay', { amount: 10 }));
    expect((await storedIn(id)).map(({ payload }) => payload)).toEqual([
      { amount: 'much' },
      { amount: 9 },
      { amount: 11 },
    ]);
    const lines = await until(async () => {
      const rows = await engine.query<{ message: string }>(
        `select message from dagwright.execution_logs where workflow_execution_id = $1 and task_id = 'w' and level = 'warn'`,
        [id],
      );
      return rows.length > 0 ? rows : null;
    });
    expect(lines[0]!.message).toMatch(/^config\.when fails on a signal "pay", which is passed over/);
  });

  it('a condition that reads too much fails its task', async () => {
    const definition = graph('w', {
      tasks: { w: signalled({ signal: 'go', when: 'payload == input.text' }) },
    });
    await engine.apply(definition);
    const run = await engine.ended(
      await engine.start(definition.workflowId, { input: { text: 'x'.repeat(17_000) } }),
    );
    expect(run.task('w').error).toMatchObject({ code: 'payload_too_large' });
  });
});

describe('a signal', () => {
  it('counts with the commit of who sends it, and is gone with a rollback', async () => {
    const id = await start('w', { tasks: { w: signalled({ signal: 'go' }) } });
    await waits(id);
    await engine.database
      .withTenant(DEFAULT_TENANT_ID, async (client) => {
        await client.query(`select dagwright.signal_execution($1, 'go', '"undone"')`, [id]);
        throw new Error('rolled back');
      })
      .catch(() => {});
    await send(id, 'go', 'done');
    expect((await engine.ended(id)).task('w').output).toEqual(got('go', 'done'));
  });

  it('under a dedupe key is sent once by each sender', async () => {
    const held = gate();
    engine.bodies.a = () => held.opened;
    const id = await start('a', {});
    expect(await send(id, 'go', 1, { key: 'k' })).toBe('stored');
    expect(await send(id, 'go', 2, { key: 'k' })).toBe('duplicate');
    expect(await send(id, 'go', 3, { key: 'k', actor: 'another' })).toBe('stored');
    expect((await storedIn(id)).map(({ payload }) => payload)).toEqual([1, 3]);
    held.open();
    await engine.ended(id);
    // Also of one that has ended: who repeats is told what it was told.
    expect(await send(id, 'go', 2, { key: 'k' })).toBe('duplicate');
    expect(await send(id, 'go', 2)).toBe('ended');
  });

  it('is refused where a thousand of its name are stored, and taken where one has left', async () => {
    const held = gate();
    engine.bodies.a = () => held.opened;
    const id = await start('a -> w', { tasks: { w: signalled({ signal: 'go' }) } });
    await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      client.query(
        `select dagwright.signal_execution($1, 'go', to_jsonb(n)) from generate_series(1, 1000) n`,
        [id],
      ),
    );
    await expect(send(id, 'go')).rejects.toMatchObject({ code: '54000', hint: expect.any(String) });
    expect(await send(id, 'other')).toBe('stored');
    held.open();
    const run = await engine.ended(id);
    expect(run.task('w').output).toEqual(got('go', 1));
  });

  it('to an execution that has ended, that there is not, or of another tenant is not kept', async () => {
    const id = (await engine.run(graph('a'))).execution.id;
    expect(await send(id, 'go')).toBe('ended');
    expect(await send('00000000-0000-7000-8000-000000000001', 'go')).toBeNull();
    const open = await start('w', { tasks: { w: signalled({ signal: 'go' }) } });
    await waits(open);
    expect(await send(open, 'go', 1, { tenantId: '00000000-0000-7000-8000-0000000000ff' })).toBeNull();
    await expect(engine.query(`select dagwright.signal_execution($1, 'go')`, [open])).rejects.toThrow(
      'no tenant is set',
    );
    await cancelExecution(engine.database, DEFAULT_TENANT_ID, open);
    expect(await send(open, 'go')).toBe('ended');
    expect(
      await engine.query(`select from dagwright.execution_signals where workflow_execution_id = any($1)`, [
        [id, open],
      ]),
    ).toEqual([]);
  });

  it.each<[string, string, string | null, string]>([
    ['a name that is none', '1st', null, '22023'],
    ['an empty key', 'go', '', '22023'],
  ])('with %s is refused', async (_what, name, key, code) => {
    const id = (await engine.run(graph('a'))).execution.id;
    await expect(send(id, name, null, key === null ? {} : { key })).rejects.toMatchObject({ code });
  });

  it('with too large a payload is refused; one that is kept fits in the output', async () => {
    const id = await start('w', { tasks: { w: signalled({ signal: 'go' }) } });
    await waits(id);
    await expect(send(id, 'go', 'x'.repeat(990_000))).rejects.toMatchObject({ code: '54000' });
    expect(await send(id, 'go', 'x'.repeat(989_998))).toBe('delivered');
    expect((await engine.ended(id)).task('w').status).toBe('completed');
  });

  it('is in the audit trail with who sent it, without its payload', async () => {
    const id = await start('w', { tasks: { w: signalled({ signal: 'go' }) } });
    await waits(id);
    await send(id, 'go', 'canary', { actor: 'user:alice' });
    await engine.ended(id);
    const rows = await engine.query(
      `select actor, action, new_values as values from dagwright.audit_logs where resource_type = 'executions' and resource_id = $1`,
      [id],
    );
    expect(rows).toEqual([
      {
        actor: 'user:alice',
        action: 'executions.signal',
        values: { signal: 'go', broadcast: false, status: 'delivered', taskId: 'w', mapIndex: null },
      },
    ]);
  });
});

describe('nothing is lost', () => {
  it('when one comes while another is judged and its judge completes with that', async () => {
    // Each of the first hundred is judged on a page of its own by then: the judge gets its own on the first.
    const held = gate();
    engine.bodies.a = () => held.opened;
    const id = await start('a -> v; a -> w', {
      tasks: {
        v: signalled({ signal: 'go', when: 'payload == 1' }),
        w: signalled({ signal: 'go', when: 'payload == 150' }),
      },
    });
    held.open();
    await waits(id, 2);
    await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      client.query(
        `select dagwright.signal_execution($1, 'go', to_jsonb(n)) from generate_series(1, 150) n`,
        [id],
      ),
    );
    const run = await engine.ended(id);
    expect(run.task('v').output).toEqual(got('go', 1));
    expect(run.task('w').output).toEqual(got('go', 150));
  });

  it('when it is accepted just before the end of the time, and committed after it', async () => {
    const id = await start('w', {
      tasks: { w: signalled({ signal: 'go', when: 'payload > 0', timeoutSeconds: 2 }) },
    });
    await waits(id);
    const client = await engine.database.engine.connect();
    const pool = engine.database.engine;
    const query = pool.query.bind(pool);
    let isHeld = false;
    // The task is woken before its time is over. When it looks, somebody has given it a signal, and commits after the look.
    pool.query = (async (...args: [{ name?: string }]) => {
      const call = () => (query as (...all: unknown[]) => Promise<unknown>)(...args);
      if (args[0].name !== 'load_answer_text' || isHeld) return await call();
      isHeld = true;
      await client.query('begin');
      await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [id]);
      const { rows } = await client.query(
        `select dagwright.hand_signal_v1($1, 'w', -1, 'go', '"in time"') as handed`,
        [id],
      );
      expect(rows).toEqual([{ handed: true }]);
      await until(async () => {
        const [row] = await engine.query<{ over: boolean }>(
          'select expires_at < clock_timestamp() as over from dagwright.task_callbacks where workflow_execution_id = $1',
          [id],
        );
        return row!.over;
      });
      const found = await call();
      setTimeout(() => void client.query('commit'), 50);
      return found;
    }) as typeof pool.query;
    try {
      await send(id, 'go', -1);
      expect((await engine.ended(id)).task('w').output).toEqual(got('go', 'in time'));
    } finally {
      pool.query = query;
      client.release();
    }
  });

  it('when the wait that was to judge is ended by others, another judges', async () => {
    const id = await start('v; w', {
      tasks: {
        v: signalled({ signal: 'go', when: 'payload == 1' }),
        w: signalled({ signal: 'go', when: 'payload == 2' }),
      },
    });
    await waits(id, 2);
    // As after the end of the judge in the moment in which a signal counted on it.
    await engine.query(
      `insert into dagwright.execution_signals (workflow_execution_id, position, tenant_id, name, payload, sender, created_at, is_judged)
       select id, 1, tenant_id, 'go', '2', 'test', clock_timestamp() - interval '1 hour', false from dagwright.workflow_executions where id = $1`,
      [id],
    );
    await engine.query('select dagwright.reconcile_v1(4)');
    await waits(id, 1);
    await send(id, 'go', 1);
    const run = await engine.ended(id);
    expect(run.task('w').output).toEqual(got('go', 2));
  });
});

describe('secrets', () => {
  it('that a payload brings are not stored in the output', async () => {
    const own = await openEngine({
      outside: { secrets: secretsInEnvironment({ KEY: 'canary-of-a-secret' }) },
    });
    try {
      const definition = graph('w', { tasks: { w: signalled({ signal: 'go' }) } });
      await own.apply(definition);
      const id = await own.start(definition.workflowId);
      await own.database.withTenant(DEFAULT_TENANT_ID, (client) =>
        client.query(`select dagwright.signal_execution($1, 'go', '"it is canary-of-a-secret"')`, [id]),
      );
      await own.ended(id);
      for (const table of ['task_callbacks', 'task_executions', 'execution_signals']) {
        const rows = await own.query<{ row: string }>(`select t::text as row from dagwright.${table} t`);
        expect(rows.filter(({ row }) => row.includes('canary-of-a-secret'))).toEqual([]);
      }
    } finally {
      await own.close();
    }
  });
});
