// Callbacks through the whole engine: an answer that comes before, while and after its task waits; a repeated one; none.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TerminalError } from '../../src/core/errors.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import type { TaskType } from '../../src/tasks/task-type.ts';
import { type Engine, graph, openEngine, until } from '../support/engine.ts';
import { pauseExecution, resumeExecution } from '../support/executions.ts';

let engine: Engine;
const tokens = new Map<string, string>();
/** Called with the token before the task begins to wait. */
let whileCalling: (token: string) => Promise<void> = async () => {};
/** Called with the token when the task looks for its answer. */
let whileLooking: (token: string) => Promise<void> = async () => {};
let limits = { timeoutMs: 20_000, heartbeatMs: null as number | null };

// What external_api does with `callback`, without the call.
const later: TaskType = {
  type: 'later',
  isPure: false,
  prepare: () => ({
    mappings: [],
    async run(context) {
      const { answerState: answer } = context;
      if (context.phase !== 'callback' || answer === null) {
        const { token } = await context.openCallback(limits);
        tokens.set(context.executionId, token);
        await whileCalling(token);
        return { kind: 'waitForAnswer', on: 'callback' };
      }
      if (answer.status === 'open') await whileLooking(tokens.get(context.executionId)!);
      if (answer.status === 'completed') return { kind: 'completed', output: answer.output };
      if (answer.status === 'failed') throw new TerminalError(answer.error!.code, answer.error!.message);
      if (answer.leftMs <= 0) throw new TerminalError('timeout', 'nobody called back');
      return { kind: 'waitForAnswer', on: 'callback' };
    },
  }),
};

async function asTenant(statement: string, ...values: unknown[]): Promise<string | null> {
  return await engine.database.withTenant(
    DEFAULT_TENANT_ID,
    async (client) => (await client.query(`select ${statement} as answer`, values)).rows[0].answer,
  );
}
const complete = (token: string, output: unknown) =>
  asTenant('dagwright.complete_callback($1, $2)', token, JSON.stringify(output));

/** What the audit trail says of an execution. */
const trailOf = (id: string) =>
  engine.query<{ actor: string; action: string; values: unknown }>(
    `select actor, action, new_values as values from dagwright.audit_logs where resource_type = 'executions' and resource_id = $1`,
    [id],
  );

async function start(): Promise<{ id: string; token: string }> {
  const definition = graph('c -> after', { tasks: { c: { taskType: 'later' } } });
  await engine.apply(definition);
  const id = await engine.start(definition.workflowId);
  const token = await until(async () => tokens.get(id));
  return { id, token };
}

const waits = (id: string) =>
  until(async () => {
    const rows = await engine.query(
      `select from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'c' and status = 'waiting'`,
      [id],
    );
    return rows.length;
  });

beforeAll(async () => {
  engine = await openEngine({ moreTypes: [later] });
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

describe('a callback', () => {
  it('completes the task that waits for it, holds no slot meanwhile, and counts once', async () => {
    const { id, token } = await start();
    await waits(id);
    expect(engine.worker.running).toBe(0);
    expect(await complete(token, { ok: 1 })).toBe('accepted');
    expect(await complete(token, { ok: 2 })).toMatch(/already_completed|expired/);
    const run = await engine.ended(id);
    expect(run.task('c')).toMatchObject({ output: { ok: 1 }, attempt: 1 });
  });

  it('may come before its task waits', async () => {
    whileCalling = async (token) => void expect(await complete(token, 'early')).toBe('accepted');
    const { id } = await start();
    whileCalling = async () => {};
    expect((await engine.ended(id)).task('c').output).toBe('early');
  });

  it('may bring an error, which fails the task with its code', async () => {
    const { id, token } = await start();
    await waits(id);
    await asTenant('dagwright.complete_callback($1, error => $2)', token, {
      code: 'out_of_stock',
      message: 'none left',
    });
    expect((await engine.ended(id)).task('c').error).toMatchObject({
      code: 'out_of_stock',
      message: 'none left',
    });
  });

  it('times out when nothing comes, later when it beats', async () => {
    limits = { timeoutMs: 60_000, heartbeatMs: 1_500 };
    const beating = await start();
    const silent = await start();
    limits = { timeoutMs: 20_000, heartbeatMs: null };
    await Promise.all([waits(beating.id), waits(silent.id)]);
    let isBeating = true;
    const beats = (async () => {
      while (isBeating)
        expect(await asTenant('dagwright.heartbeat_callback($1)', beating.token)).toBe('accepted');
    })();
    expect((await engine.ended(silent.id)).task('c').error).toMatchObject({ code: 'timeout' });
    isBeating = false;
    await beats;
    expect(await complete(beating.token, 'alive')).toBe('accepted');
    expect((await engine.ended(beating.id)).task('c').output).toBe('alive');
    expect(await complete(silent.token, 1)).toBe('expired');
  });

  it('is not missed when it comes while the task looks for it', async () => {
    const { id, token } = await start();
    let looks = 0;
    whileLooking = async () => {
      if (looks++ === 0) expect(await complete(token, 'just now')).toBe('accepted');
    };
    await waits(id);
    // It looks, as when a heartbeat had postponed its end.
    await engine.query(
      `update dagwright.task_executions set wake_at = clock_timestamp() where workflow_execution_id = $1 and task_id = 'c'`,
      [id],
    );
    expect((await engine.ended(id)).task('c').output).toBe('just now');
    whileLooking = async () => {};
    expect(looks).toBe(1);
  });

  it('of a later attempt counts, although an earlier one was answered with an error', async () => {
    const definition = graph('c', {
      tasks: {
        c: { taskType: 'later', retry: { maxAttempts: 2, initialIntervalSeconds: 0, retryOn: ['oops'] } },
      },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    const first = await until(async () => tokens.get(id));
    await waits(id);
    await asTenant('dagwright.complete_callback($1, error => $2)', first, { code: 'oops', message: 'again' });
    const second = await until(async () => (tokens.get(id) === first ? null : tokens.get(id)));
    await waits(id);
    expect(await complete(second, 'fine')).toBe('accepted');
    expect((await engine.ended(id)).task('c')).toMatchObject({ output: 'fine', attempt: 2 });
  });

  it('is waited for although the database was away when the task looked how long', async () => {
    const pool = engine.database.engine;
    const query = pool.query.bind(pool);
    let lost = 0;
    pool.query = ((...args: [{ name?: string }]) => {
      if (args[0].name !== 'load_answer_text' || lost++ > 0)
        return (query as (...all: unknown[]) => unknown)(...args);
      return Promise.reject(new Error('Connection terminated unexpectedly'));
    }) as typeof pool.query;
    const { id, token } = await start();
    await waits(id);
    pool.query = query;
    expect(lost).toBeGreaterThan(1);
    await complete(token, 'still');
    expect((await engine.ended(id)).task('c')).toMatchObject({ output: 'still', attempt: 1 });
  });

  it('has its time while its execution is paused', async () => {
    limits = { timeoutMs: 1_500, heartbeatMs: null };
    const { id, token } = await start();
    limits = { timeoutMs: 20_000, heartbeatMs: null };
    await waits(id);
    await pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
    // As if it stood for an hour.
    await engine.query(
      `update dagwright.workflow_executions set paused_at = paused_at - interval '1 hour' where id = $1`,
      [id],
    );
    await engine.query(
      `update dagwright.task_callbacks set expires_at = expires_at - interval '1 hour', times_out_at = times_out_at - interval '1 hour' where workflow_execution_id = $1`,
      [id],
    );
    expect(await complete(token, 'in time')).toBe('accepted');
    await resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).task('c').output).toBe('in time');
  });

  it('is refused for another tenant, without a tenant, and with an unknown token', async () => {
    const { id, token } = await start();
    await waits(id);
    const other = await engine.database.withTenant(
      '00000000-0000-7000-8000-0000000000ff',
      async (client) =>
        (await client.query('select dagwright.complete_callback($1) as answer', [token])).rows[0].answer,
    );
    expect(other).toBeNull();
    await expect(engine.query('select dagwright.complete_callback($1)', [token])).rejects.toThrow(
      'no tenant is set',
    );
    expect(await complete('guess', 1)).toBeNull();
    await complete(token, null);
    await engine.ended(id);
  });

  it('keeps only a hash of its token', async () => {
    const { id, token } = await start();
    await waits(id);
    for (const table of ['task_callbacks', 'task_executions', 'workflow_executions']) {
      const rows = await engine.query<{ row: string }>(`select t::text as row from dagwright.${table} t`);
      expect(rows.filter(({ row }) => row.includes(token))).toEqual([]);
    }
    await complete(token, null);
    await engine.ended(id);
  });

  it('that is answered in SQL is in the audit trail, once, without what it brought', async () => {
    const { id, token } = await start();
    await waits(id);
    await asTenant('dagwright.heartbeat_callback($1)', token);
    await complete(token, 'canary');
    await complete(token, 'canary again');
    await engine.ended(id);
    const rows = await trailOf(id);
    expect(rows).toEqual([
      {
        actor: 'system',
        action: 'callbacks.answer',
        values: { taskId: 'c', mapIndex: null, part: 'output' },
      },
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/canary/);
  });

  it('of a worker that does not know where it would be sent fails its task before the call', async () => {
    const lost = await openEngine({ moreTypes: [later], outside: { publicUrl: null } });
    try {
      const definition = graph('c', { tasks: { c: { taskType: 'later' } } });
      await lost.apply(definition);
      const id = await lost.start(definition.workflowId);
      const { error, attempt } = (await lost.ended(id)).task('c');
      expect(error).toMatchObject({
        code: 'validation',
        message: expect.stringContaining('DAGWRIGHT_PUBLIC_URL'),
      });
      expect(attempt).toBe(1);
      expect(await lost.query('select from dagwright.task_callbacks')).toEqual([]);
    } finally {
      await lost.close();
    }
  });
});
