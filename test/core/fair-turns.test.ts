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
    async piece(key: string, ms: number): Promise<void> {
      await turns.run(key, () => {
        begun.push(key);
        now += ms;
      });
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
