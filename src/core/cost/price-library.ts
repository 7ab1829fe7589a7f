// The rates of the price library, @pydantic/genai-prices, as rows of our table. The library is data here: nothing is
// fetched, and its own arithmetic (floats) is not used.
import { parseUsd } from '../money.ts';
import type { ModelMatch } from './model-match.ts';
import { ALWAYS, ANY_MODEL, type PriceRow } from './price-table.ts';
import type { RateKind, Rates, Tier } from './price-usage.ts';

/** Of the installed package; the number after the slash rises when the rows that are made of it change. */
export const PRICE_LIBRARY_VERSION = '0.1.8/1';

type Prices = Readonly<
  Record<
    string,
    | number
    | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] }
    | undefined
  >
>;

/** The library's names of rates. What it has beyond them (hours, pages, searches of files) is in no usage block. */
const KINDS: Readonly<Record<string, RateKind>> = {
  input_mtok: 'input',
  cache_read_mtok: 'cachedInput',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWrite1h',
  output_mtok: 'output',
  output_reasoning_mtok: 'reasoning',
  input_audio_mtok: 'inputAudio',
  input_image_mtok: 'inputImage',
  input_video_mtok: 'inputVideo',
  cache_audio_read_mtok: 'cachedInputAudio',
  cache_image_read_mtok: 'cachedInputImage',
  cache_video_read_mtok: 'cachedInputVideo',
  output_audio_mtok: 'outputAudio',
  output_image_mtok: 'outputImage',
  output_video_mtok: 'outputVideo',
  output_citation_mtok: 'outputCitation',
  web_searches_kcount: 'webSearches',
  requests_kcount: 'requests',
};

/** What every model of the provider `simulated` costs, so that demos and tests are priced like anything else. */
const SIMULATED: Rates = { input: '1', output: '2' };

/** All rows in the library's order. Providers whose models others offer too (Azure: OpenAI's) have those after their own. */
export async function readPriceLibrary(): Promise<PriceRow[]> {
  const { waitForUpdate } = await import('@pydantic/genai-prices');
  return rowsOfLibrary((await waitForUpdate()) ?? []);
}

export function rowsOfLibrary(providers: readonly LibraryProvider[]): PriceRow[] {
  const rows: PriceRow[] = [];
  for (const provider of providers) {
    const fallbacks = (provider.fallback_model_providers ?? []).flatMap(
      (id) => providers.find((other) => other.id === id)?.models ?? [],
    );
    for (const model of [...provider.models, ...fallbacks]) addModel(rows, provider.id, model);
  }
  rows.push({
    ...plainRow('simulated', ANY_MODEL, rows.length),
    match: { starts_with: '' },
    rates: SIMULATED,
  });
  return rows;
}

/** What is used of the library's providers and models; its data files and its package have the same names. */
export interface LibraryProvider {
  readonly id: string;
  readonly fallback_model_providers?: readonly string[];
  readonly models: readonly LibraryModel[];
}
interface LibraryModel {
  readonly id: string;
  readonly match: ModelMatch;
  readonly prices: object | readonly ConditionalPrices[];
}
interface ConditionalPrices {
  readonly prices: object;
  readonly constraint?: {
    readonly start_date?: string;
    readonly start_time?: string;
    readonly end_time?: string;
  };
}

function addModel(rows: PriceRow[], provider: string, model: LibraryModel): void {
  const prices: readonly ConditionalPrices[] = Array.isArray(model.prices)
    ? (model.prices as readonly ConditionalPrices[])
    : [{ prices: model.prices }];
  const match = withoutLookahead(model.match);
  for (const { prices: rates, constraint } of prices)
    rows.push({
      ...plainRow(provider, model.id, rows.length),
      match,
      ...readRates(rates as Prices),
      ...(constraint?.start_date !== undefined && { effectiveFrom: new Date(constraint.start_date) }),
      ...(constraint?.start_time !== undefined &&
        constraint.end_time !== undefined && {
          dailyFrom: utcTime(constraint.start_time),
          dailyUntil: utcTime(constraint.end_time),
        }),
    });
}

const plainRow = (provider: string, model: string, position: number): PriceRow => ({
  source: 'library',
  provider,
  model,
  position,
  match: null,
  effectiveFrom: ALWAYS,
  dailyFrom: null,
  dailyUntil: null,
  rates: {},
  tiers: [],
});

function readRates(prices: Prices): { rates: Rates; tiers: readonly Tier[] } {
  const entries = Object.entries(prices).filter(([, price]) => (price ?? null) !== null);
  // The library's way to say that a model is free of charge.
  if (entries.length === 0) return { rates: { input: '0', output: '0' }, tiers: [] };
  const rates: Partial<Record<RateKind, string>> = {};
  const tiers = new Map<number, Partial<Record<RateKind, string>>>();
  for (const [name, price] of entries) {
    const kind = KINDS[name];
    if (kind === undefined) continue;
    if (typeof price === 'number') rates[kind] = parseUsd(price);
    else {
      rates[kind] = parseUsd(price!.base);
      for (const tier of price!.tiers)
        tiers.set(tier.start, { ...tiers.get(tier.start), [kind]: parseUsd(tier.price) });
    }
  }
  return {
    rates,
    tiers: [...tiers]
      .sort(([a], [b]) => a - b)
      .map(([aboveInputTokens, changed]) => ({ aboveInputTokens, rates: changed })),
  };
}

/** RE2 has no look-ahead: `^(?!A)`, the only one that is used, is "not ^A". */
function withoutLookahead(match: ModelMatch): ModelMatch {
  if ('or' in match) return { or: match.or.map(withoutLookahead) };
  if ('and' in match) return { and: match.and.map(withoutLookahead) };
  if (!('regex' in match)) return match;
  const [, refused] = /^\^\(\?!(.*)\)$/.exec(match.regex) ?? [];
  if (refused === undefined) return match;
  return { not: { regex: `^(?:${refused})` } };
}

/** `09:30:00+08:00` as `01:30:00`. */
function utcTime(time: string): string {
  return new Date(`1970-01-02T${time}`).toISOString().slice(11, 19);
}
