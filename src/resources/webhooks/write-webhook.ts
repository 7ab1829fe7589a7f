// Makes and changes webhooks, whoever wants it: an owner or a definition. `client` is in a transaction of the tenant's role.
//   W1  A webhook without a usable secret is never active by mistake: one is made where none is given, and a change that its
//       secrets do not fit is refused (secrets.ts).
//   W2  One made by hand takes the place of a removed one at its path.
//   W3  A verify token that is written out is sealed, and stands in no handshake that is stored.
import type pg from 'pg';
import type { Problem } from '../../core/errors.ts';
import { newId } from '../../core/id.ts';
import type { JsonObject } from '../../core/json.ts';
import { withoutToken, writtenToken } from '../../core/trigger/verify-token.ts';
import type { Acting } from '../../db/connection/connection.ts';
import { workflowExists } from '../../db/resources/definitions.ts';
import type { WebhookRow, WebhookSettings } from '../../db/resources/webhooks.ts';
import * as rows from '../../db/resources/webhooks.ts';
import {
  type SecretOwner,
  type SecretSource,
  sealSecret,
  sealVerifyToken,
} from '../../triggers/webhooks/stored-secrets.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';
import { done, invalid, type Outcome, type Refused, refused } from '../outcome.ts';
import { tokenProblems } from './answer-settings.ts';
import { isPublicKey, newSecret } from './secret-rule.ts';
import { changeSecrets, needsSecret, OVERLAP_SECONDS, secretProblems } from './secrets.ts';
import { type GivenSettings, readSettings } from './settings.ts';

export interface GivenWebhook extends GivenSettings {
  /** The secret, or `{{ secrets.NAME }}`; spaces around it are none of it. Absent: one is made. */
  readonly secret?: string | undefined;
}

export interface WebhookChange extends Partial<GivenWebhook> {
  /** How long the secrets before a new one still count. Default a day; 0: not at all. */
  readonly previousSecretExpiresInSeconds?: number | undefined;
}

export interface NewWebhook {
  readonly webhook: WebhookRow;
  /** The one that was made up, or null. */
  readonly secret: string | null;
}

/** Makes one. */
export async function addWebhook(
  client: pg.ClientBase,
  { tenantId, actor }: Pick<Acting, 'tenantId' | 'actor'>,
  given: GivenWebhook,
  source: SecretSource,
  { fromDefinition = false }: { readonly fromDefinition?: boolean } = {},
): Promise<Outcome<NewWebhook>> {
  const tenantName = await rows.findTenantName(client, tenantId);
  const read = readSettings(given, tenantName);
  const wanted = given.secret?.trim() ?? null;
  const problems = [
    ...(read.ok ? [] : read.problems),
    ...(read.ok && wanted !== null ? await secretProblems(wanted, tenantName, read.value, source) : []),
    ...(read.ok ? tokenProblems(read.value.handshakes, { hasOne: false }) : []),
  ];
  if (!read.ok || problems.length > 0) return invalid(problems);
  const settings = read.value;
  const options = settings.options as VerificationOptions;
  if (wanted === null && isPublicKey(settings.verifier, options)) return invalid([PUBLIC_KEY]);
  // Asana brings it.
  const isBrought = settings.handshakes?.some(({ type }) => type === 'asana') ?? false;
  const made =
    wanted === null && needsSecret(settings) && !isBrought
      ? newSecret(settings.verifier, settings.authType, options)
      : null;
  const secret = wanted ?? made;
  const owner = { id: newId(), tenantId };
  if (!(await workflowExists(client, tenantId, settings.workflowId))) return unknownWorkflow(settings);
  if (!fromDefinition) await rows.deleteRemovedWebhook(client, tenantId, settings.path);
  const webhook = await rows.insertWebhook(client, tenantId, {
    ...settings,
    ...sealToken(settings, owner, source, null),
    id: owner.id,
    secrets: secret === null ? [] : [sealSecret(secret, owner, source, Date.now())],
    fromDefinition,
    createdBy: actor,
  });
  return webhook === null ? pathTaken(settings) : done({ webhook, secret: made });
}

/** Changes what `change` names of a webhook that the caller has locked. */
export async function updateWebhook(
  client: pg.ClientBase,
  before: WebhookRow,
  change: WebhookChange,
  source: SecretSource,
): Promise<Outcome<WebhookRow>> {
  const {
    secret,
    previousSecretExpiresInSeconds: overlapSeconds = OVERLAP_SECONDS.default,
    ...named
  } = change;
  const { tenantId, tenantName } = before;
  const read = readSettings({ ...(settingsOf(before) as unknown as GivenSettings), ...named }, tenantName);
  if (!read.ok) return invalid(read.problems);
  const settings = read.value;
  const tokenBefore = ownToken(before, source);
  const lacking = tokenProblems(settings.handshakes, { hasOne: tokenBefore !== null });
  if (lacking.length > 0) return invalid(lacking);
  const nowMs = Date.now();
  const secrets = await changeSecrets(source, before, settings, {
    secret: secret?.trim(),
    overlapSeconds,
    nowMs,
  });
  if (!secrets.ok) return invalid(secrets.problems);
  const { workflowId, path } = settings;
  if (workflowId !== before.workflowId && !(await workflowExists(client, tenantId, workflowId)))
    return unknownWorkflow(settings);
  if (path !== before.path) await rows.deleteRemovedWebhook(client, tenantId, path);
  const webhook = await rows.updateWebhook(client, before, {
    ...settings,
    ...sealToken(settings, before, source, tokenBefore),
    secrets: secrets.value,
    hasOtherFilters: !isSameFilters(settings.filters, before.filters),
  });
  return webhook === null ? pathTaken(settings) : done(webhook);
}

/** W3. The handshakes as they are stored, and the token: a new one, or the one before, which a rollback may need again. */
function sealToken(
  { handshakes }: WebhookSettings,
  owner: SecretOwner,
  source: SecretSource,
  before: string | null,
): Pick<WebhookRow, 'handshakes' | 'verifyToken'> {
  const written = writtenToken(handshakes);
  return {
    handshakes: handshakes === null ? null : withoutToken(handshakes),
    verifyToken: written === null ? before : sealVerifyToken(written, owner, source),
  };
}

/** The sealed token of a webhook, also of one that was saved before tokens were sealed. */
function ownToken(webhook: WebhookRow, source: SecretSource): string | null {
  const written = writtenToken(webhook.handshakes);
  return written === null ? webhook.verifyToken : sealVerifyToken(written, webhook, source);
}

export function settingsOf(row: WebhookRow): WebhookSettings {
  const { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status } = row;
  const { methods, handshakes, respond } = row;
  return {
    ...{ workflowId, path, authType, verifier, options, methods, handshakes, respond },
    ...{ inputMapping, filters, priority, status },
  };
}

/** Whether filters mean the same: the database gives their members in another order, and groups as text. */
export function isSameFilters(a: readonly JsonObject[], b: readonly JsonObject[]): boolean {
  return filtersText(a) === filtersText(b);
}

function filtersText(filters: readonly JsonObject[]): string {
  return JSON.stringify(
    filters.map((filter) => [
      filter.fieldPath,
      filter.operator,
      ...(Object.hasOwn(filter, 'value') ? [filter.value] : []),
      String(filter.logicGroup ?? ''),
    ]),
  );
}

export const PUBLIC_KEY: Problem = {
  pointer: '/secret',
  code: 'required',
  message: "the sender signs with a key of its own: the secret is that key's public half",
  hint: "Discord: the application's Public Key, on its page General Information",
};

const pathTaken = ({ path }: WebhookSettings): Refused =>
  refused('path_taken', {
    pointer: '/path',
    code: 'path_taken',
    message: `another webhook is at ${JSON.stringify(path)}`,
  });

const unknownWorkflow = ({ workflowId }: WebhookSettings): Refused =>
  invalid([
    {
      pointer: '/workflowId',
      code: 'not_found',
      message: `there is no workflow ${JSON.stringify(workflowId)}`,
      hint: 'apply its definition first',
    },
  ]);
