// /metrics: numbers of this process and of the installation, none of which names a tenant. /healthz: whether all goes on.
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryableError } from '../../src/core/errors.ts';
import { readEngineNumbers } from '../../src/db/operations/engine-numbers.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { Metrics } from '../../src/http/process/metrics.ts';
import { type Engine, failing, gate, graph, until, waiting } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
let engine: Engine;
let before: Map<string, number>;
beforeAll(async () => {
  service = await openService({ worker: true, listen: true });
  engine = service.engine!;
});
afterAll(() => service.close());
beforeEach(async () => {
  before = await read();
});

async function read(): Promise<Map<string, number>> {
  const { body } = await service.call('GET', '/metrics');
  const lines = (body as string).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}
/** How much more it is than at the beginning of the test. */
async function grown(name: string): Promise<number> {
  return ((await read()).get(name) ?? 0) - (before.get(name) ?? 0);
}

describe('/metrics', () => {
  it('counts a client that went before its answer as 499', async () => {
    const name = 'dagwright_http_requests_total{method="GET",route="/v1/executions/:id/events",status="499"}';
    const wanted = graph('w', { tasks: { w: waiting(3600) } });
    await service.engine!.apply(wanted);
    const id = await service.engine!.start(wanted.workflowId);
    const gone = new AbortController();
    await fetch(`${service.url}/v1/executions/${id}/events`, { signal: gone.signal });
    gone.abort();
    await until(async () => (await grown(name)) >= 1);
    await service.call('POST', `/v1/executions/${id}/cancel`);
  });

  it('counts attempts by type and how they ended, retries, executions, durations', async () => {
    let tries = 0;
    engine.bodies.flaky = () => {
      if (++tries < 3) throw new RetryableError('again');
    };
    await engine.run(
      graph('flaky -> bad; flaky -> ok', {
        failurePolicy: 'continue',
        tasks: {
          flaky: { retry: { maxAttempts: 3, initialIntervalSeconds: 0.01 } },
          bad: failing(),
        },
      }),
    );
    expect(await grown('dagwright_task_attempts_total{type="probe",status="retrying"}')).toBe(2);
    expect(await grown('dagwright_task_attempts_total{type="probe",status="completed"}')).toBe(2);
    expect(await grown('dagwright_task_attempts_total{type="fail",status="failed"}')).toBe(1);
    expect(await grown('dagwright_task_retries_total')).toBe(2);
    expect(await grown('dagwright_task_duration_seconds_count{type="probe"}')).toBe(4);
    expect(await grown('dagwright_executions_ended_total')).toBe(1);
    expect(await grown('dagwright_queue_time_seconds_count')).toBeGreaterThanOrEqual(1);
  });

  it('sums what attempts have cost', async () => {
    await engine.run(
      graph('ask', {
        tasks: { ask: { taskType: 'model_inference', modelId: 'simulated/any', config: { prompt: 'Why?' } } },
      }),
    );
    const [row] = await service.query<{ usd: number }>(
      'select sum(actual_cost_usd)::float8 as usd from dagwright.workflow_executions',
    );
    expect(row!.usd).toBeGreaterThan(0);
    expect((await read()).get('dagwright_cost_usd_total')).toBeCloseTo(row!.usd, 12);
  });

  it('shows what is open by status, the queue, and who is there', async () => {
    const { opened, open } = gate();
    engine.bodies.held = () => opened;
    const run = graph('a -> held; a -> sleeps; held -> last; sleeps -> last', {
      tasks: { sleeps: waiting(60) },
    });
    await engine.apply(run);
    const id = await engine.start(run.workflowId);
    await engine.start(run.workflowId, { runAt: new Date(Date.now() + 3_600_000).toISOString() });
    await until(async () => {
      const rows = await engine.query(
        'select from dagwright.task_executions where workflow_execution_id = $1 and status = $2',
        [id, 'waiting'],
      );
      return engine.entered.includes('held') && rows.length === 1;
    });
    const numbers = await readEngineNumbers(service.database.engine);
    expect(numbers).toMatchObject({
      executions: { running: 1, pending: 1 },
      tasks: { running: 1, waiting: 1, pending: 1 },
      workers: 1,
      repairs: 0,
    });
    expect(numbers.queue.oldestSeconds).toBeLessThan(60);
    const metrics = new Metrics();
    metrics.watchDatabase(service.database, service.service.log);
    const text = String(await metrics.render());
    expect(text).toContain('dagwright_executions_open{status="running"} 1');
    expect(text).toContain('dagwright_executions_last_hour{status="running"} 1');
    expect(text).toContain('dagwright_executions_last_hour{status="failed"} 1');
    expect(text).toContain('dagwright_tasks_open{status="waiting"} 1');
    expect(text).toContain('dagwright_waits_open{kind="timer"} 1');
    expect(text).toContain('dagwright_waits_open{kind="signal"} 0');
    expect(text).toContain('dagwright_database_up 1');
    open();
  });

  it('has the use of connections, the lag of the event loop and the process, and no tenant', async () => {
    await service.tenant('canary-tenant-name');
    const names = [...(await read()).keys()];
    for (const name of [
      'dagwright_pool_connections{pool="api_engine",state="total"}',
      'dagwright_pool_connections{pool="api_tenant",state="waiting"}',
      'nodejs_eventloop_lag_seconds',
      'process_resident_memory_bytes',
    ])
      expect(names).toContain(name);
    const { body } = await service.call('GET', '/metrics');
    expect(body).not.toMatch(/canary|tenant_id|default"/);
    expect(body).not.toContain(DEFAULT_TENANT_ID);
  });

  it('is written once for all who ask at a time, and at most once a second', async () => {
    const written = vi.spyOn(Registry.prototype, 'metrics');
    try {
      const metrics = new Metrics();
      const texts = await Promise.all(Array.from({ length: 50 }, () => metrics.render()));
      expect(new Set(texts).size).toBe(1);
      await metrics.render();
      expect(written).toHaveBeenCalledTimes(1);
      const fresh = new Metrics({ textFreshMs: 0 });
      await fresh.render();
      await fresh.render();
      expect(written).toHaveBeenCalledTimes(3);
    } finally {
      written.mockRestore();
    }
  });

  it('reads the numbers of the installation once in five seconds, however often it is written', async () => {
    const metrics = new Metrics({ textFreshMs: 0 });
    metrics.watchDatabase(service.database, service.service.log);
    const asked = vi.spyOn(service.database.engine, 'connect');
    try {
      await metrics.render();
      const once = asked.mock.calls.length;
      expect(once).toBeGreaterThan(0);
      await metrics.render();
      await metrics.render();
      expect(asked.mock.calls.length).toBe(once);
    } finally {
      asked.mockRestore();
    }
  });

  it('names routes by their pattern, and all unknown paths alike', async () => {
    await service.call('GET', '/v1/executions/01a1fa0b-a5f8-786d-8779-39134096f0eb');
    for (let i = 0; i < 20; i++) await service.call('GET', `/v1/unknown-${i}`);
    const names = [...(await read()).keys()].filter((name) =>
      name.startsWith('dagwright_http_requests_total'),
    );
    expect(names.join()).not.toMatch(/01a1fa0b|unknown-/);
    expect(
      await grown('dagwright_http_requests_total{method="GET",route="unknown",status="404"}'),
    ).toBeGreaterThanOrEqual(20);
  });
});

describe('/readyz', () => {
  it('asks the database once at a time, however many ask', async () => {
    await service.call('GET', '/readyz');
    const asked = vi.spyOn(service.database.engine, 'query');
    try {
      const answers = await Promise.all(Array.from({ length: 50 }, () => service.call('GET', '/readyz')));
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
      // Whoever comes after the first answer may ask again; the worker of this process has another pool.
      expect(asked.mock.calls.length).toBeLessThan(10);
      expect(asked.mock.calls.length).toBeGreaterThan(0);
    } finally {
      asked.mockRestore();
    }
  });
});

describe('/healthz', () => {
  it('is well while the worker goes on, and says so of a worker that works', async () => {
    expect(engine.worker.stalled).toBe(null);
  });

  it('says which loop stands still', async () => {
    let problem: string | null = null;
    service.service.health.add({ name: 'worker', problem: () => problem });
    expect((await service.call('GET', '/healthz')).status).toBe(200);
    problem = 'its queue takes no jobs';
    const answer = await service.call('GET', '/healthz');
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      503,
      'unhealthy',
      'worker: its queue takes no jobs',
    ]);
    problem = null;
  });
});
