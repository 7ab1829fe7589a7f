// The table of model prices: seeded from the price library, read whole, and changed by the operator.

import type pg from 'pg';
import type { ModelMatch } from '../../core/cost/model-match.ts';
import { PRICE_LIBRARY_VERSION, readPriceLibrary } from '../../core/cost/price-library.ts';
import type { PriceRow, PriceSource } from '../../core/cost/price-table.ts';
import type { RateKind, Rates, Tier } from '../../core/cost/price-usage.ts';
import { REVIEWED_PRICES } from '../../core/cost/reviewed-prices.ts';
import type { Usd } from '../../core/money.ts';
import type { Queryable } from '../connection/connection.ts';

/** Rates with a column of their own; the others are kept in `other_rates`. */
const COLUMNS = {
  input: 'input_usd_per_million',
  cachedInput: 'cached_input_usd_per_million',
  cacheWrite: 'cache_write_usd_per_million',
  output: 'output_usd_per_million',
} as const satisfies Partial<Record<RateKind, string>>;

/** Whether the library's prices in this database are older than this installation's. Newer ones are left as they are. */
export async function hasOlderPrices(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ version: string | null }>(
    `select max(library_version) as version from dagwright.ai_model_pricing where source = 'library'`,
  );
  const stored = rows[0]?.version ?? null;
  return stored === null || compareVersions(stored, PRICE_LIBRARY_VERSION) < 0;
}

/**
 * Brings the library's prices up to this installation's, in one transaction; true where there was something to do. The
 * operator's rows are not touched. The caller holds the lock of migrations and has the owner's role.
 */
export async function seedPrices(client: pg.ClientBase): Promise<boolean> {
  if (!(await hasOlderPrices(client))) return false;
  const rows = await readPriceLibrary();
  await client.query('begin');
  try {
    await replaceLibraryPrices(client, rows, PRICE_LIBRARY_VERSION);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
  return true;
}

/** In the caller's transaction. A version is newer the more numbers it has, part by part. */
export async function replaceLibraryPrices(
  client: Queryable,
  rows: readonly PriceRow[],
  version: string,
): Promise<void> {
  await client.query(`delete from dagwright.ai_model_pricing where source = 'library'`);
  await client.query(
    `insert into dagwright.ai_model_pricing select r.* from jsonb_populate_recordset(null::dagwright.ai_model_pricing, $1) r`,
    [JSON.stringify(rows.map((row) => toRecord(row, version)))],
  );
}

function toRecord(row: PriceRow, version: string): Record<string, unknown> {
  const { input, cachedInput, cacheWrite, output, ...other } = row.rates;
  return {
    provider: row.provider,
    model: row.model,
    source: row.source,
    position: row.position,
    effective_from: row.effectiveFrom.toISOString(),
    daily_from: row.dailyFrom,
    daily_until: row.dailyUntil,
    [COLUMNS.input]: input,
    [COLUMNS.cachedInput]: cachedInput,
    [COLUMNS.cacheWrite]: cacheWrite,
    [COLUMNS.output]: output,
    other_rates: Object.keys(other).length === 0 ? null : other,
    tiers: row.tiers.length === 0 ? null : row.tiers,
    match: row.match,
    library_version: version,
    updated_at: new Date().toISOString(),
  };
}

/** Changes with every change of the table; cheap to ask for. */
export async function readPriceStamp(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ stamp: string }>({
    name: 'read_price_stamp',
    text: `select concat_ws(' ', count(*), max(updated_at), max(library_version)) as stamp from dagwright.ai_model_pricing`,
  });
  return rows[0]!.stamp;
}

interface StoredRow {
  readonly provider: string;
  readonly model: string;
  readonly source: PriceSource;
  readonly position: number;
  readonly effectiveFrom: string;
  readonly dailyFrom: string | null;
  readonly dailyUntil: string | null;
  readonly rates: Readonly<Record<keyof typeof COLUMNS, Usd | null>>;
  readonly otherRates: Rates | null;
  readonly tiers: readonly Tier[] | null;
  readonly match: ModelMatch | null;
}

/** Every price that there is: those of the table, and those of our own, which this release brings along. */
export async function readPrices(db: Queryable): Promise<PriceRow[]> {
  const rates = Object.entries(COLUMNS).map(([kind, column]) => `'${kind}', ${column}::text`);
  const { rows } = await db.query<StoredRow>({
    name: 'read_prices',
    text: `select provider, model, source, position, effective_from as "effectiveFrom", daily_from as "dailyFrom",
        daily_until as "dailyUntil", json_build_object(${rates.join(', ')}) as rates, other_rates as "otherRates", tiers, match
      from dagwright.ai_model_pricing`,
  });
  const stored = rows.map(({ rates: own, otherRates, tiers, effectiveFrom, ...row }) => ({
    ...row,
    effectiveFrom: new Date(effectiveFrom),
    rates: {
      ...(Object.fromEntries(Object.entries(own).filter(([, rate]) => rate !== null)) as Rates),
      ...otherRates,
    },
    tiers: tiers ?? [],
  }));
  return [...stored, ...REVIEWED_PRICES];
}

/** What an operator sets. */
export interface OperatorPrice {
  /** As `providerName` has it. */
  readonly provider: string;
  readonly model: string;
  /** Null: always where the model has no operator's price yet, else from now on. */
  readonly effectiveFrom: Date | null;
  readonly rates: Pick<Rates, keyof typeof COLUMNS>;
}

/** Sets a price, in place of one from the same instant; from when on it holds, ISO 8601. */
export async function setOperatorPrice(db: Queryable, price: OperatorPrice): Promise<string> {
  const { rows } = await db.query<{ effectiveFrom: string }>(
    `insert into dagwright.ai_model_pricing as p (provider, model, source, effective_from, ${Object.values(COLUMNS).join(', ')}, updated_at)
     values ($1, $2, 'operator', coalesce($3, case when exists (select from dagwright.ai_model_pricing o
       where o.provider = $1 and o.model = $2 and o.source = 'operator') then date_trunc('milliseconds', clock_timestamp()) else to_timestamp(0) end),
       $4, $5, $6, $7, clock_timestamp())
     on conflict (provider, model, source, effective_from, position) do update set
       ${Object.values(COLUMNS)
         .map((column) => `${column} = excluded.${column}`)
         .join(', ')}, other_rates = null, tiers = null, updated_at = excluded.updated_at
     returning effective_from as "effectiveFrom"`,
    [
      price.provider,
      price.model,
      price.effectiveFrom?.toISOString() ?? null,
      ...(Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]).map((kind) => price.rates[kind] ?? null),
    ],
  );
  return rows[0]!.effectiveFrom;
}

/** Removes the operator's prices of a model, so that the library's hold again; how many there were. */
export async function removeOperatorPrices(db: Queryable, provider: string, model: string): Promise<number> {
  const { rowCount } = await db.query(
    `delete from dagwright.ai_model_pricing where source = 'operator' and provider = $1 and model = $2`,
    [provider, model],
  );
  return rowCount ?? 0;
}

/** By number, part by part: `0.1.10/1` is after `0.1.9/2`. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[./]/).map(Number));
  for (let i = 0; i < Math.max(left!.length, right!.length); i++) {
    const difference = (left![i] ?? 0) - (right![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
