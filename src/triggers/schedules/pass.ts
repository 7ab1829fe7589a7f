// The scheduler's pass over schedules: finds those that are due or of which something has ended, decides each, and applies the
// decisions in a few commits (functions/triggers/schedules.sql says what holds when a process ends in between).
//   P1  A schedule that cannot be decided or applied is put off and told in the log; the others go on.
//   P2  What somebody has locked is passed by, and comes after all others in the next passes: however much of it is due, it fills none.
//   P3  A pass is bounded: so many schedules, so many ticks in a commit. More is due in the next, which follows at once.

import { newId } from '../../core/id.ts';
import { storableText } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { type Decision, decideTicks } from '../../core/schedule/decide-ticks.ts';
import { timingOf } from '../../core/schedule/settings.ts';
import {
  type Database,
  isConnectionLoss,
  isRetryable,
  type Queryable,
} from '../../db/connection/connection.ts';
import {
  type AppliedDecision,
  applyTicks,
  FIRST_TICK,
  findDueSchedules,
  findEndedTicks,
  findUnapplied,
  postponeSchedule,
  readScheduleInput,
  readSchedules,
  type ScheduleSnapshot,
} from '../../db/triggers/schedule-ledger.ts';
import { createStarts, type Starts } from '../starts/starts.ts';

const MAX_SCHEDULES = 500;
/** Open ticks that are looked at in one pass; the next goes on behind them. */
const MAX_OPEN_TICKS = 2_000;
/** Ticks of one commit, and after how many a pass takes no more schedules. */
const MAX_TICKS = 1_000;
const MAX_PASS_TICKS = 3_000;
const PUT_OFF_SECONDS = 60;

const NOTHING: Decision = { ticks: [], nextRunAtMs: null, dueAtMs: null };

export interface SchedulePassOptions {
  readonly database: Database;
  readonly log: TaskLog;
}

export function createSchedulePass({ database, log }: SchedulePassOptions): {
  readonly name: string;
  run(): Promise<number>;
} {
  const db = database.engine;
  const starts = createStarts({ database, log });
  /** Until when, by `performance.now()`, schedules that could not be applied are left alone by this process. */
  const resting = new Map<string, number>();
  /** P2. Schedules that the last pass which had them found locked. */
  const passedBy = new Set<string>();
  let place = FIRST_TICK;

  const putOff = async (schedule: ScheduleSnapshot, error: unknown): Promise<void> => {
    log.error('a schedule could not be looked after; it is tried again in a minute', {
      scheduleId: schedule.id,
      tenantId: schedule.tenantId,
      error: String(error),
    });
    resting.set(schedule.id, performance.now() + PUT_OFF_SECONDS * 1_000);
    if (schedule.dueAt !== null) await postponeSchedule(db, schedule, PUT_OFF_SECONDS);
  };

  // P1. Halves what fails as a whole, until the one that makes it fail is alone.
  const apply = async (batch: readonly Prepared[]): Promise<number> => {
    try {
      const decisions = batch.map(({ decision }) => decision);
      const { applied } = await applyTicks(db, decisions);
      for (const { id } of decisions) passedBy.delete(id);
      if (applied < batch.length) for (const id of await findUnapplied(db, decisions)) passedBy.add(id);
      return applied;
    } catch (error) {
      if (isConnectionLoss(error) || isRetryable(error)) throw error;
      if (batch.length === 1) {
        await putOff(batch[0]!.schedule, error);
        return 0;
      }
      const half = batch.length >> 1;
      return (await apply(batch.slice(0, half))) + (await apply(batch.slice(half)));
    }
  };

  return {
    name: 'schedules',
    async run() {
      const now = performance.now();
      for (const [id, until] of resting) if (until < now) resting.delete(id);
      const due = await findDueSchedules(db, MAX_SCHEDULES, [...resting.keys()]);
      if (due.length === MAX_SCHEDULES && passedBy.size > 0)
        due.unshift(...(await findDueSchedules(db, MAX_SCHEDULES, [...resting.keys(), ...passedBy])));
      const ended = await findEndedTicks(db, place, MAX_OPEN_TICKS);
      place = ended.next;
      const changed = ended.ids.filter((id) => !resting.has(id)).slice(0, MAX_SCHEDULES);
      const ids = [...new Set([...due.slice(0, MAX_SCHEDULES), ...changed])];
      if (ids.length === 0) return 0;
      const prepared: Prepared[] = [];
      let ticks = 0;
      for (const schedule of await readSchedules(db, ids)) {
        if (ticks >= MAX_PASS_TICKS) break;
        try {
          const decision = await prepare(db, schedule, starts);
          prepared.push({ schedule, decision });
          ticks += decision.ticks.length;
        } catch (error) {
          if (isConnectionLoss(error) || isRetryable(error)) throw error;
          await putOff(schedule, error);
        }
      }
      let applied = 0;
      for (const batch of batchesOf(prepared)) applied += await apply(batch);
      return applied;
    },
  };
}

interface Prepared {
  readonly schedule: ScheduleSnapshot;
  readonly decision: AppliedDecision;
}

async function prepare(db: Queryable, schedule: ScheduleSnapshot, starts: Starts): Promise<AppliedDecision> {
  const nowMs = Date.parse(schedule.now);
  const isDue =
    schedule.status === 'active' && schedule.dueAt !== null && Date.parse(schedule.dueAt) <= nowMs;
  const { ticks, nextRunAtMs, dueAtMs } = isDue ? decide(schedule, nowMs) : NOTHING;
  const mayStart = schedule.hasBuffered || ticks.some(({ status }) => status === 'fired');
  const refusal = mayStart ? await refusalOf(db, schedule, starts) : null;
  return {
    id: schedule.id,
    fence: schedule.fence,
    revision: schedule.revision,
    moves: isDue,
    nextRunAt: isoOf(nextRunAtMs),
    dueAt: isoOf(dueAtMs),
    promote: schedule.hasBuffered ? newId() : null,
    refusal,
    ticks: ticks.map(({ atMs, status, reason = null }) =>
      status === 'fired' && refusal !== null
        ? { at: isoOf(atMs)!, status: 'missed', reason: refusal, execution: null }
        : { at: isoOf(atMs)!, status, reason, execution: status === 'fired' ? newId() : null },
    ),
  };
}

function decide(schedule: ScheduleSnapshot, nowMs: number): Decision {
  return decideTicks(
    {
      timing: timingOf(schedule.id, schedule),
      overlapPolicy: schedule.overlapPolicy,
      catchupPolicy: schedule.catchupPolicy,
      catchupWindowMs: schedule.catchupWindowSeconds * 1_000,
      nextRunAtMs: Date.parse(schedule.nextRunAt!),
      isRunning: schedule.isRunning,
      hasBuffered: schedule.hasBuffered,
    },
    nowMs,
  );
}

// The workflow may have been changed since the schedule was saved.
async function refusalOf(
  db: Queryable,
  { id, tenantId, versionId, input }: ScheduleSnapshot,
  starts: Starts,
): Promise<string | null> {
  if (versionId === null) return null;
  const problems = await starts.checkInput(
    { tenantId, versionId },
    input === undefined ? await readScheduleInput(db, id) : input,
  );
  if (problems.length === 0) return null;
  return storableText(
    `validation: ${problems.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}`,
    500,
  );
}

function batchesOf(prepared: readonly Prepared[]): Prepared[][] {
  const batches: Prepared[][] = [];
  let room = 0;
  for (const one of prepared) {
    const size = one.decision.ticks.length + 1;
    if (size > room || batches.length === 0) {
      batches.push([]);
      room = MAX_TICKS;
    }
    batches.at(-1)!.push(one);
    room -= size;
  }
  return batches;
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
