// dagwright webhooks: by the same functions as the routes of the HTTP API. A secret is printed once, when it is made up.

import type { Json, JsonObject } from '../../core/json.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import {
  deleteWebhook,
  findWebhook,
  listWebhooks,
  lockWebhook,
  type WebhookRow,
} from '../../db/resources/webhooks.ts';
import { removedProblem } from '../../resources/removed.ts';
import {
  changeWebhookByHand,
  createWebhook,
  type GivenChange,
  webhookView,
} from '../../resources/webhooks/manage.ts';
import { createSecretBox } from '../../triggers/secrets/secret-box.ts';
import { newSecret } from '../../triggers/webhooks/secret-rule.ts';
import { referencedSecret, type SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import type { AuthType, Verifier } from '../../triggers/webhooks/verification-rule.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { readJsonArgument, readTextArgument } from '../input/json-argument.ts';
import { requireUuid } from '../input/lists.ts';
import { sampleDelivery } from '../output/sample-delivery.ts';
import { table } from '../output/terminal.ts';
import { Refusal, refuse } from '../refusal.ts';
import type { Config } from '../settings/config.ts';

export interface WebhookOptions {
  readonly authType?: AuthType;
  /** `none` takes it away. */
  readonly verifier?: Verifier | 'none';
  readonly secret?: string;
  readonly options?: string;
  readonly inputMapping?: string;
  readonly filters?: string;
  readonly priority?: number;
}

export interface UpdateOptions extends WebhookOptions {
  readonly workflow?: string;
  readonly path?: string;
  readonly status?: 'active' | 'paused';
  readonly newSecret?: boolean;
  readonly previousSecretExpiresIn?: number;
}

export async function createOneWebhook(
  context: CommandContext,
  options: WebhookOptions,
  workflowId: string,
  path: string,
): Promise<number> {
  const given = await readOptions(options);
  return await context.withSystem(async ({ database, tenantId, config }) => {
    const made = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      createWebhook(client, sourceOf(config), { tenantId, ...CLI_ACTOR }, { ...given, workflowId, path }),
    );
    if (!made.ok) throw new Refusal(made.problems);
    const { webhook, secret } = made.value;
    const view = viewOf(webhook, config);
    context.printJson(secret === null ? view : { ...view, secret });
    context.say(`id      ${webhook.id}\nURL     ${view.url}`);
    if (secret !== null) context.say(`secret  ${secret}  (shown only now)`);
    const known = secret ?? given.secret ?? null;
    const setting = known === null ? null : referencedSecret(known);
    const needed = setting === null ? '' : `, in a shell where DAGWRIGHT_SECRET_${setting} is set`;
    context.say(
      `\nTo try it while the service runs${needed}:\n\n${sampleDelivery(webhook, String(view.url), known)}`,
    );
    warnWhereOpen(context, config, webhook, known);
    return 0;
  });
}

export async function listAllWebhooks(
  context: CommandContext,
  {
    limit,
    cursor,
    workflow: workflowId,
  }: { readonly limit: number; readonly cursor?: string; readonly workflow?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await context.withSystem(async ({ database, tenantId, config }) => {
    const found = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      listWebhooks(client, tenantId, { limit: limit + 1, before, workflowId }),
    );
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.id : null;
    context.printJson({ items: items.map((row) => viewOf(row, config)), nextCursor });
    const header = ['id', 'path', 'workflow', 'verified by', 'status'].map((cell) =>
      context.paint('bold', cell),
    );
    const rows = items.map((row) => [
      row.id,
      `${row.tenantName}/${row.path}`,
      row.workflowId,
      verifiedBy(row),
      row.status,
    ]);
    context.say(items.length === 0 ? `no webhooks in tenant ${context.tenant}` : table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

export async function showWebhook(context: CommandContext, _options: object, id: string): Promise<number> {
  const webhookId = requireWebhookId(id);
  return await context.withSystem(async ({ database, tenantId, config }) => {
    const row = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      findWebhook(client, tenantId, webhookId),
    );
    if (row === null) throw unknownWebhook(id);
    print(context, viewOf(row, config));
    return 0;
  });
}

export async function updateOneWebhook(
  context: CommandContext,
  options: UpdateOptions,
  id: string,
): Promise<number> {
  const webhookId = requireWebhookId(id);
  const { workflow, path, status, previousSecretExpiresIn } = options;
  if (options.newSecret === true && options.secret !== undefined)
    throw refuse('usage', '--new-secret and --secret: one of them is meant');
  const change: GivenChange = {
    ...(await readOptions(options)),
    ...(workflow === undefined ? {} : { workflowId: workflow }),
    ...(path === undefined ? {} : { path }),
    ...(status === undefined ? {} : { status }),
    ...(previousSecretExpiresIn === undefined
      ? {}
      : { previousSecretExpiresInSeconds: previousSecretExpiresIn }),
  };
  if (Object.keys(change).length === 0 && options.newSecret !== true)
    throw refuse('usage', 'nothing to change', 'dagwright webhooks update --help names the options');
  return await context.withSystem(async ({ database, tenantId, config }) => {
    const { row, secret } = await database.withTenant({ tenantId, ...CLI_ACTOR }, async (client) => {
      const before = await lockWebhook(client, tenantId, webhookId);
      if (before === null) throw await notThere(client, tenantId, id);
      const { verifier = before.verifier, authType = before.authType } = change;
      const secret = options.newSecret === true ? newSecret(verifier, authType) : null;
      const full = secret === null ? change : { ...change, secret };
      const changed = await changeWebhookByHand(client, sourceOf(config), before, full);
      if (!changed.ok) throw new Refusal(changed.problems);
      return { row: changed.value, secret };
    });
    const view = viewOf(row, config);
    print(context, secret === null ? view : { ...view, secret });
    if (secret !== null) context.note('the secret is shown only now');
    warnWhereOpen(context, config, row, secret ?? change.secret ?? null);
    return 0;
  });
}

export async function deleteOneWebhook(
  context: CommandContext,
  _options: object,
  id: string,
): Promise<number> {
  const webhookId = requireWebhookId(id);
  return await context.withSystem(async ({ database, tenantId }) => {
    const isDeleted = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      deleteWebhook(client, tenantId, webhookId),
    );
    if (!isDeleted) throw unknownWebhook(id);
    context.printJson({ id, deleted: true });
    context.say(`webhook ${id} and its events are deleted`);
    return 0;
  });
}

/** The id, or a Refusal. */
export function requireWebhookId(id: string): string {
  return requireUuid(id, 'the id of a webhook')!;
}

async function notThere(client: Queryable, tenantId: string, id: string): Promise<Refusal> {
  const removed = await findWebhook(client, tenantId, id);
  return removed === null ? unknownWebhook(id) : new Refusal([removedProblem('webhook', removed)]);
}

export function unknownWebhook(id: string): Refusal {
  return refuse('not_found', `there is no webhook ${id}`, 'dagwright webhooks list');
}

async function readOptions(options: WebhookOptions) {
  const { authType, verifier, secret, priority } = options;
  const json = async (text: string | undefined, option: string): Promise<Json | undefined> =>
    text === undefined ? undefined : await readJsonArgument(text, option);
  const parts = {
    authType,
    verifier: verifier === 'none' ? null : verifier,
    priority,
    // A file ends with a line feed, a secret does not.
    secret: secret === undefined ? undefined : (await readTextArgument(secret, '--secret')).trim(),
    options: await json(options.options, '--options'),
    inputMapping: await json(options.inputMapping, '--input-mapping'),
    filters: await json(options.filters, '--filters'),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Partial<
    typeof parts
  >;
}

function sourceOf({ http, outside }: Config): SecretSource {
  return { secretBox: createSecretBox(http.encryptionKeys), secrets: outside.secrets ?? {} };
}

function viewOf(row: WebhookRow, { outside, http }: Config): JsonObject {
  const publicUrl = outside.publicUrl ?? `http://${http.host}:${http.port}`;
  return webhookView(row, publicUrl.replace(/\/+$/, ''));
}

function verifiedBy({ authType, verifier }: WebhookRow): string {
  const parts = [verifier, authType === 'none' ? null : authType].filter((part) => part !== null);
  return parts.length === 0 ? 'nobody: open' : parts.join(' and ');
}

function print(context: CommandContext, view: JsonObject): void {
  context.printJson(view);
  const rows = Object.entries(view).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  context.say(table(rows));
}

/** `added`: the secret that was given or made in this call. */
function warnWhereOpen(
  { note }: CommandContext,
  { http }: Config,
  { authType, verifier }: WebhookRow,
  added: string | null,
): void {
  if (authType === 'none' && verifier === null) note('anybody who knows the URL can start this workflow');
  if (added !== null && referencedSecret(added) === null && http.encryptionKeys === null)
    note('the secret is stored as it is: DAGWRIGHT_ENCRYPTION_KEY would protect it at rest');
}
