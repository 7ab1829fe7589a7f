// What a zone's clock shows: its offset from UTC at any instant, and where that changes.
//   Z1  Asked of Intl once for the first instant of each UTC day that is looked at, and kept. Where two days differ, the
//       change is found by halving. No zone has changed twice within six days since 1970.
//   Z2  Local times are "wall" milliseconds: what Date.UTC makes of the fields that the clock shows.
const SECOND = 1000;
const DAY = 86_400 * SECOND;
// A day more costs a few microseconds to ask for again; this keeps a zone below 200 kB.
const MAX_DAYS = 2000;

/** A stretch of time with one offset (`wall = instant + offset`), all in milliseconds; cut at UTC midnights too. */
export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly offset: number;
}

export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();
  readonly #changes = new Map<number, number>();

  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The span that holds this instant. */
  spanAt(instant: number): Span {
    const day = Math.floor(instant / DAY);
    const start = day * DAY;
    const offset = this.#offsetOfDay(day);
    const nextOffset = this.#offsetOfDay(day + 1);
    if (offset === nextOffset) return { start, end: start + DAY, offset };
    const change = this.#changeWithin(day, offset);
    return instant < change
      ? { start, end: change, offset }
      : { start: change, end: start + DAY, offset: nextOffset };
  }

  #offsetOfDay(day: number): number {
    const kept = this.#offsets.get(day);
    if (kept !== undefined) return kept;
    if (this.#offsets.size >= MAX_DAYS) {
      this.#offsets.clear();
      this.#changes.clear();
    }
    const offset = this.#offsetAt(day * DAY);
    this.#offsets.set(day, offset);
    return offset;
  }

  /** The first instant, a whole second, at which the day's first offset does not hold any more. */
  #changeWithin(day: number, offset: number): number {
    const kept = this.#changes.get(day);
    if (kept !== undefined) return kept;
    let holds = day * DAY;
    let over = holds + DAY;
    while (over - holds > SECOND) {
      const middle = Math.floor((holds + over) / 2 / SECOND) * SECOND;
      if (this.#offsetAt(middle) === offset) holds = middle;
      else over = middle;
    }
    this.#changes.set(day, over);
    return over;
  }

  /** Of an instant at a whole second. */
  #offsetAt(instant: number): number {
    const [month, day, year, hour, minute, second] = this.#format.format(instant).match(/\d+/g)!.map(Number);
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - instant;
  }
}

// As many as there are names: parseTimezone lets no others in, and case makes no difference.
const clocks = new Map<string, ZoneClock>();

/** The clock of a checked zone, shared by all who ask. Throws RangeError for a name that is none. */
export function zoneClock(timezone: string): ZoneClock {
  const key = timezone.toLowerCase();
  let clock = clocks.get(key);
  if (clock === undefined) {
    clock = new ZoneClock(timezone);
    clocks.set(key, clock);
  }
  return clock;
}
