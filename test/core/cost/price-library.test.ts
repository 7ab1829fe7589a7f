// The price library in our table: the same model is found for a name, and the same cost comes out as its floats say.
import { readFileSync } from 'node:fs';
import { calcPrice, waitForUpdate } from '@pydantic/genai-prices';
import { beforeAll, describe, expect, test } from 'vitest';
import { PRICE_LIBRARY_VERSION, readPriceLibrary } from '../../../src/core/cost/price-library.ts';
import { type PriceRow, PriceTable } from '../../../src/core/cost/price-table.ts';
import { priceUsage } from '../../../src/core/cost/price-usage.ts';
import { casesOf, depth } from '../../support/depth.ts';

let rows: PriceRow[];
let prices: PriceTable;
beforeAll(async () => {
  rows = await readPriceLibrary();
  prices = new PriceTable(rows);
});

const USAGES = [
  { inputTokens: 1000, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 100, reasoningTokens: 0 },
  {
    inputTokens: 9632,
    cachedInputTokens: 6289,
    cacheWriteTokens: 3337,
    outputTokens: 198,
    reasoningTokens: 50,
  },
  {
    inputTokens: 272_000,
    cachedInputTokens: 100_000,
    cacheWriteTokens: 7,
    outputTokens: 9000,
    reasoningTokens: 1,
  },
  { inputTokens: 600_001, cachedInputTokens: 1, cacheWriteTokens: 0, outputTokens: 1, reasoningTokens: 0 },
];
const INSTANTS = [
  '2024-05-05T05:05:05Z',
  '2025-06-10T00:00:00Z',
  '2026-03-12T23:59:59.999Z',
  '2026-08-17T00:29:59.999Z',
  '2026-08-21T00:30:00Z',
  '2026-09-01T03:59:59.999Z',
  '2026-09-01T04:00:00Z',
  '2027-01-01T16:30:00Z',
].map((at) => new Date(at));

test('the version is that of the installed package', () => {
  const path = new URL('../../../node_modules/@pydantic/genai-prices/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  expect(PRICE_LIBRARY_VERSION.split('/')[0]).toBe(version);
});

test('no rule of the library is refused: any name can be tried against all of them', () => {
  for (const { provider, model } of rows)
    expect(() => prices.find(provider, `no such ${model}`, new Date())).not.toThrow();
});

describe('for every model of every provider', () => {
  test('the same cost as the library, at each of its dates and hours', async () => {
    const providers = (await waitForUpdate())!;
    let compared = 0;
    const differences: string[] = [];
    for (const provider of providers) {
      const names = provider.models.flatMap(({ id, match }) => [id, ...literals(match)]);
      const dated = names
        .slice(0, 40)
        .flatMap((name) => [`${name}-20250929`, `${name.toUpperCase()}-2026-01-02`, `${name}-tts`]);
      const cases = [...new Set([...names, ...dated])].flatMap((name) =>
        INSTANTS.map((at) => ({ name, at })),
      );
      for (const { name, at } of casesOf(cases)) {
        const usage = USAGES[compared % USAGES.length]!;
        compared++;
        const theirs = calcPrice(
          {
            input_tokens: usage.inputTokens,
            cache_read_tokens: usage.cachedInputTokens,
            cache_write_tokens: usage.cacheWriteTokens,
            output_tokens: usage.outputTokens,
            output_reasoning_tokens: usage.reasoningTokens,
          },
          name,
          { providerId: provider.id, timestamp: at },
        );
        const row = prices.find(provider.id, name, at);
        const ours = priceUsage(usage, row);
        const where = `${provider.id}/${name} at ${at.toISOString()}: ${ours.costUsd}, theirs ${theirs?.total_price}`;
        if (theirs === null) {
          if (row !== null) differences.push(where);
        } else if (!('output_mtok' in theirs.model_price) && Object.keys(theirs.model_price).length > 0) {
          // Not charged by the token, or without a rate for output: unknown here, 0 there.
          if (ours.costUsd !== null) differences.push(where);
        } else if (
          Math.abs(Number(ours.costUsd ?? Number.NaN) - theirs.total_price) > 1e-12 ||
          ours.costUsd === null
        ) {
          differences.push(where);
        }
      }
    }
    expect(differences.slice(0, 10)).toEqual([]);
    expect(compared).toBeGreaterThan(depth(20_000));
  });
});

/** Names that a rule has in it. */
function literals(match: object): string[] {
  return Object.entries(match).flatMap(([kind, value]) =>
    Array.isArray(value)
      ? value.flatMap((inner: object) => literals(inner))
      : kind === 'regex'
        ? []
        : [String(value)],
  );
}

test('simulated models are priced like any other, whatever their name', () => {
  const row = prices.find('simulated', 'simulated/anything', new Date());
  expect(row?.rates).toEqual({ input: '1', output: '2' });
});
