// The kinds of wait that a task can be in, and all that differs between them, decided in one place: claims, settles, rows,
// pause, orphans, `why`, its schema and the column's type are made of this table. A kind that is added here without all of its
// decisions does not compile; what SQL must know of them stands in functions/protocol/kinds-of-wait.sql, which a test compares.

import type { FailurePolicy } from './definition/model.ts';

export const WAIT_KINDS = ['timer', 'callback', 'items', 'signal', 'review'] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

/** What can be said of a wait, and of what type it is; an instant is ISO 8601, a name is an id. */
export const WAIT_FACTS = {
  until: 'instant',
  total: 'count',
  open: 'count',
  completed: 'count',
  failed: 'count',
  signals: 'names',
  review: 'name',
} as const;
export type WaitFact = keyof typeof WAIT_FACTS;
type FactValue<Fact extends WaitFact> = {
  instant: string;
  count: number;
  names: readonly string[];
  name: string;
}[(typeof WAIT_FACTS)[Fact]];

/** All facts, as the row of a waiting task has them; null where it has none. */
export type WaitFacts = { readonly [Fact in WaitFact]: FactValue<Fact> | null };

/** A fact that `why` shows; without an `absence` a row always has it. */
interface ShownFact {
  /** What it means that there is none. */
  readonly absence?: string;
}

export interface WaitRule {
  /**
   * What a pause does to its timer. `stands_still`: what was left of it is left after the pause; `held`: its moment stays, and
   * where that comes meanwhile it is due at the resume; `none`: it has no timer.
   */
  readonly pause: 'stands_still' | 'held' | 'none';
  /**
   * What ends it: its timer, the end of its parts, an answer from outside (the timer is then its limit), or a decision of people,
   * for which its timer looks whether it is due.
   */
  readonly endsBy: 'time' | 'parts' | 'answer' | 'decision';
  /**
   * What the failure policy does with it at the first uncaught failure. `wind_down`: what it waits for ends under the same
   * policy, and ends the wait.
   */
  readonly onFailure: Readonly<Record<FailurePolicy, 'cancel' | 'wind_down' | 'stay'>>;
  /** What `why` shows of it. */
  readonly shows: { readonly [Fact in WaitFact]?: ShownFact };
  /** The sentence of `why`, after the task's name. */
  readonly sentence: (facts: WaitFacts) => string;
}

export const WAITS = {
  timer: {
    pause: 'held',
    endsBy: 'time',
    onFailure: { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' },
    shows: { until: {} },
    sentence: ({ until }) => `waits until ${until}`,
  },
  callback: {
    pause: 'stands_still',
    endsBy: 'answer',
    onFailure: { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' },
    shows: { until: { absence: 'When it gives up; null: never.' } },
    sentence: ({ until }) => `waits for its callback${until === null ? '' : ` until ${until}`}`,
  },
  items: {
    pause: 'none',
    endsBy: 'parts',
    onFailure: { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' },
    shows: { total: {}, open: {}, completed: {}, failed: {} },
    sentence: ({ total, open, completed, failed }) =>
      `waits for ${open} of its ${total} items; ${completed} completed, ${failed} failed`,
  },
  signal: {
    pause: 'stands_still',
    endsBy: 'answer',
    onFailure: { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' },
    shows: { until: { absence: 'When it gives up; null: never.' }, signals: {} },
    sentence: ({ until, signals }) =>
      `waits for the signal ${(signals ?? []).map((name) => `"${name}"`).join(' or ')}${until === null ? '' : ` until ${until}`}`,
  },
  review: {
    // Its due time is an instant that people were told.
    pause: 'held',
    endsBy: 'decision',
    onFailure: { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' },
    shows: { review: {}, until: { absence: 'When it is due; null: never.' } },
    sentence: ({ review, until }) =>
      `waits for a decision in review ${review}${until === null ? '' : `, due at ${until}`}`,
  },
} as const satisfies Record<WaitKind, WaitRule>;

/** The kinds that something ends: `WaitEndedBy<'answer'>`. */
export type WaitEndedBy<Cause extends WaitRule['endsBy']> = {
  [Kind in WaitKind]: (typeof WAITS)[Kind]['endsBy'] extends Cause ? Kind : never;
}[WaitKind];

type Shown<Facts> = {
  readonly [Fact in keyof Facts & WaitFact]: Facts[Fact] extends { readonly absence: string }
    ? FactValue<Fact> | null
    : FactValue<Fact>;
};

/** What `why` shows of a wait, by kind. */
export type ShownWait = {
  [Kind in WaitKind]: { readonly kind: Kind } & Shown<(typeof WAITS)[Kind]['shows']>;
}[WaitKind];

/** The facts that `why` shows of such a wait. */
export function shownWait(kind: WaitKind, facts: WaitFacts): ShownWait {
  const names = Object.keys(WAITS[kind].shows) as WaitFact[];
  return { kind, ...Object.fromEntries(names.map((name) => [name, facts[name]])) } as ShownWait;
}

/** What a task with this wait does at the first uncaught failure. */
export function failureActionOf(
  kind: WaitKind | null | undefined,
  policy: FailurePolicy,
): WaitRule['onFailure'][FailurePolicy] {
  if (kind == null) return policy === 'continue' ? 'stay' : 'cancel';
  return WAITS[kind].onFailure[policy];
}

/** Whether the task waits, or waited when it was claimed, for an answer from outside. */
export function isForAnswer(kind: WaitKind | null | undefined): kind is WaitEndedBy<'answer'> {
  return kind != null && WAITS[kind].endsBy === 'answer';
}

/** Whether the task waits, or waited when it was claimed, for the parts of its fan-out. */
export function isForParts(kind: WaitKind | null | undefined): kind is WaitEndedBy<'parts'> {
  return kind != null && WAITS[kind].endsBy === 'parts';
}
