// Signals over HTTP and by the command line, and the example that lives by them.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/core/definition/reading/parse.ts';
import { runCli } from '../cli/support/run-cli.ts';
import { definition, until } from '../support/engine.ts';
import { ADMIN_KEY, type CallOptions, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };
beforeAll(async () => {
  service = await openService({ withKeys: true, worker: true, listen: true });
  acme = await service.tenant('acme');
});
afterAll(async () => {
  await service.engine!.expectSound();
  await service.close();
});

const call = (method: string, path: string, options: CallOptions = {}) =>
  service.call(method, path, { key: acme.key, ...options });
const send = (id: string, name: string, body: unknown = {}, options: CallOptions = {}) =>
  call('POST', `/v1/executions/${id}/signals/${name}`, { body, ...options });

async function start(document: { readonly workflowId: string }, input: unknown = {}): Promise<string> {
  const saved = await call('PUT', `/v1/workflows/${document.workflowId}`, { body: document });
  expect(saved.body.problems ?? saved.body.errors ?? []).toEqual([]);
  return (await call('POST', `/v1/workflows/${document.workflowId}/executions`, { body: { input } })).body.id;
}
const waitFor = (signal: string) =>
  definition([{ taskId: 'w', taskType: 'wait', dependsOn: [], config: { signal } }]);
const waitingNames = async (id: string): Promise<readonly string[]> => {
  const { items } = (await call('GET', `/v1/executions/${id}/why`)).body;
  return items.flatMap((item: { waitsFor: { signals?: readonly string[] } }) => item.waitsFor.signals ?? []);
};
const untilWaiting = (id: string) => until(async () => (await waitingNames(id)).length > 0);
const ended = (id: string) =>
  until(async () => {
    const { body } = await call('GET', `/v1/executions/${id}`);
    return body.status === 'running' || body.status === 'pending' ? null : body;
  });

describe('POST /v1/executions/{id}/signals/{name}', () => {
  it('ends the wait, which why names, with what it brings', async () => {
    const id = await start(waitFor('paid'));
    await untilWaiting(id);
    expect(await waitingNames(id)).toEqual(['paid']);
    expect(await send(id, 'paid', { payload: { amount: 3 } })).toMatchObject({
      status: 200,
      body: { id, signal: 'paid', status: 'delivered' },
    });
    const { body } = await call('GET', `/v1/executions/${id}/tasks`);
    await ended(id);
    expect(body.items).toHaveLength(1);
    expect((await ended(id)).output.w).toMatchObject({ signal: 'paid', payload: { amount: 3 } });
  });

  it('needs no body', async () => {
    const id = await start(waitFor('go'));
    await untilWaiting(id);
    const { statusCode } = await service.app.inject({
      method: 'POST',
      url: `/v1/executions/${id}/signals/go`,
      headers: { authorization: `Bearer ${acme.key}` },
    });
    expect(statusCode).toBe(200);
    expect((await ended(id)).output.w.payload).toBeNull();
  });

  it('counts once under a dedupe key for each sender, and once under an Idempotency-Key', async () => {
    const id = await start(waitFor('go'));
    const statusOf = async (...args: Parameters<typeof send>) => (await send(...args)).body.status;
    expect(await statusOf(id, 'other', { dedupeKey: 'k', payload: 1 })).toBe('stored');
    expect(await statusOf(id, 'other', { dedupeKey: 'k', payload: 2 })).toBe('duplicate');
    const another = (await call('POST', '/v1/api-keys', { body: { name: 'b', roles: ['editor'] } })).body.key;
    expect(await statusOf(id, 'other', { dedupeKey: 'k' }, { key: another })).toBe('stored');
    const headers = { 'idempotency-key': 'once' };
    expect(await statusOf(id, 'other', { payload: 3 }, { headers })).toBe('stored');
    expect(await statusOf(id, 'other', { payload: 3 }, { headers })).toBe('stored');
    expect((await send(id, 'other', { payload: 4 }, { headers })).status).toBe(409);
    const rows = await service.query(
      `select payload from dagwright.execution_signals where workflow_execution_id = $1 order by position`,
      [id],
    );
    expect(rows.map(({ payload }) => payload)).toEqual([1, null, 3]);
    await call('POST', `/v1/executions/${id}/cancel`, { body: {} });
  });

  it('is refused where it cannot be kept', async () => {
    const id = await start(waitFor('go'));
    await untilWaiting(id);
    expect((await send('00000000-0000-7000-8000-000000000000', 'go')).status).toBe(404);
    const other = await service.tenant('other');
    expect((await send(id, 'go', {}, { key: other.key })).status).toBe(404);
    const reader = (await call('POST', '/v1/api-keys', { body: { name: 'r', roles: ['viewer'] } })).body.key;
    expect((await send(id, 'go', {}, { key: reader })).status).toBe(403);
    expect(await send(id, '1st')).toMatchObject({ status: 422, body: { errors: [{ pointer: '/name' }] } });
    for (const body of [{ dedupeKey: '' }, { dedupeKey: 'x'.repeat(501) }, { broadcast: 'yes' }, { more: 1 }])
      expect([body, (await send(id, 'go', body)).status]).toEqual([body, 422]);
    const large = await send(id, 'go', { payload: Array(3).fill('x'.repeat(330_000)) });
    expect([large.status, large.body.code, large.body.errors]).toEqual([
      413,
      'payload_too_large',
      [expect.objectContaining({ pointer: '/payload' })],
    ]);
    await service.query(
      `insert into dagwright.execution_signals (workflow_execution_id, position, tenant_id, name, sender, created_at, is_judged)
       select id, n, tenant_id, 'many', 'test', now(), true from dagwright.workflow_executions, generate_series(1, 1000) n where id = $1`,
      [id],
    );
    expect(await send(id, 'many')).toMatchObject({ status: 409, body: { code: 'too_many_signals' } });
    await send(id, 'go');
    await ended(id);
    expect(await send(id, 'go')).toMatchObject({ status: 409, body: { code: 'already_ended' } });
  });
});

describe('dagwright executions signal', () => {
  const cli = (args: readonly string[], env: Record<string, string>) =>
    runCli([...args], { cwd: '/', env: { HOME: '/nowhere', LOG_LEVEL: 'silent', ...env } });
  const ways: readonly [string, (...args: string[]) => ReturnType<typeof cli>][] = [
    [
      'in the database',
      (...args) => cli([...args, '--tenant', 'acme'], { DATABASE_URL: service.database.url }),
    ],
    ['over HTTP', (...args) => cli([...args, '--server', service.url, '--key', acme.key], {})],
  ];
  it.each(ways)('sends one %s', async (_way, dagwright) => {
    const id = await start(waitFor('go'));
    await untilWaiting(id);
    const stored = await dagwright('executions', 'signal', id, 'other', '--dedupe-key', 'k');
    expect([stored.code, stored.stdout]).toEqual([0, expect.stringMatching(/it is stored/)]);
    const bad = await dagwright('executions', 'signal', id, '1st');
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/signal/)]);
    const sent = await dagwright('executions', 'signal', id, 'go', '--payload', '{"n":1}', '--json');
    expect([sent.code, JSON.parse(sent.stdout)]).toEqual([0, { id, signal: 'go', status: 'delivered' }]);
    expect((await ended(id)).output.w.payload).toEqual({ n: 1 });
    const late = await dagwright('executions', 'signal', id, 'go', '--json');
    expect([late.code, JSON.parse(late.stdout).errors[0].code]).toEqual([1, 'already_ended']);
  });
});

describe('examples/order-with-signals.yaml', () => {
  const read = (name: string) => {
    const parsed = parseDocument(readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8'));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.value as Record<string, unknown> & { readonly workflowId: string };
  };
  const input = read('order-with-signals.input.json');

  it('is paid, changed and delivered, in whatever order the parcels come', async () => {
    const id = await start(read('order-with-signals.yaml'), input);
    await send(id, 'delivered', { payload: { parcel: 'B' } });
    await send(id, 'address_changed', { payload: { address: '2 Side Street' } });
    await send(id, 'paid', { payload: { amount: 41 } });
    await send(id, 'paid', { payload: { amount: 42 } });
    await until(async () => (await waitingNames(id)).includes('delivered'));
    await send(id, 'delivered', { payload: { parcel: 'A' } });
    expect((await ended(id)).output).toEqual({
      orderId: 'A-17',
      state: 'delivered',
      address: '2 Side Street',
      parcels: 2,
    });
  });

  it('is cancelled, or gives up', async () => {
    const cancelled = await start(read('order-with-signals.yaml'), input);
    await send(cancelled, 'cancelled');
    const late = await start(read('order-with-signals.yaml'), { ...input, payWithinSeconds: 0.05 });
    expect((await ended(cancelled)).output).toMatchObject({ state: 'cancelled' });
    expect((await ended(late)).output).toMatchObject({ state: 'not_paid' });
  });

  it('is refused to nobody who holds the key of the operator', async () => {
    const id = await start(waitFor('go'));
    expect((await send(id, 'go', {}, { key: ADMIN_KEY, tenantId: acme.id })).status).toBe(200);
    await ended(id);
  });
});
