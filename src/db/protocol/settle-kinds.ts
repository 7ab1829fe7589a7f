// Which function may take a settle: the fast paths refuse what they do not know.
import type { Completion } from '../../core/attempt-end.ts';
import type { Settle } from './settlement.ts';

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
  successors: true,
  further: false,
  windDown: false,
  failing: false,
} as const satisfies Record<keyof Settle, boolean>;
const WRITTEN_BY_SEQUENTIAL = {
  kind: true,
  durationMs: true,
  inputJson: true,
  outputJson: true,
  output: true,
  costUsd: true,
  usage: true,
  branch: true,
  winner: true,
  partErrors: false,
  round: false,
} as const satisfies Record<keyof Completion, boolean>;
const WRITTEN_BY_ONE = { ...WRITTEN_BY_SEQUENTIAL, branch: false, winner: false } as const;
const refusedKeys = <Key extends string>(table: Readonly<Record<Key, boolean>>) =>
  (Object.keys(table) as Key[]).filter((key) => !table[key]);
const REFUSED_BY_COMPLETED = refusedKeys(WRITTEN_BY_COMPLETED);
const REFUSED_BY_SEQUENTIAL = refusedKeys(WRITTEN_BY_SEQUENTIAL);
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

/** What its lane goes on from: the last of its pure successors where it has any, else the settled task itself. */
export function lastOf(settle: Settle): Pick<Settle, 'edges' | 'finishOutputJson'> {
  return settle.successors ?? settle;
}

/** The settle as it is without its pure successors, which are then performed as any task. */
export function withoutSuccessors(settle: Settle): Settle {
  return settle.successors === undefined ? settle : { ...settle, successors: undefined };
}

export type SequentialSettle = Settle & { readonly end: Completion };

/** One child at most, no list, no successors, and a known cost: settle_one_v1 takes it where it is alone. */
export function isSequential(settle: Settle): settle is SequentialSettle {
  const { edges, wantsNext, extraPure } = settle;
  return (
    isOneStep(settle) &&
    isPlainStep(settle) &&
    edges.length <= 1 &&
    (wantsNext || extraPure === 0 || !edges[0]?.isPure)
  );
}

/** Without successors, branch or winner: settle_sequential_v1 takes it among those that go on alone. */
export function isPlainStep({ end, successors }: SequentialSettle): boolean {
  return successors === undefined && REFUSED_BY_ONE.every((key) => end[key] === undefined);
}

/** Goes on with its only child, or ends its execution: settle_sequential_v2 takes it, one of each execution. */
export function goesOnAlone(settle: Settle): settle is SequentialSettle {
  const { edges, finishOutputJson } = lastOf(settle);
  const [edge] = edges;
  if (!isOneStep(settle) || edges.length > 1) return false;
  if (REFUSED_BY_SEQUENTIAL.some((key) => settle.end[key] !== undefined)) return false;
  return edge === undefined ? finishOutputJson !== undefined : settle.wantsNext && edge.isOnly;
}

function isOneStep(settle: Settle): settle is SequentialSettle {
  return isSimple(settle) && settle.next.length === 0 && settle.end.costUsd !== null;
}
