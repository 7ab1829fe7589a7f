// Log lines on stderr, by pino: one JSON object each ({ level, at, …fields, message }), or short text on a terminal.
//   G1  No secret leaves: every line goes through `redact`, after it is complete.
//   G2  A line is one line, whatever it was made of: control characters and lone surrogates become harmless.
//   G3  Nothing throws, and nothing is pending at exit: writes are synchronous.

import { pino } from 'pino';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { type Redact, redactNothing } from '../../core/redact.ts';
import { oneLine, printed } from '../safe-output.ts';
import { LOG_LEVELS, type LogLevel } from '../settings/config.ts';

export interface LogOptions {
  /** Everything below is dropped. */
  readonly level: LogLevel;
  /** Text for people instead of JSON. */
  readonly isText?: boolean;
  /** Hides secrets in a text. */
  readonly redact?: Redact;
  /** Where lines go, with their line end. Synchronous for files, pipes and terminals. */
  readonly write: (line: string) => void;
}

/** Names that a line has of its own; a field of the same name gets an underscore. */
const OWN = new Set(['at', 'level', 'message']);

export function createLog(options: LogOptions): TaskLog {
  const { level, isText = false, redact = redactNothing, write } = options;
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"at":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => harmless(redactLine(line, redact)) },
    },
    { write: (line: string) => write(isText ? textOf(line) : line) },
  );
  const least = LOG_LEVELS.indexOf(level);
  const line = (name: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: JsonObject) => {
    if (LOG_LEVELS.indexOf(name) < least) return;
    try {
      logger[name](safeFields(fields), String(message));
    } catch (error) {
      // Fields that cannot be read: a getter that throws, a revoked proxy.
      attempt(() =>
        logger[name]({ problem: `its fields cannot be shown: ${String(error)}` }, String(message)),
      );
    }
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // A line that cannot be written has no other place to go.
  }
}

// A copy without prototype: pino takes some objects (requests, errors) for what they look like.
function safeFields(fields: JsonObject | undefined): Record<string, unknown> {
  const safe: Record<string, unknown> = Object.create(null);
  if (!isJsonObject(fields)) return safe;
  for (const [key, value] of Object.entries(fields)) safe[OWN.has(key) ? `${key}_` : key] = value;
  return safe;
}

// A secret that has the characters of JSON itself could take its form along: then the line is withheld.
function redactLine(line: string, redact: Redact): string {
  const clean = redact(line);
  if (clean === line) return line;
  try {
    JSON.parse(clean);
    return clean.endsWith('\n') ? clean : `${clean}\n`;
  } catch {
    const { level, at } = JSON.parse(line) as { level: string; at: string };
    return `${JSON.stringify({ level, at, message: 'a line was withheld: it was not readable without its secrets' })}\n`;
  }
}

// JSON escapes control characters but for DEL and C1, which terminals act upon, and line separators, which some readers
// take for ends of lines; a lone surrogate stays an escape that strict readers refuse.
function harmless(line: string): string {
  const surrogates = line.includes('\\ud')
    ? line.replace(/\\(u[dD][89a-fA-F][0-9a-fA-F]{2}|[\s\S])/g, (all, escaped: string) =>
        escaped.length > 1 ? '\uFFFD' : all,
      )
    : line;
  return printed(surrogates);
}

function textOf(line: string): string {
  const { level, at, message, ...fields } = JSON.parse(line) as {
    level: string;
    at: string;
    message?: string;
  };
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  return `${oneLine(`${at.slice(11, 23)} ${level.padEnd(5)} ${message ?? ''}${rest}`)}\n`;
}
