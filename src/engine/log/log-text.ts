// Makes what a task logs fit to be kept: text that can be stored, no secrets, bounded sizes. Authors log anything.
import { isJsonObject, type Json, type JsonObject, storableText, toStorableJson } from '../../core/json.ts';
import { type Redact, redactJson } from '../../core/redact.ts';

const MAX_MESSAGE_BYTES = 8_000;
const MAX_FIELDS_BYTES = 16_000;

/** What a line is about. */
export interface LogSubject {
  readonly executionId: string;
  readonly taskId?: string;
  /** Null or absent: the task itself. */
  readonly mapIndex?: number | null;
  readonly attempt?: number;
}

export interface LogText {
  /** At most 8 KB. */
  readonly message: string;
  /** At most 16 KB of JSON; where they are more, or cannot be stored, `problem` says so. */
  readonly fields: JsonObject | null;
}

/** The line as it may be kept and shown. Never throws. */
export function logText(message: unknown, fields: unknown, redact: Redact): LogText {
  return {
    message: messageOf(message, redact),
    fields: fields === undefined || fields === null ? null : fieldsOf(fields, redact),
  };
}

function messageOf(message: unknown, redact: Redact): string {
  try {
    // Redacted whole: a secret that is cut in the middle would not be found.
    const text = storableText(redact(String(message)), Number.POSITIVE_INFINITY);
    if (text.length * 3 <= MAX_MESSAGE_BYTES) return text;
    const bytes = Buffer.from(text);
    // The last character may have been cut.
    return bytes.length <= MAX_MESSAGE_BYTES
      ? text
      : `${bytes
          .subarray(0, MAX_MESSAGE_BYTES - 3)
          .toString()
          .replace(/\uFFFD$/, '')}…`;
  } catch {
    return 'a message that has no text';
  }
}

function fieldsOf(fields: unknown, redact: Redact): JsonObject {
  try {
    const plain = fields instanceof Error ? { error: String(fields) } : withErrorTexts(fields);
    const stored = toStorableJson(plain, MAX_FIELDS_BYTES);
    if (!stored.ok) return { problem: storableText(redact(`fields: ${stored.message}`), 500) };
    const value = redactJson(JSON.parse(stored.json) as Json, redact);
    return isJsonObject(value) ? value : { value };
  } catch {
    return { problem: 'fields: cannot be read' };
  }
}

/** `{ error }`, as authors log it: JSON has nothing for an error. */
function withErrorTexts(fields: unknown): unknown {
  if (!isJsonObject(fields)) return fields;
  const members = Object.entries(fields);
  if (!members.some(([, member]) => (member as unknown) instanceof Error)) return fields;
  return Object.fromEntries(
    members.map(([name, member]) => [name, (member as unknown) instanceof Error ? String(member) : member]),
  );
}
