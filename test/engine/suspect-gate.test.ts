// The gate alone: who is held back for a suspect, and for how long at most.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { admit } from '../../src/engine/attempt/admit.ts';
import type { OwnAttempt } from '../../src/engine/attempt/own-attempt.ts';
import {
  SuspectGate,
  type SuspectGateOptions,
  type SuspectTurn,
} from '../../src/engine/attempt/suspect-gate.ts';
import type { WorkerContext } from '../../src/engine/context.ts';

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

test('who has left does not leave again: another that runs is still waited for', async () => {
  const gate = gateOf();
  const [first, other] = [gate.enterAtOnce()!, gate.enterAtOnce()!];
  let hasBegun = false;
  const suspect = gate.enter(true, signal).then((leave) => {
    hasBegun = true;
    return leave;
  });
  await turnOfLoop();
  first();
  first();
  await turnOfLoop();
  expect(hasBegun).toBe(false);
  other();
  (await suspect)();
});

test("a suspect that is somebody else's by the time it may begin leaves again, and the others go on", async () => {
  const suspectGate = gateOf();
  const worker = { suspectGate, locked: { run: async () => false } } as unknown as WorkerContext;
  const attempt = {
    ...{ executionId: 'e', claim: { recoveries: 2 }, work: { runnable: { type: { isPure: false } } } },
    ...{ signal, aborted: new Promise(() => {}), whileLocking: (write: () => unknown) => write() },
  } as unknown as OwnAttempt;
  await expect(admit(worker, attempt)).rejects.toMatchObject({ reason: 'lost' });
  await turnOfLoop();
  expect(suspectGate.enterAtOnce()).not.toBeNull();
});
