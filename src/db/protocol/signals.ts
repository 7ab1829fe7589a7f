// Waits for signals: opened by an attempt, and judged by it where a condition says which signals a wait takes
// (functions/protocol/signals.sql).
import type { Json } from '../../core/json.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Locked } from '../connection/locked.ts';
import { LOCKED_FIRST, lockedOrGone } from './lock-first.ts';
import type { Claim } from './transitions.ts';

/** `answered`: it has its signal already; `judge`: signals are stored that its attempt has to judge. */
export type OpenedWait = 'answered' | 'open' | 'judge' | 'lost';

/** Opens the wait of a running attempt. Does not wait for the execution's lock. */
export async function openSignalWait(
  db: Queryable,
  executionId: string,
  { taskId, mapIndex, fence }: Claim,
  wait: {
    /** 32 bytes that nobody else has. */
    readonly key: Buffer;
    readonly names: readonly string[];
    /** What its condition reads of the scope, as JSON; null: it has none. */
    readonly readsJson: string | null;
    readonly timeoutMs: number;
  },
): Promise<OpenedWait | Locked> {
  const { rows } = await db.query<{ opened: OpenedWait }>({
    name: 'open_signal_wait_v1',
    text: `select dagwright.open_signal_wait_v1(o.id, $2, $3, $4, $5, $6, $7, $8) as opened from ${LOCKED_FIRST} o`,
    values: [
      executionId,
      taskId,
      mapIndex,
      fence,
      wait.key,
      wait.names,
      wait.readsJson,
      Math.ceil(wait.timeoutMs),
    ],
  });
  return rows[0]?.opened ?? (await lockedOrGone(db, executionId)) ?? 'lost';
}

/** A signal that nothing has taken. */
export interface StoredSignal {
  readonly position: number;
  readonly name: string;
  readonly payload: Json;
  readonly broadcast: boolean;
  readonly isJudged: boolean;
}

/**
 * Signals that a wait of this task is open for, in the order of arrival, from the position after `after` on; without `all` those
 * alone that are not judged. At most 4 MB of payloads, unless one alone has more.
 */
export async function findStoredSignals(
  db: Queryable,
  executionId: string,
  { taskId, mapIndex }: Pick<Claim, 'taskId' | 'mapIndex'>,
  { after, all, limit }: { readonly after: number; readonly all: boolean; readonly limit: number },
): Promise<readonly StoredSignal[]> {
  const { rows } = await db.query<StoredSignal>({
    name: 'stored_signals_v1',
    text: `select place as position, title as name, body as payload, to_all as broadcast, was_judged as "isJudged"
      from dagwright.stored_signals_v1($1, $2, $3, $4, $5, $6)`,
    values: [executionId, taskId, mapIndex, after, all, limit],
  });
  return rows;
}

/** A wait that can take a signal. */
export interface OpenWait {
  readonly taskId: string;
  readonly mapIndex: number;
  /** With microseconds: a place in the order of waits. */
  readonly openedAt: string;
  /** What its condition read of the scope; null: it has none. */
  readonly reads: Json;
}

/** Open waits for this name, the oldest first, from the one after `after` on. By the key: however many there are, a page is read. */
export async function findOpenWaits(
  db: Queryable,
  executionId: string,
  name: string,
  { after, limit }: { readonly after: OpenWait | null; readonly limit: number },
): Promise<readonly OpenWait[]> {
  const { rows } = await db.query<OpenWait>({
    name: 'open_waits_v1',
    text: `select task as "taskId", idx as "mapIndex", since as "openedAt", reads
      from dagwright.open_waits_v1($1, $2, coalesce($3::timestamptz, '-infinity'), $4, $5, $6)`,
    values: [executionId, name, after?.openedAt ?? null, after?.taskId ?? '', after?.mapIndex ?? -1, limit],
  });
  return rows;
}

export interface Judgement {
  /** In the order in which they were decided. */
  readonly matches: readonly {
    readonly position: number;
    readonly taskId: string;
    readonly mapIndex: number;
  }[];
  /** Signals that all waits have looked at and did not take, and broadcasts. */
  readonly refused: readonly number[];
}

/** Writes a judgement; false where a wait took none any more, so that it has to be judged again. Does not wait for the execution's lock. */
export async function matchSignals(
  db: Queryable,
  executionId: string,
  { matches, refused }: Judgement,
): Promise<boolean | Locked> {
  const { rows } = await db.query<{ isFinal: boolean }>({
    name: 'match_signals_v1',
    text: `select dagwright.match_signals_v1(o.id, $2, $3) as "isFinal" from ${LOCKED_FIRST} o`,
    values: [
      executionId,
      JSON.stringify(matches.map(({ position, taskId, mapIndex }) => [position, taskId, mapIndex])),
      refused,
    ],
  });
  return rows[0]?.isFinal ?? (await lockedOrGone(db, executionId)) ?? true;
}
