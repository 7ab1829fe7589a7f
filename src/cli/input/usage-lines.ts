// What `pricing cost` is given: one call as a JSON object, or JSON lines of them. Each line is read by itself.
import { beginsWithDay } from '../../core/calendar-day.ts';
import { type Bill, readBill } from '../../core/cost/bill.ts';
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { Problem, Result } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

export interface PricedCall {
  readonly provider: string;
  readonly model: string;
  readonly at: Date;
  readonly bill: Bill;
}

/** What one line is: a call, what is wrong with it, or both: a call whose counts cannot be read. */
export interface UsageLine {
  readonly call: PricedCall | null;
  readonly problems: readonly Problem[];
}

const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** In order; a line that is no call spoils no other. `now`: where a call does not say when it was. */
export function readCalls(text: string, now: Date): Result<readonly UsageLine[]> {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line, i) => ({ number: i + 1, text: line }))
    .filter((line) => line.text.trim() !== '');
  const [first] = lines;
  if (first === undefined)
    return { ok: false, problems: [problem('', 'expected { provider, model, usage }, got nothing')] };
  if (isOneDocument(text, lines)) {
    const only = readOne(text, now);
    return only.call === null ? { ok: false, problems: only.problems } : { ok: true, value: [only] };
  }
  return {
    ok: true,
    value: lines.map((line): UsageLine => {
      const { call, problems } = readOne(line.text, now);
      return {
        call,
        problems: problems.map((one) => ({ ...one, message: atLine(line.number, one.message) })),
      };
    }),
  };
}

/** An object over several lines, also one with a mistake in it: none of its lines is a value of its own. */
function isOneDocument(text: string, lines: readonly { readonly text: string }[]): boolean {
  const isWhole = (one: string) => parseDocument(one, 'json').ok;
  if (lines.length === 1 || (!isWhole(lines[0]!.text) && isWhole(text))) return true;
  return !lines.some((line) => /^\s*[{[]/.test(line.text) && isWhole(line.text));
}

/** Problems of a line's own text name its column and line 1. */
function atLine(number: number, message: string): string {
  return message.startsWith('line 1, ')
    ? `line ${number}, ${message.slice(8)}`
    : `line ${number}: ${message}`;
}

function readOne(text: string, now: Date): UsageLine {
  const parsed = parseDocument(text, 'json');
  if (!parsed.ok) return { call: null, problems: parsed.problems };
  const call = parsed.value as Json;
  if (!isJsonObject(call))
    return {
      call: null,
      problems: [
        problem('', `expected { provider, model, usage }, got ${JSON.stringify(call).slice(0, 40)}`),
      ],
    };
  const problems: Problem[] = [];
  const { usage, answer } = call;
  const provider = readName(call, 'provider', problems);
  const model = readName(call, 'model', problems);
  const at = readInstant(call.at, now, problems);
  if (answer !== undefined && !isJsonObject(answer))
    problems.push(
      problem(
        '/answer',
        `answer is the body that the provider sent, got ${JSON.stringify(answer).slice(0, 40)}`,
      ),
    );
  if (usage === undefined && answer === undefined)
    problems.push(
      problem('/usage', "usage is the provider's own usage block (or answer its whole answer), got nothing"),
    );
  const bill = readBill(provider, {
    ...(isJsonObject(answer) && answer),
    ...(usage !== undefined && { usage }),
  });
  const counts = bill.problems.map((one) => ({ ...one, pointer: `/usage${one.pointer}` }));
  return {
    call: problems.length > 0 ? null : { provider, model, at, bill },
    problems: [...problems, ...counts],
  };
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
