// Shares of a pool: bounded by key, in turn, none lost.
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Shares, ShareUsedUp } from '../../src/db/connection/shares.ts';

test('at most so many run at once for one key, in the order they came, and other keys do not wait', async () => {
  const shares = new Shares({ most: 3, waitMs: 60_000 });
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const held = Promise.withResolvers<void>();
  const all = Array.from({ length: 20 }, (_, i) =>
    shares.run('a', async () => {
      order.push(i);
      most = Math.max(most, ++running);
      await held.promise;
      await pause(1);
      running--;
      if (i % 5 === 0) throw new Error('of its own');
      return i;
    }),
  );
  expect(await shares.run('b', async () => 'at once')).toBe('at once');
  expect(order).toEqual([0, 1, 2]);
  held.resolve();
  const ends = await Promise.allSettled(all);
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(4);
  expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBe(3);
  expect(await shares.run('a', async () => 'free again')).toBe('free again');
});

test('who waits too long gives up before it has begun, and takes no place', async () => {
  const shares = new Shares({ most: 1, waitMs: 20 });
  const held = Promise.withResolvers<void>();
  const first = shares.run('a', () => held.promise);
  let hasBegun = false;
  const late = shares.run('a', async () => {
    hasBegun = true;
  });
  await expect(late).rejects.toBeInstanceOf(ShareUsedUp);
  held.resolve();
  await first;
  expect(hasBegun).toBe(false);
  expect(await shares.run('a', async () => 1)).toBe(1);
});
