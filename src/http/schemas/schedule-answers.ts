// Schedules and their times as the API shows them (OpenAPI). Bodies: schedules.ts.
import { Type } from 'typebox';
import { PRIORITY } from '../../core/priority.ts';
import {
  CATCHUP_POLICIES,
  OVERLAP_POLICIES,
  SCHEDULE_STATUSES,
  TICK_STATUSES,
} from '../../core/schedule/words.ts';
import { id, instant, made, nullable, nullableId, nullableInstant, words, workflowStatus } from './parts.ts';

export const ScheduleSchema = Type.Object(
  {
    id: id(),
    workflowId: Type.String(),
    name: Type.String(),
    cronExpression: Type.String(),
    timezone: Type.String({ description: 'IANA name.' }),
    input: Type.Unknown({ description: 'Of each execution.' }),
    priority: Type.Integer({ minimum: PRIORITY.min, maximum: PRIORITY.max }),
    overlapPolicy: words(OVERLAP_POLICIES),
    catchupPolicy: words(CATCHUP_POLICIES),
    catchupWindowSeconds: Type.Integer(),
    jitterSeconds: Type.Integer(),
    startAt: nullableInstant('No tick before.'),
    endAt: nullableInstant('No tick from then on.'),
    pauseOnFailure: Type.Boolean(),
    status: words(SCHEDULE_STATUSES),
    workflowStatus,
    pausedReason: nullable('string'),
    nextRunAt: nullableInstant('The next nominal time; null: it is paused, or none comes.'),
    lastRunAt: nullableInstant('The latest nominal time that was decided.'),
    lastExecutionId: nullableId('The last execution that a tick started.'),
    fromDefinition: Type.Boolean({ description: 'Kept in step with `triggers` of the definition.' }),
    removedAt: nullableInstant('When the definition left it out; null: it is there.'),
    ...made,
  },
  { title: 'Schedule', description: 'A schedule.' },
);

export const TickSchema = Type.Object(
  {
    scheduledAt: instant('The nominal time.'),
    status: words(TICK_STATUSES),
    executionId: nullableId('What it started.'),
    decidedAt: instant(),
    reason: nullable('string', { description: 'Why it started nothing.' }),
  },
  { title: 'Tick', description: 'What became of a nominal time.' },
);

export const PreviewedTickSchema = Type.Object(
  {
    scheduledAt: instant('The nominal time, UTC.'),
    localTime: Type.String({
      format: 'date-time',
      description: "The same in the schedule's zone, with its offset.",
      examples: ['2027-03-28T09:00:00+02:00'],
    }),
    dueAt: instant('With jitter, UTC.'),
  },
  { title: 'PreviewedTick', description: 'A nominal time that comes.' },
);

export const BackfillSchema = Type.Object(
  {
    started: Type.Integer(),
    skipped: Type.Integer({ description: 'Nominal times that had an execution already.' }),
    executions: Type.Array(
      Type.Object({
        scheduledAt: instant(),
        executionId: nullableId('Null: it could not start.'),
        reason: nullable('string', { description: 'Why it could not.' }),
      }),
    ),
  },
  { title: 'Backfill', description: 'What was started.' },
);
