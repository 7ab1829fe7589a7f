// When a schedule fires: the nominal times of a cron expression in a zone, as milliseconds since the epoch.
//   N1  A wildcard in minutes or hours runs in real time: it fires at each instant whose local minute it names. So both
//       passes of an hour that comes twice fire, and an hour that the clock skips has none.
//   N2  A fixed time fires once: at the first instant at which the clock shows it or has gone past it. So it fires in
//       the first pass only, and right after the gap that swallows it, be that gap 30 minutes or a day.
//   N3  Several times that fall on one instant are one tick.
//   N4  Nothing here walks ticks to find one: a step of a year costs what a step of a minute does.
import type { Result } from '../errors.ts';
import { type CronExpression, parseCron } from './expression.ts';
import { parseTimezone } from './timezone.ts';
import { wallAtOrAfter, wallAtOrBefore } from './wall-time.ts';
import { type ZoneClock, zoneClock } from './zone-clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// Clocks have gone back by at most 7 hours since 1970, and never twice within two days.
const SETTLED = 2 * DAY;
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59);

/** A checked expression in a checked zone. */
export interface Cron {
  readonly expression: CronExpression;
  readonly timezone: string;
}

/** The problems of both: code `cron` for the expression, `timezone` for the zone, pointer ''. */
export function createCron(expression: string, timezone: string): Result<Cron> {
  const read = parseCron(expression);
  const zone = parseTimezone(timezone);
  if (read.ok && zone.ok) return { ok: true, value: { expression: read.value, timezone: zone.value } };
  return { ok: false, problems: [read, zone].flatMap((part) => (part.ok ? [] : part.problems)) };
}

/** The first tick strictly after `afterMs`, from 1970 to the year 9999; null when there is none. */
export function nextTime(cron: Cron, afterMs: number): number | null {
  if (!(afterMs < LAST_INSTANT)) return null;
  const after = Math.max(Math.floor(afterMs), -1);
  const clock = zoneClock(cron.timezone);
  const next = cron.expression.fixed
    ? nextFixed(cron.expression, clock, after)
    : nextReal(cron.expression, clock, after);
  return next === null || next > LAST_INSTANT ? null : next;
}

/** The last tick strictly before `beforeMs`; null when there is none since 1970. */
export function previousTime(cron: Cron, beforeMs: number): number | null {
  if (!(beforeMs > 0)) return null;
  const upTo = Math.min(Math.ceil(beforeMs) - 1, LAST_INSTANT);
  const clock = zoneClock(cron.timezone);
  const previous = cron.expression.fixed
    ? previousFixed(cron.expression, clock, upTo)
    : previousReal(cron.expression, clock, upTo);
  return previous === null || previous < 0 ? null : previous;
}

/** N2 forwards: a named time fires later than `after` exactly when no clock reading so far has reached it. */
function nextFixed(expression: CronExpression, clock: ZoneClock, after: number): number | null {
  const wall = wallAtOrAfter(expression, reachedBy(clock, after) + 1);
  return wall === null ? null : firstReached(clock, wall);
}

function previousFixed(expression: CronExpression, clock: ZoneClock, upTo: number): number | null {
  const wall = wallAtOrBefore(expression, reachedBy(clock, upTo));
  return wall === null ? null : firstReached(clock, wall);
}

/** The latest reading of the clock up to and at this instant, which is not the present one after it was set back. */
function reachedBy(clock: ZoneClock, instant: number): number {
  let span = clock.spanAt(instant);
  let reached = instant + span.offset;
  while (span.start > instant - SETTLED) {
    span = clock.spanAt(span.start - 1);
    reached = Math.max(reached, span.end - 1 + span.offset);
  }
  return reached;
}

/** The first instant at which the clock shows this time or a later one. */
function firstReached(clock: ZoneClock, wall: number): number {
  // No zone is 26 hours ahead: the search begins before.
  let span = clock.spanAt(wall - 26 * HOUR);
  for (;;) {
    const instant = Math.max(span.start, wall - span.offset);
    if (instant < span.end) return instant;
    span = clock.spanAt(span.end);
  }
}

/** N1 forwards, span by span. */
function nextReal(expression: CronExpression, clock: ZoneClock, after: number): number | null {
  let from = after + 1;
  for (;;) {
    const span = clock.spanAt(from);
    const wall = wallAtOrAfter(expression, from + span.offset);
    if (wall === null) return null;
    const instant = wall - span.offset;
    if (instant < span.end) return instant;
    // Until the clock can no longer be set back before `after`, spans are not skipped; then all is skipped up to two
    // days before the named time, since nothing is named until then.
    from = from - after > SETTLED ? Math.max(span.end, instant - SETTLED) : span.end;
  }
}

/** N1 backwards. */
function previousReal(expression: CronExpression, clock: ZoneClock, upTo: number): number | null {
  let to = upTo;
  while (to >= 0) {
    const span = clock.spanAt(to);
    const wall = wallAtOrBefore(expression, to + span.offset);
    if (wall === null) return null;
    const instant = wall - span.offset;
    if (instant >= span.start) return instant;
    to = upTo - to > SETTLED ? Math.min(span.start - 1, instant + SETTLED) : span.start - 1;
  }
  return null;
}
