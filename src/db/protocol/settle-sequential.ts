// Settles steps of sequential runs: one by settle_one_v1, several (of different executions) by settle_sequential_v1, and by
// settle_sequential_v2 where some have pure successors, branches or winners.
import type { Completion } from '../../core/attempt-end.ts';
import type { TaskStatus } from '../../core/status.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Locked } from '../connection/locked.ts';
import { LOCKED_FIRST, lockedOrGone } from './lock-first.ts';
import { isPlainStep, lastOf, type SequentialSettle } from './settle-kinds.ts';
import { finishJson } from './settle-wire.ts';
import type { Settle, SettleResult } from './settlement.ts';
import { claimOf, firstClaim } from './transitions.ts';

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
      outputOf({ end }),
      inputOf({ end }),
      end.costUsd ?? null,
      usageOf({ end }),
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
    withSuccessors: false,
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
  ...{ outcome: 'lost', withSuccessors: false, found: { fence: null, status: null }, atMs: 0 },
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

/** What the fast paths say where a row is not as it has to be. Nothing was changed. */
const NOT_AS_EXPECTED = 'DW001';

export function isRefusal(error: unknown): boolean {
  return (error as { code?: unknown }).code === NOT_AS_EXPECTED;
}

/** Several, of different executions. Null: one of them is locked or not what it was taken for, and nothing was changed. */
export async function settleSequential(
  db: Queryable,
  workerId: string,
  settles: readonly SequentialSettle[],
): Promise<SettleResult[] | null> {
  const lasts = settles.map(lastOf);
  try {
    const atMs = settles.every(isPlainStep)
      ? await settleSteps(db, workerId, settles)
      : await settleWithSuccessors(db, workerId, settles);
    return settles.map(({ successors }, i) => {
      const [edge] = lasts[i]!.edges;
      return {
        ...{ outcome: 'settled', atMs, extras: [], drained: false },
        withSuccessors: successors !== undefined,
        next: edge === undefined ? null : firstClaim(edge.taskId),
        finished: edge === undefined,
      };
    });
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

async function settleSteps(
  db: Queryable,
  workerId: string,
  settles: readonly SequentialSettle[],
): Promise<number> {
  const { rows } = await db.query<{ at: number }>({
    name: 'settle_sequential_v1',
    text: 'select dagwright.settle_sequential_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as at',
    values: [
      workerId,
      settles.map(({ executionId }) => executionId),
      settles.map(({ claim }) => claim.taskId),
      settles.map(({ claim }) => claim.fence),
      settles.map(({ end }) => end.durationMs),
      settles.map(outputOf),
      settles.map(inputOf),
      settles.map(({ end }) => end.costUsd ?? null),
      settles.map(usageOf),
      settles.map(childOf),
      settles.map(finishOf),
    ],
  });
  return rows[0]!.at;
}

async function settleWithSuccessors(
  db: Queryable,
  workerId: string,
  settles: readonly SequentialSettle[],
): Promise<number> {
  const ends = settles.flatMap(({ claim: { taskId }, end, successors }, i) =>
    [{ taskId, end }, ...(successors?.ends ?? [])].map((ended, place) => ({ ...ended, of: i + 1, place })),
  );
  const { rows } = await db.query<{ at: number }>({
    name: 'settle_sequential_v2',
    text: 'select dagwright.settle_sequential_v2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) as at',
    values: [
      workerId,
      settles.map(({ executionId }) => executionId),
      settles.map(({ claim }) => claim.fence),
      settles.map(({ successors }) => 1 + (successors?.ends.length ?? 0)),
      settles.map(({ end }) => end.costUsd ?? null),
      settles.map(childOf),
      settles.map(finishOf),
      ends.map(({ of }) => of),
      ends.map(({ place }) => place),
      ends.map(({ taskId }) => taskId),
      ends.map(({ end }) => end.durationMs),
      ends.map(outputOf),
      ends.map(inputOf),
      ends.map(({ end }) => end.costUsd ?? null),
      ends.map(usageOf),
      ends.map(({ end }) => end.branch ?? null),
      ends.map(({ end }) => end.winner ?? null),
    ],
  });
  return rows[0]!.at;
}

interface Ended {
  readonly end: Completion;
}
// JSON's null is stored as SQL's.
const outputOf = ({ end: { outputJson } }: Ended) => (outputJson === 'null' ? null : outputJson);
const inputOf = ({ end: { inputJson } }: Ended) => (inputJson === 'null' ? null : (inputJson ?? null));
const usageOf = ({ end: { usage } }: Ended) => (usage === undefined ? null : JSON.stringify(usage));
const childOf = (settle: Settle) => lastOf(settle).edges[0]?.taskId ?? null;
const finishOf = (settle: Settle) => {
  const { finishOutputJson } = lastOf(settle);
  return finishOutputJson === undefined ? null : finishJson(finishOutputJson);
};
