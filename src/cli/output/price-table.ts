// Prices of models as people read them, in US dollars.
import type { PriceRow } from '../../core/cost/price-table.ts';
import { RATE_KINDS } from '../../core/cost/price-usage.ts';
import { type createPainter, table } from './terminal.ts';

type Paint = ReturnType<typeof createPainter>;

const MAIN_KINDS = ['input', 'cachedInput', 'cacheWrite', 'output'] as const;

/** A line for each model, with its main rates. */
export function priceTable(rows: readonly PriceRow[], paint: Paint): string {
  const header = ['model', 'input', 'cached', 'cache write', 'output', 'source'].map((cell) =>
    paint('bold', cell),
  );
  const lines = rows.map((row) => {
    const hasMore =
      row.tiers.length > 0 ||
      row.dailyFrom !== null ||
      Object.keys(row.rates).some((kind) => !(MAIN_KINDS as readonly string[]).includes(kind));
    return [
      `${row.provider}/${row.model}${hasMore ? ' *' : ''}`,
      ...MAIN_KINDS.map((kind) => row.rates[kind] ?? '-'),
      row.source === 'operator' ? 'operator' : 'library',
    ];
  });
  return table([header, ...lines]);
}

/** All of one price: since when, each rate, its tiers. */
export function describePrice(
  row: PriceRow,
  { isCurrent }: { readonly isCurrent: boolean },
  paint: Paint,
): string {
  const from = row.effectiveFrom.getTime() === 0 ? 'always' : `from ${row.effectiveFrom.toISOString()}`;
  const hours = row.dailyFrom === null ? '' : `, daily ${row.dailyFrom} to ${row.dailyUntil} UTC`;
  const title = `${row.provider}/${row.model}  ${row.source === 'operator' ? 'set by the operator' : 'price library'}, ${from}${hours}`;
  const lines = [paint('bold', title) + (isCurrent ? paint('green', '  now') : '')];
  const rates = RATE_KINDS.flatMap((kind) =>
    row.rates[kind] === undefined ? [] : [[`  ${kind}`, rateText(kind, row.rates[kind])]],
  );
  const tiers = row.tiers.flatMap(({ aboveInputTokens, rates: changed }) =>
    RATE_KINDS.flatMap((kind) =>
      changed[kind] === undefined
        ? []
        : [[`  ${kind}`, `${rateText(kind, changed[kind])}, above ${aboveInputTokens} input tokens`]],
    ),
  );
  lines.push(
    rates.length === 0 ? '  not charged by the token: what it costs is unknown' : table([...rates, ...tiers]),
  );
  return lines.join('\n');
}

function rateText(kind: (typeof RATE_KINDS)[number], usd: string): string {
  return kind === 'webSearches' || kind === 'requests' ? `$${usd} per thousand` : `$${usd} per million`;
}
