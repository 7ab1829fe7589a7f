// Daylight saving, against a walker over the minutes around real transitions of all zones. The full product of zones,
// transitions and expressions takes minutes: CRON_FULL=1 runs it; else a part is drawn, the same each time.
import { describe, expect, test } from 'vitest';
import { nextTime, previousTime } from '../../../src/core/cron/next.ts';
import { casesOf, depth, isFullDepth } from '../../support/depth.ts';
import { cron, iso } from './make-cron.ts';
import { type Transition, ticksOf, transitionsOf, walk } from './minute-walker.ts';
import { timesBetween } from './times-between.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const isFull = process.env.CRON_FULL === '1';
/** Islands that changed sides of the date line, and a gap of 30 minutes, whatever is drawn. */
const STRANGE: readonly (readonly [string, number, number])[] = [
  ['Pacific/Apia', Date.UTC(2011, 0), Date.UTC(2012, 0)],
  ['Pacific/Fakaofo', Date.UTC(2011, 11), Date.UTC(2012, 0)],
  ['Pacific/Kwajalein', Date.UTC(1993, 7), Date.UTC(1993, 8)],
  ['Pacific/Kiritimati', Date.UTC(1994, 11), Date.UTC(1995, 1)],
  ['Antarctica/Vostok', Date.UTC(1994, 0), Date.UTC(1995, 0)],
  ['Australia/Lord_Howe', Date.UTC(2016, 0), Date.UTC(2018, 0)],
  ['Antarctica/Troll', Date.UTC(2016, 0), Date.UTC(2017, 0)],
  ['America/Caracas', Date.UTC(2007, 11), Date.UTC(2008, 0)],
  ['America/Havana', Date.UTC(2016, 0), Date.UTC(2017, 0)],
  ['America/St_Johns', Date.UTC(2011, 0), Date.UTC(2011, 11)],
  ['Asia/Gaza', Date.UTC(2011, 0), Date.UTC(2012, 0)],
];

// h is the hour before the change, g and i its neighbours, d the day, w the weekday, n the month.
const MINUTE_FIELDS = ['0', '15', '30', '59', '0,30', '0-30', '5/20', '*', '*/15', '10-50/20', '0,*/40'];
const HOUR_FIELDS = ['h', 'i', 'g', 'g,h,i', '*', '*/2', '0-23/2', '0', '*/1', '0-23', 'h,i'];
const DAY_FIELDS = ['* * *', 'd * *', '* * w', 'd n *', 'd * w', '*/2 * w', '1-7 * 0', '* n 1-5'];
const PATTERNS = MINUTE_FIELDS.flatMap((minute) =>
  HOUR_FIELDS.flatMap((hour) => DAY_FIELDS.map((day) => `${minute} ${hour} ${day}`)),
);

/** The n-th number of a fixed sequence in [0, count). */
const drawn = (n: number, count: number) =>
  Math.floor(((Math.imul(n + 1, 0x9e3779b1) >>> 0) / 2 ** 32) * count);

function expressionFor(pattern: string, { wallBefore }: Transition): string {
  const last = new Date(wallBefore - 1);
  const hour = last.getUTCHours();
  const values: Record<string, number> = {
    g: (hour + 23) % 24,
    h: hour,
    i: (hour + 1) % 24,
    d: last.getUTCDate(),
    w: last.getUTCDay(),
    n: last.getUTCMonth() + 1,
  };
  return pattern.replace(/[a-z]/g, (letter) => String(values[letter]));
}

/** What differs from the walker around this transition. */
function differences(transition: Transition, patterns: readonly string[]): string[] {
  const { timezone, instant } = transition;
  const from = instant - 27 * HOUR;
  const to = instant + 27 * HOUR;
  // The day before is walked too, so that no tick of a time in a gap is missed; so is the day after.
  const minutes = walk(timezone, from - DAY, to + DAY);
  const wrong: string[] = [];
  for (const pattern of patterns) {
    const expression = expressionFor(pattern, transition);
    const schedule = cron(expression, timezone);
    const expected = ticksOf(minutes, expression).filter((tick) => tick >= from && tick < to);
    const got = timesBetween(schedule, from, to, 10_000);
    const back: number[] = [];
    for (
      let tick = previousTime(schedule, to);
      tick !== null && tick >= from;
      tick = previousTime(schedule, tick)
    )
      back.unshift(tick);
    const shown = `${expression} ${timezone} at ${iso(instant)}`;
    if (got.join() !== expected.join() || back.join() !== expected.join())
      wrong.push(`${shown}: ${got.map(iso)} and backwards ${back.map(iso)}, expected ${expected.map(iso)}`);
    // Asked at moments that are no ticks, in the second pass of an overlap above all.
    for (let moment = instant - 40 * MINUTE; moment <= instant + 80 * MINUTE; moment += 20 * MINUTE + 1) {
      const next = expected.find((tick) => tick > moment);
      if (next !== undefined && nextTime(schedule, moment) !== next)
        wrong.push(`${shown}, after ${iso(moment)}`);
      const previous = expected.findLast((tick) => tick < moment);
      if (previous !== undefined && previousTime(schedule, moment) !== previous)
        wrong.push(`${shown}, before ${iso(moment)}`);
    }
  }
  return wrong;
}

/** Zones with one history have the same transitions: one of these stands for them. */
function onceEach(transitions: readonly Transition[]): Transition[] {
  const byChange = transitions.map((transition) => {
    const { instant, wallBefore, wallAfter } = transition;
    return [`${instant} ${wallBefore} ${wallAfter}`, transition] as const;
  });
  return [...new Map(byChange).values()];
}

const YEAR_LONG = ['*/30 1-2 * * *', '15 2 * * *', '45 1 * * 0', '0 0 31 * *', '15 2 5 10 *'];

describe('daylight saving agrees with a walker over the minutes', () => {
  test('at the transitions of all zones over ten years', { timeout: isFull ? 3_600_000 : 60_000 }, () => {
    const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
    const strange = STRANGE.flatMap(([timezone, from, to]) => transitionsOf(timezone, from, to));
    // A year per zone is enough to find transitions for the part; the full product takes all of the ten years.
    const all = zones.flatMap((timezone, n) => {
      const year = 2016 + drawn(n, 10);
      return isFull
        ? transitionsOf(timezone, Date.UTC(2016, 0), Date.UTC(2026, 0))
        : transitionsOf(timezone, Date.UTC(year, 0), Date.UTC(year + 1, 0));
    });
    const some = isFull ? all : casesOf(onceEach(all));
    const transitions = [...strange, ...some];
    const perTransition = isFull ? 200 : isFullDepth ? 20 : 10;
    let count = 0;
    const wrong: string[] = [];
    for (const [n, transition] of transitions.entries()) {
      const patterns = Array.from(
        { length: perTransition },
        (_, k) => PATTERNS[drawn(n * perTransition + k, PATTERNS.length)]!,
      );
      wrong.push(...differences(transition, patterns));
      count += patterns.length;
    }
    console.log(
      `${zones.length} zones, ${transitions.length} transitions, ${count} expressions, ${wrong.length} differ`,
    );
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(strange.length).toBeGreaterThanOrEqual(STRANGE.length);
    expect(some.length).toBeGreaterThan(depth(150));
  });

  test('over a whole year in a zone with two transitions, whatever the moment of asking', () => {
    const timezone = 'Australia/Lord_Howe';
    const from = Date.UTC(2025, 0, 2);
    const to = Date.UTC(2025, 11, 30);
    const minutes = walk(timezone, from - DAY, to + DAY);
    for (const expression of isFullDepth ? YEAR_LONG : YEAR_LONG.slice(0, 2)) {
      const expected = ticksOf(minutes, expression).filter((tick) => tick >= from && tick < to);
      const schedule = cron(expression, timezone);
      expect(timesBetween(schedule, from, to, 100_000), expression).toEqual(expected);
      for (let k = 0; k < 300; k++) {
        const moment = from + 7 * DAY + drawn(k, 340 * DAY);
        if (expected.at(-1)! > moment)
          expect(nextTime(schedule, moment), `${expression} after ${moment}`).toBe(
            expected.find((tick) => tick > moment),
          );
        if (expected[0]! < moment)
          expect(previousTime(schedule, moment), `${expression} before ${moment}`).toBe(
            expected.findLast((tick) => tick < moment),
          );
      }
    }
  });
});
