// The circuit breaker: when it opens, for how long, and what closes it.
import { describe, expect, test } from 'vitest';
import {
  admit,
  adopt,
  afterCall,
  BREAKER_SETTINGS,
  type Breaker,
  isForgettable,
  NEW_BREAKER,
  type Outcome,
  outcomeOf,
  startProbe,
} from '../../src/core/breaker.ts';
import { below, randomOf } from './support/random.ts';

const ANSWERED: Outcome = { kind: 'answered' };
const FAILED: Outcome = { kind: 'failed' };
const UNKNOWN: Outcome = { kind: 'unknown' };
const limited = (retryAfterMs: number): Outcome => ({ kind: 'limited', retryAfterMs });

const end = (breaker: Breaker, outcome: Outcome, nowMs = 0, epoch = breaker.epoch) =>
  afterCall(breaker, { outcome, epoch, nowMs, random: 0 });
const ends = (outcomes: readonly Outcome[], nowMs = 0) =>
  outcomes.reduce((breaker, outcome) => end(breaker, outcome, nowMs), NEW_BREAKER);
const times = (n: number, outcome: Outcome) => Array.from({ length: n }, () => outcome);
const opened = (nowMs = 0) => ends(times(5, FAILED), nowMs);
const openMs = ({ state }: Breaker, nowMs: number) =>
  state.status === 'open' ? state.untilMs - nowMs : null;

describe('closed', () => {
  test('opens after five failures in a row, for five seconds', () => {
    expect(ends(times(4, FAILED)).state.status).toBe('closed');
    expect(openMs(opened(100), 100)).toBe(5_000);
    expect(admit(opened(), 0)).toEqual({ kind: 'wait', waitMs: 5_000, because: 'open' });
  });

  test('an answer ends the row of failures; what says nothing does not', () => {
    expect(ends([...times(4, FAILED), ANSWERED, ...times(4, FAILED)]).state.status).toBe('closed');
    expect(ends([...times(4, FAILED), UNKNOWN, limited(0), FAILED]).state.status).toBe('open');
  });

  test('opens when half of at least twenty calls within the window failed', () => {
    const mixed = Array.from({ length: 10 }, () => [ANSWERED, FAILED]).flat();
    expect(ends(mixed.slice(0, 19)).state.status).toBe('closed');
    expect(ends(mixed).state.status).toBe('open');
    expect(ends([...times(2, ANSWERED), ...mixed]).state.status).toBe('closed');
  });

  test('calls that left the window count no more', () => {
    const old = ends(
      times(15, ANSWERED).flatMap((a) => [a, FAILED]),
      0,
    );
    const fewer = [...Array(9).keys()].reduce((b) => end(end(b, ANSWERED, 1), FAILED, 1), NEW_BREAKER);
    expect(old.state.status).toBe('open');
    expect(fewer.state.status).toBe('closed');
    const later = BREAKER_SETTINGS.windowMs + 1;
    expect(end(end(fewer, ANSWERED, later), FAILED, later).state.status).toBe('closed');
    expect(end(end(fewer, ANSWERED, 2), FAILED, 2).state.status).toBe('open');
  });

  test('jitter makes an opening up to a quarter longer, never shorter', () => {
    const almost = ends(times(4, FAILED));
    const last = (random: number) => afterCall(almost, { outcome: FAILED, epoch: 0, nowMs: 0, random });
    expect(openMs(last(0.999999), 0)).toBe(6_250);
  });
});

describe('open', () => {
  test('lets one probe through when its time is over; others wait for it', () => {
    const breaker = opened();
    expect(admit(breaker, 4_999).kind).toBe('wait');
    expect(admit(breaker, 5_000)).toEqual({ kind: 'probe' });
    expect(admit(startProbe(breaker), 5_000)).toMatchObject({ kind: 'wait', because: 'probing' });
  });

  test('a probe that is answered closes it, also with a request for fewer calls', () => {
    expect(end(startProbe(opened()), ANSWERED, 5_000).state.status).toBe('closed');
    const limitedProbe = end(startProbe(opened()), limited(3_000), 5_000);
    expect(limitedProbe.state.status).toBe('closed');
    expect(admit(limitedProbe, 5_000)).toEqual({ kind: 'wait', waitMs: 3_000, because: 'paused' });
  });

  test('each probe that fails doubles the time, up to a minute', () => {
    let breaker = opened();
    const seen: (number | null)[] = [];
    for (let i = 0; i < 6; i++) {
      breaker = end(startProbe(breaker), FAILED, 0);
      seen.push(openMs(breaker, 0));
    }
    expect(seen).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  test('a probe that says nothing makes room for the next at once', () => {
    expect(admit(end(startProbe(opened()), UNKNOWN, 7_000), 7_000)).toEqual({ kind: 'probe' });
  });

  test('calls that began before it opened, or before it closed, change nothing', () => {
    const breaker = opened();
    expect(end(breaker, ANSWERED, 1, 0)).toBe(breaker);
    const probing = startProbe(breaker);
    expect(end(probing, ANSWERED, 1, 0)).toBe(probing);
    expect(end(probing, FAILED, 1, 0)).toBe(probing);
    const closed = end(probing, ANSWERED, 5_000);
    for (const epoch of [0, breaker.epoch, probing.epoch]) expect(end(closed, FAILED, 1, epoch)).toBe(closed);
  });
});

describe('a pause', () => {
  test('lasts as long as the service asks, a minute at most, and is no failure', () => {
    expect(admit(ends([limited(2_000)]), 0)).toEqual({ kind: 'wait', waitMs: 2_000, because: 'paused' });
    expect(admit(ends([limited(2_000)]), 2_000)).toEqual({ kind: 'pass' });
    expect(admit(ends([limited(3_600_000)]), 0)).toMatchObject({ waitMs: 60_000 });
    expect(ends(times(50, limited(10))).state.status).toBe('closed');
  });

  test('a shorter one does not end a longer one', () => {
    expect(admit(ends([limited(9_000), limited(10)]), 0)).toMatchObject({ waitMs: 9_000 });
  });
});

describe('what the others wrote', () => {
  const shared = { openings: 2, openForMs: 700, isProbing: false, pausedForMs: 0 };

  test('opens, holds for a probe, and closes this one too', () => {
    const open = adopt(ends(times(2, FAILED)), shared, 1_000);
    expect(open.state).toEqual({ status: 'open', openings: 2, untilMs: 1_700 });
    const probing = adopt(open, { ...shared, isProbing: true }, 1_000);
    expect(admit(probing, 9_000)).toMatchObject({ because: 'probing' });
    const closed = adopt(probing, null, 1_000);
    expect(closed.state).toMatchObject({ status: 'closed', failuresInARow: 0 });
    expect(new Set([open.epoch, probing.epoch, closed.epoch]).size).toBe(3);
  });

  test('leaves what was counted here where it agrees', () => {
    const counted = ends(times(4, FAILED));
    expect(adopt(counted, null, 0)).toEqual(counted);
    const probing = startProbe(adopt(NEW_BREAKER, shared, 0));
    expect(adopt(probing, { ...shared, isProbing: true }, 0).epoch).toBe(probing.epoch);
  });

  test('a pause is shared without an opening', () => {
    const paused = adopt(NEW_BREAKER, { openings: 0, openForMs: 0, isProbing: false, pausedForMs: 50 }, 10);
    expect(admit(paused, 10)).toEqual({ kind: 'wait', waitMs: 50, because: 'paused' });
    expect(paused.state.status).toBe('closed');
  });
});

test('an error code says what it tells of the service', () => {
  for (const code of ['provider_error', 'network', 'timeout', 'http_500', 'http_503'])
    expect([code, outcomeOf(code).kind]).toEqual([code, 'failed']);
  for (const code of ['http_404', 'http_400', 'provider_refused', 'output_invalid'])
    expect([code, outcomeOf(code).kind]).toEqual([code, 'answered']);
  for (const code of ['', 'cancelled', 'handler_error', 'blocked_destination', 'my.own'])
    expect([code, outcomeOf(code).kind]).toEqual([code, 'unknown']);
  expect(outcomeOf('rate_limited', 2.5)).toEqual({ kind: 'limited', retryAfterMs: 2_500 });
  expect(outcomeOf('http_429')).toEqual({ kind: 'limited', retryAfterMs: 1_000 });
});

test('is forgotten when it is closed and nothing was called for a window', () => {
  expect(isForgettable(NEW_BREAKER, 0)).toBe(true);
  expect(isForgettable(ends([ANSWERED]), 1_000)).toBe(false);
  expect(isForgettable(ends([ANSWERED, FAILED]), BREAKER_SETTINGS.windowMs + 1)).toBe(true);
  expect(isForgettable(opened(), 10 ** 9)).toBe(false);
});

test('whatever ends in whatever order: it never blocks for ever, and epochs only rise', () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = randomOf(seed);
    let breaker = NEW_BREAKER;
    let nowMs = 0;
    const underWay: number[] = [];
    let probe: number | null = null;
    for (let step = 0; step < 200; step++) {
      nowMs += below(random, 800);
      const { epoch } = breaker;
      const admission = admit(breaker, nowMs);
      if (admission.kind === 'pass') underWay.push(epoch);
      if (admission.kind === 'probe') {
        expect(probe).toBeNull();
        breaker = startProbe(breaker);
        probe = breaker.epoch;
      }
      const outcome = [ANSWERED, FAILED, FAILED, UNKNOWN, limited(below(random, 3_000))][below(random, 5)]!;
      const isProbe = probe !== null && below(random, 2) === 0;
      const ended = isProbe ? probe! : underWay.splice(below(random, underWay.length || 1), 1)[0];
      if (ended !== undefined) breaker = end(breaker, outcome, nowMs, ended);
      if (isProbe) probe = null;
      expect(breaker.epoch).toBeGreaterThanOrEqual(epoch);
    }
    if (probe !== null) breaker = end(breaker, UNKNOWN, nowMs, probe);
    expect(admit(breaker, nowMs + 200_000).kind).not.toBe('wait');
  }
});
