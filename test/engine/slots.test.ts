// The slots of a worker alone.
import { expect, test, vi } from 'vitest';
import { Slots } from '../../src/engine/worker/slots.ts';

const LONG = { least: 60_000, most: 60_000 };

test('no more are taken than there are', () => {
  const slots = new Slots(2, LONG);
  expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
  slots.release();
  expect([slots.take(), slots.tryTake()]).toEqual([true, false]);
});

test('one that comes free goes to whoever has waited longest, and to nobody who did not wait', async () => {
  const slots = new Slots(1, LONG);
  expect(slots.take()).toBe(true);
  const order: string[] = [];
  const waiting = ['first', 'second'].map(async (name) => {
    expect(await slots.take()).toBe(true);
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

test('who has waited in vain leaves no trace, and makes the next wait longer until one is taken', async () => {
  vi.useFakeTimers();
  try {
    const slots = new Slots(1, { least: 100, most: 400 });
    slots.tryTake();
    const waits: number[] = [];
    const waitInVain = async () => {
      const startedAt = Date.now();
      const waiting = Promise.all([slots.take(), slots.take()]);
      await vi.runAllTimersAsync();
      expect(await waiting).toEqual([false, false]);
      waits.push(Date.now() - startedAt);
    };
    for (let i = 0; i < 4; i++) await waitInVain();
    const taken = slots.take();
    slots.release();
    expect(await taken).toBe(true);
    await waitInVain();
    expect(waits).toEqual([100, 200, 400, 400, 100]);
    slots.release();
    expect([slots.tryTake(), slots.tryTake()]).toEqual([true, false]);
  } finally {
    vi.useRealTimers();
  }
});
