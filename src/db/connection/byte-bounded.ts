// Pages that end early where what they hold is large: as many of their first rows as fit, and always one.
//   P1  One statement. Sizes are looked at in order and no further than the first row that does not fit, since telling the
//       size of a compressed value means decompressing it (a window over rows is computed as it is read, `limit` ends it).
//   P2  What does not fit is not sent. The page says that there is more, and the next one begins with it.

import type pg from 'pg';
import type { Queryable } from './connection.ts';

/** Of the JSON of one page, beyond its first row. */
export const MAX_PAGE_BYTES = 8_000_000;

/** A part of a list. */
export interface BoundedPage<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

/**
 * The page of the first `limit` rows, where one more was asked for. For rows that their columns keep small: what holds JSON or
 * texts without a limit of the database's goes through {@link withinBytes}.
 */
export function pageOfRows<Row>(rows: readonly Row[], limit: number): BoundedPage<Row> {
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
}

export interface PageBounds {
  /** Rows at most; the select is to ask for one more, so that it is known whether there is. */
  readonly limit?: number;
  /** Of the JSON text of the columns that `json` names. */
  readonly maxBytes?: number;
  /** Columns of the select that may be large, as SQL names them. */
  readonly json: readonly string[];
}

/** Bounds an ordered select. */
export function withinBytes(select: string, { limit, maxBytes = MAX_PAGE_BYTES, json }: PageBounds): string {
  const bytes = json.map((column) => `coalesce(octet_length(${column}::text), 0)`).join(' + ');
  return `with page as materialized (select row_number() over () as place, q.* from (${select}) q),
    cut as materialized (
      select place from (select place, sum(${bytes}) over (rows unbounded preceding) as total from page) sized
      where total > ${maxBytes} and place > 1 limit 1)
    select page.*, (select count(*) from page) as found from page
    where place < least((select place from cut)${limit === undefined ? '' : `, ${limit + 1}`}, 2147483647) order by place`;
}

/** The page that `select` gives: it asks for `limit` + 1 rows. */
export async function findBoundedPage<Row>(
  client: Queryable | pg.ClientBase,
  select: string,
  { values, ...bounds }: PageBounds & { readonly values: unknown[] },
): Promise<BoundedPage<Row>> {
  const { rows } = await client.query(withinBytes(select, bounds), values);
  return boundedPage<Row>(rows);
}

/** The page from the rows of a bounded select. */
export function boundedPage<Row>(
  found: readonly (Row & { readonly place: number; readonly found: number })[],
): BoundedPage<Row> {
  const rows = found.map(({ place: _, found: __, ...row }) => row as unknown as Row);
  return { rows, hasMore: found.length > 0 && found[0]!.found > found.length };
}
