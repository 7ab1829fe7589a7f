// Writes settles as the JSON that settle_v2 and settle_completed_v2 read (settle-keys.ts). Values that are JSON already are
// spliced in as text, not parsed again.
import { ATTEMPT_ENDS, type AttemptEnd, type RoundEnd } from '../../core/attempt-end.ts';
import { assertNever } from '../../core/errors.ts';
import type { WaitEndedBy } from '../../core/wait.ts';
import { listText, objectText, quoted, type Texts } from './json-text.ts';
import type {
  COMPLETED_EDGE_KEYS,
  COMPLETED_KEYS,
  EDGE_KEYS,
  EXECUTION_KEYS,
  FAN_OUT_KEYS,
  FINISH_KEYS,
  FURTHER_END_KEYS,
  SETTLE_KEYS,
  TERMINATE_KEYS,
} from './settle-keys.ts';
import { lastOf } from './settle-kinds.ts';
import type { FurtherEnd, Settle } from './settlement.ts';

const OUTCOME_CODES = { success: 1, failed: 2, skipped: 3 } as const;

/** All settles of one execution, for settle_v2. */
export function executionJson(
  executionId: string,
  ordinals: readonly number[],
  settles: readonly Settle[],
): string {
  const settleTexts: string[] = [];
  const edges: string[] = [];
  const furtherEnds: string[] = [];
  const windDown: string[] = [];
  const lanes: number[] = [];
  const listLanes: number[] = [];
  let extra = 0;
  let finish: string | undefined;
  let failing = false;
  let isTerminated = false;
  for (const i of ordinals) {
    const settle = settles[i]!;
    settleTexts.push(settleJson(i, settle));
    for (const { taskId, outcome, isPure } of settle.edges)
      edges.push(
        objectText<typeof EDGE_KEYS>({
          i,
          t: quoted(taskId),
          k: OUTCOME_CODES[outcome],
          pure: isPure,
        }),
      );
    for (const end of settle.further ?? []) furtherEnds.push(furtherEndJson(end));
    windDown.push(...(settle.windDown ?? []));
    if (settle.wantsNext) (settle.next.length > 0 ? listLanes : lanes).push(i);
    extra = Math.max(extra, settle.extraPure);
    finish = settle.finishOutputJson ?? finish;
    failing ||= settle.failing ?? false;
    isTerminated ||= settle.end.kind === 'terminated';
  }
  // Where one of them ends the execution, nothing may start with it.
  return objectText<typeof EXECUTION_KEYS>({
    e: quoted(executionId),
    s: listText(settleTexts),
    lanes: isTerminated ? '[]' : listText([...lanes, ...listLanes]),
    extra: isTerminated ? 0 : extra,
    d: edges.length > 0 ? listText(edges) : undefined,
    z: furtherEnds.length > 0 ? listText(furtherEnds) : undefined,
    wd: windDown.length > 0 ? JSON.stringify(windDown) : undefined,
    fin: finish === undefined ? undefined : finishJson(finish),
    failing: failing || undefined,
  });
}

/** A completion whose edges all succeed, for settle_completed_v2. */
export function completedJson(i: number, x: number, settle: Settle): string {
  const { claim, end, next, wantsNext } = settle;
  const { finishOutputJson } = lastOf(settle);
  const [head] = wantsNext ? next : [];
  return objectText<typeof COMPLETED_KEYS>({
    i,
    x,
    t: quoted(claim.taskId),
    f: claim.fence,
    dur: end.durationMs,
    ...resultTexts(end),
    nt: head === undefined ? undefined : quoted(head[0]),
    nm: head?.[1],
    fin: finishOutputJson === undefined ? undefined : finishJson(finishOutputJson),
  });
}

/** The pure successors of a completion, for settle_completed_v2. */
export function successorsJson(i: number, x: number, { successors }: Settle): string[] {
  return (successors?.ends ?? []).map(({ taskId, end }, k) =>
    objectText<typeof COMPLETED_KEYS>({
      i,
      x,
      o: k + 1,
      t: quoted(taskId),
      dur: end.durationMs,
      ...resultTexts(end),
    }),
  );
}

/** An edge of a completion, for settle_completed_v2. */
export function completedEdgeJson(i: number, x: number, edge: Settle['edges'][number]): string {
  return objectText<typeof COMPLETED_EDGE_KEYS>({ i, x, t: quoted(edge.taskId), pure: edge.isPure });
}

export function finishJson(outputJson: string): string {
  return objectText<typeof FINISH_KEYS>({ out: outputJson });
}

function settleJson(i: number, settle: Settle): string {
  const { claim, end, task, next, wantsNext } = settle;
  return objectText<typeof SETTLE_KEYS>({
    i,
    t: quoted(claim.taskId),
    m: claim.mapIndex,
    f: claim.fence,
    to: quoted(ATTEMPT_ENDS[end.kind].settlesAs),
    dur: end.durationMs,
    ...resultTexts(end),
    st: task.staysAfterFailure || undefined,
    opt: task.isOptionalPart || undefined,
    pure: task.isPure || undefined,
    ty: task.parts?.areNamed ? JSON.stringify(task.parts.types) : undefined,
    ...endTexts(settle),
    next: wantsNext && next.length > 0 ? JSON.stringify(next) : undefined,
  });
}

// What an attempt left behind, as both functions read it.
function resultTexts(end: AttemptEnd): Texts<typeof COMPLETED_KEYS & typeof SETTLE_KEYS> {
  const completion = end.kind === 'completed' ? end : undefined;
  return {
    b: completion?.branch === undefined ? undefined : quoted(completion.branch),
    wn: completion?.winner === undefined ? undefined : quoted(completion.winner),
    inp: end.inputJson,
    out: completion?.outputJson,
    cost: end.costUsd ?? undefined,
    unk: end.costUsd === null || undefined,
    use: end.usage === undefined ? undefined : JSON.stringify(end.usage),
    errs: completion?.partErrors === undefined ? undefined : JSON.stringify(completion.partErrors),
  };
}

// What only this kind of end says.
function endTexts({ claim, end, task }: Settle): Texts<typeof SETTLE_KEYS> {
  switch (end.kind) {
    case 'completed':
      return roundTexts(end.round);
    case 'cancelled':
      return {};
    case 'skipped':
      return { r: quoted(end.reason) };
    case 'failed':
      return { err: JSON.stringify(end.error), att: !end.isUntried || undefined };
    case 'retrying':
      return {
        err: JSON.stringify(end.error),
        att: ATTEMPT_ENDS[end.kind].keepsAttempt,
        wake: Math.ceil(end.retryInMs),
      };
    case 'waiting':
      return {
        wo: quoted(end.on),
        wake: Math.ceil(end.delayMs),
        err: end.because === undefined ? undefined : JSON.stringify(end.because),
      };
    case 'inReview':
      return {
        wo: quoted('review' satisfies WaitEndedBy<'decision'>),
        rv: end.reviewJson ?? undefined,
      };
    case 'released':
      return { wo: claim.phase === null ? undefined : quoted(claim.phase) };
    case 'fanOut':
      return {
        wo: quoted('items' satisfies WaitEndedBy<'parts'>),
        pure: task.parts?.arePure || undefined,
        fo: fanOutJson(end, task),
      };
    case 'terminated':
      return {
        out: end.outputJson,
        end: objectText<typeof TERMINATE_KEYS>({
          status: quoted(end.status),
          out: end.outputJson,
          err: JSON.stringify(end.error),
        }),
      };
    default:
      return assertNever(end);
  }
}

function roundTexts(round: RoundEnd | undefined): Texts<typeof SETTLE_KEYS> {
  if (round === undefined) return {};
  if (round.isLast) return { lst: true };
  return { gap: round.nextInMs > 0 ? Math.ceil(round.nextInMs) : undefined };
}

function fanOutJson(
  { fanOut, valuesJson }: Extract<AttemptEnd, { kind: 'fanOut' }>,
  task: Settle['task'],
): string {
  const types = JSON.stringify(task.parts?.types ?? []);
  return objectText<typeof FAN_OUT_KEYS>({
    total: fanOut.total,
    conc: fanOut.maxConcurrency,
    tol: fanOut.toleratedFailures,
    need: fanOut.neededSuccesses,
    types,
    items: `{"types":${types},"values":${valuesJson}${fanOut.isLoop === true ? ',"rounds":true' : ''}}`,
  });
}

function furtherEndJson(end: FurtherEnd): string {
  return objectText<typeof FURTHER_END_KEYS>({
    t: quoted(end.taskId),
    to: quoted(end.status),
    r: end.reason === null ? undefined : quoted(end.reason),
    items: end.isFanOut || undefined,
    run: end.cancelRunningItems || undefined,
  });
}
