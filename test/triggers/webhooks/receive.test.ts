// Receiving without HTTP: what is judged before what, and what a run sees.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { WorkflowDefinition } from '../../../src/core/definition/model.ts';
import type { Database } from '../../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { eventLoop } from '../../../src/tasks/event-loop.ts';
import { type Receiver, receiveDelivery } from '../../../src/triggers/webhooks/receive.ts';
import { applyTo, type MadeWebhook, makeWebhook, ORDERS, traces } from '../../http/support/hooks.ts';
import { fromHmac, type SentDelivery } from '../../http/support/senders.ts';
import { secretsInEnvironment } from '../../support/installation-secrets.ts';
import { openService, type TestService } from '../../support/service.ts';

const SEES = {
  workflowId: 'sees',
  defaultParameters: { depth: 3 },
  inputSchema: { type: 'object', required: ['depth'] },
  nodes: [
    {
      taskId: 'keep',
      taskType: 'transformation',
      dependsOn: [],
      config: {
        output: {
          type: '{{ trigger.type }}',
          body: '{{ trigger.body.a }}',
          source: "{{ trigger.headers['x-source'] }}",
          query: '{{ trigger.query.q }}',
          method: '{{ trigger.method }}',
          at: '{{ trigger.at }}',
          event: '{{ trigger.eventId }}',
          input: '{{ input }}',
          run: '{{ execution.triggerType }}',
        },
      },
    },
  ],
} as unknown as WorkflowDefinition;

let service: TestService;
let hook: MadeWebhook;
beforeAll(async () => {
  service = await openService({
    worker: true,
    secrets: secretsInEnvironment({ KNOWN: 'known-when-it-was-made' }),
  });
  await applyTo(service, [ORDERS, SEES]);
  hook = await makeWebhook(service, { verifier: 'hmac' });
});
afterAll(() => service.close());

const receiver = (changed: Partial<Receiver> = {}): Receiver => ({ ...service.service, ...changed });
const receive = async (
  { path }: MadeWebhook,
  { body, headers }: SentDelivery,
  changed: Partial<Receiver> = {},
) =>
  await receiveDelivery(receiver(changed), path, {
    method: 'POST',
    headers,
    query: { q: '1' },
    rawBody: Buffer.from(body),
    target: `/hooks/${path}?q=1`,
  });
const signed = (body: string, id: string, { secret } = hook) => fromHmac(body, { secret, id });

describe('a turn of the event loop', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });
  /** In whose line a delivery waited to be verified. */
  const lineOf = async (to: MadeWebhook): Promise<string> => {
    const run = vi.spyOn(eventLoop, 'run');
    try {
      await receive(to, signed('{}', 'line', { ...to, secret: 'wrong' }));
      const [key, , part] = run.mock.calls[0]!;
      return `${key} ${part}`;
    } finally {
      run.mockRestore();
    }
  };

  it('is waited for behind deliveries to the same webhook, of its tenant, and not behind strangers', async () => {
    const other = await makeWebhook(service, { verifier: 'hmac' });
    const paused = await makeWebhook(service, { verifier: 'hmac', status: 'paused' });
    const [first, again, second, ...unknown] = [
      await lineOf(hook),
      await lineOf(hook),
      await lineOf(other),
      await lineOf(paused),
      await lineOf({ ...hook, path: 'default/nobody-has-this' }),
    ];
    expect(again).toBe(first);
    expect(second).not.toBe(first);
    expect([first, second]).toEqual([hook, other].map(({ id }) => `hooks of ${DEFAULT_TENANT_ID} ${id}`));
    expect(unknown).toEqual(['strangers undefined', 'strangers undefined']);
  });

  it('is not asked for bytes that nobody reads yet', async () => {
    const run = vi.spyOn(eventLoop, 'run');
    const { body, headers } = signed('{}', 'bytes', { ...hook, secret: 'wrong' });
    expect((await service.call('POST', `/hooks/${hook.path}`, { body, headers })).status).toBe(401);
    expect(run).toHaveBeenCalledTimes(1);
  });
});

describe('a secret that the webhook only names', () => {
  const named = { read: async () => ({ name: 'VAULT', value: 'of-the-vault-0123456789', boundTo: null }) };

  it('is read when a delivery comes, through a store that may take its time; where it fails, the delivery is to come again', async () => {
    const made = await makeWebhook(service, { verifier: 'hmac', secret: '{{ secrets.KNOWN }}' });
    const delivery = signed('{}', 'v1', { ...made, secret: 'of-the-vault-0123456789' });
    const asked: unknown[] = [];
    const slow = {
      async read(...names: string[]) {
        asked.push(names);
        await new Promise(setImmediate);
        return await named.read();
      },
    };
    expect(await receive(made, delivery, { secrets: slow })).toMatchObject({ kind: 'stored' });
    expect(asked).toEqual([['default', 'KNOWN']]);
    const broken = { read: () => Promise.reject(new Error('the vault does not answer')) };
    const again = signed('{}', 'v2', { ...made, secret: 'of-the-vault-0123456789' });
    expect(await receive(made, again, { secrets: broken })).toEqual({ kind: 'unavailable' });
    expect(await receive(made, again, { secrets: { read: async () => null } })).toEqual({
      kind: 'unavailable',
    });
  });
});

describe('a delivery', () => {
  it('becomes a run that reads all of it as trigger, with the defaults of the workflow', async () => {
    const sees = await makeWebhook(service, {
      workflowId: 'sees',
      verifier: 'hmac',
      inputMapping: { given: '{{ body.a }}' },
    });
    const { body, headers } = signed('{"a":{"b":[1,null]}}', 'd1', sees);
    const receipt = await receive(sees, { body, headers: { ...headers, 'x-source': 'shop' } });
    if (receipt.kind !== 'stored') throw new Error(JSON.stringify(receipt));
    const run = await service.engine!.ended(receipt.executionId!);
    expect(run.execution.error).toBeNull();
    expect(run.task('keep').output).toEqual({
      type: 'webhook',
      body: { b: [1, null] },
      source: 'shop',
      query: '1',
      method: 'POST',
      at: expect.stringMatching(/^\d{4}-/),
      event: receipt.eventId,
      input: { depth: 3, given: { b: [1, null] } },
      run: 'webhook',
    });
  });

  it('is judged before it is read: no JSON under a wrong signature is 401, not 400', async () => {
    const wrong = signed('{"a":', 'd1', { ...hook, secret: 'another-secret' });
    expect(await receive(hook, wrong)).toEqual({ kind: 'unauthorized' });
    expect(await receive(hook, signed('{"a":', 'd1'))).toMatchObject({
      kind: 'unacceptable',
      isMalformed: true,
    });
  });

  it('for a webhook that is paused or deleted while it is judged leaves nothing', async () => {
    for (const change of [
      `update dagwright.webhooks set status = 'paused' where id = $1`,
      'delete from dagwright.webhooks where id = $1',
    ]) {
      const other = await makeWebhook(service, { verifier: 'hmac' });
      const database: Database = {
        ...service.database,
        asEngine: async (acting, work) => {
          await service.query(change, [other.id]);
          return await service.database.asEngine(acting, work);
        },
      };
      expect(await receive(other, signed('{}', 'd1', other), { database })).toEqual({ kind: 'unauthorized' });
      expect(await traces(service, other.id)).toEqual({ events: 0, executions: 0 });
    }
  });

  it('whose transaction lost against another is tried again; a lost connection is the caller’s to tell', async () => {
    const failing = (code: string, times: number): { database: Database; tries: () => number } => {
      let tries = 0;
      return {
        tries: () => tries,
        database: {
          ...service.database,
          asEngine: async (acting, work) =>
            await service.database.asEngine(acting, async (client) => {
              const value = await work(client);
              if (++tries <= times) throw Object.assign(new Error('as told'), { code });
              return value;
            }),
        },
      };
    };
    const other = await makeWebhook(service, { verifier: 'hmac' });
    const deadlock = failing('40P01', 2);
    expect(await receive(other, signed('{}', 'd1', other), deadlock)).toMatchObject({
      kind: 'stored',
      status: 'processed',
    });
    expect(deadlock.tries()).toBe(3);
    expect(await traces(service, other.id)).toEqual({ events: 1, executions: 1 });
    const lost = failing('08006', 1);
    await expect(receive(other, signed('{}', 'd2', other), lost)).rejects.toThrow('as told');
    expect(await traces(service, other.id)).toEqual({ events: 1, executions: 1 });
    expect(await receive(other, signed('{}', 'd2', other))).toMatchObject({
      kind: 'stored',
      status: 'processed',
    });
  });

  it('of 1 MB starts a run whose trigger and input are kept whole', async () => {
    const big = { items: Array.from({ length: 90_000 }, (_, i) => i), text: 'x'.repeat(400_000) };
    const receipt = await receive(hook, signed(JSON.stringify(big), 'big'));
    if (receipt.kind !== 'stored') throw new Error(JSON.stringify(receipt).slice(0, 500));
    const [row] = await service.query<{ input: object; body: object }>(
      `select input, trigger->'body' as body from dagwright.workflow_executions where id = $1`,
      [receipt.executionId],
    );
    expect(row!.input).toEqual(big);
    expect(row!.body).toEqual(big);
  });

  it('is audited as nothing, for it changes nothing; its run says which webhook made it', async () => {
    const receipt = await receive(hook, signed('{}', 'audit'));
    if (receipt.kind !== 'stored') throw new Error('not stored');
    const [row] = await service.query<{ createdBy: string }>(
      'select created_by as "createdBy" from dagwright.workflow_executions where id = $1',
      [receipt.executionId],
    );
    expect(row!.createdBy).toBe(`webhook:${hook.id}`);
    const trail = await service.query('select from dagwright.audit_logs where actor = $1', [
      `webhook:${hook.id}`,
    ]);
    expect(trail).toEqual([]);
  });
});

describe('a change of a webhook', () => {
  it('is in the audit trail with its filters, and the secret as hidden', async () => {
    const filters = [{ fieldPath: 'body.a', operator: 'exists' }];
    const other = await makeWebhook(service, { verifier: 'hmac', filters, secret: 'a-secret-to-be-hidden' });
    await service.call('PATCH', `/v1/webhooks/${other.id}`, {
      body: { secret: 'the-secret-after-it', filters: [] },
    });
    await service.call('DELETE', `/v1/webhooks/${other.id}`);
    const rows = await service.query<{ action: string; text: string; tenant: string }>(
      `select action, concat(old_values, new_values) as text, tenant_id as tenant from dagwright.audit_logs where starts_with(resource_id, $1) order by id`,
      [other.id],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      'webhooks.create',
      'webhook-filters.create',
      'webhooks.update',
      'webhook-filters.delete',
      'webhooks.delete',
    ]);
    expect(new Set(rows.map(({ tenant }) => tenant))).toEqual(new Set([DEFAULT_TENANT_ID]));
    for (const { action, text } of rows)
      if (action.startsWith('webhooks.')) expect(text).toContain('[hidden]');
  });
});
