// Token counts times rates: exact against whole numbers, and the rules about what has no rate.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  explainPricing,
  type ModelPrice,
  priceUsage,
  type Rates,
} from '../../../src/core/cost/price-usage.ts';
import type { TokenUsage, UsageParts } from '../../../src/core/cost/usage.ts';
import { sumUsd } from '../../../src/core/money.ts';
import { depth } from '../../support/depth.ts';
import { add, decimal, tokensAt, ZERO } from './fractions.ts';

const price = (rates: Rates, tiers: ModelPrice['tiers'] = []): ModelPrice => ({ rates, tiers });
const usage = (counts: Partial<TokenUsage>): TokenUsage => ({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  ...counts,
});
const priced = (input: string | null, output: string | null, all: string | null) => ({
  inputCostUsd: input,
  outputCostUsd: output,
  costUsd: all,
});

describe('what a kind of token costs', () => {
  const sonnet = price({ input: '3', cachedInput: '0.3', cacheWrite: '3.75', output: '15' });

  test.each<[string, Partial<TokenUsage>, [string, string, string]]>([
    ['no tokens cost 0', {}, ['0', '0', '0']],
    ['input and output', { inputTokens: 12, outputTokens: 29 }, ['0.000036', '0.000435', '0.000471']],
    ['one token', { inputTokens: 1 }, ['0.000003', '0', '0.000003']],
    [
      'cached and written tokens are charged once, at their own rates',
      { inputTokens: 1000, cachedInputTokens: 600, cacheWriteTokens: 300 },
      ['0.001605', '0', '0.001605'],
    ],
    [
      'reasoning without a rate of its own is output',
      { outputTokens: 10, reasoningTokens: 9 },
      ['0', '0.00015', '0.00015'],
    ],
  ])('%s', (_, counts, costs) => {
    expect(priceUsage(usage(counts), sonnet)).toEqual(priced(...costs));
  });

  test.each<[string, Rates, Partial<TokenUsage>, string]>([
    [
      'cached input without a rate costs what input costs',
      { input: '2', output: '1' },
      { inputTokens: 10, cachedInputTokens: 4 },
      '0.00002',
    ],
    [
      'writing to a cache too',
      { input: '2', output: '1' },
      { inputTokens: 10, cacheWriteTokens: 4 },
      '0.00002',
    ],
    [
      "an hour's cache costs what input costs where no writing to a cache has a rate",
      { input: '2', output: '1' },
      { inputTokens: 10, cacheWriteTokens: 10, parts: { cacheWrite1h: 4 } },
      '0.00002',
    ],
    [
      "an hour's cache has its own rate",
      { input: '2', cacheWrite: '3', cacheWrite1h: '5', output: '1' },
      { inputTokens: 10, cacheWriteTokens: 10, parts: { cacheWrite1h: 4 } },
      '0.000038',
    ],
    [
      'audio has its own rate',
      { input: '1', inputAudio: '10', output: '1' },
      { inputTokens: 10, parts: { inputAudio: 4 } },
      '0.000046',
    ],
    [
      'audio from a cache is charged once',
      { input: '1', cachedInput: '0.5', inputAudio: '10', cachedInputAudio: '2', output: '1' },
      { inputTokens: 10, cachedInputTokens: 5, parts: { inputAudio: 4, cachedInputAudio: 3 } },
      '0.000021',
    ],
    [
      'reasoning may have its own rate',
      { input: '1', output: '8', reasoning: '3' },
      { outputTokens: 10, reasoningTokens: 6 },
      '0.00005',
    ],
    [
      'searches are charged per thousand',
      { input: '1', output: '1', webSearches: '10' },
      { inputTokens: 1, parts: { webSearches: 3 } },
      '0.030001',
    ],
    [
      'a fee is charged for every call',
      { input: '1', output: '1', requests: '12' },
      { inputTokens: 1 },
      '0.012001',
    ],
  ])('%s', (_, rates, counts, costUsd) => {
    expect(priceUsage(usage(counts), price(rates)).costUsd).toBe(costUsd);
  });
});

describe('tiers', () => {
  const tiered = price({ input: '3', cachedInput: '0.3', output: '15' }, [
    { aboveInputTokens: 200_000, rates: { input: '6', output: '22.5' } },
    { aboveInputTokens: 500_000, rates: { input: '7' } },
  ]);

  test.each([
    [200_000, '0.6', '0.0015'],
    [200_001, '1.200006', '0.00225'],
    [500_000, '3', '0.00225'],
    [500_001, '3.500007', '0.00225'],
  ])(
    'with %i input tokens the whole call has the rates of the tier it reached',
    (inputTokens, input, output) => {
      const { inputCostUsd, outputCostUsd } = priceUsage(usage({ inputTokens, outputTokens: 100 }), tiered);
      expect([inputCostUsd, outputCostUsd]).toEqual([input, output]);
    },
  );

  test('cached tokens count towards a tier', () => {
    const counts = usage({ inputTokens: 200_001, cachedInputTokens: 200_001 });
    expect(priceUsage(counts, tiered).inputCostUsd).toBe('0.0600003');
    expect(priceUsage(usage({ ...counts, outputTokens: 1 }), tiered).outputCostUsd).toBe('0.0000225');
  });
});

describe('what has no price is null, never less', () => {
  test('an unknown model', () => {
    expect(priceUsage(usage({ inputTokens: 1 }), null)).toEqual(priced(null, null, null));
    expect(priceUsage(usage({}), null)).toEqual(priced(null, null, null));
  });
  test('a model that is not charged by the token', () => {
    expect(priceUsage(usage({ inputTokens: 1 }), price({}))).toEqual(priced(null, null, null));
  });
  test('output of a model with a rate for input only, the input being known', () => {
    const embedding = price({ input: '0.02' });
    expect(priceUsage(usage({ inputTokens: 12 }), embedding)).toEqual(
      priced('0.00000024', '0', '0.00000024'),
    );
    expect(priceUsage(usage({ inputTokens: 12, outputTokens: 1 }), embedding)).toEqual(
      priced('0.00000024', null, null),
    );
  });
  test('searches without a rate', () => {
    const counts = usage({ inputTokens: 1, parts: { webSearches: 1 } });
    expect(priceUsage(counts, price({ input: '1', output: '1' }))).toEqual(priced('0.000001', '0', null));
  });
  test.each<[string, Partial<TokenUsage>, string]>([
    [
      "an hour's cache",
      { inputTokens: 10, cacheWriteTokens: 10, parts: { cacheWrite1h: 4 } },
      "an hour's cache",
    ],
    [
      'a cache of another time',
      { inputTokens: 10, cacheWriteTokens: 10, parts: { cacheWriteOther: 4 } },
      'a cache of this duration',
    ],
    ['audio', { inputTokens: 10, parts: { inputAudio: 1 } }, 'audio input'],
    [
      'audio from a cache',
      { inputTokens: 10, cachedInputTokens: 2, parts: { cachedInputAudio: 1 } },
      'audio from a cache',
    ],
    ['spoken output', { outputTokens: 10, parts: { outputAudio: 1 } }, 'audio output'],
    ['sound by its length', { parts: { audioSeconds: 3 } }, 'seconds of audio'],
    ["the provider's own tools", { parts: { providerToolCalls: 1 } }, "calls of the provider's own tools"],
  ])('%s without a rate of its own, but at the price of an operator', (_, counts, unpriced) => {
    const rates = price({ input: '1', cachedInput: '0.1', cacheWrite: '1.25', output: '2' });
    expect(explainPricing(usage(counts), rates)).toMatchObject({ costUsd: null, unpriced });
    const { costUsd } = explainPricing(usage(counts), rates, { coversAllKinds: true });
    const isByTheCall = ['seconds of audio', "calls of the provider's own tools"].includes(unpriced);
    expect(costUsd === null).toBe(isByTheCall);
  });
  test('a class of service multiplies the tokens, and no fee', () => {
    const rates = price({ input: '1', output: '2', webSearches: '10', requests: '1' });
    const counts = usage({ inputTokens: 1000, outputTokens: 1000, parts: { webSearches: 1 } });
    expect(priceUsage(counts, rates, { factor: '0.5' })).toEqual(priced('0.0005', '0.001', '0.0125'));
  });
  test.each<[string, number, UsageParts]>([
    ['audio and a cache, where audio from the cache was not counted', 5, { inputAudio: 4 }],
    ['more audio than there is input', 0, { inputAudio: 11, cachedInputAudio: 0 }],
    ['more audio from the cache than there is audio', 5, { inputAudio: 1, cachedInputAudio: 2 }],
  ])('%s', (_, cachedInputTokens, parts) => {
    const rates = { input: '1', cachedInput: '0.5', inputAudio: '10', cachedInputAudio: '2', output: '1' };
    const counts = usage({ inputTokens: 10, cachedInputTokens, parts });
    expect(priceUsage(counts, price(rates)).inputCostUsd).toBeNull();
  });
});

const aRate = fc
  .integer({ min: 0, max: 10 ** 9 })
  .map((n) => String(n / 10 ** 6))
  .filter((text) => !text.includes('e'));
const aUsage = fc
  .tuple(fc.nat(3_000_000), fc.nat(3_000_000), fc.nat(3_000_000), fc.nat(3_000_000), fc.nat(3_000_000))
  .map(([plain, cachedInputTokens, cacheWriteTokens, answer, reasoningTokens]) => ({
    inputTokens: plain + cachedInputTokens + cacheWriteTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens: answer + reasoningTokens,
    reasoningTokens,
  }));

describe('exactness', () => {
  test('every cost is the product of counts and rates to the last digit', () => {
    fc.assert(
      fc.property(aUsage, aRate, aRate, aRate, aRate, (counts, input, cachedInput, cacheWrite, output) => {
        const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens } = counts;
        const expected = [
          tokensAt(inputTokens - cachedInputTokens - cacheWriteTokens, input),
          tokensAt(cachedInputTokens, cachedInput),
          tokensAt(cacheWriteTokens, cacheWrite),
          tokensAt(outputTokens, output),
        ].reduce(add, ZERO);
        expect(priceUsage(counts, price({ input, cachedInput, cacheWrite, output })).costUsd).toBe(
          decimal(expected),
        );
      }),
      { numRuns: depth(500) },
    );
  });

  test('more tokens of a kind never cost less', () => {
    fc.assert(
      fc.property(aUsage, aRate, aRate, fc.nat(1000), (counts, input, output, more) => {
        const rates = price({ input, output });
        const a = priceUsage(counts, rates).costUsd!;
        const b = priceUsage({ ...counts, inputTokens: counts.inputTokens + more }, rates).costUsd!;
        expect(Number(b)).toBeGreaterThanOrEqual(Number(a));
      }),
    );
  });

  test('10,000 priced calls sum to the last digit', () => {
    const rates = {
      input: '0.0375',
      cachedInput: '0.01',
      cacheWrite: '0.08333333333333334',
      output: '1.103',
    };
    let exact = ZERO;
    let random = 1;
    const next = (max: number) => {
      random = (random * 48_271) % 2_147_483_647;
      return random % max;
    };
    const costs = Array.from({ length: 10_000 }, () => {
      const [plain, cached, written, output] = [
        next(200_000),
        next(100_000),
        next(50_000),
        next(8_000),
      ] as const;
      const parts = [
        tokensAt(plain, rates.input),
        tokensAt(cached, rates.cachedInput),
        tokensAt(written, rates.cacheWrite),
        tokensAt(output, rates.output),
      ];
      exact = parts.reduce(add, exact);
      const counts = usage({
        inputTokens: plain + cached + written,
        cachedInputTokens: cached,
        cacheWriteTokens: written,
        outputTokens: output,
      });
      return priceUsage(counts, price(rates)).costUsd!;
    });
    expect(sumUsd(costs)).toBe(decimal(exact));
    // What floats would have made of it.
    expect(String(costs.reduce((sum, cost) => sum + Number(cost), 0))).not.toBe(decimal(exact));
  });
});
