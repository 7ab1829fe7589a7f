// The slots of a worker alone.
import { expect, test } from 'vitest';
import { Slots } from '../../src/engine/worker/slots.ts';

const LONG_MS = 60_000;

test('no more are taken than there are', () => {
  const slots = new Slots(2);
  expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
  slots.release();
  expect([slots.take(LONG_MS), slots.tryTake()]).toEqual([true, false]);
});

test('one that comes free goes to whoever has waited longest, and to nobody who did not wait', async () => {
  const slots = new Slots(1);
  expect(slots.take(LONG_MS)).toBe(true);
  const order: string[] = [];
  const waiting = ['first', 'second'].map(async (name) => {
    expect(await slots.take(LONG_MS)).toBe(true);
    order.push(name);
  });
  slots.release();
  expect(slots.tryTake()).toBe(false);
  await waiting[0];
  expect(order).toEqual(['first']);
  slots.release();
  await waiting[1];
  slots.release();
  expect([slots.tryTake(), slots.tryTake()]).toEqual([true, false]);
});

test('who has waited in vain leaves no trace', async () => {
  const slots = new Slots(1);
  slots.tryTake();
  expect(await slots.take(1)).toBe(false);
  slots.release();
  expect([slots.tryTake(), slots.tryTake()]).toEqual([true, false]);
});

test('nobody waits once they are closed, and what is taken is given back', async () => {
  const slots = new Slots(1);
  slots.tryTake();
  const waiting = slots.take(LONG_MS);
  slots.close();
  expect([await waiting, slots.take(LONG_MS)]).toEqual([false, false]);
  slots.release();
  expect([slots.take(LONG_MS), slots.tryTake()]).toEqual([true, false]);
});
