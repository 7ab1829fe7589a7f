// Ids follow time: their order is the order in which they were made.
import { describe, expect, test } from 'vitest';
import { createIdSequence, firstIdAt, newId, timeOfId } from '../../src/core/id.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('ids', () => {
  test('are UUIDv7 and tell when they were made', () => {
    const before = Date.now();
    const id = newId();
    expect(id).toMatch(UUID_V7);
    expect(timeOfId(id)).toBeGreaterThanOrEqual(before);
    expect(timeOfId(id)).toBeLessThanOrEqual(Date.now());
  });

  test('of a sequence sort in the order of the calls: within a millisecond, past 4,096 of them, and when the clock goes back', () => {
    const next = createIdSequence();
    const times = [...Array<number>(10_000).fill(1_800_000_000_000), 1_700_000_000_000, 1_800_000_000_001.7];
    const ids = times.map((ms) => next(ms));
    for (const id of ids) expect(id).toMatch(UUID_V7);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(timeOfId(ids[0]!)).toBe(1_800_000_000_000);
    expect(timeOfId(ids[4_096]!)).toBe(1_800_000_000_001);
  });

  test('made before a moment sort before its first id, those made in it after', () => {
    const next = createIdSequence();
    expect(next(1_799_999_999_999) < firstIdAt(1_800_000_000_000)).toBe(true);
    expect(next(1_800_000_000_000) > firstIdAt(1_800_000_000_000)).toBe(true);
  });
});
