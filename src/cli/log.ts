// Log lines on stderr: one JSON object each, or short text on a terminal.
import type { JsonObject } from '../core/json.ts';
import type { TaskLog } from '../tasks/task-type.ts';
import { LOG_LEVELS, type LogLevel } from './config.ts';

/** A log that drops everything below `level`. */
export function createLog(level: LogLevel, asText: boolean): TaskLog {
  const least = LOG_LEVELS.indexOf(level);
  const write = (name: LogLevel) => (message: string, fields?: JsonObject) => {
    if (LOG_LEVELS.indexOf(name) < least) return;
    const at = new Date().toISOString();
    const line = asText
      ? `${at.slice(11, 23)} ${name.padEnd(5)} ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`
      : JSON.stringify({ at, level: name, message, ...fields });
    process.stderr.write(`${line}\n`);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
