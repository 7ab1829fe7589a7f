// What `pricing cost` is given: one call as a JSON object, or JSON lines of them. All problems at once, each with its line.
import { beginsWithDay } from '../../core/calendar-day.ts';
import { tokenUsageOf } from '../../core/cost/read-usage.ts';
import type { TokenUsage } from '../../core/cost/usage.ts';
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { Problem, Result } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

export interface PricedCall {
  readonly provider: string;
  readonly model: string;
  readonly at: Date;
  readonly usage: TokenUsage;
}

const MAX_PROBLEMS = 100;
const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** `now`: where a call does not say when it was. */
export function readCalls(text: string, now: Date): Result<readonly PricedCall[]> {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line, i) => ({ number: i + 1, text: line }))
    .filter((line) => line.text.trim() !== '');
  const first = lines[0];
  if (first === undefined)
    return { ok: false, problems: [problem('', 'expected { provider, model, usage }, got nothing')] };
  // An object over several lines: its first line is not whole.
  if (!parseDocument(first.text, 'json').ok) return readOne(text, now);
  const read = lines.map((line) => ({ line, call: readOne(line.text, now) }));
  const problems = read.flatMap(({ line, call }) =>
    call.ok ? [] : call.problems.map((one) => ({ ...one, message: atLine(line.number, one.message) })),
  );
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  return { ok: true, value: read.flatMap(({ call }) => (call.ok ? call.value : [])) };
}

/** Problems of a line's own text name its column and line 1. */
function atLine(number: number, message: string): string {
  return message.startsWith('line 1, ')
    ? `line ${number}, ${message.slice(8)}`
    : `line ${number}: ${message}`;
}

function readOne(text: string, now: Date): Result<readonly PricedCall[]> {
  const parsed = parseDocument(text, 'json');
  if (!parsed.ok) return parsed;
  const call = parsed.value as Json;
  if (!isJsonObject(call))
    return {
      ok: false,
      problems: [
        problem('', `expected { provider, model, usage }, got ${JSON.stringify(call).slice(0, 40)}`),
      ],
    };
  const problems: Problem[] = [];
  const provider = readName(call, 'provider', problems);
  const model = readName(call, 'model', problems);
  const at = readInstant(call.at, now, problems);
  const usage = tokenUsageOf(provider, call.usage ?? null);
  if (!usage.ok) problems.push(...usage.problems.map((one) => ({ ...one, pointer: `/usage${one.pointer}` })));
  if (!usage.ok || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: [{ provider, model, at, usage: usage.value }] };
}

function readName(call: JsonObject, field: 'provider' | 'model', problems: Problem[]): string {
  const name = call[field];
  if (typeof name === 'string' && name.trim() !== '') return name;
  problems.push(problem(`/${field}`, `${field} is a name, got ${JSON.stringify(name) ?? 'nothing'}`));
  return '';
}

function readInstant(value: Json | undefined, now: Date, problems: Problem[]): Date {
  if (value === undefined || value === null) return now;
  const at =
    typeof value === 'string' && INSTANT.test(value) && beginsWithDay(value) ? new Date(value) : null;
  if (at !== null && !Number.isNaN(at.getTime())) return at;
  problems.push(
    problem(
      '/at',
      `at is an instant such as 2026-01-01T09:00:00Z, got ${JSON.stringify(value).slice(0, 40)}`,
    ),
  );
  return now;
}

const problem = (pointer: string, message: string): Problem => ({ pointer, code: 'validation', message });
