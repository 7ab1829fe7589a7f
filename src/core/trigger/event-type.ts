// What the type of an event may be. `emit_event` of the database judges the same (functions/triggers/events.sql).

export const EVENT_TYPE = {
  pattern: /^[A-Za-z][A-Za-z0-9_.:/-]{0,199}$/,
  expected: 'a letter, then letters, digits and _ . : / -, at most 200 in all',
} as const;

/** Bytes of an event's payload, as the database writes JSON. */
export const MAX_EVENT_BYTES = 1_000_000;
