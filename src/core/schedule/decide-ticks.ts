// Decides what becomes of a schedule's nominal times that are due: a snapshot and the database's `now` in, ticks out. Pure;
// functions/triggers/schedules.sql applies it.
//   D1  Every nominal time from nextRunAt on that is due gets exactly one tick, in order, or is left for the next decision.
//   D2  Late is what is due for longer than GRACE_MS: nobody looked after schedules. catchupPolicy is about late ones only.
//   D3  No policy of overlap lets two ticks run at once but allow_all. What `all` catches up under skip or buffer_one is
//       buffered, however much it is, and fires one after the other; under cancel_other only the latest of a decision fires.
//   D4  A decision is bounded; where more is due, the schedule is due again at once.

import { dueTime, latestDue, nextNominal, type Timing } from './timing.ts';
import type { CatchupPolicy, OverlapPolicy, TickStatus } from './words.ts';

/** Longer than a restart of the database or of the service takes, shorter than any interval. */
export const GRACE_MS = 10_000;
/** Ticks of one decision. */
export const MAX_TICKS = 200;

export interface ScheduleState {
  readonly timing: Timing;
  readonly overlapPolicy: OverlapPolicy;
  readonly catchupPolicy: CatchupPolicy;
  readonly catchupWindowMs: number;
  /** The first nominal time that has not been decided. */
  readonly nextRunAtMs: number;
  /** An execution of a fired tick is open. */
  readonly isRunning: boolean;
  /** A buffered tick waits. */
  readonly hasBuffered: boolean;
}

export interface TickDecision {
  readonly atMs: number;
  readonly status: Exclude<TickStatus, 'backfilled'>;
  readonly reason?: string;
}

export interface Decision {
  readonly ticks: readonly TickDecision[];
  /** Null: none comes. */
  readonly nextRunAtMs: number | null;
  readonly dueAtMs: number | null;
}

export function decideTicks(state: ScheduleState, nowMs: number): Decision {
  const { timing } = state;
  const due: number[] = [];
  let next: number | null = state.nextRunAtMs;
  while (next !== null && due.length < MAX_TICKS && dueTime(timing, next) <= nowMs) {
    due.push(next);
    next = nextNominal(timing, next);
  }
  const nextDueMs = next === null ? null : dueTime(timing, next);
  const hasMore = nextDueMs !== null && nextDueMs <= nowMs;
  const latest = hasMore ? latestDue(timing, nowMs) : (due.at(-1) ?? null);
  return {
    ticks: applyOverlap(
      state,
      due.map((atMs) => judge(state, { atMs, isLatest: atMs === latest, nowMs })),
    ),
    nextRunAtMs: next,
    // Behind what others have waiting.
    dueAtMs: hasMore ? nowMs : nextDueMs,
  };
}

type Judgement =
  | { readonly atMs: number; readonly fires: true; readonly catchesUp: boolean }
  | { readonly atMs: number; readonly fires: false; readonly reason: string };

// D2.
function judge(
  { timing, catchupPolicy, catchupWindowMs }: ScheduleState,
  { atMs, isLatest, nowMs }: { readonly atMs: number; readonly isLatest: boolean; readonly nowMs: number },
): Judgement {
  const lateMs = nowMs - dueTime(timing, atMs);
  if (lateMs <= GRACE_MS) return { atMs, fires: true, catchesUp: false };
  const missed = (why: string): Judgement => ({
    atMs,
    fires: false,
    reason: `nobody fired it in time; ${why}`,
  });
  switch (catchupPolicy) {
    case 'none':
      return missed('catchupPolicy is none');
    case 'last':
      return isLatest
        ? { atMs, fires: true, catchesUp: false }
        : missed('catchupPolicy is last, and a later one was due');
    case 'all':
      return lateMs <= catchupWindowMs
        ? { atMs, fires: true, catchesUp: true }
        : missed('it was before the catch-up window');
  }
}

// D3.
function applyOverlap(state: ScheduleState, judgements: readonly Judgement[]): TickDecision[] {
  const { overlapPolicy } = state;
  let { isRunning, hasBuffered } = state;
  const lastFiring = judgements.findLast(({ fires }) => fires);
  return judgements.map((judgement): TickDecision => {
    const { atMs } = judgement;
    if (!judgement.fires) return { atMs, status: 'missed', reason: judgement.reason };
    if (overlapPolicy === 'allow_all') return { atMs, status: 'fired' };
    if (overlapPolicy === 'cancel_other')
      return judgement === lastFiring
        ? { atMs, status: 'fired' }
        : { atMs, status: 'skipped_overlap', reason: 'the next one was due at the same moment' };
    if (!isRunning && !hasBuffered) {
      isRunning = true;
      return { atMs, status: 'fired' };
    }
    if (judgement.catchesUp || (overlapPolicy === 'buffer_one' && !hasBuffered)) {
      hasBuffered = true;
      return { atMs, status: 'buffered' };
    }
    return { atMs, status: 'skipped_overlap' };
  });
}
