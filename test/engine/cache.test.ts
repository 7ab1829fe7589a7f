// The cache of a task: what is taken again, what it costs, what parts two keys, and whose it is.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { insertTenant } from '../../src/db/resources/tenants.ts';
import { createHousekeepingPass } from '../../src/triggers/housekeeping.ts';
import { definition, type Engine, openEngine, until } from '../support/engine.ts';
import { findExecution } from '../support/executions.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { openStub, type Stub } from '../tasks/outbound/support/stub-server.ts';

let engine: Engine;
let stub: Stub;
beforeAll(async () => {
  stub = await openStub((request, response) => response.end(request.target));
  engine = await openEngine({
    outside: {
      allowedHosts: [`127.0.0.1:${stub.port}`],
      secrets: secretsInEnvironment({ ACME: 'acme-s3cret-key' }),
    },
  });
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
  await stub.close();
});
let calls = 0;
beforeEach(async () => {
  await engine.query('delete from dagwright.task_cache');
  calls = 0;
  engine.bodies.ask = ({ addCost }) => {
    addCost('0.25', { tokens: 9 });
    return { call: ++calls };
  };
});

const ask = (config: JsonObject = {}, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  taskId: 'ask',
  taskType: 'probe',
  dependsOn: [],
  config,
  cache: { ttlSeconds: 600 },
  ...more,
});
const run = async (node: NodeDefinition, input: JsonObject = {}, workflowId?: string) =>
  (await engine.run(definition([node], workflowId === undefined ? {} : { workflowId }), { input })).task(
    'ask',
  );

describe('a hit', () => {
  test('gives the output again, costs nothing, and its row says what it saved', async () => {
    const first = await engine.run(definition([ask()]));
    const second = await engine.run(definition([ask()]));
    expect(first.task('ask')).toMatchObject({ output: { call: 1 }, costUsd: '0.25' });
    expect(second.task('ask')).toMatchObject({
      status: 'completed',
      output: { call: 1 },
      costUsd: '0',
      resourceUsage: {
        cache: {
          ...{ hit: true, savedUsd: '0.25', executionId: first.execution.id, taskId: 'ask' },
          keptAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      },
    });
    expect([second.execution.costUsd, calls]).toEqual(['0', 1]);
    const [stats] = await engine.query(
      `select sum(cache_hits)::int as hits, trim_scale(sum(saved_usd)) as saved, trim_scale(sum(cost_usd)) as cost
       from dagwright.v_task_stats`,
    );
    expect(stats).toEqual({ hits: 1, saved: '0.25', cost: '0.25' });
  });

  test('has its outputMapping evaluated anew', async () => {
    const node = ask(
      {},
      { outputMapping: { call: '$.output.call', for: '{{ input.who }}' }, inputMapping: 1 },
    );
    expect((await run(node, { who: 'a' })).output).toEqual({ call: 1, for: 'a' });
    expect((await run(node, { who: 'b' })).output).toEqual({ call: 1, for: 'b' });
  });

  test('of an item of a fan-out is that of any item that asked the same', async () => {
    const { dependsOn: _, taskId: __, ...task } = ask({ q: '{{ item }}' });
    const config = { items: ['x', 'y', 'x', 'y'], maxConcurrency: 1, task } as unknown as JsonObject;
    const result = await engine.run(
      definition([{ taskId: 'ask', taskType: 'parallel', dependsOn: [], config }]),
    );
    expect(result.task('ask').output).toEqual([{ call: 1 }, { call: 2 }, { call: 1 }, { call: 2 }]);
  });

  test('is none when it has been kept too long, for the definition that asks', async () => {
    await run(ask());
    await engine.query(`update dagwright.task_cache set kept_at = kept_at - interval '60 seconds'`);
    expect((await run(ask({}, { cache: { ttlSeconds: 61 } }))).output).toEqual({ call: 1 });
    expect((await run(ask({}, { cache: { ttlSeconds: 60 } }))).output).toEqual({ call: 2 });
    await engine.query('update dagwright.task_cache set expires_at = kept_at');
    expect((await run(ask())).output).toEqual({ call: 3 });
  });
});

describe('without a key of its own, two are the same', () => {
  test.each<[string, NodeDefinition, JsonObject, number]>([
    ['where all that they read is', ask({ q: '{{ input.a }}' }, { inputMapping: 1 }), { a: 1, b: 2 }, 1],
    [
      'not where the config reads another value',
      ask({ q: '{{ input.a }}' }, { inputMapping: 1 }),
      { a: 2 },
      2,
    ],
    ['not where the input is another', ask({ q: '{{ input.a }}' }), { a: 1, b: 2 }, 2],
    ['not where the config is another', ask({ q: '{{ input.a }}', r: 1 }, { inputMapping: 1 }), { a: 1 }, 2],
  ])('%s', async (_title, node, input, count) => {
    await run(ask({ q: '{{ input.a }}' }, node.inputMapping === undefined ? {} : { inputMapping: 1 }), {
      a: 1,
    });
    await run(node, input);
    expect(calls).toBe(count);
  });

  test('what stands beside a secret in the same text parts them, the secret itself is nowhere', async () => {
    const headers = { authorization: 'Bearer {{ secrets.ACME }} {{ input.user }}' };
    const node = ask({ url: `${stub.origin}/x`, headers }, { taskType: 'external_api', inputMapping: 1 });
    for (const user of ['a', 'b', 'a']) await run(node, { user });
    expect(stub.received).toHaveLength(2);
    expect(JSON.stringify(await engine.query('select * from dagwright.task_cache'))).not.toContain(
      'acme-s3cret',
    );
  });
});

describe('a key of its own', () => {
  test('is all that is compared, within the task as it is written', async () => {
    const cache = { ttlSeconds: 60, key: '{{ input.k }}' };
    const node = ask({ q: '{{ input.a }}' }, { cache });
    await run(node, { k: 1, a: 1 }, 'keyed');
    await run(node, { k: 1, a: 2 }, 'keyed');
    expect(calls).toBe(1);
    await run(node, { k: 2, a: 1 }, 'keyed');
    await run(ask({ q: '{{ input.a }}!' }, { cache }), { k: 1, a: 1 }, 'keyed');
    await run(node, { k: 1, a: 1 }, 'another');
    expect(calls).toBe(4);
  });

  test('that reads what is missing fails the task', async () => {
    const failed = await run(ask({}, { cache: { ttlSeconds: 60, key: '{{ input.k }}' } }));
    expect([failed.status, failed.error?.code, calls]).toEqual(['failed', 'missing_path', 0]);
  });
});

test('failures are not kept', async () => {
  engine.bodies.ask = () => {
    if (++calls === 1) throw new Error('once');
    return calls;
  };
  expect((await run(ask({}, { retry: { maxAttempts: 1 } }))).status).toBe('failed');
  expect((await run(ask())).output).toBe(2);
});

test('what another tenant has asked is not found', async () => {
  const made = await engine.database.asEngine({ actor: 'test' }, (client) =>
    insertTenant(client, { name: 'other', displayName: null, tier: 5, settings: {} }),
  );
  const flow = definition([ask()]);
  for (const tenantId of [DEFAULT_TENANT_ID, made!.id, made!.id]) {
    await applyDefinition(engine.database, tenantId, flow, 'test');
    const [started] = await startExecutions(engine.database.engine, tenantId, [
      { workflowId: flow.workflowId, triggerType: 'manual' },
    ]);
    if (!started!.ok) throw new Error(started!.problem);
    const { id } = started!;
    await until(async () => (await findExecution(engine.database, tenantId, id))!.completedAt);
  }
  expect(calls).toBe(2);
});

test('what has expired is deleted by housekeeping', async () => {
  await run(ask());
  await run(ask({ q: 1 }));
  await engine.query(
    `update dagwright.task_cache set expires_at = now() - interval '1 s' where kept_at = (select min(kept_at) from dagwright.task_cache)`,
  );
  expect(await createHousekeepingPass({ database: engine.database, retentionDays: 0 }).run()).toBe(1);
  expect(await engine.query('select from dagwright.task_cache')).toHaveLength(1);
});
