// Signals: what somebody sends by name to an execution, and what a task may wait for. `signal_execution` of the database judges
// the same (functions/protocol/signals.sql).
import { SCOPE_NAMES } from './expression/scope.ts';

export const SIGNAL_NAME = {
  pattern: /^[A-Za-z][A-Za-z0-9_.:-]{0,199}$/,
  expected: 'a letter, then letters, digits and _ . : -, at most 200 in all',
} as const;

/** Names that one task waits for at once. */
export const MAX_SIGNAL_NAMES = 20;

/** Bytes of a payload, as the database writes JSON: the output of the wait, which holds it, is at most 1,000,000. */
export const MAX_SIGNAL_BYTES = 990_000;

/** Signals of one name that an execution keeps while nothing takes them. */
export const MAX_STORED_SIGNALS = 1_000;

/** Bytes of a key by which a sender says that it sends the same again. */
export const MAX_DEDUPE_KEY = 500;

/** What came of sending one. `stored`: it waits to be taken, or to be judged by a condition; `duplicate`: it had been sent before. */
export const SIGNAL_STATUSES = ['delivered', 'stored', 'duplicate'] as const;
export type SignalStatus = (typeof SIGNAL_STATUSES)[number];

/** What the condition of a wait sees besides what its task does. */
export const ARRIVAL_NAMES = ['payload', 'signal'] as const;
export const ARRIVAL_ROOTS: readonly string[] = [...SCOPE_NAMES, ...ARRIVAL_NAMES];

/** Bytes of what a condition reads of the scope, which is kept with the wait. */
export const MAX_CONDITION_BYTES = 16_000;
