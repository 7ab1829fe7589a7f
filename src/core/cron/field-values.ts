// The door of cron-parser: which numbers each of the five fields stands for. Dates are not its business here: its own
// arithmetic skips a fixed time in a gap of 30 minutes and runs a stepped one at a time that the clock never shows.
import { CronExpressionParser } from 'cron-parser';

/** Each list ascending, without repeats. Days of the week are 0 (Sunday) to 6. */
export interface FieldValues {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  readonly daysOfWeek: readonly number[];
}

const MONTH = 3;
const WEEKDAY = 4;

/** Expands five checked fields of numbers. Throws what the library throws. */
export function expandFields(fields: readonly string[]): FieldValues {
  const values = fields.map(() => new Set<number>());
  const pieces = fields.map(disjoint);
  // The month comes one round later: beside a month, the library drops the days which that one does not have.
  for (let round = 0; ; round++) {
    const texts = pieces.map((list, at) => list[at === MONTH ? round - 1 : round]);
    if (round > 0 && texts.every((text) => text === undefined)) break;
    const expanded = expandOnce(texts.map((text) => text ?? '*'));
    for (const [at, text] of texts.entries())
      if (text !== undefined) for (const value of expanded[at]!) values[at]!.add(value);
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = values.map((set) =>
    [...set].sort((a, b) => a - b),
  );
  return {
    minutes: minutes!,
    hours: hours!,
    daysOfMonth: daysOfMonth!,
    months: months!,
    daysOfWeek: daysOfWeek!,
  };
}

// The library refuses a list that names a value twice, such as `0,*/40`: the single values are one piece, each other
// part is one of its own.
function disjoint(field: string, at: number): string[] {
  const parts = new Set(field.split(',').map((part) => (at === WEEKDAY && part === '7' ? '0' : part)));
  const single = [...parts].filter((part) => /^\d+$/.test(part));
  const others = [...parts].filter((part) => !single.includes(part));
  return single.length === 0 ? others : [single.join(','), ...others];
}

function expandOnce(fields: readonly string[]): number[][] {
  // With `*` as weekday the library itself refuses days that no month has, in words that do not say so.
  const text = fields.map((field, at) => (at === WEEKDAY && field === '*' ? '0-7' : field)).join(' ');
  // The date is never used; without one the library reads the clock.
  const options = { currentDate: 0, tz: 'UTC' };
  const { minute, hour, dayOfMonth, month, dayOfWeek } = CronExpressionParser.parse(text, options).fields;
  return [
    [...minute.values],
    [...hour.values],
    dayOfMonth.values.map(Number),
    [...month.values],
    dayOfWeek.values.map((day) => Number(day) % 7),
  ];
}
