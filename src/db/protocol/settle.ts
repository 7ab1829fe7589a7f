// Sends a batch of settles (settlement.ts). Steps of sequential runs go by settle_sequential_v1 and _v2 (a lone one by settle_one_v1),
// other completions whose edges all succeed set-based too (settle_completed_v2), everything else row by row (settle_v2); all
// keep S1 to S5 of the SQL. What settle_sequential_v1 and _v2 refuse has changed nothing, and goes with the other completions; where
// these are refused because a pure successor cannot be written, they go again without any.
//   L1  No settle waits for an execution that somebody has locked: it is answered LOCKED, and nothing of it was changed. The others
//       of its batch are settled, so a call holds locks of several executions only until its own commit.
//   L2  Locks are taken in the order of the executions' ids, then come their task rows, then the jobs.
//   L3  Dying before the commit leaves the attempts running, for a take-over; after it the settles are found by their own fence.

import type { TaskStatus } from '../../core/status.ts';
import { PartlyAnswered } from '../connection/batcher.ts';
import type { Queryable } from '../connection/connection.ts';
import { LOCKED, type Locked } from '../connection/locked.ts';
import { listText, objectText, quoted } from './json-text.ts';
import type { BATCH_KEYS } from './settle-keys.ts';
import {
  goesOnAlone,
  isSequential,
  isSimple,
  lastOf,
  type SequentialSettle,
  withoutSuccessors,
} from './settle-kinds.ts';
import { isRefusal, settleOne, settleSequential } from './settle-sequential.ts';
import { completedEdgeJson, completedJson, executionJson, successorsJson } from './settle-wire.ts';
import type { Settle, SettleResult } from './settlement.ts';
import { type Claim, claimOf } from './transitions.ts';

interface SettleResultRow {
  e: string;
  kind: 'at' | 'locked' | 'settled' | 'lost' | 'failing' | 'claim' | 'drained' | 'finished';
  i: number | null;
  t: string;
  m: number;
  fence: number | null;
  attempt: number;
  recoveries: number;
  phase: string | null;
  at: number;
}

/** Ordinals of the settles of each execution. */
type Groups = ReadonlyMap<string, readonly number[]>;

type MutableResult = { -readonly [K in keyof SettleResult]: SettleResult[K] } & {
  extras: Claim[];
  isLocked?: true;
};

const answerOf = (result: MutableResult): SettleResult | Locked => (result.isLocked ? LOCKED : result);

/** Settles a batch in one commit per kind. Results come in the order of `settles`; an execution is in one kind only. */
export async function settleBatch(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
): Promise<(SettleResult | Locked)[]> {
  if (settles.length === 1 && isSequential(settles[0]!)) return [await settleOne(db, worker, settles[0]!)];
  const groups = new Map<string, number[]>();
  settles.forEach((settle, i) => {
    const group = groups.get(settle.executionId);
    if (group === undefined) groups.set(settle.executionId, [i]);
    else group.push(i);
  });
  const results = settles.map(
    (): MutableResult => ({
      outcome: 'lost',
      withSuccessors: false,
      atMs: 0,
      next: null,
      extras: [],
      drained: false,
      finished: false,
    }),
  );
  const sequential = new Map<string, number[]>();
  const simple = new Map<string, number[]>();
  const general = new Map<string, number[]>();
  for (const [executionId, ordinals] of groups) {
    const own = ordinals.map((i) => settles[i]!);
    if (!own.every(isSimple)) general.set(executionId, ordinals);
    else (own.length === 1 && goesOnAlone(own[0]!) ? sequential : simple).set(executionId, ordinals);
  }
  // A few are not worth a commit of their own.
  if (sequential.size < simple.size) {
    for (const [executionId, ordinals] of sequential) simple.set(executionId, ordinals);
    sequential.clear();
  }
  const send = (kind: typeof settleCompleted, part: Groups) =>
    part.size === 0 ? [] : [{ part, sent: kind(db, worker, settles, part, results) }];
  const parts = [
    ...send(settleInSequence, sequential),
    ...send(settleCompleted, simple),
    ...send(settleGeneral, general),
  ];
  const ended = await Promise.allSettled(parts.map(({ sent }) => sent));
  const refused = ended.find((part) => part.status === 'rejected');
  if (refused === undefined) return results.map(answerOf);
  const isAnswered = (executionId: string) =>
    parts.some(({ part }, i) => ended[i]!.status === 'fulfilled' && part.has(executionId));
  if (ended.every(({ status }) => status === 'rejected')) throw refused.reason;
  throw new PartlyAnswered(
    refused.reason,
    results.map((result, i) => (isAnswered(settles[i]!.executionId) ? answerOf(result) : undefined)),
  );
}

async function settleInSequence(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
  groups: Groups,
  results: readonly MutableResult[],
): Promise<void> {
  const ordinals = [...groups.values()].map(([i]) => i!);
  const answers = await settleSequential(
    db,
    worker.id,
    ordinals.map((i) => settles[i] as SequentialSettle),
  );
  if (answers === null) return await settleCompleted(db, worker, settles, groups, results);
  for (const [k, i] of ordinals.entries()) Object.assign(results[i]!, answers[k]);
}

async function settleCompleted(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
  groups: Groups,
  results: readonly MutableResult[],
): Promise<void> {
  const ids: string[] = [];
  const s: string[] = [];
  const d: string[] = [];
  const lanes: number[] = [];
  let extra = 0;
  const successors: string[] = [];
  for (const [executionId, ordinals] of groups) {
    const x = ids.push(executionId);
    for (const i of ordinals) {
      const settle = settles[i]!;
      s.push(completedJson(i, x, settle));
      successors.push(...successorsJson(i, x, settle));
      for (const edge of lastOf(settle).edges) d.push(completedEdgeJson(i, x, edge));
      if (settle.wantsNext) lanes.push(i);
      extra = Math.max(extra, settle.extraPure);
    }
  }
  let rows: Omit<SettleResultRow, 'e'>[];
  try {
    ({ rows } = await db.query<Omit<SettleResultRow, 'e'>>({
      name: 'settle_completed_v2',
      text: 'select kind, i, t, m, fence, attempt, recoveries, phase, at from dagwright.settle_completed_v2($1, $2, $3, $4, $5, $6, $7)',
      values: [worker.id, worker.slots, ids, listText([...s, ...successors]), listText(d), lanes, extra],
    }));
  } catch (error) {
    if (successors.length === 0 || !isRefusal(error)) throw error;
    return await settleCompleted(db, worker, settles.map(withoutSuccessors), groups, results);
  }
  const at = rows[0]!.at;
  for (const ordinals of groups.values()) {
    for (const i of ordinals) {
      results[i]!.outcome = 'settled';
      results[i]!.withSuccessors = settles[i]!.successors !== undefined;
      results[i]!.atMs = at;
    }
  }
  const firstOf = (x: number) => results[groups.get(ids[x - 1]!)![0]!]!;
  for (const row of rows) {
    const i = row.i ?? 0;
    if (row.kind === 'locked') lockOut(groups.get(ids[i - 1]!)!, results);
    else if (row.kind === 'lost') {
      results[i]!.outcome = 'lost';
      results[i]!.found = { fence: row.fence, status: row.phase as TaskStatus | null };
    } else if (row.kind === 'claim') {
      if (i < 0) firstOf(-i).extras.push(claimOf(row));
      else results[i]!.next = claimOf(row);
    } else if (row.kind === 'drained') firstOf(i).drained = true;
    else if (row.kind === 'finished') firstOf(i).finished = true;
  }
}

async function settleGeneral(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
  groups: Groups,
  results: readonly MutableResult[],
): Promise<void> {
  const elements = [...groups].map(([executionId, ordinals]) =>
    executionJson(executionId, ordinals, settles),
  );
  const { rows } = await db.query<SettleResultRow>({
    name: 'settle_v2',
    text: 'select e, kind, i, t, m, fence, attempt, recoveries, phase, at from dagwright.settle_v2($1)',
    values: [
      objectText<typeof BATCH_KEYS>({ w: quoted(worker.id), slots: worker.slots, x: listText(elements) }),
    ],
  });
  // What belongs to no lane goes to one that was settled and goes on: the others may not look at it.
  const openLane = (ordinals: readonly number[]) =>
    ordinals.find((i) => results[i]!.outcome === 'settled' && settles[i]!.wantsNext) ??
    ordinals.find((i) => results[i]!.outcome === 'settled') ??
    ordinals[0]!;
  for (const row of rows) {
    if (row.kind === 'locked') {
      lockOut(groups.get(row.e)!, results);
      continue;
    }
    const result = results[row.i === null || row.i < 0 ? openLane(groups.get(row.e)!) : row.i]!;
    switch (row.kind) {
      case 'settled':
      case 'failing':
        result.outcome = row.kind;
        result.atMs = row.at;
        break;
      case 'lost':
        result.found = { fence: row.fence, status: row.phase as TaskStatus | null };
        break;
      case 'claim':
        if (row.i === -1) result.extras.push(claimOf(row));
        else result.next = claimOf(row);
        break;
      case 'drained':
        result.drained = true;
        break;
      case 'finished':
        result.finished = true;
        break;
    }
  }
}

function lockOut(ordinals: readonly number[], results: readonly MutableResult[]): void {
  for (const i of ordinals) results[i]!.isLocked = true;
}
