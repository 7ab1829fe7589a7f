// What changes of a schedule do to its times, by whoever they are made: an owner or a definition. Settings have been checked.
//   T1  The next time is the first nominal time from now on, by the database's clock.
//   T2  Nothing vanishes: what was due before a change that makes it never fire is told as missed.
//   T3  One made by hand takes the place of a removed one of its name.
import type pg from 'pg';
import { newId } from '../../core/id.ts';
import { type ScheduleSettings, timingOf } from '../../core/schedule/settings.ts';
import { dueTime, nextNominal, type Timing } from '../../core/schedule/timing.ts';
import type { NextRun, ScheduleView } from '../../db/resources/schedules.ts';
import * as rows from '../../db/resources/schedules.ts';

/** Overdue nominal times that are recorded as missed at most. */
const MAX_MISSED = 1_000;
const NEVER: NextRun = { nextRunAt: null, dueAt: null };

/** Makes an active schedule. Null where the workflow has another of its name. */
export async function addSchedule(
  client: pg.ClientBase,
  tenantId: string,
  settings: ScheduleSettings,
  { createdBy, fromDefinition = false }: { readonly createdBy: string; readonly fromDefinition?: boolean },
): Promise<ScheduleView | null> {
  if (!fromDefinition) await rows.deleteRemovedSchedule(client, tenantId, settings);
  const id = newId();
  const next = nextRun(timingOf(id, settings), await rows.nowMs(client));
  return await rows.insertSchedule(client, tenantId, settings, { id, createdBy, fromDefinition, ...next });
}

/**
 * Changes one that the caller has locked; its workflow stays. Another expression, zone, startAt or endAt counts from now on. Null
 * where the workflow has another schedule of its name.
 */
export async function updateSchedule(
  client: pg.ClientBase,
  tenantId: string,
  before: ScheduleView,
  settings: ScheduleSettings,
): Promise<ScheduleView | null> {
  const { id } = before;
  if (settings.name !== before.name)
    await rows.deleteRemovedSchedule(client, tenantId, { ...before, name: settings.name });
  const timing = timingOf(id, settings);
  let { nextRunAt } = before;
  if (before.status === 'active' && !isSameTiming(before, settings)) {
    const now = await rows.nowMs(client);
    await missOverdue(client, before, { now, reason: 'the schedule was changed before it fired' });
    nextRunAt = nextRun(timing, now).nextRunAt;
  }
  const dueAt = nextRunAt === null ? null : isoOf(dueTime(timing, Date.parse(nextRunAt)));
  return await rows.updateSettings(client, tenantId, id, settings, { nextRunAt, dueAt });
}

/** Nothing fires until it is resumed, and the times in between get no rows. The caller has locked it. */
export async function stopSchedule(
  client: pg.ClientBase,
  tenantId: string,
  before: ScheduleView,
  reason: string,
): Promise<ScheduleView> {
  if (before.status === 'paused') return before;
  const now = await rows.nowMs(client);
  await missOverdue(client, before, { now, reason: 'the schedule was paused', givesUp: true });
  return await rows.setPaused(client, tenantId, before.id, reason);
}

/** Goes on with the first nominal time from now on. The caller has locked it. */
export async function continueSchedule(
  client: pg.ClientBase,
  tenantId: string,
  before: ScheduleView,
): Promise<ScheduleView> {
  if (before.status === 'active') return before;
  const next = nextRun(timingOf(before.id, before), await rows.nowMs(client));
  return await rows.setActive(client, tenantId, before.id, next);
}

/** Takes one away from its definition: nothing fires, what was buffered is given up, and all that it has stays, its status too. */
export async function removeSchedule(client: pg.ClientBase, tenantId: string, id: string): Promise<void> {
  const before = await rows.lockSchedule(client, tenantId, id);
  if (before === null) return;
  const now = await rows.nowMs(client);
  const reason = 'the schedule was removed from its definition';
  await missOverdue(client, before, { now, reason, givesUp: true });
  await rows.setRemoved(client, tenantId, id);
}

/** Brings back one that was removed and that the caller has locked; if active, it goes on with the first nominal time from now on. */
export async function returnSchedule(client: pg.ClientBase, tenantId: string, id: string): Promise<void> {
  const before = (await rows.findSchedule(client, tenantId, id))!;
  const next = before.status === 'active' ? nextRun(timingOf(id, before), await rows.nowMs(client)) : NEVER;
  await rows.setReturned(client, tenantId, id, next);
}

// T1
function nextRun(timing: Timing, now: number): NextRun {
  const next = nextNominal(timing, now);
  return next === null ? NEVER : { nextRunAt: isoOf(next), dueAt: isoOf(dueTime(timing, next)) };
}

// T2
async function missOverdue(
  client: pg.ClientBase,
  schedule: ScheduleView,
  {
    now,
    reason,
    givesUp = false,
  }: { readonly now: number; readonly reason: string; readonly givesUp?: boolean },
): Promise<void> {
  const times: string[] = [];
  if (schedule.nextRunAt !== null) {
    const timing = timingOf(schedule.id, schedule);
    let next: number | null = Date.parse(schedule.nextRunAt);
    while (next !== null && next <= now && times.length < MAX_MISSED) {
      times.push(isoOf(next));
      next = nextNominal(timing, next);
    }
  }
  await rows.missTicks(client, schedule.id, { times, reason, givesUp });
}

function isSameTiming(before: ScheduleView, after: ScheduleSettings): boolean {
  const same = (a: string | null, b: string | null) =>
    a === b || (a !== null && b !== null && Date.parse(a) === Date.parse(b));
  return (
    before.cronExpression === after.cronExpression &&
    before.timezone === after.timezone &&
    same(before.startAt, after.startAt) &&
    same(before.endAt, after.endAt)
  );
}

const isoOf = (ms: number) => new Date(ms).toISOString();
