// The check of secrets: those at rest are sealed, and under keys that this installation has; those of the environment are of
// tenants that there are.
import type pg from 'pg';
import { readSealingKeys, readUnknownTenants } from '../../db/operations/doctor-secrets.ts';
import { type InstallationSecret, variableOf } from '../../tasks/installation-secrets.ts';
import { createSecretBox } from '../../triggers/secrets/secret-box.ts';
import type { Config } from '../settings/config.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

export function secretsCheck(client: pg.Client, config: Config): Check {
  return { name: 'secrets', look: () => checkSecrets(client, config) };
}

async function checkSecrets(client: pg.Client, { http, outside }: Config): Promise<Finding> {
  const { keyIds } = createSecretBox(http.encryptionKeys);
  const found = await readSealingKeys(client);
  const count = (matches: (keyId: string | null) => boolean) =>
    found.filter(({ keyId }) => matches(keyId)).reduce((sum, { webhooks }) => sum + webhooks, 0);
  const lost = count((keyId) => keyId !== null && !keyIds.includes(keyId));
  if (lost > 0)
    return fail(
      `${lost} webhook(s) with a secret under a key that DAGWRIGHT_ENCRYPTION_KEY does not have here: what is signed with it is refused`,
      'set it as where the service runs; after a change of keys: DAGWRIGHT_ENCRYPTION_KEY=NEW,OLD',
    );
  const inEnvironment = outside.secrets?.all ?? [];
  const unknown = await readUnknownTenants(client, [
    ...new Set(inEnvironment.flatMap(({ tenant }) => tenant ?? [])),
  ]);
  const idle = inEnvironment.filter(({ tenant }) => tenant !== null && unknown.includes(tenant));
  if (idle.length > 0)
    return warn(
      `${idle.map(variableOf).join(', ')}: there is no such tenant`,
      'DAGWRIGHT_SECRET_<TENANT>__<NAME>: the name of a tenant in upper case, "_" for "-"; see dagwright tenants list',
    );
  const plain = count((keyId) => keyId === null);
  if (plain > 0)
    return warn(
      `${plain} webhook(s) with a secret that is stored as it is`,
      keyIds.length === 0
        ? 'DAGWRIGHT_ENCRYPTION_KEY=$(openssl rand -base64 32) protects new ones at rest; then: dagwright webhooks update ID --secret …'
        : 'dagwright webhooks update ID --secret … seals it',
    );
  const sealed = count(() => true);
  const stored = sealed === 0 ? 'none are kept' : `of ${sealed} webhook(s), sealed`;
  return ok([stored, ...scopes(inEnvironment)].join('; '));
}

/** Whose those of the environment are; nothing where all are the default tenant's. */
function scopes(secrets: readonly InstallationSecret[]): string[] {
  const count = (what: string, matches: (secret: InstallationSecret) => boolean): string[] => {
    const n = secrets.filter(matches).length;
    return n === 0 ? [] : [`${n} ${what}`];
  };
  const told = [
    ...count('of single tenants', ({ tenant }) => tenant !== null),
    ...count('shared by all tenants', ({ isShared }) => isShared),
    ...count('shared and bound to no host', ({ isShared, boundTo }) => isShared && boundTo === null),
  ];
  return told.length === 0 ? [] : [`of ${secrets.length} in the environment ${told.join(', ')}`];
}
