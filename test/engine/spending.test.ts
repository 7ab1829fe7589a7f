// What attempts spend is recorded once and never lost: checkpoints, failures, cancels and crashes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TerminalError } from '../../src/core/errors.ts';
import { cancelExecution } from '../../src/db/executions.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/schema.ts';
import { type Engine, gate, graph, openEngine, until } from '../support/engine.ts';

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
    // As if its worker had died: the row is handed to one that never was, and taken over from it.
    const dead = '00000000-0000-7000-8000-00000000dead';
    await engine.query(
      `insert into dagwright.workers (id, host, pid, concurrency, started_at, heartbeat_at, beating_since, lease_seconds)
       values ($1, 'gone', 1, 1, now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour', 15)`,
      [dead],
    );
    await engine.query(
      `update dagwright.task_executions set worker_id = $2 where workflow_execution_id = $1`,
      [id, dead],
    );
    const run = await engine.ended(id);
    second.open();
    await until(async () => engine.worker.running === 0);
    expect(run.execution.costUsd).toBe('0.5');
    expect(await attempts(id)).toEqual([{ cost: '0.25', usage: { model: 'm' }, code: 'worker_lost' }]);
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
