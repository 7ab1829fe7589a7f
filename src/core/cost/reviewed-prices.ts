// Prices of our own, for what the price library does not have yet or has wrong: read from the vendor's price list by a person,
// with the source and the day. They come before the library's. A row goes when a library that has it is installed.
import type { ModelMatch } from './model-match.ts';
import { ALWAYS, type PriceRow } from './price-table.ts';
import type { Rates, Tier } from './price-usage.ts';

interface ReviewedPrice {
  readonly provider: string;
  readonly model: string;
  /** A date (UTC); absent: always. */
  readonly from?: string;
  readonly rates: Rates;
  readonly tiers?: readonly Tier[];
  readonly source: string;
  readonly checkedOn: string;
}

const CLAUDE_DOCS = 'https://platform.claude.com/docs/en/about-claude/pricing';
const OPENAI_DOCS = 'https://developers.openai.com/api/docs/pricing';
const CHECKED = { checkedOn: '2026-11-30' } as const;
/** Searches of Claude's own, per thousand. */
const SEARCH = { webSearches: '10' } as const;

const REVIEWED: readonly ReviewedPrice[] = [
  {
    provider: 'anthropic',
    model: 'claude-haiku-5-5',
    rates: {
      input: '0.1',
      cachedInput: '0.01',
      cacheWrite: '0.125',
      cacheWrite1h: '0.2',
      output: '0.5',
      ...SEARCH,
    },
    tiers: [
      {
        aboveInputTokens: 100_000,
        rates: { input: '0.5', cachedInput: '0.05', cacheWrite: '0.625', cacheWrite1h: '1', output: '2.5' },
      },
    ],
    source: 'https://platform.claude.com/docs/en/models/haiku-5-5/overview',
    ...CHECKED,
  },
  {
    provider: 'anthropic',
    model: 'claude-sonnet-5-5',
    rates: { input: '2', cachedInput: '0.2', cacheWrite: '2.5', cacheWrite1h: '4', output: '10', ...SEARCH },
    source: CLAUDE_DOCS,
    ...CHECKED,
  },
  {
    provider: 'anthropic',
    model: 'claude-sonnet-5-5',
    from: '2026-10-07',
    rates: { input: '2', cachedInput: '0.1', cacheWrite: '2.5', cacheWrite1h: '4', output: '10', ...SEARCH },
    source: CLAUDE_DOCS,
    ...CHECKED,
  },
  {
    provider: 'anthropic',
    model: 'claude-mythos-5',
    rates: { input: '10', cachedInput: '1', cacheWrite: '12.5', cacheWrite1h: '20', output: '50', ...SEARCH },
    source: CLAUDE_DOCS,
    ...CHECKED,
  },
  {
    provider: 'anthropic',
    model: 'claude-mythos-5-1',
    rates: {
      input: '10',
      cachedInput: '0.25',
      cacheWrite: '12.5',
      cacheWrite1h: '20',
      output: '50',
      ...SEARCH,
    },
    source: CLAUDE_DOCS,
    ...CHECKED,
  },
  {
    provider: 'openai',
    model: 'gpt-6.1-sol',
    rates: { input: '2', cachedInput: '0.1', cacheWrite: '2.5', output: '10', webSearches: '10' },
    tiers: [
      {
        aboveInputTokens: 272_000,
        rates: { input: '4', cachedInput: '0.2', cacheWrite: '5', output: '15' },
      },
    ],
    source: OPENAI_DOCS,
    ...CHECKED,
  },
];

/** In the order of the list; of a model the oldest first. */
export const REVIEWED_PRICES: readonly PriceRow[] = REVIEWED.map((price, position) => ({
  source: 'reviewed',
  provider: price.provider,
  model: price.model,
  position,
  match: datedNames(price.model),
  effectiveFrom: price.from === undefined ? ALWAYS : new Date(price.from),
  dailyFrom: null,
  dailyUntil: null,
  rates: price.rates,
  tiers: price.tiers ?? [],
  reference: `${price.source}, ${price.checkedOn}`,
}));

/** The model, and its snapshots by date. */
function datedNames(model: string): ModelMatch {
  const name = model.replaceAll('.', '\\.');
  return { or: [{ equals: model }, { regex: `^${name}-20\\d{2}-?\\d{2}-?\\d{2}$` }] };
}
