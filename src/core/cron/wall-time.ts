// Which local times an expression names, on a calendar without zones. Times are wall milliseconds: what Date.UTC makes
// of the fields that a clock shows.
import type { CronExpression } from './expression.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
// It begins in the east while 9999, where schedules end, still runs in the west.
const LAST_YEAR = 10_000;
// 29 February is the rarest day: eight years apart around 2100.
const HORIZON_YEARS = 40;

/** The first named time at or after this one; null when there is none within 40 years. */
export function wallAtOrAfter(cron: CronExpression, wall: number): number | null {
  const minute = Math.ceil(wall / MINUTE);
  const day = Math.floor(minute / 1440);
  const named = dayAtOrAfter(cron, day);
  if (named === day) {
    const time = timeAtOrAfter(cron, minute - day * 1440);
    if (time !== null) return day * DAY + time * MINUTE;
    return startOf(cron, dayAtOrAfter(cron, day + 1));
  }
  return startOf(cron, named);
}

/** The last named time at or before this one; null when there is none within 40 years. */
export function wallAtOrBefore(cron: CronExpression, wall: number): number | null {
  const minute = Math.floor(wall / MINUTE);
  const day = Math.floor(minute / 1440);
  const named = dayAtOrBefore(cron, day);
  if (named === day) {
    const time = timeAtOrBefore(cron, minute - day * 1440);
    if (time !== null) return day * DAY + time * MINUTE;
    return endOf(cron, dayAtOrBefore(cron, day - 1));
  }
  return endOf(cron, named);
}

function startOf(cron: CronExpression, day: number | null): number | null {
  return day === null ? null : day * DAY + (cron.hours[0]! * 60 + cron.minutes[0]!) * MINUTE;
}

function endOf(cron: CronExpression, day: number | null): number | null {
  return day === null ? null : day * DAY + (cron.hours.at(-1)! * 60 + cron.minutes.at(-1)!) * MINUTE;
}

/** Minutes since midnight, as the result. */
function timeAtOrAfter(cron: CronExpression, time: number): number | null {
  const hour = Math.floor(time / 60);
  for (const named of cron.hours) {
    if (named > hour) return named * 60 + cron.minutes[0]!;
    if (named < hour) continue;
    const minute = cron.minutes.find((value) => value >= time - hour * 60);
    if (minute !== undefined) return named * 60 + minute;
  }
  return null;
}

function timeAtOrBefore(cron: CronExpression, time: number): number | null {
  const hour = Math.floor(time / 60);
  for (let at = cron.hours.length - 1; at >= 0; at--) {
    const named = cron.hours[at]!;
    if (named < hour) return named * 60 + cron.minutes.at(-1)!;
    if (named > hour) continue;
    const minute = cron.minutes.findLast((value) => value <= time - hour * 60);
    if (minute !== undefined) return named * 60 + minute;
  }
  return null;
}

/** Days are counted from 1970-01-01. Months that are not named are skipped whole. */
function dayAtOrAfter(cron: CronExpression, day: number): number | null {
  const from = new Date(day * DAY);
  const lastYear = Math.min(from.getUTCFullYear() + HORIZON_YEARS, LAST_YEAR);
  let year = from.getUTCFullYear();
  let month = from.getUTCMonth();
  let date = from.getUTCDate();
  while (year <= lastYear) {
    if (cron.months.includes(month + 1)) {
      const monthStart = Date.UTC(year, month, 1) / DAY;
      for (const last = daysIn(year, month); date <= last; date++)
        if (isNamed(cron, date, monthStart + date - 1)) return monthStart + date - 1;
    }
    date = 1;
    month += 1;
    if (month === 12) {
      month = 0;
      year += 1;
    }
  }
  return null;
}

function dayAtOrBefore(cron: CronExpression, day: number): number | null {
  const from = new Date(day * DAY);
  const firstYear = from.getUTCFullYear() - HORIZON_YEARS;
  let year = from.getUTCFullYear();
  let month = from.getUTCMonth();
  let date = from.getUTCDate();
  while (year >= firstYear) {
    if (cron.months.includes(month + 1)) {
      const monthStart = Date.UTC(year, month, 1) / DAY;
      for (; date >= 1; date--) if (isNamed(cron, date, monthStart + date - 1)) return monthStart + date - 1;
    }
    month -= 1;
    if (month < 0) {
      month = 11;
      year -= 1;
    }
    date = daysIn(year, month);
  }
  return null;
}

/** Of a day in a named month. The field that is not given names every day, so that one `and` serves it. */
function isNamed(cron: CronExpression, date: number, day: number): boolean {
  const byDate = cron.daysOfMonth.includes(date);
  // 1970-01-01 was a Thursday.
  const byWeekday = cron.daysOfWeek.includes((((day + 4) % 7) + 7) % 7);
  return cron.dayOfMonthGiven && cron.dayOfWeekGiven ? byDate || byWeekday : byDate && byWeekday;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}
