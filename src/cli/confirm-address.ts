// Asks an address that the sender of a webhook names, to confirm a subscription (N3 of triggers/webhooks/handshake.ts): through the
// guard, and no further than that address.
import type { OutsideSettings } from '../engine/services/outside.ts';
import { parseAllowList } from '../tasks/outbound/allow-list.ts';
import type { OutsideHttp } from '../tasks/outbound/client.ts';

/** A sender waits for its confirmation. */
const CONFIRM_MS = 10_000;

/** GET; its status. The client is made with the first of them: most services confirm nothing. */
export function createFetchStatus({
  allowedHosts = [],
  deniedHosts,
}: Pick<OutsideSettings, 'allowedHosts' | 'deniedHosts'>): (url: URL) => Promise<number> {
  let http: Promise<OutsideHttp> | null = null;
  const open = async (): Promise<OutsideHttp> => {
    const { createHttp } = await import('../tasks/outbound/client.ts');
    const allowed = parseAllowList(allowedHosts);
    if (!allowed.ok) throw new Error(allowed.problems[0]!.message);
    return createHttp({ allowedHosts: allowed.value, deniedHosts });
  };
  return async (url) => {
    http ??= open();
    const answer = await (await http).request({
      ...{ method: 'GET', url, headers: { 'user-agent': 'dagwright' }, body: null, maxBytes: 100_000 },
      ...{ hasSecretBody: false, isOnce: false, signal: AbortSignal.timeout(CONFIRM_MS) },
      // Where it leads on to is another host.
      keepsStatus: () => true,
    });
    return answer.status;
  };
}
