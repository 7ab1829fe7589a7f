// The oracle: knows nothing but what Intl shows for each minute, one after the other, and its own reading of the fields.
// It shares no code with src/core/cron.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds of the reading of a zone's clock, as if it were UTC. */
export type Clock = (instant: number) => number;

export function clockOf(timezone: string): Clock {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
    hourCycle: 'h23',
  });
  return (instant) => {
    // 05/10/2025, 02:15:00
    const [day, month, year, hour, minute, second] = format.format(instant).split(/\D+/).map(Number);
    return Date.UTC(year!, month! - 1, day, hour, minute, second);
  };
}

export interface Transition {
  readonly timezone: string;
  /** The first instant of the new offset. */
  readonly instant: number;
  /** Readings of the clock: what it would have shown, and what it shows. */
  readonly wallBefore: number;
  readonly wallAfter: number;
}

/** All changes of a zone's offset between two midnights of UTC, looked for at each midnight. */
export function transitionsOf(timezone: string, from: number, to: number): Transition[] {
  const clock = clockOf(timezone);
  const offset = (instant: number) => clock(instant) - instant;
  const found: Transition[] = [];
  let before = offset(from);
  for (let day = from; day < to; day += DAY) {
    const after = offset(day + DAY);
    if (after !== before) {
      let low = day;
      let high = day + DAY;
      while (high - low > MINUTE) {
        const middle = Math.floor((low + high) / 2 / MINUTE) * MINUTE;
        if (offset(middle) === before) low = middle;
        else high = middle;
      }
      found.push({ timezone, instant: high, wallBefore: high + before, wallAfter: high + after });
    }
    before = after;
  }
  return found;
}

/** Every minute of a stretch of time with what the clock shows then. */
export interface Walk {
  readonly instants: readonly number[];
  readonly walls: readonly number[];
  /** The first instant of each reading. */
  readonly firstShown: ReadonlyMap<number, number>;
}

export function walk(timezone: string, from: number, to: number): Walk {
  const clock = clockOf(timezone);
  const instants: number[] = [];
  const walls: number[] = [];
  const firstShown = new Map<number, number>();
  for (let instant = from; instant < to; instant += MINUTE) {
    const wall = clock(instant);
    instants.push(instant);
    walls.push(wall);
    if (!firstShown.has(wall)) firstShown.set(wall, instant);
  }
  return { instants, walls, firstShown };
}

/** The ticks of a walk, by the contract's words. Its first day must be free of transitions. */
export function ticksOf({ instants, walls, firstShown }: Walk, expression: string): number[] {
  const names = matcherOf(expression);
  const [minutes, hours] = expression.split(' ');
  const ticks = new Set<number>();
  if (isWildcard(minutes!, 59) || isWildcard(hours!, 23)) {
    for (const [at, wall] of walls.entries()) if (names(wall)) ticks.add(instants[at]!);
    return [...ticks];
  }
  const last = walls.at(-1)!;
  for (let wall = walls[0]!; wall <= last; wall += MINUTE) {
    if (!names(wall)) continue;
    const shown = firstShown.get(wall) ?? instants[walls.findIndex((later) => later > wall)]!;
    ticks.add(shown);
  }
  return [...ticks].sort((a, b) => a - b);
}

/** Every minute or hour, however written, is a wildcard. */
const isWildcard = (field: string, max: number) => field.includes('*') || valuesOf(field, 0, max).size > max;

function matcherOf(expression: string): (wall: number) => boolean {
  const [minute, hour, date, month, weekday] = expression.split(' ') as [
    string,
    string,
    string,
    string,
    string,
  ];
  const minutes = valuesOf(minute, 0, 59);
  const hours = valuesOf(hour, 0, 23);
  const dates = valuesOf(date, 1, 31);
  const months = valuesOf(month, 1, 12);
  const weekdays = valuesOf(weekday, 0, 7);
  const isNamedDay = new Map<number, boolean>();
  return (wall) => {
    const sinceMidnight = ((wall % DAY) + DAY) % DAY;
    if (!hours.has(Math.floor(sinceMidnight / HOUR)) || !minutes.has((sinceMidnight % HOUR) / MINUTE))
      return false;
    const midnight = wall - sinceMidnight;
    let named = isNamedDay.get(midnight);
    if (named === undefined) {
      const day = new Date(midnight);
      const byDate = dates.has(day.getUTCDate());
      const byWeekday = weekdays.has(day.getUTCDay()) || (day.getUTCDay() === 0 && weekdays.has(7));
      const ofDay = date === '*' ? byWeekday : weekday === '*' ? byDate : byDate || byWeekday;
      named = months.has(day.getUTCMonth() + 1) && ofDay;
      isNamedDay.set(midnight, named);
    }
    return named;
  };
}

function valuesOf(field: string, min: number, max: number): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range, step] = part.split('/') as [string, string | undefined];
    const [first, last] = range === '*' ? [min, max] : range.split('-').map(Number);
    const end = last ?? (step === undefined ? first! : max);
    for (let value = first!; value <= end; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}
