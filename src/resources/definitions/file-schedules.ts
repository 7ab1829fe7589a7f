// Schedules of definitions: brought in step with their triggers, matched by name. See sync-triggers.ts.
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { ScheduleTrigger } from '../../core/definition/trigger-model.ts';
import type { Problem } from '../../core/errors.ts';
import { checkSettings, type ScheduleSettings } from '../../core/schedule/settings.ts';
import type { Acting } from '../../db/connection/connection.ts';
import { type FileScheduleRow, lockFileSchedules } from '../../db/resources/file-triggers.ts';
import { findSchedule, type ScheduleView } from '../../db/resources/schedules.ts';
import { addSchedule, removeSchedule, returnSchedule, updateSchedule } from '../schedules/times.ts';
import { below, type TriggerPlace } from './trigger-place.ts';

/** The schedules that a definition wants. */
export interface SchedulesOf {
  readonly workflowId: string;
  readonly schedules: readonly TriggerPlace<ScheduleTrigger>[];
}

/** A schedule that a definition has. */
export interface FileSchedule {
  readonly id: string;
  readonly name: string;
  readonly nextRunAt: string | null;
}

/** One that has left its definition. */
export type RemovedSchedule = Pick<FileScheduleRow, 'id' | 'workflowId' | 'name'>;

/** Locks all that these definitions have or had, and removes what they do not want any more. */
export async function detachSchedules(
  client: pg.ClientBase,
  tenantId: string,
  wanted: readonly SchedulesOf[],
): Promise<{ readonly standing: readonly FileScheduleRow[]; readonly removed: readonly RemovedSchedule[] }> {
  const standing = await lockFileSchedules(
    client,
    tenantId,
    wanted.map(({ workflowId }) => workflowId),
  );
  const removed = standing.filter(
    ({ workflowId, name, isRemoved }) =>
      !isRemoved &&
      !wanted.some(
        (one) => one.workflowId === workflowId && one.schedules.some(({ trigger }) => trigger.name === name),
      ),
  );
  for (const { id } of removed) await removeSchedule(client, tenantId, id);
  return { standing, removed };
}

/** Makes, changes and takes back what a definition wants; problems where something stands in the way. */
export async function attachSchedules(
  client: pg.ClientBase,
  { tenantId, actor }: Pick<Acting, 'tenantId' | 'actor'>,
  { workflowId, schedules: wanted }: SchedulesOf,
  standing: readonly FileScheduleRow[],
): Promise<{ readonly schedules: readonly FileSchedule[]; readonly problems: readonly Problem[] }> {
  const schedules: FileSchedule[] = [];
  const problems: Problem[] = [];
  for (const { pointer, trigger } of wanted) {
    const { type: _, ...fields } = trigger;
    const checked = checkSettings({ ...fields, workflowId });
    if (!checked.ok) {
      problems.push(...below(pointer, checked.problems));
      continue;
    }
    const settings = checked.value;
    const before = standing.find((row) => row.workflowId === workflowId && row.name === trigger.name);
    const saved =
      before === undefined
        ? await addSchedule(client, tenantId, settings, { createdBy: actor, fromDefinition: true })
        : await keepSchedule(client, tenantId, before, settings);
    if (saved !== null) schedules.push(viewOf(saved));
    else
      problems.push({
        pointer: `${pointer}/name`,
        code: 'name_taken',
        message: `the workflow has a schedule ${JSON.stringify(trigger.name)} that is not of its definition`,
        hint: 'delete that one, or give this one another name',
      });
  }
  return { schedules, problems };
}

async function keepSchedule(
  client: pg.ClientBase,
  tenantId: string,
  { id, isRemoved }: FileScheduleRow,
  settings: ScheduleSettings,
): Promise<ScheduleView | null> {
  if (isRemoved) await returnSchedule(client, tenantId, id);
  const before = (await findSchedule(client, tenantId, id))!;
  return isSame(before, settings) ? before : await updateSchedule(client, tenantId, before, settings);
}

const viewOf = ({ id, name, nextRunAt }: ScheduleView): FileSchedule => ({ id, name, nextRunAt });

function isSame(before: ScheduleView, settings: ScheduleSettings): boolean {
  return Object.entries(settings).every(([field, value]) => {
    const now = before[field as keyof ScheduleSettings];
    const isInstant = (field === 'startAt' || field === 'endAt') && value !== null && now !== null;
    return isInstant ? Date.parse(String(value)) === Date.parse(String(now)) : isDeepStrictEqual(value, now);
  });
}
