// A webhook that names a secret of the installation: a tenant's own or a shared one, and no other.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';
import { openService, type TestService } from '../support/service.ts';
import { applyTo, ORDERS } from './support/hooks.ts';
import { fromHmac } from './support/senders.ts';

const plain = { tenant: null, isShared: false, boundTo: null };
let service: TestService;
let acme: { id: string; key: string };
beforeAll(async () => {
  service = await openService({
    secrets: new InstallationSecrets([
      { ...plain, name: 'SHOP', value: 'shop-of-default-0123' },
      { ...plain, name: 'ALL', value: 'shared-by-all-012345', isShared: true },
      { ...plain, name: 'OWN', value: 'own-of-acme-01234567', tenant: 'ACME' },
    ]),
  });
  acme = await service.tenant('acme');
  await applyTo(service, [ORDERS], acme.id);
});
afterAll(() => service.close());

const make = (path: string, name: string) =>
  service.call('POST', '/v1/webhooks', {
    key: acme.key,
    body: { workflowId: 'orders', path, verifier: 'hmac', secret: `{{ secrets.${name} }}` },
  });

it.each([
  ['OWN', 'own-of-acme-01234567'],
  ['ALL', 'shared-by-all-012345'],
])('verifies by %s', async (name, value) => {
  expect((await make(`by-${name.toLowerCase()}`, name)).status).toBe(201);
  const { body, headers } = fromHmac('{}', { secret: value, id: name });
  expect((await service.call('POST', `/hooks/acme/by-${name.toLowerCase()}`, { body, headers })).status).toBe(
    202,
  );
});

it("refuses another tenant's in the same words as one that nobody has, at every door", async () => {
  const doors: ((name: string) => Promise<{ status: number; body: unknown }>)[] = [
    (name) => make('refused', name),
    (name) =>
      service.call('POST', '/v1/workflows/validate', {
        key: acme.key,
        body: {
          ...ORDERS,
          triggers: [{ type: 'webhook', path: 'x', verifier: 'hmac', secret: `{{ secrets.${name} }}` }],
        },
      }),
  ];
  for (const door of doors) {
    const [there, nowhere] = [await door('SHOP'), await door('SHIP')];
    expect(JSON.stringify(there.body)).toContain('there is no DAGWRIGHT_SECRET_ACME__SHOP');
    expect(JSON.stringify(there.body).replaceAll('SHOP', 'SHIP')).toBe(JSON.stringify(nowhere.body));
    expect(there.status).toBe(nowhere.status);
  }
});

it('asks anew whose the secret is when a delivery comes', async () => {
  const [hook] = await service.query<{ id: string }>(
    `update dagwright.webhooks set secrets = jsonb_set(secrets, '{0,sealed}', to_jsonb('plain:{{ secrets.SHOP }}'::text))
     where path = 'by-own' returning id`,
  );
  expect(hook).toBeDefined();
  const { body, headers } = fromHmac('{}', { secret: 'shop-of-default-0123', id: 'late' });
  expect((await service.call('POST', '/hooks/acme/by-own', { body, headers })).status).toBe(503);
});
