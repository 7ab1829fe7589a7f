// What people do with schedules, for HTTP and the command line alike: what must hold between a schedule and its workflow, backfill,
// run now. `client` is in a transaction of the tenant's role.
import type pg from 'pg';
import { quoteText } from '../core/definition/quote-text.ts';
import { applyDefaults, compileSchema } from '../core/definition/schema/input-schema.ts';
import type { Problem } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { checkSettings, instantMs, type ScheduleFields, timingOf } from '../core/schedule/settings.ts';
import { nextNominal } from '../core/schedule/timing.ts';
import type { Acting } from '../db/connection/connection.ts';
import { findWorkflow } from '../db/resources/definitions.ts';
import { type BackfilledTick, backfillSchedule, runSchedule } from '../db/resources/schedule-ticks.ts';
import {
  createSchedule,
  findSchedule,
  lockSchedule,
  nowMs,
  pauseSchedule,
  resumeSchedule,
  type ScheduleView,
  updateSchedule,
} from '../db/resources/schedules.ts';
import { removedProblem } from './removed.ts';

/** Nominal times of one backfill. */
export const MAX_BACKFILL = 1_000;

export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      /** `validation`: what was asked does not fit. The others are about what is there. */
      readonly code:
        | 'validation'
        | 'not_found'
        | 'removed'
        | 'name_taken'
        | 'from_definition'
        | 'cannot_start';
      readonly problems: readonly Problem[];
    };
type Refused = Extract<Outcome<never>, { ok: false }>;

/** Makes a schedule in the caller's transaction. */
export async function addSchedule(
  client: pg.ClientBase,
  { tenantId, actor }: Acting,
  fields: ScheduleFields,
): Promise<Outcome<ScheduleView>> {
  const checked = await checkFields(client, tenantId, fields);
  if (!checked.ok) return checked;
  const saved = await createSchedule(client, tenantId, checked.value, { createdBy: actor });
  return saved.ok ? { ok: true, value: saved.schedule } : nameTaken(fields);
}

/** Changes what is named; with `isWhole` what is not named goes back to its default. The workflow stays. */
export async function changeSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
  change: Partial<ScheduleFields>,
  { isWhole = false }: { readonly isWhole?: boolean } = {},
): Promise<Outcome<ScheduleView>> {
  const before = await lockSchedule(client, tenantId, id);
  if (before === null) return await notThere(client, tenantId, id);
  if (before.fromDefinition)
    return refused('from_definition', {
      pointer: '',
      code: 'from_definition',
      message: `the schedule belongs to the definition of "${before.workflowId}"`,
      hint: 'change its `triggers` and apply it; it may be paused and resumed here',
    });
  if (change.workflowId !== undefined && change.workflowId !== before.workflowId)
    return refused('validation', {
      pointer: '/workflowId',
      code: 'immutable',
      message: `the schedule is of workflow "${before.workflowId}", and stays so`,
      hint: 'make another schedule for the other workflow',
    });
  const fields = isWhole
    ? { ...change, workflowId: before.workflowId }
    : { ...settingsOf(before), ...defined(change) };
  const checked = await checkFields(client, tenantId, fields as ScheduleFields);
  if (!checked.ok) return checked;
  const saved = await updateSchedule(client, tenantId, id, checked.value);
  if (saved.ok) return { ok: true, value: saved.schedule };
  return saved.problem === 'name_taken' ? nameTaken(checked.value) : await notThere(client, tenantId, id);
}

/** Nothing fires until it is resumed, and the times in between get no rows. */
export async function pause(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
  reason: string,
): Promise<Outcome<ScheduleView>> {
  const schedule = await pauseSchedule(client, tenantId, id, reason);
  return schedule === null ? await notThere(client, tenantId, id) : { ok: true, value: schedule };
}

/** Goes on with the first nominal time from now on. */
export async function resume(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<ScheduleView>> {
  const schedule = await resumeSchedule(client, tenantId, id);
  return schedule === null ? await notThere(client, tenantId, id) : { ok: true, value: schedule };
}

/** Starts the nominal times of `from` (inclusive) to `to` (exclusive) that have no execution. */
export async function backfill(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
  range: { readonly from: string; readonly to: string },
): Promise<
  Outcome<{
    readonly started: number;
    readonly skipped: number;
    readonly executions: readonly BackfilledTick[];
  }>
> {
  const schedule = await lockSchedule(client, tenantId, id);
  if (schedule === null) return await notThere(client, tenantId, id);
  const now = await nowMs(client);
  const [fromMs, toMs] = [instantMs(range.from), instantMs(range.to)];
  const problems = rangeProblems(range, { fromMs, toMs, now });
  if (problems.length > 0) return { ok: false, code: 'validation', problems };
  const timing = timingOf(id, schedule);
  const times: number[] = [];
  let next = nextNominal(timing, fromMs - 1);
  while (next !== null && next < toMs && times.length <= MAX_BACKFILL) {
    times.push(next);
    next = nextNominal(timing, next);
  }
  if (times.length > MAX_BACKFILL)
    return refused('validation', {
      pointer: '/to',
      code: 'too_many',
      message: `the range holds more than ${MAX_BACKFILL} nominal times, which is what one backfill may start`,
      hint: `the first ${MAX_BACKFILL} end before "to": "${new Date(times[MAX_BACKFILL]!).toISOString()}"; go on from there`,
    });
  const workflow = await checkWorkflow(client, tenantId, schedule);
  if (!workflow.ok) return { ...workflow, code: 'cannot_start' };
  const executions = await backfillSchedule(client, id, { revision: workflow.value, times });
  const failed = executions.find(({ executionId }) => executionId === null);
  if (failed !== undefined) return cannotStart(failed.reason ?? 'it cannot start');
  return {
    ok: true,
    value: { started: executions.length, skipped: times.length - executions.length, executions },
  };
}

/** Starts one execution at once, also of a paused schedule. It is no tick: overlap does not see it. */
export async function runNow(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<{ readonly id: string }>> {
  const schedule = await lockSchedule(client, tenantId, id);
  if (schedule === null) return await notThere(client, tenantId, id);
  const workflow = await checkWorkflow(client, tenantId, schedule);
  if (!workflow.ok) return { ...workflow, code: 'cannot_start' };
  const started = await runSchedule(client, id, workflow.value);
  if (started === null) return await notThere(client, tenantId, id);
  if (started.problem !== null) return cannotStart(START_PROBLEMS[started.problem] ?? started.problem);
  return { ok: true, value: { id: started.id } };
}

const START_PROBLEMS: Readonly<Record<string, string>> = {
  not_found: 'the workflow does not exist',
  not_active: 'the workflow is not active',
  tenant_suspended: 'the tenant is suspended',
  tier_too_low: 'the workflow needs a tenant of a higher tier',
};

async function checkFields(client: pg.ClientBase, tenantId: string, fields: ScheduleFields) {
  const settings = checkSettings(fields);
  const workflow = await checkWorkflow(client, tenantId, { input: {}, ...defined(fields) } as ScheduleFields);
  if (settings.ok && workflow.ok) return settings;
  const problems = [settings, workflow].flatMap((part) => (part.ok ? [] : part.problems));
  return { ok: false, code: 'validation', problems } satisfies Refused;
}

// The revision that a start takes now, its input schema kept; null where the schema cannot be used, which a worker judges.
async function checkWorkflow(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, input = {} }: Pick<ScheduleFields, 'workflowId' | 'input'>,
): Promise<Outcome<number>> {
  const workflow = await findWorkflow(client, tenantId, workflowId);
  if (workflow === null)
    return refused('validation', {
      pointer: '/workflowId',
      code: 'not_found',
      message: `there is no workflow ${quoteText(workflowId)}`,
      hint: 'apply its definition first',
    });
  const { revision, definition } = workflow;
  const schema = definition.inputSchema === undefined ? null : compileSchema(definition.inputSchema as Json);
  const problems =
    schema?.ok === true ? schema.value.validate(applyDefaults(definition.defaultParameters, input)) : [];
  if (problems.length === 0) return { ok: true, value: revision };
  return {
    ok: false,
    code: 'validation',
    problems: problems.map((problem) => ({ ...problem, pointer: `/input${problem.pointer}` })),
  };
}

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

function settingsOf(schedule: ScheduleView): ScheduleFields {
  const { workflowId, name, cronExpression, timezone, input, priority, overlapPolicy, catchupPolicy } =
    schedule;
  const { catchupWindowSeconds, jitterSeconds, startAt, endAt, pauseOnFailure } = schedule;
  return {
    ...{ workflowId, name, cronExpression, timezone, input, priority, overlapPolicy, catchupPolicy },
    ...{ catchupWindowSeconds, jitterSeconds, startAt, endAt, pauseOnFailure },
  };
}

const defined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

function refused(code: Refused['code'], problem: Problem): Refused {
  return { ok: false, code, problems: [problem] };
}

async function notThere(client: pg.ClientBase, tenantId: string, id: string): Promise<Refused> {
  const removed = await findSchedule(client, tenantId, id);
  return removed === null
    ? refused('not_found', { pointer: '', code: 'not_found', message: 'no such schedule' })
    : refused('removed', removedProblem('schedule', removed));
}

const nameTaken = ({ workflowId, name }: Pick<ScheduleFields, 'workflowId' | 'name'>) =>
  refused('name_taken', {
    pointer: '/name',
    code: 'name_taken',
    message: `workflow ${quoteText(workflowId)} has another schedule named ${quoteText(name)}`,
  });

const cannotStart = (message: string) =>
  refused('cannot_start', { pointer: '', code: 'cannot_start', message });
