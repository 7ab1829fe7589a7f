// Levels of log lines that are kept.

/** Levels of log lines, the least first. */
export const LOG_LINE_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLineLevel = (typeof LOG_LINE_LEVELS)[number];
