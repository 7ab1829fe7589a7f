// The secret of a webhook that its sender brings, once: whoever is second finds that there is one.
import type { Queryable } from '../connection/connection.ts';
import type { StoredSecret } from './webhook-secrets.ts';
import type { WebhookRow } from './webhooks.ts';

/** Gives a secret to a webhook that has none; false where it has one by now, or is gone. */
export async function giveFirstSecret(
  client: Queryable,
  { tenantId, id }: Pick<WebhookRow, 'tenantId' | 'id'>,
  secret: StoredSecret,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update dagwright.webhooks set secrets = secrets || $3, updated_at = clock_timestamp()
     where tenant_id = $1 and id = $2 and not jsonb_path_exists(secrets, '$[*] ? (!exists(@.use))') and removed_at is null`,
    [tenantId, id, JSON.stringify([secret])],
  );
  return rowCount === 1;
}
