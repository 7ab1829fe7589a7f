// The engine's transitions, one call each: typed fronts of the functions in db/functions/protocol, which say what each
// does and keeps. Values that were serialised before (Storable) are spliced in as JSON text, not parsed again.

import type { WaitKind } from '../../core/wait.ts';
import { within } from '../connection/bounded-client.ts';
import type { Queryable } from '../connection/connection.ts';
import { LOCKED, type Locked } from '../connection/locked.ts';
import { LOCKED_FIRST, lockedOrGone } from './lock-first.ts';

/** A task as lists and jobs name it: task id and map index (-1: the task itself). */
export type TaskRef = readonly [taskId: string, mapIndex: number];

/** A claim: the right to run one attempt, valid while the row has this fence. */
export interface Claim {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly fence: number;
  readonly attempt: number;
  readonly recoveries: number;
  /** What it waited for before; null: nothing. */
  readonly phase: WaitKind | null;
}

/** The claim of a task that was never begun. */
export function firstClaim(taskId: string): Claim {
  return { taskId, mapIndex: -1, fence: 1, attempt: 1, recoveries: 0, phase: null };
}

/** A claim from a result row. */
export function claimOf(row: {
  t: string;
  m: number;
  fence: number | null;
  attempt: number;
  recoveries: number;
  phase: string | null;
}): Claim {
  return {
    taskId: row.t,
    mapIndex: row.m,
    fence: row.fence!,
    attempt: row.attempt,
    recoveries: row.recoveries,
    phase: row.phase as WaitKind | null,
  };
}

/** What a claim from a list comes to: the task, and what follows it in the list; null where nothing of it was ready. */
export type ListClaim = { readonly claim: Claim; readonly rest: readonly TaskRef[] } | null;

/** Claims, for each entry, the first task of its list that is ready. */
export async function claimBatch(
  db: Queryable,
  workerId: string,
  wants: readonly { readonly executionId: string; readonly list: readonly TaskRef[] }[],
): Promise<(ListClaim | Locked)[]> {
  const { rows } = await db.query<{
    i: number;
    k: number | null;
    t: string;
    m: number;
    fence: number;
    attempt: number;
    recoveries: number;
    phase: string | null;
  }>({
    name: 'claim_v2',
    text: 'select i, k, t, m, fence, attempt, recoveries, phase from dagwright.claim_v2($1)',
    values: [
      JSON.stringify({ w: workerId, c: wants.map((want, i) => ({ i, e: want.executionId, l: want.list })) }),
    ],
  });
  const results: (ListClaim | Locked)[] = wants.map(() => null);
  for (const { i, k, ...row } of rows)
    results[i] = k === null ? LOCKED : { claim: claimOf(row), rest: wants[i]!.list.slice(k + 1) };
  return results;
}

/** How an execution ends. */
export interface Finish {
  readonly executionId: string;
  readonly from: 'pending' | 'running';
  readonly status: 'completed' | 'failed';
  readonly outputJson: string;
  readonly errorJson: string;
  readonly completedWithErrors: boolean;
}

/** Ends executions whose tasks have all ended: whether this call did, each. */
export async function finishBatch(db: Queryable, finishes: readonly Finish[]): Promise<(boolean | Locked)[]> {
  const x = finishes.map(
    (f) =>
      `{"e":"${f.executionId}","from":"${f.from}","status":"${f.status}","out":${f.outputJson},"err":${f.errorJson},"cwe":${f.completedWithErrors}}`,
  );
  const { rows } = await db.query<{ e: string; isLocked: boolean }>({
    name: 'finish_v2',
    text: 'select e, is_locked as "isLocked" from dagwright.finish_v2($1)',
    values: [`[${x.join(',')}]`],
  });
  const found = new Map(rows.map(({ e, isLocked }) => [e, isLocked ? LOCKED : true] as const));
  return finishes.map(({ executionId }) => found.get(executionId) ?? false);
}

/** Hands ready tasks back to the queue. */
export async function requeue(
  db: Queryable,
  slots: number,
  lists: readonly { readonly executionId: string; readonly list: readonly TaskRef[] }[],
): Promise<void> {
  await db.query({
    name: 'requeue_v1',
    text: 'select dagwright.requeue_v1($1)',
    values: [
      JSON.stringify({ slots, x: lists.map(({ executionId, list }) => ({ e: executionId, l: list })) }),
    ],
  });
}

/** Adds a job as it came, to be taken after so many milliseconds by a worker that can do it. */
export async function putOffJob(
  db: Queryable,
  payload: { readonly e: string; readonly t?: readonly TaskRef[] },
  ms: number,
): Promise<void> {
  await db.query({
    name: 'put_off_v1',
    text: 'select dagwright.put_off_v1($1, $2)',
    values: [JSON.stringify(payload), ms],
  });
}

/** Offers an execution to the queue again: it is opened, or concluded, by whoever takes the job. */
export async function offerAgain(db: Queryable, executionId: string): Promise<void> {
  await db.query({
    name: 'enqueue_execution_v1',
    text: 'select dagwright.enqueue_execution_v1($1)',
    values: [executionId],
  });
}

/** Keeps a checkpoint and what was spent; false when the attempt is no longer the caller's. Does not wait for the execution's lock. */
export async function writeCheckpoint(
  db: Queryable,
  executionId: string,
  claim: Claim,
  checkpoint: {
    readonly json: string;
    /** All that this attempt has spent until now, exact US dollars; null: unknown. */
    readonly spentUsd: string | null;
    readonly usageJson: string | null;
  },
): Promise<boolean | Locked> {
  const { json, spentUsd, usageJson } = checkpoint;
  const { rows } = await db.query<{ kept: boolean }>({
    name: 'checkpoint_v2',
    text: `select dagwright.checkpoint_v2(o.id, $2, $3, $4, $5, $6, $7) as kept from ${LOCKED_FIRST} o`,
    values: [executionId, claim.taskId, claim.mapIndex, claim.fence, json, spentUsd, usageJson],
  });
  return rows[0]?.kept ?? (await lockedOrGone(db, executionId)) ?? false;
}

/** Notes whether a claimed attempt's body has been entered; false when the attempt is no longer the caller's. Does not wait. */
export async function markEntered(
  db: Queryable,
  executionId: string,
  claim: Claim,
  hasEntered: boolean,
): Promise<boolean | Locked> {
  const { rows } = await db.query<{ kept: boolean }>({
    name: 'enter_v1',
    text: `select dagwright.enter_v1(o.id, $2, $3, $4, $5) as kept from ${LOCKED_FIRST} o`,
    values: [executionId, claim.taskId, claim.mapIndex, claim.fence, hasEntered],
  });
  return rows[0]?.kept ?? (await lockedOrGone(db, executionId)) ?? false;
}

/**
 * One pass of the one-second loop, given up after `limitMs`. `attempts` are those under way; ordinals in the answer point
 * into it.
 */
export async function tick(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  attempts: readonly {
    readonly executionId: string;
    readonly claim: Claim;
    readonly timeoutSeconds: number | null;
  }[],
  { sweep, limitMs }: { readonly sweep: boolean; readonly limitMs: number },
): Promise<{
  lost: number[];
  late: number[];
  woken: number;
  ended: number;
  recovered: number;
  next: number | null;
  /** The database's clock, milliseconds since the epoch. */
  now: number;
}> {
  const { rows } = await db.query({
    ...within(limitMs),
    name: 'tick_v1',
    text: 'select dagwright.tick_v1($1) as answer',
    values: [
      JSON.stringify({
        w: worker.id,
        slots: worker.slots,
        sweep,
        held: attempts.map(({ executionId, claim, timeoutSeconds }) => [
          executionId,
          claim.taskId,
          claim.mapIndex,
          claim.fence,
          timeoutSeconds,
        ]),
      }),
    ],
  });
  return rows[0].answer;
}
