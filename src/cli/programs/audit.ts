// dagwright audit …
import { action, type Command, command, group, wholeNumber } from '../command.ts';
import { listChanges } from '../commands/audit.ts';

export function addAuditCommands(program: Command): void {
  const audit = group(program, 'audit', 'who changed what; only ever appended to');
  command(audit, 'list', 'newest first')
    .option('--actor <actor>', 'such as user:alice, key:<id>, cli')
    .option('--action <action>', 'such as schedules.update')
    .option('--resource-type <type>', 'such as schedules')
    .option('--resource-id <id>', 'its id, or its name where that is its id')
    .option('--from <instant>', 'this instant, or date in UTC, and later')
    .option('--to <instant>', 'before this instant')
    .option('--installation', 'of what belongs to no tenant: prices and limits of services')
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(listChanges));
}
