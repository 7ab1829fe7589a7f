// A webhook that a definition has, or takes back after it was removed: as the file says it, and the rest as it was.

import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { withoutToken, writtenToken } from '../../core/trigger/verify-token.ts';
import type { FileWebhookRow } from '../../db/resources/file-triggers.ts';
import {
  findWebhook,
  returnWebhook,
  type WebhookRow,
  type WebhookSettings,
} from '../../db/resources/webhooks.ts';
import { SecretBoxError } from '../../triggers/secrets/secret-box.ts';
import { openSecret, openVerifyToken, type SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';
import { done, invalid, type Outcome } from '../outcome.ts';
import { newSecret } from '../webhooks/secret-rule.ts';
import { lacksSecret } from '../webhooks/secrets.ts';
import { readSettings } from '../webhooks/settings.ts';
import {
  type GivenWebhook,
  isSameFilters,
  type NewWebhook,
  settingsOf,
  updateWebhook,
} from '../webhooks/write-webhook.ts';

/**
 * Changes what differs of a webhook that the caller has locked. A secret is made up, as for a new one, where one that comes back has
 * none that fits what is asked of senders now.
 */
export async function keepWebhook(
  client: pg.ClientBase,
  {
    tenantId,
    before: { id, isRemoved },
    given,
  }: { readonly tenantId: string; readonly before: FileWebhookRow; readonly given: GivenWebhook },
  source: SecretSource,
): Promise<Outcome<NewWebhook>> {
  if (isRemoved) await returnWebhook(client, tenantId, id);
  const before = (await findWebhook(client, tenantId, id))!;
  const { secret, ...named } = given;
  const wantedSecret = secret?.trim();
  const settings = { ...named, status: before.status };
  const read = readSettings(settings, before.tenantName);
  if (!read.ok) return invalid(read.problems);
  // Whether one that cannot be opened is the wanted one, or fits, is not known; replacing it would store the new one in clear text, or
  // under a key that the service does not have.
  const isLacking = await lacksSecret(source, before, read.value, Date.now());
  if ((wantedSecret !== undefined || isLacking) && !opens(before, source)) return SEALED;
  const token = writtenToken(read.value.handshakes);
  const isTokenKept = token === null || isCurrentToken(token, before, source);
  if (isTokenKept === null) return TOKEN_SEALED;
  const isKept = wantedSecret === undefined || isCurrent(wantedSecret, before, source);
  const made =
    isRemoved && wantedSecret === undefined && isLacking
      ? newSecret(read.value.verifier, read.value.authType, read.value.options as VerificationOptions)
      : null;
  if (isKept && isTokenKept && made === null && isSameSettings(read.value, settingsOf(before)))
    return done({ webhook: before, secret: null });
  const change = {
    ...settings,
    secret: made ?? (isKept ? undefined : wantedSecret),
    previousSecretExpiresInSeconds: made === null ? undefined : 0,
  };
  const changed = await updateWebhook(client, before, change, source);
  return changed.ok ? done({ webhook: changed.value, secret: made }) : changed;
}

function isSameSettings(wanted: WebhookSettings, before: WebhookSettings): boolean {
  const { filters, handshakes, ...rest } = wanted;
  const { filters: filtersBefore, handshakes: handshakesBefore, ...restBefore } = before;
  return (
    isDeepStrictEqual(rest, restBefore) &&
    isDeepStrictEqual(withoutToken(handshakes ?? []), handshakesBefore ?? []) &&
    isSameFilters(filters, filtersBefore)
  );
}

// The newest one stands first.
function isCurrent(secret: string, before: WebhookRow, source: SecretSource): boolean {
  const [newest] = before.secrets;
  return newest !== undefined && openSecret(newest.sealed, before, source) === secret;
}

/** Null: the one that it has cannot be opened here. */
function isCurrentToken(token: string, before: WebhookRow, source: SecretSource): boolean | null {
  if (before.verifyToken === null) return false;
  try {
    return openVerifyToken(before.verifyToken, before, source) === token;
  } catch (error) {
    if (error instanceof SecretBoxError) return null;
    throw error;
  }
}

function opens(before: WebhookRow, source: SecretSource): boolean {
  const [newest] = before.secrets;
  if (newest === undefined) return true;
  try {
    openSecret(newest.sealed, before, source);
    return true;
  } catch (error) {
    if (error instanceof SecretBoxError) return false;
    throw error;
  }
}

const SEALED = invalid([
  {
    pointer: '/secret',
    code: 'sealed',
    message: 'the stored secret of the webhook cannot be opened here',
    hint: 'set DAGWRIGHT_ENCRYPTION_KEY as the service has it; if that key is lost: dagwright webhooks update ID --new-secret',
  },
]);

const TOKEN_SEALED = invalid([
  {
    pointer: '/handshakes',
    code: 'sealed',
    message: 'the stored verify token of the webhook cannot be opened here',
    hint: 'set DAGWRIGHT_ENCRYPTION_KEY as the service has it; if that key is lost, name the token: {{ secrets.NAME }}',
  },
]);
