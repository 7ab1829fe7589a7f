// When a worker asks for passes of turns (engine/worker/turns.ts); what a pass does is tried in test/db/turns.test.ts.
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Queryable } from '../../src/db/connection/connection.ts';
import type { TurnsPass } from '../../src/db/protocol/turns.ts';
import { Turns } from '../../src/engine/worker/turns.ts';
import { until } from '../support/engine.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Passes answer in this order, the last again and again. */
function openTurns(answers: readonly (TurnsPass | Error)[], isFull = false) {
  let passes = 0;
  const db = {
    query: async () => {
      const answer = answers[Math.min(passes, answers.length - 1)]!;
      passes += 1;
      if (answer instanceof Error) throw answer;
      return { rows: [answer] };
    },
  } as unknown as Queryable;
  const turns = new Turns({
    ...{ db, log, kinds: ['dagwright'], limitMs: 1_000, onWaiting: () => {} },
    slots: () => ({ own: 1, all: 1 }),
    isFull: () => isFull,
  });
  return { turns, count: () => passes };
}
const waits = (isHeld: boolean, isLimited = true): TurnsPass => ({ tenants: ['a', 'b'], isHeld, isLimited });
/** Longer than the time between several passes. */
const ample = () => pause(150);

test('passes go on while something is given, and end with the first that gives nothing', async () => {
  const { turns, count } = openTurns([waits(true), waits(true), waits(false)]);
  turns.noteFull();
  await until(async () => count() === 3);
  await ample();
  expect(count()).toBe(3);
  // A job has ended, and gives its permit back.
  turns.noteJobs();
  await until(async () => count() === 4);
  await ample();
  expect(count()).toBe(4);
  turns.stop();
});

test('without limits the end of a job asks for none', async () => {
  const { turns, count } = openTurns([waits(false, false)]);
  turns.noteFull();
  await until(async () => count() === 1);
  for (let k = 0; k < 5; k++) turns.noteJobs();
  await ample();
  expect(count()).toBe(1);
  turns.stop();
});

test('while the worker is full they go on, also after an error, until it stops', async () => {
  const { turns, count } = openTurns([waits(false), new Error('down'), waits(false)], true);
  turns.noteFull();
  await until(async () => count() >= 4);
  turns.stop();
  await pause(50);
  const stopped = count();
  await ample();
  expect(count()).toBe(stopped);
});
