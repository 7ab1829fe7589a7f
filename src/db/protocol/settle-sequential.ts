// Settles steps of sequential runs: one by settle_one_v1, several (of different executions) by settle_sequential_v1.
import type { TaskStatus } from '../../core/status.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Locked } from '../connection/locked.ts';
import { LOCKED_FIRST, lockedOrGone } from './lock-first.ts';
import type { SequentialSettle } from './settle-kinds.ts';
import { finishJson } from './settle-wire.ts';
import type { SettleResult } from './settlement.ts';
import { type Claim, claimOf } from './transitions.ts';

/** One, alone in its batch. The execution is $1, which the statement locks first. */
export async function settleOne(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  { executionId, claim, end, edges, wantsNext, finishOutputJson }: SequentialSettle,
): Promise<SettleResult | Locked> {
  const child = edges[0]?.taskId ?? null;
  const { rows } = await db.query<SettleOneRow>({
    name: 'settle_one_v1',
    text: `select s.* from ${LOCKED_FIRST} o
      cross join lateral dagwright.settle_one_v1($2, o.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) s`,
    values: [
      executionId,
      worker.id,
      claim.taskId,
      claim.fence,
      end.durationMs,
      end.outputJson === 'null' ? null : end.outputJson,
      end.inputJson === 'null' ? null : (end.inputJson ?? null),
      end.costUsd ?? null,
      end.usage === undefined ? null : JSON.stringify(end.usage),
      child,
      wantsNext,
      finishOutputJson === undefined ? null : finishJson(finishOutputJson),
    ],
  });
  const [answer] = rows;
  if (answer === undefined) return (await lockedOrGone(db, executionId)) ?? LOST;
  const isSettled = answer.outcome === 'settled';
  return {
    outcome: answer.outcome,
    found: isSettled ? undefined : { fence: answer.fence, status: answer.phase as TaskStatus | null },
    atMs: answer.at,
    next: answer.claimed ? claimOf({ ...answer, t: child!, m: -1 }) : null,
    extras: [],
    drained: answer.ended === 'drained',
    finished: answer.ended === 'finished',
  };
}

/** Of an execution that is gone. */
const LOST: SettleResult = {
  ...{ outcome: 'lost', found: { fence: null, status: null }, atMs: 0 },
  ...{ next: null, extras: [], drained: false, finished: false },
};

interface SettleOneRow {
  outcome: 'settled' | 'lost';
  fence: number | null;
  attempt: number;
  recoveries: number;
  phase: string | null;
  claimed: boolean | null;
  ended: 'drained' | 'finished' | null;
  at: number;
}

/** What settle_sequential_v1 says where a row is not as it has to be. */
const NOT_SEQUENTIAL = 'DW001';

/** Several, of different executions. Null: one of them is locked or not what it was taken for, and nothing was changed. */
export async function settleSequential(
  db: Queryable,
  workerId: string,
  settles: readonly SequentialSettle[],
): Promise<SettleResult[] | null> {
  try {
    const { rows } = await db.query<{ at: number }>({
      name: 'settle_sequential_v1',
      text: 'select dagwright.settle_sequential_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as at',
      values: [
        workerId,
        settles.map(({ executionId }) => executionId),
        settles.map(({ claim }) => claim.taskId),
        settles.map(({ claim }) => claim.fence),
        settles.map(({ end }) => end.durationMs),
        settles.map(({ end }) => (end.outputJson === 'null' ? null : end.outputJson)),
        settles.map(({ end: { inputJson } }) => (inputJson === 'null' ? null : (inputJson ?? null))),
        settles.map(({ end }) => end.costUsd ?? null),
        settles.map(({ end }) => (end.usage === undefined ? null : JSON.stringify(end.usage))),
        settles.map(({ edges }) => edges[0]?.taskId ?? null),
        settles.map(({ finishOutputJson }) =>
          finishOutputJson === undefined ? null : finishJson(finishOutputJson),
        ),
      ],
    });
    const atMs = rows[0]!.at;
    return settles.map(({ edges: [edge] }) => ({
      ...{ outcome: 'settled', atMs, extras: [], drained: false },
      next: edge === undefined ? null : firstClaim(edge.taskId),
      finished: edge === undefined,
    }));
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_SEQUENTIAL) return null;
    throw error;
  }
}

const firstClaim = (taskId: string): Claim => ({
  ...{ taskId, mapIndex: -1, fence: 1, attempt: 1, recoveries: 0, phase: null },
});
