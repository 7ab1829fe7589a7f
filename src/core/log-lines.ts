// What log lines are written with, and their levels.
import type { JsonObject } from './json.ts';

/** Levels of log lines, the least first. */
export const LOG_LINE_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLineLevel = (typeof LOG_LINE_LEVELS)[number];

/** Structured log lines of one attempt. */
export interface TaskLog {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
}
