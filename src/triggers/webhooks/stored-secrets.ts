// The secrets of a webhook as they are kept: sealed for it alone, several during a rotation, and opened to verify.

import type { TaskLog } from '../../core/log-lines.ts';
import { referencedSecret } from '../../core/trigger/webhook.ts';
import type { StoredSecret } from '../../db/resources/webhook-secrets.ts';
import type { WebhookRow } from '../../db/resources/webhooks.ts';
import { type SecretStore, variableFor } from '../../tasks/installation-secrets.ts';
import { type SecretBox, SecretBoxError } from '../secrets/secret-box.ts';

/** What secrets are sealed with, and where `{{ secrets.NAME }}` comes from. */
export interface SecretSource {
  readonly secretBox: SecretBox;
  readonly secrets: SecretStore;
}

/** A webhook, as far as its secrets are concerned. */
export type SecretOwner = Pick<WebhookRow, 'id' | 'tenantId'>;

/** The value that a secret stands for: itself, or what it names; null where the tenant has nothing of that name. */
export async function resolveSecret(
  text: string,
  tenantName: string,
  { secrets }: Pick<SecretSource, 'secrets'>,
): Promise<string | null> {
  const name = referencedSecret(text);
  if (name === null) return text;
  return (await secrets.read(tenantName, name))?.value ?? null;
}

export function sealSecret(
  text: string,
  owner: SecretOwner,
  { secretBox }: SecretSource,
  nowMs: number,
): StoredSecret {
  return {
    sealed: secretBox.seal(text, contextOf(owner)),
    createdAt: new Date(nowMs).toISOString(),
    expiresAt: null,
  };
}

/** What was sealed for this webhook: the secret, or the name of one. Throws {@link SecretBoxError}. */
export function openSecret(sealed: string, owner: SecretOwner, { secretBox }: SecretSource): string {
  return secretBox.open(sealed, contextOf(owner));
}

export function sealVerifyToken(text: string, owner: SecretOwner, { secretBox }: SecretSource): string {
  return secretBox.seal(text, tokenContextOf(owner));
}

/** Throws {@link SecretBoxError}. */
export function openVerifyToken(sealed: string, owner: SecretOwner, { secretBox }: SecretSource): string {
  return secretBox.open(sealed, tokenContextOf(owner));
}

/** Those that still count. */
export function currentSecrets(stored: readonly StoredSecret[], nowMs: number): StoredSecret[] {
  return stored.filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > nowMs);
}

/** The values that a delivery may be signed with, newest first. One that cannot be opened or read is left out, and logged. */
export async function openSecrets(
  webhook: SecretOwner & Pick<WebhookRow, 'secrets' | 'tenantName'>,
  source: SecretSource,
  nowMs: number,
  log: TaskLog,
): Promise<string[]> {
  const values = await Promise.all(
    currentSecrets(webhook.secrets, nowMs).map(async ({ sealed }) => {
      try {
        const text = openSecret(sealed, webhook, source);
        const value = await resolveSecret(text, webhook.tenantName, source);
        if (value === null) logUnset(log, text, webhook);
        return value;
      } catch (error) {
        const what = error instanceof SecretBoxError ? 'opened' : 'read';
        const reason = error instanceof Error ? error.message : String(error);
        log.error(`a secret of a webhook cannot be ${what}`, { webhookId: webhook.id, reason });
        return null;
      }
    }),
  );
  return values.filter((value) => value !== null);
}

/** Says which variable is missing: the name of a secret is none. */
export function logUnset(
  log: TaskLog,
  text: string,
  { id, tenantName }: Pick<WebhookRow, 'id' | 'tenantName'>,
): void {
  const variable = variableFor(tenantName, referencedSecret(text) ?? '');
  log.error('a webhook names a secret that is not set', {
    webhookId: id,
    reason: `${variable} is not set in this process: set it where the service runs, and restart it`,
  });
}

function contextOf({ tenantId, id }: SecretOwner): readonly string[] {
  return ['webhook', tenantId, id];
}

function tokenContextOf(owner: SecretOwner): readonly string[] {
  return [...contextOf(owner), 'verify_token'];
}
