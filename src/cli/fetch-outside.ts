// Asks an address that the sender of a webhook names, to confirm a subscription (N3 of triggers/webhooks/handshake.ts) or to verify
// what it signs (triggers/webhooks/certificates.ts): through the guard, and no further than that address.
import type { OutsideSettings } from '../engine/services/outside.ts';
import { parseAllowList } from '../tasks/outbound/allow-list.ts';
import type { OutsideHttp } from '../tasks/outbound/client.ts';
import type { FetchOutside } from '../triggers/webhooks/certificates.ts';

/** The sender waits. */
const ANSWER_MS = 10_000;

/** GET. The client is made with the first of them: most services ask nobody. */
export function createFetchOutside({
  allowedHosts = [],
  deniedHosts,
}: Pick<OutsideSettings, 'allowedHosts' | 'deniedHosts'>): FetchOutside {
  let http: Promise<OutsideHttp> | null = null;
  const open = async (): Promise<OutsideHttp> => {
    const { createHttp } = await import('../tasks/outbound/client.ts');
    const allowed = parseAllowList(allowedHosts);
    if (!allowed.ok) throw new Error(allowed.problems[0]!.message);
    return createHttp({ allowedHosts: allowed.value, deniedHosts });
  };
  return async (url) => {
    http ??= open();
    return await (await http).request({
      ...{ method: 'GET', url, headers: { 'user-agent': 'dagwright' }, body: null, maxBytes: 100_000 },
      ...{ hasSecretBody: false, isOnce: false, signal: AbortSignal.timeout(ANSWER_MS) },
      // Where it leads on to is another host.
      keepsStatus: () => true,
    });
  };
}
