// The times of a schedule: what comes, what became of those that were, and what people start by hand. `client` is in a
// transaction of the tenant's role.
import type pg from 'pg';
import { quoteText } from '../../core/definition/quote-text.ts';
import type { Problem } from '../../core/errors.ts';
import { type PreviewedTick, previewTicks } from '../../core/schedule/preview.ts';
import {
  checkSettings,
  instantMs,
  type ScheduleFields,
  type ScheduleSettings,
  timingOf,
} from '../../core/schedule/settings.ts';
import { nextNominal } from '../../core/schedule/timing.ts';
import type { TickStatus } from '../../core/schedule/words.ts';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { Acting } from '../../db/connection/connection.ts';
import {
  type BackfilledTick,
  findTicks,
  startNow,
  startTicks,
  type TickView,
} from '../../db/resources/schedule-ticks.ts';
import { findSchedule, lockSchedule, nowMs } from '../../db/resources/schedules.ts';
import { done, invalid, type Outcome, type Refused, refused } from '../outcome.ts';
import { refuseMissing, unknownSchedule } from './schedules.ts';
import { checkWorkflow } from './workflow-input.ts';

/** Nominal times of one backfill. */
export const MAX_BACKFILL = 1_000;
/** Nominal times of one preview. */
export const PREVIEW_COUNT = { max: 100, default: 10 } as const;

/** Newest nominal time first; `before` (ISO) is the one to go on after; `from` inclusive, `to` exclusive. */
export async function listTicks(
  client: pg.ClientBase,
  { tenantId }: Acting,
  {
    scheduleId,
    ...filter
  }: {
    readonly scheduleId: string;
    readonly limit: number;
    readonly before: string | null;
    readonly status?: TickStatus | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
  },
): Promise<Outcome<BoundedPage<TickView>>> {
  if ((await findSchedule(client, tenantId, scheduleId)) === null) return unknownSchedule(scheduleId);
  return done(await findTicks(client, tenantId, scheduleId, filter));
}

export interface Preview {
  readonly timezone: string;
  readonly items: readonly PreviewedTick[];
}

/** The next nominal times; of a paused schedule as if it were resumed now. */
export async function previewSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, count = PREVIEW_COUNT.default }: { readonly id: string; readonly count?: number | undefined },
): Promise<Outcome<Preview>> {
  const schedule = await findSchedule(client, tenantId, id);
  if (schedule === null) return unknownSchedule(id);
  const items = previewTicks(timingOf(id, schedule), await nowMs(client), count);
  return done({ timezone: schedule.timezone, items });
}

/** What is previewed without a schedule. */
export interface GivenTiming extends Omit<ScheduleFields, 'workflowId' | 'name'> {
  readonly count?: number | undefined;
}

/** Why an expression cannot be previewed; null: it can. Needs no database. */
export function checkTiming(given: GivenTiming): Refused | null {
  const checked = readTiming(given);
  return checked.ok ? null : checked;
}

/** The next nominal times of an expression, without a schedule. */
export async function previewExpression(
  client: pg.ClientBase,
  _acting: Acting,
  given: GivenTiming,
): Promise<Outcome<Preview>> {
  const checked = readTiming(given);
  if (!checked.ok) return checked;
  const { count = PREVIEW_COUNT.default } = given;
  const items = previewTicks(timingOf('', checked.value), await nowMs(client), count);
  return done({ timezone: checked.value.timezone, items });
}

function readTiming({ count: _, ...timing }: GivenTiming): Outcome<ScheduleSettings> {
  const checked = checkSettings({ workflowId: '-', name: '-', ...timing });
  return checked.ok ? done(checked.value) : invalid(checked.problems);
}

export interface Backfill {
  readonly started: number;
  /** Nominal times that had an execution already. */
  readonly skipped: number;
  readonly executions: readonly BackfilledTick[];
}

/** Starts the nominal times of `from` (inclusive) to `to` (exclusive) that have no execution. */
export async function backfillSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, ...range }: { readonly id: string; readonly from: string; readonly to: string },
): Promise<Outcome<Backfill>> {
  const schedule = await lockSchedule(client, tenantId, id);
  if (schedule === null) return await refuseMissing(client, tenantId, id);
  const now = await nowMs(client);
  const [fromMs, toMs] = [instantMs(range.from), instantMs(range.to)];
  const problems = rangeProblems(range, { fromMs, toMs, now });
  if (problems.length > 0) return invalid(problems);
  const timing = timingOf(id, schedule);
  const times: number[] = [];
  let next = nextNominal(timing, fromMs - 1);
  while (next !== null && next < toMs && times.length <= MAX_BACKFILL) {
    times.push(next);
    next = nextNominal(timing, next);
  }
  if (times.length > MAX_BACKFILL)
    return invalid([
      {
        pointer: '/to',
        code: 'too_many',
        message: `the range holds more than ${MAX_BACKFILL} nominal times, which is what one backfill may start`,
        hint: `the first ${MAX_BACKFILL} end before "to": "${new Date(times[MAX_BACKFILL]!).toISOString()}"; go on from there`,
      },
    ]);
  const workflow = await checkWorkflow(client, tenantId, schedule);
  if (!workflow.ok) return { ...workflow, code: 'cannot_start' };
  const executions = await startTicks(client, id, { revision: workflow.value, times });
  const failed = executions.find(({ executionId }) => executionId === null);
  if (failed !== undefined) return cannotStart(failed.reason ?? 'it cannot start');
  return done({ started: executions.length, skipped: times.length - executions.length, executions });
}

/** Starts one execution at once, also of a paused schedule. It is no tick: overlap does not see it. */
export async function runSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<{ readonly id: string; readonly status: 'pending' }>> {
  const schedule = await lockSchedule(client, tenantId, id);
  if (schedule === null) return await refuseMissing(client, tenantId, id);
  const workflow = await checkWorkflow(client, tenantId, schedule);
  if (!workflow.ok) return { ...workflow, code: 'cannot_start' };
  const started = await startNow(client, id, workflow.value);
  if (started === null) return await refuseMissing(client, tenantId, id);
  if (started.problem !== null) return cannotStart(START_PROBLEMS[started.problem] ?? started.problem);
  return done({ id: started.id, status: 'pending' });
}

const START_PROBLEMS: Readonly<Record<string, string>> = {
  not_found: 'the workflow does not exist',
  not_active: 'the workflow is not active',
  tenant_suspended: 'the tenant is suspended',
  tier_too_low: 'the workflow needs a tenant of a higher tier',
  too_many_starts: 'the tenant has started as many executions within a minute as it may',
  too_many_waiting: 'the tenant has as many executions waiting as it may',
};

function rangeProblems(
  range: { readonly from: string; readonly to: string },
  { fromMs, toMs, now }: { readonly fromMs: number; readonly toMs: number; readonly now: number },
): Problem[] {
  const problems: Problem[] = [];
  for (const [field, ms] of Object.entries({ from: fromMs, to: toMs }))
    if (Number.isNaN(ms))
      problems.push({
        pointer: `/${field}`,
        code: 'format',
        message: `${quoteText(range[field as 'from' | 'to'])} is not an instant`,
        hint: 'ISO 8601 with a zone: 2027-01-01T00:00:00Z',
      });
  if (toMs <= fromMs) problems.push({ pointer: '/to', code: 'range', message: '`to` must be after `from`' });
  if (toMs > now)
    problems.push({
      pointer: '/to',
      code: 'range',
      message: '`to` lies in the future, which the schedule itself fires',
      hint: `at most "${new Date(now).toISOString()}"`,
    });
  return problems;
}

const cannotStart = (message: string) =>
  refused('cannot_start', { pointer: '', code: 'cannot_start', message });
