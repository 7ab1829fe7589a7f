// Schedules of a definition: brought in step with its triggers, matched by name.
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { ScheduleTrigger } from '../core/definition/trigger-model.ts';
import type { Problem } from '../core/errors.ts';
import { checkSettings, type ScheduleSettings } from '../core/schedule/settings.ts';
import type { Acting } from '../db/connection.ts';
import { lockFileSchedules } from '../db/file-triggers.ts';
import {
  createSchedule,
  deleteSchedule,
  findSchedule,
  type ScheduleView,
  updateSchedule,
} from '../db/schedules.ts';
import { below, type Placed } from './placed.ts';

/** A schedule that a definition has. */
export interface FileSchedule {
  readonly id: string;
  readonly name: string;
  readonly nextRunAt: string | null;
}

/** Creates, changes and removes; problems where something stands in the way, of which the transaction must then be none. */
export async function syncSchedules(
  client: pg.ClientBase,
  { tenantId, actor }: Pick<Acting, 'tenantId' | 'actor'>,
  workflowId: string,
  placed: readonly Placed<ScheduleTrigger>[],
): Promise<{ readonly schedules: readonly FileSchedule[]; readonly problems: readonly Problem[] }> {
  const existing = await lockFileSchedules(client, tenantId, workflowId);
  for (const [name, id] of existing)
    if (!placed.some(({ trigger }) => trigger.name === name)) await deleteSchedule(client, tenantId, id);
  const schedules: FileSchedule[] = [];
  const problems: Problem[] = [];
  for (const { pointer, trigger } of placed) {
    const { type: _, ...fields } = trigger;
    const checked = checkSettings({ ...fields, workflowId });
    if (!checked.ok) {
      problems.push(...below(pointer, checked.problems));
      continue;
    }
    const settings = checked.value;
    const id = existing.get(trigger.name);
    const before = id === undefined ? null : await findSchedule(client, tenantId, id);
    const saved =
      before === null
        ? await createSchedule(client, tenantId, settings, { createdBy: actor, fromDefinition: true })
        : isSame(before, settings)
          ? { ok: true as const, schedule: before }
          : await updateSchedule(client, tenantId, before.id, settings);
    if (saved.ok) schedules.push(viewOf(saved.schedule));
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

const viewOf = ({ id, name, nextRunAt }: ScheduleView): FileSchedule => ({ id, name, nextRunAt });

function isSame(before: ScheduleView, settings: ScheduleSettings): boolean {
  return Object.entries(settings).every(([field, value]) => {
    const now = before[field as keyof ScheduleSettings];
    const isInstant = (field === 'startAt' || field === 'endAt') && value !== null && now !== null;
    return isInstant ? Date.parse(String(value)) === Date.parse(String(now)) : isDeepStrictEqual(value, now);
  });
}
