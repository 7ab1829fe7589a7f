// The table of waits: every decision made for every kind, and a kind without one does not compile.
import { describe, expect, test } from 'vitest';
import {
  type ShownWait,
  shownWait,
  WAIT_KINDS,
  WAITS,
  type WaitKind,
  type WaitRule,
} from '../../src/core/wait.ts';

const FACTS = {
  until: '2030-01-01T00:00:00.000Z',
  total: 5,
  open: 2,
  completed: 2,
  failed: 1,
  signals: ['go', 'stop'],
  review: '0191f0de-0000-7000-8000-000000000001',
};

describe('a kind that lacks a decision does not compile', () => {
  test('a kind without a rule', () => {
    const { timer, callback } = WAITS;
    // @ts-expect-error items is missing
    const waits = { timer, callback } satisfies Record<WaitKind, WaitRule>;
    expect(Object.keys(waits)).not.toContain('items');
  });

  test.each(['pause', 'endsBy', 'onFailure', 'shows', 'sentence'] as const)('a rule without %s', (field) => {
    const { [field]: _, ...rest } = WAITS.timer as WaitRule;
    // @ts-expect-error a field is missing
    const rule: WaitRule = rest;
    expect(rule).not.toHaveProperty(field);
  });

  test('a rule that leaves one failure policy open', () => {
    const onFailure = { finish_running: 'cancel', fail_fast: 'cancel' } as const;
    // @ts-expect-error continue is missing
    const rule: WaitRule = { ...WAITS.timer, onFailure };
    expect(rule.onFailure.continue).toBeUndefined();
  });

  test('an answer that shows what no row has', () => {
    // @ts-expect-error no such fact
    const rule: WaitRule = { ...WAITS.timer, shows: { colour: {} } };
    expect(rule.shows).toHaveProperty('colour');
  });
});

describe('the table', () => {
  test('holds the kinds of the list, and no others', () => {
    expect(Object.keys(WAITS)).toEqual([...WAIT_KINDS]);
  });

  test('a kind has a timer that a pause knows how to treat, unless its parts end it', () => {
    const rules: WaitRule[] = Object.values(WAITS);
    for (const { pause, endsBy } of rules) expect(pause === 'none').toBe(endsBy === 'parts');
  });

  test('under continue nothing happens to any wait', () => {
    for (const kind of WAIT_KINDS) expect(WAITS[kind].onFailure.continue).toBe('stay');
  });
});

describe('why', () => {
  const shown: Record<WaitKind, { readonly wait: ShownWait; readonly sentence: string }> = {
    timer: { wait: { kind: 'timer', until: FACTS.until }, sentence: `waits until ${FACTS.until}` },
    callback: {
      wait: { kind: 'callback', until: FACTS.until },
      sentence: `waits for its callback until ${FACTS.until}`,
    },
    items: {
      wait: { kind: 'items', total: 5, open: 2, completed: 2, failed: 1 },
      sentence: 'waits for 2 of its 5 items; 2 completed, 1 failed',
    },
    signal: {
      wait: { kind: 'signal', until: FACTS.until, signals: ['go', 'stop'] },
      sentence: `waits for the signal "go" or "stop" until ${FACTS.until}`,
    },
    review: {
      wait: { kind: 'review', review: FACTS.review, until: FACTS.until },
      sentence: `waits for a decision in review ${FACTS.review}, due at ${FACTS.until}`,
    },
  };
  test.each(WAIT_KINDS)('of a %s shows its facts and says them', (kind) => {
    expect(shownWait(kind, FACTS)).toEqual(shown[kind].wait);
    expect(WAITS[kind].sentence(FACTS)).toBe(shown[kind].sentence);
  });

  test('of a callback that never gives up', () => {
    const facts = { ...FACTS, until: null };
    expect(shownWait('callback', facts)).toEqual({ kind: 'callback', until: null });
    expect(WAITS.callback.sentence(facts)).toBe('waits for its callback');
  });
});
