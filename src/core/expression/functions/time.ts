// What the functions over instants do, and the two that come from the task's context. Signatures stand in functions.ts.

import { createTextCache } from '../../cache.ts';
import { FUNCTION_CONTEXT, type FunctionContext } from '../scope.ts';
import type { Arguments } from './arguments.ts';

const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?)?$/;
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const TOKEN = /'(?:[^']|'')*'|([A-Za-z])\1*/g;

const formatters = createTextCache<Intl.DateTimeFormat>(50, 10_000);

export function now(args: Arguments): string {
  return context(args).now;
}

export function uuid(args: Arguments): string {
  // It is hashed with its place, whose names are the author's.
  args.evaluation.charge(50);
  args.evaluation.chargeReading(args.evaluation.pointer);
  return context(args).uuid(placeNumber(`${args.evaluation.pointer}#${args.at}${elementsOf(args)}`));
}

/** `[2][0]`: of the elements that functions over lists are at, so that each has another. */
function elementsOf(args: Arguments): string {
  let text = '';
  for (let at = args.evaluation.element; at !== null; at = at.outer) text += `[${at.index}]`;
  return text;
}

function context(args: Arguments): FunctionContext {
  const found = args.evaluation.scope[FUNCTION_CONTEXT];
  return found ?? args.fail('is not available here');
}

/** A whole number of 53 bits from a text (cyrb53): the same place gives the same number in every attempt. */
function placeNumber(place: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < place.length; i++) {
    const unit = place.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

export function addSeconds(args: Arguments): string {
  const at = instant(args, 0) + Math.round(args.number(1) * 1000);
  if (!(Math.abs(at) <= 8.64e15)) return args.fail('the result is beyond the calendar');
  return new Date(at).toISOString();
}

/** Milliseconds since 1970 of an ISO 8601 date or date-time (UTC where it has no offset), or of a number of them. */
function instant(args: Arguments, i: number): number {
  const value = args.value(i);
  args.evaluation.charge(20);
  if (typeof value === 'number' && Math.abs(value) <= 8.64e15) return value;
  const parts = typeof value === 'string' ? INSTANT.exec(value) : null;
  if (parts === null) return args.refuse(i, 'an ISO 8601 date or date-time');
  const [, date, time = '00:00', seconds = ':00', offset = 'Z'] = parts;
  const at = Date.parse(
    `${date}T${time}${seconds}${offset.toUpperCase().replace(/^(.\d\d)(\d\d)$/, '$1:$2')}`,
  );
  // Date.parse rolls 30 February over into March.
  if (Number.isNaN(at) || !isCalendarDay(date!)) return args.fail(`argument ${i + 1} is not a real date`);
  return at;
}

function isCalendarDay(date: string): boolean {
  const at = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}

export function formatDate(args: Arguments): string {
  const at = instant(args, 0);
  const format = args.text(1);
  if (format.length > 200) return args.fail('argument 2 must have at most 200 characters');
  const timezone = args.count > 2 ? args.text(2) : 'UTC';
  args.evaluation.charge(100 + format.length * 2);
  const fields = localFields(args, at, timezone);
  return format.replace(TOKEN, (token) => formatToken(args, token, fields));
}

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  readonly weekday: number;
  readonly offsetMinutes: number;
}

function localFields(args: Arguments, at: number, timezone: string): Fields {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatter(args, timezone).formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return {
    year,
    month,
    day,
    hour,
    minute,
    second,
    millisecond: ((at % 1000) + 1000) % 1000,
    weekday: new Date(local).getUTCDay(),
    offsetMinutes: Math.round((local - Math.floor(at / 1000) * 1000) / 60_000),
  };
}

function formatter(args: Arguments, timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known !== undefined) return known;
  // There are more time zones than are kept.
  args.evaluation.charge(4000);
  try {
    const made = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(timezone, made);
    return made;
  } catch {
    return args.fail('argument 3 must be an IANA time zone such as Europe/Paris');
  }
}

function formatToken(args: Arguments, token: string, at: Fields): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  switch (token) {
    case 'yyyy':
    case 'YYYY':
      return String(at.year).padStart(4, '0');
    case 'yy':
    case 'YY':
      return two(at.year % 100);
    case 'MMMM':
      return MONTHS[at.month - 1]!;
    case 'MMM':
      return MONTHS[at.month - 1]!.slice(0, 3);
    case 'MM':
      return two(at.month);
    case 'M':
      return String(at.month);
    case 'dd':
    case 'DD':
      return two(at.day);
    case 'd':
    case 'D':
      return String(at.day);
    case 'HH':
      return two(at.hour);
    case 'H':
      return String(at.hour);
    case 'hh':
      return two(at.hour % 12 || 12);
    case 'h':
      return String(at.hour % 12 || 12);
    case 'a':
    case 'A':
      return at.hour < 12 ? 'AM' : 'PM';
    case 'mm':
      return two(at.minute);
    case 'm':
      return String(at.minute);
    case 'ss':
      return two(at.second);
    case 's':
      return String(at.second);
    case 'SSS':
      return String(at.millisecond).padStart(3, '0');
    case 'EEEE':
      return DAYS[at.weekday]!;
    case 'EEE':
      return DAYS[at.weekday]!.slice(0, 3);
    case 'T':
      return 'T';
    case 'Z':
    case 'XXX':
      return offsetText(at.offsetMinutes);
    default:
      if (token.startsWith("'")) return token === "''" ? "'" : token.slice(1, -1).replaceAll("''", "'");
      return args.fail(
        `argument 2 has "${token}"; known are yyyy yy MMMM MMM MM M dd d HH H hh h a mm m ss s SSS EEEE EEE T Z, and 'text' in quotes`,
      );
  }
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`;
}
