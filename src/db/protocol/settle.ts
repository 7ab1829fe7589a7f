// Sends a batch of settles (settlement.ts). Completions whose edges all succeed go set-based (settle_completed_v1; a lone
// step of a sequence by settle_one_v1), everything else row by row (settle_v1); all keep S1 to S4 of the SQL.

import type { AttemptEnd } from '../../core/attempt-end.ts';
import type { TaskStatus } from '../../core/status.ts';
import { PartlyAnswered } from '../connection/batcher.ts';
import type { Queryable } from '../connection/connection.ts';
import { listText, objectText, quoted } from './json-text.ts';
import type { BATCH_KEYS } from './settle-keys.ts';
import { completedEdgeJson, completedJson, executionJson, finishJson } from './settle-wire.ts';
import type { Settle, SettleResult } from './settlement.ts';
import { type Claim, claimOf } from './transitions.ts';

interface SettleResultRow {
  e: string;
  kind: 'at' | 'settled' | 'lost' | 'failing' | 'claim' | 'drained' | 'finished';
  i: number | null;
  t: string;
  m: number;
  fence: number | null;
  attempt: number;
  recoveries: number;
  phase: string | null;
  at: number;
}

type MutableResult = { -readonly [K in keyof SettleResult]: SettleResult[K] } & { extras: Claim[] };

/** Settles a batch in one commit per kind. Results come in the order of `settles`; an execution is in one kind only. */
export async function settleBatch(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
): Promise<SettleResult[]> {
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
      atMs: 0,
      next: null,
      extras: [],
      drained: false,
      finished: false,
    }),
  );
  const simple = new Map<string, number[]>();
  const general = new Map<string, number[]>();
  for (const [executionId, ordinals] of groups) {
    (ordinals.every((i) => isSimple(settles[i]!)) ? simple : general).set(executionId, ordinals);
  }
  const [first, second] = await Promise.allSettled([
    simple.size > 0 ? settleCompleted(db, worker, settles, simple, results) : null,
    general.size > 0 ? settleGeneral(db, worker, settles, general, results) : null,
  ]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return results;
  const refused = first.status === 'rejected' ? first : (second as PromiseRejectedResult);
  if (simple.size === 0 || general.size === 0 || first.status === second.status) throw refused.reason;
  const answered = refused === first ? general : simple;
  throw new PartlyAnswered(
    refused.reason,
    results.map((result, i) => (answered.has(settles[i]!.executionId) ? result : undefined)),
  );
}

type Completion = Extract<AttemptEnd, { kind: 'completed' }>;

// The fast paths refuse what they do not know: a field that is new goes here, or it does not compile, and not to them.
const WRITTEN_BY_COMPLETED = {
  executionId: true,
  claim: true,
  end: true,
  task: true,
  edges: true,
  wantsNext: true,
  next: true,
  extraPure: true,
  finishOutputJson: true,
  further: false,
  windDown: false,
  failing: false,
} as const satisfies Record<keyof Settle, boolean>;
const WRITTEN_BY_ONE = {
  kind: true,
  durationMs: true,
  inputJson: true,
  outputJson: true,
  output: true,
  costUsd: true,
  usage: true,
  branch: false,
  winner: false,
  partErrors: false,
} as const satisfies Record<keyof Completion, boolean>;
const refusedKeys = <Key extends string>(table: Readonly<Record<Key, boolean>>) =>
  (Object.keys(table) as Key[]).filter((key) => !table[key]);
const REFUSED_BY_COMPLETED = refusedKeys(WRITTEN_BY_COMPLETED);
const REFUSED_BY_ONE = refusedKeys(WRITTEN_BY_ONE);

function isSimple(settle: Settle): settle is Settle & { readonly end: Completion } {
  return (
    settle.end.kind === 'completed' &&
    settle.claim.mapIndex < 0 &&
    REFUSED_BY_COMPLETED.every((key) => settle[key] === undefined) &&
    settle.edges.every(({ outcome }) => outcome === 'success')
  );
}

// One child at most, no list, and a known cost.
function isSequential(settle: Settle): settle is SequentialSettle {
  const { edges, next, wantsNext, extraPure } = settle;
  if (!isSimple(settle)) return false;
  const { end } = settle;
  return (
    edges.length <= 1 &&
    next.length === 0 &&
    (wantsNext || extraPure === 0 || !edges[0]?.isPure) &&
    end.costUsd !== null &&
    REFUSED_BY_ONE.every((key) => end[key] === undefined)
  );
}

type SequentialSettle = Settle & { readonly end: Completion };

async function settleOne(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  { executionId, claim, end, edges, wantsNext, finishOutputJson }: SequentialSettle,
): Promise<SettleResult> {
  const child = edges[0]?.taskId ?? null;
  const { rows } = await db.query<SettleOneRow>({
    name: 'settle_one_v1',
    text: 'select * from dagwright.settle_one_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [
      worker.id,
      executionId,
      claim.taskId,
      claim.fence,
      end.durationMs,
      end.outputJson === 'null' ? null : end.outputJson,
      end.inputJson ?? null,
      end.costUsd ?? null,
      end.usage === undefined ? null : JSON.stringify(end.usage),
      child,
      wantsNext,
      finishOutputJson === undefined ? null : finishJson(finishOutputJson),
    ],
  });
  const answer = rows[0]!;
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

async function settleCompleted(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
  groups: ReadonlyMap<string, readonly number[]>,
  results: readonly MutableResult[],
): Promise<void> {
  const ids: string[] = [];
  const s: string[] = [];
  const d: string[] = [];
  const lanes: number[] = [];
  let extra = 0;
  for (const [executionId, ordinals] of groups) {
    const x = ids.push(executionId);
    for (const i of ordinals) {
      const settle = settles[i]!;
      s.push(completedJson(i, x, settle));
      for (const edge of settle.edges) d.push(completedEdgeJson(i, x, edge));
      if (settle.wantsNext) lanes.push(i);
      extra = Math.max(extra, settle.extraPure);
    }
  }
  const { rows } = await db.query<Omit<SettleResultRow, 'e'>>({
    name: 'settle_completed_v1',
    text: 'select kind, i, t, m, fence, attempt, recoveries, phase, at from dagwright.settle_completed_v1($1, $2, $3, $4, $5, $6, $7)',
    values: [worker.id, worker.slots, ids, listText(s), listText(d), lanes, extra],
  });
  const at = rows[0]!.at;
  for (const ordinals of groups.values()) {
    for (const i of ordinals) {
      results[i]!.outcome = 'settled';
      results[i]!.atMs = at;
    }
  }
  const firstOf = (x: number) => results[groups.get(ids[x - 1]!)![0]!]!;
  for (const row of rows) {
    const i = row.i ?? 0;
    if (row.kind === 'lost') {
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
  groups: ReadonlyMap<string, readonly number[]>,
  results: readonly MutableResult[],
): Promise<void> {
  const elements = [...groups].map(([executionId, ordinals]) =>
    executionJson(executionId, ordinals, settles),
  );
  const { rows } = await db.query<SettleResultRow>({
    name: 'settle_v1',
    text: 'select e, kind, i, t, m, fence, attempt, recoveries, phase, at from dagwright.settle_v1($1)',
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
