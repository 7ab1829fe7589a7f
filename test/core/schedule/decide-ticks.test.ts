import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCron } from '../../../src/core/cron/next.ts';
import {
  type Decision,
  decideTicks,
  GRACE_MS,
  MAX_TICKS,
  type ScheduleState,
} from '../../../src/core/schedule/decide-ticks.ts';
import { previewTicks } from '../../../src/core/schedule/preview.ts';
import { dueTime, latestDue, nextNominal, type Timing } from '../../../src/core/schedule/timing.ts';
import { CATCHUP_POLICIES, OVERLAP_POLICIES } from '../../../src/core/schedule/words.ts';
import { depth } from '../../support/depth.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A whole hour. */
const T0 = Date.UTC(2027, 0, 4, 12);

function timing(expression = '0 * * * *', more: Partial<Timing> = {}): Timing {
  const cron = createCron(expression, 'UTC');
  if (!cron.ok) throw new Error(expression);
  return { scheduleId: 's', cron: cron.value, jitterMs: 0, startAtMs: null, endAtMs: null, ...more };
}

const state = (more: Partial<ScheduleState> = {}): ScheduleState => ({
  timing: timing(),
  overlapPolicy: 'skip',
  catchupPolicy: 'last',
  catchupWindowMs: 24 * HOUR,
  nextRunAtMs: T0,
  isRunning: false,
  hasBuffered: false,
  ...more,
});

const words = ({ ticks }: Decision) => ticks.map(({ status }) => status).join(' ');

describe('a tick that is on time', () => {
  test.each([
    ['skip', false, false, 'fired'],
    ['skip', true, false, 'skipped_overlap'],
    ['skip', false, true, 'skipped_overlap'],
    ['buffer_one', false, false, 'fired'],
    ['buffer_one', true, false, 'buffered'],
    ['buffer_one', true, true, 'skipped_overlap'],
    ['buffer_one', false, true, 'skipped_overlap'],
    ['allow_all', true, true, 'fired'],
    ['cancel_other', true, false, 'fired'],
  ] as const)('%s, running %s, buffered %s: %s', (overlapPolicy, isRunning, hasBuffered, wanted) => {
    for (const catchupPolicy of CATCHUP_POLICIES) {
      const decision = decideTicks(
        state({ overlapPolicy, isRunning, hasBuffered, catchupPolicy }),
        T0 + GRACE_MS,
      );
      expect(words(decision)).toBe(wanted);
      expect(decision).toMatchObject({ nextRunAtMs: T0 + HOUR, dueAtMs: T0 + HOUR });
    }
  });
});

describe('ticks that are late', () => {
  const now = T0 + 3 * HOUR + GRACE_MS + 1;
  test.each([
    ['none', 'skip', 'missed missed missed missed'],
    ['last', 'skip', 'missed missed missed fired'],
    ['all', 'skip', 'fired buffered buffered buffered'],
    ['all', 'buffer_one', 'fired buffered buffered buffered'],
    ['all', 'allow_all', 'fired fired fired fired'],
    ['all', 'cancel_other', 'skipped_overlap skipped_overlap skipped_overlap fired'],
  ] as const)('%s under %s: %s', (catchupPolicy, overlapPolicy, wanted) => {
    expect(words(decideTicks(state({ catchupPolicy, overlapPolicy }), now))).toBe(wanted);
  });

  test('the window counts from now to when a tick was due', () => {
    const within = state({
      catchupPolicy: 'all',
      overlapPolicy: 'allow_all',
      catchupWindowMs: now - (T0 + HOUR),
    });
    expect(words(decideTicks(within, now))).toBe('missed fired fired fired');
    expect(words(decideTicks({ ...within, catchupWindowMs: now - (T0 + HOUR) - 1 }, now))).toBe(
      'missed missed fired fired',
    );
  });

  test('under last the latest is the one on time, where there is one', () => {
    expect(words(decideTicks(state(), T0 + HOUR + 1))).toBe('missed fired');
  });

  test('while an execution is open, last is judged by overlap like any other', () => {
    expect(words(decideTicks(state({ isRunning: true }), now))).toBe('missed missed missed skipped_overlap');
  });

  test('say why', () => {
    const reasons = decideTicks(state({ catchupPolicy: 'none' }), now).ticks.map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(['nobody fired it in time; catchupPolicy is none']));
  });
});

describe('bounds', () => {
  test('what is more than one decision takes is due again at once, and only the latest of all fires', () => {
    let current = state({ timing: timing('* * * * *') });
    const now = T0 + 999 * MINUTE + GRACE_MS + 1;
    const statuses: string[] = [];
    const sizes: number[] = [];
    for (;;) {
      const decision = decideTicks(current, now);
      statuses.push(...decision.ticks.map(({ status }) => status));
      sizes.push(decision.ticks.length);
      if (decision.dueAtMs! > now) break;
      expect(decision.dueAtMs).toBe(now);
      current = { ...current, nextRunAtMs: decision.nextRunAtMs! };
    }
    expect(sizes).toEqual(Array(5).fill(MAX_TICKS));
    expect(statuses.indexOf('fired')).toBe(999);
    expect(new Set(statuses.slice(0, 999))).toEqual(new Set(['missed']));
  });

  test('endAt ends it, startAt begins it', () => {
    const ending = timing('0 * * * *', { endAtMs: T0 + HOUR });
    expect(decideTicks(state({ timing: ending }), T0)).toEqual({
      ticks: [{ atMs: T0, status: 'fired' }],
      nextRunAtMs: null,
      dueAtMs: null,
    });
    expect(nextNominal(timing('0 * * * *', { startAtMs: T0 }), 0)).toBe(T0);
    expect(nextNominal(timing('0 * * * *', { startAtMs: T0 + 1 }), 0)).toBe(T0 + HOUR);
    expect(latestDue(timing('0 * * * *', { startAtMs: T0 + 1 }), T0 + 1)).toBeNull();
    expect(latestDue(ending, T0 + 10 * HOUR)).toBe(T0);
  });

  test('nothing is due before its time', () => {
    expect(decideTicks(state(), T0 - 1)).toEqual({ ticks: [], nextRunAtMs: T0, dueAtMs: T0 });
  });
});

describe('jitter', () => {
  test('is the same for a nominal time, differs between times and schedules, and spreads over the whole span', () => {
    const one = timing('0 * * * *', { jitterMs: 600_000 });
    const delays = Array.from({ length: 500 }, (_, i) => dueTime(one, T0 + i * HOUR) - (T0 + i * HOUR));
    expect(delays).toEqual(
      Array.from({ length: 500 }, (_, i) => dueTime(one, T0 + i * HOUR) - (T0 + i * HOUR)),
    );
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(600_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(500_000);
    expect(dueTime({ ...one, scheduleId: 'other' }, T0)).not.toBe(dueTime(one, T0));
  });

  test('a longer one than the interval keeps the order', () => {
    const one = timing('* * * * *', { jitterMs: 86_400_000 });
    for (let at = T0; at < T0 + HOUR; at += MINUTE) {
      expect(dueTime(one, at)).toBeLessThan(at + MINUTE);
      expect(latestDue(one, dueTime(one, at))).toBe(at);
      expect(latestDue(one, dueTime(one, at) - 1)).toBe(at - MINUTE);
    }
  });
});

test('a preview shows the nominal times in the zone, with its offset', () => {
  const cron = createCron('30 2 * * *', 'Asia/Kathmandu');
  if (!cron.ok) throw new Error('cron');
  expect(previewTicks({ ...timing(), cron: cron.value }, T0, 1)).toEqual([
    {
      scheduledAt: '2027-01-04T20:45:00.000Z',
      localTime: '2027-01-05T02:30:00+05:45',
      dueAt: '2027-01-04T20:45:00.000Z',
    },
  ]);
});

describe('against a model', () => {
  // A person with the rules of CONTRACT 7 and a list of all minutes.
  function model({ state, now }: { state: ScheduleState; now: number }): string[] {
    const due: number[] = [];
    for (let at = state.nextRunAtMs; at <= now; at += MINUTE)
      if (new Date(at).getUTCMinutes() % 5 === 0 && dueTime(state.timing, at) <= now) due.push(at);
    const fires = due.map((at, i) => {
      const late = now - dueTime(state.timing, at) > GRACE_MS;
      if (!late) return 'on time';
      if (state.catchupPolicy === 'none') return 'no';
      if (state.catchupPolicy === 'last') return i === due.length - 1 ? 'on time' : 'no';
      return now - dueTime(state.timing, at) <= state.catchupWindowMs ? 'late' : 'no';
    });
    let running = state.isRunning;
    let waiting = state.hasBuffered;
    return fires.map((word, i) => {
      if (word === 'no') return 'missed';
      if (state.overlapPolicy === 'allow_all') return 'fired';
      if (state.overlapPolicy === 'cancel_other')
        return fires.slice(i + 1).every((later) => later === 'no') ? 'fired' : 'skipped_overlap';
      const isFree = !running && !waiting;
      if (isFree) {
        running = true;
        return 'fired';
      }
      if (word === 'late' || (state.overlapPolicy === 'buffer_one' && !waiting)) {
        waiting = true;
        return 'buffered';
      }
      return 'skipped_overlap';
    });
  }

  const states = fc.record({
    overlapPolicy: fc.constantFrom(...OVERLAP_POLICIES),
    catchupPolicy: fc.constantFrom(...CATCHUP_POLICIES),
    windowMinutes: fc.nat(120),
    jitterSeconds: fc.constantFrom(0, 30, 400, 4_000),
    back: fc.nat(40),
    afterMs: fc.nat(5 * MINUTE),
    isRunning: fc.boolean(),
    hasBuffered: fc.boolean(),
  });

  test('every nominal time that is due gets the status of the rules, once and in order, and the rest is left', () => {
    fc.assert(
      fc.property(states, ({ windowMinutes, jitterSeconds, back, afterMs, ...rest }) => {
        const current = state({
          ...rest,
          timing: timing('*/5 * * * *', { jitterMs: jitterSeconds * 1_000 }),
          catchupWindowMs: windowMinutes * MINUTE,
        });
        const now = T0 + back * 5 * MINUTE + afterMs;
        const decision = decideTicks(current, now);
        expect(decision.ticks.map(({ status }) => status)).toEqual(model({ state: current, now }));
        expect(decision.ticks.map(({ atMs }) => atMs)).toEqual(
          decision.ticks.map((_, i) => T0 + i * 5 * MINUTE),
        );
        expect(decision.nextRunAtMs).toBe(T0 + decision.ticks.length * 5 * MINUTE);
        expect(decision.dueAtMs).toBeGreaterThan(now);
      }),
      { numRuns: depth(2_000) },
    );
  });
});
