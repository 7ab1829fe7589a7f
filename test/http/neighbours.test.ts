// One tenant's waiting requests hold up no other's: not those that wait for a lock, nor strangers' deliveries.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { OpenAnswers } from '../../src/http/waiting/open-answers.ts';
import { BEGIN } from '../support/begin.ts';
import { graph, until, waiting } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, makeWebhook } from './support/hooks.ts';

let service: TestService;
let loud: { id: string; key: string };
let quiet: { id: string; key: string };
const wanted = graph('w', { tasks: { w: waiting(3600) } });
beforeAll(async () => {
  service = await openService({
    worker: true,
    listen: true,
    withKeys: true,
    reach: (url) => openDatabase(url, { forRequests: true, max: 6, tenantMax: 8 }),
  });
  loud = await service.tenant('loud');
  quiet = await service.tenant('quiet');
  for (const { id } of [loud, quiet]) await applyTo(service, [wanted], id);
});
afterAll(() => service.close());

const startOf = (key: string) =>
  service.call('POST', `/v1/workflows/${wanted.workflowId}/executions`, { key, body: {} });

describe('a tenant whose requests all wait for one lock', () => {
  it('leaves the others their connections', async () => {
    const { body } = await startOf(loud.key);
    const holder = await service.engine!.database.engine.connect();
    try {
      await holder.query(BEGIN);
      await holder.query('select from dagwright.workflow_executions where id = $1 for update', [body.id]);
      let ended = 0;
      const stuck = Array.from({ length: 40 }, () =>
        service
          .call('POST', `/v1/executions/${body.id}/pause`, { key: loud.key })
          .finally(() => void ended++),
      );
      await until(async () => service.database.pools.tenant.totalCount >= 5);
      for (let i = 0; i < 20; i++) {
        const [list, start] = await Promise.all([
          service.call('GET', '/v1/executions', { key: quiet.key }),
          startOf(quiet.key),
        ]);
        expect([list.status, start.status]).toEqual([200, 201]);
      }
      expect(ended).toBeLessThan(stuck.length);
      await holder.query('rollback');
      for (const { status } of await Promise.all(stuck)) expect([200, 503]).toContain(status);
    } finally {
      holder.release();
    }
  });
});

describe('answers that stay open', () => {
  it('are counted by tenant, and none takes all', () => {
    const open = new OpenAnswers({ most: 5, mostOfOne: 3 });
    const places = Array.from({ length: 4 }, () => open.take('a'));
    expect(places.map((place) => place !== null)).toEqual([true, true, true, false]);
    expect(open.take('b')).not.toBeNull();
    expect(open.take('b')).not.toBeNull();
    expect(open.take('c')).toBeNull();
    places[0]!();
    places[0]!();
    expect(open.take('c')).not.toBeNull();
    expect(open.take('c')).toBeNull();
  });

  it.each(['a start', 'a delivery'])('count by the body that is kept meanwhile: %s', async (what) => {
    const tenant = await service.tenant(what.replace(/^a /, 'large-'));
    await applyTo(service, [wanted], tenant.id);
    const { workflowId } = wanted;
    const hook = await makeWebhook(
      service,
      { workflowId, authType: 'none', inputMapping: {}, respond: { withinSeconds: 60 } },
      tenant.key,
    );
    const input = { a: 'x'.repeat(495_000), b: 'x'.repeat(495_000) };
    const [url, body] =
      what === 'a delivery'
        ? [hook.url, input]
        : [`${service.url}/v1/workflows/${workflowId}/executions?wait=60`, { input }];
    const gone = new AbortController();
    const answered: number[] = [];
    const sent = Array.from({ length: 12 }, () =>
      fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: gone.signal,
      }).then(
        ({ status }) => answered.push(status),
        () => 0,
      ),
    );
    const started = () =>
      service.query('select from dagwright.workflow_executions where tenant_id = $1', [tenant.id]);
    // Ten of them are as much as one tenant may have; the others have been started as well.
    await until(async () => answered.length === 2 && (await started()).length === 12);
    expect(answered).toEqual([202, 202]);
    gone.abort();
    await Promise.all(sent);
  });
});

it('a key that is revoked is sent no more of a stream within 5 s, though it is busy', async () => {
  const chain = graph(Array.from({ length: 60 }, (_, i) => `s${i}`).join(' -> '), {
    tasks: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`s${i}`, waiting(0.3)])),
  });
  await applyTo(service, [chain], loud.id);
  const made = await service.call('POST', '/v1/api-keys', {
    key: loud.key,
    body: { name: 'short', scopes: ['executions:read'] },
  });
  const started = await service.call('POST', `/v1/workflows/${chain.workflowId}/executions`, {
    key: loud.key,
    body: {},
  });
  const response = await fetch(`${service.url}/v1/executions/${started.body.id}/events`, {
    headers: { authorization: `Bearer ${made.body.key}` },
  });
  let text = '';
  let endedAtMs = Number.POSITIVE_INFINITY;
  const reading = (async () => {
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
    endedAtMs = performance.now();
  })();
  await until(async () => text.includes('event: task'));
  await service.call('DELETE', `/v1/api-keys/${made.body.id}`, { key: loud.key });
  await reading;
  const { body } = await service.call('GET', `/v1/executions/${started.body.id}`, { key: loud.key });
  expect(endedAtMs).toBeLessThan(Number.POSITIVE_INFINITY);
  // It goes on for half a minute; the stream did not see its end.
  expect(body.status).toBe('running');
  expect(text).not.toContain('event: end');
});

it('saves that make the same webhooks in other orders lose no request to a deadlock', async () => {
  const paths = ['p1', 'p2', 'p3', 'p4'];
  const flow = (id: string, order: readonly string[]) => ({
    ...wanted,
    workflowId: id,
    triggers: order.map((path) => ({ type: 'webhook', path, authType: 'none' })),
  });
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all([
      service.call('PUT', '/v1/workflows/one', { key: quiet.key, body: flow('one', paths) }),
      service.call('PUT', '/v1/workflows/two', { key: quiet.key, body: flow('two', paths.toReversed()) }),
    ]);
    // One has them, the other is told so.
    expect(answers.map(({ status }) => Math.floor(status / 100)).sort()).toEqual([2, 4]);
    for (const id of ['one', 'two'])
      await service.call('PUT', `/v1/workflows/${id}`, { key: quiet.key, body: flow(id, []) });
  }
});
