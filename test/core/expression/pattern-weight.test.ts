import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { linearPattern, linearSchemaPattern } from '../../../src/core/expression/linear-pattern.ts';
import { patternWeight } from '../../../src/core/expression/pattern-weight.ts';
import { depth } from '../../support/depth.ts';

const atom = fc.constantFrom(
  'a',
  'bc',
  '.',
  '\\d',
  '\\pL',
  '\\p{Greek}',
  '[a-f]',
  '[^\\w\\pN]',
  '\\x{41}',
  '^',
  '$',
  '\\b',
  '[]a]',
);
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc.array(tie('pattern'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
    fc.array(tie('pattern'), { minLength: 1, maxLength: 4 }).map((parts) => `(?:${parts.join('|')})`),
    tie('pattern').map((inner) => `(?<n>${inner})`.replace('?<n>', '')),
    fc
      .tuple(
        tie('pattern'),
        fc.constantFrom('*', '+', '?', '*?', '{3}', '{2,}', '{0,9}', '{4,30}', '{,3}', '{x}'),
      )
      .map(([inner, times]) => `(?i:${inner})${times}`),
  ),
}));

describe('the weight of a pattern', () => {
  test('is never less than its program, whatever it repeats', () => {
    fc.assert(
      fc.property(pattern, (text) => {
        const estimate = patternWeight(text).size;
        fc.pre(estimate < 20_000);
        let size: number;
        try {
          size = RE2JS.compile(text).programSize();
        } catch {
          return;
        }
        expect(size).toBeLessThanOrEqual(estimate + 4);
      }),
      { numRuns: depth(3000), seed: 11 },
    );
  });

  test.each([
    ['^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\\.[A-Za-z]{2,63}$'],
    ["^[\\p{L}\\p{N} .,'-]{1,255}$"],
    ['^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?$'],
    ['^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'],
    ['^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$'],
    [`^(?:${Array.from({ length: 120 }, (_, i) => `word${i}`).join('|')})$`],
  ])('lets %s be used', (text) => {
    expect(() => linearSchemaPattern(text)).not.toThrow();
  });

  test.each([
    ['(?:a{1000}){1000}'],
    ['a{1000}'.repeat(140)],
    ['\\pL{1000}'.repeat(100)],
    ['(?:(?:(?:[a-z]{9}){9}){9}){9}'],
    [`(?i)${'[\\pL\\pN\\pP\\pS]{90}'.repeat(40)}`],
  ])('refuses %s before it is built', (text) => {
    expect(() => linearPattern(text)).toThrow(/too large/);
  });
});
