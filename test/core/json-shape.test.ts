// What a text would be as JSON is known before it is parsed, in one piece or in several.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, MAX_VALUES } from '../../src/core/json.ts';
import { JsonShape, parseJson } from '../../src/core/json-shape.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { patience } from '../support/patience.ts';

function shapeOf(text: string, pieces = 1): JsonShape {
  const bytes = Buffer.from(text);
  const shape = new JsonShape();
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let at = 0; at < bytes.length; at += size) shape.push(bytes.subarray(at, at + size));
  return shape;
}

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, member) => sum + membersOf(member), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

/** Values, and names of members; an empty list or object counts twice. */
function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const members = Object.values(value);
  const own = Array.isArray(value) ? 1 : 1 + members.length;
  return members.reduce<number>((sum, one) => sum + countOf(one), own + (members.length === 0 ? 1 : 0));
}

describe('JsonShape', () => {
  it('knows the depth and the members of any JSON, however it comes in pieces', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (value, pieces, isSpaced) => {
          const text = JSON.stringify(value, null, isSpaced ? 1 : 0);
          const shape = shapeOf(text, pieces);
          // As it is written: `__proto__` may be a name.
          const plain: unknown = JSON.parse(text);
          expect(shape.depth).toBe(depthOf(plain));
          expect(shape.members).toBe(membersOf(plain));
          expect(shape.hasEscapes).toBe(text.includes('\\'));
          expect(shape.values).toBe(countOf(plain) - 1);
        },
      ),
    );
    expect(parseJson('{a')).toEqual({ ok: false, problem: 'not_json' });
  });

  it.each([
    ['empty objects', `[${'{},'.repeat(5_000_000)}{}]`, 'too_many_values'],
    ['empty lists', `[${'[],'.repeat(5_000_000)}[]]`, 'too_many_values'],
    ['numbers', `[${'0,'.repeat(MAX_VALUES)}0]`, 'too_many_values'],
    ['members', `{${Array.from({ length: 1_100_000 }, (_, i) => `"${i}":0`).join(',')}}`, 'too_many_values'],
    ['brackets that are never closed', '['.repeat(15_000_000), 'too_deep'],
    ['objects in objects', '{"a":'.repeat(3_000_000), 'too_deep'],
  ])('refuses %s by 15 MB without making anything of them', (_, text, problem) => {
    const before = process.memoryUsage().heapUsed;
    let parsed: unknown;
    const ms = cpuMs(() => {
      parsed = parseJson(text);
    });
    expect(parsed).toEqual({ ok: false, problem });
    expect(ms).toBeLessThan(patience(600));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
  });

  it('takes what is just within the limits', () => {
    const deepest = '['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH);
    expect(parseJson(deepest.padEnd(1_000)).ok).toBe(true);
    expect(parseJson(`[${deepest}]`)).toEqual({ ok: false, problem: 'too_deep' });
    expect(parseJson(`[${'0,'.repeat(MAX_VALUES - 2)}0]`).ok).toBe(true);
  });
});
