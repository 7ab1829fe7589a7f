// What an execution waits for, as the API shows it (resources/why.ts).
import { type TSchema, Type } from 'typebox';
import { HELD_BY } from '../../core/errors.ts';
import { EXECUTION_STATUSES, TASK_STATUSES } from '../../core/status.ts';
import { WAIT_FACTS, WAIT_KINDS, WAITS, type WaitFact } from '../../core/wait.ts';
import { id, instant, nullable, nullableInstant, nullOr, words } from './parts.ts';

const waitsFor = (kind: string, fields: Parameters<typeof Type.Object>[0] = {}) =>
  Type.Object({ kind: Type.Literal(kind), ...fields });

function shownSchema(fact: WaitFact, { absence }: { readonly absence?: string }): TSchema {
  if (WAIT_FACTS[fact] === 'count') return Type.Integer();
  if (WAIT_FACTS[fact] === 'names') return Type.Array(Type.String());
  if (WAIT_FACTS[fact] === 'name') return id();
  return absence === undefined ? instant() : nullableInstant(absence);
}

const HeldBySchema = Type.Object(
  { service: Type.String(), by: words(HELD_BY) },
  {
    description:
      'What of an outside service holds it back: its circuit breaker, a pause that it asked for, or its limits.',
  },
);

const shownWaits = WAIT_KINDS.map((kind) => {
  const shows = Object.entries<{ readonly absence?: string }>(WAITS[kind].shows);
  return waitsFor(kind, {
    ...Object.fromEntries(shows.map(([fact, shown]) => [fact, shownSchema(fact as WaitFact, shown)])),
    ...(WAITS[kind].endsBy === 'time' && { heldBy: Type.Optional(HeldBySchema) }),
  });
});

const tenantLimit = nullable('integer', {
  description:
    "Tasks of its tenant that may run at once, by the operator's limit; null: as many as there is room for.",
});

const WaitsForSchema = Type.Union(
  [
    waitsFor('parents', {
      parents: Type.Array(Type.Object({ taskId: Type.String(), status: words(TASK_STATUSES) }), {
        description: 'Those that are open, at most 20.',
      }),
      count: Type.Integer({ description: 'Of all edges that are open.' }),
    }),
    // The order in which the document has always listed them.
    ...shownWaits.slice(0, 1),
    waitsFor('retry', {
      until: instant(),
      attempt: Type.Integer(),
      lastError: nullOr(
        Type.Object({ code: Type.String(), message: Type.String() }),
        'What the attempt before ended with.',
      ),
    }),
    ...shownWaits.slice(1),
    waitsFor('task_type', {
      since: instant(),
      types: Type.Array(Type.String(), { description: 'That no live worker has, or none has all of.' }),
    }),
    waitsFor('queue', { since: instant(), maxRunningTasks: tenantLimit }),
    waitsFor('worker', {
      workerId: Type.String(),
      since: nullableInstant('When the attempt began.'),
      attempt: Type.Integer(),
    }),
    waitsFor('resume', { since: nullableInstant('When it was paused.') }),
    waitsFor('run_at', { until: instant() }),
    waitsFor('open', { since: instant(), maxRunningTasks: tenantLimit }),
    waitsFor('conclusion'),
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
