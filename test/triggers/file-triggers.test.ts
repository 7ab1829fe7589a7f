// Triggers in the file: saving a definition brings its schedules, webhooks and event triggers in step, all or nothing.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import type {
  EventTrigger,
  ScheduleTrigger,
  TriggerDefinition,
  WebhookTrigger,
} from '../../src/core/definition/trigger-model.ts';
import { SCHEDULE_DEFAULTS } from '../../src/core/schedule/settings.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { findRevision, findWorkflow } from '../../src/db/resources/definitions.ts';
import { findSchedules } from '../../src/db/resources/schedules.ts';
import { findWebhookAt, findWebhooks } from '../../src/db/resources/webhooks.ts';
import { triggerProblems } from '../../src/resources/definitions/check-document.ts';
import {
  rollbackWorkflow,
  saveWorkflow,
  saveWorkflows,
} from '../../src/resources/definitions/save-workflows.ts';
import type { Outcome } from '../../src/resources/outcome.ts';
import { pauseSchedule } from '../../src/resources/schedules/schedules.ts';
import { addSchedule } from '../../src/resources/schedules/times.ts';
import { addWebhook, updateWebhook } from '../../src/resources/webhooks/write-webhook.ts';
import { createSecretBox } from '../../src/triggers/secrets/secret-box.ts';
import { openSecrets, openVerifyToken } from '../../src/triggers/webhooks/stored-secrets.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';

const SECRET = 'a-secret-of-the-file-42';
const source = {
  secretBox: createSecretBox(Buffer.alloc(32, 7)),
  secrets: secretsInEnvironment({ HOOK: 'the-secret-of-the-service' }),
  publicUrl: 'http://flows.test',
};
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'user:ada' };
let own: TestDatabase;
let database: Database;
let workflowId = '';
let made = 0;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
beforeEach(() => {
  workflowId = `w${made++}`;
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const schedule = (more: Partial<ScheduleTrigger> = {}): ScheduleTrigger => ({
  type: 'schedule',
  name: 'daily',
  cronExpression: '0 9 * * *',
  ...more,
});
const webhook = (more: Partial<WebhookTrigger> = {}): WebhookTrigger => ({
  type: 'webhook',
  path: workflowId,
  secret: SECRET,
  ...more,
});
const event = (more: Partial<EventTrigger> = {}): EventTrigger => ({
  type: 'event',
  event: 'order',
  ...more,
});
const flow = (triggers?: readonly TriggerDefinition[], output = 1, id = workflowId): WorkflowDefinition => ({
  workflowId: id,
  nodes: [{ taskId: 'a', taskType: 'transformation', dependsOn: [], config: { output } }],
  ...(triggers === undefined ? {} : { triggers }),
});
const save = async (definition: WorkflowDefinition, host = source) =>
  told(await database.withTenant(acting, (client) => saveWorkflow(client, acting, { definition }, host)));
const rollback = async (revision: number) =>
  told(
    await database.withTenant(acting, (client) =>
      rollbackWorkflow(client, acting, { workflowId, revision }, source),
    ),
  );
/** Committed as it is, also where it is refused. */
function told<Value>(outcome: Outcome<Value>) {
  return outcome.ok
    ? { ok: true as const, ...outcome.value }
    : { ok: false as const, problems: outcome.problems };
}
async function state(id = workflowId) {
  return await database.withTenant(acting, async (client) => {
    const of = { limit: 200, before: null, workflowId: id };
    return {
      schedules: (await findSchedules(client, DEFAULT_TENANT_ID, of)).rows,
      webhooks: (await findWebhooks(client, DEFAULT_TENANT_ID, of)).rows,
      events: (
        await client.query(
          `select workflow_id as "workflowId", name, event_type as "eventType", condition, input_mapping as "inputMapping", priority
           from dagwright.event_triggers where tenant_id = $1 and workflow_id = $2 order by name`,
          [DEFAULT_TENANT_ID, id],
        )
      ).rows,
    };
  });
}
const rows = async (text: string, values: unknown[] = []) => (await database.engine.query(text, values)).rows;
const auditCount = async () =>
  (await rows('select count(*)::int as n from dagwright.audit_logs'))[0].n as number;

/** The transactions that wrote the rows of this workflow last. */
async function writtenBy() {
  const tables = ['workflow_definitions', 'schedules', 'webhooks', 'event_triggers'];
  return await Promise.all(
    tables.map((table) =>
      rows(`select xmin::text from dagwright.${table} where workflow_id = $1`, [workflowId]),
    ),
  );
}

describe('saving', () => {
  test('makes the triggers of a new definition, and says which', async () => {
    const result = await save(
      flow([
        schedule({ input: { n: 1 }, overlapPolicy: 'allow_all' }),
        webhook({ verifier: 'github' }),
        event({ when: 'payload.x' }),
      ]),
    );
    const { schedules, webhooks, events } = await state();
    expect(schedules).toMatchObject([
      {
        name: 'daily',
        cronExpression: '0 9 * * *',
        timezone: 'UTC',
        input: { n: 1 },
        overlapPolicy: 'allow_all',
        fromDefinition: true,
        createdBy: 'user:ada',
        nextRunAt: expect.any(String),
      },
    ]);
    expect(webhooks).toMatchObject([
      { path: workflowId, verifier: 'github', authType: 'none', fromDefinition: true },
    ]);
    expect(events).toEqual([
      {
        workflowId,
        name: 'order',
        eventType: 'order',
        condition: 'payload.x',
        inputMapping: null,
        priority: 5,
      },
    ]);
    expect(result).toMatchObject({
      ok: true,
      outcome: 'created',
      triggers: {
        schedules: [{ id: schedules[0]!.id, name: 'daily', nextRunAt: schedules[0]!.nextRunAt }],
        webhooks: [
          {
            id: webhooks[0]!.id,
            path: `default/${workflowId}`,
            url: `http://flows.test/hooks/default/${workflowId}`,
          },
        ],
        events: ['order'],
      },
    });
  });

  test('changes what differs, removes what is gone, adds what is new, and leaves the rest alone', async () => {
    await save(
      flow([
        schedule({ name: 'same' }),
        schedule({ name: 'changed' }),
        schedule({ name: 'gone' }),
        event({ name: 'gone' }),
        event({ name: 'same' }),
      ]),
    );
    const before = await state();
    await save(
      flow(
        [
          schedule({ name: 'same' }),
          schedule({ name: 'changed', cronExpression: '5 5 * * *' }),
          schedule({ name: 'new' }),
          event({ name: 'same' }),
          event({ name: 'new', event: 'other' }),
        ],
        2,
      ),
    );
    const after = await state();
    const named = (list: typeof before.schedules, name: string) => list.find((one) => one.name === name);
    expect(after.schedules.map(({ name }) => name).sort()).toEqual(['changed', 'new', 'same']);
    expect(named(after.schedules, 'same')).toEqual(named(before.schedules, 'same'));
    expect(named(after.schedules, 'changed')).toMatchObject({
      id: named(before.schedules, 'changed')!.id,
      cronExpression: '5 5 * * *',
    });
    expect(after.events.map(({ name, eventType }) => [name, eventType])).toEqual([
      ['new', 'other'],
      ['same', 'order'],
    ]);
    await save(flow(undefined, 3));
    expect(await state()).toEqual({ schedules: [], webhooks: [], events: [] });
  });

  test('the same again writes nothing: no revision, no entry in the audit trail, no moved schedule', async () => {
    const definition = flow([
      schedule({
        startAt: '2020-01-01T00:00:00+02:00',
        endAt: '2099-01-01T00:00:00Z',
        timezone: 'europe/paris',
      }),
      webhook({
        filters: [{ fieldPath: 'body.x', operator: 'in', value: [1, null] }],
        inputMapping: { a: '{{ body.x }}' },
        options: { signatureHeader: 'X-Sig' },
      }),
      event({ when: { path: 'payload.x', operator: 'exists' }, inputMapping: null }),
    ]);
    await save(definition);
    // As a scheduler leaves it.
    await rows(
      `update dagwright.schedules set next_run_at = '2001-01-01', due_at = '2001-01-01' where workflow_id = $1`,
      [workflowId],
    );
    const before = await state();
    const audited = await auditCount();
    const writers = await writtenBy();
    expect(await save(definition)).toMatchObject({ ok: true, outcome: 'unchanged', revision: 1 });
    expect(await state()).toEqual(before);
    expect(await auditCount()).toBe(audited);
    expect(await writtenBy()).toEqual(writers);
  });

  test('a schedule and a webhook that were paused by hand stay paused', async () => {
    await save(flow([schedule(), webhook()]));
    const { id } = (await state()).schedules[0]!;
    await database.withTenant(acting, async (client) => {
      await pauseSchedule(client, acting, { id, reason: 'by ada' });
      const before = (await findWebhookAt(client, DEFAULT_TENANT_ID, workflowId))!;
      expect((await updateWebhook(client, before, { status: 'paused' }, source)).ok).toBe(true);
    });
    await save(flow([schedule({ input: 2 }), webhook({ priority: 9 })], 2));
    const { schedules, webhooks } = await state();
    expect(schedules).toMatchObject([{ status: 'paused', pausedReason: 'by ada', input: 2 }]);
    expect(webhooks).toMatchObject([{ status: 'paused', priority: 9 }]);
  });

  test('triggers made by hand are never touched', async () => {
    await save(flow());
    await database.withTenant(acting, async (client) => {
      await addSchedule(
        client,
        DEFAULT_TENANT_ID,
        { ...SCHEDULE_DEFAULTS, workflowId, name: 'hand', cronExpression: '* * * * *' },
        { createdBy: 'ada' },
      );
      await addWebhook(client, acting, { workflowId, path: `${workflowId}-hand`, secret: SECRET }, source);
    });
    const before = await state();
    await save(flow([schedule(), webhook()], 2));
    await save(flow(undefined, 3));
    expect(await state()).toEqual(before);
  });

  test('a path or name that is taken refuses the whole save, at its place', async () => {
    const path = `${workflowId}-taken`;
    await save(flow([], 1, `${workflowId}-other`));
    await save(flow([webhook({ path })], 2, `${workflowId}-other`));
    await save(flow([schedule()]));
    const before = await state();
    expect(
      await save(flow([schedule({ cronExpression: '1 1 * * *' }), event(), webhook({ path })], 2)),
    ).toEqual({
      ok: false,
      problems: [expect.objectContaining({ pointer: '/triggers/2/path', code: 'path_taken' })],
    });
    expect(await state()).toEqual(before);
    const found = await database.withTenant(acting, (client) =>
      findWorkflow(client, DEFAULT_TENANT_ID, workflowId),
    );
    expect(found).toMatchObject({ revision: 1, latestRevision: 1 });

    await database.withTenant(acting, (client) =>
      addSchedule(
        client,
        DEFAULT_TENANT_ID,
        { ...SCHEDULE_DEFAULTS, workflowId, name: 'hand', cronExpression: '* * * * *' },
        { createdBy: 'ada' },
      ),
    );
    expect(await save(flow([schedule({ name: 'hand' })], 2))).toMatchObject({
      ok: false,
      problems: [{ pointer: '/triggers/0/name', code: 'name_taken' }],
    });
  });

  test('a new definition that is refused is not there at all', async () => {
    const refused = await save(
      flow([
        webhook({ path: 'Not A Path' }),
        webhook({ verifier: 'stripe', secret: 'short' }),
        webhook({ authType: 'none', secret: '  ' }),
      ]),
    );
    expect(refused).toMatchObject({ ok: false });
    expect('problems' in refused ? refused.problems.map(({ pointer }) => pointer) : []).toEqual([
      '/triggers/0/path',
      '/triggers/1/secret',
      '/triggers/2/secret',
    ]);
    expect(
      await rows('select from dagwright.workflow_definitions where workflow_id = $1', [workflowId]),
    ).toEqual([]);
  });

  test('two saves at the same moment come one after the other', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map((n) => save(flow([schedule({ name: `s${n}` }), event({ name: `e${n}` })], n))),
    );
    expect(results.map((result) => 'revision' in result && result.revision).sort()).toEqual([1, 2, 3, 4]);
    const last = results.find((result) => 'revision' in result && result.revision === 4)!;
    const { schedules, events } = await state();
    expect(schedules).toHaveLength(1);
    expect(last).toMatchObject({
      triggers: { schedules: [{ name: schedules[0]!.name }], events: [events[0]!.name] },
    });
  });
});

test('two paths of one definition that are one with the tenant before it are refused', async () => {
  const twice = [webhook({ path: 'same-place' }), webhook({ path: 'default/same-place' })];
  expect(await save(flow(twice))).toMatchObject({
    ok: false,
    problems: [{ pointer: '/triggers/1/path', code: 'duplicate_trigger' }],
  });
});

test('groups of filters that are written as numbers are no change when they are saved again', async () => {
  const filters = [{ fieldPath: 'body.a', operator: 'equals', value: 1, logicGroup: 1 }];
  await save(flow([webhook({ filters } as never)]));
  const [before] = (await state()).webhooks;
  await save(flow([webhook({ filters } as never)]));
  expect((await state()).webhooks).toEqual([before]);
});

describe('secrets of webhooks in a file', () => {
  const values = async () => openSecrets((await state()).webhooks[0]!, source, Date.now(), log);

  test('a secret in clear text is sealed with the webhook, and stands nowhere in the database', async () => {
    await save(flow([webhook()]));
    expect(await values()).toEqual([SECRET]);
    const [{ definition }] = (await rows(
      'select definition from dagwright.workflow_versions where workflow_id = $1',
      [workflowId],
    )) as [{ definition: WorkflowDefinition }];
    expect(definition.triggers).toEqual([{ type: 'webhook', path: workflowId }]);
    for (const table of ['workflow_versions', 'workflow_definitions', 'webhooks', 'audit_logs'])
      expect(
        await rows(`select from dagwright.${table} t where t::text like $1`, [`%${SECRET}%`]),
        table,
      ).toEqual([]);
  });

  test('a verify token in clear text is sealed alike, compared when it is saved again, and kept by a rollback', async () => {
    const TOKEN = 'a-token-of-the-file-43';
    const hub = (verifyToken?: string) =>
      webhook({ handshakes: [{ type: 'hub_challenge', ...(verifyToken !== undefined && { verifyToken }) }] });
    const token = async () => {
      const [row] = (await state()).webhooks;
      return openVerifyToken(row!.verifyToken!, row!, source);
    };
    expect(await save(flow([hub()]))).toMatchObject({
      ok: false,
      problems: [{ pointer: '/triggers/0/handshakes/0/verifyToken' }],
    });
    await save(flow([hub(TOKEN)]));
    expect(await token()).toBe(TOKEN);
    for (const table of ['workflow_versions', 'workflow_definitions', 'webhooks', 'audit_logs'])
      expect(
        await rows(`select from dagwright.${table} t where t::text like $1`, [`%${TOKEN}%`]),
        table,
      ).toEqual([]);
    const before = [await writtenBy(), await auditCount()];
    for (const same of [hub(TOKEN), hub()]) await save(flow([same]));
    expect([await writtenBy(), await auditCount()]).toEqual(before);
    const elsewhere = { ...source, secretBox: createSecretBox(null) };
    expect(await save(flow([{ ...hub(TOKEN), secret: undefined }]), elsewhere)).toMatchObject({
      ok: false,
      problems: [{ pointer: '/triggers/0/handshakes', code: 'sealed' }],
    });
    await save(flow([hub('{{ secrets.HOOK }}')], 2));
    expect((await state()).webhooks[0]!.handshakes).toEqual([
      { type: 'hub_challenge', verifyToken: '{{ secrets.HOOK }}' },
    ]);
    await save(flow(undefined, 3));
    expect(await rollback(1)).toMatchObject({ ok: true });
    expect([await token(), (await state()).webhooks[0]!.handshakes]).toEqual([
      TOKEN,
      [{ type: 'hub_challenge' }],
    ]);
  });

  test('a reference to a secret of the service is stored as it is, and must be set', async () => {
    await save(flow([webhook({ secret: '{{ secrets.HOOK }}' })]));
    expect(await values()).toEqual(['the-secret-of-the-service']);
    const stored = await database.withTenant(acting, (client) =>
      findRevision(client, DEFAULT_TENANT_ID, workflowId, 1),
    );
    expect(stored!.definition.triggers).toMatchObject([{ secret: '{{ secrets.HOOK }}' }]);
    expect(await save(flow([webhook({ secret: '{{ secrets.NOWHERE }}' })], 2))).toMatchObject({
      ok: false,
      problems: [{ pointer: '/triggers/0/secret', code: 'setting' }],
    });
  });

  test('a file without the secret keeps the one there is; another secret comes before the old one', async () => {
    await save(flow([webhook()]));
    expect(await save(flow([webhook({ secret: undefined })]))).toMatchObject({ outcome: 'unchanged' });
    expect(await values()).toEqual([SECRET]);
    expect(await save(flow([webhook({ secret: 'another-secret-of-it' })]))).toMatchObject({
      outcome: 'unchanged',
    });
    expect(await values()).toEqual(['another-secret-of-it', SECRET]);
  });

  test.each([
    ['no key', null],
    ['another key', Buffer.alloc(32, 8)],
  ])('under %s a secret of the file is refused at its place, and the sealed one stays', async (_, key) => {
    await save(flow([webhook()]));
    const sealed = (await state()).webhooks[0]!.secrets;
    const elsewhere = { ...source, secretBox: createSecretBox(key) };
    const there = async (more: Partial<WebhookTrigger>) => await save(flow([webhook(more)], 2), elsewhere);
    for (const more of [
      {},
      { secret: 'another-secret-of-it' },
      { secret: undefined, verifier: 'slack' as const },
    ])
      expect(await there(more)).toEqual({
        ok: false,
        problems: [
          {
            pointer: '/triggers/0/secret',
            code: 'sealed',
            message: 'the stored secret of the webhook cannot be opened here',
            hint: expect.stringContaining('set DAGWRIGHT_ENCRYPTION_KEY as the service has it'),
          },
        ],
      });
    expect((await state()).webhooks[0]!.secrets).toEqual(sealed);
    expect(await there({ secret: undefined, priority: 2 })).toMatchObject({ ok: true });
    expect((await state()).webhooks).toMatchObject([{ priority: 2, secrets: sealed }]);
    await save(flow(undefined, 3));
    expect(await there({})).toMatchObject({ ok: false, problems: [{ code: 'sealed' }] });
    expect(await there({ secret: undefined })).toMatchObject({ ok: true });
    expect(await values()).toEqual([SECRET]);
  });

  test('where a secret is needed and none is given, one is made and shown once', async () => {
    const first = await save(flow([webhook({ secret: undefined })]));
    const secret = first.ok ? first.triggers.webhooks[0]!.secret : undefined;
    expect(await values()).toEqual([secret]);
    const again = await save(flow([webhook({ secret: undefined })]));
    expect(again.ok && again.triggers.webhooks[0]).toEqual({
      id: expect.any(String),
      path: `default/${workflowId}`,
      url: expect.any(String),
    });
  });
});

describe('rolling back', () => {
  test('applies the triggers of that revision, and so does the save after it', async () => {
    await save(flow([schedule({ name: 'one' }), webhook(), event({ name: 'one' })], 1));
    await save(flow([schedule({ name: 'two' }), event({ name: 'two' })], 2));
    const back = await rollback(1);
    expect(back).toMatchObject({ ok: true, revision: 1, triggers: { events: ['one'] } });
    const { schedules, webhooks, events } = await state();
    expect([schedules.map(({ name }) => name), webhooks.length, events.map(({ name }) => name)]).toEqual([
      ['one'],
      1,
      ['one'],
    ]);
    // The webhook was removed, not its secret.
    expect(back).toMatchObject({ triggers: { webhooks: [{}], removed: { events: ['two'] } } });
    expect(back.ok && back.triggers.webhooks[0]).not.toHaveProperty('secret');
    await save(flow([schedule({ name: 'two' }), event({ name: 'two' })], 2));
    expect((await state()).schedules.map(({ name }) => name)).toEqual(['two']);
    expect(await rollback(9)).toMatchObject({ ok: false, problems: [{ code: 'not_found' }] });
  });

  test('is refused as a whole where a trigger cannot be had any more', async () => {
    const path = `${workflowId}-moved`;
    await save(flow([webhook({ path })], 1));
    await save(flow([schedule()], 2));
    await save(flow([webhook({ path })], 1, `${workflowId}-other`));
    expect(await rollback(1)).toMatchObject({
      ok: false,
      problems: [{ pointer: '/triggers/0/path', code: 'path_taken' }],
    });
    const found = await database.withTenant(acting, (client) =>
      findWorkflow(client, DEFAULT_TENANT_ID, workflowId),
    );
    expect(found).toMatchObject({ revision: 2 });
    expect((await state()).schedules).toHaveLength(1);
  });
});

describe('saving several', () => {
  const saveAll = async (...definitions: WorkflowDefinition[]) =>
    await database.withTenant(acting, (client) =>
      saveWorkflows(
        client,
        acting,
        definitions.map((definition) => ({ definition, place: `${definition.workflowId}#` })),
        source,
      ),
    );
  const pair = () => [`${workflowId}-a`, `${workflowId}-b`] as const;

  test.each(['giving first', 'receiving first'])(
    'a path goes from one to another, %s, and is the same webhook',
    async (order) => {
      const [a, b] = pair();
      await saveAll(flow([webhook()], 1, a), flow([], 1, b));
      const { id, secrets } = (await state(a)).webhooks[0]!;
      const moved = [flow([], 2, a), flow([webhook({ secret: undefined })], 2, b)];
      const result = await saveAll(...(order === 'giving first' ? moved : moved.reverse()));
      const removed = [{ id, path: `default/${workflowId}` }];
      const told = result.ok
        ? Object.fromEntries(result.value.map((one) => [one.workflowId, one.triggers]))
        : {};
      expect(told).toMatchObject({
        [a]: { webhooks: [], removed: { webhooks: removed } },
        [b]: { webhooks: [{ id }], removed: { webhooks: [] } },
      });
      expect(told[b]!.webhooks[0]).not.toHaveProperty('secret');
      expect((await state(a)).webhooks).toEqual([]);
      expect((await state(b)).webhooks).toMatchObject([{ id, workflowId: b, secrets, removedAt: null }]);
    },
  );

  test('two change their paths with each other', async () => {
    const [a, b] = pair();
    const one = webhook({ path: `${workflowId}-1` });
    const two = webhook({ path: `${workflowId}-2` });
    await saveAll(flow([one], 1, a), flow([two], 1, b));
    const [idOne, idTwo] = [(await state(a)).webhooks[0]!.id, (await state(b)).webhooks[0]!.id];
    expect(await saveAll(flow([two], 1, a), flow([one], 1, b))).toMatchObject({ ok: true });
    expect((await state(a)).webhooks).toMatchObject([{ id: idTwo, path: `${workflowId}-2` }]);
    expect((await state(b)).webhooks).toMatchObject([{ id: idOne, path: `${workflowId}-1` }]);
  });

  test('what refuses one saves none, and is told of each; one path for two is such', async () => {
    const [a, b] = pair();
    await saveAll(flow([schedule()], 1, a), flow([], 1, b));
    const before = [await state(a), await state(b)];
    const refused = await saveAll(
      flow([webhook()], 2, a),
      flow([event(), webhook()], 2, b),
      flow([webhook({ verifier: 'stripe', secret: 'short' })], 1, `${workflowId}-c`),
    );
    expect(refused.ok ? [] : refused.problems).toEqual([
      expect.objectContaining({ pointer: `${b}#/triggers/1/path`, code: 'path_taken' }),
      expect.objectContaining({ pointer: `${workflowId}-c#/triggers/0/secret` }),
    ]);
    expect([await state(a), await state(b)]).toEqual(before);
    const found = await rows(
      'select latest_revision as n from dagwright.workflow_definitions where workflow_id like $1',
      [`${workflowId}-_`],
    );
    expect(found).toEqual([{ n: 1 }, { n: 1 }]);
  });

  test('the same ones at the same moment, in any order, wait for each other', async () => {
    const [a, b] = pair();
    const at = (n: number, id: string) => flow([schedule({ name: `s${n % 2}` })], n, id);
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) => {
        const [first, second] = n % 2 === 0 ? [a, b] : [b, a];
        const hook = webhook({ secret: undefined });
        return saveAll({ ...at(n, first), triggers: [...at(n, first).triggers!, hook] }, at(n, second));
      }),
    );
    expect(results.map(({ ok }) => ok)).toEqual(Array(8).fill(true));
    const there = [...(await state(a)).webhooks, ...(await state(b)).webhooks];
    expect(there).toHaveLength(1);
  });
});

test('of the problems of its triggers a definition is told a thousand at most, and how many more there are', async () => {
  const filters = Array.from({ length: 60 }, () => ({ fieldPath: 'body.x[', operator: 'is' }));
  const triggers = Array.from({ length: 40 }, (_, i) => ({ type: 'webhook', path: `p${i}`, filters }));
  const wrong = { workflowId: 'w', nodes: [], triggers } as unknown as WorkflowDefinition;
  const problems = await triggerProblems(wrong, { tenantName: 'default' });
  expect(problems).toHaveLength(1_001);
  expect(problems.at(-1)).toMatchObject({ code: 'too_many_problems' });
});
