// Webhooks of a definition: brought in step with its triggers, matched by path.
import { isDeepStrictEqual } from 'node:util';
import { secretReference, type WebhookTrigger } from '../core/definition/trigger-model.ts';
import type { Problem } from '../core/errors.ts';
import type { Acting } from '../db/connection.ts';
import { lockFileWebhooks } from '../db/file-triggers.ts';
import type { Queryable } from '../db/transitions.ts';
import {
  deleteWebhook,
  filtersText,
  findTenantName,
  findWebhook,
  type WebhookRow,
  type WebhookSettings,
} from '../db/webhooks.ts';
import { below, type Placed } from './placed.ts';
import { SecretBoxError } from './secret-box.ts';
import { changeWebhook, createWebhook, type GivenWebhook } from './webhooks/manage.ts';
import { readSettings } from './webhooks/settings.ts';
import { openSecret, type SecretSource, secretProblems } from './webhooks/stored-secrets.ts';

/** A webhook that a definition has. */
export interface FileWebhook {
  readonly id: string;
  /** As it follows /hooks/. */
  readonly path: string;
  /** Only where it has just been made up. */
  readonly secret: string | null;
}

/**
 * What is wrong with webhook triggers by themselves; changes nothing. Without `source` references to the service's secrets
 * are not looked up.
 */
export function webhookProblems(
  workflowId: string,
  placed: readonly Placed<WebhookTrigger>[],
  tenantName: string,
  source?: Pick<SecretSource, 'secrets'>,
): Problem[] {
  return placed.flatMap(({ pointer, trigger }) => {
    const read = readSettings(givenOf(workflowId, trigger), tenantName);
    if (!read.ok) return below(pointer, read.problems);
    const { secret } = trigger;
    const isKnown = secret !== undefined && (source !== undefined || secretReference(secret) === null);
    return isKnown
      ? below(pointer, secretProblems(secret.trim(), read.value, source ?? { secrets: {} }))
      : [];
  });
}

/** Creates, changes and removes; problems where something stands in the way, of which the transaction must then be none. */
export async function syncWebhooks(
  client: Queryable,
  source: SecretSource,
  acting: Pick<Acting, 'tenantId' | 'actor'>,
  workflowId: string,
  placed: readonly Placed<WebhookTrigger>[],
): Promise<{ readonly webhooks: readonly FileWebhook[]; readonly problems: readonly Problem[] }> {
  const { tenantId } = acting;
  const existing = await lockFileWebhooks(client, tenantId, workflowId);
  if (existing.size === 0 && placed.length === 0) return { webhooks: [], problems: [] };
  const tenantName = await findTenantName(client, tenantId);
  const problems = webhookProblems(workflowId, placed, tenantName, source);
  if (problems.length > 0) return { webhooks: [], problems };
  const wanted = placed.map(({ pointer, trigger }) => {
    const given = givenOf(workflowId, trigger);
    const read = readSettings(given, tenantName);
    return { pointer, given, path: read.ok ? read.value.path : trigger.path };
  });
  const doubled = wanted.filter(({ path }, i) => wanted.findIndex((one) => one.path === path) < i);
  if (doubled.length > 0)
    return {
      webhooks: [],
      problems: doubled.map(({ pointer, path }) => ({
        pointer: `${pointer}/path`,
        code: 'duplicate_trigger',
        message: `the definition has another webhook at ${JSON.stringify(path)}`,
      })),
    };
  // What is gone goes first: its path may be another's now.
  for (const [path, id] of existing)
    if (!wanted.some((one) => one.path === path)) await deleteWebhook(client, tenantId, id);
  const webhooks: FileWebhook[] = [];
  for (const { pointer, given, path } of wanted) {
    const id = existing.get(path);
    const before = id === undefined ? null : await findWebhook(client, tenantId, id);
    const result =
      before === null
        ? await createWebhook(client, source, acting, given, { fromDefinition: true })
        : await changeWhereDifferent(client, source, before, given);
    if (!result.ok) problems.push(...below(pointer, result.problems));
    else {
      const { webhook, secret } = result.value;
      webhooks.push({ id: webhook.id, path: `${tenantName}/${webhook.path}`, secret });
    }
  }
  return { webhooks, problems };
}

async function changeWhereDifferent(
  client: Queryable,
  source: SecretSource,
  before: WebhookRow,
  given: GivenWebhook,
): ReturnType<typeof createWebhook> {
  const { secret: wantedSecret, ...settings } = given;
  const secret =
    wantedSecret === undefined || isCurrent(wantedSecret, before, source) ? undefined : wantedSecret;
  const { status } = before;
  const read = readSettings({ ...settings, status }, before.tenantName);
  const isSame = read.ok && secret === undefined && isSameSettings(read.value, settingsOf(before));
  if (isSame) return { ok: true, value: { webhook: before, secret: null } };
  const changed = await changeWebhook(client, source, before, { ...settings, status, secret });
  return changed.ok ? { ok: true, value: { webhook: changed.value, secret: null } } : changed;
}

function isSameSettings(wanted: WebhookSettings, before: WebhookSettings): boolean {
  const { filters, ...rest } = wanted;
  const { filters: filtersBefore, ...restBefore } = before;
  return isDeepStrictEqual(rest, restBefore) && filtersText(filters) === filtersText(filtersBefore);
}

// The newest one stands first.
function isCurrent(secret: string, before: WebhookRow, source: SecretSource): boolean {
  const [newest] = before.secrets;
  if (newest === undefined) return false;
  try {
    return openSecret(newest.sealed, before, source) === secret;
  } catch (error) {
    if (error instanceof SecretBoxError) return false;
    throw error;
  }
}

// Every field, also the absent ones: what a file does not name is as it is without.
function givenOf(workflowId: string, trigger: WebhookTrigger): GivenWebhook {
  const { path, authType, verifier, options, inputMapping, filters, priority, secret } = trigger;
  return {
    workflowId,
    path,
    authType,
    verifier,
    options,
    inputMapping,
    filters: filters as GivenWebhook['filters'],
    priority,
    secret: secret?.trim(),
  };
}

function settingsOf(row: WebhookRow): WebhookSettings {
  const { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status } = row;
  return { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status };
}
