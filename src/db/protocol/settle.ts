// Writes a batch of settles (settlement.ts). Completions whose edges all
// succeed go set-based (settle_completed_v1; a lone step of a sequence by settle_one_v1), everything else row by row
// (settle_v1); all keep S1 to S4 of the SQL. Long because the three ways must be read side by side: they belong together.

import type { TaskStatus } from '../../core/status.ts';
import { PartlyAnswered } from '../connection/batcher.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Settle, SettleResult, SettleRow } from './settlement.ts';
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

const OUTCOME_CODES = { success: 1, failed: 2, skipped: 3 } as const;

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

function isSimple({ row, edges, further, failing }: Settle): boolean {
  return (
    row.to === 'completed' &&
    row.claim.mapIndex < 0 &&
    row.end === undefined &&
    further === undefined &&
    failing !== true &&
    edges.every(({ outcome }) => outcome === 'success')
  );
}

// One child at most, and nothing that settle_one_v1 does not write.
function isSequential(settle: Settle): boolean {
  const { row, edges, next } = settle;
  return (
    edges.length <= 1 &&
    next.length === 0 &&
    (settle.wantsNext || settle.extraPure === 0 || !edges[0]?.isPure) &&
    row.branch === undefined &&
    row.winner === undefined &&
    row.partErrorsJson === undefined &&
    row.costUsd !== null &&
    isSimple(settle)
  );
}

async function settleOne(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  { executionId, row, edges, wantsNext, finishOutputJson }: Settle,
): Promise<SettleResult> {
  const child = edges[0]?.taskId ?? null;
  const { rows } = await db.query<SettleOneRow>({
    name: 'settle_one_v1',
    text: 'select * from dagwright.settle_one_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [
      worker.id,
      executionId,
      row.claim.taskId,
      row.claim.fence,
      row.durationMs,
      row.outputJson === 'null' ? null : (row.outputJson ?? null),
      row.inputJson ?? null,
      row.costUsd ?? null,
      row.usageJson ?? null,
      child,
      wantsNext,
      finishOutputJson === undefined ? null : `{"out":${finishOutputJson}}`,
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
      for (const { taskId, isPure } of settle.edges)
        d.push(`{"i":${i},"x":${x},"t":${JSON.stringify(taskId)},"pure":${isPure}}`);
      if (settle.wantsNext) lanes.push(i);
      extra = Math.max(extra, settle.extraPure);
    }
  }
  const { rows } = await db.query<Omit<SettleResultRow, 'e'>>({
    name: 'settle_completed_v1',
    text: 'select kind, i, t, m, fence, attempt, recoveries, phase, at from dagwright.settle_completed_v1($1, $2, $3, $4, $5, $6, $7)',
    values: [worker.id, worker.slots, ids, `[${s.join(',')}]`, `[${d.join(',')}]`, lanes, extra],
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

function completedJson(i: number, x: number, { row, next, wantsNext, finishOutputJson }: Settle): string {
  const { claim } = row;
  let json = `{"i":${i},"x":${x},"t":${JSON.stringify(claim.taskId)},"f":${claim.fence},"dur":${row.durationMs}${resultJson(row)}`;
  if (wantsNext && next.length > 0) json += `,"nt":${JSON.stringify(next[0]![0])},"nm":${next[0]![1]}`;
  if (finishOutputJson !== undefined) json += `,"fin":{"out":${finishOutputJson}}`;
  return `${json}}`;
}

// What an attempt left behind, as both functions read it.
function resultJson(row: SettleRow): string {
  let json = '';
  if (row.branch !== undefined) json += `,"b":${JSON.stringify(row.branch)}`;
  if (row.winner !== undefined) json += `,"wn":${JSON.stringify(row.winner)}`;
  if (row.inputJson !== undefined) json += `,"inp":${row.inputJson}`;
  if (row.outputJson !== undefined) json += `,"out":${row.outputJson}`;
  if (row.costUsd === null) json += ',"unk":true';
  else if (row.costUsd !== undefined) json += `,"cost":${row.costUsd}`;
  if (row.usageJson !== undefined) json += `,"use":${row.usageJson}`;
  if (row.partErrorsJson !== undefined) json += `,"errs":${row.partErrorsJson}`;
  return json;
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
    values: [`{"w":"${worker.id}","slots":${worker.slots},"x":[${elements.join(',')}]}`],
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

function executionJson(executionId: string, ordinals: readonly number[], settles: readonly Settle[]): string {
  const s: string[] = [];
  const d: string[] = [];
  const z: string[] = [];
  const lanes: number[] = [];
  const listLanes: number[] = [];
  let extra = 0;
  let finish: string | undefined;
  let failing = false;
  for (const i of ordinals) {
    const settle = settles[i]!;
    s.push(settleJson(i, settle));
    for (const edge of settle.edges)
      d.push(
        `{"i":${i},"t":${JSON.stringify(edge.taskId)},"k":${OUTCOME_CODES[edge.outcome]},"pure":${edge.isPure}}`,
      );
    for (const end of settle.further ?? []) {
      z.push(
        JSON.stringify({
          t: end.taskId,
          to: end.status,
          r: end.reason ?? undefined,
          items: end.isFanOut ? true : undefined,
          run: end.cancelRunningItems ? true : undefined,
        }),
      );
    }
    if (settle.wantsNext) (settle.next.length > 0 ? listLanes : lanes).push(i);
    extra = Math.max(extra, settle.extraPure);
    finish = settle.finishOutputJson ?? finish;
    failing ||= settle.failing ?? false;
  }
  // Where one of them ends the execution, nothing may start with it.
  if (ordinals.some((i) => settles[i]!.row.end !== undefined)) {
    lanes.length = listLanes.length = 0;
    extra = 0;
  }
  let json = `{"e":"${executionId}","s":[${s.join(',')}],"lanes":[${[...lanes, ...listLanes].join(',')}],"extra":${extra}`;
  if (d.length > 0) json += `,"d":[${d.join(',')}]`;
  if (z.length > 0) json += `,"z":[${z.join(',')}]`;
  if (finish !== undefined) json += `,"fin":{"out":${finish}}`;
  if (failing) json += ',"failing":true';
  return `${json}}`;
}

function settleJson(i: number, { row, next, wantsNext }: Settle): string {
  const { claim } = row;
  let json = `{"i":${i},"t":${JSON.stringify(claim.taskId)},"m":${claim.mapIndex},"f":${claim.fence},"to":"${row.to}","dur":${row.durationMs}`;
  if (row.reason !== undefined) json += `,"r":"${row.reason}"`;
  if (row.errorJson !== undefined) json += `,"err":${row.errorJson}`;
  json += resultJson(row);
  if (row.wakeMs !== undefined) json += `,"wake":${Math.ceil(row.wakeMs)}`;
  if (row.waitingOn !== undefined) json += `,"wo":"${row.waitingOn}"`;
  if (row.keepAttempt) json += ',"att":true';
  if (row.isPure) json += ',"pure":true';
  if (row.staysAfterFailure) json += ',"st":true';
  if (row.isOptionalPart) json += ',"opt":true';
  if (row.partTypes !== undefined) json += `,"ty":${JSON.stringify(row.partTypes)}`;
  if (row.fanOut !== undefined) {
    const { total, concurrency, tolerated, needed, types, itemsJson } = row.fanOut;
    const typesJson = JSON.stringify(types);
    json += `,"fo":{"total":${total},"conc":${concurrency},"tol":${tolerated},"need":${needed},"types":${typesJson},"items":{"types":${typesJson},"values":${itemsJson}}}`;
  }
  if (row.end !== undefined)
    json += `,"end":{"status":"${row.end.status}","out":${row.end.outputJson},"err":${row.end.errorJson}}`;
  if (wantsNext && next.length > 0) json += `,"next":${JSON.stringify(next)}`;
  return `${json}}`;
}
