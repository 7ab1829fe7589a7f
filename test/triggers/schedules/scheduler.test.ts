// The scheduler as a process runs it: its loops, its row, and how many schedules fire at one moment.

import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskLog } from '../../../src/core/log-lines.ts';
import { Scheduler } from '../../../src/triggers/scheduler.ts';
import { createSchedulePass } from '../../../src/triggers/schedules/pass.ts';
import { until } from '../../support/engine.ts';
import { patience } from '../../support/patience.ts';
import { type Bench, makeSchedule, openBench } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const silent: TaskLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('a scheduler', () => {
  test('registers, beats, fires what is due, and takes its row away', async () => {
    const scheduler = new Scheduler({ database: bench.engine.database, log: silent, everyMs: 50 });
    expect(scheduler.isProgressing()).toBe(false);
    scheduler.start();
    const row = () =>
      bench.engine.query<{ fired: number }>('select fired from dagwright.schedulers where id = $1', [
        scheduler.id,
      ]);
    await until(async () => (await row()).length === 1);
    expect(scheduler.isProgressing()).toBe(true);
    const { id } = await bench.overdue(1);
    await until(async () => (await bench.summary(id)) === 'fired 1');
    await scheduler.stop();
    expect(await row()).toEqual([]);
    expect(scheduler.isProgressing()).toBe(false);
  });

  test('a pass that throws ends nothing, and delays no other', async () => {
    const complaints: string[] = [];
    let tries = 0;
    const scheduler = new Scheduler({
      database: bench.engine.database,
      log: {
        ...silent,
        error: (message, fields) => void complaints.push(`${message} ${JSON.stringify(fields)}`),
      },
      everyMs: 20,
      passes: [
        {
          name: 'broken',
          run: async () => {
            tries++;
            throw new Error('planted');
          },
        },
        { name: 'hanging', run: () => hanging.promise },
      ],
    });
    const hanging = Promise.withResolvers<number>();
    scheduler.start();
    const { id } = await bench.overdue(1);
    await until(async () => (await bench.summary(id)) === 'fired 1' && tries > 2);
    expect(complaints[0]).toContain('planted');
    hanging.resolve(0);
    await scheduler.stop();
  });

  test('only a beat says that the database answers again', async () => {
    const said: string[] = [];
    let isAway = true;
    const away = () => Promise.reject(Object.assign(new Error('planted'), { code: 'ECONNREFUSED' }));
    const { database } = bench.engine;
    const engine: typeof database.engine = new Proxy(database.engine, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== 'function') return value;
        return isAway && (key === 'query' || key === 'connect') ? away : value.bind(target);
      },
    });
    const passed = Promise.withResolvers<void>();
    let passes = 0;
    const idle = async () => {
      if (said.length > 0 && ++passes === 3) passed.resolve();
      return 0;
    };
    const scheduler = new Scheduler({
      database: { ...database, engine },
      log: { ...silent, warn: (text) => void said.push(text), info: (text) => void said.push(text) },
      everyMs: 20,
      passes: [{ name: 'asks nothing', run: idle }],
    });
    scheduler.start();
    await passed.promise;
    expect(said).toEqual([expect.stringContaining('does not answer')]);
    isAway = false;
    await until(async () => said.length > 1);
    expect(said[1]).toBe('the database answers again');
    await scheduler.stop();
  });

  test('a pass that did something runs again at once', async () => {
    const answers = [3, 2, 0];
    const begun: number[] = [];
    const scheduler = new Scheduler({
      database: bench.engine.database,
      log: silent,
      everyMs: 60_000,
      passes: [
        {
          name: 'backlog',
          run: async () => {
            begun.push(answers[0]!);
            return answers.shift()!;
          },
        },
      ],
    });
    const passed: [string, number][] = [];
    scheduler.events.on('passed', (name, done) => void passed.push([name, done]));
    scheduler.start();
    while (!passed.some(([name, done]) => name === 'backlog' && done === 0))
      await once(scheduler.events, 'passed');
    await scheduler.stop();
    expect(begun).toEqual([3, 2, 0]);
  });
});

describe('with a worker', () => {
  test('what was missed runs one after the other, in order, and knows its nominal time', async () => {
    const working = await openBench({ worker: true });
    const scheduler = new Scheduler({ database: working.engine.database, log: silent, everyMs: 50 });
    scheduler.start();
    try {
      const { id, times } = await working.overdue(4, { catchupPolicy: 'all' });
      await until(async () => (await working.summary(id)) === 'fired 4');
      const ticks = await working.ticks(id);
      const runs = await Promise.all(ticks.map(({ executionId }) => working.engine.ended(executionId!)));
      expect(runs.map((run) => run.task('a').output)).toEqual(times.map((ms) => new Date(ms).toISOString()));
      const spans = runs.map(({ execution: { createdAt, completedAt } }) => [createdAt, completedAt!]);
      for (const [i, [created]] of spans.entries())
        if (i > 0) expect(Date.parse(created!)).toBeGreaterThanOrEqual(Date.parse(spans[i - 1]![1]!));
    } finally {
      await scheduler.stop();
      await working.close();
    }
  });
});

describe('1,000 schedules at one moment', () => {
  test('fire in a few commits, within 5 s on a quiet machine', async () => {
    await bench.work();
    const count = 1_000;
    const seed = await makeSchedule(bench.engine);
    await bench.engine.query(
      `insert into dagwright.schedules (id, tenant_id, workflow_id, name, cron_expression, timezone, next_run_at, due_at, created_by)
       select gen_random_uuid(), tenant_id, workflow_id, 'many ' || n, cron_expression, timezone, now(), now(), 'test'
       from dagwright.schedules, generate_series(1, $2) n where id = $1`,
      [seed.id, count],
    );
    const calls: string[] = [];
    const { engine } = bench.engine.database;
    const counting = new Proxy(engine, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== 'function') return value;
        if (key !== 'query') return value.bind(target);
        return (query: { name?: string }) => {
          calls.push(query.name ?? 'other');
          return target.query(query as never);
        };
      },
    });
    const pass = createSchedulePass({
      database: { ...bench.engine.database, engine: counting },
      log: silent,
    });
    const startedAt = performance.now();
    let applied = 0;
    while (applied < count) applied += await pass.run();
    const ms = Math.round(performance.now() - startedAt);
    const executions = await bench.engine.query<{ n: number }>(
      `select count(*)::int as n from dagwright.workflow_executions where trigger->>'scheduleName' like 'many %'`,
    );
    const commits = calls.filter((name) => name === 'apply_ticks_v1').length;
    console.log(`${count} schedules fired in ${ms} ms, ${commits} commits, ${calls.length} calls`);
    expect(executions).toEqual([{ n: count }]);
    expect(commits).toBeLessThanOrEqual(4);
    expect(calls.length).toBeLessThanOrEqual(20);
    expect(ms).toBeLessThan(patience(15_000));
  });
});
