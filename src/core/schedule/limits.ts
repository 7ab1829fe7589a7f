// What the settings of a schedule may be at most, in a definition, a request and a command.

/** Characters of a schedule's name. */
export const MAX_NAME_CHARS = 100;
/** A year: how far back catch-up `all` may look. */
export const MAX_WINDOW_SECONDS = 31_622_400;
/** A day. */
export const MAX_JITTER_SECONDS = 86_400;
/** Characters of an ISO 8601 instant. */
export const MAX_INSTANT_CHARS = 40;
