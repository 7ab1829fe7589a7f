// Makes and changes webhooks, whoever asks: HTTP, the command line, a definition. `client` is in a transaction of the
// tenant's role.
//   M1  A webhook without a usable secret is never active by mistake: one is made where none is given, and a change
//       that its secrets do not fit is refused.
//   M2  A secret is in an answer once: in that of the creation that made it up.
//   M3  A webhook of a definition is changed by its definition; by hand only what no file says: status and secrets.
import type { Problem, Result } from '../../core/errors.ts';
import { newId } from '../../core/id.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Acting, Queryable } from '../../db/connection/connection.ts';
import {
  findTenantName,
  insertWebhook,
  type StoredSecret,
  updateWebhook,
  type WebhookProblem,
  type WebhookRow,
  type WebhookSettings,
} from '../../db/resources/webhooks.ts';
import { SecretBoxError } from '../../triggers/secrets/secret-box.ts';
import { newSecret } from '../../triggers/webhooks/secret-rule.ts';
import { type GivenSettings, readSettings } from '../../triggers/webhooks/settings.ts';
import {
  currentSecrets,
  DEFAULT_OVERLAP_SECONDS,
  openSecret,
  rotateSecrets,
  type SecretSource,
  sealSecret,
  secretProblems,
} from '../../triggers/webhooks/stored-secrets.ts';

export interface GivenWebhook extends GivenSettings {
  /** The secret, or `{{ secrets.NAME }}`. Absent: one is made. */
  readonly secret?: string | undefined;
}

export interface GivenChange extends Partial<GivenWebhook> {
  /** How long the secrets before a new one still count. Default a day; 0: not at all. */
  readonly previousSecretExpiresInSeconds?: number | undefined;
}

type Who = Pick<Acting, 'tenantId' | 'actor'>;

/** Makes one. `secret` is the one that was made up, or null. Problems of code `path_taken` are conflicts, not mistakes. */
export async function createWebhook(
  client: Queryable,
  source: SecretSource,
  { tenantId, actor }: Who,
  given: GivenWebhook,
  { fromDefinition = false }: { readonly fromDefinition?: boolean } = {},
): Promise<Result<{ readonly webhook: WebhookRow; readonly secret: string | null }>> {
  const read = readSettings(given, await findTenantName(client, tenantId));
  const wanted = given.secret ?? null;
  const problems = [
    ...(read.ok ? [] : read.problems),
    ...(read.ok && wanted !== null ? secretProblems(wanted, read.value, source) : []),
  ];
  if (!read.ok || problems.length > 0) return { ok: false, problems };
  const settings = read.value;
  const made =
    wanted === null && needsSecret(settings) ? newSecret(settings.verifier, settings.authType) : null;
  const secret = wanted ?? made;
  const owner = { id: newId(), tenantId };
  const stored = await insertWebhook(client, tenantId, {
    ...settings,
    id: owner.id,
    secrets: secret === null ? [] : [sealSecret(secret, owner, source, Date.now())],
    fromDefinition,
    createdBy: actor,
  });
  if (typeof stored === 'string') return { ok: false, problems: [refusal(stored, settings)] };
  return { ok: true, value: { webhook: stored, secret: made } };
}

/** Changes what `change` names of a webhook that the caller has locked. */
export async function changeWebhook(
  client: Queryable,
  source: SecretSource,
  before: WebhookRow,
  change: GivenChange,
): Promise<Result<WebhookRow>> {
  const {
    secret,
    previousSecretExpiresInSeconds: overlapSeconds = DEFAULT_OVERLAP_SECONDS,
    ...named
  } = change;
  const read = readSettings({ ...givenOf(before), ...named }, before.tenantName);
  if (!read.ok) return read;
  const nowMs = Date.now();
  const secrets = changeSecrets(source, before, read.value, { secret, overlapSeconds, nowMs });
  if (!secrets.ok) return secrets;
  const stored = await updateWebhook(client, before, { ...read.value, secrets: secrets.value });
  return typeof stored === 'string'
    ? { ok: false, problems: [refusal(stored, read.value)] }
    : { ok: true, value: stored };
}

/** What may be changed by hand of a webhook that belongs to a definition. */
const NOT_OF_THE_FILE: readonly (keyof GivenChange)[] = [
  'status',
  'secret',
  'previousSecretExpiresInSeconds',
];

/** Changes by hand, M3. A problem of code `from_definition` is a conflict, not a mistake. */
export async function changeWebhookByHand(
  client: Queryable,
  source: SecretSource,
  before: WebhookRow,
  change: GivenChange,
): Promise<Result<WebhookRow>> {
  const named = Object.keys(change) as (keyof GivenChange)[];
  if (!before.fromDefinition || named.every((name) => NOT_OF_THE_FILE.includes(name)))
    return await changeWebhook(client, source, before, change);
  return {
    ok: false,
    problems: [
      {
        pointer: '',
        code: 'from_definition',
        message: `the webhook belongs to the definition of "${before.workflowId}"`,
        hint: 'change its `triggers` and apply it; its status and its secret may be changed here',
      },
    ],
  };
}

/** A webhook as answers show it: never with a secret. */
export function webhookView(row: WebhookRow, publicUrl: string): JsonObject {
  const path = `${row.tenantName}/${row.path}`;
  const secrets = currentSecrets(row.secrets, Date.now());
  return {
    id: row.id,
    workflowId: row.workflowId,
    path,
    url: `${publicUrl}/hooks/${path}`,
    authType: row.authType,
    verifier: row.verifier,
    options: row.options,
    inputMapping: row.inputMapping,
    filters: row.filters,
    priority: row.priority,
    status: row.status,
    hasSecret: secrets.length > 0,
    secrets: secrets.map(({ createdAt, expiresAt }) => ({ createdAt, expiresAt })),
    fromDefinition: row.fromDefinition,
    removedAt: row.removedAt,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function changeSecrets(
  source: SecretSource,
  before: WebhookRow,
  after: WebhookSettings,
  {
    secret,
    overlapSeconds,
    nowMs,
  }: { readonly secret: string | undefined; readonly overlapSeconds: number; readonly nowMs: number },
): Result<readonly StoredSecret[]> {
  const current = currentSecrets(before.secrets, nowMs);
  if (secret !== undefined) {
    const problems = secretProblems(secret, after, source);
    if (problems.length > 0) return { ok: false, problems };
    return rotateSecrets(current, sealSecret(secret, before, source, nowMs), { nowMs, overlapSeconds });
  }
  return !lacksSecret(source, before, after, nowMs)
    ? { ok: true, value: current }
    : {
        ok: false,
        problems: [
          {
            pointer: '/secret',
            code: 'validation',
            message: 'the webhook has no secret that fits this change',
            hint: 'give a new one with it',
          },
        ],
      };
}

/** Whether a change to these settings needs a secret that the webhook does not have. */
export function lacksSecret(
  source: SecretSource,
  before: WebhookRow,
  after: WebhookSettings,
  nowMs: number,
): boolean {
  const isSameUse = after.authType === before.authType && after.verifier === before.verifier;
  if (isSameUse || !needsSecret(after)) return false;
  return !currentSecrets(before.secrets, nowMs).some(({ sealed }) => fitsUse(sealed, before, after, source));
}

function fitsUse(sealed: string, before: WebhookRow, after: WebhookSettings, source: SecretSource): boolean {
  try {
    return secretProblems(openSecret(sealed, before, source), after, source).length === 0;
  } catch (error) {
    if (error instanceof SecretBoxError) return false;
    throw error;
  }
}

function needsSecret({ authType, verifier }: WebhookSettings): boolean {
  return authType !== 'none' || verifier !== null;
}

function givenOf(row: WebhookRow): GivenSettings {
  const { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status } = row;
  return { workflowId, path, authType, verifier, options, inputMapping, filters, priority, status };
}

function refusal(problem: WebhookProblem, { workflowId, path }: WebhookSettings): Problem {
  switch (problem) {
    case 'path_taken':
      return {
        pointer: '/path',
        code: 'path_taken',
        message: `another webhook is at ${JSON.stringify(path)}`,
      };
    case 'workflow_not_found':
      return {
        pointer: '/workflowId',
        code: 'not_found',
        message: `there is no workflow ${JSON.stringify(workflowId)}`,
        hint: 'apply its definition first',
      };
  }
}
