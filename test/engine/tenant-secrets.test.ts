// Secrets of the installation in the hands of a tenant's authors: a tenant has its own and what is shared, and a secret that is
// bound to hosts goes nowhere else.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { insertTenant } from '../../src/db/resources/tenants.ts';
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';
import { parseAllowList } from '../../src/tasks/outbound/allow-list.ts';
import { definition, type Engine, openEngine, until } from '../support/engine.ts';
import { findExecution, findTasks } from '../support/executions.ts';
import { openStub, type Received, type Stub } from '../tasks/outbound/support/stub-server.ts';

const SHOP = 'shop-of-default-0123';
const MAIL = 'mail-of-all-tenants-4';
const ACME = 'shop-of-acme-56789012';
const BOUND = 'bound-to-one-host-345';

let engine: Engine;
let home: Stub;
let away: Stub;
let acme: string;

beforeAll(async () => {
  const echo = (request: Received, response: Parameters<Parameters<typeof openStub>[0]>[1]) => {
    if (request.target.startsWith('/lead'))
      response.writeHead(307, { location: `${away.origin}/?k=${BOUND}` });
    response.end(JSON.stringify(request));
  };
  [home, away] = await Promise.all([openStub(echo), openStub(echo)]);
  const hosts = parseAllowList([`127.0.0.1:${home.port}`]);
  if (!hosts.ok) throw new Error('no list');
  const plain = { isShared: false, tenant: null, boundTo: null };
  engine = await openEngine({
    outside: {
      allowedHosts: ['127.0.0.1'],
      secrets: new InstallationSecrets([
        { ...plain, name: 'SHOP', value: SHOP },
        { ...plain, name: 'MAIL', value: MAIL, isShared: true },
        { ...plain, name: 'SHOP', value: ACME, tenant: 'ACME_EU' },
        { ...plain, name: 'BOUND', value: BOUND, isShared: true, boundTo: hosts.value },
      ]),
      providers: new Map([['openai', { apiKey: 'sk-of-the-operator', baseUrl: `${home.origin}/v1` }]]),
      providerKeysFor: new Set(['default']),
    },
  });
  const made = await engine.database.asEngine({ actor: 'test' }, (client) =>
    insertTenant(client, { name: 'acme-eu', displayName: null, tier: 5, settings: {} }),
  );
  acme = made!.id;
});
afterAll(async () => {
  await engine?.close();
  await Promise.all([home, away].map((stub) => stub?.close()));
});

const api = (config: JsonObject, origin = home.origin): NodeDefinition => ({
  taskId: 'call',
  taskType: 'external_api',
  dependsOn: [],
  config: { url: `${origin}/`, ...config },
});

/** How the one task of a definition ended in a tenant. */
async function run(tenantId: string, node: NodeDefinition) {
  const flow = definition([node]);
  await applyDefinition(engine.database, tenantId, flow, 'test');
  const [started] = await startExecutions(engine.database.engine, tenantId, [
    { workflowId: flow.workflowId, triggerType: 'manual' },
  ]);
  if (!started!.ok) throw new Error(started!.problem);
  const { id } = started!;
  await until(async () => (await findExecution(engine.database, tenantId, id))!.completedAt);
  const [task] = await findTasks(engine.database, tenantId, id);
  return task!;
}
const sent = (stub: Stub) => JSON.stringify(stub.received.at(-1));

describe('a secret of the environment', () => {
  test("is the default tenant's; another has its own of that name, and what is shared", async () => {
    const config = { headers: { a: '{{ secrets.SHOP }}', b: '{{ secrets.MAIL }}' } };
    expect((await run(DEFAULT_TENANT_ID, api(config))).status).toBe('completed');
    expect(home.received.at(-1)!.headers).toMatchObject({ a: SHOP, b: MAIL });
    const task = await run(acme, api(config));
    expect(home.received.at(-1)!.headers).toMatchObject({ a: ACME, b: MAIL });
    expect(JSON.stringify(task.output)).not.toMatch(/shop-of|mail-of/);
  });

  test('that another tenant has is missing in the same words as one that nobody has', async () => {
    const globex = await engine.database.asEngine({ actor: 'test' }, (client) =>
      insertTenant(client, { name: 'globex', displayName: null, tier: 5, settings: {} }),
    );
    for (const how of [
      (name: string) => api({ credential: name }),
      (name: string) => api({ body: `{{ secrets.${name} }}` }),
      (name: string): NodeDefinition => ({
        ...api({ prompt: 'x', credential: name, baseUrl: `${away.origin}/v1` }),
        taskType: 'model_inference',
        modelId: 'openai/x',
      }),
    ]) {
      const before = home.received.length + away.received.length;
      const [there, nowhere] = [await run(globex!.id, how('SHOP')), await run(globex!.id, how('SHIP'))];
      expect(there.error!.message).toContain('DAGWRIGHT_SECRET_GLOBEX__SHOP');
      expect(JSON.stringify(there.error).replaceAll('SHOP', 'SHIP')).toBe(JSON.stringify(nowhere.error));
      expect(home.received.length + away.received.length).toBe(before);
    }
  });

  test('is hidden in the outputs of every tenant, whosever it is', async () => {
    const task = await run(acme, api({ body: { found: `${SHOP} and ${ACME}` } }));
    expect(JSON.stringify(task.output)).not.toMatch(/shop-of/);
  });
});

describe('a secret that is bound to hosts', () => {
  test.each<[string, () => NodeDefinition]>([
    ['a header', () => api({ headers: { a: '{{ secrets.BOUND }}' } }, away.origin)],
    ['a credential', () => api({ credential: 'BOUND' }, away.origin)],
    ['the query', () => api({ query: { a: '{{ secrets.BOUND }}' } }, away.origin)],
    ['the path', () => api({ url: `${away.origin}/{{ secrets.BOUND }}` })],
    ['a body', () => api({ body: { a: ['{{ secrets.BOUND }}'] } }, away.origin)],
    ['what an expression makes of it', () => api({ body: '{{ length(secrets.BOUND) }}' }, away.origin)],
    [
      'a prompt',
      () => ({
        ...api({ prompt: 'say {{ secrets.BOUND }}', baseUrl: `${away.origin}/v1` }),
        ...{ taskType: 'model_inference', modelId: 'local/x' },
      }),
    ],
    [
      'the key of a model',
      () => ({
        ...api({ prompt: 'x', credential: 'BOUND', baseUrl: `${away.origin}/v1` }),
        ...{ taskType: 'model_inference', modelId: 'local/x' },
      }),
    ],
  ])('does not go elsewhere in %s', async (_, node) => {
    const before = away.received.length;
    const task = await run(acme, node());
    expect(task.error).toMatchObject({ code: 'blocked_destination' });
    expect(task.error!.message).toContain('127.0.0.1');
    expect(away.received).toHaveLength(before);
  });

  test('goes to its host, in the name of every tenant that has it', async () => {
    expect((await run(acme, api({ credential: 'BOUND' }))).status).toBe('completed');
    expect(sent(home)).toContain(BOUND);
    expect((await run(acme, api({ body: '{{ length(secrets.BOUND) }}' }))).status).toBe('completed');
  });

  test('does not follow a redirect that carries it away; one without it may be followed', async () => {
    const before = away.received.length;
    const led = await run(acme, api({ url: `${home.origin}/lead`, credential: 'BOUND' }));
    expect(led.error).toMatchObject({ code: 'blocked_destination' });
    expect(away.received).toHaveLength(before);
  });

  test.each([
    ['as it is', (text: string) => text],
    ['in base64, of user and password', (text: string) => Buffer.from(`me:${text}`).toString('base64')],
    ['escaped twice', (text: string) => encodeURIComponent(encodeURIComponent(`&${text}`))],
  ])('does not leave by the fetch of an own task: %s', async (_, encode) => {
    const before = away.received.length;
    const hosts: Record<string, string> = {};
    engine.bodies.call = async ({ fetch }) => {
      for (const [name, { origin }] of Object.entries({ home, away }))
        hosts[name] = await fetch(`${origin}/`, { method: 'POST', body: `{"k":"${encode(BOUND)}"}` }).then(
          ({ status }) => String(status),
          (error: Error & { code?: string }) => String(error.code),
        );
      return null;
    };
    await run(acme, { ...api({}), taskType: 'probe', config: {} });
    expect(hosts).toEqual({ home: '200', away: 'blocked_destination' });
    expect(away.received).toHaveLength(before);
  });
});

test("the operator's key of a provider is used for the tenants that it is for", async () => {
  const model: NodeDefinition = {
    ...api({ prompt: 'x' }),
    ...{ taskType: 'model_inference', modelId: 'openai/gpt' },
  };
  await run(DEFAULT_TENANT_ID, model);
  expect(home.received.at(-1)!.headers.authorization).toBe('Bearer sk-of-the-operator');
  const before = home.received.length;
  await run(acme, model);
  expect(home.received.slice(before).map(({ headers }) => headers.authorization)).toEqual(
    home.received.slice(before).map(() => undefined),
  );
});
