// The secrets of webhooks: changed while deliveries go on, and to be found nowhere.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SecretStore } from '../../src/tasks/installation-secrets.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, makeWebhook, ORDERS } from './support/hooks.ts';
import { fromGithub, fromHmac, fromStandard, type SentDelivery } from './support/senders.ts';

let service: TestService;
let acme: { id: string; key: string };
beforeAll(async () => {
  service = await openService({
    secrets: secretsInEnvironment({ SHOP: 'from-the-environment-1' }, { isShared: true }),
  });
  acme = await service.tenant('acme');
  await applyTo(service, [ORDERS], acme.id);
});
afterAll(() => service.close());

const call = (method: string, path: string, body?: unknown) =>
  service.call(method, path, { key: acme.key, ...(body === undefined ? {} : { body }) });
const make = (given: Record<string, unknown> = {}) => makeWebhook(service, given, acme.key);
const deliver = async (path: string, { body, headers }: SentDelivery) =>
  await service.call('POST', `/hooks/${path}`, { body, headers });

describe('changing the secret', () => {
  it('takes the new one at once and the old one until it expires', async () => {
    const hook = await make({ verifier: 'github' });
    const next = 'the-next-secret-of-github';
    const patched = await call('PATCH', `/v1/webhooks/${hook.id}`, { secret: next });
    expect(patched.body.secrets).toHaveLength(2);
    expect(patched.body.secrets[0].expiresAt).toBeNull();
    const inHours = (Date.parse(patched.body.secrets[1].expiresAt) - Date.now()) / 3_600_000;
    expect(inHours).toBeGreaterThan(23.9);
    expect(inHours).toBeLessThanOrEqual(24);
    expect(
      (await deliver(hook.path, await fromGithub('{}', { secret: hook.secret, id: 'old' }))).status,
    ).toBe(202);
    expect((await deliver(hook.path, await fromGithub('{}', { secret: next, id: 'new' }))).status).toBe(202);
    await service.query(
      `update dagwright.webhooks set secrets = jsonb_set(secrets, '{1,expiresAt}', to_jsonb('2020-01-01T00:00:00.000Z'::text)) where id = $1`,
      [hook.id],
    );
    expect(
      (await deliver(hook.path, await fromGithub('{}', { secret: hook.secret, id: 'late' }))).status,
    ).toBe(401);
    expect((await deliver(hook.path, await fromGithub('{}', { secret: next, id: 'later' }))).status).toBe(
      202,
    );
    expect((await call('GET', `/v1/webhooks/${hook.id}`)).body.secrets).toHaveLength(1);
  });

  it('with previousSecretExpiresInSeconds 0 refuses the old one at once', async () => {
    const hook = await make({ verifier: 'github' });
    await call('PATCH', `/v1/webhooks/${hook.id}`, {
      secret: 'the-next-secret-of-github',
      previousSecretExpiresInSeconds: 0,
    });
    expect(
      (await deliver(hook.path, await fromGithub('{}', { secret: hook.secret, id: 'old' }))).status,
    ).toBe(401);
  });

  it('spaces around a secret are none of it, as in a file and on the command line', async () => {
    const hook = await make({ verifier: 'hmac', secret: ' a-secret-that-was-pasted\n' });
    const by = (secret: string, id: string) => deliver(hook.path, fromHmac('{}', { secret, id }));
    expect((await by('a-secret-that-was-pasted', '1')).status).toBe(202);
    const next = await call('PATCH', `/v1/webhooks/${hook.id}`, { secret: ' {{ secrets.SHOP }} ' });
    expect(next.status).toBe(200);
    expect((await by('from-the-environment-1', '2')).status).toBe(202);
  });

  it('of spaces alone is none, also where nothing is verified; any other is taken there', async () => {
    const refusal = { status: 422, body: { errors: [{ pointer: '/secret', code: 'validation' }] } };
    const open = { workflowId: 'orders', path: 'open', authType: 'none' };
    expect(await call('POST', '/v1/webhooks', { ...open, secret: ' \n' })).toMatchObject(refusal);
    const { body } = await call('POST', '/v1/webhooks', { ...open, secret: ' x ' });
    expect(body).toMatchObject({ hasSecret: true, secrets: [{ expiresAt: null }] });
    expect(await call('PATCH', `/v1/webhooks/${body.id}`, { secret: '  ' })).toMatchObject(refusal);
    expect((await call('GET', `/v1/webhooks/${body.id}`)).body.secrets).toHaveLength(1);
  });

  it('one that is not set in the process that serves is named in the log, and the delivery is to come again', async () => {
    const hook = await make({ verifier: 'hmac', secret: '{{ secrets.SHOP }}' });
    const token = await make({
      methods: ['GET', 'POST'],
      authType: 'secret',
      handshakes: [{ type: 'hub_challenge', verifyToken: '{{ secrets.SHOP }}' }],
    });
    const before = service.service.secrets;
    Object.assign(service.service, { secrets: secretsInEnvironment({}) });
    try {
      const answer = await deliver(hook.path, fromHmac('{}', { secret: 'from-the-environment-1', id: '1' }));
      expect(answer.status).toBe(503);
      await service.call('GET', `/hooks/${token.path}?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1`);
      for (const { id } of [hook, token])
        expect(service.logged.find((line) => line.includes(id))).toContain(
          'DAGWRIGHT_SECRET_ACME__SHOP is not set in this process: set it where the service runs, and restart it',
        );
      // Whoever delivers is told nothing of it.
      expect(JSON.stringify(answer.body)).not.toContain('SHOP');
    } finally {
      Object.assign(service.service, { secrets: before });
    }
  });

  it('a secret of the environment is resolved when a delivery comes', async () => {
    const hook = await make({ verifier: 'hmac', secret: '{{ secrets.SHOP }}' });
    const by = (secret: string, id: string) => deliver(hook.path, fromHmac('{}', { secret, id }));
    expect((await by('from-the-environment-1', '1')).status).toBe(202);
    expect((await by('{{ secrets.SHOP }}', '2')).status).toBe(401);
  });
});

describe('a store that may take its time', () => {
  it('is asked before the transaction of a save begins, once for each secret, and its answer is what is judged', async () => {
    const asked: string[] = [];
    let openTransactions = 0;
    const store: SecretStore = {
      async read(_tenant, name) {
        const [row] = await service.query<{ n: number }>(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
           and state like 'idle in transaction%'`,
        );
        openTransactions += row!.n;
        asked.push(name);
        return name === 'NOWHERE' ? null : { name, value: `of-the-vault-${name}`, boundTo: null };
      },
    };
    const before = service.service.secrets;
    Object.assign(service.service, { secrets: store });
    try {
      const by = (name: string) => ({ secret: `{{ secrets.${name} }}` });
      const hook = await make({ verifier: 'hmac', ...by('A') });
      const at = `/v1/webhooks/${hook.id}`;
      expect((await call('PATCH', at, by('B'))).status).toBe(200);
      // Whether one that is kept fits another use.
      expect((await call('PATCH', at, { verifier: 'github' })).status).toBe(200);
      expect((await call('PATCH', at, by('NOWHERE'))).body.errors).toMatchObject([{ code: 'setting' }]);
      const trigger = (path: string, name: string) => ({ type: 'webhook', path, ...by(name) });
      const flow = (...triggers: object[]) => ({ ...ORDERS, workflowId: 'kept', triggers });
      const saved = await call('PUT', '/v1/workflows/kept', flow(trigger('k1', 'C'), trigger('k2', 'D')));
      expect(saved.status).toBe(201);
      expect((await call('PUT', '/v1/workflows/kept', flow())).status).toBe(200);
      expect((await call('POST', '/v1/workflows/kept/rollback', { revision: 1 })).status).toBe(200);
      expect(asked).toEqual(['A', 'B', 'B', 'NOWHERE', 'C', 'D', 'C', 'D']);
      expect(openTransactions).toBe(0);
    } finally {
      Object.assign(service.service, { secrets: before });
    }
  });
});

describe('secrets', () => {
  it('are in no table, no log line and no answer but the first, in no encoding', async () => {
    const given = 'canary-secret-number-one-8f2c';
    const next = 'canary-secret-number-two-77aa';
    const basic = 'shop:canary-secret-number-three';
    const token = 'canary-verify-token-four';
    const hook = await make({ verifier: 'hmac', secret: given });
    const made = await make({ verifier: 'standard_webhooks' });
    const shown = await make({ authType: 'basic', secret: basic });
    const answers = [
      await call('PATCH', `/v1/webhooks/${hook.id}`, { secret: next }),
      await call('PUT', `/v1/webhooks/${hook.id}`, {
        workflowId: 'orders',
        path: 'canary',
        verifier: 'hmac',
      }),
      await call('PATCH', `/v1/webhooks/${made.id}`, {
        handshakes: [{ type: 'hub_challenge', verifyToken: token }],
      }),
      await call('GET', `/v1/webhooks/${made.id}`),
      await call('GET', '/v1/audit'),
      await call('GET', '/v1/webhooks'),
      await service.call('POST', '/v1/webhooks', {
        key: acme.key,
        headers: { 'idempotency-key': 'canary' },
        body: { workflowId: 'orders', path: 'canary-kept', secret: given },
      }),
      await deliver('acme/canary', fromHmac('{}', { secret: next, id: '1' })),
      await deliver('acme/canary', fromHmac('{}', { secret: 'wrong-secret', id: '2' })),
      await deliver(made.path, fromStandard('{}', { secret: made.secret, id: '3' })),
      await deliver(shown.path, {
        body: '{}',
        headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
      }),
      await deliver(shown.path, {
        body: '{}',
        headers: { authorization: `Bearer ${given}`, 'x-webhook-secret': given },
      }),
      await call('POST', '/v1/webhooks', { workflowId: 'orders', path: '?', secret: given }),
      await call('POST', '/v1/webhooks', {
        workflowId: 'orders',
        path: 'x',
        verifier: 'standard_webhooks',
        secret: given,
      }),
    ];
    const dump = await dumpTables();
    expect(dump).toContain('canary-kept');
    const places = [dump, service.logged.join('\n'), JSON.stringify(answers)];
    for (const secret of [given, next, basic, token, made.secret, made.secret.slice('whsec_'.length)])
      for (const form of formsOf(secret))
        for (const place of places) expect(place.includes(form), form).toBe(false);
  });

  it('a verify token that is written out is sealed with them, stays while nobody gives another, and signs nothing', async () => {
    const TOKEN = 'a-token-that-was-written-out';
    const hub = (more: object = {}) => ({ handshakes: [{ type: 'hub_challenge', ...more }] });
    const asked = async (path: string, shown: string) => {
      const query = { 'hub.mode': 'subscribe', 'hub.challenge': '42', 'hub.verify_token': shown };
      return (await service.call('GET', `/hooks/${path}`, { query })).status;
    };
    const hook = await make({ verifier: 'github', ...hub({ verifyToken: TOKEN }) });
    const at = `/v1/webhooks/${hook.id}`;
    expect((await call('GET', at)).body).toMatchObject({ ...hub(), secrets: [{ expiresAt: null }] });
    expect([await asked(hook.path, TOKEN), await asked(hook.path, `${TOKEN}2`)]).toEqual([200, 401]);
    const forged = await fromGithub('{}', { secret: TOKEN, id: 'forged' });
    expect((await deliver(hook.path, forged)).status).toBe(401);
    // What an answer shows can be sent back; a new secret does not touch it.
    for (const change of [hub(), { priority: 7 }, { secret: 'another-secret-of-github' }])
      expect((await call('PATCH', at, change)).status).toBe(200);
    expect(await asked(hook.path, TOKEN)).toBe(200);
    expect((await call('PATCH', at, hub({ verifyToken: 'the-next-token' }))).status).toBe(200);
    expect([await asked(hook.path, TOKEN), await asked(hook.path, 'the-next-token')]).toEqual([401, 200]);
  });

  it('a verify token from before tokens were sealed is not shown, goes on, and is sealed by the next change', async () => {
    const TOKEN = 'a-token-of-an-older-release';
    const hook = await make({ authType: 'none' });
    const at = `/v1/webhooks/${hook.id}`;
    const stored = [{ type: 'hub_challenge', verifyToken: TOKEN }];
    await service.query('update dagwright.webhooks set handshakes = $2 where id = $1', [
      hook.id,
      JSON.stringify(stored),
    ]);
    const query = { 'hub.mode': 'subscribe', 'hub.challenge': '42', 'hub.verify_token': TOKEN };
    const status = async () => (await service.call('GET', `/hooks/${hook.path}`, { query })).status;
    const shown = async () => JSON.stringify([await call('GET', at), await call('GET', '/v1/audit')]);
    expect(await status()).toBe(200);
    expect(await shown()).not.toContain(TOKEN);
    expect((await call('PATCH', at, { handshakes: [{ type: 'hub_challenge' }] })).status).toBe(200);
    expect(await status()).toBe(200);
    expect(await shown()).not.toContain(TOKEN);
    const [row] = await service.query<{ text: string }>(
      'select w::text as text from dagwright.webhooks w where id = $1',
      [hook.id],
    );
    expect(row!.text).not.toContain(TOKEN);
  });

  it("a token or secret in a revision of an older release is shown at no door, and is the webhook's again after a rollback", async () => {
    const [TOKEN, SECRET] = ['a-token-in-an-old-revision', 'a-secret-in-an-old-revision'];
    const hook = { type: 'webhook', path: 'old-revision', verifier: 'meta' };
    const handshake = { type: 'hub_challenge' };
    const document = { ...ORDERS, workflowId: 'old-revision' };
    const at = '/v1/workflows/old-revision';
    const webhook = { ...hook, secret: SECRET, handshakes: [{ ...handshake, verifyToken: TOKEN }] };
    expect((await call('PUT', at, { ...document, triggers: [webhook] })).status).toBe(201);
    await service.query(
      `update dagwright.workflow_versions set definition = jsonb_set(definition::jsonb, '{triggers}', $1)::json
       where tenant_id = $2 and workflow_id = 'old-revision'`,
      [JSON.stringify([webhook]), acme.id],
    );
    const shown = { ...hook, handshakes: [handshake] };
    for (const door of [at, `${at}/revisions/1`])
      expect((await call('GET', door)).body.definition.triggers).toEqual([shown]);
    const next = [{ ...hook, handshakes: [{ ...handshake, verifyToken: 'the-token-of-the-next' }] }];
    expect((await call('PUT', at, { ...document, triggers: next })).status).toBe(200);
    const answers = [
      await call('POST', `${at}/rollback`, { revision: 1 }),
      await call('GET', at),
      await call('GET', `${at}/revisions`),
      await call('GET', '/v1/workflows'),
      await call('GET', '/v1/audit'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const written of [TOKEN, SECRET, 'the-token-of-the-next'])
      expect(JSON.stringify(answers)).not.toContain(written);
    const query = { 'hub.mode': 'subscribe', 'hub.challenge': '42', 'hub.verify_token': TOKEN };
    expect((await service.call('GET', '/hooks/acme/old-revision', { query })).status).toBe(200);
  });

  it('sealed for one webhook do not open for another', async () => {
    const [a, b] = [await make({ verifier: 'hmac' }), await make({ verifier: 'hmac' })];
    await service.query(
      'update dagwright.webhooks set secrets = (select secrets from dagwright.webhooks where id = $1) where id = $2',
      [a.id, b.id],
    );
    // Not the sender's fault: it is to send it again when the operator has mended it.
    expect((await deliver(b.path, fromHmac('{}', { secret: a.secret, id: '1' }))).status).toBe(503);
    expect(service.logged.join('\n')).toContain('a secret of a webhook cannot be opened');
  });
});

/** All rows of all tables as text. */
async function dumpTables(): Promise<string> {
  const admin = new pg.Client(service.database.url);
  await admin.connect();
  try {
    const { rows: tables } = await admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('dagwright', 'graphile_worker')`,
    );
    const parts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await admin.query<{ text: string }>(`select t::text as text from ${name} t`);
      parts.push(name, ...rows.map(({ text }) => text));
    }
    return parts.join('\n');
  } finally {
    await admin.end();
  }
}

/** The ways in which a text may be written down. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const aligned = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift, 'x'), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Only what the surroundings do not touch.
    return text.slice(shift === 0 ? 0 : 4, -2);
  });
  return [
    secret,
    bytes.toString('hex'),
    encodeURIComponent(secret),
    ...aligned,
    ...aligned.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}
