// A webhook that a definition has, or takes back after it was removed: as the file says it, and the rest as it was.

import { isDeepStrictEqual } from 'node:util';
import type { Queryable } from '../../db/connection/connection.ts';
import type { FileWebhookRow } from '../../db/resources/file-triggers.ts';
import {
  filtersText,
  findWebhook,
  returnWebhook,
  type WebhookRow,
  type WebhookSettings,
} from '../../db/resources/webhooks.ts';
import { SecretBoxError } from '../../triggers/secrets/secret-box.ts';
import { newSecret } from '../../triggers/webhooks/secret-rule.ts';
import { readSettings } from '../../triggers/webhooks/settings.ts';
import { openSecret, type SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import { changeWebhook, type createWebhook, type GivenWebhook, lacksSecret } from '../webhooks/manage.ts';

/**
 * Changes what differs of a webhook that the caller has locked. A secret is made up, as for a new one, where one that comes back has
 * none that fits what is asked of senders now.
 */
export async function keepWebhook(
  client: Queryable,
  source: SecretSource,
  {
    tenantId,
    before: { id, isRemoved },
    given,
  }: { readonly tenantId: string; readonly before: FileWebhookRow; readonly given: GivenWebhook },
): ReturnType<typeof createWebhook> {
  if (isRemoved) await returnWebhook(client, tenantId, id);
  const before = (await findWebhook(client, tenantId, id))!;
  const { secret: wantedSecret, ...named } = given;
  const settings = { ...named, status: before.status };
  const read = readSettings(settings, before.tenantName);
  if (!read.ok) return read;
  // Whether one that cannot be opened is the wanted one, or fits, is not known; replacing it would store the new one in clear text, or
  // under a key that the service does not have.
  const isLacking = lacksSecret(source, before, read.value, Date.now());
  if ((wantedSecret !== undefined || isLacking) && !opens(before, source)) return SEALED;
  const isKept = wantedSecret === undefined || isCurrent(wantedSecret, before, source);
  const made =
    isRemoved && wantedSecret === undefined && isLacking
      ? newSecret(read.value.verifier, read.value.authType)
      : null;
  if (isKept && made === null && isSameSettings(read.value, settingsOf(before)))
    return { ok: true, value: { webhook: before, secret: null } };
  const changed = await changeWebhook(client, source, before, {
    ...settings,
    secret: made ?? (isKept ? undefined : wantedSecret),
    previousSecretExpiresInSeconds: made === null ? undefined : 0,
  });
  return changed.ok ? { ok: true, value: { webhook: changed.value, secret: made } } : changed;
}

function isSameSettings(wanted: WebhookSettings, before: WebhookSettings): boolean {
  const { filters, ...rest } = wanted;
  const { filters: filtersBefore, ...restBefore } = before;
  return isDeepStrictEqual(rest, restBefore) && filtersText(filters) === filtersText(filtersBefore);
}

// The newest one stands first.
function isCurrent(secret: string, before: WebhookRow, source: SecretSource): boolean {
  const [newest] = before.secrets;
  return newest !== undefined && openSecret(newest.sealed, before, source) === secret;
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

const SEALED = {
  ok: false,
  problems: [
    {
      pointer: '/secret',
      code: 'sealed',
      message: 'the stored secret of the webhook cannot be opened here',
      hint: 'set DAGWRIGHT_ENCRYPTION_KEY as the service has it; if that key is lost: dagwright webhooks update ID --new-secret',
    },
  ],
} as const;

function settingsOf(row: WebhookRow): WebhookSettings {
  const { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status } = row;
  return { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status };
}
