// What an execution waits for, as the API shows it (resources/why.ts).
import { Type } from 'typebox';
import { EXECUTION_STATUSES, TASK_STATUSES } from '../../core/status.ts';
import { instant, nullable, nullableInstant, nullOr, words } from './parts.ts';

const waits = (kind: string, fields: Parameters<typeof Type.Object>[0] = {}) =>
  Type.Object({ kind: Type.Literal(kind), ...fields });

const WaitsForSchema = Type.Union(
  [
    waits('parents', {
      parents: Type.Array(Type.Object({ taskId: Type.String(), status: words(TASK_STATUSES) }), {
        description: 'Those that are open, at most 20.',
      }),
      count: Type.Integer({ description: 'Of all edges that are open.' }),
    }),
    waits('timer', { until: instant() }),
    waits('retry', {
      until: instant(),
      attempt: Type.Integer(),
      lastError: nullOr(
        Type.Object({ code: Type.String(), message: Type.String() }),
        'What the attempt before ended with.',
      ),
    }),
    waits('callback', { until: nullableInstant('When it gives up; null: never.') }),
    waits('items', {
      total: Type.Integer(),
      open: Type.Integer(),
      completed: Type.Integer(),
      failed: Type.Integer(),
    }),
    waits('queue', { since: instant() }),
    waits('worker', {
      workerId: Type.String(),
      since: nullableInstant('When the attempt began.'),
      attempt: Type.Integer(),
    }),
    waits('resume', { since: nullableInstant('When it was paused.') }),
    waits('run_at', { until: instant() }),
    waits('open', { since: instant() }),
    waits('conclusion'),
  ],
  { title: 'WaitsFor', description: 'What it waits for, by kind.' },
);

export const WhySchema = Type.Object(
  {
    status: words(EXECUTION_STATUSES),
    items: Type.Array(
      Type.Object({
        taskId: nullable('string', { description: 'Null: the execution itself.' }),
        mapIndex: nullable('integer'),
        status: Type.String(),
        waitsFor: WaitsForSchema,
        message: Type.String({ description: 'The same in words.' }),
      }),
    ),
    isComplete: Type.Boolean({ description: 'False: there are more tasks that are not over.' }),
  },
  { title: 'Why', description: 'What each unfinished task waits for.' },
);
