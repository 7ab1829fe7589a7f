// Prices of models as people read them, in US dollars.
import { PRICE_LIBRARY_VERSION } from '../../core/cost/price-library.ts';
import type { PriceRow, PriceSource } from '../../core/cost/price-table.ts';
import { RATE_KINDS } from '../../core/cost/price-usage.ts';
import { assertNever } from '../../core/errors.ts';
import { type createPainter, table } from './terminal.ts';

type Paint = ReturnType<typeof createPainter>;

const SOURCES: { readonly [source in PriceSource]: string } = {
  library: 'price library',
  reviewed: 'reviewed for this release',
  operator: 'set by the operator',
};
const MAIN_KINDS = ['input', 'cachedInput', 'cacheWrite', 'output'] as const;

/** A line for each model, with its main rates. */
export function priceTable(
  rows: readonly PriceRow[],
  { hasSource }: { readonly hasSource: boolean },
  paint: Paint,
): string {
  const columns = ['model', 'input', 'cached', 'cache write', 'output', 'source'];
  const header = [...columns, ...(hasSource ? ['from'] : [])].map((cell) => paint('bold', cell));
  const lines = rows.map((row) => {
    const hasMore =
      row.tiers.length > 0 ||
      row.dailyFrom !== null ||
      Object.keys(row.rates).some((kind) => !(MAIN_KINDS as readonly string[]).includes(kind));
    return [
      `${row.provider}/${row.model}${hasMore ? ' *' : ''}`,
      ...MAIN_KINDS.map((kind) => row.rates[kind] ?? '-'),
      row.source,
      ...(hasSource ? [originOf(row)] : []),
    ];
  });
  return table([header, ...lines]);
}

/** Where a rate was read. */
function originOf(row: PriceRow): string {
  switch (row.source) {
    case 'library':
      return `@pydantic/genai-prices ${PRICE_LIBRARY_VERSION}`;
    case 'reviewed':
      return row.reference ?? 'this release';
    case 'operator':
      return 'dagwright pricing set';
    default:
      return assertNever(row.source);
  }
}

/** All of one price: since when, each rate, its tiers. */
export function describePrice(
  row: PriceRow,
  { isCurrent }: { readonly isCurrent: boolean },
  paint: Paint,
): string {
  const from = row.effectiveFrom.getTime() === 0 ? 'always' : `from ${row.effectiveFrom.toISOString()}`;
  const hours = row.dailyFrom === null ? '' : `, daily ${row.dailyFrom} to ${row.dailyUntil} UTC`;
  const title = `${row.provider}/${row.model}  ${SOURCES[row.source]}, ${from}${hours}`;
  const lines = [paint('bold', title) + (isCurrent ? paint('green', '  now') : '')];
  if (row.reference !== undefined) lines.push(`  ${row.reference}`);
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

/** What is no token. */
const PER_THOUSAND: readonly string[] = ['webSearches', 'providerToolCalls', 'audioSeconds', 'requests'];

function rateText(kind: (typeof RATE_KINDS)[number], usd: string): string {
  return PER_THOUSAND.includes(kind) ? `$${usd} per thousand` : `$${usd} per million`;
}
