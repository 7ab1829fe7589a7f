// What the service keeps for a time only (functions/operations/housekeeping.sql).
import type { Queryable } from '../connection/connection.ts';

/** One bounded batch in one commit; `days` 0: only first answers to repeated requests. The deleted rows by table. */
export async function deleteForgotten(
  db: Queryable,
  days: number,
  maxRows: number,
): Promise<Readonly<Record<string, number>>> {
  const { rows } = await db.query<{ deleted: Record<string, number> }>({
    text: 'select dagwright.housekeeping_v1($1, $2) as deleted',
    values: [days, maxRows],
  });
  return rows[0]!.deleted;
}
