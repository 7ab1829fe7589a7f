// What the owner of a schedule decides, and what must hold of it beyond its structure.
import { beginsWithDay } from '../calendar-day.ts';
import { type Cron, createCron } from '../cron/next.ts';
import { quoteText } from '../definition/quote-text.ts';
import type { Problem, Result } from '../errors.ts';
import { isStorableText, type Json, toStorableJson } from '../json.ts';
import { PRIORITY } from '../priority.ts';
import { MAX_NAME_CHARS } from './limits.ts';
import type { Timing } from './timing.ts';
import type { CatchupPolicy, OverlapPolicy } from './words.ts';

export interface ScheduleSettings {
  readonly workflowId: string;
  /** Unique among the schedules of the workflow. */
  readonly name: string;
  readonly cronExpression: string;
  /** IANA name. */
  readonly timezone: string;
  /** Of each execution, as it is. */
  readonly input: Json;
  readonly priority: number;
  readonly overlapPolicy: OverlapPolicy;
  readonly catchupPolicy: CatchupPolicy;
  readonly catchupWindowSeconds: number;
  readonly jitterSeconds: number;
  /** ISO instants. */
  readonly startAt: string | null;
  readonly endAt: string | null;
  readonly pauseOnFailure: boolean;
}

/** What a caller says; the rest is {@link SCHEDULE_DEFAULTS}. */
export type ScheduleFields = Pick<ScheduleSettings, 'workflowId' | 'name' | 'cronExpression'> & {
  readonly [Field in keyof typeof SCHEDULE_DEFAULTS]?: ScheduleSettings[Field] | undefined;
};

export const SCHEDULE_DEFAULTS = {
  timezone: 'UTC',
  input: {},
  priority: PRIORITY.default,
  overlapPolicy: 'skip',
  catchupPolicy: 'last',
  catchupWindowSeconds: 86_400,
  jitterSeconds: 0,
  startAt: null,
  endAt: null,
  pauseOnFailure: false,
} as const satisfies Partial<ScheduleSettings>;

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const LAST_MS = Date.UTC(9999, 11, 31);

/** Fills in the defaults and checks. Problems point at the field: `/cronExpression`. */
export function checkSettings(fields: ScheduleFields): Result<ScheduleSettings> {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const settings = { ...SCHEDULE_DEFAULTS, ...given } as ScheduleSettings;
  const { name, cronExpression, timezone, input, startAt, endAt } = settings;
  const problems: Problem[] = [];
  if (name.trim() === '' || [...name].length > MAX_NAME_CHARS || !isStorableText(name))
    problems.push({
      pointer: '/name',
      code: 'name',
      message: `the name must be a text of 1 to ${MAX_NAME_CHARS} characters, got ${quoteText(name)}`,
    });
  const cron = createCron(cronExpression, timezone);
  if (!cron.ok)
    for (const problem of cron.problems)
      problems.push({ ...problem, pointer: problem.code === 'timezone' ? '/timezone' : '/cronExpression' });
  const stored = toStorableJson(input);
  if (!stored.ok)
    problems.push({ pointer: '/input', code: stored.code, message: `the input ${stored.message}` });
  for (const [field, text] of Object.entries({ startAt, endAt }))
    if (text !== null && Number.isNaN(instantMs(text)))
      problems.push({
        pointer: `/${field}`,
        code: 'format',
        message: `${quoteText(text)} is not an instant`,
        hint: 'ISO 8601 with a zone: 2027-01-01T00:00:00Z',
      });
  if (startAt !== null && endAt !== null && instantMs(endAt) <= instantMs(startAt))
    problems.push({ pointer: '/endAt', code: 'range', message: 'endAt must be after startAt' });
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      ...settings,
      timezone: cron.ok ? cron.value.timezone : timezone,
      startAt: isoOrNull(startAt),
      endAt: isoOrNull(endAt),
    },
  };
}

/** A schedule that has ended never fires. `nowMs` absent: it is not asked. */
export function endProblems(
  { endAt }: Pick<ScheduleSettings, 'endAt'>,
  nowMs: number | undefined,
): Problem[] {
  if (endAt === null || nowMs === undefined || instantMs(endAt) > nowMs) return [];
  const message = `endAt is past (${endAt}): the schedule would never fire`;
  return [{ pointer: '/endAt', code: 'range', message, hint: 'a later one, or none' }];
}

/** Milliseconds since the epoch of an ISO 8601 text with a zone, of the years 1970 to 9999; NaN where it is none. */
export function instantMs(text: string): number {
  const ms = INSTANT.test(text) && beginsWithDay(text) ? Date.parse(text) : Number.NaN;
  return ms >= 0 && ms < LAST_MS ? ms : Number.NaN;
}

function isoOrNull(text: string | null): string | null {
  return text === null ? null : new Date(instantMs(text)).toISOString();
}

/** Throws where this runtime does not know what was checked when it was saved: a zone, mostly. */
export function timingOf(
  scheduleId: string,
  settings: Pick<ScheduleSettings, 'cronExpression' | 'timezone' | 'jitterSeconds' | 'startAt' | 'endAt'>,
): Timing {
  const { cronExpression, timezone, jitterSeconds, startAt, endAt } = settings;
  return {
    scheduleId,
    cron: cronOf(cronExpression, timezone),
    jitterMs: jitterSeconds * 1_000,
    startAtMs: startAt === null ? null : Date.parse(startAt),
    endAtMs: endAt === null ? null : Date.parse(endAt),
  };
}

function cronOf(cronExpression: string, timezone: string): Cron {
  const cron = createCron(cronExpression, timezone);
  if (!cron.ok) throw new Error(cron.problems.map(({ message }) => message).join('; '));
  return cron.value;
}
