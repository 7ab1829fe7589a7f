// Reads a cron expression of exactly five fields: minute hour day-of-month month day-of-week.
//   E1  A field is a list of `*`, a value or a range `a-b`, each with an optional step; `5/15` is `5-max/15`.
//       Names are jan-dec and sun-sat in any case; Sunday is 0 and 7.
//   E2  A range that runs backwards is refused, with the list that says the same; only `sun` may end a range (`fri-sun`).
//   E3  A day field is given when it is anything but a bare `*`. Both given: a day of either fires (POSIX).
//   E4  Minutes or hours are a wildcard when the field contains `*` or names every value. Without a wildcard in either
//       the expression names fixed times, which daylight saving neither drops nor doubles; ranges are fixed times.
//   E5  What never fires is refused: only days that the given months do not have, and no day of the week.
import { quoteText } from '../definition/quote-text.ts';
import type { Problem, Result } from '../errors.ts';
import { expandFields, type FieldValues } from './field-values.ts';

export interface CronExpression extends FieldValues {
  /** The five fields as written, with one blank between them. */
  readonly text: string;
  readonly dayOfMonthGiven: boolean;
  readonly dayOfWeekGiven: boolean;
  /** No wildcard in minutes and hours (E4). */
  readonly fixed: boolean;
}

// Listing every value of every field needs 360.
export const MAX_CRON_CHARS = 512;

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The name of value `min`, of `min + 1`, ... */
  readonly names: readonly string[];
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day-of-month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day-of-week', min: 0, max: 7, names: WEEKDAYS },
];
const FIVE = 'minute hour day-of-month month day-of-week';
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MACROS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Problems have code `cron` and pointer ''; there is one for each field that is wrong. */
export function parseCron(expression: string): Result<CronExpression> {
  if (expression.length > MAX_CRON_CHARS)
    return refused(
      `the cron expression has ${expression.length} characters, expected at most ${MAX_CRON_CHARS}`,
    );
  const texts = expression.split(/[ \t]+/).filter((text) => text !== '');
  const counted = wrongCount(expression, texts);
  if (counted !== null) return counted;

  const problems: Problem[] = [];
  const numeric = FIELDS.map((field, at) => {
    const read = readField(field, texts[at]!);
    if (typeof read !== 'string') problems.push(read);
    return read;
  });
  if (problems.length > 0) return { ok: false, problems };

  const values = expand(numeric.map(String));
  if (!values.ok) return values;
  const cron: CronExpression = {
    ...values.value,
    text: texts.join(' '),
    dayOfMonthGiven: texts[2] !== '*',
    dayOfWeekGiven: texts[4] !== '*',
    fixed: !isWildcard(texts[0]!, values.value.minutes, 60) && !isWildcard(texts[1]!, values.value.hours, 24),
  };
  return neverFires(cron) ?? { ok: true, value: cron };
}

function isWildcard(text: string, values: readonly number[], all: number): boolean {
  return text.includes('*') || values.length === all;
}

function wrongCount(expression: string, texts: readonly string[]): Result<never> | null {
  if (texts.length === FIELDS.length) return null;
  const came = quoteText(expression);
  if (texts.length === 1 && texts[0]!.startsWith('@')) {
    const same = MACROS[texts[0]!.toLowerCase()];
    return refused(
      `cron expression ${came}: names with @ are not supported, expected five fields: ${FIVE}`,
      same === undefined ? undefined : `write "${same}"`,
    );
  }
  return refused(
    `cron expression ${came} has ${texts.length} ${texts.length === 1 ? 'field' : 'fields'}, expected exactly five: ${FIVE}`,
    texts.length === 6
      ? `there are no seconds; leave out the first field: ${quoteText(texts.slice(1).join(' '))}`
      : undefined,
  );
}

/** The field in numbers only, or what is wrong with it. */
function readField(field: Field, text: string): string | Problem {
  const parts: string[] = [];
  for (const part of text.split(',')) {
    const read = readPart(field, part);
    if (typeof read !== 'string')
      return problem(`${field.name} ${quoteText(text)}: ${read.wrong}`, read.hint);
    parts.push(read);
  }
  return parts.join(',');
}

interface Wrong {
  readonly wrong: string;
  readonly hint?: string | undefined;
}

function readPart(field: Field, part: string): string | Wrong {
  if (part === '')
    return { wrong: 'a part of the list is empty, expected values with one comma between them' };
  const found = /^(?:(\*)|(\d+|[a-z]+)(?:-(\d+|[a-z]+))?)(?:\/(\d+))?$/i.exec(part);
  if (found === null) return unreadable(field, part);
  const [, star, first, last, stepText] = found;
  const step = stepText === undefined ? '' : `/${Number(stepText)}`;
  if (stepText !== undefined && (Number(stepText) < 1 || Number(stepText) > field.max))
    return { wrong: `the step must be 1 to ${field.max}, got ${quoteText(stepText)}` };
  if (star !== undefined) return `*${step}`;

  const from = readValue(field, first!);
  if (typeof from !== 'number') return from;
  if (last === undefined) return `${from}${step}`;
  const to = readValue(field, last);
  if (typeof to !== 'number') return to;
  if (from <= to) return `${from}-${to}${step}`;
  if (last.toLowerCase() === 'sun') return `${from}-7${step}`;
  return {
    wrong: `the range ${quoteText(part)} runs backwards, expected the lower value first`,
    hint: forwards(field, from, to, step),
  };
}

/** The same values without a range that runs backwards. A step would start anew in the second range: no list then. */
function forwards(field: Field, from: number, to: number, step: string): string {
  if (step !== '') return 'list the values one by one';
  const show = (value: number) => field.names[value - field.min] ?? String(value);
  const range = (a: number, b: number) => (a === b ? show(a) : `${show(a)}-${show(b)}`);
  const max = field.name === 'day-of-week' ? 6 : field.max;
  return `write "${range(from, max)},${range(field.min, to)}"`;
}

function readValue(field: Field, text: string): number | Wrong {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    if (value >= field.min && value <= field.max) return value;
    return { wrong: `${quoteText(text)} is out of range, expected ${field.min} to ${field.max}` };
  }
  const at = field.names.indexOf(text.toLowerCase());
  return at >= 0 ? field.min + at : unreadable(field, text);
}

function unreadable(field: Field, part: string): Wrong {
  const expected = field.names.length === 0 ? '' : ` or ${field.names[0]}-${field.names.at(-1)}`;
  const form = `${field.min}-${field.max}${expected} with * , - /`;
  if (part.includes('?')) return { wrong: `? is not supported, expected ${form}`, hint: 'write *' };
  // Without the names, of which some have these letters.
  const rest = field.names.reduce((text, name) => text.replace(name, ''), part.toLowerCase());
  const special = /[#lwh]/.exec(rest);
  if (special !== null && !/[a-z]/.test(rest.replace(/[lwh]/g, '')))
    return { wrong: `${special[0].toUpperCase()} in ${quoteText(part)} is not supported, expected ${form}` };
  return { wrong: `cannot read ${quoteText(part)}, expected ${form}` };
}

function expand(fields: readonly string[]): Result<FieldValues> {
  try {
    return { ok: true, value: expandFields(fields) };
  } catch (error) {
    return refused(
      `cron expression ${quoteText(fields.join(' '))}: ${error instanceof Error ? error.message : 'cannot be read'}`,
    );
  }
}

function neverFires(cron: CronExpression): Result<never> | null {
  if (cron.dayOfWeekGiven) return null;
  const firstDay = cron.daysOfMonth[0]!;
  if (cron.months.some((month) => firstDay <= DAYS_IN_MONTH[month - 1]!)) return null;
  const months = cron.months.map((month) => MONTHS[month - 1]).join(', ');
  return refused(`cron expression ${quoteText(cron.text)} never fires: no day ${firstDay} in ${months}`);
}

function problem(message: string, hint?: string): Problem {
  return { pointer: '', code: 'cron', message, ...(hint === undefined ? {} : { hint }) };
}

function refused(message: string, hint?: string): Result<never> {
  return { ok: false, problems: [problem(message, hint)] };
}
