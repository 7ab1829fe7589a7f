// The bill of an answer: by which rates, at which model, in which class, and why where it is not known.
import { beforeAll, describe, expect, test } from 'vitest';
import { readBill } from '../../../src/core/cost/bill.ts';
import { priceBill } from '../../../src/core/cost/price-bill.ts';
import { readPriceLibrary } from '../../../src/core/cost/price-library.ts';
import { ALWAYS, MAX_MODEL_NAME, type PriceRow, PriceTable } from '../../../src/core/cost/price-table.ts';
import { REVIEWED_PRICES } from '../../../src/core/cost/reviewed-prices.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { answerAround, KNOWN_BLOCKS } from '../../support/usage-blocks.ts';

const AT = new Date('2026-11-30T12:00:00Z');
let library: readonly PriceRow[];
let table: PriceTable;
beforeAll(async () => {
  library = [...(await readPriceLibrary()), ...REVIEWED_PRICES];
  table = new PriceTable(library);
});

const own = (provider: string, model: string, input: string): PriceRow => ({
  ...{ source: 'operator', provider, model, position: 0, match: null, effectiveFrom: ALWAYS },
  ...{ dailyFrom: null, dailyUntil: null, rates: { input, output: '0' }, tiers: [] },
});
const cost = (provider: string, model: string, answer: JsonObject, prices = table, at = AT) =>
  priceBill(prices, readBill(provider, answer), { provider, model, at });

test.each(KNOWN_BLOCKS)('$what: $costUsd', ({ provider, model, usage, answer, costUsd, because }) => {
  const { body } = answerAround({ provider, model, usage, answer });
  const priced = cost(provider, model, body);
  expect([priced.costUsd, priced.unknownBecause]).toEqual([
    costUsd,
    because === undefined ? null : expect.stringMatching(because),
  ]);
});

test('an answer without a usage block costs nobody knows what, never 0', () => {
  for (const answer of [{}, { usage: null }] as JsonObject[])
    expect(cost('anthropic', 'claude-opus-4-7', answer)).toMatchObject({
      costUsd: null,
      unknownBecause: 'anthropic/claude-opus-4-7 did not say how many tokens it used',
    });
});

describe('what the provider says that it charges', () => {
  const ticks = (cost_in_usd_ticks: number): JsonObject => ({
    usage: { prompt_tokens: 1000, completion_tokens: 0, total_tokens: 1000, cost_in_usd_ticks },
  });

  test('is kept beside the price of the table, and named where they differ by more than 1 %', () => {
    // 0.00125 by the table.
    for (const [stated, says] of [
      [12_625_000, 0],
      [12_700_000, 1],
      [12_370_000, 1],
    ] as const) {
      const priced = cost('xai', 'grok-4.20', ticks(stated));
      expect([priced.costUsd, priced.warnings.length]).toEqual(['0.00125', says]);
    }
    expect(cost('xai', 'grok-4.20', ticks(25_000_000)).warnings).toEqual([
      'the provider says that it charges $0.0025, by the price table it is $0.00125',
    ]);
  });

  test.each<[string, JsonObject, string | null]>([
    ['the total of Perplexity', { cost: { input_tokens_cost: 1, total_cost: 0.006 } }, '0.006'],
    ['a decimal text', { cost: '0.0000000001' }, '0.0000000001'],
    ['a tiny number', { cost: 1e-9 }, '0.000000001'],
    ['a negative one', { cost: -1 }, null],
    ['something else', { cost: 'free' }, null],
    ["a router's fee, without what the provider charges", { cost: 0.1, is_byok: true }, null],
    ['nothing', { cost: 0 }, '0'],
    ['the most that a bill may have', { cost: 999_999_999_999_999 }, '999999999999999'],
    ['more than any bill has', { cost: 1e15 }, null],
    ['more than an amount may have', { cost: 1e300 }, null],
    ['so much as a total', { cost: { total_cost: 1e300 } }, null],
    ['so many ticks', { cost_in_usd_ticks: 1e300 }, null],
    ['so much as a text', { cost: '1000000000000000' }, null],
    [
      'so much upstream',
      { cost: 0.1, is_byok: true, cost_details: { upstream_inference_cost: 1e300 } },
      null,
    ],
    ['less than any bill has', { cost: 1e-300 }, null],
  ])('%s', (_what, more, stated) => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, ...more };
    expect(cost('nobody', 'a-model', { usage })).toMatchObject({ statedCostUsd: stated, costUsd: stated });
  });

  test('is the cost where the counts cannot be read', () => {
    const usage = { prompt_tokens: -1, completion_tokens: 1, cost: 0.5 };
    expect(cost('openrouter', 'openai/gpt-4o', { usage })).toMatchObject({
      costUsd: '0.5',
      unknownBecause: expect.stringContaining('cannot be read'),
    });
  });
});

describe('the model that answered is priced', () => {
  const usage = { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 };
  const from = (provider: string, asked: string, model: string, rows: readonly PriceRow[] = []) => {
    const { costUsd, answeredBy, unknownBecause } = cost(
      provider,
      asked,
      { model, usage },
      new PriceTable([...library, ...rows]),
    );
    return { costUsd, answeredBy, unknownBecause };
  };

  test.each<[string, [string, string, string], readonly PriceRow[], string | null, string | null]>([
    ['itself', ['openai', 'gpt-5', 'gpt-5'], [], '1.25', null],
    ['a snapshot', ['openai', 'gpt-5', 'gpt-5-2025-08-07'], [], '1.25', 'gpt-5-2025-08-07'],
    ['a snapshot of later', ['openai', 'gpt-5', 'gpt-5-2027-01-01'], [], '1.25', 'gpt-5-2027-01-01'],
    ['another model', ['openai', 'gpt-5', 'gpt-5-mini'], [], '0.25', 'gpt-5-mini'],
    ['another model of no list', ['openai', 'gpt-5', 'gpt-7'], [], null, 'gpt-7'],
    [
      'a server that stands in, with names of its own',
      ['openai', 'gpt-5', 'some-model'],
      [],
      '1.25',
      'some-model',
    ],
    ['a router', ['openrouter', 'openrouter/auto', 'openai/gpt-5'], [], '1.25', 'openai/gpt-5'],
    [
      'a deployment with a price of its own',
      ['azure', 'our-deployment', 'gpt-4o-2024-08-06'],
      [own('azure', 'our-deployment', '9')],
      '9',
      'gpt-4o-2024-08-06',
    ],
    ['a deployment', ['azure', 'our-deployment', 'gpt-4o-2024-08-06'], [], '2.5', 'gpt-4o-2024-08-06'],
    [
      "the operator's price of the name, of its snapshot",
      ['openai', 'gpt-5', 'gpt-5-2025-08-07'],
      [own('openai', 'gpt-5', '7')],
      '7',
      'gpt-5-2025-08-07',
    ],
    [
      "the operator's price of another model is not that of a fallback",
      ['openai', 'gpt-5', 'gpt-5-mini'],
      [own('openai', 'gpt-5', '7')],
      '0.25',
      'gpt-5-mini',
    ],
    [
      'a server of one’s own that calls its models as it likes',
      ['local', 'llama', '/models/llama.gguf'],
      [own('local', 'llama', '3')],
      '3',
      '/models/llama.gguf',
    ],
  ])('%s', (_what, [provider, asked, answered], rows, costUsd, answeredBy) => {
    expect(from(provider, asked, answered, rows)).toMatchObject({ costUsd, answeredBy });
  });

  test('a name that no list knows is warned of, unless the operator has set what it costs', () => {
    const warnings = (rows: readonly PriceRow[]) =>
      cost('openai', 'gpt-5', { model: 'some-model', usage }, new PriceTable([...library, ...rows])).warnings;
    expect(warnings([])).toEqual([
      '"some-model" answered, which no price list knows: priced as openai/gpt-5',
    ]);
    expect(warnings([own('openai', 'gpt-5', '7')])).toEqual([]);
  });

  test('one without a price is named', () => {
    expect(from('openai', 'gpt-5', 'gpt-7').unknownBecause).toContain('openai/gpt-7, which answered');
  });
});

describe('rows of our own', () => {
  test('come before the library, from their day on, with their source', () => {
    const usage = { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 1_000_000 };
    const at = (day: string) =>
      cost('anthropic', 'claude-sonnet-5-5-20260928', { usage }, table, new Date(day)).costUsd;
    expect([at('2026-10-06T23:59:59Z'), at('2026-10-07')]).toEqual(['0.2', '0.1']);
    for (const row of REVIEWED_PRICES) expect(row.reference).toMatch(/^https:\/\/\S+, 20\d\d-\d\d-\d\d$/);
  });

  test('none of them is one that the library has', () => {
    const without = new PriceTable(library.filter(({ source }) => source === 'library'));
    for (const { provider, model } of REVIEWED_PRICES)
      expect([model, without.find(provider, model, AT)]).toEqual([model, null]);
  });

  test("the operator's come before them, and are for all kinds of tokens", () => {
    const rows = new PriceTable([...library, own('anthropic', 'claude-mythos-5', '3')]);
    const usage = {
      ...{ input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 1_000_000 },
      cache_creation: { ephemeral_1h_input_tokens: 1_000_000 },
    };
    expect(cost('anthropic', 'claude-mythos-5', { usage }, rows).costUsd).toBe('3');
  });
});

test.each([
  ['claude-sonnet-5-20260101', true],
  ['claude-sonnet-5@20260101', true],
  ['claude-sonnet-5-latest', true],
  ['claude-sonnet-5-6', false],
  ['claude-sonnet-5.6', false],
  ['claude-sonnet-5-6-20260101', false],
  ['claude-sonnet-55', false],
])('a name that begins as a rule of the library: %s has its price: %s', (name, has) => {
  expect(table.find('anthropic', name, AT) !== null).toBe(has);
});

test('a name of a model that is longer than any with a price is taken for none', () => {
  const nameIn = (characters: number) =>
    readBill('openai', { model: 'm'.repeat(characters), usage: {} }).answeredBy;
  expect([nameIn(MAX_MODEL_NAME)?.length, nameIn(MAX_MODEL_NAME + 1)]).toEqual([MAX_MODEL_NAME, null]);
});
