// A price as people and programs are shown it.
import type { PriceRow } from './price-table.ts';

/** US dollars per million, as decimal strings; null: not charged, or not known. */
export function priceView(row: PriceRow) {
  const { input = null, cachedInput = null, cacheWrite = null, output = null, ...otherRates } = row.rates;
  return {
    provider: row.provider,
    model: row.model,
    source: row.source,
    /** Of a reviewed price: where it was read, and when. */
    ...(row.reference !== undefined && { reference: row.reference }),
    /** Null: always. */
    effectiveFrom: row.effectiveFrom.getTime() === 0 ? null : row.effectiveFrom.toISOString(),
    dailyFrom: row.dailyFrom,
    dailyUntil: row.dailyUntil,
    inputUsdPerMillion: input,
    cachedInputUsdPerMillion: cachedInput,
    cacheWriteUsdPerMillion: cacheWrite,
    outputUsdPerMillion: output,
    otherRates,
    tiers: row.tiers,
  };
}
