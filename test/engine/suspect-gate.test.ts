// The gate alone: who is held back for a suspect, and for how long at most.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  SuspectGate,
  type SuspectGateOptions,
  type SuspectTurn,
} from '../../src/engine/attempt/suspect-gate.ts';

const ALWAYS: SuspectTurn = { take: async () => true, giveBack: async () => {} };
const gateOf = (options: Partial<SuspectGateOptions> = {}) =>
  new SuspectGate({ turn: ALWAYS, aloneMs: 60_000, gatherMs: 60_000, ...options });
const signal = new AbortController().signal;
const turnOfLoop = () => delay(5);

test('a suspect waits for what runs, holds others back meanwhile and while it runs, and then they go on', async () => {
  const gate = gateOf();
  const leave = gate.enterAtOnce()!;
  const suspect = gate.enter(true, signal);
  await turnOfLoop();
  expect(gate.enterAtOnce()).toBeNull();
  let hasEntered = false;
  const other = gate.enter(false, signal).then(() => {
    hasEntered = true;
  });
  leave();
  const leaveSuspect = await suspect;
  expect(gate.enterAtOnce()).toBeNull();
  expect(hasEntered).toBe(false);
  leaveSuspect();
  await other;
  expect(gate.enterAtOnce()).not.toBeNull();
});

test('one that runs on is not alone any more after its time, and the next holds nobody back for as long again', async () => {
  const gate = gateOf({ aloneMs: 200, gatherMs: 100 });
  const startedAt = performance.now();
  const leave = await gate.enter(true, signal);
  const other = await gate.enter(false, signal);
  const waitedMs = performance.now() - startedAt;
  expect(waitedMs).toBeGreaterThan(150);
  const second = gate.enter(true, signal);
  await turnOfLoop();
  expect(gate.enterAtOnce()).not.toBeNull();
  other();
  leave();
  void second;
});

test('one that cannot be alone in time lets others pass, and begins when nothing runs', async () => {
  const gate = gateOf({ aloneMs: 200, gatherMs: 50 });
  const leave = gate.enterAtOnce()!;
  const suspect = gate.enter(true, signal);
  const other = await gate.enter(false, signal);
  other();
  leave();
  (await suspect)();
});

test('one that could not be alone for long begins beside the others', async () => {
  const gate = gateOf({ aloneMs: 50, gatherMs: 20, patienceMs: 300 });
  const leave = gate.enterAtOnce()!;
  (await gate.enter(true, signal))();
  leave();
});

test('while another worker has the turn it holds nobody back', async () => {
  let isFree = false;
  let asked = 0;
  const turn: SuspectTurn = {
    take: async () => {
      asked++;
      return isFree;
    },
    giveBack: async () => {
      isFree = true;
    },
  };
  const gate = gateOf({ turn, turnEveryMs: 20 });
  let hasBegun = false;
  const suspect = gate.enter(true, signal).then((leave) => {
    hasBegun = true;
    return leave;
  });
  while (asked < 3) await turnOfLoop();
  gate.enterAtOnce()!();
  expect(hasBegun).toBe(false);
  isFree = true;
  (await suspect)();
});

test('one that is aborted before it begins leaves the line', async () => {
  const gate = gateOf();
  const leave = gate.enterAtOnce()!;
  const aborting = new AbortController();
  void gate.enter(true, aborting.signal).then(() => expect.unreachable());
  await turnOfLoop();
  const other = gate.enter(false, signal);
  aborting.abort();
  (await other)();
  leave();
});
