// The table of prices, the worker's book of it, and the views of what was spent.
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readBill } from '../../src/core/cost/bill.ts';
import { PRICE_LIBRARY_VERSION, readPriceLibrary } from '../../src/core/cost/price-library.ts';
import { PriceTable } from '../../src/core/cost/price-table.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { addUsd, sumUsd } from '../../src/core/money.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { ROLES } from '../../src/db/connection/roles.ts';
import { arePricesOlder, migrateDatabase } from '../../src/db/operations/migrate.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { readPrices, removeOperatorPrices, setOperatorPrice } from '../../src/db/resources/pricing.ts';
import { PriceBook } from '../../src/engine/services/price-book.ts';
import { RetryableError, TerminalError } from '../../src/index.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { definition, type Engine, graph, openEngine } from '../support/engine.ts';
import { cancelExecution, findCosts } from '../support/executions.ts';

const USAGE = {
  inputTokens: 1000,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 100,
  reasoningTokens: 0,
};
const BILL = readBill('simulated', { usage: USAGE });
const AT = new Date('2026-06-01T00:00:00Z');

describe('the table', () => {
  let own: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    own = await createDatabase();
    database = openDatabase(own.url);
  });
  afterEach(async () => {
    await database.close();
    await own.drop();
  });

  const asOwner = async (text: string) => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    try {
      await client.query(`set role ${ROLES.owner}`);
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };

  test('a migrated database has every price of the library, as it was', async () => {
    const byPosition = <T extends { position: number }>(rows: T[]) =>
      rows.sort((a, b) => a.position - b.position);
    const stored = (await readPrices(database.engine)).filter(({ source }) => source === 'library');
    expect(byPosition(stored)).toEqual(byPosition(await readPriceLibrary()));
    expect(await arePricesOlder(own.url)).toBe(false);
  });

  test("a newer library replaces the library's prices and leaves the operator's", async () => {
    await setOperatorPrice(database.engine, price('openai', 'gpt-4o', '9'));
    await asOwner(
      `update dagwright.ai_model_pricing set library_version = '0.1.7/9', input_usd_per_million = 77 where source = 'library'`,
    );
    await asOwner(`delete from dagwright.ai_model_pricing where provider = 'anthropic'`);
    expect(await arePricesOlder(own.url)).toBe(true);
    await Promise.all([migrateDatabase(own.url), migrateDatabase(own.url)]);
    const rows = await readPrices(database.engine);
    expect(rows.filter(({ source }) => source === 'library')).toHaveLength((await readPriceLibrary()).length);
    const table = new PriceTable(rows);
    expect(table.find('openai', 'gpt-4o', AT)?.rates.input).toBe('9');
    expect(table.find('anthropic', 'claude-3-haiku', AT)?.rates.input).toBe('0.25');
  });

  test('an older release leaves the prices of a newer one as they are', async () => {
    const newer = `${PRICE_LIBRARY_VERSION.split('.')[0]}.10.0/1`;
    await asOwner(
      `update dagwright.ai_model_pricing set library_version = '${newer}' where source = 'library'`,
    );
    expect(await arePricesOlder(own.url)).toBe(false);
    await migrateDatabase(own.url);
    expect(await asOwner('select distinct library_version as v from dagwright.ai_model_pricing')).toEqual([
      { v: newer },
    ]);
  });

  test("the operator's first price holds always, the next from now on; removed, the library's holds again", async () => {
    const find = async (at: Date) =>
      new PriceTable(await readPrices(database.engine)).find('openai', 'gpt-4o-2024-08-06', at)?.rates.input;
    const library = await find(AT);
    await setOperatorPrice(database.engine, price('openai', 'gpt-4o-2024-08-06', '8'));
    expect(await find(AT)).toBe('8');
    const from = new Date(await setOperatorPrice(database.engine, price('openai', 'gpt-4o-2024-08-06', '9')));
    expect([await find(AT), await find(new Date(from.getTime() - 1)), await find(from)]).toEqual([
      '8',
      '8',
      '9',
    ]);
    await setOperatorPrice(database.engine, {
      ...price('openai', 'gpt-4o-2024-08-06', '7'),
      effectiveFrom: from,
    });
    expect(await find(from)).toBe('7');
    expect(await removeOperatorPrices(database.engine, 'openai', 'gpt-4o-2024-08-06')).toBe(2);
    expect(await find(from)).toBe(library);
  });

  test('rates come back to the last digit', async () => {
    const rate = '0.123456789012345678901234567891';
    await setOperatorPrice(database.engine, price('acme', 'tiny', rate));
    expect(new PriceTable(await readPrices(database.engine)).find('acme', 'tiny', AT)?.rates).toEqual({
      input: rate,
      output: '1',
    });
  });

  test("prices are the operator's: the tenant role neither reads nor writes them", async () => {
    for (const text of [
      'select from dagwright.ai_model_pricing',
      'update dagwright.ai_model_pricing set model = model',
    ])
      await expect(database.withTenant(DEFAULT_TENANT_ID, (client) => client.query(text))).rejects.toThrow(
        /permission denied/,
      );
  });
});

function price(provider: string, model: string, input: string) {
  return { provider, model, effectiveFrom: null, rates: { input, output: '1' } };
}

describe('the book of a worker', () => {
  let own: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    own = await createDatabase();
    database = openDatabase(own.url);
  });
  afterEach(async () => {
    await database.close();
    await own.drop();
  });
  /** The pool, counting its queries; `isDown` refuses them. */
  const watched = () => {
    const state = { queries: 0, isDown: false };
    const query = (...args: unknown[]) => {
      state.queries++;
      if (state.isDown)
        return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
      return (database.engine.query as (...all: unknown[]) => unknown)(...args);
    };
    return { state, pool: { query } as unknown as pg.Pool };
  };

  test('prices simulated models, and real ones, from one reading of the table', async () => {
    const { state, pool } = watched();
    const book = new PriceBook(pool);
    const costs = await Promise.all(
      [
        ['simulated', 'fast'],
        ['anthropic', 'claude-sonnet-4-5-20250929'],
      ].map(([provider, model]) => book.price({ provider: provider!, model: model!, at: AT, bill: BILL })),
    );
    expect(costs.map(({ costUsd }) => costUsd)).toEqual(['0.0012', '0.0045']);
    expect(state.queries).toBe(2);
  });

  test('an unknown model costs null, and is named once', async () => {
    const named: string[] = [];
    const book = new PriceBook(database.engine, { onUnknown: (message) => named.push(message) });
    const call = { provider: 'acme', model: 'unheard-of', at: AT, bill: BILL };
    expect([await book.price(call), (await book.price(call)).costUsd]).toMatchObject([
      {
        inputCostUsd: null,
        outputCostUsd: null,
        costUsd: null,
        unknownBecause: expect.stringContaining('no price'),
      },
      null,
    ]);
    expect(named).toEqual([expect.stringContaining('acme/unheard-of')]);
  });

  test('a changed price is seen once the old one may no longer be held, and the table is read anew only then', async () => {
    const { state, pool } = watched();
    const held = new PriceBook(database.engine, { maxAgeMs: 600_000 });
    const book = new PriceBook(pool, { maxAgeMs: 0 });
    const call = { provider: 'simulated', model: 'fast', at: AT, bill: BILL };
    await Promise.all([held.price(call), book.price(call)]);
    await book.price(call);
    expect(state.queries).toBe(3);
    await setOperatorPrice(database.engine, price('simulated', '*', '1000'));
    expect((await book.price(call)).costUsd).toBe('1.0001');
    expect((await held.price(call)).costUsd).toBe('0.0012');
    await removeOperatorPrices(database.engine, 'simulated', '*');
    expect((await book.price(call)).costUsd).toBe('0.0012');
  });

  test('a price that was set is used by every worker within two seconds', async () => {
    const books = [new PriceBook(database.engine), new PriceBook(database.engine)];
    const call = { provider: 'simulated', model: 'fast', at: AT, bill: BILL };
    for (const book of books) expect((await book.price(call)).costUsd).toBe('0.0012');
    await setOperatorPrice(database.engine, price('simulated', '*', '1000'));
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 1500);
    try {
      for (const book of books) expect((await book.price(call)).costUsd).toBe('1.0001');
    } finally {
      clock.mockRestore();
    }
  });

  test('what was read holds through an outage of the database', async () => {
    const { state, pool } = watched();
    const book = new PriceBook(pool, { maxAgeMs: 0 });
    const call = { provider: 'simulated', model: 'fast', at: AT, bill: BILL };
    await book.price(call);
    state.isDown = true;
    expect((await book.price(call)).costUsd).toBe('0.0012');
  });

  test('the first reading waits for the database', async () => {
    const { state, pool } = watched();
    state.isDown = true;
    const priced = new PriceBook(pool).price({ provider: 'simulated', model: 'fast', at: AT, bill: BILL });
    while (state.queries < 2) await new Promise((resolve) => setImmediate(resolve));
    state.isDown = false;
    expect((await priced).costUsd).toBe('0.0012');
  });
});

const call = (model: string, inputTokens: number, outputTokens: number, more: object = {}) => ({
  provider: model.split('/')[0]!,
  model,
  inputTokens,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens,
  reasoningTokens: 0,
  latencyMs: 5,
  ...more,
});

describe('what was spent', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await openEngine();
  });
  afterEach(() => engine.close());

  const log = (columns: string) =>
    engine.query<Record<string, unknown>>(
      `select ${columns} from dagwright.v_costs order by task_id, map_index nulls first, attempt_number, call nulls last`,
    );
  const twice = { retry: { maxAttempts: 2, initialIntervalSeconds: 0.001 } };

  test('adds up to the cost of the execution: retries, several calls, items, what is no model, failures', async () => {
    engine.bodies.retried = ({ attempt, addCost }) => {
      addCost(attempt === 1 ? '0.1' : '0.02', call('acme/one', 10 * attempt, attempt));
      if (attempt === 1) throw new RetryableError('again');
    };
    engine.bodies.many = ({ addCost }) => {
      addCost('0.003', call('acme/one', 5, 1));
      const calls = [
        call('acme/one', 5, 1, { costUsd: '0.003' }),
        call('acme/two', 7, 2, { costUsd: '0.0004' }),
      ];
      addCost('0.0004', { ...call('acme/two', 12, 3), calls });
      addCost('0.5');
    };
    engine.bodies.each = ({ addCost }) => addCost('0.01', call('acme/one', 1, 1));
    engine.bodies.free = () => 'nothing';
    engine.bodies.fee = ({ addCost }) => addCost('0.25');
    engine.bodies.lost = ({ addCost }) => {
      addCost('0.0000000000000000000001', call('simulated/fast', 1, 1));
      throw new TerminalError('boom', 'no');
    };
    const each = {
      taskType: 'parallel',
      config: { items: [1, 2], task: { taskType: 'probe', config: {} } },
    };
    const graphed = graph('retried -> many; each; free; fee; lost', {
      failurePolicy: 'continue',
      tasks: { retried: twice, each },
    });
    const run = await engine.run(graphed);

    expect(run.execution.costUsd).toBe('0.8934000000000000000001');
    expect(sumUsd((await log('cost_usd')).map(({ cost_usd }) => String(cost_usd)))).toBe(
      run.execution.costUsd,
    );
    expect(
      (
        await log(
          `concat_ws(' ', task_id, attempt_number, call, model, input_tokens, trim_scale(cost_usd), error_code, simulated) as line`,
        )
      ).map(({ line }) => line),
    ).toEqual([
      'each 1 acme/one 1 0.01 f',
      'each 1 acme/one 1 0.01 f',
      'fee 1 0 0.25 f',
      'lost 1 simulated/fast 1 0.0000000000000000000001 boom t',
      'many 1 1 acme/one 5 0.003 f',
      'many 1 2 acme/two 7 0.0004 f',
      'many 1 acme/two 0 0.5 f',
      'retried 1 acme/one 10 0.1 handler_error f',
      'retried 2 acme/one 20 0.02 f',
    ]);
  });

  test('an attempt that used nothing does not repeat what the attempt before it used', async () => {
    engine.bodies.a = ({ attempt, addCost }) => {
      if (attempt > 1) return;
      addCost('0.1', call('acme/one', 10, 1));
      throw new RetryableError('again');
    };
    await engine.run(graph('a', { tasks: { a: twice } }));
    expect(await log('attempt_number, input_tokens')).toEqual([{ attempt_number: 1, input_tokens: 10 }]);
  });

  test('what an attempt had spent when it was cancelled is kept, with what it used', async () => {
    const kept = Promise.withResolvers<void>();
    engine.bodies.a = async ({ addCost, checkpoint, signal }) => {
      addCost('0.1', call('acme/one', 10, 1));
      await checkpoint({ turn: 1 });
      kept.resolve();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const graphed = graph('a');
    await engine.apply(graphed);
    const id = await engine.start(graphed.workflowId);
    await kept.promise;
    await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).execution.costUsd).toBe('0.1');
    expect(await log('model, input_tokens, trim_scale(cost_usd) as usd')).toEqual([
      { model: 'acme/one', input_tokens: 10, usd: '0.1' },
    ]);
  });

  test('an unknown price is shown as unknown, and the rest stays exact', async () => {
    engine.bodies.a = ({ addCost }) => addCost(null, call('acme/unheard-of', 10, 1));
    engine.bodies.b = ({ addCost }) => addCost('0.1', call('acme/one', 10, 1));
    const run = await engine.run(graph('a -> b'));
    expect(run.execution.costUsd).toBeNull();
    const costs = await findCosts(engine.database, DEFAULT_TENANT_ID, run.execution.id);
    expect(costs.map(({ taskId, costUsd, isUnknown }) => [taskId, costUsd, isUnknown])).toEqual([
      ['a', '0', true],
      ['b', '0.1', false],
    ]);
    expect(
      await engine.query(
        'select model, trim_scale(cost_usd) as usd, cost_unknown from dagwright.v_cost_daily order by model',
      ),
    ).toEqual([
      { model: 'acme/one', usd: '0.1', cost_unknown: false },
      { model: 'acme/unheard-of', usd: '0', cost_unknown: true },
    ]);
  });

  test('what an author writes as usage cannot break the views', async () => {
    const usages: JsonObject[] = [
      {
        provider: 1,
        model: {},
        inputTokens: 'many',
        outputTokens: -5,
        latencyMs: 1e300,
        simulated: 'yes',
        calls: [1, null, { costUsd: 'x' }],
      },
      { inputTokens: 1.9, calls: { costUsd: '1' } },
      { provider: 'acme', costUsd: '1e9', calls: [] },
    ];
    usages.forEach((usage, i) => {
      engine.bodies[`t${i}`] = ({ addCost }) => addCost('0.1', usage);
    });
    const run = await engine.run(graph('t0; t1; t2'));
    const costs = await findCosts(engine.database, DEFAULT_TENANT_ID, run.execution.id);
    expect(costs.reduce((sum, { costUsd }) => addUsd(sum, costUsd), '0')).toBe('0.3');
    for (const view of ['ai_usage_log', 'v_cost_daily', 'v_task_stats'])
      await engine.query(`select * from dagwright.${view}`);
  });

  test('the day is that of UTC, by workflow and model, with executions and tasks counted', async () => {
    engine.bodies.a = ({ addCost }) => addCost('0.1', call('acme/one', 10, 1));
    engine.bodies.b = ({ addCost }) => addCost('0.2', call('acme/one', 20, 2));
    const graphed = graph('a -> b');
    const first = await engine.run(graphed);
    await engine.ended(await engine.start(graphed.workflowId));
    await engine.query(
      `update dagwright.task_executions set completed_at = '2026-03-01T23:59:59.9Z' where workflow_execution_id = $1 and task_id = 'a'`,
      [first.execution.id],
    );
    await engine.query(
      `update dagwright.task_executions set completed_at = '2026-03-02T00:00:00Z' where completed_at > '2026-03-02T00:00:00Z'`,
    );
    const days = await engine.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
      await client.query(`set local timezone = 'Pacific/Auckland'`);
      const { rows } = await client.query(
        `select day::text, workflow_id = $1 as ours, model, executions, tasks, input_tokens, output_tokens, trim_scale(cost_usd) as usd
         from dagwright.v_cost_daily order by day`,
        [graphed.workflowId],
      );
      return rows;
    });
    expect(days).toEqual([
      {
        day: '2026-03-01',
        ours: true,
        model: 'acme/one',
        executions: 1,
        tasks: 1,
        input_tokens: 10,
        output_tokens: 1,
        usd: '0.1',
      },
      {
        day: '2026-03-02',
        ours: true,
        model: 'acme/one',
        executions: 2,
        tasks: 3,
        input_tokens: 50,
        output_tokens: 5,
        usd: '0.5',
      },
    ]);
  });

  test('statistics of tasks: runs, failures, durations and cost, items apart', async () => {
    engine.bodies.bad = ({ addCost }) => {
      addCost('0.1');
      throw new TerminalError('boom', 'no');
    };
    const fanOut = definition(
      [
        { taskId: 'bad', taskType: 'probe', dependsOn: [], config: {} },
        {
          taskId: 'each',
          taskType: 'parallel',
          dependsOn: [],
          config: { items: [1, 2, 3], task: { taskType: 'transformation', config: { output: '$.item' } } },
        },
      ],
      { failurePolicy: 'continue' },
    );
    await engine.run(fanOut);
    await engine.query(
      `update dagwright.task_executions set duration_ms = 10 * (map_index + 1), queued_ms = 1 where task_id = 'each' and map_index >= 0`,
    );
    const stats = await engine.query(
      `select task_id, is_item, runs, failures, p50_duration_ms, p95_duration_ms, p95_queued_ms, trim_scale(cost_usd) as usd
       from dagwright.v_task_stats where task_id <> 'each' or is_item order by task_id`,
    );
    expect(stats).toMatchObject([
      { task_id: 'bad', is_item: false, runs: 1, failures: 1, usd: '0.1' },
      {
        task_id: 'each',
        is_item: true,
        runs: 3,
        failures: 0,
        p50_duration_ms: 20,
        p95_duration_ms: 30,
        p95_queued_ms: 1,
        usd: '0',
      },
    ]);
  });

  test('a tenant sees its own costs only', async () => {
    const other = '00000000-0000-7000-8000-00000000abcd';
    await engine.query(`insert into dagwright.tenants (id, name) values ($1, 'other')`, [other]);
    engine.bodies.a = ({ addCost }) => addCost('0.1', call('acme/one', 10, 1));
    await engine.run(graph('a'));
    for (const view of ['v_costs', 'ai_usage_log', 'v_cost_daily', 'v_task_stats']) {
      const count = async (tenant: string) =>
        await engine.database.withTenant(tenant, async (client) => {
          const { rows } = await client.query(`select count(*)::int as n from dagwright.${view}`);
          return rows[0].n;
        });
      expect([view, await count(DEFAULT_TENANT_ID), await count(other)]).toEqual([view, 1, 0]);
    }
  });

  test('the costs of one execution are found by its key, whatever else was spent', async () => {
    engine.bodies.a = ({ addCost }) => addCost('0.1', call('acme/one', 10, 1));
    const run = await engine.run(graph('a'));
    const plan = await engine.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
      await client.query('set local enable_seqscan = off');
      const { rows } = await client.query(`explain select * from dagwright.v_costs where execution_id = $1`, [
        run.execution.id,
      ]);
      return rows.map((row) => row['QUERY PLAN'] as string).join('\n');
    });
    expect(plan).not.toMatch(/Seq Scan on (task_|workflow_)/);
    expect(plan).toMatch(/Index Cond: \(workflow_execution_id = /);
  });
});
