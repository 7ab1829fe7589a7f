// Bodies of the routes of schedules.
import { Type } from 'typebox';
import { MAX_CRON_CHARS } from '../../core/cron/expression.ts';
import { MAX_WORKFLOW_ID_CHARS } from '../../core/definition/workflow-id.ts';
import { PRIORITY } from '../../core/priority.ts';
import {
  MAX_INSTANT_CHARS,
  MAX_JITTER_SECONDS,
  MAX_NAME_CHARS,
  MAX_WINDOW_SECONDS,
} from '../../core/schedule/limits.ts';
import { CATCHUP_POLICIES, OVERLAP_POLICIES } from '../../core/schedule/words.ts';
import { PREVIEW_COUNT } from '../../resources/schedules/ticks.ts';

const closed = { additionalProperties: false };
const Instant = (description: string) =>
  Type.Optional(
    Type.Union([Type.String({ maxLength: MAX_INSTANT_CHARS }), Type.Null()], {
      description,
      examples: ['2027-01-01T00:00:00Z'],
    }),
  );

const name = Type.String({
  minLength: 1,
  maxLength: MAX_NAME_CHARS,
  description: 'Unique among the schedules of the workflow.',
  examples: ['daily'],
});
const cronExpression = Type.String({
  maxLength: MAX_CRON_CHARS,
  description:
    'Five fields: minute, hour, day of month, month, day of week; numbers, names and `* , - /`. With day of month and day of week both given, a day of either fires.',
  examples: ['0 9 * * 1-5'],
});
const optional = {
  timezone: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        'IANA name; absent: UTC. A fixed time in a gap of daylight saving fires right after the gap, one that comes twice the first time.',
      examples: ['Europe/Paris'],
    }),
  ),
  input: Type.Optional(
    Type.Unknown({
      description:
        'Input of each execution, taken as it is; absent: {}. The nominal time is `trigger.scheduledAt`.',
    }),
  ),
  priority: Type.Optional(
    Type.Integer({
      minimum: PRIORITY.min,
      maximum: PRIORITY.max,
      description: `Higher first; absent: ${PRIORITY.default}.`,
    }),
  ),
  overlapPolicy: Type.Optional(
    Type.Enum([...OVERLAP_POLICIES], {
      description:
        'At a tick while an execution of the one before is open. `skip` (absent): the tick is skipped; `buffer_one`: one waits for its end; `allow_all`: both run; `cancel_other`: the open one is cancelled.',
    }),
  ),
  catchupPolicy: Type.Optional(
    Type.Enum([...CATCHUP_POLICIES], {
      description:
        'Ticks that nobody fired within 10 s. `last` (absent): the latest fires, the others are missed; `none`: all are missed; `all`: each of the last `catchupWindowSeconds` fires, one after the other unless `allow_all`.',
    }),
  ),
  catchupWindowSeconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_WINDOW_SECONDS,
      description: 'How far back `all` looks; absent: a day.',
    }),
  ),
  jitterSeconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_JITTER_SECONDS,
      description:
        'Each tick is due up to so much later, always the same for a nominal time, and before the next one; absent: 0.',
    }),
  ),
  startAt: Instant('No tick before.'),
  endAt: Instant('No tick from then on.'),
  pauseOnFailure: Type.Optional(
    Type.Boolean({ description: 'An execution of a tick that fails pauses the schedule; absent: false.' }),
  ),
};
const workflowId = Type.String({ minLength: 1, maxLength: MAX_WORKFLOW_ID_CHARS });

export const CreateSchedule = Type.Object({ workflowId, name, cronExpression, ...optional }, closed);
export const ReplaceSchedule = Type.Object(
  { workflowId: Type.Optional(workflowId), name, cronExpression, ...optional },
  closed,
);
export const ChangeSchedule = Type.Object(
  { name: Type.Optional(name), cronExpression: Type.Optional(cronExpression), ...optional },
  { ...closed, minProperties: 1 },
);
export const PreviewTiming = Type.Object(
  {
    cronExpression,
    timezone: optional.timezone,
    jitterSeconds: optional.jitterSeconds,
    startAt: optional.startAt,
    endAt: optional.endAt,
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: PREVIEW_COUNT.max })),
  },
  closed,
);
export const BackfillRange = Type.Object(
  {
    from: Type.String({
      maxLength: MAX_INSTANT_CHARS,
      description: 'Inclusive.',
      examples: ['2027-01-01T00:00:00Z'],
    }),
    to: Type.String({
      maxLength: MAX_INSTANT_CHARS,
      description: 'Exclusive; not in the future.',
      examples: ['2027-01-02T00:00:00Z'],
    }),
  },
  closed,
);
