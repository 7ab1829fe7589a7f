// Webhooks of definitions: brought in step with their triggers, matched by path. See sync-triggers.ts.
import type pg from 'pg';
import type { WebhookTrigger } from '../../core/definition/trigger-model.ts';
import type { Problem } from '../../core/errors.ts';
import { BuildBudget, withBuildBudget } from '../../core/expression/build-budget.ts';
import { referencedSecret } from '../../core/trigger/webhook.ts';
import type { Acting } from '../../db/connection/connection.ts';
import { type FileWebhookRow, lockFileWebhooks } from '../../db/resources/file-triggers.ts';
import { removeWebhook } from '../../db/resources/webhooks.ts';
import { InstallationSecrets } from '../../tasks/installation-secrets.ts';
import type { SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import { secretProblems } from '../webhooks/secrets.ts';
import { readSettings } from '../webhooks/settings.ts';
import { urlOfWebhook } from '../webhooks/view.ts';
import type { WebhookHost } from '../webhooks/webhooks.ts';
import { addWebhook, type GivenWebhook } from '../webhooks/write-webhook.ts';
import { keepWebhook } from './keep-webhook.ts';
import { below, type TriggerPlace } from './trigger-place.ts';

/** The webhooks that a definition wants. */
export interface WebhooksOf {
  readonly workflowId: string;
  readonly webhooks: readonly TriggerPlace<WebhookTrigger>[];
}

/** A webhook that a definition has. */
export interface FileWebhook {
  readonly id: string;
  /** As it follows /hooks/. */
  readonly path: string;
  readonly url: string;
  /** Only where it has just been made up. */
  readonly secret?: string;
}

/** One that has left its definition; `path` as it follows /hooks/. */
export type RemovedWebhook = Pick<FileWebhookRow, 'id' | 'workflowId' | 'path'>;

/** The webhooks that may be kept or taken back, by path without the tenant's name. */
type StandingWebhooks = Map<string, FileWebhookRow>;

const NO_SECRETS = { secrets: new InstallationSecrets() };

interface TenantOf {
  readonly tenantId: string;
  readonly tenantName: string;
}

/**
 * What is wrong with webhook triggers by themselves; changes nothing. Without `source` references to the service's secrets
 * are not looked up.
 */
export async function webhookProblems(
  workflowId: string,
  places: readonly TriggerPlace<WebhookTrigger>[],
  tenantName: string,
  source?: Pick<SecretSource, 'secrets'>,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  if (source !== undefined) await readReferences(places, tenantName, source);
  const budget = new BuildBudget();
  for (const { pointer, trigger } of places) {
    const read = withBuildBudget(budget, () => readSettings(givenOf(workflowId, trigger), tenantName));
    const secret = trigger.secret?.trim();
    if (!read.ok) problems.push(...below(pointer, read.problems));
    else if (secret !== undefined && (source !== undefined || referencedSecret(secret) === null)) {
      const ofSecret = await secretProblems(secret, tenantName, read.value, source ?? NO_SECRETS);
      problems.push(...below(pointer, ofSecret));
    }
  }
  return problems;
}

// All that are named before the first is judged, so that who reads them ahead of a transaction comes back once (secrets-ahead.ts).
async function readReferences(
  places: readonly TriggerPlace<WebhookTrigger>[],
  tenantName: string,
  { secrets }: Pick<SecretSource, 'secrets'>,
): Promise<void> {
  const names = places.map(({ trigger }) => referencedSecret(trigger.secret?.trim() ?? ''));
  await Promise.all(names.map((name) => name !== null && secrets.read(tenantName, name)));
}

/** Locks what these definitions have and what is removed at the paths that they want, and removes what they do not want any more. */
export async function detachWebhooks(
  client: pg.ClientBase,
  { tenantId, tenantName }: TenantOf,
  wanted: readonly WebhooksOf[],
): Promise<{ readonly standing: StandingWebhooks; readonly removed: readonly RemovedWebhook[] }> {
  const pathsOf = new Map(
    wanted.map((one) => [one.workflowId, readTriggers(one, tenantName).map(({ path }) => path)]),
  );
  const rows = await lockFileWebhooks(client, tenantId, {
    workflowIds: [...pathsOf.keys()],
    paths: [...pathsOf.values()].flat(),
  });
  const standing = new Map(rows.map((row) => [row.path, row]));
  const removed: RemovedWebhook[] = [];
  for (const row of rows) {
    const { id, workflowId, path, isRemoved } = row;
    if (isRemoved || pathsOf.get(workflowId)!.includes(path)) continue;
    await removeWebhook(client, tenantId, id);
    standing.set(path, { ...row, isRemoved: true });
    removed.push({ id, workflowId, path: `${tenantName}/${path}` });
  }
  return { standing, removed };
}

/** Makes, changes and takes back what a definition wants; problems where something stands in the way. */
export async function attachWebhooks(
  client: pg.ClientBase,
  { tenantId, actor, tenantName }: TenantOf & Pick<Acting, 'actor'>,
  one: WebhooksOf,
  { standing, host }: { readonly standing: StandingWebhooks; readonly host: WebhookHost },
): Promise<{ readonly webhooks: readonly FileWebhook[]; readonly problems: readonly Problem[] }> {
  const { workflowId } = one;
  const wanted = readTriggers(one, tenantName);
  const problems = await webhookProblems(workflowId, one.webhooks, tenantName, host);
  if (problems.length === 0) problems.push(...doubledPaths(wanted));
  if (problems.length > 0) return { webhooks: [], problems };
  const webhooks: FileWebhook[] = [];
  for (const { pointer, given, path } of wanted) {
    const before = standing.get(path);
    // What another has, or took back just now, is refused as taken.
    const isFree = before !== undefined && (before.isRemoved || before.workflowId === workflowId);
    const result = isFree
      ? await keepWebhook(client, { tenantId, before, given }, host)
      : await addWebhook(client, { tenantId, actor }, given, host, { fromDefinition: true });
    if (isFree) standing.set(path, { ...before, workflowId, isRemoved: false });
    if (!result.ok) problems.push(...below(pointer, result.problems));
    else {
      const { webhook, secret } = result.value;
      const fullPath = `${tenantName}/${webhook.path}`;
      const url = urlOfWebhook(host.publicUrl, fullPath);
      webhooks.push({ id: webhook.id, path: fullPath, url, ...(secret === null ? {} : { secret }) });
    }
  }
  return { webhooks, problems };
}

interface ReadTrigger {
  readonly pointer: string;
  readonly given: GivenWebhook;
  /** Without the tenant's name, if it can be read. */
  readonly path: string;
}

function readTriggers({ workflowId, webhooks }: WebhooksOf, tenantName: string): ReadTrigger[] {
  return webhooks.map(({ pointer, trigger }) => {
    const given = givenOf(workflowId, trigger);
    const read = readSettings(given, tenantName);
    return { pointer, given, path: read.ok ? read.value.path : trigger.path };
  });
}

function doubledPaths(wanted: readonly ReadTrigger[]): Problem[] {
  return wanted
    .filter(({ path }, i) => wanted.findIndex((one) => one.path === path) < i)
    .map(({ pointer, path }) => ({
      pointer: `${pointer}/path`,
      code: 'duplicate_trigger',
      message: `the definition has another webhook at ${JSON.stringify(path)}`,
    }));
}

// Every field, also the absent ones: what a file does not name is as it is without.
function givenOf(workflowId: string, trigger: WebhookTrigger): GivenWebhook {
  const { path, authType, verifier, options, methods, handshakes, respond } = trigger;
  const { inputMapping, filters, priority, secret } = trigger;
  return {
    workflowId,
    path,
    authType,
    verifier,
    options,
    methods: methods as GivenWebhook['methods'],
    handshakes: handshakes as GivenWebhook['handshakes'],
    respond,
    inputMapping,
    filters: filters as GivenWebhook['filters'],
    priority,
    secret,
  };
}
