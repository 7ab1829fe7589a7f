// Where lines about the library's own work go: warnings and errors to the console, or to the log that the program has.
// No secret that the settings hold is in any of them.
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { LogLineLevel, TaskLog } from '../core/log-lines.ts';
import { createRedact } from '../core/redact.ts';

const QUIET: TaskLog = {
  debug() {},
  info() {},
  warn: (message, fields) => console.warn(message, fields ?? ''),
  error: (message, fields) => console.error(message, fields ?? ''),
};

export function createLibraryLog(log: TaskLog = QUIET, secrets: readonly string[]): TaskLog {
  const redact = createRedact(secrets);
  const hidden = (value: Json): Json => {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return value.map(hidden);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hidden(member)]));
  };
  const write = (level: LogLineLevel) => (message: string, fields?: JsonObject) =>
    fields === undefined
      ? log[level](redact(message))
      : log[level](redact(message), hidden(fields) as JsonObject);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
