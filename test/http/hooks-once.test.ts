// One delivery is one run (P7), however often, from wherever and at whatever moment it is sent.

import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/connection/connection.ts';
import type { Api } from '../../src/http/server/api.ts';
import { createApp } from '../../src/http/server/app.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';
import { BEGIN } from '../support/begin.ts';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, type MadeWebhook, makeWebhook, ORDERS, STRICT, traces } from './support/hooks.ts';
import { fromGithub, fromHmac, fromStandard, send } from './support/senders.ts';

const WAITING =
  'from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()';

let service: TestService;
/** May end others' sessions. */
let admin: pg.Client;
/** A second process of the API, as far as the database can tell: pools and starts of its own. */
let second: { app: Api; url: string; close(): Promise<void> };

beforeAll(async () => {
  service = await openService({ listen: true });
  await applyTo(service, [ORDERS, STRICT]);
  admin = new pg.Client(service.database.url);
  await admin.connect();
  const database = openDatabase(service.database.url);
  const starts = createStarts({ database, log: service.service.log });
  const app = await createApp({ ...service.service, database, starts });
  await app.listen({ host: '127.0.0.1', port: 0 });
  second = {
    app,
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    async close() {
      await app.close();
      await database.close();
    },
  };
});
afterAll(async () => {
  await admin.end();
  await second.close();
  await service.close();
});

const alsoAt = (hook: MadeWebhook) => `${second.url}/hooks/${hook.path}`;

describe('a delivery that is repeated', () => {
  it('under ids that its sender has not signed is one by what was signed, and by its id where it was signed anew', async () => {
    const hook = await makeWebhook(service, { verifier: 'zendesk' });
    const deliver = (id: string, at: Date, url = hook.url) => {
      const time = at.toISOString();
      const signature = createHmac('sha256', hook.secret).update(`${time}{"n":1}`).digest('base64');
      const headers = {
        'content-type': 'application/json',
        'x-zendesk-webhook-signature': signature,
        'x-zendesk-webhook-signature-timestamp': time,
        'x-zendesk-webhook-invocation-id': id,
      };
      return send(url, { body: '{"n":1}', headers });
    };
    const [now, later] = [new Date(), new Date(Date.now() + 1_000)];
    const stolen = ['1', '2', '3', '4'].map((id, i) => deliver(id, now, i < 2 ? hook.url : alsoAt(hook)));
    const answers = await Promise.all(stolen);
    expect(new Set(answers.map(({ text }) => text)).size, JSON.stringify(answers)).toBe(1);
    const [{ deliveryId }] = (await service.query<{ deliveryId: string }>(
      'select delivery_id as "deliveryId" from dagwright.webhook_events where webhook_id = $1',
      [hook.id],
    )) as [{ deliveryId: string }];
    expect((await deliver(deliveryId, later)).text).toBe(answers[0]!.text);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
    expect((await deliver('9', new Date(Date.now() + 2_000))).text).not.toBe(answers[0]!.text);
    expect(await traces(service, hook.id)).toEqual({ events: 2, executions: 2 });
  });

  it('five times at once, over two processes, is one event and one run, and all five get the same answer', async () => {
    for (let round = 0; round < 10; round++) {
      const hook = await makeWebhook(service, { verifier: 'standard_webhooks' });
      const delivery = fromStandard('{"n":1}', { secret: hook.secret, id: 'msg_1' });
      const urls = [hook.url, alsoAt(hook), hook.url, alsoAt(hook), hook.url];
      const answers = await Promise.all(urls.map((url) => send(url, delivery)));
      expect(new Set(answers.map(({ text }) => text)).size, JSON.stringify(answers)).toBe(1);
      expect(answers[0]!.status).toBe(202);
      expect(answers[0]!.body.status).toBe('processed');
      expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
    }
  });

  it('hours later, under a new signature, still gets the first answer', async () => {
    const hook = await makeWebhook(service, { verifier: 'standard_webhooks' });
    const at = new Date(Date.now() - 240_000);
    const first = await send(hook.url, fromStandard('{"n":1}', { secret: hook.secret, id: 'msg_1', at }));
    const again = await send(hook.url, fromStandard('{"n":1}', { secret: hook.secret, id: 'msg_1' }));
    expect(again.body).toEqual(first.body);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it('waits for the first while that is being decided, and gets its answer', async () => {
    const hook = await makeWebhook(service, { verifier: 'hmac' });
    const delivery = fromHmac('{"n":1}', { secret: hook.secret, id: 'd1' });
    // The workflow's start waits for this lock, so the first delivery holds its event open.
    const blocker = await service.database.engine.connect();
    await blocker.query(BEGIN);
    await blocker.query('lock table dagwright.workflow_executions in exclusive mode');
    const answers = [send(hook.url, delivery), send(alsoAt(hook), delivery)];
    await waitForLocks(2);
    await blocker.query('commit');
    blocker.release();
    const [a, b] = await Promise.all(answers);
    expect(a!.status).toBe(202);
    expect(b!.body).toEqual(a!.body);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it('after the first was rolled back, is decided as if it were the first', async () => {
    const hook = await makeWebhook(service, { verifier: 'hmac' });
    const delivery = fromHmac('{"n":1}', { secret: hook.secret, id: 'd1' });
    const blocker = await service.database.engine.connect();
    await blocker.query(BEGIN);
    await blocker.query('lock table dagwright.workflow_executions in exclusive mode');
    const first = send(hook.url, delivery);
    await waitForLocks(1);
    const [waiting] = (await admin.query(`select l.pid ${WAITING}`)).rows;
    const again = send(alsoAt(hook), delivery);
    await waitForLocks(2);
    await admin.query('select pg_terminate_backend($1)', [waiting.pid]);
    await blocker.query('commit');
    blocker.release();
    expect((await first).status).toBe(503);
    const answer = await again;
    expect(answer.status).toBe(202);
    expect((await send(hook.url, delivery)).body).toEqual(answer.body);
    expect(await traces(service, hook.id)).toEqual({ events: 1, executions: 1 });
  });

  it('gets its first answer also where that was filtered or failed', async () => {
    const filters = [{ fieldPath: 'body.kind', operator: 'equals', value: 'paid' }];
    const hook = await makeWebhook(service, { workflowId: 'strict', verifier: 'hmac', filters });
    for (const [id, body, status] of [
      ['d1', '{"kind":"open"}', 'filtered'],
      ['d2', '{"kind":"paid","name":7}', 'failed'],
    ] as const) {
      const delivery = fromHmac(body, { secret: hook.secret, id });
      const first = await send(hook.url, delivery);
      expect(first.status).toBe(202);
      expect(first.body).toEqual({ eventId: expect.any(String), status });
      expect((await send(hook.url, delivery)).body).toEqual(first.body);
    }
    expect(await traces(service, hook.id)).toEqual({ events: 2, executions: 0 });
  });

  it('with the id of another delivery and another body, is the first: the id decides', async () => {
    const hook = await makeWebhook(service, { verifier: 'github' });
    const first = await send(hook.url, await fromGithub('{"n":1}', { secret: hook.secret, id: 'd1' }));
    const other = await send(hook.url, await fromGithub('{"n":2}', { secret: hook.secret, id: 'd1' }));
    expect(other.body).toEqual(first.body);
  });
});

describe('deliveries that are not the same', () => {
  it('without a delivery id, each is an event of its own', async () => {
    const hook = await makeWebhook(service, {});
    const delivery = {
      body: '{"n":1}',
      headers: { 'content-type': 'application/json', 'x-webhook-secret': hook.secret },
    };
    const [a, b] = [await send(hook.url, delivery), await send(hook.url, delivery)];
    expect(a.body.eventId).not.toBe(b.body.eventId);
    expect(await traces(service, hook.id)).toEqual({ events: 2, executions: 2 });
  });

  it('two webhooks and two tenants with the same path, secret and ids do not meet', async () => {
    const secret = 'the-same-secret-for-all';
    const settings = { path: 'orders', verifier: 'hmac', secret };
    // Before there are keys: with the first one the service is open no more.
    const made = [await makeWebhook(service, { ...settings, path: 'acme/orders' })];
    for (const name of ['acme', 'globex']) {
      const { id, key } = await service.tenant(name);
      await applyTo(service, [ORDERS], id);
      made.push(await makeWebhook(service, settings, key));
    }
    const delivery = fromHmac('{"n":1}', { secret, id: 'd1' });
    const answers = await Promise.all(made.map(({ path }) => send(`${service.url}/hooks/${path}`, delivery)));
    expect(made.map(({ path }) => path)).toEqual(['default/acme/orders', 'acme/orders', 'globex/orders']);
    expect(new Set(answers.map(({ body }) => body.eventId)).size).toBe(3);
    const owners = await service.query<{ same: boolean }>(
      `select e.tenant_id = w.tenant_id and w.tenant_id = h.tenant_id as same from dagwright.webhook_events e
       join dagwright.workflow_executions w on w.id = e.workflow_execution_id join dagwright.webhooks h on h.id = e.webhook_id
       where e.webhook_id = any($1)`,
      [made.map(({ id }) => id)],
    );
    expect(owners).toEqual([{ same: true }, { same: true }, { same: true }]);
  });
});

async function waitForLocks(count: number): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const [row] = await service.query<{ n: number }>(`select count(*)::int as n ${WAITING}`);
    if (row!.n >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no ${count} waiting connections`);
}
