// What the sender of a delivery is answered by its webhook's `respond`: made of the event and of the execution that it started.
import type { Problem, Result } from '../../../core/errors.ts';
import { ExpressionError } from '../../../core/expression/errors.ts';
import { compileMapping, evaluateMapping } from '../../../core/expression/mapping.ts';
import type { Scope } from '../../../core/expression/scope.ts';
import { isJsonObject, type Json, type JsonObject, MAX_VALUE_BYTES } from '../../../core/json.ts';
import type { Respond } from '../../../core/trigger/webhook.ts';
import { checkReads } from './event-reads.ts';
import { EVENT_ROOTS, eventScope, type WebhookEvent } from './event-scope.ts';

/** What of the execution such an answer may read; with `when: received` it has only begun. */
export interface AnsweredExecution {
  readonly id: string | null;
  readonly status: string;
  readonly output: Json;
  readonly error: Json;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: an empty one. */
  readonly body: string | null;
}

/** Others are the service's own, or would speak for its whole origin. */
const HEADER =
  /^(?:content-type|content-language|cache-control|retry-after|location|link|x-[a-z0-9-]{1,80})$/i;
const HEADER_VALUE = /^[\t\x20-\x7e]{0,1000}$/;
const FIELDS = ['status', 'headers', 'body'] as const;

/** Whether a header may be set by an answer. */
export function isAnswerHeader(name: string): boolean {
  return HEADER.test(name);
}

/** Pointers below `/respond`. The function throws ExpressionError where the answer cannot be made of this event. */
export function compileRespond(
  respond: Respond,
): Result<(event: WebhookEvent, execution: AnsweredExecution) => WebhookAnswer> {
  const problems: Problem[] = [];
  const mappings = FIELDS.map((field) => {
    if (respond[field] === undefined) return null;
    const compiled = compileMapping(respond[field] as Json, `/respond/${field}`, {
      roots: [...EVENT_ROOTS, 'execution'],
    });
    if (!compiled.ok) problems.push(...compiled.problems);
    else problems.push(...checkReads(compiled.value.references));
    return compiled.ok ? compiled.value : null;
  });
  if (problems.length > 0) return { ok: false, problems };
  const [status, headers, body] = mappings;
  return {
    ok: true,
    value: (event, execution) => {
      const scope = Object.assign(eventScope(event), { execution }) as Scope;
      const isGood = respond.when === 'received' || execution.status === 'completed';
      const read = (mapping: (typeof mappings)[number] | undefined, absent: Json): Json =>
        mapping === null || mapping === undefined ? absent : evaluateMapping(mapping, scope);
      return answerOf(
        read(status, isGood ? 200 : 500),
        read(headers, {}),
        read(body, respond.when === 'received' ? null : isGood ? execution.output : receiptOf(execution)),
      );
    },
  };
}

function receiptOf({ id, status }: AnsweredExecution): JsonObject {
  return { executionId: id, status };
}

function answerOf(status: Json, given: Json, body: Json): WebhookAnswer {
  const number = typeof status === 'string' && /^\d{3}$/.test(status) ? Number(status) : status;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 200 || number > 599)
    throw new ExpressionError('expression', 'respond.status must be a number from 200 to 599');
  if (!isJsonObject(given)) throw new ExpressionError('expression', 'respond.headers must be an object');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const text = String(value);
    if (!isAnswerHeader(name) || typeof value === 'object' || !HEADER_VALUE.test(text))
      throw new ExpressionError('expression', `respond.headers.${name.slice(0, 80)} cannot be sent`);
    headers[name.toLowerCase()] = text;
  }
  const text = body === null ? null : typeof body === 'string' ? body : JSON.stringify(body);
  if (text !== null && Buffer.byteLength(text) > MAX_VALUE_BYTES)
    throw new ExpressionError('expression', `respond.body is more than ${MAX_VALUE_BYTES} bytes`);
  if (text !== null)
    headers['content-type'] ??=
      typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  return { status: number, headers, body: text };
}
