// What attempts spend is recorded once and never lost: checkpoints, failures, cancels and crashes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotNow, TerminalError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/id.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { BEGIN } from '../support/begin.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine();
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

const attempts = (id: string) =>
  engine.query<{ cost: string; usage: unknown; code: string }>(
    `select cost_usd as cost, resource_usage as usage, error->>'code' as code from dagwright.task_attempts
     where workflow_execution_id = $1 order by fence`,
    [id],
  );

/** As if the worker of its running task had died: the row is handed to one that never was, and taken over from it. */
async function dieUnder(id: string): Promise<void> {
  const dead = newId();
  await engine.query(
    `insert into dagwright.workers (id, host, pid, concurrency, started_at, heartbeat_at, beating_since, lease_seconds)
     values ($1, 'gone', 1, 1, now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour', 15)`,
    [dead],
  );
  await engine.query(
    `update dagwright.task_executions set worker_id = $2 where workflow_execution_id = $1 and status = 'running'`,
    [id, dead],
  );
}

describe('what an attempt spends', () => {
  it('counts once when it was checkpointed and then completes', async () => {
    engine.bodies.a = async (context) => {
      context.addCost('0.1', { tokens: 1 });
      await context.checkpoint(1);
      context.addCost('0.02');
      await context.checkpoint(2);
      context.addCost('0.003', { tokens: 3 });
    };
    const run = await engine.run(graph('a'));
    expect(run.execution.costUsd).toBe('0.123');
    expect(run.task('a')).toMatchObject({ costUsd: '0.123', resourceUsage: { tokens: 3 } });
  });

  it('is kept with the attempt that failed, and the next one pays only for itself', async () => {
    let tries = 0;
    engine.bodies.a = async (context) => {
      tries++;
      context.addCost('0.1', { try: tries });
      await context.checkpoint(tries);
      context.addCost('0.05');
      if (tries === 1) throw new Error('once');
    };
    const run = await engine.run(
      graph('a', { tasks: { a: { retry: { maxAttempts: 2, initialIntervalSeconds: 0 } } } }),
    );
    expect(run.execution.costUsd).toBe('0.3');
    expect(await attempts(run.execution.id)).toEqual([
      { cost: '0.15', usage: { try: 1 }, code: 'handler_error' },
    ]);
  });

  it('is not lost by a cancel', async () => {
    const kept = gate();
    engine.bodies.a = async (context) => {
      context.addCost('0.7');
      await context.checkpoint('paid');
      kept.open();
      await new Promise((_, reject) => context.signal.addEventListener('abort', reject));
    };
    const definition = graph('a');
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await kept.opened;
    await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).execution.costUsd).toBe('0.7');
    await until(async () => engine.worker.running === 0);
  });

  it('is unknown as soon as one price is, and says so', async () => {
    engine.bodies.a = async (context) => {
      context.addCost('0.1');
      context.addCost(null);
      await context.checkpoint(1);
      context.addCost('0.2');
    };
    const run = await engine.run(graph('a'));
    expect(run.execution.costUsd).toBeNull();
    expect(run.task('a').costUsd).toBeNull();
  });

  it('is kept with an attempt whose worker died, once', async () => {
    const [first, second] = [gate(), gate()];
    let tries = 0;
    engine.bodies.a = async (context) => {
      context.addCost('0.25', { model: 'm' });
      await context.checkpoint('paid');
      if (++tries > 1) return 'done';
      first.open();
      await second.opened;
      return 'too late';
    };
    const definition = graph('a');
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await first.opened;
    await dieUnder(id);
    const run = await engine.ended(id);
    second.open();
    await until(async () => engine.worker.running === 0);
    expect(run.execution.costUsd).toBe('0.5');
    expect(await attempts(id)).toEqual([{ cost: '0.25', usage: { model: 'm' }, code: 'worker_lost' }]);
  });

  it('counts once when a checkpoint is under way as the attempt ends', async () => {
    engine.bodies.a = async (context) => {
      context.addCost('1');
      // An author who does not wait for it.
      void context.checkpoint(1).catch(() => {});
      return 'done';
    };
    engine.bodies.b = async (context) => {
      context.addCost('1');
      const first = context.checkpoint(1);
      context.addCost('1');
      await Promise.all([first, context.checkpoint(2)]);
    };
    const runs = await Promise.all(Array.from({ length: 15 }, () => engine.run(graph('a -> b'))));
    expect(runs.map(({ execution }) => execution.costUsd)).toEqual(Array(15).fill('3'));
    delete engine.bodies.b;
  });

  it('counts once when a timeout ends the attempt while its checkpoint waits', async () => {
    const client = await engine.database.engine.connect();
    try {
      const entered = gate();
      engine.bodies.a = async (context) => {
        context.addCost('1');
        await client.query(BEGIN);
        await client.query('select from dagwright.workflow_executions where id = $1 for update', [
          context.executionId,
        ]);
        entered.open();
        await context.checkpoint(1);
      };
      const definition = graph('a', { tasks: { a: { timeoutSeconds: 1 } } });
      await engine.apply(definition);
      const id = await engine.start(definition.workflowId);
      await entered.opened;
      // Its time is over when the lock is free again.
      await client.query('select pg_sleep(1.5)');
      await client.query('commit');
      const run = await engine.ended(id);
      expect(run.execution).toMatchObject({ status: 'failed', costUsd: '1' });
    } finally {
      client.release(true);
    }
  });

  it('of a refused failure is recorded too', async () => {
    engine.bodies.a = (context) => {
      context.addCost('1.5');
      throw new TerminalError('nope', 'no');
    };
    const run = await engine.run(graph('a'));
    expect(run.execution).toMatchObject({ status: 'failed', costUsd: '1.5' });
  });
});

describe('a task that could not run at first', () => {
  it('has no more tries than its policy gives, whatever crashes', async () => {
    let entries = 0;
    const [died, late] = [gate(), gate()];
    engine.bodies.a = async () => {
      entries++;
      if (entries === 1) throw new NotNow('not yet', 20);
      if (entries === 2) {
        died.open();
        await late.opened;
      }
      throw new Error('it fails');
    };
    const definition = graph('a', { tasks: { a: { retry: { maxAttempts: 1 } } } });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    await died.opened;
    await dieUnder(id);
    const run = await engine.ended(id);
    late.open();
    await until(async () => engine.worker.running === 0);
    expect(run.execution.status).toBe('failed');
    expect(entries).toBe(3);
    expect(run.task('a').attempt).toBe(2);
  });
});
