// dagwright schedules …
import { PRIORITY } from '../../core/priority.ts';
import { MAX_JITTER_SECONDS, MAX_WINDOW_SECONDS } from '../../core/schedule/limits.ts';
import {
  CATCHUP_POLICIES,
  OVERLAP_POLICIES,
  SCHEDULE_STATUSES,
  TICK_STATUSES,
} from '../../core/schedule/words.ts';
import { PREVIEW_COUNT } from '../../resources/schedules/ticks.ts';
import { action, type Command, choice, command, group, Option, paged, wholeNumber } from '../command.ts';
import { backfillOneSchedule, listAllTicks, previewOne, runOneSchedule } from '../commands/schedule-ticks.ts';
import {
  createOneSchedule,
  deleteOneSchedule,
  listAllSchedules,
  pauseOneSchedule,
  resumeOneSchedule,
  showOneSchedule,
  updateOneSchedule,
} from '../commands/schedules.ts';

export function addScheduleCommands(program: Command): void {
  const schedules = group(program, 'schedules', 'start workflows by cron expressions').addHelpText(
    'after',
    `
Examples:
  dagwright schedules create research-brief daily '0 9 * * 1-5' --timezone Europe/Paris --input '{"question":"What is new?"}'
  dagwright schedules preview '0 9 * * 1-5' --timezone Europe/Paris
  dagwright schedules ticks ID --status missed
  dagwright schedules backfill ID --from 2027-01-01T00:00:00Z --to 2027-01-02T00:00:00Z`,
  );
  paged(command(schedules, 'list', 'newest first'))
    .option('--workflow <workflowId>')
    .addOption(choice('--status <status>', 'only these', SCHEDULE_STATUSES))
    .action(action(listAllSchedules));
  withSettings('create', command(schedules, 'create', 'make a schedule; it is active at once'))
    .argument('<workflowId>')
    .argument('<name>', 'unique among the schedules of the workflow')
    .argument('<cron>', 'minute hour day-of-month month day-of-week, such as "0 9 * * 1-5"')
    .action(action(createOneSchedule));
  command(schedules, 'show', 'one schedule').argument('<id>').action(action(showOneSchedule));
  withSettings(
    'update',
    command(schedules, 'update', 'what is not named stays; another time counts from now on'),
  )
    .argument('<id>')
    .option('--name <name>')
    .option('--cron <expression>')
    .action(action(updateOneSchedule));
  command(schedules, 'delete', 'with its ticks; executions stay')
    .argument('<id>')
    .action(action(deleteOneSchedule));
  command(schedules, 'pause', 'nothing fires until it is resumed')
    .argument('<id>')
    .option('--reason <text>')
    .action(action(pauseOneSchedule));
  command(schedules, 'resume', 'go on with the next nominal time from now on')
    .argument('<id>')
    .action(action(resumeOneSchedule));
  command(schedules, 'preview', 'the next times, in UTC and in the zone of the schedule')
    .argument('<id|cron>', 'a schedule, or an expression to try')
    .option('--timezone <zone>', 'of an expression: IANA name')
    .option(
      '--count <n>',
      `1 to ${PREVIEW_COUNT.max}`,
      wholeNumber(1, PREVIEW_COUNT.max),
      PREVIEW_COUNT.default,
    )
    .action(action(previewOne));
  command(schedules, 'run', 'start an execution now, which is no tick')
    .argument('<id>')
    .action(action(runOneSchedule));
  command(schedules, 'backfill', 'start the nominal times of a range that have no execution')
    .argument('<id>')
    .requiredOption('--from <instant>', 'inclusive, such as 2027-01-01T00:00:00Z')
    .requiredOption('--to <instant>', 'exclusive; not in the future')
    .action(action(backfillOneSchedule));
  paged(command(schedules, 'ticks', 'what became of each nominal time, the latest first'))
    .argument('<id>')
    .addOption(choice('--status <status>', 'only these', TICK_STATUSES))
    .option('--from <instant>', 'nominal times from here on')
    .option('--to <instant>', 'nominal times before')
    .action(action(listAllTicks));
}

// What holds where an option is absent is said of `create` only: `update` leaves it as it is.
function withSettings(verb: 'create' | 'update', parent: Command): Command {
  const absent = (text: string) => (verb === 'create' ? `; ${text} where absent` : '');
  const none = verb === 'create' ? '' : '; `none` takes it away';
  return parent
    .option('--timezone <zone>', `IANA name such as Europe/Paris${absent('UTC')}`)
    .option('--input <json|@file>', `input of each execution${absent('{}')}`)
    .option(
      '--priority <n>',
      `higher first${absent(String(PRIORITY.default))}`,
      wholeNumber(PRIORITY.min, PRIORITY.max),
    )
    .addOption(
      choice('--overlap <policy>', `while the one before is open${absent('skip')}`, OVERLAP_POLICIES),
    )
    .addOption(
      choice('--catchup <policy>', `ticks that nobody fired in time${absent('last')}`, CATCHUP_POLICIES),
    )
    .option(
      '--catchup-window <seconds>',
      `how far back "all" looks${absent('a day')}`,
      wholeNumber(0, MAX_WINDOW_SECONDS),
    )
    .option('--jitter <seconds>', 'ticks are due up to so much later', wholeNumber(0, MAX_JITTER_SECONDS))
    .option('--start-at <instant>', `no tick before${none}`)
    .option('--end-at <instant>', `no tick from then on${none}`)
    .addOption(
      new Option('--pause-on-failure <yes|no>', 'an execution that fails pauses the schedule').choices([
        'yes',
        'no',
      ]),
    );
}
