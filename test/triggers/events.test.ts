// Events start the workflows whose triggers look at them: exactly once, whatever else fails.

import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { EventTrigger } from '../../src/core/definition/trigger-model.ts';
import type { Json } from '../../src/core/json.ts';
import { compileEventTrigger, eventScope } from '../../src/core/trigger/event-trigger.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { setDefinitionStatus } from '../../src/db/resources/definitions.ts';
import { type EventView, findEvent, recordEvent } from '../../src/db/triggers/events.ts';
import { saveWorkflow } from '../../src/resources/definitions/save-workflows.ts';
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';
import { createEventPass } from '../../src/triggers/events.ts';
import type { Pass } from '../../src/triggers/scheduler.ts';
import { createSecretBox } from '../../src/triggers/secrets/secret-box.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';
import { definition, type Engine, openEngine } from '../support/engine.ts';

const OTHER = '00000000-0000-7000-8000-0000000000cc';
const host = {
  secretBox: createSecretBox(null),
  secrets: new InstallationSecrets(),
  publicUrl: 'http://flows.test',
};
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let engine: Engine;
let pass: Pass;
beforeAll(async () => {
  engine = await openEngine({ idle: true, faults: false });
  await engine.query('insert into dagwright.tenants (id, name) values ($1, $2)', [OTHER, 'other']);
  pass = createEventPass({
    database: engine.database,
    starts: createStarts({ database: engine.database, log }),
    log,
  });
});
afterEach(async () => {
  await engine.query('delete from dagwright.event_triggers');
});
afterAll(() => engine.close());

type Trigger = Omit<EventTrigger, 'type'>;
async function save(
  triggers: readonly Trigger[],
  { tenantId = DEFAULT_TENANT_ID, ...more }: { tenantId?: string; inputSchema?: Json; minTier?: number } = {},
): Promise<string> {
  const made = definition([{ taskId: 'a', taskType: 'transformation', dependsOn: [], config: {} }], {
    ...more,
    triggers: triggers.map((trigger) => ({ type: 'event', ...trigger })),
  });
  const acting = { tenantId, actor: 'test' };
  const saved = await engine.database.withTenant(acting, (client) =>
    saveWorkflow(client, acting, { definition: made }, host),
  );
  expect(saved).toMatchObject({ ok: true });
  return made.workflowId;
}
const emit = async (type: string, payload: Json = {}, tenantId = DEFAULT_TENANT_ID): Promise<string> =>
  (await engine.database.withTenant({ tenantId, actor: 'user:ada' }, (client) =>
    recordEvent(client, { type, payload }),
  ))!;
const read = async (id: string, tenantId = DEFAULT_TENANT_ID): Promise<EventView> =>
  (await engine.database.withTenant(tenantId, (client) => findEvent(client, tenantId, id)))!;
const started = async (eventId: string) =>
  await engine.query<{
    workflow: string;
    input: Json;
    trigger: Json;
    by: string;
    tenant: string;
    priority: number;
  }>(
    `select workflow_id as workflow, input, trigger, created_by as by, tenant_id as tenant, priority
     from dagwright.workflow_executions where trigger_type = 'event' and trigger->>'eventId' = $1 order by workflow_id`,
    [eventId],
  );

async function asOwner(text: string): Promise<void> {
  const owner = new pg.Client({ connectionString: engine.database.url });
  await owner.connect();
  await owner.query(text);
  await owner.end();
}

test('an event starts the workflows whose triggers name its type, with the payload as input', async () => {
  const one = await save([{ event: 'order.created', priority: 9 }]);
  await save([{ event: 'order.cancelled' }]);
  const id = await emit('order.created', { total: 5 });
  expect(await pass.run()).toBe(1);
  const { createdAt } = await read(id);
  expect(await started(id)).toEqual([
    {
      workflow: one,
      input: { total: 5 },
      trigger: { type: 'event', at: createdAt, event: 'order.created', eventId: id, body: { total: 5 } },
      by: 'user:ada',
      tenant: DEFAULT_TENANT_ID,
      priority: 9,
    },
  ]);
  expect(await read(id)).toMatchObject({ executionsStarted: 1, errors: [], processedAt: expect.any(String) });
  expect(await pass.run()).toBe(0);
});

test('a start that the limits of the tenant refuse is an error of the event, by its trigger; the others start', async () => {
  const workflows = [
    await save([{ event: 'flood', name: 'one' }]),
    await save([{ event: 'flood', name: 'two' }]),
  ];
  await engine.query(
    `update dagwright.tenants set max_waiting_executions = 1 + (select count(*)::int from dagwright.workflow_executions
       where tenant_id = $1 and status = 'pending') where id = $1`,
    [DEFAULT_TENANT_ID],
  );
  const id = await emit('flood');
  await pass.run();
  await engine.query('update dagwright.tenants set max_waiting_executions = null');
  const { executionsStarted, errors } = await read(id);
  expect([executionsStarted, (await started(id)).length]).toEqual([1, 1]);
  expect(errors).toMatchObject([
    { code: 'too_many_waiting', message: 'the tenant has as many executions waiting as it may' },
  ]);
  expect(workflows).toContain(errors[0]!.workflowId);
});

test('a payload that is no object is the input as it is', async () => {
  await save([{ event: 'plain' }]);
  const id = await emit('plain', [1, 'two']);
  await pass.run();
  expect((await started(id)).map(({ input }) => input)).toEqual([[1, 'two']]);
});

test.each<[string, Json, Json, number]>([
  ['an expression that holds', 'payload.total > 10', { total: 11 }, 1],
  ['an expression that does not', 'payload.total > 10', { total: 10 }, 0],
  ['a missing path', 'payload.total > 10', {}, 0],
  [
    'the whole scope',
    "event.type == 'judged' && trigger.body.x == event.payload.x && event.at == now()",
    { x: 1 },
    1,
  ],
  [
    'a structured condition',
    { all: [{ path: '$.event.payload.x', operator: 'in', value: [1, 2] }] },
    { x: 2 },
    1,
  ],
  ['false', false, {}, 0],
])('`when`: %s', async (_title, when, payload, count) => {
  await save([{ event: 'judged', when }]);
  const id = await emit('judged', payload);
  await pass.run();
  expect(await started(id)).toHaveLength(count);
  expect(await read(id)).toMatchObject({ executionsStarted: count, errors: [] });
});

test('two triggers of one workflow both start it, and an inputMapping makes the input', async () => {
  await save([
    {
      name: 'big',
      event: 'order',
      inputMapping: { size: 'big', id: '{{ payload.id }}', event: '{{ event.id }}' },
    },
    { name: 'all', event: 'order', inputMapping: 'order {{ payload.id }}' },
  ]);
  const id = await emit('order', { id: 7 });
  await pass.run();
  expect((await started(id)).map(({ input }) => input)).toEqual(
    expect.arrayContaining([{ size: 'big', id: 7, event: id }, 'order 7']),
  );
});

test('a trigger that fails is told on the event, and spoils no other', async () => {
  const words: Record<string, string> = {};
  words[await save([{ event: 'mixed', when: 'payload.name' }])] = 'expression';
  words[await save([{ event: 'mixed', inputMapping: '{{ payload.nowhere }}' }])] = 'missing_path';
  words[await save([{ event: 'mixed' }], { inputSchema: { type: 'object', required: ['q'] } })] =
    'validation';
  words[await save([{ event: 'mixed' }], { minTier: 9 })] = 'tier_too_low';
  const fine = await save([{ event: 'mixed' }]);
  const id = await emit('mixed', { name: 'text' });
  await pass.run();
  expect((await started(id)).map(({ workflow }) => workflow)).toEqual([fine]);
  const event = await read(id);
  expect(event.executionsStarted).toBe(1);
  expect(Object.fromEntries(event.errors.map(({ workflowId, code }) => [workflowId, code]))).toEqual(words);
  expect(event.errors.every(({ name, message }) => name === 'mixed' && message !== '')).toBe(true);
});

test('what the database refuses is noted, and holds up neither the other triggers nor the events after it', async () => {
  const bad = await save([{ event: 'refused' }]);
  const fine = await save([{ event: 'refused' }]);
  await asOwner(`create function dagwright.refuse_one() returns trigger language plpgsql as $$
    begin if new.workflow_id = '${bad}' then raise exception 'no' using errcode = '23514'; end if; return new; end $$`);
  await asOwner(`create trigger refuse_one before insert on dagwright.workflow_executions
    for each row execute function dagwright.refuse_one()`);
  try {
    const ids = [await emit('refused'), await emit('refused')];
    expect(await pass.run()).toBe(2);
    for (const id of ids) {
      expect((await started(id)).map(({ workflow }) => workflow)).toEqual([fine]);
      expect(await read(id)).toMatchObject({
        executionsStarted: 1,
        errors: [{ workflowId: bad, code: 'unexpected' }],
      });
    }
  } finally {
    await asOwner('drop trigger refuse_one on dagwright.workflow_executions');
  }
});

test('a pass that dies before its commit starts nothing, and the next starts each once', async () => {
  await save([{ event: 'dying' }]);
  const ids = [await emit('dying', 1), await emit('dying', 2)];
  const dying = createEventPass({
    database: engine.database,
    log,
    starts: {
      startWith: async (client, ...rest) => {
        await createStarts({ database: engine.database, log }).startWith(client, ...rest);
        if (rest[1][0]?.input === 2) {
          const { rows } = await client.query('select pg_backend_pid() as pid');
          await asOwner(`select pg_terminate_backend(${rows[0].pid})`);
        }
        return [{ ok: true, id: '', existing: false }];
      },
    },
  });
  await expect(dying.run()).rejects.toThrow();
  for (const id of ids) {
    expect(await started(id)).toEqual([]);
    expect((await read(id)).processedAt).toBeNull();
  }
  expect(await pass.run()).toBe(2);
  for (const id of ids) expect(await started(id)).toHaveLength(1);
});

test('passes that run at the same moment start each event once, in steps of at most 20', async () => {
  await save([{ event: 'many' }]);
  const ids: string[] = [];
  for (let i = 0; i < 50; i++) ids.push(await emit('many', i));
  const done: number[] = [];
  while (done.reduce((sum, n) => sum + n, 0) < 50)
    done.push(...(await Promise.all([pass.run(), pass.run(), pass.run(), pass.run()])));
  expect(Math.max(...done)).toBeLessThanOrEqual(20);
  for (const id of ids) expect(await started(id)).toHaveLength(1);
});

test("a tenant's event starts no other tenant's workflow, though both look at its type", async () => {
  const ours = await save([{ event: 'shared' }]);
  const theirs = await save([{ event: 'shared' }], { tenantId: OTHER });
  const id = await emit('shared');
  const foreign = await emit('shared', {}, OTHER);
  expect(await pass.run()).toBe(2);
  expect(await started(id)).toMatchObject([{ workflow: ours, tenant: DEFAULT_TENANT_ID }]);
  expect(await started(foreign)).toMatchObject([{ workflow: theirs, tenant: OTHER }]);
  expect([(await read(id)).errors, (await read(foreign, OTHER)).errors]).toEqual([[], []]);
});

test.each(['draft', 'archived'] as const)(
  'the triggers of a workflow that is %s do not fire, and the event says so',
  async (status) => {
    const workflowId = await save([{ event: 'silent' }]);
    const set = (to: 'active' | typeof status) =>
      engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
        setDefinitionStatus(client, DEFAULT_TENANT_ID, workflowId, to),
      );
    await set(status);
    const id = await emit('silent');
    await pass.run();
    expect(await started(id)).toEqual([]);
    expect(await read(id)).toMatchObject({
      executionsStarted: 0,
      errors: [{ workflowId, name: 'silent', code: 'not_active' }],
    });
    await set('active');
    const later = await emit('silent');
    await pass.run();
    expect(await started(later)).toHaveLength(1);
  },
);

test("a tenant's flood of events does not hold up another tenant's", async () => {
  await save([{ event: 'quiet' }], { tenantId: OTHER });
  await engine.query(
    `insert into dagwright.events (id, tenant_id, type, payload, created_by, created_at)
     select dagwright.uuid_v7(), $1, 'flood', '{}', 'test', now() from generate_series(1, 200)`,
    [DEFAULT_TENANT_ID],
  );
  const id = await emit('quiet', {}, OTHER);
  expect(await pass.run()).toBe(11);
  expect(await started(id)).toHaveLength(1);
  while ((await pass.run()) > 0);
  expect(await engine.query('select from dagwright.events where processed_at is null')).toEqual([]);
});

test('more tenants than a pass takes events have their turn one after the other', async () => {
  await engine.query(
    `with made as (insert into dagwright.tenants (id, name) select dagwright.uuid_v7(), 'turn' || i from generate_series(1, 45) i returning id)
     insert into dagwright.events (id, tenant_id, type, payload, created_by, created_at)
     select dagwright.uuid_v7(), id, 'turn', '{}', 'test', now() from made, generate_series(1, 3)`,
  );
  for (let i = 0; i < 3; i++) await pass.run();
  expect(
    await engine.query('select tenant_id from dagwright.events group by 1 having count(processed_at) = 0'),
  ).toEqual([]);
  while ((await pass.run()) > 0);
  expect(await engine.query('select from dagwright.events where processed_at is null')).toEqual([]);
});

test('expressions that are too slow together are told on the event, and hold up nothing after it', async () => {
  const slow =
    "count($.event.payload[?@.x == 'nope' && @.y == 'nope']) > 0 || count($.event.payload..z) > 1e9";
  await save(Array.from({ length: 100 }, (_, i) => ({ name: `t${i}`, event: 'slow', when: slow })));
  const payload = Array.from({ length: 12_000 }, (_, i) => ({ x: i, y: i, z: [i] }));
  const [id, after] = [await emit('slow', payload), await emit('after')];
  const hasty = createEventPass({
    ...{ database: engine.database, log, maxEvaluationMs: 100 },
    starts: createStarts({ database: engine.database, log }),
  });
  while ((await hasty.run()) > 0);
  expect((await read(id)).errors[0]).toMatchObject({ code: 'timeout' });
  expect((await read(after)).processedAt).not.toBeNull();
});

test('an event that cannot be processed at all holds up events of its own tenant only', async () => {
  await save([{ event: 'stuck' }]);
  const fine = await save([{ event: 'stuck' }], { tenantId: OTHER });
  const [stuck, ...others] = [
    await emit('stuck'),
    await emit('stuck', {}, OTHER),
    await emit('x', {}, OTHER),
  ];
  const starts = createStarts({ database: engine.database, log });
  const failing = createEventPass({
    ...{ database: engine.database, log },
    starts: {
      startWith: async (client, tenantId, requests) => {
        if (tenantId === DEFAULT_TENANT_ID) throw Object.assign(new Error('timeout'), { code: '57014' });
        return await starts.startWith(client, tenantId, requests);
      },
    },
  });
  for (let i = 0; i < 8; i++) await failing.run().catch(() => {});
  for (const id of others) expect((await read(id, OTHER)).processedAt).not.toBeNull();
  expect((await started(others[0]!)).map(({ workflow }) => workflow)).toEqual([fine]);
  expect((await read(stuck)).processedAt).toBeNull();
  expect(await pass.run()).toBe(1);
});

test('all expressions of one trigger have the steps of one evaluation, and each event anew', () => {
  const compiled = compileEventTrigger({ when: 'count(payload.list[?@ < 0]) > 0' });
  if (!compiled.ok) throw new Error('it compiles');
  const { matches } = compiled.value;
  const payload = { list: Array.from({ length: 100_000 }, (_, i) => i) };
  const scopeOf = () =>
    eventScope({ id: 'e', type: 'a', payload, at: '2026-11-30T00:00:00.000Z' }, () => 'u');
  const scope = scopeOf();
  expect(matches(scope)).toBe(false);
  expect(() => {
    for (let i = 0; i < 50; i++) matches(scope);
  }).toThrow('too many steps');
  expect(matches(scopeOf())).toBe(false);
});
