// What models cost: the price library, and the operator's own prices before it. They are the installation's: `client` is of
// the engine's role. Prices are read whole and looked up in memory (core/cost/price-table.ts).
import type pg from 'pg';
import { readLibraryFile } from '../core/cost/library-file.ts';
import { PRICE_LIBRARY_VERSION } from '../core/cost/price-library.ts';
import { ANY_MODEL, MAX_MODEL_NAME, type PriceRow, PriceTable } from '../core/cost/price-table.ts';
import { providerName } from '../core/cost/provider-name.ts';
import type { Json } from '../core/json.ts';
import { parseUsd } from '../core/money.ts';
import { type BoundedPage, pageOfRows } from '../db/connection/byte-bounded.ts';
import type { Operator, Queryable } from '../db/connection/connection.ts';
import * as rows from '../db/resources/pricing.ts';
import { done, invalid, notFound, type Outcome } from './outcome.ts';
import type { TextRule } from './text-rule.ts';

export const PROVIDER = {
  pattern: /^[^/\s\p{Cc}\p{Cs}]{1,100}$/u,
  expected: '1 to 100 characters without spaces and "/"',
} as const satisfies TextRule;
/** Providers name models as they like: with slashes, colons, spaces. */
export const MODEL = {
  pattern: new RegExp(`^(?=[^\\p{Cc}\\p{Cs}]{1,${MAX_MODEL_NAME}}$)[^\\s](?:.*[^\\s])?$`, 'u'),
  expected: `1 to ${MAX_MODEL_NAME} characters, without control characters, nor spaces at its ends`,
} as const satisfies TextRule;
/** A rate, as it is written. */
export const USD = {
  pattern: /^\d{1,12}(\.\d{1,30})?$/,
  expected: 'US dollars such as 2.50',
} as const satisfies TextRule;

/** A model, or all models of a provider (`*`). */
export interface PricePlace {
  readonly provider: string;
  readonly model: string;
}

/** Rates are in US dollars per million tokens. */
export interface NewPrice extends PricePlace {
  readonly rates: {
    readonly input: string;
    readonly output: string;
    /** Absent: as input. */
    readonly cachedInput?: string | undefined;
    readonly cacheWrite?: string | undefined;
  };
  /** Null: always for the first price of a model, from now on for a later one. */
  readonly effectiveFrom: Date | null;
}

/** The table, and the stamp that it was read under. */
export interface KnownPrices {
  readonly stamp: string;
  readonly table: PriceTable;
}

/** All prices; what is known already is read anew only where it has changed. */
export async function readPrices(
  client: Queryable | pg.ClientBase,
  known: KnownPrices | null = null,
): Promise<KnownPrices> {
  const stamp = await rows.readPriceStamp(client);
  if (known?.stamp === stamp) return known;
  return { stamp, table: new PriceTable(await rows.readPrices(client)) };
}

/** What each model costs at an instant, by provider and model; of one provider or model where that is asked for. */
export function listPrices(
  table: PriceTable,
  at: Date,
  { provider, model }: { readonly provider?: string | undefined; readonly model?: string | undefined },
): readonly PriceRow[] {
  const owner = provider === undefined ? undefined : providerName(provider);
  return table
    .current(at)
    .filter((row) => owner === undefined || row.provider === owner)
    .filter((row) => model === undefined || row.model === model.toLowerCase());
}

/** A page of prices; `after` is the key to go on after. */
export function pageOfPrices(
  found: readonly PriceRow[],
  page: { readonly limit: number; readonly after: string | null },
): BoundedPage<PriceRow> {
  const left = found
    .filter((row) => page.after === null || priceKey(row) > page.after)
    .sort((a, b) => (priceKey(a) < priceKey(b) ? -1 : 1));
  return pageOfRows(left, page.limit);
}

/** Of a row of the list. The library has several models of one name. */
export const priceKey = ({ provider, model, position }: PriceRow) =>
  `${provider}/${model}\n${String(position).padStart(9, '0')}`;

/** Reads `openai/gpt-4o`; null where that is no place of a price. */
export function readPricePlace(name: string): PricePlace | null {
  const [, provider = '', model = ''] = /^([^/]*)\/(.*)$/s.exec(name.trim()) ?? [];
  return PROVIDER.pattern.test(provider) && MODEL.pattern.test(model) ? placeOf({ provider, model }) : null;
}

/** All prices that a model has, had or will have, at its provider or, named without one, at all that have it. */
export function showPrices(
  table: PriceTable,
  at: Date,
  name: string,
): Outcome<readonly { readonly price: PriceRow; readonly isCurrent: boolean }[]> {
  const places = placesOf(table, name);
  const current = places.flatMap(({ provider, model }) => table.find(provider, model, at) ?? []);
  const found = places.flatMap(({ provider, model }) => table.history(provider, model));
  if (found.length === 0) return notFound(`price of ${name}`, `there is no price for "${name}"`);
  return done(found.map((price) => ({ price, isCurrent: current.includes(price) })));
}

/** In place of one from the same instant; holds in place of the library's, for all tenants. */
export async function setPrice(
  client: pg.ClientBase,
  _acting: Operator,
  { rates, effectiveFrom, ...given }: NewPrice,
): Promise<Outcome<PriceRow>> {
  const { provider, model } = placeOf(given);
  const amounts = Object.entries(rates).flatMap(([kind, rate]) =>
    rate === undefined ? [] : [[kind, parseUsd(rate)] as const],
  );
  const set = { provider, model, effectiveFrom, rates: Object.fromEntries(amounts) };
  const from = Date.parse(await rows.setOperatorPrice(client, set));
  const all = await rows.readPrices(client);
  return done(
    all.find(
      (row) =>
        row.source === 'operator' &&
        row.provider === provider &&
        row.model === model &&
        row.effectiveFrom.getTime() === from,
    )!,
  );
}

/** Takes the operator's prices of a model away: the library's hold again. */
export async function removePrices(
  client: pg.ClientBase,
  _acting: Operator,
  given: PricePlace,
): Promise<Outcome<PricePlace & { readonly removed: number }>> {
  const place = placeOf(given);
  const removed = await rows.removeOperatorPrices(client, place.provider, place.model);
  if (removed > 0) return done({ ...place, removed });
  return notFound(
    `price of ${given.provider}/${given.model}`,
    `no price was set for ${place.provider}/${place.model}`,
  );
}

/** Puts a newer data file of the price library in place of the library's prices, until a newer package comes. */
export async function importPrices(
  client: pg.ClientBase,
  _acting: Operator,
  { file, at }: { readonly file: Json; readonly at: Date },
): Promise<Outcome<{ readonly version: string; readonly prices: number }>> {
  const read = readLibraryFile(file);
  if (!read.ok) return invalid(read.problems);
  const version = `${PRICE_LIBRARY_VERSION}/${at.toISOString().slice(0, 10).replaceAll('-', '')}`;
  await rows.replaceLibraryPrices(client, read.value, version);
  return done({ version, prices: read.value.length });
}

const placeOf = ({ provider, model }: PricePlace): PricePlace => ({
  provider: providerName(provider),
  model: model.toLowerCase(),
});

function placesOf(table: PriceTable, name: string): readonly PricePlace[] {
  const place = readPricePlace(name);
  const providers = table.providers();
  if (place !== null && providers.includes(place.provider)) return [place];
  return providers
    .filter((provider) => table.history(provider, name).some(({ model }) => model !== ANY_MODEL))
    .map((provider) => ({ provider, model: name }));
}
