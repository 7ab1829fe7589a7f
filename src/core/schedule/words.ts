// The words of schedules (CONTRACT 7).

export const SCHEDULE_STATUSES = ['active', 'paused'] as const;
export type ScheduleStatus = (typeof SCHEDULE_STATUSES)[number];

/** What happens at a tick while an earlier execution of the schedule is still open. */
export const OVERLAP_POLICIES = ['skip', 'buffer_one', 'allow_all', 'cancel_other'] as const;
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

/** Which ticks that nobody could fire in time are fired afterwards; `all`: those within the catch-up window. */
export const CATCHUP_POLICIES = ['none', 'last', 'all'] as const;
export type CatchupPolicy = (typeof CATCHUP_POLICIES)[number];

/** `buffered` waits for the execution before it to end, then becomes `fired`; all others stay. */
export const TICK_STATUSES = ['buffered', 'fired', 'skipped_overlap', 'missed', 'backfilled'] as const;
export type TickStatus = (typeof TICK_STATUSES)[number];
