// What an attempt gives to be stored: JSON of bounded size, without secrets.
import { TerminalError } from '../../core/errors.ts';
import { type Json, toStorableJson } from '../../core/json.ts';
import { redactJson } from '../../core/redact.ts';
import type { WorkerContext } from '../context.ts';

/** The value as JSON without secrets; throws where it cannot be stored. */
export function storable(
  { outside: { redact } }: WorkerContext,
  value: unknown,
  { what, taskId, maxBytes }: { readonly what: string; readonly taskId: string; readonly maxBytes: number },
): string {
  const result = toStorableJson(value, maxBytes);
  if (!result.ok) throw new TerminalError(result.code, `Task "${taskId}": its ${what} ${result.message}`);
  const { json } = result;
  return redact(json) === json ? json : JSON.stringify(redactJson(JSON.parse(json) as Json, redact));
}
