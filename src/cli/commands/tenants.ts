// dagwright tenants: made, listed and changed by whoever holds the database.
import { TENANT_STATUSES, type TenantStatus } from '../../core/caller/tenant.ts';
import type { TenantLimits, TenantView } from '../../db/resources/tenants.ts';
import {
  createTenant,
  DISPLAY_NAME,
  listTenants,
  showTenant,
  TENANT_LIMITS,
  TENANT_NAME,
  TIER,
  updateTenant,
  WEIGHT,
} from '../../resources/tenants.ts';
import { action } from '../action.ts';
import { at } from '../at.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { choice, orNone, paged, textWithin, wholeNumber } from '../input/arguments.ts';
import { printedPage, requireText, requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { outcomeToRefusal, type RefusalWords, refuse } from '../refusal.ts';
import { oneLine } from '../safe-output.ts';

const readTier = wholeNumber(TIER.minimum, TIER.maximum);
const readWeight = wholeNumber(WEIGHT.minimum, WEIGHT.maximum);
const readLimit = ({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }) =>
  orNone(wholeNumber(minimum, maximum));
const readDisplayName = textWithin(DISPLAY_NAME);

export function defineCommand(tenants: Command): void {
  paged(command(tenants, 'list', 'newest first')).action(action(listAllTenants));
  command(tenants, 'show', 'one tenant').argument('<name>').action(action(showOneTenant));
  command(tenants, 'create', 'make a tenant; then: dagwright keys create --tenant NAME …')
    .argument('<name>', 'a-z, 0-9 and -; begins the paths of its webhooks')
    .option('--display-name <text>', 'for people', readDisplayName)
    .option('--tier <n>', 'definitions with a higher minTier do not start for it', readTier)
    .action(action(createOneTenant));
  command(tenants, 'update', 'what is not named stays as it is')
    .argument('<name>')
    .option('--display-name <text>', 'for people', readDisplayName)
    .option('--tier <n>', 'definitions with a higher minTier do not start for it', readTier)
    .addOption(
      choice(
        '--status <status>',
        'suspended: nothing of it starts, its keys are refused; what runs goes on',
        TENANT_STATUSES,
      ),
    )
    .action(action(updateOneTenant));
  command(tenants, 'set', 'how much of the workers a tenant may have; what is not named stays as it is')
    .argument('<name>')
    .option('--weight <n>', 'turns of its tasks for one of a tenant of weight 1, where both wait', readWeight)
    .option(
      '--max-running-tasks <n>',
      'tasks that run at once, on all workers; none: no limit',
      readLimit(TENANT_LIMITS.maxRunningTasks),
    )
    .option(
      '--max-starts-per-minute <n>',
      'executions that start within any minute; none: no limit',
      readLimit(TENANT_LIMITS.maxStartsPerMinute),
    )
    .option(
      '--max-waiting-executions <n>',
      'executions that are recorded and not opened; none: no limit',
      readLimit(TENANT_LIMITS.maxWaitingExecutions),
    )
    .action(action(setLimits));
}

const wordsOf = (name: string): RefusalWords => ({
  hints: { not_found: 'dagwright tenants list', name_taken: `dagwright tenants show ${name}` },
});

async function listAllTenants(
  context: CommandContext,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await context.withEngine(async (client, acting) => {
    const page = printedPage(await at(listTenants)(client, acting, { limit, before }), ({ id }) => id);
    context.printJson(page);
    const header = ['name', 'id', 'tier', 'status', 'created'].map((cell) => context.paint('bold', cell));
    const rows = page.items.map((one) => [one.name, one.id, String(one.tier), one.status, one.createdAt]);
    context.say(table([header, ...rows]));
    if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
    return 0;
  });
}

async function showOneTenant(context: CommandContext, _options: object, name: string): Promise<number> {
  return await context.withEngine(async (client, acting) => {
    print(context, outcomeToRefusal(await at(showTenant)(client, acting, { name }), wordsOf(name)));
    return 0;
  });
}

interface TenantOptions {
  readonly displayName?: string;
  readonly tier?: number;
  readonly status?: TenantStatus;
}

async function createOneTenant(
  context: CommandContext,
  { displayName, tier }: { readonly displayName?: string; readonly tier?: number },
  name: string,
): Promise<number> {
  requireText(TENANT_NAME, name, '<name>');
  return await context.withEngine(async (client, acting) => {
    const made = await at(createTenant)(client, acting, { name, displayName, tier });
    print(context, outcomeToRefusal(made, wordsOf(name)));
    return 0;
  });
}

async function updateOneTenant(
  context: CommandContext,
  { displayName, tier, status }: TenantOptions,
  name: string,
): Promise<number> {
  const change = { displayName, tier, status };
  if (Object.values(change).every((value) => value === undefined))
    throw refuse('usage', 'nothing to change', 'give --status, --tier or --display-name');
  return await context.withEngine(async (client, acting) => {
    const changed = await at(updateTenant)(client, acting, { ref: { name }, change });
    print(context, outcomeToRefusal(changed, wordsOf(name)));
    return 0;
  });
}

type LimitOptions = { readonly [Limit in keyof TenantLimits]?: number | 'none' } & {
  readonly weight?: number;
};

const limitOf = (given: number | 'none' | undefined) => (given === 'none' ? null : given);

async function setLimits(
  context: CommandContext,
  { weight, maxRunningTasks, maxStartsPerMinute, maxWaitingExecutions }: LimitOptions,
  name: string,
): Promise<number> {
  const limits = {
    maxRunningTasks: limitOf(maxRunningTasks),
    maxStartsPerMinute: limitOf(maxStartsPerMinute),
    maxWaitingExecutions: limitOf(maxWaitingExecutions),
  };
  if ([weight, ...Object.values(limits)].every((value) => value === undefined))
    throw refuse('usage', 'nothing to set', 'give --weight N, or a limit: --max-running-tasks N');
  return await context.withEngine(async (client, acting) => {
    const changed = await at(updateTenant)(client, acting, { ref: { name }, change: { weight, limits } });
    print(context, outcomeToRefusal(changed, wordsOf(name)));
    return 0;
  });
}

function print(context: CommandContext, tenant: TenantView): void {
  context.printJson(tenant);
  const { name, id, tier, status, displayName, weight, limits } = tenant;
  context.say(
    `${context.paint('bold', name)}  ${status}, tier ${tier}${displayName === null ? '' : `, ${oneLine(displayName)}`}`,
  );
  context.say(`X-Tenant-Id: ${id}`);
  const texts = [
    limits.maxRunningTasks === null ? [] : `${limits.maxRunningTasks} running tasks`,
    limits.maxStartsPerMinute === null ? [] : `${limits.maxStartsPerMinute} starts a minute`,
    limits.maxWaitingExecutions === null ? [] : `${limits.maxWaitingExecutions} waiting executions`,
  ].flat();
  context.say(`weight ${weight}${texts.length === 0 ? '' : `; at most ${texts.join(', ')}`}`);
}
