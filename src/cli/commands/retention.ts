// dagwright retention run: a pass by hand, of what workers do by themselves every ten minutes.
import { countDue } from '../../db/operations/retention.ts';
import { runRetentionPass } from '../../engine/worker/retention.ts';
import { action } from '../action.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../input/arguments.ts';
import { abortOnSignal } from '../io.ts';
import { refuse } from '../refusal.ts';

export function defineCommand(retention: Command): void {
  command(retention, 'run', 'one pass over all tenants; workers do it by themselves every ten minutes')
    .option('--days <n>', 'instead of DAGWRIGHT_RETENTION_DAYS', wholeNumber(1, 36_500))
    .option('--dry-run', 'only say how many there are')
    .action(action(runRetention));
}

interface RetentionOptions {
  readonly days?: number;
  readonly dryRun?: boolean;
}

/** Of all tenants: retention is the installation's. Exit code 1 where another process is at it. */
async function runRetention(context: CommandContext, options: RetentionOptions): Promise<number> {
  const days = options.days ?? context.config.retentionDays;
  if (days === 0)
    throw refuse(
      'usage',
      'nothing says how long executions are kept: DAGWRIGHT_RETENTION_DAYS is not set',
      'dagwright retention run --days 30 --dry-run',
      '--days',
    );
  return await context.withSystem(async ({ database }) => {
    if (options.dryRun === true) {
      const executions = await countDue(database.engine, days);
      context.printJson({ days, dryRun: true, executions });
      context.say(`${executions} executions of all tenants ended more than ${days} days ago`);
      return 0;
    }
    const { stop, done } = abortOnSignal(context.io);
    const { state, deleted } = await runRetentionPass({
      db: database.engine,
      days,
      signal: stop.signal,
    }).finally(done);
    context.printJson({ days, state, deleted });
    for (const [table, rows] of Object.entries(deleted)) context.say(`deleted ${rows} of ${table}`);
    if (state === 'busy') context.say('another process is deleting at this moment');
    else if (Object.keys(deleted).length === 0) context.say(`no execution ended more than ${days} days ago`);
    return state === 'done' ? 0 : 1;
  });
}
