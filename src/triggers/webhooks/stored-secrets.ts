// The secrets of a webhook as they are kept: sealed for it alone, several during a rotation, and opened to verify.

import type { Problem, Result } from '../../core/errors.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { StoredSecret, WebhookRow } from '../../db/resources/webhooks.ts';
import { type SecretBox, SecretBoxError } from '../secrets/secret-box.ts';
import { checkSecret } from './secret-rule.ts';
import type { AuthType, Verifier } from './verification-rule.ts';

/** What secrets are sealed with, and where `{{ secrets.NAME }}` comes from (DAGWRIGHT_SECRET_NAME). */
export interface SecretSource {
  readonly secretBox: SecretBox;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A webhook, as far as its secrets are concerned. */
export type SecretOwner = Pick<WebhookRow, 'id' | 'tenantId'>;

export const DEFAULT_OVERLAP_SECONDS = 86_400;
const MAX_SECRETS = 10;
const REFERENCE = /^\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$/;

/** The NAME of `{{ secrets.NAME }}`; null where the text is the secret itself. */
export function referencedSecret(text: string): string | null {
  return REFERENCE.exec(text)?.[1] ?? null;
}

/** The value that a secret stands for: itself, or the setting that it names; null where there is no such setting. */
export function resolveSecret(text: string, { secrets }: Pick<SecretSource, 'secrets'>): string | null {
  const name = referencedSecret(text);
  if (name === null) return text;
  return Object.hasOwn(secrets, name) ? secrets[name]! : null;
}

/** What is wrong with a secret for its use, by the value that it stands for. Pointer `/secret`. */
export function secretProblems(
  text: string,
  use: { readonly verifier: Verifier | null; readonly authType: AuthType },
  source: Pick<SecretSource, 'secrets'>,
): Problem[] {
  const value = resolveSecret(text, source);
  if (value !== null) return checkSecret(use.verifier, use.authType, value);
  const name = referencedSecret(text);
  return [
    {
      pointer: '/secret',
      code: 'setting',
      message: `there is no DAGWRIGHT_SECRET_${name}`,
      hint: 'set it where the service runs, and start it again',
    },
  ];
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

/** Those that still count. */
export function currentSecrets(stored: readonly StoredSecret[], nowMs: number): StoredSecret[] {
  return stored.filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > nowMs);
}

/** Puts a new secret before the old ones, which go on for `overlapSeconds` at most. */
export function rotateSecrets(
  stored: readonly StoredSecret[],
  added: StoredSecret,
  { nowMs, overlapSeconds }: { readonly nowMs: number; readonly overlapSeconds: number },
): Result<StoredSecret[]> {
  const endMs = nowMs + overlapSeconds * 1000;
  const kept = overlapSeconds === 0 ? [] : currentSecrets(stored, nowMs);
  if (kept.length >= MAX_SECRETS)
    return {
      ok: false,
      problems: [
        {
          pointer: '/secret',
          code: 'too_many',
          message: `${kept.length} secrets are in use; the limit is ${MAX_SECRETS}`,
          hint: 'previousSecretExpiresInSeconds: 0 ends the others at once',
        },
      ],
    };
  const ending = kept.map((secret) => ({
    ...secret,
    expiresAt: new Date(Math.min(endMs, Date.parse(secret.expiresAt ?? '') || endMs)).toISOString(),
  }));
  return { ok: true, value: [added, ...ending] };
}

/** The values that a delivery may be signed with, newest first. One that cannot be opened is left out, and logged. */
export function openSecrets(
  webhook: SecretOwner & Pick<WebhookRow, 'secrets'>,
  source: SecretSource,
  nowMs: number,
  log: TaskLog,
): string[] {
  return currentSecrets(webhook.secrets, nowMs).flatMap(({ sealed }) => {
    try {
      const value = resolveSecret(openSecret(sealed, webhook, source), source);
      if (value === null) log.error('a webhook names a secret that is not set', { webhookId: webhook.id });
      return value === null ? [] : [value];
    } catch (error) {
      if (!(error instanceof SecretBoxError)) throw error;
      log.error('a secret of a webhook cannot be opened', { webhookId: webhook.id, reason: error.message });
      return [];
    }
  });
}

function contextOf({ tenantId, id }: SecretOwner): readonly string[] {
  return ['webhook', tenantId, id];
}
