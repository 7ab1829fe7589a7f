// Which function may take a settle: the fast paths refuse what they do not know.
import type { AttemptEnd } from '../../core/attempt-end.ts';
import type { Settle } from './settlement.ts';

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

/** A completion whose edges all succeed: settle_completed_v2 takes it. */
export function isSimple(settle: Settle): settle is Settle & { readonly end: Completion } {
  return (
    settle.end.kind === 'completed' &&
    settle.claim.mapIndex < 0 &&
    REFUSED_BY_COMPLETED.every((key) => settle[key] === undefined) &&
    settle.edges.every(({ outcome }) => outcome === 'success')
  );
}

/** One child at most, no list, and a known cost: settle_one_v1 takes it where it is alone. */
export function isSequential(settle: Settle): settle is SequentialSettle {
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

export type SequentialSettle = Settle & { readonly end: Completion };

/** Goes on with its only child, or ends its execution: settle_sequential_v1 takes it, one of each execution. */
export function goesOnAlone(settle: Settle): settle is SequentialSettle {
  const [edge] = settle.edges;
  return (
    isSequential(settle) &&
    (edge === undefined ? settle.finishOutputJson !== undefined : settle.wantsNext && edge.isOnly)
  );
}
