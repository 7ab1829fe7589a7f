// dagwright retention …
import { action, type Command, command, group, wholeNumber } from '../command.ts';
import { runRetention } from '../commands/retention.ts';

export function addRetentionCommands(program: Command): void {
  const retention = group(program, 'retention', 'delete executions that ended long ago');
  command(retention, 'run', 'one pass over all tenants; workers do it by themselves every ten minutes')
    .option('--days <n>', 'instead of DAGWRIGHT_RETENTION_DAYS', wholeNumber(1, 36_500))
    .option('--dry-run', 'only say how many there are')
    .action(action(runRetention));
}
