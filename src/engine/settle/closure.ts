// Settles a task whose end determines the end of others: skips, failures, the failure policy. Under the execution's lock
// it reads as much state as core/advance asks for, and writes the settle and the whole closure in one transaction.
//   C1  States are read after the lock is taken, so nothing changes between judging and writing.
//   C2  Dying before the commit leaves everything as it was: the attempt is still running, and is taken over.
//       Where somebody else has the lock, nothing is begun, and it is tried again when that is free; no connection is held meanwhile.
//   C3  What was read grows with what is skipped (lookahead doubles), so a run costs O(nodes + edges) in all.
import { type Advance, advance, type DeterminedEnd } from '../../core/plan/advance.ts';
import { edgeOutcome, type TaskState } from '../../core/plan/decide.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { isForParts } from '../../core/wait.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { LOCKED, type Locked } from '../../db/connection/locked.ts';
import { inTransaction } from '../../db/connection/transaction.ts';
import { loadStates, lockExecution } from '../../db/protocol/reads.ts';
import { settleBatch } from '../../db/protocol/settle.ts';
import type { ChildEdge, FurtherEnd, Settle, SettleResult } from '../../db/protocol/settlement.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode, CompiledPlan } from '../memory/compiled.ts';
import { type ExecutionMemory, stateOf } from '../memory/memory.ts';

/** Records `settle`, the end of `node` in `state`, with everything that follows from it. */
export async function settleWithClosure(
  worker: WorkerContext,
  memory: ExecutionMemory,
  node: CompiledNode,
  state: TaskState,
  settle: Settle,
): Promise<SettleResult> {
  return await worker.locked.run(
    memory.row.id,
    async () => {
      await worker.whileAlive();
      return await settleAtOnce(worker, memory, node, state, settle);
    },
    () => worker.suspect(memory.row.id),
  );
}

async function settleAtOnce(
  worker: WorkerContext,
  memory: ExecutionMemory,
  node: CompiledNode,
  state: TaskState,
  settle: Settle,
): Promise<SettleResult | Locked> {
  return await inTransaction(worker.pool, async (client) => {
    const execution = await lockExecution(client, memory.row.id);
    if (execution === LOCKED) return LOCKED;
    const closure = await closureOf(client, memory, node, state, execution?.failing ?? false);
    const consequences = consequencesOf(memory.compiled, node, state, closure);
    const [result] = await settleBatch(client, worker, [{ ...settle, ...consequences }]);
    return result!;
  });
}

/** All that follows from an end, and the states that were read to tell. */
interface ReadClosure {
  readonly step: Extract<Advance, { kind: 'done' }>;
  readonly states: ReadonlyMap<number, TaskState>;
}

/** What the settle writes of a closure: nothing that `advance` returns is left out. */
export function consequencesOf(
  compiled: CompiledPlan,
  node: CompiledNode,
  state: TaskState,
  { step: { ends, failing, windDown }, states }: ReadClosure,
): Required<Pick<Settle, 'edges' | 'further' | 'windDown' | 'failing'>> {
  const { plan } = compiled;
  return {
    edges: openEdges(compiled, node, state, ends, states),
    further: ends.map((end) => furtherEnd(plan, end, states.get(end.index))),
    windDown: windDown.map((index) => plan.nodes[index]!.taskId),
    failing: failing && plan.failurePolicy !== 'continue',
  };
}

async function closureOf(
  db: Queryable,
  memory: ExecutionMemory,
  node: CompiledNode,
  state: TaskState,
  alreadyFailing: boolean,
): Promise<ReadClosure> {
  const { plan } = memory.compiled;
  const states = new Map<number, TaskState>();
  const pending = new Map<number, number>();
  const read = (index: number): TaskState | undefined => {
    const known = states.get(index);
    if (known !== undefined) return known;
    const ended = memory.results.get(index);
    return ended === undefined ? undefined : stateOf(ended);
  };
  const openEdges = (index: number) => pending.get(index);
  for (let lookahead = 32; ; lookahead *= 8) {
    const step = advance({
      plan,
      read,
      ended: [{ index: node.plan.index, state }],
      alreadyFailing,
      openEdges,
    });
    if (step.kind === 'done') return { step, states };
    const wanted = lookAhead(memory, step.indexes, lookahead, read);
    const all = wanted.size > 2000 || wanted.size >= plan.nodes.length / 2;
    const ids = all ? null : [...wanted].map((index) => plan.nodes[index]!.taskId);
    for (const { taskId, pendingEdges, ...row } of await loadStates(db, memory.row.id, ids)) {
      const index = plan.indexOf.get(taskId)!;
      states.set(index, row);
      pending.set(index, pendingEdges);
    }
    if (all)
      for (const { index } of plan.nodes) if (!states.has(index)) states.set(index, { status: 'pending' });
  }
}

// The tasks asked for, and descendants of theirs, with their parents, as far as the lookahead goes.
function lookAhead(
  memory: ExecutionMemory,
  indexes: readonly number[],
  limit: number,
  read: (index: number) => TaskState | undefined,
): Set<number> {
  const { nodes } = memory.compiled.plan;
  const wanted = new Set(indexes);
  for (const index of wanted) {
    if (wanted.size >= indexes.length + limit) break;
    for (const { to } of nodes[index]!.outEdges) {
      wanted.add(to);
      if (nodes[to]!.inEdges.length <= limit) for (const { from } of nodes[to]!.inEdges) wanted.add(from);
    }
  }
  for (const index of wanted) if (read(index) !== undefined) wanted.delete(index);
  return wanted;
}

// Edges out of what ended here, into what has not.
function openEdges(
  { nodes }: CompiledPlan,
  node: CompiledNode,
  state: TaskState,
  ends: readonly DeterminedEnd[],
  states: ReadonlyMap<number, TaskState>,
): ChildEdge[] {
  const ended = new Set(ends.map(({ index }) => index));
  const edges: ChildEdge[] = [];
  const collect = (from: CompiledNode, fromState: TaskState) => {
    for (const edge of from.plan.outEdges) {
      if (ended.has(edge.to)) continue;
      const outcome = edgeOutcome(edge, from.plan, fromState);
      const child = nodes[edge.to]!;
      edges.push({
        taskId: child.plan.taskId,
        outcome: outcome === 'pending' ? 'skipped' : outcome,
        isPure: child.type.isPure,
        isOnly: child.plan.inEdges.length === 1,
      });
    }
  };
  collect(node, state);
  for (const end of ends) {
    const errorCode = end.status === 'failed' ? states.get(end.index)?.errorCode : undefined;
    collect(nodes[end.index]!, { status: end.status, reason: end.reason, errorCode });
  }
  return edges;
}

function furtherEnd(plan: Plan, end: DeterminedEnd, before: TaskState | undefined): FurtherEnd {
  return {
    taskId: plan.nodes[end.index]!.taskId,
    status: end.status,
    reason: end.reason,
    isFanOut: isForParts(before?.waitingOn),
    cancelRunningItems: plan.failurePolicy === 'fail_fast',
  };
}
