// The options that say what a schedule does, and the fields they stand for.
import { PRIORITY } from '../../../core/priority.ts';
import { MAX_JITTER_SECONDS, MAX_WINDOW_SECONDS } from '../../../core/schedule/limits.ts';
import type { ScheduleFields } from '../../../core/schedule/settings.ts';
import {
  CATCHUP_POLICIES,
  type CatchupPolicy,
  OVERLAP_POLICIES,
  type OverlapPolicy,
} from '../../../core/schedule/words.ts';
import { type Command, Option } from '../../command.ts';
import { choice, wholeNumber } from '../../input/arguments.ts';
import { readJsonArgument } from '../../input/json-argument.ts';

export interface SettingOptions {
  readonly timezone?: string;
  readonly input?: string;
  readonly priority?: number;
  readonly overlap?: OverlapPolicy;
  readonly catchup?: CatchupPolicy;
  readonly catchupWindow?: number;
  readonly jitter?: number;
  /** `none` takes it away. */
  readonly startAt?: string;
  readonly endAt?: string;
  readonly pauseOnFailure?: 'yes' | 'no';
}

/** What holds where an option is absent is said of `create` only: `update` leaves it as it is. */
export function withSettings(verb: 'create' | 'update', parent: Command): Command {
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

/** Absent options are undefined. */
export async function readSettings(options: SettingOptions): Promise<Partial<ScheduleFields>> {
  const instant = (text: string | undefined) => (text === 'none' ? null : text);
  return {
    timezone: options.timezone,
    input: options.input === undefined ? undefined : await readJsonArgument(options.input, '--input'),
    priority: options.priority,
    overlapPolicy: options.overlap,
    catchupPolicy: options.catchup,
    catchupWindowSeconds: options.catchupWindow,
    jitterSeconds: options.jitter,
    startAt: instant(options.startAt),
    endAt: instant(options.endAt),
    pauseOnFailure: options.pauseOnFailure === undefined ? undefined : options.pauseOnFailure === 'yes',
  };
}
