// dagwright tenants …
import { TENANT_STATUSES } from '../../core/caller/tenant.ts';
import { DISPLAY_NAME, TIER } from '../../resources/tenants.ts';
import { action, type Command, choice, command, group, textWithin, wholeNumber } from '../command.ts';
import { createOneTenant, listAllTenants, showOneTenant, updateOneTenant } from '../commands/tenants.ts';

const tier = wholeNumber(TIER.minimum, TIER.maximum);
const displayName = textWithin(DISPLAY_NAME);

export function addTenantCommands(program: Command): void {
  const tenants = group(program, 'tenants', 'the units of isolation: each sees its own rows only');
  command(tenants, 'list', 'newest first')
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(listAllTenants));
  command(tenants, 'show', 'one tenant').argument('<name>').action(action(showOneTenant));
  command(tenants, 'create', 'make a tenant; then: dagwright keys create --tenant NAME …')
    .argument('<name>', 'a-z, 0-9 and -; begins the paths of its webhooks')
    .option('--display-name <text>', 'for people', displayName)
    .option('--tier <n>', 'definitions with a higher minTier do not start for it', tier)
    .action(action(createOneTenant));
  command(tenants, 'update', 'what is not named stays as it is')
    .argument('<name>')
    .option('--display-name <text>', 'for people', displayName)
    .option('--tier <n>', 'definitions with a higher minTier do not start for it', tier)
    .addOption(
      choice(
        '--status <status>',
        'suspended: nothing of it starts, its keys are refused; what runs goes on',
        TENANT_STATUSES,
      ),
    )
    .action(action(updateOneTenant));
}
