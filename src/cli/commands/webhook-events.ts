// dagwright webhooks events and replay.
import type { WebhookEventStatus } from '../../core/trigger/webhook.ts';
import { findEvent, listEvents } from '../../db/resources/webhook-events.ts';
import { findWebhook } from '../../db/resources/webhooks.ts';
import { createStarts } from '../../triggers/starts/starts.ts';
import { replayEvent } from '../../triggers/webhooks/replay.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import { requireWebhookId, unknownWebhook } from './webhooks.ts';

export interface EventsOptions {
  readonly status?: WebhookEventStatus;
  readonly limit: number;
  readonly cursor?: string;
}

/** The events of a webhook, or one with what it brought. */
export async function showEvents(
  context: CommandContext,
  { status, limit, cursor }: EventsOptions,
  id: string,
  eventId?: string,
): Promise<number> {
  const webhookId = requireWebhookId(id);
  const wanted = requireUuid(eventId, 'the id of an event');
  const before = requireUuid(cursor, '--cursor');
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant({ tenantId, ...CLI_ACTOR }, async (client) => {
      if ((await findWebhook(client, tenantId, webhookId)) === null) throw unknownWebhook(id);
      if (wanted !== null) return await findEvent(client, tenantId, webhookId, wanted);
      return await listEvents(client, tenantId, webhookId, { limit: limit + 1, before, status });
    });
    if (found === null) throw unknownEvent(wanted!, id);
    if (!Array.isArray(found)) {
      context.printJson(found);
      context.say(JSON.stringify(found, null, 2));
      return 0;
    }
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.id : null;
    context.printJson({ items, nextCursor });
    const header = ['id', 'received', 'status', 'delivery id', 'execution', 'error'];
    const rows = items.map((event) => [
      event.id,
      event.receivedAt,
      event.status,
      event.deliveryId ?? '',
      event.executionId ?? '',
      event.error === null ? '' : `${event.error.code}: ${event.error.message}`,
    ]);
    context.say(
      items.length === 0 ? 'no events' : table([header.map((cell) => context.paint('bold', cell)), ...rows]),
    );
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

/** Exit code 1 where the event failed again. */
export async function replayOne(
  context: CommandContext,
  _options: object,
  id: string,
  eventId: string,
): Promise<number> {
  const webhookId = requireWebhookId(id);
  const wanted = requireUuid(eventId, 'the id of an event')!;
  return await context.withSystem(async ({ database, log, tenantId }) => {
    const starts = createStarts({ database, log });
    const answer = await database.asEngine(CLI_ACTOR, (client) =>
      replayEvent(client, starts, tenantId, { webhookId, eventId: wanted }),
    );
    if (answer === null) throw unknownEvent(eventId, id);
    const { executionId, ...told } = answer;
    context.printJson(executionId === null ? told : { ...told, executionId });
    context.say(
      executionId === null
        ? `${answer.status}; see: dagwright webhooks events ${id} ${eventId}`
        : `${answer.status}: execution ${executionId}`,
    );
    return answer.status === 'failed' ? 1 : 0;
  });
}

function unknownEvent(eventId: string, id: string) {
  return refuse(
    'not_found',
    `there is no event ${eventId} of webhook ${id}`,
    `dagwright webhooks events ${id}`,
  );
}
