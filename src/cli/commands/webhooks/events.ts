// dagwright webhooks events and replay.
import { WEBHOOK_EVENT_STATUSES, type WebhookEventStatus } from '../../../core/trigger/webhook.ts';
import {
  listWebhookEvents,
  replayWebhookEvent,
  showWebhookEvent,
} from '../../../resources/webhooks/events.ts';
import { showWebhook } from '../../../resources/webhooks/webhooks.ts';
import { createStarts } from '../../../triggers/starts/starts.ts';
import { action } from '../../action.ts';
import { CLI_ACTOR } from '../../actor.ts';
import { at } from '../../at.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { choice, paged } from '../../input/arguments.ts';
import { printedPage, requireUuid } from '../../input/lists.ts';
import { findWebhookId } from '../../input/webhook-id.ts';
import { table } from '../../output/terminal.ts';
import { outcomeToRefusal } from '../../refusal.ts';
import { webhookHost } from '../../settings/webhook-host.ts';

export const WEBHOOK_WORDS = { hints: { not_found: 'dagwright webhooks list' } };

export function addEventCommands(webhooks: Command): void {
  paged(
    command(webhooks, 'events', 'what came in, newest first; or one event with what it brought')
      .argument('<id|path>')
      .argument('[eventId]')
      .addOption(choice('--status <status>', 'only these', WEBHOOK_EVENT_STATUSES)),
  ).action(action(showEvents));
  command(webhooks, 'replay', 'decide an event anew, by the settings and the revision as they are now')
    .argument('<id|path>')
    .argument('<eventId>')
    .action(action(replayOne));
}

interface EventsOptions {
  readonly status?: WebhookEventStatus;
  readonly limit: number;
  readonly cursor?: string;
}

const eventWords = (webhookId: string) => ({
  hints: { not_found: `dagwright webhooks events ${webhookId}` },
});

/** The events of a webhook, or one with what it brought. */
async function showEvents(
  context: CommandContext,
  { status, limit, cursor }: EventsOptions,
  id: string,
  eventId?: string,
): Promise<number> {
  const wanted = requireUuid(eventId, 'the id of an event');
  const before = requireUuid(cursor, '--cursor');
  const webhookId = await findWebhookId(context, id);
  return wanted === null
    ? await printEvents(context, { webhookId, limit, before, status })
    : await printEvent(context, { webhookId, eventId: wanted });
}

async function printEvent(
  context: CommandContext,
  named: { readonly webhookId: string; readonly eventId: string },
): Promise<number> {
  const { webhookId } = named;
  const event = await context.withTenant(async (client, acting) => {
    outcomeToRefusal(
      await at(showWebhook)(client, acting, webhookId, webhookHost(context.config)),
      WEBHOOK_WORDS,
    );
    return outcomeToRefusal(await at(showWebhookEvent)(client, acting, named), eventWords(webhookId));
  });
  context.printJson(event);
  context.say(JSON.stringify(event, null, 2));
  return 0;
}

async function printEvents(
  context: CommandContext,
  list: Parameters<typeof listWebhookEvents>[2],
): Promise<number> {
  const found = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(listWebhookEvents)(client, acting, list), WEBHOOK_WORDS),
  );
  const page = printedPage(found, (event) => event.id);
  context.printJson(page);
  const header = ['id', 'received', 'status', 'delivery id', 'execution', 'error'];
  const rows = page.items.map((event) => [
    event.id,
    event.receivedAt,
    event.status,
    event.deliveryId ?? '',
    event.executionId ?? '',
    event.error === null ? '' : `${event.error.code}: ${event.error.message}`,
  ]);
  context.say(
    rows.length === 0 ? 'no events' : table([header.map((cell) => context.paint('bold', cell)), ...rows]),
  );
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

/** Exit code 1 where the event failed again. */
async function replayOne(
  context: CommandContext,
  _options: object,
  id: string,
  given: string,
): Promise<number> {
  const eventId = requireUuid(given, 'the id of an event');
  const webhookId = await findWebhookId(context, id);
  const receipt = await context.withSystem(async ({ database, log, tenantId }) => {
    const acting = { tenantId, ...CLI_ACTOR };
    const starts = createStarts({ database, log });
    return await database.asEngine(CLI_ACTOR, async (client) =>
      outcomeToRefusal(
        await replayWebhookEvent(client, acting, { webhookId, eventId }, { starts }),
        eventWords(webhookId),
      ),
    );
  });
  const { status, executionId } = receipt;
  context.printJson(receipt);
  context.say(
    executionId === undefined
      ? `${status}; see: dagwright webhooks events ${webhookId} ${eventId}`
      : `${status}: execution ${executionId}`,
  );
  return status === 'failed' ? 1 : 0;
}
