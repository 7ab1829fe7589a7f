// The engine's transitions, one call each: typed fronts of the functions in drizzle/*_engine.sql, which say what each
// does and keeps. Values that were serialised before (Storable) are spliced in as JSON text, not parsed again.
import type pg from 'pg';
import type { SkipReason, TaskStatus } from '../core/status.ts';

/** Something that runs statements: a pool, or a connection within a transaction. */
export type Queryable = Pick<pg.Pool, 'query'>;

/** A task as lists and jobs name it: task id and map index (-1: the task itself). */
export type TaskRef = readonly [taskId: string, mapIndex: number];

/** A claim: the right to run one attempt, valid while the row has this fence. */
export interface Claim {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly fence: number;
  readonly attempt: number;
  readonly recoveries: number;
  readonly phase: 'timer' | 'items' | null;
}

/** How an attempt ended. JSON fields are already serialised and storable. */
export interface SettleRow {
  readonly claim: Claim;
  readonly to: 'completed' | 'failed' | 'skipped' | 'waiting' | 'retrying' | 'released';
  readonly reason?: SkipReason;
  readonly branch?: string;
  readonly winner?: string;
  readonly inputJson?: string;
  readonly outputJson?: string;
  readonly errorJson?: string;
  /** Exact decimal; undefined: nothing spent; null: unknown. */
  readonly costUsd?: string | null;
  readonly durationMs: number;
  readonly usageJson?: string;
  readonly wakeMs?: number;
  readonly waitingOn?: 'timer' | 'items';
  readonly keepAttempt?: boolean;
  readonly isPure?: boolean;
  readonly staysAfterFailure?: boolean;
  /** JSON of the errors of parts that failed within the tolerance. */
  readonly partErrorsJson?: string;
  /** A part whose failure is none. */
  readonly isOptionalPart?: boolean;
  readonly partTypes?: readonly string[];
  readonly fanOut?: {
    readonly total: number;
    readonly concurrency: number;
    readonly tolerated: number;
    readonly needed: number;
    readonly types: readonly string[];
    readonly itemsJson: string;
  };
  readonly end?: { readonly status: string; readonly outputJson: string; readonly errorJson: string };
}

export interface ChildEdge {
  readonly taskId: string;
  readonly outcome: 'success' | 'failed' | 'skipped';
  readonly isPure: boolean;
}

export interface FurtherEnd {
  readonly taskId: string;
  readonly status: 'skipped' | 'failed' | 'cancelled';
  readonly reason: SkipReason | null;
  readonly isFanOut: boolean;
  readonly cancelRunningItems: boolean;
}

/** One settle with what follows from it. */
export interface Settle {
  readonly executionId: string;
  readonly row: SettleRow;
  readonly edges: readonly ChildEdge[];
  /** The lane wants to go on with a task that this makes ready. */
  readonly wantsNext: boolean;
  /** Head of the lane's own list, tried when nothing became ready. */
  readonly next: readonly TaskRef[];
  readonly extraPure: number;
  /** JSON of the output, if this settle ends the execution and nothing failed. */
  readonly finishOutputJson?: string;
  readonly further?: readonly FurtherEnd[];
  readonly failing?: boolean;
}

export interface SettleResult {
  readonly outcome: 'settled' | 'lost' | 'failing';
  /** With `lost`: what the row has now. */
  readonly found?: { readonly fence: number | null; readonly status: TaskStatus | null };
  /** Database time of the settle, milliseconds since the epoch. */
  readonly atMs: number;
  readonly next: Claim | null;
  readonly extras: readonly Claim[];
  readonly drained: boolean;
  readonly finished: boolean;
}

interface SettleResultRow {
  e: string;
  kind: 'settled' | 'lost' | 'failing' | 'claim' | 'drained' | 'finished';
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

/** Settles a batch in one statement and one commit. Results come in the order of `settles`. */
export async function settleBatch(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  settles: readonly Settle[],
): Promise<SettleResult[]> {
  const groups = new Map<string, number[]>();
  settles.forEach((settle, i) => {
    const group = groups.get(settle.executionId);
    if (group === undefined) groups.set(settle.executionId, [i]);
    else group.push(i);
  });
  const elements: string[] = [];
  for (const [executionId, ordinals] of groups) elements.push(executionJson(executionId, ordinals, settles));
  const { rows } = await db.query<SettleResultRow>({
    name: 'settle_v1',
    text: 'select e, kind, i, t, m, fence, attempt, recoveries, phase, at from dagwright.settle_v1($1)',
    values: [`{"w":"${worker.id}","slots":${worker.slots},"x":[${elements.join(',')}]}`],
  });
  const results = settles.map(() => ({
    outcome: 'lost' as SettleResult['outcome'],
    found: undefined as SettleResult['found'],
    atMs: 0,
    next: null as Claim | null,
    extras: [] as Claim[],
    drained: false,
    finished: false,
  }));
  for (const row of rows) {
    const first = groups.get(row.e)![0]!;
    const result = results[row.i === null || row.i < 0 ? first : row.i]!;
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
  return results;
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
  if (row.branch !== undefined) json += `,"b":${JSON.stringify(row.branch)}`;
  if (row.winner !== undefined) json += `,"wn":${JSON.stringify(row.winner)}`;
  if (row.inputJson !== undefined) json += `,"inp":${row.inputJson}`;
  if (row.outputJson !== undefined) json += `,"out":${row.outputJson}`;
  if (row.errorJson !== undefined) json += `,"err":${row.errorJson}`;
  if (row.costUsd === null) json += ',"unk":true';
  else if (row.costUsd !== undefined) json += `,"cost":${row.costUsd}`;
  if (row.usageJson !== undefined) json += `,"use":${row.usageJson}`;
  if (row.wakeMs !== undefined) json += `,"wake":${Math.ceil(row.wakeMs)}`;
  if (row.waitingOn !== undefined) json += `,"wo":"${row.waitingOn}"`;
  if (row.keepAttempt) json += ',"att":true';
  if (row.isPure) json += ',"pure":true';
  if (row.staysAfterFailure) json += ',"st":true';
  if (row.partErrorsJson !== undefined) json += `,"errs":${row.partErrorsJson}`;
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

function claimOf(row: {
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
    phase: row.phase as Claim['phase'],
  };
}

/** Claims, for each entry, the first task of its list that is ready; null where nothing was. `rest` is what follows it. */
export async function claimBatch(
  db: Queryable,
  workerId: string,
  wants: readonly { readonly executionId: string; readonly list: readonly TaskRef[] }[],
): Promise<({ readonly claim: Claim; readonly rest: readonly TaskRef[] } | null)[]> {
  const { rows } = await db.query<Omit<SettleResultRow, 'kind' | 'e' | 'at'> & { i: number; k: number }>({
    name: 'claim_v1',
    text: 'select i, k, t, m, fence, attempt, recoveries, phase from dagwright.claim_v1($1)',
    values: [
      JSON.stringify({ w: workerId, c: wants.map((want, i) => ({ i, e: want.executionId, l: want.list })) }),
    ],
  });
  const results: ({ claim: Claim; rest: readonly TaskRef[] } | null)[] = wants.map(() => null);
  for (const row of rows) results[row.i] = { claim: claimOf(row), rest: wants[row.i]!.list.slice(row.k + 1) };
  return results;
}

/** A pending execution to open. `rowsJson` is the plan's row list, computed once per plan. */
export interface Opening {
  readonly executionId: string;
  readonly deadlineSeconds: number | null;
  readonly rowsJson: string;
}

/** Opens executions; the ids of those that this call opened. */
export async function openBatch(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  openings: readonly Opening[],
): Promise<Set<string>> {
  const x = openings.map(
    (o) => `{"e":"${o.executionId}","deadline":${o.deadlineSeconds},"rows":${o.rowsJson}}`,
  );
  const { rows } = await db.query<{ e: string }>({
    name: 'open_v1',
    text: 'select e from dagwright.open_v1($1)',
    values: [`{"w":"${worker.id}","slots":${worker.slots},"x":[${x.join(',')}]}`],
  });
  return new Set(rows.map((row) => row.e));
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

/** Ends executions whose tasks have all ended; the ids of those that this call ended. */
export async function finishBatch(db: Queryable, finishes: readonly Finish[]): Promise<Set<string>> {
  const x = finishes.map(
    (f) =>
      `{"e":"${f.executionId}","from":"${f.from}","status":"${f.status}","out":${f.outputJson},"err":${f.errorJson},"cwe":${f.completedWithErrors}}`,
  );
  const { rows } = await db.query<{ e: string }>({
    name: 'finish_v1',
    text: 'select e from dagwright.finish_v1($1)',
    values: [`[${x.join(',')}]`],
  });
  return new Set(rows.map((row) => row.e));
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

/** Keeps a checkpoint; false when the attempt is no longer the caller's. */
export async function writeCheckpoint(
  db: Queryable,
  executionId: string,
  claim: Claim,
  json: string,
): Promise<boolean> {
  const { rows } = await db.query<{ kept: boolean }>({
    name: 'checkpoint_v1',
    text: 'select dagwright.checkpoint_v1($1, $2, $3, $4, $5) as kept',
    values: [executionId, claim.taskId, claim.mapIndex, claim.fence, json],
  });
  return rows[0]!.kept;
}

/** One pass of the one-second loop. `held` are attempts under way; ordinals in the answer point into it. */
export async function tick(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  held: readonly {
    readonly executionId: string;
    readonly claim: Claim;
    readonly timeoutSeconds: number | null;
  }[],
  sweep: boolean,
): Promise<{
  lost: number[];
  late: number[];
  woken: number;
  ended: number;
  recovered: number;
  next: number | null;
}> {
  const { rows } = await db.query({
    name: 'tick_v1',
    text: 'select dagwright.tick_v1($1) as answer',
    values: [
      JSON.stringify({
        w: worker.id,
        slots: worker.slots,
        sweep,
        held: held.map((h) => [
          h.executionId,
          h.claim.taskId,
          h.claim.mapIndex,
          h.claim.fence,
          h.timeoutSeconds,
        ]),
      }),
    ],
  });
  return rows[0].answer;
}
