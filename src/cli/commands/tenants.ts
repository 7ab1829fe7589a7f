// dagwright tenants: made, listed and changed by whoever holds the database.
import { TENANT_NAME, type TenantStatus } from '../../core/caller/tenant.ts';
import {
  createTenant,
  findTenantView,
  listTenants,
  type TenantChange,
  type TenantView,
  updateTenant,
} from '../../db/resources/tenants.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';

export async function listAllTenants(
  context: CommandContext,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await context.withSystem(async ({ database }) => {
    const found = await listTenants(database.engine, { limit: limit + 1, before });
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.id : null;
    context.printJson({ items, nextCursor });
    const header = ['name', 'id', 'tier', 'status', 'created'].map((cell) => context.paint('bold', cell));
    const rows = items.map((one) => [one.name, one.id, String(one.tier), one.status, one.createdAt]);
    context.say(table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

export async function showTenant(context: CommandContext, _options: object, name: string): Promise<number> {
  return await context.withSystem(async ({ database }) => {
    const tenant = await findTenantView(database.engine, { name });
    if (tenant === null) throw unknown(name);
    print(context, tenant);
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
  { displayName = null, tier = 1 }: { readonly displayName?: string | null; readonly tier?: number },
  name: string,
): Promise<number> {
  if (!TENANT_NAME.test(name))
    throw refuse(
      'usage',
      `"${name}" is no name of a tenant: 1 to 63 of a-z, 0-9 and -, beginning with a letter`,
    );
  return await context.withSystem(async ({ database }) => {
    const tenant = await database.asEngine(CLI_ACTOR, (client) =>
      createTenant(client, { name, displayName, tier, settings: {} }),
    );
    if (tenant === null)
      throw refuse('name_taken', `there is a tenant "${name}"`, `dagwright tenants show ${name}`);
    print(context, tenant);
    return 0;
  });
}

export async function updateOneTenant(
  context: CommandContext,
  { displayName, tier, status }: TenantOptions,
  name: string,
): Promise<number> {
  const change: TenantChange = {
    ...(displayName === undefined ? {} : { displayName }),
    ...(tier === undefined ? {} : { tier }),
    ...(status === undefined ? {} : { status }),
  };
  if (Object.keys(change).length === 0)
    throw refuse('usage', 'nothing to change', 'give --status, --tier or --display-name');
  return await context.withSystem(async ({ database }) => {
    const tenant = await database.asEngine(CLI_ACTOR, async (client) => {
      const found = await findTenantView(client, { name });
      return found && (await updateTenant(client, found.id, change));
    });
    if (tenant === null) throw unknown(name);
    print(context, tenant);
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

const unknown = (name: string) =>
  refuse('not_found', `there is no tenant "${name}"`, 'dagwright tenants list');
