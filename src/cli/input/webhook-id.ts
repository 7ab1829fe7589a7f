// Which webhook is meant: by its id, or by its path, which people know and which the printed URL has.
import { isWebhookPath } from '../../core/trigger/webhook.ts';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { WebhookView } from '../../resources/webhooks/view.ts';
import { listWebhooks } from '../../resources/webhooks/webhooks.ts';
import { at } from '../at.ts';
import type { CommandContext } from '../context.ts';
import { refuse } from '../refusal.ts';
import { webhookHost } from '../settings/webhook-host.ts';
import { isUuid } from './lists.ts';

const PAGE = 100;

/** The id as it is, or that of the webhook at this path, with or without the tenant's name before it. One that was removed has its id alone. */
export async function findWebhookId(context: CommandContext, given: string): Promise<string> {
  if (isUuid(given)) return given;
  const path = given.replace(/^\//, '');
  if (!isWebhookPath(path))
    throw refuse(
      'usage',
      `"${given}" is neither the id of a webhook nor its path`,
      'dagwright webhooks list',
    );
  const found = await findAt(context, path);
  if (found === null)
    throw refuse('not_found', `there is no webhook at the path ${path}`, 'dagwright webhooks list');
  return found;
}

// By the list, which is there over HTTP too. The path itself goes before one that begins with the tenant's name.
async function findAt(context: CommandContext, path: string): Promise<string | null> {
  const host = webhookHost(context.config);
  let other: string | null = null;
  let before: string | null = null;
  for (;;) {
    const { rows, hasMore }: BoundedPage<WebhookView> = await context.withTenant((client, acting) =>
      at(listWebhooks)(client, acting, { limit: PAGE, before }, host),
    );
    for (const row of rows) {
      // Of a path only the first part is the tenant's name.
      if (row.path.slice(row.path.indexOf('/') + 1) === path) return row.id;
      if (row.path === path) other = row.id;
    }
    before = rows.at(-1)?.id ?? null;
    if (!hasMore || before === null) return other;
  }
}
