// Whose a secret of the installation is (V1, V2 of installation-secrets.ts), as the environment says it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSecrets } from '../../../src/cli/settings/secret-settings.ts';
import type { Problem } from '../../../src/core/errors.ts';
import { TENANT_NAME } from '../../../src/resources/tenants.ts';
import { readVariable, tenantInVariable, variableFor } from '../../../src/tasks/installation-secrets.ts';

function read(env: Readonly<Record<string, string>>) {
  const problems: Problem[] = [];
  const secrets = readSecrets(env, problems);
  return { secrets, problems: problems.map(({ message }) => message) };
}
const tenants = fc.stringMatching(TENANT_NAME.pattern);
const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);

describe('a secret', () => {
  const { secrets, problems } = read({
    DAGWRIGHT_SECRET_SHOP: 'of-default',
    DAGWRIGHT_SECRET_MAIL: 'of-all',
    DAGWRIGHT_SECRET_ACME__SHOP: 'of-acme',
    DAGWRIGHT_SECRET_ACME__MAIL: 'of-acme-too',
    DAGWRIGHT_SECRET_ACME_EU__SHOP: 'of-acme-eu',
    DAGWRIGHT_SECRET_A__B__SHOP: 'of-a--b',
    DAGWRIGHT_SECRET_DEFAULT__OWN: 'of-default-by-name',
    DAGWRIGHT_SECRET_low__er: 'a-name-of-default',
    DAGWRIGHT_SHARED_SECRETS: ' MAIL ,',
  });
  const find = async (tenant: string, name: string) => (await secrets.read(tenant, name))?.value ?? null;
  const findAll = (list: readonly string[], name: string) =>
    Promise.all(list.map((tenant) => find(tenant, name)));

  test('is that of one tenant, or of all where it is shared; its own goes before', async () => {
    expect(problems).toEqual([]);
    expect(await findAll(['default', 'acme', 'acme-eu', 'a--b', 'globex'], 'SHOP')).toEqual([
      'of-default',
      'of-acme',
      'of-acme-eu',
      'of-a--b',
      null,
    ]);
    expect(await findAll(['default', 'acme', 'globex'], 'MAIL')).toEqual(['of-all', 'of-acme-too', 'of-all']);
    expect([await find('default', 'OWN'), await find('default', 'low__er')]).toEqual([
      'of-default-by-name',
      'a-name-of-default',
    ]);
    expect(secrets.values).toHaveLength(8);
  });

  test.each([
    ['default', 'ACME__SHOP'],
    ['acme', 'EU__SHOP'],
    ['a', 'B__SHOP'],
    ['a-', 'SHOP'],
    ['ACME', 'SHOP'],
    ['acme_eu', 'SHOP'],
    ['', 'SHOP'],
    ['globex', 'low__er'],
    ['acme', 'constructor'],
  ])('is not reached by a name that only looks like it: %s, %s', async (tenant, name) => {
    expect(await find(tenant, name)).toBeNull();
  });

  test('of one tenant is never that of another, whatever their names', async () => {
    await fc.assert(
      fc.asyncProperty(tenants, tenants, names, names, async (a, b, name, other) => {
        fc.pre(a !== b);
        expect(tenantInVariable(a)).not.toBe(tenantInVariable(b));
        const own = read({ [variableFor(a, name)]: 'its value' }).secrets.all;
        // A name with two underscores may be another tenant's: then it is that one's only.
        const owner = readVariable(variableFor(a, name))!;
        const isOwn = (tenant: string) =>
          owner.tenant === null ? tenant === 'default' : owner.tenant === tenantInVariable(tenant);
        const { secrets: given } = read({ [variableFor(a, name)]: 'its value' });
        expect(own).toHaveLength(1);
        for (const asked of [name, other]) if (!isOwn(b)) expect(await given.read(b, asked)).toBeNull();
      }),
    );
  });
});

describe('settings of secrets', () => {
  test('a list of hosts beside a secret binds it; what is no list, and what binds nothing, is refused', async () => {
    const { secrets, problems } = read({
      DAGWRIGHT_SECRET_SHOP: 'the-value',
      DAGWRIGHT_SECRET_SHOP_HOSTS: 'api.shop.example, *.eu.example:8443, 10.1.0.0/16',
      DAGWRIGHT_SECRET_ACME__SHOP: 'the-other',
      DAGWRIGHT_SECRET_ACME__SHOP_HOSTS: 'acme.example',
      DAGWRIGHT_SECRET_ACME__HOSTS: 'a-secret-that-is-called-HOSTS',
    });
    expect(problems).toEqual([]);
    const bound = {
      default: (await secrets.read('default', 'SHOP'))!.boundTo!,
      acme: (await secrets.read('acme', 'SHOP'))!.boundTo!,
    };
    const goes = (tenant: keyof typeof bound, url: string) => bound[tenant].names(new URL(url));
    expect(
      [
        'https://api.shop.example/x',
        'http://API.shop.example.:8080',
        'https://a.eu.example:8443',
        'http://10.1.2.3/',
      ].map((url) => goes('default', url)),
    ).toEqual([true, true, true, true]);
    expect(
      [
        'https://shop.example',
        'https://api.shop.example.evil.example',
        'https://a.eu.example',
        'http://10.2.0.1',
        'https://acme.example',
      ].map((url) => goes('default', url)),
    ).toEqual([false, false, false, false, false]);
    expect(goes('acme', 'https://acme.example')).toBe(true);
    expect((await secrets.read('acme', 'HOSTS'))?.value).toBe('a-secret-that-is-called-HOSTS');
    const wrong = read({
      DAGWRIGHT_SECRET_SHOP: 'canary-canary',
      DAGWRIGHT_SECRET_SHOP_HOSTS: 'https://shop.example',
      DAGWRIGHT_SECRET_MAIL_HOSTS: 'mail.example',
      DAGWRIGHT_SHARED_SECRETS: 'SHOP,SHPO,ACME__SHOP',
    });
    expect(wrong.problems).toEqual([
      expect.stringContaining('DAGWRIGHT_SECRET_SHOP_HOSTS: "https://shop.example" has a scheme'),
      expect.stringContaining('DAGWRIGHT_SECRET_MAIL_HOSTS binds DAGWRIGHT_SECRET_MAIL, which is not set'),
      expect.stringContaining('names "SHPO"'),
      expect.stringContaining('names "ACME__SHOP"'),
    ]);
    expect(wrong.problems.join()).not.toContain('canary');
    // Until it is mended it goes nowhere.
    const { boundTo } = (await wrong.secrets.read('default', 'SHOP'))!;
    expect(boundTo!.names(new URL('https://shop.example'))).toBe(false);
  });
});
