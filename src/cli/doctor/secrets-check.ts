// The check of secrets at rest: sealed, and under keys that this installation has.
import type pg from 'pg';
import { readSealingKeys } from '../../db/operations/doctor-secrets.ts';
import { createSecretBox } from '../../triggers/secrets/secret-box.ts';
import type { Config } from '../settings/config.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

export function secretsCheck(client: pg.Client, config: Config): Check {
  return { name: 'secrets', look: () => checkSecrets(client, config) };
}

async function checkSecrets(client: pg.Client, { http }: Config): Promise<Finding> {
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
  const plain = count((keyId) => keyId === null);
  if (plain > 0)
    return warn(
      `${plain} webhook(s) with a secret that is stored as it is`,
      keyIds.length === 0
        ? 'DAGWRIGHT_ENCRYPTION_KEY=$(openssl rand -base64 32) protects new ones at rest; then: dagwright webhooks update ID --secret …'
        : 'dagwright webhooks update ID --secret … seals it',
    );
  const sealed = count(() => true);
  return ok(sealed === 0 ? 'none are kept' : `of ${sealed} webhook(s), sealed`);
}
