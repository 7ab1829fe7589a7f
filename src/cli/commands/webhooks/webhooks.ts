// dagwright webhooks: by the same functions as the routes of the HTTP API. What is printed is committed. A secret is printed
// once, when it is made up.
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { writtenToken } from '../../../core/trigger/verify-token.ts';
import { referencedSecret, WEBHOOK_STATUSES, type WebhookStatus } from '../../../core/trigger/webhook.ts';
import { showWorkflow } from '../../../resources/definitions/workflows.ts';
import type { Outcome } from '../../../resources/outcome.ts';
import { OVERLAP_SECONDS } from '../../../resources/webhooks/secrets.ts';
import type { WebhookView } from '../../../resources/webhooks/view.ts';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listWebhooks,
  showWebhook,
} from '../../../resources/webhooks/webhooks.ts';
import type { WebhookChange } from '../../../resources/webhooks/write-webhook.ts';
import { variableFor } from '../../../tasks/installation-secrets.ts';
import { action } from '../../action.ts';
import { at } from '../../at.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { choice, paged, wholeNumber } from '../../input/arguments.ts';
import { printedPage, requireUuid } from '../../input/lists.ts';
import { findWebhookId } from '../../input/webhook-id.ts';
import { type SampleSecret, sampleDelivery } from '../../output/sample-delivery.ts';
import { sampleInput } from '../../output/sample-input.ts';
import { table } from '../../output/terminal.ts';
import { statusBeside } from '../../output/trigger-status.ts';
import { outcomeToRefusal, Refusal, refuse } from '../../refusal.ts';
import type { Config } from '../../settings/config.ts';
import { guessNote, inOwnEnvironment, webhookHost } from '../../settings/webhook-host.ts';
import { addEventCommands, WEBHOOK_WORDS } from './events.ts';
import { readSettings, type SettingOptions, withSettings } from './settings.ts';

const MAX_SAMPLE_CHARS = 2_000;

export function defineCommand(webhooks: Command): void {
  paged(command(webhooks, 'list', 'newest first').option('--workflow <workflowId>')).action(
    action(listAllWebhooks),
  );
  withSettings(
    'create',
    command(webhooks, 'create', 'make a webhook; prints its URL, its secret (once) and a delivery to try'),
  )
    .argument('<workflowId>')
    .argument('<path>', 'below /hooks/ and the name of the tenant, such as orders')
    .action(action(createOneWebhook));
  command(webhooks, 'show', 'one webhook').argument('<id|path>').action(action(showOneWebhook));
  withSettings('update', command(webhooks, 'update', 'what is not named stays as it is'))
    .argument('<id|path>')
    .option('--workflow <workflowId>')
    .option('--path <path>')
    .addOption(choice('--status <status>', 'paused: deliveries are refused', WEBHOOK_STATUSES))
    .option('--new-secret', 'make one up, and print it')
    .option(
      '--previous-secret-expires-in <seconds>',
      'how long the secrets before still count; a day where absent',
      wholeNumber(0, OVERLAP_SECONDS.max),
    )
    .action(action(updateOneWebhook));
  command(webhooks, 'delete', 'with its events; executions stay')
    .argument('<id|path>')
    .action(action(deleteOneWebhook));
  addEventCommands(webhooks);
}

interface UpdateOptions extends SettingOptions {
  readonly workflow?: string;
  readonly path?: string;
  readonly status?: WebhookStatus;
  readonly newSecret?: boolean;
  readonly previousSecretExpiresIn?: number;
}

async function createOneWebhook(
  context: CommandContext,
  options: SettingOptions,
  workflowId: string,
  path: string,
): Promise<number> {
  const { config } = context;
  const given = await readSettings(options);
  const webhook = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      inOwnEnvironment(
        withArguments(
          await at(createWebhook)(client, acting, { ...given, workflowId, path }, webhookHost(config)),
        ),
        context,
      ),
    ),
  );
  const { secret = null } = webhook;
  context.printJson(webhook);
  context.say(`id      ${webhook.id}\nURL     ${webhook.url}`);
  if (secret !== null) context.say(`secret  ${secret}  (shown only now)`);
  const known = secret ?? given.secret?.trim() ?? null;
  const sample = known === null ? null : sampleSecret(known, context);
  const body = given.inputMapping === undefined ? await sampleBody(context, workflowId) : null;
  const needed =
    sample !== null && 'variable' in sample ? `, in a shell where ${sample.variable} is set` : '';
  context.say(
    `\nTo try it while the service runs${needed}:\n\n${sampleDelivery(webhook, webhook.url, sample, body)}\n# what became of it: npx dagwright webhooks events ${path}${context.tenant === 'default' ? '' : ` --tenant ${context.tenant}`}`,
  );
  sayRestart(context, sample);
  warnWhereOpen(context, config, webhook, known ?? tokenIn(given));
  const guessed = context.server === null ? guessNote(config) : null;
  if (guessed !== null) context.note(guessed);
  return 0;
}

/** An input that the workflow takes; null: it asks for nothing, or nothing can be said. */
async function sampleBody(context: CommandContext, workflowId: string): Promise<JsonObject | null> {
  try {
    const found = await context.withTenant((client, acting) => at(showWorkflow)(client, acting, workflowId));
    const schema = found.ok ? (found.value.definition as unknown as JsonObject).inputSchema : undefined;
    const body = schema === undefined ? null : sampleInput(schema);
    return isJsonObject(body) && JSON.stringify(body).length <= MAX_SAMPLE_CHARS ? body : null;
  } catch (error) {
    // A key that may make webhooks need not read workflows.
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Two words that look alike: which is the workflow is said where there is none of that name. */
function withArguments<Value>(outcome: Outcome<Value>): Outcome<Value> {
  if (outcome.ok) return outcome;
  const problems = outcome.problems.map((problem) =>
    problem.code === 'not_found' && problem.pointer === '/workflowId'
      ? {
          ...problem,
          hint: `webhooks create WORKFLOW_ID PATH; ${problem.hint ?? 'apply its definition first'}`,
        }
      : problem,
  );
  return { ...outcome, problems };
}

function sampleSecret(given: string, { config, tenant }: CommandContext): SampleSecret {
  const name = referencedSecret(given);
  if (name === null) return { text: given };
  return { variable: config.outside.secrets?.variableFor(tenant, name) ?? variableFor(tenant, name) };
}

/** A process reads its environment once, when it begins. */
function sayRestart(context: CommandContext, secret: SampleSecret | null): void {
  if (secret === null || !('variable' in secret)) return;
  context.say(`\nA service that was running before ${secret.variable} was set does not have it: restart it.`);
}

async function listAllWebhooks(
  context: CommandContext,
  {
    limit,
    cursor,
    workflow: workflowId,
  }: { readonly limit: number; readonly cursor?: string; readonly workflow?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  const found = await context.withTenant((client, acting) =>
    at(listWebhooks)(client, acting, { limit, before, workflowId }, webhookHost(context.config)),
  );
  const page = printedPage(found, ({ id }) => id);
  context.printJson(page);
  const header = ['id', 'path', 'workflow', 'verified by', 'status'].map((cell) =>
    context.paint('bold', cell),
  );
  const rows = page.items.map((one) => [
    one.id,
    one.path,
    one.workflowId,
    verifiedBy(one),
    statusBeside(one),
  ]);
  context.say(rows.length === 0 ? `no webhooks in tenant ${context.tenant}` : table([header, ...rows]));
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

async function showOneWebhook(context: CommandContext, _options: object, given: string): Promise<number> {
  const id = await findWebhookId(context, given);
  const webhook = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(showWebhook)(client, acting, id, webhookHost(context.config)), WEBHOOK_WORDS),
  );
  print(context, webhook);
  return 0;
}

async function updateOneWebhook(
  context: CommandContext,
  options: UpdateOptions,
  given: string,
): Promise<number> {
  const id = await findWebhookId(context, given);
  const { workflow, path, status, previousSecretExpiresIn, newSecret: makesSecret = false } = options;
  if (makesSecret && options.secret !== undefined)
    throw refuse('usage', '--new-secret and --secret: one of them is meant');
  const change: WebhookChange = {
    ...(await readSettings(options)),
    ...(workflow === undefined ? {} : { workflowId: workflow }),
    ...(path === undefined ? {} : { path }),
    ...(status === undefined ? {} : { status }),
    ...(previousSecretExpiresIn === undefined
      ? {}
      : { previousSecretExpiresInSeconds: previousSecretExpiresIn }),
  };
  if (Object.keys(change).length === 0 && !makesSecret)
    throw refuse('usage', 'nothing to change', 'dagwright webhooks update --help names the options');
  const { config } = context;
  const webhook = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      inOwnEnvironment(
        await at(changeWebhook)(client, acting, { id, change, makesSecret }, webhookHost(config)),
        context,
      ),
      WEBHOOK_WORDS,
    ),
  );
  print(context, webhook);
  if (webhook.secret !== undefined) context.note('the secret is shown only now');
  if (change.secret !== undefined) sayRestart(context, sampleSecret(change.secret.trim(), context));
  warnWhereOpen(context, config, webhook, webhook.secret ?? change.secret?.trim() ?? tokenIn(change));
  return 0;
}

async function deleteOneWebhook(context: CommandContext, _options: object, given: string): Promise<number> {
  const id = await findWebhookId(context, given);
  await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(deleteWebhook)(client, acting, id), WEBHOOK_WORDS),
  );
  context.printJson({ id, deleted: true });
  context.say(`webhook ${id} and its events are deleted`);
  return 0;
}

function verifiedBy({ authType, verifier }: WebhookView): string {
  const parts = [verifier, authType === 'none' ? null : authType].filter((part) => part !== null);
  return parts.length === 0 ? 'nobody: open' : parts.join(' and ');
}

function print(context: CommandContext, view: object): void {
  context.printJson(view);
  const rows = Object.entries(view).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  context.say(table(rows));
}

function tokenIn({ handshakes }: Pick<WebhookChange, 'handshakes'>): string | null {
  return Array.isArray(handshakes) ? writtenToken(handshakes.filter(isJsonObject)) : null;
}

/** `added`: the secret that was given or made in this call. */
function warnWhereOpen(
  { note }: CommandContext,
  { http }: Config,
  { authType, verifier, warnings }: WebhookView,
  added: string | null,
): void {
  for (const { message, hint } of warnings) note(hint === undefined ? message : `${message}; ${hint}`);
  if (authType === 'none' && verifier === null) note('anybody who knows the URL can start this workflow');
  if (added !== null && referencedSecret(added) === null && http.encryptionKeys === null)
    note('the secret is stored as it is: DAGWRIGHT_ENCRYPTION_KEY would protect it at rest');
}
