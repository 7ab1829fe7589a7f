// Turns of tenants in the queue (functions/protocol/turns.sql).
import { within } from '../connection/bounded-client.ts';
import type { Queryable } from '../connection/connection.ts';
import type { TaskRef } from './transitions.ts';

export interface TurnsPass {
  /** Tenants of which jobs wait for turns or permits, the longest first; 100 at most. */
  readonly tenants: readonly string[];
  /** Some of them wait for permits: max_running_tasks. */
  readonly isHeld: boolean;
  /** A tenant has such a limit. */
  readonly isLimited: boolean;
}

/** One pass for jobs of these kinds; null where another worker was at it. */
export async function giveTurns(
  db: Queryable,
  {
    slots,
    kinds,
    limitMs,
  }: { readonly slots: number; readonly kinds: readonly string[]; readonly limitMs: number },
): Promise<TurnsPass | null> {
  const { rows } = await db.query<TurnsPass>({
    ...within(limitMs),
    name: 'give_turns_v2',
    text: 'select tenants, is_held as "isHeld", is_limited as "isLimited" from dagwright.give_turns_v2($1, $2)',
    values: [slots, kinds],
  });
  return rows[0] ?? null;
}

export interface ReservedJob {
  readonly id: string;
  readonly payload: { readonly e: string; readonly o?: string; readonly t?: readonly TaskRef[] };
  /** By the database's clock, milliseconds since the epoch. */
  readonly addedAtMs: number;
}

/** Takes the next job of these kinds of each tenant that is not `busy`, at most `most`, under the lock of this queue pool. */
export async function takeReserved(
  db: Queryable,
  poolId: string,
  {
    busy,
    most,
    kinds,
    limitMs,
  }: {
    readonly busy: readonly string[];
    readonly most: number;
    readonly kinds: readonly string[];
    readonly limitMs: number;
  },
): Promise<ReservedJob[]> {
  const { rows } = await db.query<ReservedJob>({
    ...within(limitMs),
    name: 'take_reserved_v2',
    text: `select id::text, payload, (extract(epoch from added_at) * 1000)::float8 as "addedAtMs" from dagwright.take_reserved_v2($1, $2, $3, $4)`,
    values: [poolId, busy, most, kinds],
  });
  return rows;
}

/** They have been done. */
export async function endReserved(db: Queryable, poolId: string, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'end_reserved_v1',
    text: 'select dagwright.end_reserved_v1($1, $2)',
    values: [poolId, ids],
  });
}
