// Schedules of a tenant: what people do with them, by HTTP and the command line alike. Their times: ticks.ts. `client` is in a
// transaction of the tenant's role.
import type pg from 'pg';
import { quoteText } from '../../core/definition/quote-text.ts';
import {
  checkSettings,
  endProblems,
  type ScheduleFields,
  type ScheduleSettings,
} from '../../core/schedule/settings.ts';
import type { ScheduleStatus } from '../../core/schedule/words.ts';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { Acting } from '../../db/connection/connection.ts';
import type { ScheduleView } from '../../db/resources/schedules.ts';
import * as rows from '../../db/resources/schedules.ts';
import { done, invalid, notFound, type Outcome, type Refused, refused } from '../outcome.ts';
import { removedProblem } from '../removed.ts';
import { addSchedule, continueSchedule, stopSchedule, updateSchedule } from './times.ts';
import { checkWorkflow } from './workflow-input.ts';

export type { ScheduleView };

/** Those that are there, newest first; `before` is the id to go on after. */
export function listSchedules(
  client: pg.ClientBase,
  { tenantId }: Acting,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly workflowId?: string | undefined;
    readonly status?: ScheduleStatus | undefined;
  },
): Promise<BoundedPage<ScheduleView>> {
  return rows.findSchedules(client, tenantId, filter);
}

/** Also one that was removed. */
export async function showSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<ScheduleView>> {
  const found = await rows.findSchedule(client, tenantId, id);
  return found === null ? unknownSchedule(id) : done(found);
}

/** Active at once. */
export async function createSchedule(
  client: pg.ClientBase,
  { tenantId, actor }: Acting,
  fields: ScheduleFields,
): Promise<Outcome<ScheduleView>> {
  const checked = await checkFields(client, tenantId, fields, { nowMs: Date.now() });
  if (!checked.ok) return checked;
  const made = await addSchedule(client, tenantId, checked.value, { createdBy: actor });
  return made === null ? nameTaken(fields) : done(made);
}

/** Changes what is named; with `isWhole` what is not named goes back to its default. The workflow stays. */
export async function changeSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  {
    id,
    change,
    isWhole = false,
  }: { readonly id: string; readonly change: Partial<ScheduleFields>; readonly isWhole?: boolean },
): Promise<Outcome<ScheduleView>> {
  const before = await rows.lockSchedule(client, tenantId, id);
  if (before === null) return await refuseMissing(client, tenantId, id);
  if (before.fromDefinition)
    return refused('from_definition', {
      pointer: '',
      code: 'from_definition',
      message: `the schedule belongs to the definition of "${before.workflowId}"`,
      hint: 'change its `triggers` and apply it; it may be paused and resumed here',
    });
  if (change.workflowId !== undefined && change.workflowId !== before.workflowId)
    return invalid([
      {
        pointer: '/workflowId',
        code: 'immutable',
        message: `the schedule is of workflow "${before.workflowId}", and stays so`,
        hint: 'make another schedule for the other workflow',
      },
    ]);
  const fields = isWhole
    ? { ...change, workflowId: before.workflowId }
    : { ...settingsOf(before), ...withoutAbsent(change) };
  // One that has ended may be changed in other ways.
  const nowMs = fields.endAt === before.endAt ? undefined : Date.now();
  const checked = await checkFields(client, tenantId, fields as ScheduleFields, { nowMs });
  if (!checked.ok) return checked;
  const changed = await updateSchedule(client, tenantId, before, checked.value);
  return changed === null ? nameTaken(checked.value) : done(changed);
}

/** Characters; lists show it. */
export const MAX_PAUSE_REASON = 1_000;

/** Nothing fires until it is resumed, and the times in between get no rows. */
export async function pauseSchedule(
  client: pg.ClientBase,
  { tenantId, actor }: Acting,
  { id, reason = `paused by ${actor}` }: { readonly id: string; readonly reason?: string | undefined },
): Promise<Outcome<ScheduleView>> {
  const before = await rows.lockSchedule(client, tenantId, id);
  if (before === null) return await refuseMissing(client, tenantId, id);
  return done(await stopSchedule(client, tenantId, before, reason));
}

/** Goes on with the first nominal time from now on. */
export async function resumeSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<ScheduleView>> {
  const before = await rows.lockSchedule(client, tenantId, id);
  if (before === null) return await refuseMissing(client, tenantId, id);
  return done(await continueSchedule(client, tenantId, before));
}

/** Deletes it with its ticks, also one that was removed; executions stay. */
export async function deleteSchedule(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<{ readonly id: string }>> {
  return (await rows.deleteSchedule(client, tenantId, id)) ? done({ id }) : unknownSchedule(id);
}

export const unknownSchedule = (id: string): Refused => notFound('schedule', `there is no schedule ${id}`);

/** Of one that cannot be acted upon: it was removed from its definition, or there is none. */
export async function refuseMissing(client: pg.ClientBase, tenantId: string, id: string): Promise<Refused> {
  const removed = await rows.findSchedule(client, tenantId, id);
  return removed === null ? unknownSchedule(id) : refused('removed', removedProblem('schedule', removed));
}

async function checkFields(
  client: pg.ClientBase,
  tenantId: string,
  fields: ScheduleFields,
  { nowMs }: { readonly nowMs: number | undefined },
): Promise<Outcome<ScheduleSettings>> {
  const settings = checkSettings(fields);
  const workflow = await checkWorkflow(client, tenantId, fields);
  const ended = settings.ok ? endProblems(settings.value, nowMs) : [];
  if (settings.ok && workflow.ok && ended.length === 0) return settings;
  return invalid([...[settings, workflow].flatMap((part) => (part.ok ? [] : part.problems)), ...ended]);
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

const withoutAbsent = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

const nameTaken = ({ workflowId, name }: Pick<ScheduleFields, 'workflowId' | 'name'>) =>
  refused('name_taken', {
    pointer: '/name',
    code: 'name_taken',
    message: `workflow ${quoteText(workflowId)} has another schedule named ${quoteText(name)}`,
  });
