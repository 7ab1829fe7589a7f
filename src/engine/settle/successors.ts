// Performs the pure tasks that nothing but one settle holds up, so that they are written with it: one commit in place of one each.
//   P1  A successor is the only child of the one before it, and that is its only parent: nobody else can begin or end it while
//       the parent's attempt is ours, and one write under the execution's lock finds it so, or changes nothing of the batch.
//   P2  Its edges all succeed: no end far away follows from it. One that went a way which skips others runs after the commit.
//   P3  Until the commit nothing of it is kept, in the database or in memory. Dying before the commit leaves the parent's
//       attempt running: it is taken over, and settles without successors, so that what kills a worker is found by itself.
import { type Completion, taskStateOf } from '../../core/attempt-end.ts';
import type { ChildEdge, PureSuccessors } from '../../db/protocol/settlement.ts';
import { firstClaim } from '../../db/protocol/transitions.ts';
import { NOT_RECORDED_YET, performAhead } from '../attempt/perform-ahead.ts';
import { type Work, workOf } from '../attempt/work.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode } from '../memory/compiled.ts';
import { resultOfEnd, type TaskResult } from '../memory/memory.ts';
import { edgesOutOf } from './edges.ts';
import { proposeOutput } from './proposed-output.ts';

/** So long may the end of an attempt wait for its successors, and those of the other lanes of this turn. */
const MAX_MS = 25;
const MAX_SUCCESSORS = 32;
/** What they may add to the settle: what they give, as stored. */
const MAX_BYTES = 1_000_000;

/** Whether there may be any: told without a turn of the event loop. */
export function mayHaveSuccessors({ memory, node, claim }: Work): boolean {
  return claim.recoveries === 0 && onlyPureChild(memory.compiled.nodes, node) !== null;
}

/** The pure tasks that follow from `end`, in order; undefined where there are none. */
export async function performSuccessors(
  worker: WorkerContext,
  { memory, node, claim }: Work,
  end: Completion,
): Promise<PureSuccessors | undefined> {
  const until = performance.now() + MAX_MS;
  const ahead = new Map<number, TaskResult>();
  const ends: { readonly taskId: string; readonly end: Completion }[] = [];
  let last = { node, end, edges: [] as readonly ChildEdge[] };
  let bytes = 0;
  while (ends.length < MAX_SUCCESSORS && bytes < MAX_BYTES && performance.now() < until) {
    const child = onlyPureChild(memory.compiled.nodes, last.node);
    if (child === null) break;
    const attempt = ends.length === 0 ? claim.attempt : 1;
    ahead.set(last.node.plan.index, resultOfEnd(last.end, NOT_RECORDED_YET, attempt));
    const childEnd = await performAhead(worker, workOf(memory, firstClaim(child.plan.taskId)), ahead);
    if (childEnd === null) break;
    const { edges, areLocal } = edgesOutOf(memory.compiled, child, taskStateOf(childEnd));
    if (!areLocal) break;
    ends.push({ taskId: child.plan.taskId, end: childEnd });
    last = { node: child, end: childEnd, edges };
    bytes += childEnd.outputJson.length + (childEnd.inputJson?.length ?? 0);
  }
  if (ends.length === 0) return undefined;
  const { soleSink, outputReads } = memory.compiled;
  const isInMemory = (index: number) => index === soleSink || ahead.has(index) || memory.results.has(index);
  // The end of the attempt must not wait for the database: else the execution is concluded on its own.
  const finishOutputJson =
    soleSink === last.node.plan.index && outputReads.every(isInMemory)
      ? await proposeOutput(worker, memory, last, ahead)
      : undefined;
  return { ends, edges: last.edges, finishOutputJson };
}

// P1.
function onlyPureChild(nodes: readonly CompiledNode[], { plan }: CompiledNode): CompiledNode | null {
  const [edge] = plan.outEdges;
  if (edge === undefined || plan.outEdges.length > 1) return null;
  const child = nodes[edge.to]!;
  return child.type.completesAtOnce && child.plan.inEdges.length === 1 ? child : null;
}
