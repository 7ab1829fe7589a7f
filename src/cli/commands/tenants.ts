// dagwright tenants: made, listed and changed by whoever holds the database.
import type { TenantStatus } from '../../core/caller/tenant.ts';
import type { TenantView } from '../../db/resources/tenants.ts';
import { createTenant, listTenants, showTenant, TENANT_NAME, updateTenant } from '../../resources/tenants.ts';
import type { CommandContext } from '../context.ts';
import { printedPage, requireText, requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { outcomeToRefusal, type RefusalWords, refuse } from '../refusal.ts';

const wordsOf = (name: string): RefusalWords => ({
  hints: { not_found: 'dagwright tenants list', name_taken: `dagwright tenants show ${name}` },
});

export async function listAllTenants(
  context: CommandContext,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await context.withEngine(async (client, acting) => {
    const page = printedPage(await listTenants(client, acting, { limit, before }), ({ id }) => id);
    context.printJson(page);
    const header = ['name', 'id', 'tier', 'status', 'created'].map((cell) => context.paint('bold', cell));
    const rows = page.items.map((one) => [one.name, one.id, String(one.tier), one.status, one.createdAt]);
    context.say(table([header, ...rows]));
    if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
    return 0;
  });
}

export async function showOneTenant(
  context: CommandContext,
  _options: object,
  name: string,
): Promise<number> {
  return await context.withEngine(async (client, acting) => {
    print(context, outcomeToRefusal(await showTenant(client, acting, { name }), wordsOf(name)));
    return 0;
  });
}

export interface TenantOptions {
  readonly displayName?: string;
  readonly tier?: number;
  readonly status?: TenantStatus;
}

export async function createOneTenant(
  context: CommandContext,
  { displayName, tier }: { readonly displayName?: string; readonly tier?: number },
  name: string,
): Promise<number> {
  requireText(TENANT_NAME, name, '<name>');
  return await context.withEngine(async (client, acting) => {
    const made = await createTenant(client, acting, { name, displayName, tier });
    print(context, outcomeToRefusal(made, wordsOf(name)));
    return 0;
  });
}

export async function updateOneTenant(
  context: CommandContext,
  { displayName, tier, status }: TenantOptions,
  name: string,
): Promise<number> {
  const change = { displayName, tier, status };
  if (Object.values(change).every((value) => value === undefined))
    throw refuse('usage', 'nothing to change', 'give --status, --tier or --display-name');
  return await context.withEngine(async (client, acting) => {
    const changed = await updateTenant(client, acting, { ref: { name }, change });
    print(context, outcomeToRefusal(changed, wordsOf(name)));
    return 0;
  });
}

function print(context: CommandContext, tenant: TenantView): void {
  context.printJson(tenant);
  const { name, id, tier, status, displayName } = tenant;
  context.say(
    `${context.paint('bold', name)}  ${status}, tier ${tier}${displayName === null ? '' : `, ${displayName}`}`,
  );
  context.say(`X-Tenant-Id: ${id}`);
}
