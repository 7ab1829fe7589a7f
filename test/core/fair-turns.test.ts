import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairTurns } from '../../src/core/fair-turns.ts';
import { depth } from '../support/depth.ts';

/** A loop with a clock of its own: pieces take the time that they say. */
function madeUpLoop(longestMs = 10) {
  let now = 0;
  let next: (() => void)[] = [];
  const turns = new FairTurns({
    nowMs: () => now,
    atNextTurn: (callback) => void next.push(callback),
    longestMs,
  });
  const lengths: number[] = [];
  const begun: string[] = [];
  return {
    begun,
    lengths,
    async piece(key: string, ms: number, part?: string): Promise<void> {
      await turns.run(
        key,
        () => {
          begun.push(part ?? key);
          now += ms;
        },
        part,
      );
    },
    /** Runs turns until nothing is asked for any more; each begins with what comes in it. */
    async run(incoming: readonly (() => void)[][] = []): Promise<void> {
      for (let n = 0; n < incoming.length || next.length > 0; n++) {
        const from = now;
        for (const come of incoming[n] ?? []) come();
        await new Promise(setImmediate);
        const callbacks = next;
        next = [];
        for (const callback of callbacks) callback();
        await new Promise(setImmediate);
        lengths.push(now - from);
      }
    },
  };
}

/** How many elements of lists are read one after the other, or moved, meanwhile. */
async function countElements(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const lists = Array.prototype as unknown as Record<PropertyKey, (...given: unknown[]) => unknown>;
  const names = [Symbol.iterator, 'shift', 'unshift', 'splice', 'slice', 'concat'];
  const originals = names.map((name) => [name, lists[name]!] as const);
  for (const [name, original] of originals)
    lists[name] = function (this: unknown[], ...given: unknown[]) {
      count += this.length;
      return original.apply(this, given);
    };
  try {
    await work();
  } finally {
    for (let i = 0; i < originals.length; i++) lists[originals[i]![0]] = originals[i]![1];
  }
  return count;
}

describe('turns of the event loop', () => {
  it('put nothing off while there is time, and make no promise', () => {
    const turns = new FairTurns({ nowMs: () => 0, atNextTurn: () => {} });
    for (let n = 0; n < 1_000; n++) expect(turns.run('a', () => n)).toBe(n);
  });

  it('tell what the work comes to, or fails with, also later', async () => {
    let now = 0;
    const turns = new FairTurns({ nowMs: () => now, atNextTurn: (callback) => void setImmediate(callback) });
    turns.run('a', () => {
      now += 100;
    });
    const later = [turns.run('a', () => 1), turns.run('b', async () => 2)];
    expect(await Promise.all(later)).toEqual([1, 2]);
    now += 100;
    const failing = () => {
      throw new Error('no');
    };
    turns.run('a', () => {
      now += 100;
    });
    await expect(turns.run('a', failing)).rejects.toThrow('no');
  });

  it('part what comes together', async () => {
    const loop = madeUpLoop();
    const pieces: Promise<void>[] = [];
    await loop.run([Array.from({ length: 20 }, () => () => void pieces.push(loop.piece('a', 60)))]);
    await Promise.all(pieces);
    expect(loop.begun).toHaveLength(20);
    // The first turn begins with one piece and ends with another.
    expect(Math.max(...loop.lengths)).toBeLessThanOrEqual(120);
  });

  it('hold many short pieces', async () => {
    const loop = madeUpLoop();
    await loop.run([
      [() => void loop.piece('a', 15), ...Array.from({ length: 90 }, () => () => void loop.piece('a', 1))],
    ]);
    expect(loop.begun).toHaveLength(91);
    expect(loop.lengths.length).toBeLessThanOrEqual(12);
  });

  it('are taken by keys in turn', async () => {
    const loop = madeUpLoop();
    const come = [...Array.from({ length: 50 }, () => 'flood'), 'neighbour'];
    await loop.run([come.map((key) => () => void loop.piece(key, 40))]);
    expect(loop.begun.indexOf('neighbour')).toBeLessThanOrEqual(3);
    expect(loop.begun).toHaveLength(51);
  });

  it('of a key are taken by its parts in turn, and are no more than those of another key', async () => {
    const loop = madeUpLoop();
    const parts = Array.from({ length: 20 }, (_, n) => `part${n}`);
    const come = [...Array.from({ length: 50 }, () => 'part0'), ...parts.slice(1)];
    await loop.run([
      [
        ...come.map((part) => () => void loop.piece('a', 40, part)),
        () => void loop.piece('neighbour', 40),
        () => void loop.piece('neighbour', 40),
      ],
    ]);
    expect(loop.begun).toHaveLength(71);
    // The first piece of all is no turn: it began at once.
    expect(loop.begun.lastIndexOf('neighbour')).toBeLessThanOrEqual(5);
    expect(loop.begun.lastIndexOf('part19')).toBeLessThanOrEqual(1 + 2 + 20);
  });

  it('cost a release as much where one key has 20,000 pieces waiting as where it has one', async () => {
    const loop = madeUpLoop();
    const pieces = 20_000;
    const come = Array.from({ length: pieces }, () => () => void loop.piece('a', 4));
    const elements = await countElements(() => loop.run([come]));
    expect(loop.begun).toHaveLength(pieces);
    expect(elements).toBeLessThan(10 * pieces);
  });

  it('let everything begin once, and none lasts for longer than its time and two pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 50 })), {
            maxLength: 12,
          }),
          {
            maxLength: 8,
          },
        ),
        async (incoming) => {
          const loop = madeUpLoop();
          await loop.run(
            incoming.map((turn) =>
              turn.map(
                ([key, ms]) =>
                  () =>
                    void loop.piece(key, ms),
              ),
            ),
          );
          expect(loop.begun.length).toBe(incoming.flat().length);
          expect(Math.max(0, ...loop.lengths)).toBeLessThanOrEqual(2 * (10 + 50));
        },
      ),
      { numRuns: depth(300) },
    );
  });
});
